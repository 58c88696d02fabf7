package cli

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"billd/server/ops"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func newImportRates(a *app) *cobra.Command {
	var args ops.ImportRatesArgs
	var columns []string
	var rejects string
	cmd := &cobra.Command{
		Use:   "import-rates FILE",
		Short: "Import a price list into a rate deck",
		Long: "Import a carrier's price list, CSV in whatever form or XLSX, or billd's own export into a rate deck.\n" +
			"FILE may be - for standard input, and the folder, a ZIP archive or one file of a CGRateS tariff plan. A preview says what was understood of the file and what will\n" +
			"change; then all of it takes effect at one moment, or nothing does. A dry run stops at the preview.\n\n" +
			"Mode replace makes the deck the file: rates that the file does not have end. Mode merge touches only\n" +
			"the prefixes in the file. Rates are compared over what is valid from the import's instant on; of a rate\n" +
			"that changes, what the file does not say stays. Nothing that was valid is removed: it ends.\n\n" +
			"A list that should have been in force since a day ago: --effective names the day, --rerate charges the calls since\n" +
			"then again. Approved invoices keep their figures, and the difference is posted in the open period.\n\n" +
			"read = added + changed + same + rejected. Removed counts rates of the deck that end because the file\n" +
			"does not have them. Rejected lines are listed on standard error, the first thousand, and all of\n" +
			"them go to the file that --rejects names, in the order in which they were found: a rate that contradicts\n" +
			"another line of its prefix comes after what could not be read.\n\n" +
			"Exit codes: 0 all taken, 3 some lines rejected, 1 nothing imported.",
		Example: "  billd import-rates deck.csv\n" +
			"  billd import-rates corrected.csv --effective 2026-11-01 --rerate --dry-run\n" +
			"  billd import-rates deck.csv --dry-run --effective 2026-12-01\n" +
			"  billd import-rates carrier.csv --deck carrier --vendor 7 --mode merge\n" +
			"  billd import-rates carrier.xlsx --profile carrier --rejects rejected.csv\n" +
			"  billd import-rates /etc/cgrates/tariffplans/retail --plan DR_RETAIL --dry-run\n" +
			"  billd import-rates odd.csv --map 'Dest No=prefix' --map 'Peak=price' --delimiter ';'",
		Args: want("FILE"),
		RunE: func(cmd *cobra.Command, argv []string) (err error) {
			if args.Columns, err = columnMap(columns); err != nil {
				return err
			}
			args.JSON = a.json
			if args.RejectsAside = rejects != ""; !args.RejectsAside {
				return a.withList(argv[0], func(in ops.Input, r io.Reader) error {
					args.Input = in
					return a.runOp(cmd, call{op: "import-rates", args: args, in: r})
				})
			}
			return a.withList(argv[0], func(in ops.Input, r io.Reader) error {
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
	f.StringVar(&args.Profile, "profile", "", "saved profile of the carrier, see billd import-profile")
	f.BoolVar(&args.DryRun, "dry-run", false, "stop after the preview")
	f.StringVar(&args.Impact, "impact", "", "yes or no: what the list would have changed of the last 30 days' calls (default yes in a dry run)")
	f.StringVar(&args.Effective, "effective", "", "when it takes effect, a date or moment (default now)")
	f.BoolVar(&args.Rerate, "rerate", false, "charge the deck's calls since --effective again; with --dry-run, show what that changes")
	f.StringVar(&rejects, "rejects", "", "CSV file to write the rejected lines to, with their numbers and reasons")
	listFlags(f, &args, &columns)
	return cmd
}

// listFlags are the flags that say how a price list is read and where it goes, which a profile keeps.
func listFlags(f *pflag.FlagSet, args *ops.ImportRatesArgs, columns *[]string) {
	f.StringVar(&args.Deck, "deck", "", "deck, made if there is none (default \"default\", or the plan of a tariff plan)")
	f.StringVar(&args.Mode, "mode", "", "replace or merge (default replace)")
	f.StringVar(&args.Currency, "currency", "", "currency of a deck without rates (default the store's)")
	f.StringVar(&args.Preset, "preset", "", "how a deck without rates charges: portsip, yeti or kazoo (default portsip)")
	f.StringVar(&args.Vendor, "vendor", "", "account whose prices these are: makes a vendor deck")
	f.StringVar(&args.Delimiter, "delimiter", "", "column delimiter: , ; | or tab (default found out)")
	f.StringVar(&args.Decimal, "decimal", "", "decimal mark: point or comma (default found out)")
	f.StringVar(&args.Dates, "dates", "", "order of dates such as 03/04/2026: dmy or mdy (default found out)")
	f.StringVar(&args.Timezone, "timezone", "", "zone of dates without one (default UTC)")
	f.StringVar(&args.Prepend, "prepend", "", "digits before every prefix, as 1 for a list of NPANXX")
	f.StringSliceVar(&args.Strip, "strip", nil, "digits taken off the front of prefixes, as 011")
	f.StringVar(&args.Sheet, "sheet", "", "sheet of a workbook (default the only one with rates)")
	f.StringVar(&args.Jurisdiction, "jurisdiction", "", "price that counts of a US list: inter, intra, indeterminate or highest")
	f.StringVar(&args.Increment, "increment", "", "intervals of rates that do not say, as 60/1 (default 60/60)")
	f.StringVar(&args.Plan, "plan", "", "which list of a CGRateS tariff plan, an id of its DestinationRates (default the only one)")
	f.StringVar(&args.BareUnit, "bare-unit", "", "what times without a unit count in a tariff plan: s or m (default such rates are rejected)")
	f.StringArrayVar(columns, "map", nil, "what a column is: HEADER=FIELD or #NUMBER=FIELD")
}

// columnMap reads the values of --map; none is nil.
func columnMap(values []string) (map[string]string, error) {
	var columns map[string]string
	for _, c := range values {
		at := strings.LastIndexByte(c, '=')
		if at < 1 {
			return nil, usageError(fmt.Errorf("--map %q: want HEADER=FIELD", c))
		}
		if columns == nil {
			columns = map[string]string{}
		}
		columns[c[:at]] = c[at+1:]
	}
	return columns, nil
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
