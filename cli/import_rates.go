package cli

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"billd/server/ops"

	"github.com/spf13/cobra"
)

func newImportRates(a *app) *cobra.Command {
	var args ops.ImportRatesArgs
	var columns []string
	var rejects string
	cmd := &cobra.Command{
		Use:   "import-rates FILE",
		Short: "Import a price list into a rate deck",
		Long: "Import a carrier's price list, CSV in whatever form, or billd's own export into a rate deck.\n" +
			"FILE may be - for standard input. A preview says what was understood of the file and what will\n" +
			"change; then all of it takes effect at one moment, or nothing does. A dry run stops at the preview.\n\n" +
			"Mode replace makes the deck the file: rates that the file does not have end. Mode merge touches only\n" +
			"the prefixes in the file. Rates are compared over what is valid from the import's instant on; of a rate\n" +
			"that changes, what the file does not say stays. Nothing that was valid is removed: it ends.\n\n" +
			"read = added + changed + same + rejected. Removed counts rates of the deck that end because the file\n" +
			"does not have them. Rejected lines are listed on standard error, the first thousand, and all of\n" +
			"them go to the file that --rejects names, in the order in which they were found: a rate that contradicts\n" +
			"another line of its prefix comes after what could not be read.\n\n" +
			"Exit codes: 0 all taken, 3 some lines rejected, 1 nothing imported.",
		Example: "  billd import-rates deck.csv\n" +
			"  billd import-rates deck.csv --dry-run --effective 2026-12-01\n" +
			"  billd import-rates carrier.csv --deck carrier --vendor 7 --mode merge\n" +
			"  billd import-rates carrier.csv --deck carrier --rejects rejected.csv\n" +
			"  billd import-rates odd.csv --map 'Dest No=prefix' --map 'Peak=price' --delimiter ';'",
		Args: want("FILE"),
		RunE: func(cmd *cobra.Command, argv []string) error {
			for _, c := range columns {
				at := strings.LastIndexByte(c, '=')
				if at < 1 {
					return usageError(fmt.Errorf("--map %q: want HEADER=FIELD", c))
				}
				if args.Columns == nil {
					args.Columns = map[string]string{}
				}
				args.Columns[c[:at]] = c[at+1:]
			}
			args.JSON = a.json
			if args.RejectsAside = rejects != ""; !args.RejectsAside {
				return a.runOpFrom(cmd, "import-rates", argv[0], func(in ops.Input) any {
					args.Input = in
					return args
				})
			}
			return a.withInput(argv[0], func(in ops.Input, r io.Reader) error {
				args.Input = in
				return toFile(rejects, func(f io.Writer) (bool, error) {
					list := &touched{Writer: f}
					err := a.runOp(cmd, call{op: "import-rates", args: args, in: r, side: list})
					failed := errors.Is(err, exitCode(ops.ExitFailed)) && list.wrote // all lines were rejected
					return err == nil || failed || errors.Is(err, exitCode(ops.ExitPartly)), err
				})
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&args.Deck, "deck", "default", "deck, made if there is none")
	f.StringVar(&args.Mode, "mode", "replace", "replace or merge")
	f.BoolVar(&args.DryRun, "dry-run", false, "stop after the preview")
	f.StringVar(&args.Effective, "effective", "", "when it takes effect, a date or moment (default now)")
	f.StringVar(&args.Currency, "currency", "", "currency of a deck without rates (default the store's)")
	f.StringVar(&args.Preset, "preset", "", "how a deck without rates charges: portsip, yeti or kazoo (default portsip)")
	f.StringVar(&args.Vendor, "vendor", "", "account whose prices these are: makes a vendor deck")
	f.StringVar(&args.Delimiter, "delimiter", "", "column delimiter: , ; | or tab (default found out)")
	f.StringVar(&args.Decimal, "decimal", "", "decimal mark: point or comma (default found out)")
	f.StringVar(&args.Dates, "dates", "", "which comes first in dates: day or month (default found out)")
	f.StringVar(&args.Timezone, "timezone", "", "zone of dates without one (default UTC)")
	f.StringVar(&args.Prepend, "prepend", "", "digits before every prefix, as 1 for a list of NPANXX")
	f.StringVar(&rejects, "rejects", "", "CSV file to write the rejected lines to, with their numbers and reasons")
	f.StringArrayVar(&columns, "map", nil, "what a column is: HEADER=FIELD or #NUMBER=FIELD")
	return cmd
}

// touched is a writer that remembers whether anything was written.
type touched struct {
	io.Writer
	wrote bool
}

func (t *touched) Write(p []byte) (int, error) {
	t.wrote = true
	return t.Writer.Write(p)
}
