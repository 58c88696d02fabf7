package cdrformat

import (
	"io"
	"strings"
	"unicode/utf8"

	"billd/rating"
)

// textLine takes the next line without its end. long says that it is longer than most bytes: the
// line is then its first kilobyte, and the rest of it was passed over without being kept.
func (w *window) textLine(most int) (line string, long bool, err error) {
	for from := 0; ; {
		rest := w.rest()
		at := strings.IndexByte(rest[from:], '\n')
		if at < 0 && len(rest) > most {
			if !long {
				line, long = strings.Clone(rest[:shownOfLong]), true
			}
			w.skip(len(rest))
			rest = ""
		}
		if at < 0 {
			from = len(rest)
			if err := w.more(); err == nil {
				continue
			} else if err != io.EOF || rest == "" && !long {
				return "", false, err
			}
			at, w.cut = len(w.rest())-from, w.in != nil
		}
		at += from
		rest = w.rest()
		w.skip(min(at+1, len(rest)))
		if long || at > most {
			if !long {
				line = strings.Clone(rest[:shownOfLong])
			}
			return line, true, nil
		}
		return strings.TrimSuffix(rest[:at], "\r"), false, nil
	}
}

// shownOfLong is how much is kept of a line that is longer than a record may be.
const shownOfLong = 1024

// cellsOf takes a line of a switch's table apart into want cells. Switches write quotes inside quoted cells
// as they are; a line that can be read in two ways is refused rather than guessed, unless the two differ only
// in cells that do not matter.
func cellsOf(line string, comma byte, want func(int) bool, matters func(columns, i int) bool) (cells []string, err error) {
	if strings.IndexByte(line, '"') < 0 {
		cells = strings.Split(line, string(comma))
		if !want(len(cells)) {
			return cells, rating.Broken("record", "columns", "", "%d columns", len(cells))
		}
		return cells, nil
	}
	strict := cellsBy(line, comma, strictCell)
	if strict != nil && want(len(strict)) {
		return strict, nil
	}
	for _, how := range []func(string, byte) (string, string, bool){openCell, bareCell} {
		found := cellsBy(line, comma, how)
		if found == nil || !want(len(found)) {
			continue
		}
		if cells != nil && !sameCells(cells, found, matters) {
			return nil, rating.Broken("record", "quotes", "", "the quotes of the line can be read in two ways")
		}
		if cells == nil {
			cells = found
		}
	}
	if cells != nil {
		return cells, nil
	}
	if strict != nil {
		return strict, rating.Broken("record", "columns", "", "%d columns", len(strict))
	}
	return nil, rating.Broken("record", "quotes", "", "a quote is not closed, or text follows it, and the columns cannot be counted")
}

// sameCells reports whether two readings of a line agree on the cells that matter.
func sameCells(a, b []string, matters func(columns, i int) bool) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] && matters(len(a), i) {
			return false
		}
	}
	return true
}

// cellsBy takes a line apart with a rule for cells that begin with a quote; nil when one does not end.
func cellsBy(line string, comma byte, quoted func(string, byte) (cell, rest string, ok bool)) []string {
	cells := make([]string, 0, 24)
	for {
		if !strings.HasPrefix(line, `"`) {
			at := strings.IndexByte(line, comma)
			if at < 0 {
				return append(cells, line)
			}
			cells, line = append(cells, line[:at]), line[at+1:]
			continue
		}
		cell, rest, ok := quoted(line, comma)
		if !ok {
			return nil
		}
		if cells = append(cells, cell); rest == "" {
			return cells
		}
		line = rest[1:]
	}
}

// strictCell reads a cell whose own quotes are doubled.
func strictCell(line string, comma byte) (cell, rest string, ok bool) {
	cell, rest, ok = unquote(line[1:])
	return cell, rest, ok && (rest == "" || rest[0] == comma)
}

// openCell reads a cell that holds quotes as they are: it ends with a quote before a comma.
func openCell(line string, comma byte) (cell, rest string, ok bool) {
	if cell, rest, ok = strictCell(line, comma); ok {
		return cell, rest, true
	}
	for at := 1; at < len(line); at++ {
		if line[at] == '"' && (at+1 == len(line) || line[at+1] == comma) {
			return line[1:at], line[at+1:], true
		}
	}
	return "", "", false
}

// bareCell reads a cell that only begins with a quoted word, as "John" <1000> does.
func bareCell(line string, comma byte) (cell, rest string, ok bool) {
	if cell, rest, ok = strictCell(line, comma); ok {
		return cell, rest, true
	}
	if _, rest, ok = unquote(line[1:]); !ok {
		return "", "", false
	}
	at := strings.IndexByte(rest, comma)
	if at < 0 {
		return line, "", true
	}
	return line[:len(line)-len(rest)+at], rest[at:], true
}

// binary says why a piece of a file is no text of call records; "" when it may be. Zero bytes in some of its lines
// spoil those lines only: a switch that lost its power leaves them.
func binary(s string) string {
	s = s[:min(len(s), 4096)]
	switch {
	case strings.HasPrefix(s, "\xff\xfe"), strings.HasPrefix(s, "\xfe\xff"), isWide(s):
		return "the file is UTF-16: want UTF-8"
	case strings.HasPrefix(s, "\x1f\x8b"):
		return "the file is compressed with gzip: unpack it first, zcat FILE | billd import-cdrs -"
	case strings.HasPrefix(s, "PK\x03\x04"):
		return "the file is a zip archive or a spreadsheet: want its text"
	case strings.IndexByte(s, 0) < 0:
		return ""
	}
	lines, spoilt := 0, 0
	for line := range strings.FieldsFuncSeq(s, func(r rune) bool { return r == '\n' || r == '\r' }) {
		if lines++; strings.IndexByte(line, 0) >= 0 {
			spoilt++
		}
	}
	if spoilt > lines/2 {
		return "the file is binary: want text"
	}
	return ""
}

// isWide reports whether a text begins as UTF-16 without a mark does: every second byte is zero.
func isWide(s string) bool {
	const enough = 4 // letters
	if len(s) < 2*enough {
		return false
	}
	zero := [2]int{}
	for i := range 2 * enough {
		if s[i] == 0 {
			zero[i%2]++
		}
	}
	return zero[0] == enough && zero[1] == 0 || zero[1] == enough && zero[0] == 0
}

// unfit says why a line is no text; "" when it may be one. Bytes that are no UTF-8 are left to the cells:
// a name may have them, a number may not.
func unfit(line string) string {
	for i := range len(line) {
		if c := line[i]; c < ' ' && c != '\t' && c != '\r' && c != '\n' {
			return "the line holds binary data"
		}
	}
	if len(line) > 64 && !utf8.ValidString(line) && strings.Count(strings.ToValidUTF8(line, "\ufffd"), "\ufffd") > len(line)/4 {
		return "the line holds binary data"
	}
	return ""
}
