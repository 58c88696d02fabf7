package cli

import (
	"fmt"
	"strings"

	"billd/rating/cdrformat"
	"billd/server/ops"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func newImportCDRs(a *app) *cobra.Command {
	var args ops.ImportCDRsArgs
	cmd := &cobra.Command{
		Use:   "import-cdrs FILE|-",
		Short: "Charge the calls of a file",
		Long: "Charge the calls of a switch's file, of a CSV file with a header, or of JSON: objects one a line, or in an array.\n" +
			"Columns of CSV and JSON have the names of CDR fields (time_start, duration, dst_prefix_routing …) or src, dst, call_id,\n" +
			"source, account; --map and --columns say what those of any other file are.\n\nFormats:\n" + formatLines() + "\n" +
			"Stamps without a zone are UTC unless --zone says where the switch stands. Dates with the day or the month first are\n" +
			"refused unless --dates says which.\n\n" +
			"A record that cannot be charged waits in `billd suspense`, and the exit code is 3. A call that is already there\n" +
			"is a duplicate and changes nothing, so that an interrupted import can be run again.\n\n" +
			"--rated takes another system's history: prices stay as they are and no balance moves. billd's own exports are\n" +
			"known by themselves: into an empty store they come back exactly, into another one as history.",
		Example: "  billd import-cdrs calls.csv --dry-run\n  billd import-cdrs calls.csv\n  zcat calls.json.gz | billd import-cdrs -\n  billd import-cdrs --rated history.csv\n" +
			"  billd import-cdrs --format asterisk-csv --zone Europe/Berlin Master.csv\n" +
			"  billd import-cdrs --map 'When=time_start,From=src,To=dst,Secs=duration' calls.csv",
		Args: want("FILE"),
		RunE: func(cmd *cobra.Command, argv []string) error {
			return a.runOpFrom(cmd, "import-cdrs", argv[0], func(in ops.Input) any {
				args.Input, args.JSON = in, a.json
				return args
			})
		},
	}
	fileFlags(cmd.Flags(), &args)
	cmd.Flags().BoolVar(&args.DryRun, "dry-run", false, "say what would be charged to whom, and charge nothing")
	cmd.Flags().StringVar(&args.NAS, "nas", "", "of a detail file: the NAS that sent its packets (default the one with their address)")
	cmd.Flags().BoolVar(&args.Rated, "rated", false, "history: keep prices, move no balance")
	return cmd
}

// fileFlags say how a file of calls is written.
func fileFlags(flags *pflag.FlagSet, args *ops.ImportCDRsArgs) {
	flags.StringVar(&args.Format, "format", "", "how the file is written, see above (default the source's, else auto)")
	flags.StringVar(&args.Source, "source", "", "the source of records that name none, by whose profile they are read (default the format's switch)")
	flags.StringVar(&args.Zone, "zone", "", "time zone of stamps that carry none, such as Europe/Berlin (default the source's, else UTC)")
	flags.StringVar(&args.Dates, "dates", "", "order of dates that do not begin with the year: dmy or mdy")
	flags.StringVar(&args.Legs, "legs", "", "FreeSWITCH's legs to charge: a, b or ab (default a)")
	flags.StringSliceVar(&args.Columns, "columns", nil, "columns of a file without a header, - for one to pass over")
	flags.StringToStringVar(&args.Map, "map", nil, "a file's column=billd's column, or =- to pass it over")
}

// formatLines lists the formats of call records, one a line.
func formatLines() string {
	var b strings.Builder
	for _, f := range cdrformat.Formats() {
		fmt.Fprintf(&b, "  %-26s %s\n", f.Name, f.What)
	}
	fmt.Fprintf(&b, "  %-26s %s\n", cdrformat.RadiusDetail, "FreeRADIUS' detail files: their calls go the way of packets, see --nas")
	return b.String()
}
