package deckcsv

import (
	"time"

	"billd/rating"
)

// Row is one rate of a price list: one prefix and what it costs.
type Row struct {
	Line   int    // the line of the file that it began on, from 1
	Prefix string // digits, without + and 00; as stored, in FormBilld
	Name   string
	Terms  rating.Terms
	From   time.Time // UTC; zero when not given
	Till   time.Time // UTC, the first moment at which the rate no longer holds; zero when not given

	// Blocked says that calls to the prefix are not sold; such a row may have no price.
	Blocked bool
	// Change is what the carrier says happened to the rate. A Deleted row may have no price.
	Change Change
	Type   string // LOCAL, NATIONAL, INTERNATIONAL, MOBILE, or "" when not given

	// Rounding is how the list wants charges rounded; its zero value is that it does not say.
	Rounding rating.Rounding

	// Given holds the fields that the row's own cells filled; the others have their defaults.
	Given Fields
	// Extra holds the fields that have no place above, in the order of the columns, blanks left out.
	Extra []Extra
}

// Extra is a field of a rate that deckcsv carries but does not interpret: weight, uuid, currency.
type Extra struct{ Name, Value string }

// Lookup returns the value of the Extra called name, and "" when the row has none.
func (r *Row) Lookup(name string) string {
	for _, e := range r.Extra {
		if e.Name == name {
			return e.Value
		}
	}
	return ""
}

// Reject is a line, or one prefix of a line, that gives no rate, and why.
type Reject struct {
	Line   int
	Reason string
}

// Change is what a price list says happened to a rate since the list before.
type Change uint8

// The changes; Unsaid is a list without such a column, or a blank cell in it.
const (
	Unsaid Change = iota
	New
	Increase
	Decrease
	Same
	Deleted
)

// String returns the word that FormBilld writes; "" for Unsaid.
func (c Change) String() string {
	return [...]string{"", "new", "increase", "decrease", "same", "deleted"}[min(c, Deleted)]
}

// Form is the kind of file.
type Form uint8

// The forms.
const (
	FormCarrier Form = iota // somebody else's price list
	FormBilld               // billd's own export, format billd/1
	FormPortSIP             // the export of PortSIP's call rates
	FormYeti                // a price list as Yeti imports it; written only, and read as a carrier's
	FormKazoo               // the rows of Kazoo's rate import; written only, and read as a carrier's
	FormCGRateS             // a tariff plan of CGRateS in three files; read only
	FormPlain               // every term of a rate under billd's own names, for people; read as a carrier's
)

// String returns the form's word.
func (f Form) String() string {
	return [...]string{"carrier price list", "billd/1", "portsip call rates", "yeti price list", "kazoo rates", "tariff plan of CGRateS", "plain"}[min(f, FormPlain)]
}
