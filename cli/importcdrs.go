package cli

import (
	"billd/server/ops"

	"github.com/spf13/cobra"
)

func newImportCDRs(a *app) *cobra.Command {
	var args ops.ImportCDRsArgs
	cmd := &cobra.Command{
		Use:   "import-cdrs FILE|-",
		Short: "Charge the calls of a file",
		Long: "Charge the calls of a CSV file with a header, or of JSON: objects one a line, or in an array. Columns have the\n" +
			"names of CDR fields (time_start, duration, dst_prefix_routing …) or src, dst, call_id, source, account.\n\n" +
			"A record that cannot be charged waits in `billd suspense`, and the exit code is 3. A call that is already there\n" +
			"is a duplicate and changes nothing, so that an interrupted import can be run again.\n\n" +
			"--rated takes another system's history: prices stay as they are and no balance moves. billd's own exports are\n" +
			"known by themselves: into an empty store they come back exactly, into another one as history.",
		Example: "  billd import-cdrs calls.csv\n  zcat calls.json.gz | billd import-cdrs -\n  billd import-cdrs --rated history.csv",
		Args:    want("FILE"),
		RunE: func(cmd *cobra.Command, argv []string) error {
			return a.runOpFrom(cmd, "import-cdrs", argv[0], func(in ops.Input) any {
				args.Input, args.JSON = in, a.json
				return args
			})
		},
	}
	cmd.Flags().StringVar(&args.Format, "format", "auto", "auto, csv or json")
	cmd.Flags().BoolVar(&args.Rated, "rated", false, "history: keep prices, move no balance")
	return cmd
}
