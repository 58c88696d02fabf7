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
			"order of the prefixes. import-rates reads it back: into a deck without rates it makes the same deck.\n\n" +
			"Formats yeti, kazoo and portsip are for those systems, plain is for people; import-rates reads them too. They\n" +
			"have no place for all that a rate may say, such as a least cost: a rate that they cannot say in full is left\n" +
			"out and named on standard error, and the exit code is 3. Kazoo and PortSIP know no dates: they get the\n" +
			"rates that are in force now.",
		Example: "  billd export-rates > deck.csv\n  billd export-rates --deck carrier --format json > carrier.json\n  billd export-rates --deck carrier --format yeti > carrier.csv",
		Args:    want(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if a.json && !cmd.Flags().Changed("format") {
				args.Format = "json"
			}
			return a.runOp(cmd, call{op: "export-rates", args: args})
		},
	}
	cmd.Flags().StringVar(&args.Deck, "deck", "default", "deck")
	cmd.Flags().StringVar(&args.Format, "format", "csv", "csv, json, yeti, kazoo, portsip or plain")
	return cmd
}
