package portsip

import (
	"cmp"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"billd/rating"
)

// kind says how a column's values are held, written, filtered and sorted.
type kind uint8

const (
	text    kind = iota
	whole        // int32, held in hundred-thousandths like number so that both compare alike
	number       // hundred-thousandths (10⁻⁵): the five digits that PortSIP documents
	instant      // microseconds since 1970
)

// hundredThousand is how many units make 1: PortSIP's amounts have five decimals.
const hundredThousand = 100_000

// value is what a record holds in a column.
type value struct {
	null bool
	text string
	n    int64
}

// column is one attribute of a record of type T as lists, filters and files see it.
type column[T any] struct {
	name     string
	kind     kind
	searched bool // free text search looks here
	value    func(*T) value
}

func textValue(s string) value { return value{text: s} }

// orNull is a text that is null when it is empty.
func orNull(s string) value { return value{text: s, null: s == ""} }

// wholeValue holds a count; one beyond int64 sorts last.
func wholeValue(n int64) value {
	const most = (1<<63 - 1) / hundredThousand
	return value{n: min(max(n, -most), most) * hundredThousand}
}

func moneyValue(m rating.Money) value       { return value{n: int64(m.Round(5)) / 10} }
func fractionValue(f rating.Fraction) value { return value{n: int64(f.Round(5)) / 10} }
func priceValue(p rating.Price) value       { return value{n: int64(p.Round(5)) / 10_000} }

// compare orders values as section 6 of the contract says: null first, text by code point.
func (v value) compare(w value) int {
	if v.null || w.null {
		return boolOrder(w.null) - boolOrder(v.null)
	}
	if c := strings.Compare(v.text, w.text); c != 0 {
		return c
	}
	return cmp.Compare(v.n, w.n)
}

func boolOrder(b bool) int {
	if b {
		return 1
	}
	return 0
}

// plain returns the value as a cell of a file: numbers shortest, null empty.
func (v value) plain(k kind) string {
	switch {
	case v.null:
		return ""
	case k == text:
		return v.text
	case k == instant:
		return formatTime(time.UnixMicro(v.n))
	}
	return decimal(v.n)
}

// appendJSON appends the value as JSON.
func (v value) appendJSON(dst []byte, k kind) []byte {
	switch {
	case v.null:
		return append(dst, "null"...)
	case k == text:
		return appendString(dst, v.text)
	case k == instant:
		return appendString(dst, formatTime(time.UnixMicro(v.n)))
	}
	return append(dst, decimal(v.n)...)
}

// decimal writes hundred-thousandths as the shortest JSON number.
func decimal(n int64) string {
	whole, rest := n/hundredThousand, n%hundredThousand
	s := strconv.FormatInt(whole, 10)
	if rest == 0 {
		return s
	}
	if n < 0 {
		rest = -rest
		if whole == 0 {
			s = "-0"
		}
	}
	return s + "." + strings.TrimRight(strconv.FormatInt(hundredThousand+rest, 10)[1:], "0")
}

func appendString(dst []byte, s string) []byte {
	b, err := json.Marshal(s)
	if err != nil { // a string always marshals
		return append(dst, `""`...)
	}
	return append(dst, b...)
}

// formatTime writes RFC 3339 in UTC with a Z and what there is of microseconds.
func formatTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.999999Z") }

// parseUnits reads the text of a JSON number in hundred-thousandths, rounded half away from zero once,
// however many digits it has. Fails with Range.
func parseUnits(s string) (int64, error) {
	// a tenth of the number in millionths is the number in hundred-thousandths
	mantissa, exponent := s, ""
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		mantissa, exponent = s[:i], s[i+1:]
	}
	e := 0
	if exponent != "" {
		var err error
		if e, err = strconv.Atoi(exponent); err != nil || e < -maxExponent || e > maxExponent {
			// so far out that a tenth makes no difference: 0, or out of range
			m, err := rating.ParseMoney(s)
			return int64(m), err
		}
	}
	m, err := rating.ParseMoney(mantissa + "e" + strconv.Itoa(e-1))
	return int64(m), err
}

// maxExponent is beyond the exponent of any number that a body or a query can spell out in digits.
const maxExponent = 1_000_000_000

// parseWhole reads a JSON number that stands for a whole one: 60, 60.0, 6e1.
func parseWhole(s string) (int64, bool) {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n, true
	}
	d, err := rating.ParseDecimal(s)
	if err != nil {
		return 0, false
	}
	digits, decimals, _ := strings.Cut(string(d), ".")
	n, err := strconv.ParseInt(digits, 10, 64)
	return n, err == nil && decimals == "0"
}
