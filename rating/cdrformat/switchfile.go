package cdrformat

import (
	"io"
	"strings"

	"billd/rating"
)

// table is how a file of a switch's rows is laid out.
type table struct {
	comma byte
	heads func(n int) []head // what a row of n columns says, nil if it cannot be read
	width int                // of a table with a header, else 0
	known map[int][]head     // what heads answered
	names map[int][]string   // of the columns of a row
	last  []string           // that heads were made of

	newest shape // of the lines that were read
}

// shape is what a line that was cut lacks of the one before it.
type shape struct {
	columns, last int  // last is the size of the last cell
	quoted        bool // which has quotes
}

// shorter reports whether a line without its end lacks columns that the line before it had, or the rest of its last
// cell. The header of a table counts its columns, and what is in its last one is not known.
func (t *table) shorter(before shape) bool {
	now := t.newest
	return t.width == 0 && (now.columns < before.columns || !now.quoted && (before.quoted || now.last < before.last))
}

// judgeOf returns what makes calls of the format's records; nil for billd's own columns.
func (r *Reader) judgeOf() judge {
	switch f := r.o.Format; f.Source() {
	case sourceFreeSWITCH:
		if f == FreeSWITCHJSON || f == FreeSWITCHXML {
			return freeswitchCall
		}
		return freeswitchRow
	case sourceAsterisk:
		return asteriskCall
	case sourceKamailio, sourceOpenSIPS:
		return accCall
	}
	if len(r.o.Map) > 0 || len(r.o.Columns) > 0 || len(r.watched) > 0 {
		return mappedCall
	}
	return nil
}

// headOf says what a name stands for: by the caller's map, else in the format.
func (r *Reader) headOf(name string) head {
	h := r.meaning(name)
	if r.claimed[h.role] {
		if _, said := r.o.Map[name]; !said {
			h = head{}
		}
	}
	for i, watched := range r.watched {
		if watched == name || watched == columnName(name) {
			h.watch = i + 1
		}
	}
	return h
}

func (r *Reader) meaning(name string) head {
	if _, said := r.o.Map[name]; said {
		h, _ := r.o.mapped(name)
		return h
	}
	switch r.o.Format.Source() {
	case sourceFreeSWITCH:
		return head{role: freeswitchVariables[name]}
	case sourceAsterisk:
		return head{role: asteriskFields[columnName(name)]}
	case sourceKamailio, sourceOpenSIPS:
		return head{role: accFields[columnName(name)]}
	}
	h, _ := r.o.mapped(name)
	return h
}

// beginSwitch begins a file of a switch, or one whose columns the caller named; first is its beginning.
func (r *Reader) beginSwitch(first string) error {
	isJSON := first[0] == '{' || first[0] == '['
	switch f := r.o.Format; {
	case f == FreeSWITCHXML && first[0] == '<':
		r.read = r.readXML
		return nil
	case f == FreeSWITCHXML:
		return rating.Broken("file", "xml", "", "the file is not XML: want <cdr>")
	case f == FreeSWITCHJSON && !isJSON:
		r.read = r.readEncoded
		return nil
	case isJSON && (f == FreeSWITCHJSON || f == AsteriskJSON || f == Kamailio || f == OpenSIPS || f == JSON):
		return r.beginJSON()
	case f == AsteriskJSON || f == JSON:
		return rating.Broken("file", "json", "", "the file is not JSON: want objects, one a line or in an array")
	}
	return r.beginTable()
}

// beginTable finds out how the lines of a file are laid out.
func (r *Reader) beginTable() error {
	t := &r.table
	t.comma, t.known, t.names = ',', map[int][]head{}, map[int][]string{}
	rest := r.w.rest()
	r.read = r.readRow
	line, _, _ := strings.Cut(strings.TrimLeft(rest[:min(len(rest), MaxRecord)], "\r\n"), "\n")
	line = strings.TrimSuffix(line, "\r")
	switch f := r.o.Format; f {
	case FreeSWITCHCSV, FreeSWITCHCSVAsterisk, FreeSWITCHCSVSQL, FreeSWITCHCSVOpenCDRRate:
		names := freeswitchTemplates[f]
		t.heads = func(n int) []head {
			if n != len(names) {
				return nil
			}
			return r.headsOf(names)
		}
		return nil
	case AsteriskCSV, AsteriskCSVUniqueID, AsteriskCSVUserField, AsteriskCustom:
		t.heads = func(n int) []head { return r.headsOf(asteriskRow(f, n)) }
		cells, err := cellsOf(line, ',', t.fits, t.matters)
		if err != nil && cells != nil && (len(cells) == 17 || len(cells) == 20) {
			return asteriskMiscount(f, len(cells)) // of every row, so it is said once
		}
		return nil
	}
	t.comma = delimiter(line)
	names := r.o.Columns
	if len(names) == 0 {
		var err error
		if names, err = r.readHeader(); err != nil {
			return err
		}
	}
	return r.layOut(names)
}

// readHeader takes the line of names.
func (r *Reader) readHeader() ([]string, error) {
	for {
		line, long, err := r.w.textLine(MaxRecord)
		if err != nil || long {
			return nil, rating.Broken("header", "required", "", "line %d: want a header with the names of columns", r.line)
		}
		r.line++
		if strings.TrimSpace(line) == "" {
			continue
		}
		r.header = strings.Clone(line)
		names := cellsBy(line, r.table.comma, openCell)
		if names == nil || len(names) > maxColumns {
			return nil, rating.Broken("header", "format", "", "line %d: the header cannot be read: want at most %d column names", r.line-1, maxColumns)
		}
		for i, name := range names {
			names[i] = strings.Clone(strings.TrimSpace(name))
		}
		return names, nil
	}
}

// layOut lays out a table by its columns' names; one must say when calls start.
func (r *Reader) layOut(names []string) error {
	heads := r.headsOf(names)
	starts, seen := false, map[role]string{}
	for i, h := range heads {
		if h == (head{}) && names[i] != "-" && names[i] != "" && r.judgesMap() {
			if _, ok := r.o.mapped(names[i]); !ok {
				r.unknown = append(r.unknown, names[i])
			}
		}
		if h.role == roleNone {
			continue
		}
		if other, twice := seen[h.role]; twice && r.judgesMap() {
			return rating.Broken("header", "unique", "", "columns %s and %s say the same", other, names[i])
		}
		seen[h.role] = names[i]
		starts = starts || h.role == roleStart || h.role == roleStartEpoch || h.role == roleStartMicro
	}
	if !starts {
		return rating.Broken("header", "required", "", "no column says when a call starts: want one that does, or a map to time_start")
	}
	r.table.width = len(names)
	r.table.heads = func(n int) []head {
		if n != len(heads) && n != len(heads)+1 { // a comma at the end of the line is a column too many
			return nil
		}
		return heads
	}
	return nil
}

// judgesMap reports whether the caller named the columns.
func (r *Reader) judgesMap() bool { return r.o.Format.Source() == sourceImport }

func (r *Reader) headsOf(names []string) []head {
	if names == nil {
		return nil
	}
	r.table.last = names
	heads := make([]head, len(names))
	for i, name := range names {
		heads[i] = r.headOf(name)
	}
	return heads
}

// name is what the i-th of n columns is called.
func (t *table) name(n, i int) string {
	if names := t.names[n]; i < len(names) {
		return names[i]
	}
	return ""
}

// headsOf is heads, remembered.
func (t *table) headsOf(n int) []head {
	h, ok := t.known[n]
	if !ok && n <= maxColumns {
		h = t.heads(n)
		t.known[n], t.names[n] = h, t.last
	}
	return h
}

// fits reports whether a row may have n columns.
func (t *table) fits(n int) bool { return t.headsOf(n) != nil }

// matters reports whether the i-th of n columns says something to a bill; a caller's name does not.
func (t *table) matters(n, i int) bool {
	heads := t.headsOf(n)
	return i < len(heads) && heads[i] != (head{}) && heads[i] != (head{role: roleName})
}

// readRow reads the next line of a switch's table.
func (r *Reader) readRow(call *rating.Call, rec *Record) error {
	line, long, err := r.w.textLine(MaxRecord)
	for ; err == nil && strings.TrimSpace(line) == "" && !long; line, long, err = r.w.textLine(MaxRecord) {
		r.line++
	}
	if err != nil {
		return err
	}
	rec.Line = r.line
	r.line++
	if long {
		rec.bad(line, "the record is longer than 64 KiB")
		return nil
	}
	if why := unfit(line); why != "" {
		rec.bad(strings.ToValidUTF8(line, "\ufffd"), why)
		return nil
	}
	var f facts
	was := r.table.newest
	err = r.row(&f, line)
	switch {
	case r.w.cut && err != nil:
		err = rating.Broken("record", "format", "", "%s; the file ends inside this line", err.Error())
	case r.w.cut && r.table.shorter(was):
		err = rating.Broken("record", "format", "", "the file ends inside this line: it is shorter than the one before it, and has no end")
	}
	r.settle(&f, err, line, call, rec)
	return nil
}

// row reads the cells of a line into f.
func (r *Reader) row(f *facts, line string) error {
	t := &r.table
	text := line
	switch r.o.Format {
	case FreeSWITCHCSVSQL:
		values, ok := sqlValues(line)
		if !ok {
			return rating.Broken("record", "format", "", "the line is no INSERT of values")
		}
		if text = values; strings.IndexByte(values, '"') < 0 {
			text = strings.ReplaceAll(values, "'", `"`)
		}
		text = strings.ReplaceAll(text, `, "`, `,"`)
	case FreeSWITCHCSV, FreeSWITCHCSVAsterisk, FreeSWITCHCSVOpenCDRRate:
		text = strings.TrimSuffix(strings.TrimRight(line, " "), ";")
	}
	cells, err := cellsOf(text, t.comma, t.fits, t.matters)
	if err != nil {
		if cells == nil {
			return err
		}
		return r.miscount(len(cells))
	}
	if t.width > 0 && len(cells) > t.width && cells[t.width] != "" {
		return r.miscount(len(cells))
	}
	t.newest = shape{len(cells), len(cells[len(cells)-1]), strings.HasSuffix(text, `"`)}
	for i, h := range t.headsOf(len(cells)) {
		r.take(f, h, t.name(len(cells), i), strings.TrimSpace(cells[i]))
	}
	return nil
}

// miscount says that a line has n columns and how many it should have.
func (r *Reader) miscount(n int) error {
	switch f := r.o.Format; f {
	case AsteriskCSV, AsteriskCSVUniqueID, AsteriskCSVUserField, AsteriskCustom:
		return asteriskMiscount(f, n)
	case FreeSWITCHCSV, FreeSWITCHCSVAsterisk, FreeSWITCHCSVSQL, FreeSWITCHCSVOpenCDRRate:
		return rating.Broken("record", "columns", "", "%d columns: want %d", n, len(freeswitchTemplates[f]))
	}
	return rating.Broken("record", "columns", "", "%d columns, the header has %d", n, r.table.width)
}

// readEncoded reads a line that FreeSWITCH filed in the encoding that it posts in.
func (r *Reader) readEncoded(call *rating.Call, rec *Record) error {
	const escaped = 4 * MaxRecord // a byte becomes three, or nine where values are encoded too
	line, long, err := r.w.textLine(escaped)
	for ; err == nil && strings.TrimSpace(line) == "" && !long; line, long, err = r.w.textLine(escaped) {
		r.line++
	}
	if err != nil {
		return err
	}
	rec.Line = r.line
	r.line++
	text, ok := freeswitchText(line)
	if long || len(text) > MaxRecord {
		rec.bad(line[:min(len(line), shownOfLong)], "the record is longer than 64 KiB")
		return nil
	}
	var f facts
	if !ok {
		r.settle(&f, rating.Broken("record", "format", "", "the record is neither JSON nor XML, encoded or not"), line, call, rec)
		return nil
	}
	if text[0] == '<' {
		err = r.freeswitchElement(text, &f)
	} else if s := (scanner{s: text}); !r.freeswitchObject(&s, &f) || !s.end() {
		err = errNotJSON
	}
	r.settle(&f, err, text, call, rec)
	return nil
}

// switchObject reads the JSON object at the window's front; done is false when more of the file is wanted.
func (r *Reader) switchObject(s *scanner, call *rating.Call, rec *Record) (size int, ok, done bool) {
	var f facts
	var err error
	if s.peek() == '{' {
		ok = r.jsonFacts(s, &f)
	} else {
		ok = s.value(0)
		err = rating.Broken("record", "type", "", "the record is not a JSON object")
	}
	if ok && (s.i < len(s.s) || r.w.eof) {
		if s.i > MaxRecord {
			rec.bad(strings.Clone(s.s[:shownOfLong]), "the record is longer than 64 KiB")
			return s.i, true, true
		}
		r.settle(&f, err, s.s[:s.i], call, rec)
		return s.i, true, true
	}
	const longestWord = 12 // what may have been cut in two: \ud83d\ude00
	if s.i < len(s.s)-longestWord || len(s.s) > MaxRecord {
		return 0, false, true
	}
	return 0, ok, false
}

// jsonFacts reads an object of the format; false when it is not JSON.
func (r *Reader) jsonFacts(s *scanner, f *facts) bool {
	if r.o.Format == FreeSWITCHJSON {
		return r.freeswitchObject(s, f)
	}
	var params value
	ok := s.object(0, func(name string, v value) {
		switch {
		case name == "params" && v.kind == '{':
			params = v
		case name == "method" && strings.HasPrefix(v.text, "E_ACC_"): // an event of OpenSIPS around its params
		default:
			r.member(f, name, v)
		}
	})
	if ok && r.o.Format.Source() != sourceImport {
		params.each(func(name string, v value) { r.member(f, name, v) })
	}
	return ok
}

func (r *Reader) member(f *facts, name string, v value) {
	h, text := r.headOf(name), v.scalar()
	if c := h.column; (c.kind != columnUnknown && c.kind != columnField || c.kind == columnField && c.field.Kind().IsText()) && v.kind != 'n' {
		text = v.text
	}
	r.take(f, h, name, strings.TrimSpace(text))
}

// settle makes of what a record says the call, or says why there is none.
func (r *Reader) settle(f *facts, err error, record string, call *rating.Call, rec *Record) {
	if err == nil {
		if rec.Skipped = r.sift(f); rec.Skipped == "" {
			err = r.judge(r, f, record, call, rec)
		}
	}
	rec.Said = f.told
	if err != nil {
		call.Reset()
		rec.Skipped, rec.held, rec.Half = "", false, nil
		rec.bad(f.keep(r.stamps, record, r.header), err.Error())
		return
	}
	if rec.Skipped != "" {
		call.Reset()
	}
}

// ReadBody reads all that a switch posted, record by record.
//
// A body that cannot be read at all is one unreadable record: what a switch sent is kept, and it is not
// asked to send it again. fn's call is its own to keep.
func ReadBody(body string, o Options, fn func(*rating.Call, Record) error) error {
	r, err := NewBodyReader(body, o)
	if err != nil {
		var rec Record
		rec.bad((&facts{}).keep(stamps{}, body, ""), err.Error())
		return fn(nil, rec)
	}
	for {
		call, rec := &rating.Call{}, Record{}
		err := r.Read(call, &rec)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			rec.bad((&facts{}).keep(stamps{}, body, ""), err.Error())
			return fn(nil, rec)
		}
		if rec.Bad != "" || rec.Skipped != "" {
			call = nil
		}
		if err := fn(call, rec); err != nil {
			return err
		}
	}
}
