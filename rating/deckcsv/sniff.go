package deckcsv

import (
	"bytes"
	"strings"
)

// line is a row of the head with its line number.
type line struct {
	number int
	cells  []string
}

// delimiters in the order that decides between equals: the rarest in text first.
const delimiters = "\t;|,"

// sniffDelimiter returns the delimiter by which most lines of head have the same number of cells,
// two or more; among those about as good, the one with most cells. 0: none does.
func sniffDelimiter(head []byte, eol byte) byte {
	var best byte
	bestLines, bestCells := 0, 0
	for i := range len(delimiters) {
		d := delimiters[i]
		lines, cells := consistency(head, eol, d)
		if lines == 0 {
			continue
		}
		// a tenth of slack: title rows and footers agree with no delimiter
		better := lines*10 > bestLines*11 || (lines*11 > bestLines*10 && cells > bestCells)
		if best == 0 || better {
			best, bestLines, bestCells = d, lines, cells
		}
	}
	return best
}

// consistency returns how many lines have the commonest number (≥ 2) of cells, and that number.
func consistency(head []byte, eol, delim byte) (lines, cells int) {
	seen := map[int]int{}
	for row := 0; len(head) > 0 && row < headRows; row++ {
		rec, rest, _ := bytes.Cut(head, []byte{eol})
		head = rest
		n, quoted := 1, false
		for _, c := range rec {
			switch {
			case c == '"':
				quoted = !quoted
			case c == delim && !quoted:
				n++
			}
		}
		if n > 1 {
			seen[n]++
		}
	}
	for n, count := range seen {
		if count > lines || (count == lines && n > cells) {
			lines, cells = count, n
		}
	}
	return lines, cells
}

// sample cuts the head into at most headRows rows, leaving out blank and broken ones, and a last one
// that the cut through the file made partial.
func (r *Reader) sample() []line {
	whole := r.lines.buf
	if !r.lines.eof {
		whole = whole[:bytes.LastIndexByte(whole, r.lines.eol)+1]
	}
	cut := lines{r: strings.NewReader(""), buf: bytes.Clone(whole), eof: true, eol: r.lines.eol, max: r.lines.max, maxLines: r.lines.maxLines}
	var rows []line
	var cells [][]byte
	for len(rows) < headRows {
		start := cut.line + 1
		got, ok, err := cut.record(r.delim, cells)
		if err != nil && err != errLineTooLong {
			return rows
		}
		cells = got
		if err != nil || !ok || blank(got) || len(got) > maxColumns {
			continue
		}
		row := line{number: start}
		for _, c := range got {
			row.cells = append(row.cells, strings.TrimSpace(r.text(c)))
		}
		rows = append(rows, row)
	}
	return rows
}

func blank(cells [][]byte) bool {
	for _, c := range cells {
		if len(trim(c)) > 0 {
			return false
		}
	}
	return true
}

// trim takes ASCII blanks and non-breaking spaces off both ends.
func trim(b []byte) []byte {
	for len(b) > 0 && b[0] <= ' ' {
		b = b[1:]
	}
	for len(b) > 0 && b[len(b)-1] <= ' ' {
		b = b[:len(b)-1]
	}
	if len(b) > 1 && (b[0] == 0xc2 || b[len(b)-1] == 0xa0) {
		if c := bytes.TrimSpace(bytes.Trim(b, "\u00a0")); len(c) < len(b) {
			return c
		}
	}
	return b
}

// marks counts, over price cells, those that can only be read with a decimal comma, only with a
// point, and those with a comma that may be either, as 1,234.
type marks struct{ comma, point, unclear int }

func (m *marks) look(cell string) {
	comma, point := strings.LastIndexByte(cell, ','), strings.LastIndexByte(cell, '.')
	switch {
	case comma < 0 && point < 0:
	case comma >= 0 && point >= 0:
		if comma > point {
			m.comma++
		} else {
			m.point++
		}
	case point >= 0 && !groupsOnly(cell, '.'):
		m.point++
	case comma >= 0 && !groupsOnly(cell, ','):
		m.comma++
	case comma >= 0:
		m.unclear++
	}
}

// groupsOnly says that every mark in cell could part thousands: 1,234 and 12.345.678, not 0,123.
func groupsOnly(cell string, mark byte) bool {
	digits := strings.Trim(strings.TrimFunc(cell, func(c rune) bool { return c < '0' || c > '9' }), " ")
	groups := strings.Split(digits, string(mark))
	if len(groups[0]) == 0 || len(groups[0]) > 3 || groups[0][0] == '0' {
		return false
	}
	for _, g := range groups[1:] {
		if len(g) != 3 {
			return false
		}
	}
	return len(groups) > 1
}

// sniffDecimal settles the decimal mark by the price columns of the sample.
func (r *Reader) sniffDecimal(rows []line) {
	var m marks
	for _, row := range rows {
		for _, f := range [...]Field{FieldPrice, FieldNextPrice, FieldConnect} {
			if i := r.at[f]; i >= 0 && i < len(row.cells) {
				m.look(row.cells[i])
			}
		}
	}
	switch {
	case r.opts.Decimal != SniffDecimal:
		r.layout.Decimal = r.opts.Decimal
	case m.comma > m.point:
		r.layout.Decimal = DecimalComma
	case m.point > 0 || m.unclear == 0:
		r.layout.Decimal = DecimalPoint
	default:
		r.warnf("no price shows whether a comma is decimal: those such as 1,234 are rejected; say which")
	}
	if m.comma > 0 && m.point > 0 {
		r.warnf("prices with a decimal comma and with a point stand in one file; taken: %s", r.layout.Decimal)
	}
}
