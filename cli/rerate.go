package cli

import (
	"billd/server/ops"

	"github.com/spf13/cobra"
)

func newRerate(a *app) *cobra.Command {
	var args ops.RerateArgs
	cmd := &cobra.Command{
		Use:   "rerate",
		Short: "Charge stored calls again by the decks of now",
		Long: "Work out stored calls again by the decks as they are now, each at the moment when it began, after a preview.\n" +
			"Balances and day totals move by the difference, drafts are filled again; a call on an approved invoice keeps its\n" +
			"figures and the difference is posted in the open period. A call's VAT rate stays. History is left alone.\n\n" +
			"A call that cannot be charged now keeps its figures, and the exit code is 3.",
		Example: "  billd rerate --from 2026-11-01 --dry-run\n  billd rerate --account Northfield --from 2026-11-01 --to 2026-12-01",
		Args:    want(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			args.JSON = a.json
			return a.runOp(cmd, call{op: "rerate", args: args})
		},
	}
	cmd.Flags().BoolVar(&args.DryRun, "dry-run", false, "stop after the preview")
	rangeFlags(cmd.Flags(), &args.CallRangeArgs)
	return cmd
}
