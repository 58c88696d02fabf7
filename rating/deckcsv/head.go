package deckcsv

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"unicode/utf8"

	"billd/rating"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

const (
	chunk    = 256 << 10 // what the stream is read by
	headSize = 256 << 10 // what is looked at before the first row
	headRows = 400       // rows of it that decide the layout
)

// counter counts the bytes taken from a stream.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

func isEOF(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }

// utf16Of returns the decoder that the first bytes of a file ask for, or nil; marked says that a
// byte-order mark did, rather than zero bytes at every other place.
func utf16Of(start []byte) (name string, dec *encoding.Decoder, marked bool) {
	le := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder()
	be := unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewDecoder()
	switch {
	case bytes.HasPrefix(start, []byte{0xff, 0xfe}):
		return "UTF-16LE", le, true
	case bytes.HasPrefix(start, []byte{0xfe, 0xff}):
		return "UTF-16BE", be, true
	}
	var zeros [2]int
	for i, b := range start {
		if b == 0 {
			zeros[i&1]++
		}
	}
	most := len(start) / 4
	switch {
	case zeros[1] > most && zeros[0] == 0:
		return "UTF-16LE", unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM).NewDecoder(), false
	case zeros[0] > most && zeros[1] == 0:
		return "UTF-16BE", unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM).NewDecoder(), false
	}
	return "", nil, false
}

// openText undoes UTF-16, takes a byte-order mark away, and names the encoding. Code pages are
// undone cell by cell, since they leave every delimiter and digit in place.
func (r *Reader) openText(in io.Reader) (io.Reader, error) {
	br := bufio.NewReaderSize(in, 64<<10)
	start, err := br.Peek(512)
	if err != nil && !isEOF(err) {
		return nil, err
	}
	if name, dec, marked := utf16Of(start); dec != nil {
		r.layout.Encoding = name
		if !marked {
			r.warnf("no byte-order mark, read as %s", name)
		}
		return dec.Reader(br), nil
	}
	r.layout.Encoding = "UTF-8"
	if bytes.HasPrefix(start, []byte("\ufeff")) {
		if _, err := br.Discard(3); err != nil {
			return nil, err
		}
	}
	return br, nil
}

// loadHead fills the line buffer with the beginning of the file and refuses what is no CSV.
func (r *Reader) loadHead() error {
	l := &r.lines
	l.buf = make([]byte, 0, headSize+chunk)
	for len(l.buf) < headSize && !l.eof {
		if err := l.fill(); err != nil {
			return err
		}
	}
	head := l.buf
	if err := refuseForeign(head); err != nil {
		return err
	}
	if bytes.IndexByte(head, '\n') < 0 && bytes.IndexByte(head, '\r') >= 0 {
		l.eol = '\r'
	}
	if !utf8.Valid(trimPartialRune(head)) {
		r.pickCodePage(head)
	}
	return nil
}

// trimPartialRune takes a character that the cut through the file left unfinished off the end.
func trimPartialRune(b []byte) []byte {
	for i := 1; i < utf8.UTFMax && i <= len(b); i++ {
		if c := b[len(b)-i]; utf8.RuneStart(c) {
			if !utf8.FullRune(b[len(b)-i:]) {
				return b[:len(b)-i]
			}
			break
		}
	}
	return b
}

func refuseForeign(head []byte) error {
	trimmed := bytes.TrimLeft(head, " \t\r\n")
	is := func(prefix string) bool { return bytes.HasPrefix(trimmed, []byte(prefix)) }
	switch {
	case len(trimmed) == 0:
		return rating.Errorf(rating.Invalid, "file", "the file is empty")
	case is("{") || is("[{") || is("[\n") || is("[\r"):
		return rating.Errorf(rating.Invalid, "file", "a JSON document; want CSV with a prefix and a price in each line")
	case is("PK\x03\x04"):
		return rating.Errorf(rating.Invalid, "file", "a workbook or an archive, which cannot be read as a stream")
	case is("\xd0\xcf\x11\xe0"):
		return rating.Errorf(rating.Invalid, "file", "an old spreadsheet (XLS) or one with a password; want XLSX or CSV: save it as one of them")
	case is("\x1f\x8b"):
		return rating.Errorf(rating.Invalid, "file", "a gzip file; want CSV: unpack it first")
	case is("%PDF"):
		return rating.Errorf(rating.Invalid, "file", "a PDF document; want CSV")
	case is("<"):
		return rating.Errorf(rating.Invalid, "file", "an HTML or XML document; want CSV")
	case bytes.IndexByte(head, 0) >= 0:
		return rating.Errorf(rating.Invalid, "file", "not a text file: it holds zero bytes")
	}
	return nil
}

// pickCodePage decides which code page text is in that is not UTF-8. Words in Cyrillic are runs of
// bytes above 0xBF; in the Latin languages such a byte stands alone among ASCII letters.
func (r *Reader) pickCodePage(text []byte) {
	alone, inRun := 0, 0
	for i, b := range text {
		if b < 0xc0 {
			continue
		}
		if (i > 0 && text[i-1] >= 0xc0) || (i+1 < len(text) && text[i+1] >= 0xc0) {
			inRun++
		} else {
			alone++
		}
	}
	page, name := charmap.Windows1252, "Windows-1252"
	if inRun > alone {
		page, name = charmap.Windows1251, "Windows-1251"
	}
	r.codePage = page.NewDecoder()
	r.layout.Encoding = name
	r.warnf("text is not UTF-8, read as %s: check the names", name)
}

// text returns a cell as UTF-8.
func (r *Reader) text(cell []byte) string {
	if utf8.Valid(cell) {
		return string(cell)
	}
	if r.codePage == nil {
		r.pickCodePage(cell)
	}
	s, err := r.codePage.String(string(cell))
	if err != nil { // a code page of 256 characters decodes every byte
		return string(bytes.ToValidUTF8(cell, []byte("\ufffd")))
	}
	return s
}
