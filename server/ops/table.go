package ops

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
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

// deleted says that a record is gone: by its name in JSON, else in a sentence.
func (o *IO) deleted(asJSON bool, noun, name string) error {
	return Print(o.Out, asJSON, map[string]string{"deleted": name}, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "%s %s is deleted\n", noun, name)
		return err
	})
}

// listedAtOnce is how many records one View reads for a list of the command line.
const listedAtOnce = 1000

// listAll reads a list by number, page after page: list returns at most n records from a number on.
func listAll[T any](id func(*T) string, list func(from uint64, n int) ([]T, error)) ([]T, error) {
	all := []T{}
	for from := uint64(1); ; {
		items, err := list(from, listedAtOnce)
		if err != nil {
			return nil, err
		}
		if all = append(all, items...); len(items) < listedAtOnce {
			return all, nil
		}
		last, err := strconv.ParseUint(id(&items[len(items)-1]), 10, 64)
		if err != nil {
			return nil, err
		}
		from = last + 1
	}
}
