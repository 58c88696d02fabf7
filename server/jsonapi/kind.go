package jsonapi

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"billd/rating"
)

// Messages of values that cannot be read. Source: contracts, Yeti 5.
const (
	notNumber  = "is not a number"
	notInteger = "must be an integer"
	isInvalid  = "is invalid"
	isBlank    = "can't be blank"
	notListed  = "is not included in the list"
	mustExist  = "must exist"
)

// Kind says how one Go type appears on the wire: which filter operators it has, how it is compared
// and written, and how it is read. Parse never sees null; a fault is the message of a 422.
type Kind[F any] struct {
	Ops   Ops
	Value func(F) Value
	Parse func(in Input) (v F, fault string)
}

// Input is one value of a request document, numbers as the text that was sent.
type Input struct{ gjson.Result }

// IsNull reports whether the value is null.
func (in Input) IsNull() bool { return in.Type == gjson.Null }

// isBlank reports whether the value is a text of nothing but white space.
func (in Input) isBlank() bool { return in.Type == gjson.String && strings.TrimSpace(in.Str) == "" }

// Scalar returns the value's text: a string's content, the digits of a number as they were sent,
// true, false. It reports false for arrays and objects.
func (in Input) Scalar() (string, bool) {
	switch in.Type {
	case gjson.String:
		return in.Str, true
	case gjson.JSON:
		return "", false
	}
	return in.Raw, true
}

// The kinds.
var (
	Text     = Kind[string]{StringOps, TextValue, parseText}
	NullText = pointer(Text)
	Bool     = Kind[bool]{BoolOps, BoolValue, parseBool}
	Integer  = IntegerOf[int64]()
	// NullInteger reads an empty string as null.
	NullInteger = pointer(Integer)
	Amount      = Kind[rating.Money]{NumberOps, func(m rating.Money) Value { return DecimalValue(m.Decimal()) }, number(rating.ParseMoney)}
	NullAmount  = pointer(Amount)
	Price       = Kind[rating.Price]{NumberOps, func(p rating.Price) Value { return DecimalValue(rating.Decimal(p.String())) }, number(rating.ParsePrice)}
	NullPrice   = pointer(Price)
	Percent     = Kind[rating.Percent]{NumberOps, func(p rating.Percent) Value { return DecimalValue(p.Decimal()) }, number(rating.ParsePercent)}
	// Limit is a rating.Decimal; not set is null.
	Limit = Kind[rating.Decimal]{NumberOps, DecimalValue, parseLimit}
	// Float is a measured number kept as JSON text; "" is null.
	Float = Kind[string]{NumberOps, FloatValue, parseFloat}
	// Instant is a moment; the zero time is null.
	Instant     = Kind[time.Time]{DatetimeOps, InstantValue, parseInstant}
	NullInstant = pointer(Instant)
	// UUID is written in lower case; the zero UUID is null.
	UUID = Kind[rating.UUID]{ExactOps, uuidValue, parseUUID}
	// Inet is an address as text; "" is null.
	Inet = Kind[string]{ExactOps, nullableText, parseText}
	// Integers is an array; a scalar becomes a one-element array, an empty one null.
	Integers = Kind[[]int64]{NoOps, integersValue, parseIntegers}
	// IntegerList is Integers whose empty array stays one.
	IntegerList = Kind[[]int64]{NoOps, func(ns []int64) Value { return JSONValue(string(appendIntegers(nil, ns))) }, parseIntegers}
	// Texts is an array of strings; a scalar becomes a one-element array.
	Texts = Kind[[]string]{NoOps, textsValue, parseTexts}
	// JSON is any value.
	JSON = Kind[json.RawMessage]{NoOps, func(m json.RawMessage) Value { return JSONValue(string(m)) },
		func(in Input) (json.RawMessage, string) { return json.RawMessage(in.Raw), "" }}
)

// IntegerOf is the kind of a whole number held as N.
func IntegerOf[N ~int64 | ~uint64 | ~uint32 | ~uint16 | ~uint8 | ~int]() Kind[N] {
	return Kind[N]{NumberOps, func(n N) Value { return IntegerValue(int64(n)) }, func(in Input) (N, string) {
		v, fault := parseInteger(in)
		if fault == "" && int64(N(v)) != v {
			return 0, notListed
		}
		return N(v), fault
	}}
}

// EnumOf is the kind of a type whose values are words.
func EnumOf[E any](words []string, word func(E) string) Kind[E] {
	return Kind[E]{Ops: Ops{set: exact, words: words}, Value: func(e E) Value { return nullableText(word(e)) }}
}

// pointer makes a kind nullable.
func pointer[F any](k Kind[F]) Kind[*F] {
	return Kind[*F]{Ops: k.Ops, Value: func(p *F) Value {
		if p == nil {
			return Value{}
		}
		return k.Value(*p)
	}, Parse: func(in Input) (*F, string) {
		if s, ok := in.Scalar(); ok && k.Ops.set != strings_ && strings.TrimSpace(s) == "" {
			return nil, ""
		}
		v, fault := k.Parse(in)
		if fault != "" {
			return nil, fault
		}
		return &v, ""
	}}
}

func nullableText(s string) Value {
	if s == "" {
		return Value{}
	}
	return TextValue(s)
}

// parseText reads a string. A zero byte ends a key in the store, so none is taken.
func parseText(in Input) (string, string) {
	s, ok := in.Scalar()
	if !ok || strings.IndexByte(s, 0) >= 0 {
		return "", isInvalid
	}
	return strings.ToValidUTF8(s, "\uFFFD"), ""
}

// falseWords are read as false; every other scalar is true. Source: Rails' boolean cast.
var falseWords = map[string]bool{"": true, "0": true, "f": true, "F": true, "false": true, "FALSE": true, "off": true, "OFF": true}

func parseBool(in Input) (bool, string) {
	s, ok := in.Scalar()
	if !ok {
		return false, isInvalid
	}
	return !falseWords[strings.TrimSpace(s)], ""
}

func parseInteger(in Input) (int64, string) {
	s, ok := in.Scalar()
	s = strings.TrimSpace(s)
	if !ok {
		return 0, notNumber
	}
	d, err := rating.ParseDecimal(s)
	if rating.KindOf(err) == rating.Invalid && err != nil {
		return 0, notNumber
	}
	n, err := strconv.ParseInt(strings.TrimPrefix(s, "+"), 10, 64)
	switch {
	case err == nil:
		return n, ""
	case d.IsSet() && strings.ContainsAny(s, ".eE"):
		return 0, notInteger
	case strings.HasPrefix(s, "-"):
		return 0, "must be greater than or equal to " + strconv.Itoa(math.MinInt64)
	}
	return 0, "must be less than or equal to " + strconv.Itoa(math.MaxInt64)
}

// number reads a decimal by one of rating's parsers, from a string or a number alike.
func number[N any](parse func(string) (N, error)) func(Input) (N, string) {
	return func(in Input) (v N, fault string) {
		s, ok := in.Scalar()
		if !ok {
			return v, notNumber
		}
		v, err := parse(s)
		if err == nil {
			return v, ""
		}
		if e, ok := err.(*rating.Error); ok && e.Kind == rating.Range {
			if e.Limit != "" {
				return v, "must be less than or equal to " + e.Limit
			}
			return v, "has too many digits"
		}
		return v, notNumber
	}
}

func parseLimit(in Input) (rating.Decimal, string) {
	d, fault := number(rating.ParseDecimal)(in)
	if fault == "" && d.Sign() == 0 {
		d = "0.0"
	}
	return d, fault
}

func parseFloat(in Input) (string, string) {
	d, fault := number(rating.ParseDecimal)(in)
	return string(d), fault
}

// instantForms are the spellings of a moment: a day, alone or with a time of day, that alone or with an
// offset. Go reads a fraction of a second behind any of them.
var instantForms = func() []string {
	forms := []string{time.RFC3339, "2006-01-02", "20060102"}
	for _, day := range []string{"2006-01-02T", "2006-01-02 ", "20060102T"} {
		for _, clock := range []string{"15:04:05", "15:04", "150405", "1504"} {
			for _, zone := range []string{"", "Z07:00", "Z0700", "Z07", " Z07:00", " Z0700", " UTC"} {
				forms = append(forms, day+clock+zone)
			}
		}
	}
	return forms
}()

// ParseInstant reads a date or an ISO 8601 moment, in loc when it has no offset, to the microsecond.
func ParseInstant(s string, loc *time.Location) (time.Time, bool) {
	s = strings.TrimSpace(s)
	for _, form := range instantForms {
		if t, err := time.ParseInLocation(form, s, loc); err == nil {
			return t.UTC().Truncate(time.Microsecond), t.Year() >= 1 && t.Year() <= 9999
		}
	}
	return time.Time{}, false
}

func parseInstant(in Input) (time.Time, string) {
	s, ok := in.Scalar()
	if !ok {
		return time.Time{}, isInvalid
	}
	t, ok := ParseInstant(s, time.UTC)
	if !ok {
		return time.Time{}, isInvalid
	}
	return t, ""
}

func uuidValue(u rating.UUID) Value { return nullableText(u.String()) }

func parseUUID(in Input) (rating.UUID, string) {
	s, _ := in.Scalar()
	u, err := rating.ParseUUID(s)
	if err != nil {
		return u, isInvalid
	}
	return u, ""
}

// maxList bounds an array attribute.
const maxList = 10_000

func integersValue(ns []int64) Value {
	if len(ns) == 0 {
		return Value{}
	}
	return JSONValue(string(appendIntegers(nil, ns)))
}

func appendIntegers(b []byte, ns []int64) []byte {
	b = append(b, '[')
	for i, n := range ns {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, n, 10)
	}
	return append(b, ']')
}

// elements calls fn with each element of an array, or with the one value that is not in an array.
func (in Input) elements(fn func(Input) string) string {
	if !in.IsArray() {
		if in.IsObject() {
			return isInvalid
		}
		return fn(in)
	}
	fault, n := "", 0
	in.ForEach(func(_, e gjson.Result) bool {
		if n++; n > maxList {
			fault = isInvalid
		} else if e.Type != gjson.Null {
			fault = fn(Input{e})
		}
		return fault == ""
	})
	return fault
}

func parseIntegers(in Input) (ns []int64, fault string) {
	fault = in.elements(func(e Input) string {
		n, fault := parseInteger(e)
		if s, ok := e.Scalar(); ok && strings.TrimSpace(s) == "" {
			return ""
		}
		ns = append(ns, n)
		return fault
	})
	return ns, fault
}

func textsValue(ss []string) Value {
	if ss == nil {
		return Value{}
	}
	b := []byte{'['}
	for i, s := range ss {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, s)
	}
	return JSONValue(string(append(b, ']')))
}

func parseTexts(in Input) (ss []string, fault string) {
	ss = []string{}
	fault = in.elements(func(e Input) string {
		s, fault := parseText(e)
		ss = append(ss, s)
		return fault
	})
	return ss, fault
}
