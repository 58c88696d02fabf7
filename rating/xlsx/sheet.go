package xlsx

import (
	"errors"
	"io"
	"strconv"
	"strings"

	"billd/rating"
)

// Rows reads the rows of one sheet.
type Rows struct {
	book  *Book
	in    *partReader
	s     *scanner
	size  int64 // unpacked, as the archive claims
	row   int
	cells []string
	ended bool
}

// Rows begins to read a sheet. Close the Rows.
// Fails with NotFound if there is no sheet of the name, else as Open does.
func (b *Book) Rows(sheet string) (*Rows, error) {
	for _, s := range b.sheets {
		if s.Name != sheet {
			continue
		}
		if err := b.loadTexts(); err != nil {
			return nil, err
		}
		in, err := openPart(b.parts[s.part], maxSheetPart)
		if err != nil {
			return nil, err
		}
		r := &Rows{book: b, in: in, size: int64(b.parts[s.part].UncompressedSize64)}
		if r.s, err = newScanner(in); err == nil {
			err = r.begin()
		}
		if err != nil {
			in.Close()
			return nil, partError(s.part, err)
		}
		return r, nil
	}
	var names []string
	for _, s := range b.sheets {
		names = append(names, s.Name)
	}
	return nil, rating.Errorf(rating.NotFound, "sheet", "no sheet %q; the workbook has %s", sheet, strings.Join(names, ", "))
}

// begin goes to the first row.
func (r *Rows) begin() error {
	for {
		if err := r.s.next(false); err != nil {
			if errors.Is(err, io.EOF) {
				err = broken("a sheet without cells")
			}
			return err
		}
		if name, closes := r.s.name(); string(name) == "sheetData" && !closes {
			r.ended = r.s.alone()
			return nil
		}
	}
}

// Done returns which part of the sheet is read, in 1/1000.
func (r *Rows) Done() int64 { return min(1000, r.in.n*1000/max(r.size, 1)) }

// Close ends the reading.
func (r *Rows) Close() error { return r.in.Close() }

// Next returns the next row that is there, with its number from 1, and its cells up to the last that
// was written. The slice is the Rows' own until the next call.
//
// Fails with io.EOF at the end, Invalid where the sheet is damaged, Limit where it is too large.
func (r *Rows) Next() (int, []string, error) {
	for !r.ended {
		if err := r.s.next(false); err != nil {
			if errors.Is(err, io.EOF) {
				err = broken("the sheet ends too early, after row " + strconv.Itoa(r.row))
			}
			return 0, nil, partError(r.in.name, err)
		}
		name, closes := r.s.name()
		switch {
		case closes && string(name) == "sheetData":
			r.ended = true
		case closes || string(name) != "row":
		default:
			if err := r.readRow(); err != nil {
				return 0, nil, partError(r.in.name, err)
			}
			return r.row, r.cells, nil
		}
	}
	return 0, nil, io.EOF
}

func (r *Rows) readRow() error {
	number := r.row + 1
	if a := r.s.attr("r"); a != nil {
		n, err := strconv.Atoi(string(a))
		if err != nil || n < number || n > maxRow {
			return broken("row " + clip(string(a)) + " after row " + strconv.Itoa(r.row))
		}
		number = n
	}
	r.row, r.cells = number, r.cells[:0]
	if r.s.alone() {
		return nil
	}
	for column := 0; ; {
		if err := r.s.next(false); err != nil {
			if errors.Is(err, io.EOF) {
				err = broken("the sheet ends too early, in row " + strconv.Itoa(r.row))
			}
			return err
		}
		name, closes := r.s.name()
		switch {
		case closes && string(name) == "row":
			return nil
		case closes || string(name) != "c":
			continue
		}
		if at, ok := columnOf(r.s.attr("r")); ok {
			column = at
		}
		text, err := r.cell()
		if err != nil {
			return err
		}
		if text != "" {
			r.set(column, text)
		}
		column++
	}
}

// set puts a cell in its column; all that is past MaxColumns shares one place.
func (r *Rows) set(column int, text string) {
	column = min(column, MaxColumns)
	for len(r.cells) <= column {
		r.cells = append(r.cells, "")
	}
	r.cells[column] = text
}

// columnOf returns the column of a reference such as AB15, from 0.
func columnOf(ref []byte) (int, bool) {
	n := 0
	for i, c := range ref {
		switch {
		case c >= 'A' && c <= 'Z' && i < 4:
			n = n*26 + int(c-'A') + 1
		case n > 0 && c >= '0' && c <= '9':
			return n - 1, true
		default:
			return 0, false
		}
	}
	return 0, false
}

// cell reads a cell from its opening tag to its closing one.
func (r *Rows) cell() (string, error) {
	kind, style := string(r.s.attr("t")), 0
	if a := r.s.attr("s"); a != nil {
		style, _ = strconv.Atoi(string(a)) // without a style that is known a number is a number
	}
	if r.s.alone() {
		return "", nil
	}
	var value []byte
	for {
		if err := r.s.next(true); err != nil {
			if errors.Is(err, io.EOF) {
				err = broken("the sheet ends too early, in row " + strconv.Itoa(r.row))
			}
			return "", err
		}
		name, closes := r.s.name()
		switch {
		case closes && string(name) == "c":
			return r.value(kind, style, string(value))
		case closes && string(name) == "v":
			value = append(value[:0], r.s.text...)
		case string(name) == "is" && !closes && !r.s.alone():
			var err error
			if value, err = r.s.richText("is", value[:0]); err != nil {
				return "", err
			}
		case closes && string(name) == "row":
			return "", broken("a cell of row " + strconv.Itoa(r.row) + " is not closed")
		}
	}
}

// value returns what a cell of the kind shows. An error such as #REF! is given as it is written.
func (r *Rows) value(kind string, style int, v string) (string, error) {
	switch kind {
	case "s":
		n, err := strconv.Atoi(strings.TrimSpace(v))
		text, ok := r.book.texts.text(n)
		if err != nil || !ok {
			return "", broken("row " + strconv.Itoa(r.row) + " names text " + clip(v) + ", and there is none")
		}
		return text, nil
	case "b":
		if v == "1" {
			return "TRUE", nil
		}
		return "FALSE", nil
	case "", "n":
		number, ok := shown(strings.TrimSpace(v))
		if !ok {
			return v, nil
		}
		if style >= 0 && style < len(r.book.dates) && r.book.dates[style] {
			if date, ok := dateText(number, r.book.from1904); ok {
				return date, nil
			}
		}
		return number, nil
	case "str":
		return string(unquote([]byte(v))), nil
	}
	return v, nil
}

func clip(s string) string {
	if len(s) > 20 {
		return s[:20] + "…"
	}
	return s
}
