package cli

import (
	"billd/server/ops"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func newExportCDRs(a *app) *cobra.Command {
	var args ops.ExportCDRsArgs
	cmd := &cobra.Command{
		Use:   "export-cdrs",
		Short: "Write calls to standard output",
		Long: "Write calls with all their fields, numbers, UUIDs and prices, in order of their starts. import-cdrs reads them\n" +
			"back: exactly into an empty store that has the accounts (export-accounts), as history into another one.",
		Example: "  billd export-cdrs > cdrs.csv\n  billd export-cdrs --account Northfield --from 2026-11-01 --to 2026-12-01 --format json",
		Args:    want(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			args.Format = a.exportFormat(cmd, args.Format)
			return a.runOp(cmd, call{op: "export-cdrs", args: args})
		},
	}
	cmd.Flags().StringVar(&args.Format, "format", "csv", "csv or json")
	rangeFlags(cmd.Flags(), &args.CallRangeArgs)
	return cmd
}

// rangeFlags adds the flags that pick calls.
func rangeFlags(f *pflag.FlagSet, args *ops.CallRangeArgs) {
	f.StringVar(&args.Account, "account", "", "only this account's: number, UUID or name")
	f.StringVar(&args.From, "from", "", "calls that start at or after it: a date or an instant, UTC")
	f.StringVar(&args.To, "to", "", "calls that start before it")
}

// exportFormat lets --json stand for --format json.
func (a *app) exportFormat(cmd *cobra.Command, format string) string {
	if a.json && !cmd.Flags().Changed("format") {
		return "json"
	}
	return format
}
