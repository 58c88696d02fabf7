package cdrformat

import (
	"io"
	"strconv"
	"strings"

	"billd/rating"
)

// Format is how a file writes its records.
type Format uint8

// The formats. Auto is told by the first character: { and [ begin JSON.
const (
	Auto Format = iota
	CSV
	JSON
)

// ParseFormat reads auto, csv or json; "" is auto.
func ParseFormat(s string) (Format, error) {
	switch s {
	case "", "auto":
		return Auto, nil
	case "csv":
		return CSV, nil
	case "json":
		return JSON, nil
	}
	return Auto, rating.Broken("format", "enum", "", "format %.40q: want auto, csv or json", s)
}

// Options tune a Reader.
type Options struct {
	Format Format
	Source string // the profile of records that name none
}

// Record says where a record stands in its file and, when it could not be read, why.
type Record struct {
	Line int    // of the file, from 1; of an array its element
	Raw  string // of an unreadable record, at most MaxRecord bytes
	Bad  string // why it is unreadable, "" when the call was read
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
}

// NewReader reads the head of in. Fails with Invalid when it is no file of call records.
func NewReader(in io.Reader, o Options) (*Reader, error) {
	r := &Reader{w: window{in: in}, o: o, line: 1}
	if err := r.w.more(); err != nil && err != io.EOF {
		return nil, err
	}
	r.w.skip(len(r.w.rest()) - len(strings.TrimPrefix(r.w.rest(), "\ufeff")))
	first := strings.TrimLeft(r.w.rest(), " \t\r\n")
	if first == "" {
		return nil, rating.Broken("file", "required", "", "the file is empty: want call records as CSV with a header, or JSON")
	}
	isJSON := first[0] == '{' || first[0] == '['
	switch {
	case o.Format == CSV || o.Format == Auto && !isJSON:
		return r, r.beginCSV()
	case !isJSON:
		return nil, rating.Broken("file", "json", "", "the file is not JSON: want objects, one a line or in an array")
	}
	return r, r.beginJSON()
}

// Read reads the next record into call, which it empties first, and rec. io.EOF is the end. Another
// error is the end too: the file cannot be read on. The call's texts are parts of a piece of the file
// of about a megabyte, which lives as long as they do.
func (r *Reader) Read(call *rating.Call, rec *Record) error {
	*rec = Record{}
	call.Reset()
	return r.read(call, rec)
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
	if !ok { // go on with the next line
		for size = strings.IndexByte(r.w.rest(), '\n'); size < 0; size = strings.IndexByte(r.w.rest(), '\n') {
			if err := r.w.more(); err == io.EOF {
				size = len(r.w.rest())
				break
			} else if err != nil {
				return err
			}
		}
		call.Reset()
		rec.bad(strings.Clone(r.w.rest()[:size]), errNotJSON.Msg)
	}
	r.line += strings.Count(r.w.rest()[:size], "\n")
	r.w.skip(size)
	return nil
}

// object reads the value at the window's front: its size, and whether it is JSON. A value that is
// JSON and no call makes rec unreadable.
func (r *Reader) object(call *rating.Call, rec *Record) (size int, ok bool, err error) {
	for {
		s := scanner{s: r.w.rest()}
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
