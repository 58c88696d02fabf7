package xlsx

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"billd/rating"
)

// scanner reads XML tag by tag in bounded memory. It knows as much XML as spreadsheets write:
// elements, attributes, text, CDATA, comments; a document type is refused.
type scanner struct {
	r    *bufio.Reader
	text []byte // what stood before the tag, entities undone, when it was asked for
	tag  []byte // what stands between < and >
}

func newScanner(r io.Reader) (*scanner, error) {
	s := &scanner{r: bufio.NewReaderSize(r, 64<<10)}
	start, err := s.r.Peek(3)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if bytes.HasPrefix(start, []byte{0xff, 0xfe}) || bytes.HasPrefix(start, []byte{0xfe, 0xff}) {
		return nil, broken("its XML is UTF-16, want UTF-8")
	}
	return s, nil
}

func broken(what string) error {
	return rating.Errorf(rating.Invalid, "file", "the workbook is damaged: %s", what)
}

// next moves to the next tag. With keep it gathers the text before it, else it drops that.
// Fails with io.EOF at the end.
func (s *scanner) next(keep bool) error {
	s.text = s.text[:0]
	for {
		if err := s.skipText(keep); err != nil {
			return err
		}
		if err := s.readTag(); err != nil {
			return err
		}
		switch {
		case len(s.tag) == 0:
			return broken("an empty XML tag")
		case s.tag[0] == '?':
		case bytes.HasPrefix(s.tag, []byte("!--")):
			if err := s.skipTo("--", false); err != nil {
				return err
			}
		case bytes.HasPrefix(s.tag, []byte("![CDATA[")):
			if err := s.skipTo("]]", keep); err != nil {
				return err
			}
		case s.tag[0] == '!':
			return broken("it declares a document type")
		default:
			return nil
		}
	}
}

// skipText reads up to the next <.
func (s *scanner) skipText(keep bool) error {
	from := len(s.text)
	for {
		piece, err := s.r.ReadSlice('<')
		if keep {
			if len(s.text)+len(piece) > maxCell {
				return broken("a cell of more than " + strconv.Itoa(maxCell) + " bytes")
			}
			s.text = append(s.text, piece...)
		}
		switch {
		case err == nil:
			if keep {
				s.text = unescape(s.text[:len(s.text)-1], from)
			}
			return nil
		case errors.Is(err, bufio.ErrBufferFull):
		default:
			return err
		}
	}
}

// readTag reads up to the > that is not inside quotes.
func (s *scanner) readTag() error {
	s.tag = s.tag[:0]
	for {
		piece, err := s.r.ReadSlice('>')
		if len(s.tag)+len(piece) > maxTag {
			return broken("an XML tag of more than " + strconv.Itoa(maxTag) + " bytes")
		}
		s.tag = append(s.tag, piece...)
		switch {
		case err == nil:
			if n := len(s.tag) - 1; s.tag[0] == '!' || !insideQuotes(s.tag[:n]) {
				s.tag = s.tag[:n]
				return nil
			}
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF):
			return broken("it ends inside an XML tag")
		default:
			return err
		}
	}
}

func insideQuotes(b []byte) bool {
	var open byte
	for _, c := range b {
		switch {
		case open == 0 && (c == '"' || c == '\''):
			open = c
		case c == open:
			open = 0
		}
	}
	return open != 0
}

// skipTo goes on, from a tag that begins a comment or CDATA, to the > behind its end mark.
func (s *scanner) skipTo(end string, keep bool) error {
	body := s.tag[3:]
	if end == "]]" {
		body = s.tag[len("![CDATA["):]
	}
	for {
		done := bytes.HasSuffix(body, []byte(end))
		if done {
			body = body[:len(body)-len(end)]
		}
		if keep {
			if len(s.text)+len(body) > maxCell {
				return broken("a cell of more than " + strconv.Itoa(maxCell) + " bytes")
			}
			s.text = append(s.text, body...)
		}
		if done {
			return nil
		}
		if keep {
			s.text = append(s.text, '>')
		}
		s.tag = append(s.tag[:0], '!') // quotes mean nothing in here
		piece, err := s.r.ReadSlice('>')
		for errors.Is(err, bufio.ErrBufferFull) {
			if s.tag = append(s.tag, piece...); len(s.tag) > maxCell {
				if keep {
					return broken("a cell of more than " + strconv.Itoa(maxCell) + " bytes")
				}
				s.tag = append(s.tag[:1], s.tag[len(s.tag)-len(end):]...)
			}
			piece, err = s.r.ReadSlice('>')
		}
		if errors.Is(err, io.EOF) {
			return broken("it ends inside a comment or CDATA")
		} else if err != nil {
			return err
		}
		s.tag = append(s.tag, piece[:len(piece)-1]...)
		body = s.tag[1:]
	}
}

// name returns the tag's name without its namespace, and whether it closes an element.
func (s *scanner) name() (name []byte, closes bool) {
	t := s.tag
	if t[0] == '/' {
		t, closes = t[1:], true
	}
	if i := bytes.IndexAny(t, " \t\r\n/"); i >= 0 {
		t = t[:i]
	}
	return local(t), closes
}

// alone says that the tag is an element without content, <c/>.
func (s *scanner) alone() bool { return s.tag[len(s.tag)-1] == '/' }

func local(name []byte) []byte { return name[bytes.LastIndexByte(name, ':')+1:] }

// attr returns the value of an attribute, by its name without a namespace; nil for none.
func (s *scanner) attr(name string) []byte {
	t := s.tag
	i := bytes.IndexAny(t, " \t\r\n")
	if i < 0 {
		return nil
	}
	t = t[i:]
	for {
		t = bytes.TrimLeft(t, " \t\r\n/")
		eq := bytes.IndexByte(t, '=')
		if eq < 0 {
			return nil
		}
		key := local(bytes.TrimSpace(t[:eq]))
		t = bytes.TrimLeft(t[eq+1:], " \t\r\n")
		if len(t) == 0 || t[0] != '"' && t[0] != '\'' {
			return nil
		}
		end := bytes.IndexByte(t[1:], t[0])
		if end < 0 {
			return nil
		}
		if string(key) == name {
			v := t[1 : 1+end]
			if bytes.IndexByte(v, '&') >= 0 {
				v = unescape(bytes.Clone(v), 0)
			}
			return v
		}
		t = t[end+2:]
	}
}

// unescape undoes XML's entities in b from an offset on, in place.
func unescape(b []byte, from int) []byte {
	i := bytes.IndexByte(b[from:], '&')
	if i < 0 {
		return b
	}
	out := b[:from+i]
	rest := b[from+i:]
	for len(rest) > 0 {
		if rest[0] != '&' {
			n := bytes.IndexByte(rest, '&')
			if n < 0 {
				n = len(rest)
			}
			out = append(out, rest[:n]...)
			rest = rest[n:]
			continue
		}
		end := bytes.IndexByte(rest[:min(len(rest), 12)], ';')
		if end < 0 {
			out, rest = append(out, '&'), rest[1:]
			continue
		}
		text, ok := entity(string(rest[1:end]))
		if !ok {
			out, rest = append(out, '&'), rest[1:]
			continue
		}
		out, rest = append(out, text...), rest[end+1:]
	}
	return out
}

// entity returns what &name; stands for; never longer than the entity itself.
func entity(name string) (string, bool) {
	switch name {
	case "amp":
		return "&", true
	case "lt":
		return "<", true
	case "gt":
		return ">", true
	case "quot":
		return `"`, true
	case "apos":
		return "'", true
	}
	digits, ok := strings.CutPrefix(name, "#")
	if !ok {
		return "", false
	}
	base := 10
	if strings.HasPrefix(digits, "x") || strings.HasPrefix(digits, "X") {
		digits, base = digits[1:], 16
	}
	n, err := strconv.ParseUint(digits, base, 32)
	if err != nil || n == 0 || !utf8.ValidRune(rune(n)) {
		return "", false
	}
	return string(rune(n)), true
}
