// Package deckcsv reads carriers' price lists, CSV and XLSX, and writes rate decks as CSV.
//
// A carrier sends whatever its spreadsheet makes: any delimiter, a decimal comma, title rows above
// the header, headers in its own words or none, a prefix written as +44, as a list or as a range,
// increments as 60/1. NewReader looks at the beginning of the file, decides what each column is, and
// says so in a Layout, which is the preview; Next then gives one Row or one Reject, each with its
// line number, until io.EOF. Nothing is guessed silently: what the file leaves open is an assumption
// or a warning in the Layout, and a cell that can be read in two ways is a Reject that says so.
//
// # Counting
//
// Every call of Next that does not end the file gives either a Row or a Reject, and
// rows read = rows accepted + rows rejected. Blank lines, and the title and header lines above the
// first rate, are not read, nor are lines with a single cell of words, such as a note below the rates,
// which the Layout names. A line that holds a list or a range of prefixes counts once for each of the
// fewest prefixes that say the same.
//
// # Forms
//
// FormBilld is billd's own export: a column format that says billd/1 in every row, every field of a
// rate, prefixes as they are stored; what was written comes back exactly. FormPortSIP is the twelve
// fields of a PortSIP call rate without the id. FormCGRateS is a tariff plan. Everything else is FormCarrier.
//
// # Example
//
//	rd, err := deckcsv.NewReader(file, deckcsv.Options{})
//	if err != nil {
//		return err // "no prefix column; headers seen: ISO, Country, Price / msg"
//	}
//	for {
//		row, reject, err := rd.Next()
//		if err == io.EOF {
//			break
//		}
//		if err != nil {
//			return err
//		}
//		if reject != nil {
//			fmt.Printf("line %d: %s\n", reject.Line, reject.Reason)
//			continue
//		}
//		fmt.Println(row.Prefix, row.Terms.First.Price)
//	}
//
// NewBookReader does the same for a sheet of a workbook, whose rows are its lines.
//
// PlanFrom does for an archive of a CGRateS tariff plan, whose lists lie in three files: Destinations, Rates
// and DestinationRates, which joins the two.
//
// The package imports rating, rating/xlsx, the standard library, and golang.org/x/text/encoding for the UTF-16
// and Windows code pages that spreadsheets save.
package deckcsv
