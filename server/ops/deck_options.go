package ops

import (
	"time"

	"billd/rating/deckcsv"
)

// deckOptions makes the reader's options of the arguments.
func deckOptions(args ImportRatesArgs, zone *time.Location) (deckcsv.Options, error) {
	opts := deckcsv.Options{Columns: args.Columns, Prepend: args.Prepend, Strip: args.Strip, Increment: args.Increment,
		Plan: args.Plan, BareUnit: args.BareUnit, Location: zone}
	switch d := args.Delimiter; {
	case d == "tab" || d == `\t`:
		opts.Delimiter = '\t'
	case len(d) == 1:
		opts.Delimiter = rune(d[0])
	case d != "":
		return opts, badArgument("delimiter", "delimiter %q: want , ; | or tab", d)
	}
	switch args.Decimal {
	case "":
	case "point":
		opts.Decimal = deckcsv.DecimalPoint
	case "comma":
		opts.Decimal = deckcsv.DecimalComma
	default:
		return opts, badArgument("decimal", "decimal %q: want point or comma", args.Decimal)
	}
	switch args.Dates {
	case "":
	case "dmy", "day":
		opts.Dates = deckcsv.DayFirst
	case "mdy", "month":
		opts.Dates = deckcsv.MonthFirst
	default:
		return opts, badArgument("dates", "dates %q: want dmy or mdy, whether day or month comes first", args.Dates)
	}
	switch args.Jurisdiction {
	case "":
	case "inter":
		opts.Jurisdiction = deckcsv.Interstate
	case "intra":
		opts.Jurisdiction = deckcsv.Intrastate
	case "indeterminate":
		opts.Jurisdiction = deckcsv.Indeterminate
	case "highest":
		opts.Jurisdiction = deckcsv.HighestPrice
	default:
		return opts, badArgument("jurisdiction", "jurisdiction %q: want inter, intra, indeterminate or highest", args.Jurisdiction)
	}
	return opts, nil
}
