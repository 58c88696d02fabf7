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
			"--deck picks the calls that a deck prices now or priced then, --prefix those to numbers that begin so. After a price list\n" +
			"that should have been in force since a day ago, import-rates --effective DAY --rerate does both at once.\n\n" +
			"A call that cannot be charged now keeps its figures, and the exit code is 3.",
		Example: "  billd rerate --from 2026-11-01 --dry-run\n  billd rerate --account Northfield --from 2026-11-01 --to 2026-12-01\n" +
			"  billd rerate --deck carrier --from 2026-11-01",
		Args: want(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			args.JSON = a.json
			return a.runOp(cmd, call{op: "rerate", args: args})
		},
	}
	cmd.Flags().BoolVar(&args.DryRun, "dry-run", false, "stop after the preview")
	cmd.Flags().StringVar(&args.Deck, "deck", "", "only calls that this deck prices, or did")
	cmd.Flags().StringVar(&args.Prefix, "prefix", "", "only calls to numbers that begin so")
	rangeFlags(cmd.Flags(), &args.CallRangeArgs)
	return cmd
}
