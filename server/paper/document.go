package paper

import "time"

// Document is what is drawn, in the order of the page.
type Document struct {
	Title    string // in large letters: "Invoice"
	Name     string // what the file calls itself, and the foot of each page: "Invoice 12"
	Mark     string // over the title, in the colour of warnings: "Draft"; empty for none
	At       time.Time
	Seller   Party
	Buyer    Party
	BuyerIs  string // the heading of the buyer: "Bill to"
	Facts    []Fact // beside the buyer
	Summary  *Table // before the sum
	Due      Fact   // the sum, in a box of its own
	Notes    []string
	Sections []Table // the breakdown, on pages after the first
}

// Party is a company with its address.
type Party struct {
	Name  string
	Lines []string
}

// Fact is a label and what it says.
type Fact struct{ Label, Value string }

// Table has a heading, columns and rows. A row has as many cells as there are columns.
type Table struct {
	Title   string
	Columns []Column
	Rows    [][]string
	Sums    [][]string // rows at the end, in bold
}

// Column is a table's column. Widths are shares of the page.
type Column struct {
	Name  string
	Width float64
	Right bool // figures are aligned on their right
}
