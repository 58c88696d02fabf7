package dataformat

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"strings"

	"billd/rating"
)

// maxLine bounds a line of CSV or JSON, and an object of a JSON list, in bytes.
const maxLine = 1 << 20

// Each calls fn with the records of each line of a file: CSV with a header, JSON objects one a line, or one
// JSON list or object over several lines. err says why a line cannot be read; the others are read all the
// same. It stops at the first error of fn, or of the file.
func Each(in io.Reader, o Options, fn func(line int, records []rating.DataRecord, err error) error) error {
	r := bufio.NewReaderSize(in, 64<<10)
	if mark, _ := r.Peek(3); bytes.Equal(mark, []byte("\xef\xbb\xbf")) {
		r.Discard(3)
	}
	if why := noText(r); why != "" {
		return rating.Broken("file", "format", "", "%s", why)
	}
	if head, _ := r.Peek(64 << 10); bytes.IndexByte(head, '\n') < 0 && bytes.IndexByte(head, '\r') >= 0 {
		r = bufio.NewReaderSize(oldEnds{r}, 64<<10)
	}
	first, err := firstByte(r)
	if err != nil {
		return err
	}
	switch first {
	case '[':
		return eachElement(r, o, fn)
	case '{':
		return eachObject(r, o, fn)
	}
	return eachRow(r, o, fn)
}

// noText says what a file is that is no text; "" when it may be one.
func noText(r *bufio.Reader) string {
	head, _ := r.Peek(4)
	switch {
	case bytes.HasPrefix(head, []byte("\xff\xfe")), bytes.HasPrefix(head, []byte("\xfe\xff")):
		return "the file is UTF-16: want UTF-8"
	case bytes.HasPrefix(head, []byte("\x1f\x8b")):
		return "the file is compressed with gzip: unpack it first"
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return "the file is a zip archive or a spreadsheet: want its text"
	}
	return ""
}

// oldEnds reads line ends of old Macs, a carriage return alone, as others.
type oldEnds struct{ r io.Reader }

func (o oldEnds) Read(p []byte) (int, error) {
	n, err := o.r.Read(p)
	for i, c := range p[:n] {
		if c == '\r' {
			p[i] = '\n'
		}
	}
	return n, err
}

// firstByte looks at the first byte that is not blank.
func firstByte(r *bufio.Reader) (byte, error) {
	for {
		b, err := r.ReadByte()
		if err == io.EOF {
			return 0, rating.Broken("file", "required", "", "the file is empty")
		}
		if err != nil {
			return 0, err
		}
		if b != ' ' && b != '\t' && b != '\r' && b != '\n' {
			return b, r.UnreadByte()
		}
	}
}

// errLong says that a line is too long to be a record.
var errLong = rating.Broken("record", "maximum", "", "the line is longer than 1 MiB")

// line reads a line without its end, at most maxLine bytes; the rest of a longer one is passed over.
func line(r *bufio.Reader) (text []byte, long bool, err error) {
	for {
		part, err := r.ReadSlice('\n')
		if len(text)+len(part) > maxLine {
			long = true
		} else {
			text = append(text, part...)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if err == io.EOF && (len(text) > 0 || long) {
			err = nil
		}
		return bytes.TrimRight(text, "\r\n"), long, err
	}
}

// eachObject reads objects one a line, or over several lines each.
func eachObject(r *bufio.Reader, o Options, fn func(int, []rating.DataRecord, error) error) error {
	var whole []byte // of an object that has not ended
	var in nesting
	for n := 1; ; n++ {
		text, long, err := line(r)
		if err == io.EOF {
			if len(bytes.TrimSpace(whole)) > 0 {
				return object(n-1, whole, o, fn)
			}
			return nil
		} else if err != nil {
			return err
		}
		if long || len(whole)+len(text) > maxLine {
			whole, in = nil, nesting{}
			if err := fn(n, nil, errLong); err != nil {
				return err
			}
			continue
		}
		if in.depth > 0 && in.cutBy(text) { // the end of the one before is lost, this is another one
			if err := object(n-1, whole, o, fn); err != nil {
				return err
			}
			whole, in = nil, nesting{}
		}
		whole = append(append(whole, text...), '\n')
		if in.read(text); in.depth > 0 || len(bytes.TrimSpace(whole)) == 0 {
			continue
		}
		if err := object(n, whole, o, fn); err != nil {
			return err
		}
		whole, in = nil, nesting{}
	}
}

// nesting is how deep in objects and lists a text has got.
type nesting struct {
	depth, lists    int // lists are those of depth that are lists
	quoted, escaped bool
	last            byte // that is no blank
}

// cutBy reports whether a line begins an object where none can stand: in a text, or behind anything but a colon, or a
// comma or bracket of a list.
func (in *nesting) cutBy(line []byte) bool {
	line = bytes.TrimLeft(line, " \t")
	if len(line) == 0 || line[0] != '{' {
		return false
	}
	return in.quoted || in.last != ':' && !(in.lists > 0 && (in.last == ',' || in.last == '['))
}

func (in *nesting) read(text []byte) {
	for _, b := range text {
		if b != ' ' && b != '\t' {
			in.last = b
		}
		switch {
		case in.escaped:
			in.escaped = false
		case in.quoted && b == '\\':
			in.escaped = true
		case b == '"':
			in.quoted = !in.quoted
		case in.quoted:
		case b == '{':
			in.depth++
		case b == '[':
			in.depth++
			in.lists++
		case b == '}':
			in.depth--
		case b == ']':
			in.depth--
			in.lists--
		}
	}
}

// object gives one object's records, or those of the list that it holds.
func object(n int, raw []byte, o Options, fn func(int, []rating.DataRecord, error) error) error {
	var holder struct {
		Sessions []json.RawMessage `json:"sessions"`
	}
	if json.Unmarshal(raw, &holder) == nil && holder.Sessions != nil {
		for _, one := range holder.Sessions {
			if err := object(n, one, o, fn); err != nil {
				return err
			}
		}
		return nil
	}
	f, err := jsonFields(raw)
	if err != nil {
		return fn(n, nil, err)
	}
	return fn(n, Records(f, o), nil)
}

// budget fails when more is read than a record may have.
type budget struct {
	r    io.Reader
	left int
}

func (b *budget) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errLong
	}
	n, err := b.r.Read(p)
	b.left -= n
	return n, err
}

// eachElement reads a list element by element; what follows a broken one cannot be read.
func eachElement(r io.Reader, o Options, fn func(int, []rating.DataRecord, error) error) error {
	b := &budget{r, 2 * maxLine}
	d := json.NewDecoder(b)
	if _, err := d.Token(); err != nil {
		return rating.Broken("file", "json", "", "the file is not JSON")
	}
	for n := 1; d.More(); n++ {
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return rating.Broken("file", "json", "", "after record %d: the file is not JSON from there on", n-1)
		}
		b.left = 2 * maxLine
		if err := object(n, raw, o, fn); err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil {
		return rating.Broken("file", "json", "", "the list does not end")
	}
	return nil
}

// eachRow reads CSV with a header, a row a line.
func eachRow(r *bufio.Reader, o Options, fn func(int, []rating.DataRecord, error) error) error {
	head, long, err := line(r)
	if err != nil || long {
		return rating.Broken("file", "csv", "", "the first line is no header")
	}
	comma := ','
	for _, c := range ";\t|" {
		if bytes.Count(head, []byte(string(c))) > bytes.Count(head, []byte(string(comma))) {
			comma = c
		}
	}
	header, err := cells(head, comma)
	if err != nil {
		return err
	}
	known := 0
	for i, name := range header {
		if header[i] = plain(name); columns[header[i]] {
			known++
		}
	}
	if known < 3 {
		return rating.Broken("file", "csv", "", "the first line names no columns of sessions: want acctsessionid, username, nasipaddress, acctinputoctets …")
	}
	for n := 2; ; n++ {
		text, long, err := line(r)
		if err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if len(bytes.TrimSpace(text)) == 0 && !long {
			continue
		}
		if err := row(n, text, long, header, comma, o, fn); err != nil {
			return err
		}
	}
}

// row gives the records of one row.
func row(n int, text []byte, long bool, header []string, comma rune, o Options, fn func(int, []rating.DataRecord, error) error) error {
	if long {
		return fn(n, nil, errLong)
	}
	values, err := cells(text, comma)
	if err == nil && len(values) != len(header) {
		err = rating.Broken("record", "csv", "", "%d columns, the header has %d", len(values), len(header))
	}
	if err != nil {
		return fn(n, nil, err)
	}
	f := Fields{}
	for i, v := range values {
		f[header[i]] = v
	}
	return fn(n, Records(f, o), nil)
}

// cells splits a line of CSV.
func cells(text []byte, comma rune) ([]string, error) {
	c := csv.NewReader(bytes.NewReader(text))
	c.Comma, c.FieldsPerRecord = comma, -1
	values, err := c.Read()
	if err != nil {
		return nil, rating.Broken("record", "csv", "", "%s", strings.ToLower(csvWhy(err)))
	}
	return values, nil
}

func csvWhy(err error) string {
	var p *csv.ParseError
	if errors.As(err, &p) {
		return p.Err.Error()
	}
	return "no columns"
}
