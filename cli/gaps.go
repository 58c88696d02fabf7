package cli

import (
	"billd/server/ops"

	"github.com/spf13/cobra"
)

func newGaps(a *app) *cobra.Command {
	var args ops.GapsArgs
	cmd := &cobra.Command{
		Use:   "gaps",
		Short: "Look for records that a switch made and that never came",
		Long: "Look, source by source, for hours without a record in which other days have at least five, and for numbers of the\n" +
			"switch's counter that never came (Asterisk's sequence, and whatever follows the last slash of a call id).\n" +
			"Records held in suspense count as there. Calls that are still up have their numbers missing until they end.",
		Example: "  billd gaps\n  billd gaps --source pbx1 --from 2026-11-01 --json",
		Args:    want(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			args.JSON = a.json
			return a.runOp(cmd, call{op: "gaps", args: args})
		},
	}
	f := cmd.Flags()
	f.StringVar(&args.Source, "source", "", "only this source")
	f.StringVar(&args.From, "from", "", "calls that began at or after it, a date or moment (default a week ago)")
	f.StringVar(&args.To, "to", "", "calls that began before it (default now)")
	return cmd
}
