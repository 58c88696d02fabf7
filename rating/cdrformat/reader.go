package cdrformat

import (
	"io"
	"strconv"
	"strings"
	"time"

	"billd/rating"
)

// Options tune a Reader. The zero value reads billd's own columns, by what Detect says of the file.
type Options struct {
	Format  Format
	Source  string            // of records that name none; "" is the format's own
	Zone    *time.Location    // of stamps that carry none; nil is UTC
	Dates   DateOrder         // of dates that do not begin with the year
	Columns []string          // of a file without a header, in order; "-" is passed over
	Map     map[string]string // a file's column → billd's, or "-"
	Legs    Legs              // of FreeSWITCH

	// Only, Skip and Inbound ask what a record says: one is charged that meets all of Only and none of Skip, and its
	// call came in if it meets one of Inbound.
	Only, Skip, Inbound []Condition
	Told                bool // records tell which column said what
}

// Record says where a record stands in its file and, when it could not be read, why.
type Record struct {
	Line int    // of the file, from 1; of an array its element
	Raw  string // of an unreadable record, at most MaxRecord bytes
	Bad  string // why it is unreadable, "" when the call was read
	// Skipped says why the record is no call to charge, such as the second leg of one; there is no call then.
	Skipped string
	Said    []Said // what the record's columns say, with Options.Told

	held bool // it waits for another record
}

// Reader reads a file of call records as a stream.
type Reader struct {
	w       window
	o       Options
	read    func(*rating.Call, *Record) error
	line    int // the next one, or the number of the last element
	head    []column
	names   []string // of head
	comma   byte
	unknown []string
	wrapped bool // the array is a member of an object
	begun   bool // the array has had an element
	quoted  []string

	watched []string       // fields that conditions ask for
	claimed [numRoles]bool // roles that the caller's map gives to columns
	judge   judge          // of a switch's format, nil for billd's own
	stamps  stamps
	dialogs dialogs
	table   table
}

// judge makes a call of what a record says, or says that it is none. record is the record's own text.
type judge func(r *Reader, f *facts, record string, call *rating.Call, rec *Record) error

// NewReader reads the head of in. Fails with Invalid when it is no file of call records, or could be one of
// two formats that are charged differently.
func NewReader(in io.Reader, o Options) (*Reader, error) {
	r := &Reader{w: window{in: in}, o: o, line: 1}
	if err := r.w.more(); err != nil && err != io.EOF {
		return nil, err
	}
	return r, r.begin()
}

// NewBodyReader reads what a switch posted. It asks nothing of what the request calls its body.
func NewBodyReader(body string, o Options) (*Reader, error) {
	if o.Format == FreeSWITCHJSON {
		text, ok := freeswitchText(body)
		if !ok {
			return nil, rating.Broken("body", "format", "", "the body is neither JSON nor XML, encoded or not")
		}
		if body = text; body[0] == '<' {
			o.Format = FreeSWITCHXML
		}
	}
	r := &Reader{w: window{text: body, offset: int64(len(body)), eof: true}, o: o, line: 1}
	return r, r.begin()
}

func (r *Reader) begin() error {
	if why := binary(r.w.rest()); why != "" {
		return rating.Broken("file", "format", "", "%s", why)
	}
	r.w.skip(len(r.w.rest()) - len(strings.TrimPrefix(r.w.rest(), "\ufeff")))
	first := strings.TrimLeft(r.w.rest(), " \t\r\n")
	if first == "" {
		return rating.Broken("file", "required", "", "the file is empty: want call records as CSV with a header, or JSON")
	}
	if err := r.o.checkMap(); err != nil {
		return err
	}
	if r.o.Format == Auto {
		format, err := Detect(r.w.rest())
		if err != nil {
			return err
		}
		if r.o.Format = format; format == CSV && first[0] == '{' {
			r.o.Format = JSON
		}
	}
	if r.o.Source == "" {
		r.o.Source = r.o.Format.Source()
	}
	r.stamps, r.watched = stamps{r.o.Zone, r.o.Dates}, r.o.watched()
	r.claim()
	isJSON := first[0] == '{' || first[0] == '['
	if r.judge = r.judgeOf(); r.judge != nil {
		return r.beginSwitch(first)
	}
	switch {
	case r.o.Format == CSV:
		return r.beginCSV()
	case !isJSON:
		return rating.Broken("file", "json", "", "the file is not JSON: want objects, one a line or in an array")
	}
	return r.beginJSON()
}

// Source returns what records that name no source come from.
func (r *Reader) Source() string { return r.o.Source }

// Format returns the format that is read, as told or as detected.
func (r *Reader) Format() Format { return r.o.Format }

// Read reads the next record into call, which it empties first, and rec. io.EOF is the end. Another
// error is the end too: the file cannot be read on. The call's texts are parts of a piece of the file
// of about a megabyte, which lives as long as they do.
func (r *Reader) Read(call *rating.Call, rec *Record) error {
	for {
		*rec = Record{}
		call.Reset()
		err := r.read(call, rec)
		if err == io.EOF {
			err = r.dialogs.rest(r, call, rec)
		}
		if err != nil {
			return err
		}
		if rec.held {
			continue
		}
		if r.judge != nil && rec.Bad == "" && rec.Skipped == "" && !call.Has(rating.CDRSource) {
			call.SetText(rating.CDRSource, r.o.Source)
		}
		return nil
	}
}

// Offset returns how many bytes were taken in so far.
func (r *Reader) Offset() int64 { return r.w.offset }

// Unknown returns the columns of a CSV header that billd does not know.
func (r *Reader) Unknown() []string { return r.unknown }

// bad makes rec an unreadable record.
func (rec *Record) bad(raw, why string) {
	if len(raw) > MaxRecord {
		raw = raw[:MaxRecord]
	}
	rec.Raw, rec.Bad = raw, why
}

// windowSize is how much of a file is read at a time, in bytes.
const windowSize = 1 << 20

// window is the piece of the file that is being read.
type window struct {
	in     io.Reader
	text   string
	at     int
	offset int64
	buf    []byte
	eof    bool
	cut    bool // the last line had no end
}

func (w *window) rest() string { return w.text[w.at:] }

func (w *window) skip(n int) { w.at += n }

// more puts the next piece behind what is left; io.EOF when there is none.
func (w *window) more() error {
	if w.eof {
		return io.EOF
	}
	if w.buf == nil {
		w.buf = make([]byte, windowSize)
	}
	n, err := io.ReadFull(w.in, w.buf)
	w.offset += int64(n)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		w.eof, err = true, nil
	}
	if err != nil {
		return err
	}
	if n > 0 {
		w.text, w.at = w.rest()+string(w.buf[:n]), 0
	} else {
		return io.EOF
	}
	return nil
}

// blanks steps over blanks and returns how many line ends were among them.
func (w *window) blanks() (lines int, err error) {
	for {
		rest := w.rest()
		trimmed := strings.TrimLeft(rest, " \t\r\n")
		if n := len(rest) - len(trimmed); n > 0 {
			lines += strings.Count(rest[:n], "\n")
			w.skip(n)
		}
		if trimmed != "" {
			return lines, nil
		}
		if err := w.more(); err != nil {
			return lines, err
		}
	}
}

func (r *Reader) beginJSON() error {
	n, err := r.w.blanks()
	if err != nil {
		return err
	}
	r.line += n
	s := scanner{s: r.w.rest()}
	if s.take('{') {
		s.space()
		name, ok := s.text()
		if r.wrapped = ok && name == "cdrs" && s.take(':'); !r.wrapped {
			r.read = r.readLine
			return nil
		}
	}
	if !s.take('[') {
		r.wrapped, r.read = false, r.readLine
		return nil
	}
	r.w.skip(s.i)
	r.line, r.read = 0, r.readElement
	return nil
}

// readLine reads the next of objects that follow one another, usually one a line.
func (r *Reader) readLine(call *rating.Call, rec *Record) error {
	n, err := r.w.blanks()
	if err != nil {
		return err
	}
	r.line += n
	rec.Line = r.line
	size, ok, err := r.object(call, rec)
	if err != nil {
		return err
	}
	if !ok {
		call.Reset()
		return r.passOver(rec)
	}
	r.line += strings.Count(r.w.rest()[:size], "\n")
	r.w.skip(size)
	return nil
}

// passOver makes a record unreadable that is no JSON and goes on behind it: with the next line, of a
// switch's file with the next line that begins an object. What is longer than a record is not kept.
func (r *Reader) passOver(rec *Record) error {
	next, skip := "\n", 1
	if r.judge != nil {
		next = "\n{"
	}
	rest := r.w.rest()
	why, raw := errNotJSON.Msg, ""
	if r.w.eof && extent(rest) == 0 && rest[0] == '{' && !strings.Contains(rest, "\n{") && len(rest) <= MaxRecord {
		why = "the record is cut off: the file ends inside it"
	}
	for size := strings.Index(rest, next); size < 0; size = strings.Index(rest, next) {
		if len(rest) > MaxRecord {
			if raw == "" {
				raw, why = strings.Clone(rest[:shownOfLong]), "the record is longer than 64 KiB"
			}
			r.line += strings.Count(rest[:len(rest)-1], "\n")
			r.w.skip(len(rest) - 1)
		}
		if err := r.w.more(); err == io.EOF {
			rest = r.w.rest()
			next, skip = "", len(rest)
			break
		} else if err != nil {
			return err
		}
		rest = r.w.rest()
	}
	size := skip
	if next != "" {
		size += strings.Index(rest, next)
	}
	if raw == "" {
		raw = strings.Clone(strings.TrimRight(rest[:size], "\r\n"))
	}
	r.line += strings.Count(rest[:size], "\n")
	r.w.skip(size)
	rec.bad(raw, why)
	return nil
}

// object reads the value at the window's front: its size, and whether it is JSON. A value that is
// JSON and no call makes rec unreadable.
func (r *Reader) object(call *rating.Call, rec *Record) (size int, ok bool, err error) {
	for {
		s := scanner{s: r.w.rest()}
		if r.judge != nil {
			if size, ok, done := r.switchObject(&s, call, rec); done {
				return size, ok, nil
			} else if err := r.w.more(); err == io.EOF {
				return s.i, ok, nil
			} else if err != nil {
				return 0, false, err
			}
			continue
		}
		row := row{call: call}
		var bad error
		if s.peek() == '{' {
			ok = s.object(0, func(name string, v value) {
				if bad == nil {
					bad = row.member(name, v)
				}
			})
		} else {
			ok = s.value(0)
			bad = rating.Broken("record", "type", "", "the record is not a JSON object")
		}
		if ok && (s.i < len(s.s) || r.w.eof) {
			switch {
			case s.i > MaxRecord:
				bad = rating.Broken("record", "maxLength", strconv.Itoa(MaxRecord), "the record is longer than 64 KiB")
			case bad == nil:
				bad = row.finish(r.o.Source)
			}
			if bad != nil {
				call.Reset()
				rec.bad(strings.Clone(s.s[:s.i]), bad.Error())
			}
			return s.i, true, nil
		}
		const longestWord = 12 // what may have been cut in two: \ud83d\ude00
		if s.i < len(s.s)-longestWord || len(s.s) > MaxRecord+windowSize {
			return 0, false, nil
		}
		if err := r.w.more(); err == io.EOF {
			return s.i, ok, nil
		} else if err != nil {
			return 0, false, err
		}
		call.Reset()
	}
}

// readElement reads the next element of an array.
func (r *Reader) readElement(call *rating.Call, rec *Record) error {
	c, err := r.next()
	if err != nil {
		return err
	}
	if c == ']' {
		return r.endArray()
	}
	if r.begun {
		if c != ',' {
			return r.broken()
		}
		r.w.skip(1)
		if _, err := r.next(); err != nil {
			return err
		}
	}
	r.begun = true
	r.line++
	rec.Line = r.line
	size, ok, err := r.object(call, rec)
	if err != nil {
		return err
	}
	if !ok {
		call.Reset()
		if size = extent(r.w.rest()); size == 0 {
			return r.broken()
		}
		rec.bad(strings.Clone(r.w.rest()[:size]), errNotJSON.Msg)
	}
	r.w.skip(size)
	return nil
}

// next returns the next character that is no blank; inside an array the file may not end.
func (r *Reader) next() (byte, error) {
	if _, err := r.w.blanks(); err == io.EOF {
		return 0, r.broken()
	} else if err != nil {
		return 0, err
	}
	return r.w.rest()[0], nil
}

// endArray checks that nothing follows the array.
func (r *Reader) endArray() error {
	r.w.skip(1)
	_, err := r.w.blanks()
	if r.wrapped && err == nil && r.w.rest()[0] == '}' {
		r.w.skip(1)
		_, err = r.w.blanks()
	} else if r.wrapped {
		return r.broken()
	}
	if err == nil {
		return r.broken()
	}
	return err
}

func (r *Reader) broken() error {
	return rating.Broken("file", "json", "", "after record %d: the file is not JSON from there on", r.line)
}

// extent returns the size of the object that s begins with by its braces alone, 0 if it does not end
// within a record's length.
func extent(s string) int {
	s = s[:min(len(s), MaxRecord)]
	depth, quoted := 0, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return 0
}
