package jsonapi

import (
	"cmp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"billd/rating"
)

// class says how a Value is held and written.
type class uint8

const (
	null    class = iota
	text          // s
	decimal       // s, canonical; written as a JSON string
	float         // s, a JSON number; written as it is
	integer       // i
	instant       // i, microseconds since 1970
	boolean       // i, 0 or 1
	rawJSON       // s
)

// maxEcho is how many bytes of a client's text an error repeats.
const maxEcho = 240

// Value is one attribute of one record, apart from its Go type: it is written, compared and
// filtered. The zero Value is null.
type Value struct {
	class class
	i     int64
	s     string
}

// TextValue returns a text.
func TextValue(s string) Value { return Value{class: text, s: s} }

// DecimalValue returns an exact number that is written as a string; not set is null.
func DecimalValue(d rating.Decimal) Value {
	if !d.IsSet() {
		return Value{}
	}
	if d.Sign() == 0 {
		d = "0.0" // never "-0.0" (quirk Q12)
	}
	return Value{class: decimal, s: string(d)}
}

// FloatValue returns a measured number, given and written as a JSON number with a decimal point.
func FloatValue(s string) Value {
	if s == "" {
		return Value{}
	}
	if !strings.ContainsAny(s, ".eE") {
		s += ".0"
	}
	return Value{class: float, s: s}
}

// IntegerValue returns a whole number.
func IntegerValue(n int64) Value { return Value{class: integer, i: n} }

// InstantValue returns a moment; the zero time is null.
func InstantValue(t time.Time) Value {
	if t.IsZero() {
		return Value{}
	}
	return Value{class: instant, i: t.UnixMicro()}
}

// BoolValue returns a truth value.
func BoolValue(b bool) Value {
	v := Value{class: boolean}
	if b {
		v.i = 1
	}
	return v
}

// JSONValue returns a value that is written as the JSON given; empty is null. It does not sort.
func JSONValue(raw string) Value {
	if raw == "" {
		return Value{}
	}
	return Value{class: rawJSON, s: raw}
}

// IsNull reports whether v is null.
func (v Value) IsNull() bool { return v.class == null }

// blank reports whether v counts as missing: null, or a text of nothing but white space.
func (v Value) blank() bool {
	return v.class == null || v.class == text && strings.TrimSpace(v.s) == ""
}

// number returns v for comparison with numbers of another class.
func (v Value) number() rating.Decimal {
	switch v.class {
	case decimal:
		return rating.Decimal(v.s)
	case float:
		d, _ := rating.ParseDecimal(v.s)
		return d
	}
	return rating.Decimal(strconv.FormatInt(v.i, 10) + ".0")
}

// numeric reports whether v is a number.
func (v Value) numeric() bool { return v.class == decimal || v.class == float || v.class == integer }

// compare returns -1, 0 or 1; null comes after everything.
func (v Value) compare(w Value) int {
	switch {
	case v.class == null || w.class == null:
		return cmp.Compare(b2i(v.class == null), b2i(w.class == null))
	case v.class != w.class && v.numeric() && w.numeric(), v.class == decimal, v.class == float:
		return v.number().Cmp(w.number())
	case v.class == text || v.class == rawJSON:
		return strings.Compare(v.s, w.s)
	}
	return cmp.Compare(v.i, w.i)
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// append writes v as JSON.
func (v Value) append(dst []byte) []byte {
	switch v.class {
	case text:
		return appendString(dst, v.s)
	case decimal:
		return append(append(append(dst, '"'), v.s...), '"')
	case float, rawJSON:
		return append(dst, v.s...)
	case integer:
		return strconv.AppendInt(dst, v.i, 10)
	case boolean:
		return strconv.AppendBool(dst, v.i != 0)
	case instant:
		return appendInstant(dst, v.i)
	}
	return append(dst, "null"...)
}

// appendInstant writes microseconds since 1970 with three decimals, the rest cut off.
func appendInstant(dst []byte, micro int64) []byte {
	t := time.UnixMicro(micro).UTC().Truncate(time.Millisecond)
	return append(t.AppendFormat(append(dst, '"'), "2006-01-02T15:04:05.000Z"), '"')
}

// FormatInstant returns t as attributes show it.
func FormatInstant(t time.Time) string {
	return t.UTC().Truncate(time.Millisecond).Format("2006-01-02T15:04:05.000Z")
}

// appendString writes s as a JSON string. Bytes that are not UTF-8 become U+FFFD.
func appendString(dst []byte, s string) []byte { return append(appendQuoted(append(dst, '"'), s), '"') }

// plainByte reports whether a byte stands for itself in a JSON string.
func plainByte(c byte) bool { return c >= ' ' && c != '"' && c != '\\' && c < utf8.RuneSelf }

// appendQuoted writes what stands between a JSON string's quotes.
func appendQuoted(dst []byte, s string) []byte {
	for i := 0; i < len(s); {
		plain := i
		for i < len(s) && plainByte(s[i]) {
			i++
		}
		if dst = append(dst, s[plain:i]...); i == len(s) {
			break
		}
		c := s[i]
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == '\u2028' || r == '\u2029' { // line ends in JavaScript
				dst = append(dst, `\u202`...)
				dst = append(dst, "89"[r-'\u2028'])
			} else {
				dst = utf8.AppendRune(dst, r)
			}
			i += n
			continue
		}
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c == '\n':
			dst = append(dst, `\n`...)
		case c == '\r':
			dst = append(dst, `\r`...)
		case c == '\t':
			dst = append(dst, `\t`...)
		default:
			const hex = "0123456789abcdef"
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
		i++
	}
	return dst
}

// clip shortens what a client sent so that an error stays readable.
func clip(s string) string {
	if len(s) <= maxEcho {
		return strings.ToValidUTF8(s, "\uFFFD")
	}
	return strings.ToValidUTF8(s[:maxEcho], "\uFFFD") + "…"
}
