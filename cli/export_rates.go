package cli

import (
	"billd/server/ops"

	"github.com/spf13/cobra"
)

func newExportRates(a *app) *cobra.Command {
	var args ops.ExportRatesArgs
	cmd := &cobra.Command{
		Use:   "export-rates",
		Short: "Write a rate deck to standard output",
		Long: "Write every rate of a deck with all its fields, those that have ended and those to come too, in\n" +
			"order of the prefixes. import-rates reads it back: into a deck without rates it makes the same deck.",
		Example: "  billd export-rates > deck.csv\n  billd export-rates --deck carrier --format json > carrier.json",
		Args:    want(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if a.json && !cmd.Flags().Changed("format") {
				args.Format = "json"
			}
			return a.runOp(cmd, call{op: "export-rates", args: args})
		},
	}
	cmd.Flags().StringVar(&args.Deck, "deck", "default", "deck")
	cmd.Flags().StringVar(&args.Format, "format", "csv", "csv or json")
	return cmd
}
