package deckcsv

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"billd/rating"
	"billd/rating/xlsx"
)

// sheetDelimiter parts the cells of a sheet that is read as text; tabs inside cells become blanks.
const sheetDelimiter = '\t'

// NewBookReader reads a price list that lies in a sheet of a workbook. sheet names it; "" takes the
// only visible sheet that has a prefix column and a price per minute.
//
// Line numbers are row numbers. Delimiter and Decimal of the options do not matter to cells that are
// numbers; a text is read as in a CSV file. Close the BookReader.
//
// Fails as NewReader does, with Invalid if several sheets could be the one, or none, and with NotFound
// if there is no sheet of the name.
func NewBookReader(r io.ReaderAt, size int64, sheet string, o Options) (*BookReader, error) {
	book, err := xlsx.Open(r, size)
	if err != nil {
		return nil, err
	}
	if sheet == "" {
		if sheet, err = chooseSheet(book, o); err != nil {
			return nil, err
		}
	}
	rows, err := book.Rows(sheet)
	if err != nil {
		return nil, err
	}
	b := &BookReader{text: &sheetText{rows: rows, last: lastRow}}
	o.Delimiter = sheetDelimiter
	if b.Reader, err = NewReader(b.text, o); err != nil {
		rows.Close()
		return nil, onSheet(sheet, err)
	}
	b.Reader.layout.Encoding, b.Reader.layout.Sheet, b.Reader.layout.Delimiter = "XLSX", sheet, 0
	b.size = size
	return b, nil
}

// lastRow is past every row of a sheet.
const lastRow = 1 << 30

// BookReader is a Reader of a sheet.
type BookReader struct {
	*Reader
	text *sheetText
	size int64
}

// Read returns how many bytes of the workbook were read, as far as its sheet tells, for a progress bar.
func (b *BookReader) Read() int64 { return b.size / 1000 * b.text.rows.Done() }

// Close ends the reading.
func (b *BookReader) Close() error { return b.text.rows.Close() }

func onSheet(sheet string, err error) error {
	if e, ok := errors.AsType[*rating.Error](err); ok {
		return &rating.Error{Kind: e.Kind, Field: e.Field, Rule: e.Rule, Msg: fmt.Sprintf("sheet %s: %s", sheet, e.Error())}
	}
	return err
}

// chooseSheet returns the only visible sheet whose beginning reads as a price list.
func chooseSheet(book *xlsx.Book, o Options) (string, error) {
	o.Delimiter = sheetDelimiter
	var found, why []string
	for _, s := range book.Sheets() {
		if s.Hidden {
			continue
		}
		rows, err := book.Rows(s.Name)
		if err != nil {
			return "", err
		}
		_, err = NewReader(&sheetText{rows: rows, last: headRows}, o)
		rows.Close()
		switch {
		case err == nil:
			found = append(found, s.Name)
		case rating.KindOf(err) == rating.Internal || rating.KindOf(err) == rating.Limit:
			return "", err
		default:
			why = append(why, onSheet(s.Name, err).Error())
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		if len(why) == 0 {
			return "", rating.Errorf(rating.Invalid, "sheet", "every sheet is hidden: say which to read")
		}
		return "", rating.Errorf(rating.Invalid, "sheet", "no sheet has rates: %s", strings.Join(why, "; "))
	}
	return "", rating.Errorf(rating.Invalid, "sheet", "sheets %s could each be the price list: say which", strings.Join(found, " and "))
}

// sheetText gives the rows of a sheet as lines of text, row n as line n.
type sheetText struct {
	rows *xlsx.Rows
	last int // row after which the text ends
	line int
	buf  []byte // what is not given yet
	err  error
}

// Read gives the next lines.
func (t *sheetText) Read(p []byte) (int, error) {
	for len(t.buf) == 0 {
		if t.err != nil {
			return 0, t.err
		}
		t.fill()
	}
	n := copy(p, t.buf)
	t.buf = t.buf[n:]
	return n, nil
}

// fill puts the next row into buf, behind a blank line for each row that is not there.
func (t *sheetText) fill() {
	number, cells, err := t.rows.Next()
	if err == nil && number > t.last {
		err = io.EOF
	}
	if t.err = err; err != nil {
		return
	}
	t.buf = t.buf[:0]
	for t.line++; t.line < number; t.line++ {
		t.buf = append(t.buf, '\n')
	}
	for i, c := range cells {
		if i > 0 {
			t.buf = append(t.buf, sheetDelimiter)
		}
		t.buf = appendCell(t.buf, c)
	}
	t.buf = append(t.buf, '\n')
}

// appendCell appends a cell in one line; one with a quote is quoted, so that it is read as it stands.
func appendCell(b []byte, cell string) []byte {
	if strings.ContainsAny(cell, "\t\r\n\x00") {
		cell = strings.NewReplacer("\t", " ", "\r\n", " ", "\r", " ", "\n", " ", "\x00", " ").Replace(cell)
	}
	if !strings.Contains(cell, `"`) {
		return append(b, cell...)
	}
	b = append(b, '"')
	b = append(b, strings.ReplaceAll(cell, `"`, `""`)...)
	return append(b, '"')
}
