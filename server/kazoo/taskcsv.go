package kazoo

import (
	"bytes"
	"encoding/csv"
	"io"
	"slices"
	"strings"
)

// check reads a task's rows through and counts them. Fails with 400 when they are no CSV, or their
// header lacks a column or has one that means nothing.
func (k *taskKind) check(input []byte) (rows int64, err error) {
	header, next, err := readSheetCSV(input)
	if err != nil {
		return 0, err
	}
	var missing, unknown []string
	for _, name := range k.mandatory {
		if !slices.Contains(header, name) {
			missing = append(missing, name)
		}
	}
	for _, name := range header {
		if !slices.Contains(k.mandatory, name) && !slices.Contains(k.optional, name) {
			unknown = append(unknown, clip(name))
		}
	}
	if len(missing) > 0 {
		return 0, invalid("csv", "required", "Columns are missing: "+strings.Join(missing, ", "), "target", k.mandatory)
	}
	if len(unknown) > 0 {
		return 0, invalid("csv", "additionalProperties", "Columns are not known: "+strings.Join(unknown, ", "), "target", k.optional)
	}
	for {
		_, err := next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return 0, err
		}
		if rows++; rows > maxUploadRows {
			return 0, invalid("csv", "maximum", "too many rows", "target", maxUploadRows)
		}
	}
	if rows == 0 {
		return 0, invalid("csv", "format", "Empty CSV or some row(s) longer than others or header missing")
	}
	return rows, nil
}

// readSheetCSV reads a CSV with a header; next returns row after row, io.EOF after the last.
func readSheetCSV(input []byte) (header []string, next func() ([]string, error), err error) {
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(input, []byte("\ufeff"))))
	r.TrimLeadingSpace = true
	bad := func(err error) error {
		if err == nil || err == io.EOF {
			return err
		}
		return invalid("csv", "format", "Malformed CSV: "+err.Error())
	}
	header, err = r.Read()
	if err == io.EOF {
		return nil, nil, invalid("csv", "format", "Empty CSV or some row(s) longer than others or header missing")
	}
	for i := range header {
		header[i] = strings.TrimSpace(header[i])
	}
	return header, func() ([]string, error) {
		row, err := r.Read()
		return row, bad(err)
	}, bad(err)
}

// recordsCSV writes records that came as JSON as CSV. Lists are joined by semicolons.
func recordsCSV(v any) ([]byte, error) {
	records, ok := v.([]any)
	if !ok && v != nil {
		return nil, invalid("records", "type", "Value did not match type array", "target", "array")
	}
	var header []string
	for _, v := range records {
		doc, ok := v.(document)
		if !ok {
			return nil, invalid("records", "type", "Value did not match type object", "target", "object")
		}
		for key := range doc {
			if !slices.Contains(header, key) {
				header = append(header, key)
			}
		}
		if len(header) > maxColumns {
			return nil, invalid("records", "maxProperties", "Too many fields", "target", maxColumns)
		}
	}
	slices.Sort(header)
	t := newSheet(header...)
	for _, v := range records {
		cells := make([]string, len(header))
		for i, key := range header {
			cells[i] = cell(v.(document)[key])
		}
		t.w.Write(cells)
	}
	t.w.Flush()
	return t.b.Bytes(), nil
}

// maxColumns bounds how many fields records may have.
const maxColumns = 100

// cell writes a value of a record.
func cell(v any) string {
	if s, ok := plain(v); ok {
		return s
	}
	list, _ := v.([]any)
	var words []string
	for _, e := range list {
		if s, ok := plain(e); ok {
			words = append(words, s)
		}
	}
	return strings.Join(words, ";")
}
