package deckcsv

import (
	"bufio"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"billd/rating"
)

// Writer writes rates as CSV: UTF-8, commas, decimal points, a header.
type Writer struct {
	w      *bufio.Writer
	form   Form
	extras []string
	buf    []byte
}

// NewWriter begins a file of the form with its header.
//
// FormBilld has a column for each field of Row but Line and Given, for each of BilldExtras, and for
// those in extras. The others have the columns of who reads them and take no extras; Form.Unsaid tells what they
// have no words for.
// Fails with Unsupported for FormCarrier, Invalid for an extra named as a field, and with what w fails with.
func NewWriter(w io.Writer, form Form, extras ...string) (*Writer, error) {
	out := &Writer{w: bufio.NewWriterSize(w, 64<<10), form: form}
	var names []string
	switch form {
	case FormBilld:
		out.extras = slices.Clone(BilldExtras)
		for _, e := range extras {
			if f, ok := fieldNamed(e); e == "" || ok && slices.Contains(billdColumns, f) {
				return nil, rating.Errorf(rating.Invalid, "extras", "extra %q: the name of another column", e)
			}
			if !slices.Contains(out.extras, e) {
				out.extras = append(out.extras, e)
			}
		}
		for _, f := range billdColumns {
			names = append(names, f.String())
		}
		names = append(names, out.extras...)
	case FormPortSIP:
		names = portSIPColumns
	case FormYeti, FormKazoo, FormPlain:
		for _, c := range styles[form] {
			names = append(names, c.header)
		}
	default:
		return nil, rating.Errorf(rating.Unsupported, "form", "form %s is read only", form)
	}
	for _, n := range names {
		out.text(n)
	}
	return out, out.line()
}

// Write appends one rate. Every figure of its Terms is written, whatever Given says; zero times,
// empty texts and absent extras are blank.
//
// Fails with Invalid, and writes nothing, if row has an Extra that the file has no column for; with what the underlying writer fails with.
func (w *Writer) Write(row *Row) error {
	if w.form == FormPortSIP {
		return w.portSIP(row)
	}
	if columns := styles[w.form]; columns != nil {
		for _, c := range columns {
			w.text(c.text(row))
		}
		return w.line()
	}
	for _, e := range row.Extra {
		if !slices.Contains(w.extras, e.Name) {
			return rating.Errorf(rating.Invalid, e.Name, "rate %s: no column for %s", row.Prefix, e.Name)
		}
	}
	t := &row.Terms
	w.text(formatBilld)
	w.text(row.Prefix)
	w.text(row.Name)
	w.buf = append(t.First.Price.Append(w.buf), ',')
	w.buf = append(t.Next.Price.Append(w.buf), ',')
	w.buf = append(t.ConnectFee.Append(w.buf), ',')
	w.number(t.First.Seconds)
	w.number(t.Next.Seconds)
	w.number(t.FreeSeconds)
	w.number(t.Grace)
	w.buf = append(t.Surcharge.Append(w.buf), ',')
	w.buf = append(t.MinCost.Append(w.buf), ',')
	w.buf = append(t.MaxCost.Append(w.buf), ',')
	w.time(row.From)
	w.time(row.Till)
	w.buf = append(strconv.AppendBool(w.buf, row.Blocked), ',')
	w.text(row.Change.String())
	w.text(row.Type)
	for _, name := range w.extras {
		w.text(row.Lookup(name))
	}
	return w.line()
}

// portSIP writes a call rate. PortSIP shows money with 5 decimals, rounded half away from zero.
func (w *Writer) portSIP(row *Row) error {
	t := &row.Terms
	kind := row.Type
	if kind == "" {
		kind = "INTERNATIONAL"
	}
	w.text(row.Prefix)
	w.text(kind)
	w.number(t.FreeSeconds)
	w.number(t.Grace)
	w.number(t.First.Seconds)
	w.number(t.Next.Seconds)
	w.text(t.ConnectFee.Round(5).Number())
	w.text(t.Surcharge.Round(5).Number())
	w.text(t.First.Price.Round(5).Number())
	w.text(t.Next.Price.Round(5).Number())
	w.text(row.Name)
	return w.line()
}

// Flush writes what is buffered. Call it at the end.
func (w *Writer) Flush() error { return w.w.Flush() }

// text appends a cell, in quotes where it must be to be read back as it is.
func (w *Writer) text(s string) {
	if !strings.ContainsAny(s, ",\"\r\n") && (s == "" || (s[0] > ' ' && s[len(s)-1] > ' ')) {
		w.buf = append(append(w.buf, s...), ',')
		return
	}
	w.buf = append(w.buf, '"')
	w.buf = append(w.buf, strings.ReplaceAll(s, `"`, `""`)...)
	w.buf = append(w.buf, '"', ',')
}

func (w *Writer) number(n uint32) { w.buf = append(strconv.AppendUint(w.buf, uint64(n), 10), ',') }

func (w *Writer) time(t time.Time) {
	if !t.IsZero() {
		w.buf = t.UTC().AppendFormat(w.buf, time.RFC3339Nano)
	}
	w.buf = append(w.buf, ',')
}

// line ends the row: the last comma becomes the line end.
func (w *Writer) line() error {
	w.buf[len(w.buf)-1] = '\n'
	_, err := w.w.Write(w.buf)
	w.buf = w.buf[:0]
	return err
}
