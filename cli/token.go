package cli

import (
	"time"

	"billd/server/ops"

	"github.com/spf13/cobra"
)

func newToken(a *app) *cobra.Command {
	var args ops.TokenArgs
	var ttl time.Duration
	cmd := &cobra.Command{
		Use:   "token admin|customer|kazoo|portsip|native",
		Short: "Print a bearer token for one surface",
		Long: "Print a bearer token for one surface, and for kazoo with --json also the account's API key.\n" +
			"Without --login it is the first operator's, without --account the operator's own account's.",
		Example:   "  billd token admin\n  billd token customer --account Northfield --ttl 24h\n  billd token kazoo --json",
		Args:      want("SURFACE"),
		ValidArgs: []string{"admin", "customer", "kazoo", "portsip", "native"},
		RunE: func(cmd *cobra.Command, given []string) error {
			args.Surface, args.Seconds, args.JSON = given[0], int64(ttl/time.Second), a.json
			return a.runOp(cmd, call{op: "token", args: args})
		},
	}
	cmd.Flags().StringVar(&args.Login, "login", "", "operator whose token it is")
	cmd.Flags().StringVar(&args.Account, "account", "", "account it acts for: number, UUID or name")
	cmd.Flags().DurationVar(&ttl, "ttl", 0, "how long it holds (default 10m for admin and customer, else 1h)")
	return cmd
}
