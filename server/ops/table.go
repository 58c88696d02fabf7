package ops

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// Table is rows of text in aligned columns, under a header.
type Table struct {
	w *tabwriter.Writer
}

// NewTable starts a table on w with the names of its columns.
func NewTable(w io.Writer, columns ...string) *Table {
	t := &Table{w: tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)}
	header := make([]any, len(columns))
	for i, c := range columns {
		header[i] = strings.ToUpper(c)
	}
	t.Row(header...)
	return t
}

// cellText keeps a cell from opening columns or lines of its own.
var cellText = strings.NewReplacer("\t", " ", "\n", " ", "\r", " ", "\v", " ", "\f", " ", "\x1b", " ")

// Row adds one row; each cell is printed as fmt.Sprint prints it.
func (t *Table) Row(cells ...any) {
	texts := make([]string, len(cells))
	for i, c := range cells {
		texts[i] = cellText.Replace(fmt.Sprint(c))
	}
	fmt.Fprintln(t.w, strings.Join(texts, "\t"))
}

// Close writes the table; it fails as the writer below fails.
func (t *Table) Close() error { return t.w.Flush() }

// Print writes v to w as indented JSON, or else lets table draw it.
func Print(w io.Writer, asJSON bool, v any, table func(io.Writer) error) error {
	if !asJSON {
		return table(w)
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
