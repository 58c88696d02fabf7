package ops

import (
	"fmt"
	"io"
	"strings"

	"billd/rating/deckcsv"
	"billd/storage"
)

// RatesReport is what import-rates answers, before it applies and after.
//
// Read = Added + Changed + Same + Rejected, in rows of the file. Removed stands apart: it counts rows
// of the deck that end because the file does not have them.
type RatesReport struct {
	File      string       `json:"file"`
	Deck      string       `json:"deck"`
	DeckID    uint64       `json:"deck_id"` // 0 until a new deck is made
	NewDeck   bool         `json:"new_deck"`
	Currency  string       `json:"currency"`
	Preset    string       `json:"preset"`
	Vendor    uint64       `json:"vendor_account_id,omitempty"`
	Mode      string       `json:"mode"`
	Effective string       `json:"effective"` // RFC 3339, or "always"
	DryRun    bool         `json:"dry_run"`
	Applied   bool         `json:"applied"`
	Layout    LayoutReport `json:"layout"`

	Read     int `json:"read"`
	Added    int `json:"added"`
	Changed  int `json:"changed"`
	Same     int `json:"same"`
	Removed  int `json:"removed"`
	Rejected int `json:"rejected"`

	Impact *ImpactReport `json:"impact,omitempty"` // when it was asked for
	Rerate *RerateReport `json:"rerate,omitempty"` // the same

	Rejects        []RejectedLine `json:"rejects"`
	RejectsOmitted int            `json:"rejects_omitted"`
	Error          string         `json:"error,omitempty"`
}

// RejectedLine is a line that gave no rate, and why.
type RejectedLine struct {
	Line   int    `json:"line"`
	Reason string `json:"reason"`
}

// LayoutReport is what was understood of the file.
type LayoutReport struct {
	Form        string         `json:"form"`
	Encoding    string         `json:"encoding"`
	Sheet       string         `json:"sheet,omitempty"` // of a workbook
	Plan        string         `json:"plan,omitempty"`  // of a tariff plan
	Holds       []string       `json:"holds,omitempty"` // what each file of a tariff plan holds
	Delimiter   string         `json:"delimiter"`
	Decimal     string         `json:"decimal"`
	Dates       string         `json:"dates"`
	HeaderLine  int            `json:"header_line"` // 0: none
	Currency    string         `json:"currency,omitempty"`
	Columns     []ColumnReport `json:"columns"`
	Assumptions []string       `json:"assumptions"`
	Warnings    []string       `json:"warnings"`
}

// ColumnReport is one column and what it was taken for.
type ColumnReport struct {
	Number int    `json:"number"`
	Header string `json:"header"`
	Field  string `json:"field"`
	Unit   string `json:"unit,omitempty"`
}

func describeLayout(l deckcsv.Layout) LayoutReport {
	r := LayoutReport{Form: l.Form.String(), Encoding: l.Encoding, Sheet: l.Sheet, Plan: l.Plan, Holds: l.Holds, Delimiter: delimiterText(l.Delimiter), Decimal: l.Decimal.String(), Dates: l.Dates.String(),
		HeaderLine: l.HeaderLine, Currency: l.Currency, Columns: []ColumnReport{}, Assumptions: append([]string{}, l.Assumptions...), Warnings: append([]string{}, l.Warnings...)}
	for _, c := range l.Columns {
		field := c.Field.String()
		if c.Field == deckcsv.FieldExtra {
			field = c.Extra
		}
		r.Columns = append(r.Columns, ColumnReport{c.Number, c.Header, field, c.Unit})
	}
	return r
}

func (r *RatesReport) warn(format string, args ...any) {
	r.Layout.Warnings = append(r.Layout.Warnings, fmt.Sprintf(format, args...))
}

// count adds what the comparison found to what reading rejected.
func (r *RatesReport) count(c storage.ImportCounts) {
	r.Added, r.Changed, r.Same, r.Removed = c.Added, c.Changed, c.Same, c.Removed
	r.Rejected += c.Rejected
}

// Counts returns the summary as the store keeps it.
func (r *RatesReport) Counts() storage.ImportCounts {
	return storage.ImportCounts{Read: r.Read, Added: r.Added, Changed: r.Changed, Same: r.Same, Removed: r.Removed, Rejected: r.Rejected}
}

func (r *RatesReport) note(err error) {
	if err != nil {
		r.Error = err.Error()
	}
}

// delimiterText returns the delimiter as a text, "" for the cells of a workbook.
func delimiterText(d rune) string {
	if d == 0 {
		return ""
	}
	return string(d)
}

// delimiterNames are how the preview calls a delimiter.
var delimiterNames = map[string]string{",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}

func (r *RatesReport) printPreview(w io.Writer) error {
	l := &r.Layout
	header := "no header"
	if l.HeaderLine > 0 {
		header = fmt.Sprintf("header on line %d", l.HeaderLine)
	}
	parted := "delimiter " + delimiterNames[l.Delimiter]
	if l.Sheet != "" {
		parted = "sheet " + l.Sheet
	}
	if l.Plan != "" {
		fmt.Fprintf(w, "%s: %s, plan %s\n%s\n", r.File, l.Form, l.Plan, strings.Join(l.Holds, "\n"))
		return r.printEffect(w)
	}
	fmt.Fprintf(w, "%s: %s, %s, %s, decimal %s, %s\n", r.File, l.Form, l.Encoding, parted, l.Decimal, header)
	t := NewTable(w, "column", "header", "read as")
	for _, c := range l.Columns {
		field := c.Field
		if c.Unit != "" {
			field += ", from " + c.Unit
		}
		t.Row(c.Number, c.Header, field)
	}
	if err := t.Close(); err != nil {
		return err
	}
	return r.printEffect(w)
}

// printEffect says what was assumed, and what becomes of the deck.
func (r *RatesReport) printEffect(w io.Writer) error {
	for _, a := range r.Layout.Assumptions {
		fmt.Fprintf(w, "assumed: %s\n", a)
	}
	for _, a := range r.Layout.Warnings {
		fmt.Fprintf(w, "warning: %s\n", a)
	}
	deck := "deck " + r.Deck
	if r.NewDeck {
		deck = "new deck " + r.Deck
	}
	if r.Vendor != 0 {
		deck += fmt.Sprintf(" of vendor account %d", r.Vendor)
	}
	fmt.Fprintf(w, "%s, %s, preset %s, mode %s, effective %s\n", deck, r.Currency, r.Preset, r.Mode, r.Effective)
	fmt.Fprintf(w, "read %d: %d added, %d changed, %d same, %d rejected; removed from the deck: %d\n", r.Read, r.Added, r.Changed, r.Same, r.Rejected, r.Removed)
	return r.Impact.print(w)
}

// printRejects lists the rejected lines, the first thousand.
func (r *RatesReport) printRejects(w io.Writer) {
	var b strings.Builder
	shown := r.Rejects[:min(len(r.Rejects), shownRejects)]
	for _, reject := range shown {
		fmt.Fprintf(&b, "%s: line %d: %s\n", r.File, reject.Line, reject.Reason)
	}
	if more := r.Rejected - len(shown); more > 0 {
		fmt.Fprintf(&b, "… %d more\n", more)
	}
	io.WriteString(w, b.String())
}

// outcome says in a line what was done.
func (r *RatesReport) outcome() string {
	switch {
	case r.DryRun:
		return "dry run: nothing was changed"
	case !r.Applied:
		return fmt.Sprintf("deck %s says all of it already: nothing was changed", r.Deck)
	case r.NewDeck && r.Vendor == 0:
		return fmt.Sprintf("applied; deck %s is new: no call is priced by it until a rate plan lists it, see billd rateplan attach", r.Deck)
	}
	return fmt.Sprintf("applied: deck %s has the new prices", r.Deck)
}
