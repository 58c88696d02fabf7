package cdrformat

import (
	"encoding/json"
	"io"
	"strconv"
	"strings"

	"billd/rating"
)

// maxColumns bounds a CSV header.
const maxColumns = 512

// beginCSV reads the header.
func (r *Reader) beginCSV() error {
	line, err := r.csvLine()
	for err == nil && strings.TrimSpace(line) == "" {
		line, err = r.csvLine()
	}
	if err != nil && err != io.EOF {
		return err
	}
	r.comma, r.header = delimiter(line), strings.Clone(line)
	names, ok := r.split(line)
	if !ok || len(names) > maxColumns {
		return rating.Broken("header", "format", "", "line %d: the header cannot be read: want at most %d column names", r.line-1, maxColumns)
	}
	seen := map[column]string{}
	known := false
	for _, name := range names {
		name = strings.Clone(name)
		c := columns[columnName(name)]
		if c.kind == columnUnknown {
			r.unknown = append(r.unknown, name)
		} else if other, twice := seen[c]; twice {
			return rating.Broken("header", "unique", "", "columns %s and %s say the same", other, name)
		} else {
			seen[c] = name
			known = known || c.kind == columnField && c.field == rating.CDRTimeStart
		}
		r.head, r.names = append(r.head, c), append(r.names, name)
	}
	if !known {
		return rating.Broken("header", "required", "", "line %d: no column time_start: want a header with the names of CDR columns, or to be told the format, or by a map what the columns are", r.line-1)
	}
	r.read = r.readCSV
	return nil
}

// delimiter guesses what separates a header's names.
func delimiter(line string) byte {
	best, most := byte(','), 0
	for _, c := range [...]byte{',', ';', '\t', '|'} {
		if n := strings.Count(line, string(c)); n > most {
			best, most = c, n
		}
	}
	return best
}

// csvLine returns the next line without its end. A quoted field may hold line ends of its own; a
// quote that nothing closes within a record's length ends with its line.
func (r *Reader) csvLine() (string, error) {
	first := 0 // size of the first line, once a quoted field goes beyond it
	for from := 0; ; {
		rest := r.w.rest()
		end := strings.IndexByte(rest[from:], '\n')
		if end < 0 && len(rest) <= MaxRecord+windowSize {
			from = len(rest)
			if err := r.w.more(); err == nil {
				continue
			} else if err != io.EOF || rest == "" {
				return "", err
			}
			end = 0
		}
		size := min(from+end+1, len(rest))
		open := r.comma != 0 && strings.IndexByte(rest[:size], '"') >= 0 && r.open(rest[:size])
		if open && first == 0 {
			first = size
		}
		if open && size < len(rest) && size <= MaxRecord {
			from = size
			continue
		}
		if open {
			size = first
		}
		r.w.skip(size)
		r.taken = size
		line := rest[:size]
		r.line += strings.Count(line, "\n")
		return strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r"), nil
	}
}

// open reports whether a line ends inside a quoted field.
func (r *Reader) open(line string) bool {
	for {
		if strings.HasPrefix(line, `"`) {
			_, rest, ok := unquote(line[1:])
			if !ok {
				return true
			}
			line = rest
		}
		at := strings.IndexByte(line, r.comma)
		if at < 0 {
			return false
		}
		line = line[at+1:]
	}
}

// readCSV reads the next row.
func (r *Reader) readCSV(call *rating.Call, rec *Record) error {
	var line string
	for line == "" {
		rec.Line = r.line
		var err error
		if line, err = r.csvLine(); err != nil {
			return err
		}
	}
	if len(line) > MaxRecord {
		rec.bad(strings.Clone(line[:shownOfLong]), "the record is longer than 64 KiB")
		if r.w.text[r.w.at-1] == '\n' {
			return nil
		}
		r.line++
		if _, _, err := r.w.textLine(MaxRecord); err != io.EOF {
			return err
		}
		return nil
	}
	row := row{call: call}
	err := r.fields(&row, line)
	if e, ok := err.(*rating.Error); ok && (e.Rule == "format" && e.Field == "record" || e.Rule == "columns") && r.firstOnly(line) {
		line, err = line[:strings.IndexByte(line, '\n')], rating.Broken("record", "format", "", "a quote is not closed on its line")
	}
	if err == nil {
		err = row.finish(r.o.Source)
	}
	if err != nil {
		call.Reset()
		rec.bad(r.named(line), err.Error())
	}
	return nil
}

// firstOnly gives back all but the first of several lines that a quote has joined and that are no row: what closed it
// began a cell of another row. It reports whether there were several.
func (r *Reader) firstOnly(line string) bool {
	end := strings.IndexByte(line, '\n')
	if end < 0 {
		return false
	}
	r.w.at -= r.taken - end - 1
	r.line -= strings.Count(r.w.rest()[:r.taken-end-1], "\n")
	return true
}

// named returns a row that could not be read as a JSON object of its cells by the names of their columns, so that it can
// be corrected apart from its file, and with its own text and the header, so that it can be read Again.
func (r *Reader) named(line string) string {
	object := make(map[string]string, len(r.head)+2)
	if cells, ok := r.split(line); ok && r.count(cells) == nil {
		for i, name := range r.names {
			if cells[i] != "" {
				object[columnName(name)] = cells[i]
			}
		}
	}
	object[keptRecord], object[keptHeader] = keptPart(line), keptPart(r.header)
	text, err := json.Marshal(object)
	if err != nil {
		return strings.Clone(line)
	}
	return string(text)
}

// columnName is a header's name as columns are called.
func columnName(name string) string {
	return strings.ReplaceAll(strings.ReplaceAll(strings.ToLower(strings.TrimSpace(name)), " ", "_"), "-", "_")
}

// fields sets a row's columns.
func (r *Reader) fields(row *row, line string) error {
	if strings.IndexByte(line, '"') >= 0 {
		texts, ok := r.split(line)
		if !ok {
			return rating.Broken("record", "format", "", "a quote is not closed, or text follows it")
		}
		if err := r.count(texts); err != nil {
			return err
		}
		for i, c := range r.head {
			if err := row.set(c, texts[i]); err != nil {
				return err
			}
		}
		return nil
	}
	i := 0
	for rest, more := line, true; more; i++ {
		text := rest
		at := strings.IndexByte(rest, r.comma)
		if more = at >= 0; more {
			text, rest = rest[:at], rest[at+1:]
		}
		if text == "" {
			continue
		}
		if i >= len(r.head) {
			return r.tooMany(i + 1)
		}
		if err := row.set(r.head[i], text); err != nil {
			return err
		}
	}
	if i < len(r.head) {
		return r.tooFew(i)
	}
	return nil
}

func (r *Reader) count(texts []string) error {
	if len(texts) < len(r.head) {
		return r.tooFew(len(texts))
	}
	for i := len(r.head); i < len(texts); i++ {
		if texts[i] != "" {
			return r.tooMany(i + 1)
		}
	}
	return nil
}

func (r *Reader) tooFew(n int) error {
	return rating.Broken("record", "columns", strconv.Itoa(len(r.head)), "%d columns, the header has %d", n, len(r.head))
}

func (r *Reader) tooMany(n int) error {
	return rating.Broken("record", "columns", strconv.Itoa(len(r.head)), "more than the header's %d columns: something in column %d", len(r.head), n)
}

// split takes a line apart where fields may be quoted. The slice is reused by the next call.
func (r *Reader) split(line string) ([]string, bool) {
	r.quoted = r.quoted[:0]
	for {
		if !strings.HasPrefix(line, `"`) {
			at := strings.IndexByte(line, r.comma)
			if at < 0 {
				r.quoted = append(r.quoted, line)
				return r.quoted, true
			}
			r.quoted, line = append(r.quoted, line[:at]), line[at+1:]
			continue
		}
		text, rest, ok := unquote(line[1:])
		if !ok || rest != "" && rest[0] != r.comma {
			return nil, false
		}
		r.quoted = append(r.quoted, text)
		if rest == "" {
			return r.quoted, true
		}
		line = rest[1:]
	}
}

// unquote reads up to the closing quote; two quotes are one.
func unquote(s string) (text, rest string, ok bool) {
	at := strings.IndexByte(s, '"')
	if at < 0 {
		return "", "", false
	}
	if !strings.HasPrefix(s[at+1:], `"`) {
		return s[:at], s[at+1:], true
	}
	var b strings.Builder
	for {
		b.WriteString(s[:at])
		s = s[at+1:]
		if !strings.HasPrefix(s, `"`) {
			return b.String(), s, true
		}
		b.WriteByte('"')
		s = s[1:]
		if at = strings.IndexByte(s, '"'); at < 0 {
			return "", "", false
		}
	}
}
