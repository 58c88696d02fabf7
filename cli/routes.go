package cli

import (
	"io"

	"billd/server"
	"billd/server/ops"

	"github.com/spf13/cobra"
)

func newRoutes(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "routes", Short: "List every HTTP route that serve answers", Example: "  billd routes\n  billd routes --json", Args: want(),
		RunE: func(*cobra.Command, []string) error {
			routes, err := server.Routes()
			if err != nil {
				return err
			}
			return ops.Print(a.out, a.json, routes, func(w io.Writer) error {
				t := ops.NewTable(w, "METHOD", "PATH")
				for _, r := range routes {
					t.Row(r.Method, r.Path)
				}
				return t.Close()
			})
		},
	}
}
