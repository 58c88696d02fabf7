package cdrformat

import (
	"io"
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
	Apart               bool // of a call that acc tells in two records one may be alone: it is handed out as Record.Half
	Told                bool // records tell which column said what
	Line                int  // what the first line is numbered, of a piece of a file; 0 is 1
}

// Record says where a record stands in its file and, when it could not be read, why.
type Record struct {
	Line int    // of the file, from 1; of an array its element
	Raw  string // of an unreadable record, at most MaxRecord bytes
	Bad  string // why it is unreadable, "" when the call was read
	// Skipped says why the record is no call to charge, such as the second leg of one; there is no call then.
	Skipped string
	Half    *rating.Half // the record does not tell the call alone
	Said    []Said       // what the record's columns say, with Options.Told

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
	header  string   // the line of names
	comma   byte
	unknown []string
	wrapped bool // the array is a member of an object
	begun   bool // the array has had an element
	quoted  []string
	taken   int // size of the row that csvLine took last

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
	r := &Reader{w: window{in: in}, o: o, line: max(o.Line, 1)}
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
	r.w.oldEnds()
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
