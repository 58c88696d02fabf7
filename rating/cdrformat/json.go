package cdrformat

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"billd/rating"
)

// maxDepth bounds how deep values nest in a record.
const maxDepth = 64

// MaxRecord is the longest record that is read, in bytes.
const MaxRecord = 64 << 10

var errNotJSON = rating.Broken("record", "json", "", "the record is not valid JSON")

// ParseJSON reads one JSON object as a call. Members that billd does not know are passed over:
// switches send more than a bill needs. The call's texts are parts of text.
func ParseJSON(text, source string, call *rating.Call) error {
	r := row{call: call}
	s := scanner{s: text}
	s.space()
	if s.peek() != '{' {
		if s.value(0) && s.end() {
			return rating.Broken("record", "type", "", "the record is not a JSON object")
		}
		return errNotJSON
	}
	var bad error
	ok := s.object(0, func(name string, v value) {
		if bad == nil {
			bad = r.member(name, v)
		}
	})
	if !ok || !s.end() {
		return errNotJSON
	}
	if bad != nil {
		return bad
	}
	return r.finish(source)
}

// member sets what one member of a record says.
func (r *row) member(name string, v value) error {
	c, ok := columns[name]
	if !ok || v.kind == 'n' {
		return nil
	}
	text := v.text
	if c.kind == columnField {
		kind := c.field.Kind()
		if (v.kind == '{' || v.kind == '[') && kind != rating.KindJSON && kind != rating.KindInts {
			return rating.Broken(name, "type", "", "%s: want one value", name)
		}
		if kind == rating.KindJSON {
			text = v.raw
		}
	}
	return r.set(c, text)
}

// value is one JSON value: text is a string's content, else the same as raw.
type value struct {
	kind byte // " 0 t n { [
	text string
	raw  string
}

// scanner takes JSON apart; every method reports false for what is not JSON.
type scanner struct {
	s   string
	i   int
	nan bool // nan and inf are read as null, which JSON does not have and some switches write
}

func (s *scanner) space() {
	for s.i < len(s.s) && (s.s[s.i] == ' ' || s.s[s.i] == '\n' || s.s[s.i] == '\t' || s.s[s.i] == '\r') {
		s.i++
	}
}

// peek returns the next byte, 0 at the end.
func (s *scanner) peek() byte {
	if s.i < len(s.s) {
		return s.s[s.i]
	}
	return 0
}

func (s *scanner) take(c byte) bool {
	s.space()
	if s.peek() != c {
		return false
	}
	s.i++
	return true
}

// end reports whether nothing but blanks is left.
func (s *scanner) end() bool {
	s.space()
	return s.i == len(s.s)
}

// object calls fn with each member; fn may be nil.
func (s *scanner) object(depth int, fn func(string, value)) bool {
	if depth > maxDepth || !s.take('{') {
		return false
	}
	if s.take('}') {
		return true
	}
	for {
		s.space()
		name, ok := s.text()
		if !ok || !s.take(':') {
			return false
		}
		v, ok := s.read(depth + 1)
		if !ok {
			return false
		}
		if fn != nil {
			fn(name, v)
		}
		if s.take('}') {
			return true
		}
		if !s.take(',') {
			return false
		}
	}
}

func (s *scanner) array(depth int) bool {
	if depth > maxDepth || !s.take('[') {
		return false
	}
	if s.take(']') {
		return true
	}
	for {
		if !s.value(depth + 1) {
			return false
		}
		if s.take(']') {
			return true
		}
		if !s.take(',') {
			return false
		}
	}
}

// value steps over one value.
func (s *scanner) value(depth int) bool {
	_, ok := s.read(depth)
	return ok
}

func (s *scanner) read(depth int) (v value, ok bool) {
	s.space()
	start := s.i
	switch c := s.peek(); {
	case c == '"':
		v.kind = '"'
		v.text, ok = s.text()
		v.raw = s.s[start:s.i]
		return v, ok
	case c == '{':
		v.kind, ok = '{', s.object(depth, nil)
	case c == '[':
		v.kind, ok = '[', s.array(depth)
	case c == 't':
		v.kind, ok = 't', s.word("true")
	case c == 'f':
		v.kind, ok = 't', s.word("false")
	case c == 'n':
		v.kind, ok = 'n', s.word("null") || s.nan && s.word("nan")
	case s.nan && s.notNumber():
		v.kind, ok = 'n', true
	default:
		v.kind, ok = '0', s.number()
	}
	v.raw = s.s[start:s.i]
	v.text = v.raw
	return v, ok
}

func (s *scanner) word(w string) bool {
	if !strings.HasPrefix(s.s[s.i:], w) {
		return false
	}
	s.i += len(w)
	return true
}

// notNumber takes what C prints for a number that is none.
func (s *scanner) notNumber() bool {
	for _, w := range [...]string{"-nan", "NaN", "inf", "-inf", "Infinity", "-Infinity"} {
		if s.word(w) {
			return true
		}
	}
	return false
}

func (s *scanner) digits() bool {
	from := s.i
	for s.i < len(s.s) && s.s[s.i]-'0' < 10 {
		s.i++
	}
	return s.i > from
}

func (s *scanner) number() bool {
	if s.peek() == '-' {
		s.i++
	}
	if s.peek() == '0' {
		s.i++
	} else if !s.digits() {
		return false
	}
	if s.peek() == '.' {
		s.i++
		if !s.digits() {
			return false
		}
	}
	if c := s.peek(); c == 'e' || c == 'E' {
		s.i++
		if c := s.peek(); c == '+' || c == '-' {
			s.i++
		}
		return s.digits()
	}
	return true
}

// text reads a string. Without escapes it is a part of the input.
func (s *scanner) text() (string, bool) {
	if s.peek() != '"' {
		return "", false
	}
	s.i++
	start := s.i
	for ; s.i < len(s.s); s.i++ {
		switch c := s.s[s.i]; {
		case c == '"':
			s.i++
			return s.s[start : s.i-1], true
		case c == '\\':
			return s.escaped(start)
		case c < ' ':
			return "", false
		}
	}
	return "", false
}

// escapes are the letters after a backslash and what they stand for.
var escapes = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// escaped reads on in a string that has escapes.
func (s *scanner) escaped(start int) (string, bool) {
	b := append(make([]byte, 0, 2*(s.i-start)+16), s.s[start:s.i]...)
	for s.i < len(s.s) {
		c := s.s[s.i]
		s.i++
		switch {
		case c == '"':
			return string(b), true
		case c < ' ':
			return "", false
		case c != '\\':
			b = append(b, c)
		case s.peek() == 'u':
			s.i++
			r, ok := s.unicode()
			if !ok {
				return "", false
			}
			b = utf8.AppendRune(b, r)
		default:
			e := escapes[s.peek()]
			if e == 0 {
				return "", false
			}
			s.i++
			b = append(b, e)
		}
	}
	return "", false
}

// unicode reads the four digits of an escape, and a second escape if they are the first half of a pair.
func (s *scanner) unicode() (rune, bool) {
	r, ok := s.hex4()
	if !ok || !utf16.IsSurrogate(r) {
		return r, ok
	}
	if !strings.HasPrefix(s.s[s.i:], `\u`) {
		return utf8.RuneError, true
	}
	at := s.i
	s.i += 2
	low, ok := s.hex4()
	if !ok {
		return 0, false
	}
	pair := utf16.DecodeRune(r, low)
	if pair == utf8.RuneError {
		s.i = at // the second escape stands for itself
	}
	return pair, true
}

func (s *scanner) hex4() (r rune, ok bool) {
	if len(s.s)-s.i < 4 {
		return 0, false
	}
	for range 4 {
		c := s.s[s.i]
		s.i++
		switch {
		case c-'0' < 10:
			r = r<<4 | rune(c-'0')
		case c|0x20-'a' < 6:
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	return r, true
}
