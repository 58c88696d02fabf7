package deckcsv

import "time"

// Decimal is the mark between units and decimals.
type Decimal uint8

// The decimal marks; SniffDecimal decides by the file's prices.
const (
	SniffDecimal Decimal = iota
	DecimalPoint
	DecimalComma
)

// String returns the word for the preview.
func (d Decimal) String() string {
	return [...]string{"undecided", "point", "comma"}[min(d, DecimalComma)]
}

// DateOrder is how dates such as 03/04/2026 are read. Dates that begin with the year need no order.
type DateOrder uint8

// The orders; SniffDates decides by the file's dates, and rejects those that stay open.
const (
	SniffDates DateOrder = iota
	DayFirst
	MonthFirst
)

// String returns the word for the preview.
func (d DateOrder) String() string {
	return [...]string{"undecided", "day first", "month first"}[min(d, MonthFirst)]
}

// Jurisdiction is which column of a list for the US and Canada is the price: a rate of billd depends on
// the number that is called, not on where the caller is.
type Jurisdiction uint8

// The jurisdictions. A list that has prices by jurisdiction and none without is refused until one is said.
const (
	Unspecified Jurisdiction = iota
	Interstate
	Intrastate
	Indeterminate
	HighestPrice // of all that the row has
)

// DefaultMaxLine is the longest line read, in bytes, unless Options say otherwise.
const DefaultMaxLine = 1 << 20

// Options say what the file itself does not. The zero value lets the file decide everything.
type Options struct {
	// Delimiter is one of , ; tab |, or 0 to find out.
	Delimiter rune
	Decimal   Decimal
	Dates     DateOrder
	// Columns maps headers to the names of fields (see Field) and goes before what billd knows.
	// Headers are compared by their letters and digits. "#2" is the second column; a file whose
	// columns are all named so has no header.
	Columns map[string]string
	// Strip are digits of which the first that a prefix begins with are taken off it: "011" or "9".
	Strip []string
	// Jurisdiction says which price of a list that has them by jurisdiction counts.
	Jurisdiction Jurisdiction
	// Increment is how both steps are charged, as 60/1, where a row does not say; "" is 60/60.
	Increment string
	// Prepend is put before every prefix: "1" for a list of NPANXX without the country code.
	Prepend string
	// Plan is which of a tariff plan's DestinationRates is the list; "" takes the only one.
	Plan string
	// BareUnit is what numbers without a unit count in a tariff plan: s or m. "" rejects rates that have such.
	BareUnit string
	// Location is where dates without a zone are read; nil is UTC.
	Location *time.Location
	// MaxLine bounds a line in bytes; 0 is DefaultMaxLine. Longer lines are rejected.
	MaxLine int
}

// Layout is what was understood of a file, for the preview.
type Layout struct {
	Form       Form
	Encoding   string // UTF-8, UTF-16LE, UTF-16BE, Windows-1252, Windows-1251, XLSX
	Sheet      string // of a workbook
	Plan       string // of a tariff plan
	Delimiter  rune   // 0 in a workbook
	Decimal    Decimal
	Dates      DateOrder
	HeaderLine int // 0: no header
	Columns    []Column
	Currency   string // ISO 4217 where header or prices name one, else ""

	// Holds says what each file of a list in several files holds.
	Holds []string

	// Assumptions are defaults taken where the file says nothing; Warnings are what somebody should
	// look at before the rates are applied. Both may grow until the end of the file.
	Assumptions []string
	Warnings    []string
}

// Column is one column of the file and what it was taken for.
type Column struct {
	Number int    // from 1
	Header string // as printed; "" without a header
	Field  Field
	Extra  string // the name of the Extra, when Field is FieldExtra
	Unit   string // what prices were converted from: "per second", "cents", "minutes"; else ""
}
