package ops

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"billd/rating"
)

// formatBilld marks billd's own exports, in every record.
const formatBilld = "billd/1"

// Limits of an import of accounts or invoices, which is one transaction.
const (
	maxImportRecords = 200_000
	maxImportRecord  = 32 << 20 // bytes; an invoice carries its document
)

// text is a scalar of a record, whether the file writes it as a string, a number or a boolean. "" is
// null. Numbers keep their digits.
type text string

// UnmarshalJSON takes any scalar.
func (t *text) UnmarshalJSON(b []byte) error {
	switch {
	case len(b) > 0 && b[0] == '"':
		var s string
		err := json.Unmarshal(b, &s)
		*t = text(s)
		return err
	case len(b) > 0 && (b[0] == '{' || b[0] == '['):
		return errors.New("want one value")
	case string(b) == "null":
		*t = ""
	default:
		*t = text(b)
	}
	return nil
}

// fields is one record of a file, by its columns' names.
type fields map[string]json.RawMessage

// text returns a scalar.
func (f fields) text(name string) (string, error) {
	raw, ok := f[name]
	if !ok {
		return "", nil
	}
	var t text
	if err := t.UnmarshalJSON(raw); err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	return string(t), nil
}

// eachRecord calls fn with each record of a file and its line, or of an array its place: CSV with a
// header, JSON objects one after another, in an array, or in an array under a name.
func eachRecord(in io.Reader, format, under string, fn func(line int, f fields) error) error {
	r := bufio.NewReaderSize(in, 64<<10)
	if mark, _ := r.Peek(3); bytes.Equal(mark, []byte("\xef\xbb\xbf")) {
		r.Discard(3)
	}
	first := byte(0)
	for n := 1; first == 0; n++ {
		b, err := r.Peek(n)
		if err == io.EOF {
			return rating.Broken("file", "required", "", "the file is empty")
		} else if err != nil {
			return err
		}
		if c := b[n-1]; c != ' ' && c != '\t' && c != '\r' && c != '\n' {
			first = c
		}
	}
	switch format {
	case "", "auto", "csv", "json":
	default:
		return Usagef("format %q: want auto, csv or json", format)
	}
	if isJSON := first == '{' || first == '['; format == "json" || format != "csv" && isJSON {
		return eachJSON(r, under, fn)
	}
	return eachCSV(r, fn)
}

func eachJSON(r io.Reader, under string, fn func(int, fields) error) error {
	d := json.NewDecoder(r)
	n := 0
	one := func(raw json.RawMessage) error {
		if n++; n > maxImportRecords {
			return rating.Broken("file", "maximum", "", "more than %d records in one file", maxImportRecords)
		}
		var f fields
		if len(raw) > maxImportRecord || json.Unmarshal(raw, &f) != nil {
			f = nil
		}
		return fn(n, f)
	}
	for {
		var raw json.RawMessage
		if err := d.Decode(&raw); err == io.EOF {
			return nil
		} else if err != nil {
			return rating.Broken("file", "json", "", "after record %d: the file is not JSON from there on", n)
		}
		list := raw
		if raw[0] == '{' {
			var f fields
			if json.Unmarshal(raw, &f) == nil && len(f[under]) > 0 && f[under][0] == '[' {
				list = f[under]
			}
		}
		if list[0] != '[' {
			if err := one(raw); err != nil {
				return err
			}
			continue
		}
		var elements []json.RawMessage
		if err := json.Unmarshal(list, &elements); err != nil {
			return err
		}
		for _, e := range elements {
			if err := one(e); err != nil {
				return err
			}
		}
	}
}

func eachCSV(r *bufio.Reader, fn func(int, fields) error) error {
	line, err := r.Peek(4096)
	if err != nil && err != io.EOF {
		return err
	}
	head, _, _ := bytes.Cut(line, []byte("\n"))
	c := csv.NewReader(r)
	for _, comma := range ";\t" {
		if bytes.Count(head, []byte(string(comma))) > bytes.Count(head, []byte{byte(c.Comma)}) {
			c.Comma = comma
		}
	}
	names, err := c.Read()
	if err != nil {
		return csvError(err)
	}
	for i, name := range names {
		names[i] = strings.ReplaceAll(strings.ToLower(strings.TrimSpace(name)), " ", "_")
	}
	for n := 1; ; n++ {
		row, err := c.Read()
		if err == io.EOF {
			return nil
		} else if err != nil {
			return csvError(err)
		}
		if n > maxImportRecords {
			return rating.Broken("file", "maximum", "", "more than %d records in one file", maxImportRecords)
		}
		at, _ := c.FieldPos(0)
		f := fields{}
		for i, cell := range row {
			if cell == "" {
				continue
			}
			if cell[0] == '[' && json.Valid([]byte(cell)) || cell[0] == '{' && json.Valid([]byte(cell)) {
				f[names[i]] = json.RawMessage(cell)
				continue
			}
			if f[names[i]], err = json.Marshal(cell); err != nil {
				return err
			}
		}
		if err := fn(at, f); err != nil {
			return err
		}
	}
}

func csvError(err error) error {
	var p *csv.ParseError
	if errors.As(err, &p) {
		return rating.Broken("file", "csv", "", "line %d: %s", p.Line, strings.ToLower(p.Err.Error()))
	}
	return err
}

// recordWriter writes records as an export: JSON objects one a line, or CSV with a header.
type recordWriter struct {
	w     *bufio.Writer
	csv   *csv.Writer // nil for JSON
	names []string
}

func newRecordWriter(w io.Writer, format string, names []string) (*recordWriter, error) {
	r := &recordWriter{w: bufio.NewWriterSize(w, 64<<10), names: names}
	switch format {
	case "json":
		return r, nil
	case "", "csv":
		r.csv = csv.NewWriter(r.w)
		return r, r.csv.Write(names)
	}
	return nil, Usagef("format %q: want csv or json", format)
}

// write writes one record: values by name; a json.RawMessage stands as it is, "" is left out.
func (r *recordWriter) write(values map[string]any) error {
	if r.csv != nil {
		row := make([]string, len(r.names))
		for i, name := range r.names {
			switch v := values[name].(type) {
			case string:
				row[i] = v
			case json.RawMessage:
				row[i] = string(v)
			}
		}
		return r.csv.Write(row)
	}
	r.w.WriteByte('{')
	comma := ""
	for _, name := range r.names {
		v, err := json.Marshal(values[name])
		if err != nil {
			return err
		}
		if s := string(v); s == `""` || s == "null" {
			continue
		}
		fmt.Fprintf(r.w, "%s%q:%s", comma, name, v)
		comma = ","
	}
	_, err := r.w.WriteString("}\n")
	return err
}

func (r *recordWriter) end() error {
	if r.csv != nil {
		r.csv.Flush()
		if err := r.csv.Error(); err != nil {
			return err
		}
	}
	return r.w.Flush()
}

// ImportReport is what import-accounts and import-invoices print. Read is the sum of the next three.
type ImportReport struct {
	Read     int              `json:"read"`
	Added    int              `json:"added"`
	Same     int              `json:"same"`
	Rejected int              `json:"rejected"`
	Errors   []ImportRejected `json:"errors,omitempty"`
}

// ImportRejected is one record that was not taken.
type ImportRejected struct {
	Line   int    `json:"line"`
	Reason string `json:"reason"`
}

func (r *ImportReport) reject(line int, err error) {
	r.Rejected++
	r.Errors = append(r.Errors, ImportRejected{line, err.Error()})
}

// print prints the report and returns the exit code.
func (r *ImportReport) print(o *IO, file string, asJSON bool) (int, error) {
	for i, e := range r.Errors {
		if i == shownRejected {
			fmt.Fprintf(o.Err, "%s: and %d more, --json lists them all\n", file, len(r.Errors)-i)
			break
		}
		fmt.Fprintf(o.Err, "%s: line %d: %s\n", file, e.Line, e.Reason)
	}
	err := Print(o.Out, asJSON, r, func(w io.Writer) error {
		t := NewTable(w, "read", "added", "same", "rejected")
		t.Row(r.Read, r.Added, r.Same, r.Rejected)
		return t.Close()
	})
	if err == nil && r.Rejected > 0 {
		return ExitPartly, nil
	}
	return ExitOK, err
}

// ImportArgs are `billd import-accounts FILE` and `billd import-invoices FILE`.
type ImportArgs struct {
	Input  Input  `json:"input"`
	Format string `json:"format,omitempty"` // auto, csv, json
	JSON   bool   `json:"json,omitempty"`
}

// ExportArgs are `billd export-accounts` and `billd export-invoices`.
type ExportArgs struct {
	Format string `json:"format,omitempty"` // csv when empty, or json
}
