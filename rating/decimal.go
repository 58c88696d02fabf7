package rating

import (
	"cmp"
	"strings"
)

// Decimal is an exact decimal number as canonical text: "1.0", "-0.333". It holds limits, which
// are compared with Money but never posted, so it keeps every decimal it was given. "" is not set.
type Decimal string

// What a Decimal may hold: the digits of both sides together, and those after the point.
const (
	maxDecimalDigits   = 60
	maxDecimalDecimals = 30
)

// ParseDecimal reads the text of a decimal or JSON number, blanks around it, without rounding.
//
// Fails with Invalid, rule number, if s is not a number (the empty text is not), and Range if it
// needs more than 60 digits or more than 30 decimals.
func ParseDecimal(s string) (Decimal, error) {
	n, ok := splitNumber(s)
	if !ok {
		return "", Broken("", "number", "", "%s: want a decimal number", quoteShort(s))
	}
	d, ok := n.decimal()
	if !ok {
		e := Errorf(Range, "", "%s: want at most %d digits, %d of them decimals", quoteShort(s), maxDecimalDigits, maxDecimalDecimals)
		e.Rule = "maximum"
		return "", e
	}
	return d, nil
}

// decimal writes n out; false if it is too long. The work is bounded by the length of n, because
// an exponent is applied only once the digits it leads to are known to be few.
func (n number) decimal() (Decimal, bool) {
	whole, fraction, _ := strings.Cut(n.digits, ".")
	digits := strings.TrimLeft(whole+fraction, "0")
	exp := n.exp - len(fraction)
	short := strings.TrimRight(digits, "0")
	exp += len(digits) - len(short)
	if short == "" {
		return "0.0", true
	}
	wholeDigits, decimals := max(len(short)+exp, 1), max(-exp, 1)
	if decimals > maxDecimalDecimals || wholeDigits > maxDecimalDigits || exp < 0 && wholeDigits+decimals > maxDecimalDigits {
		return "", false
	}
	switch {
	case exp >= 0:
		short += strings.Repeat("0", exp) + ".0"
	case len(short) <= -exp:
		short = "0." + strings.Repeat("0", -exp-len(short)) + short
	default:
		short = short[:len(short)+exp] + "." + short[len(short)+exp:]
	}
	if n.negative {
		short = "-" + short
	}
	return Decimal(short), true
}

// IsSet reports whether d holds a number.
func (d Decimal) IsSet() bool { return d != "" }

// String returns the canonical text, "" when not set.
func (d Decimal) String() string { return string(d) }

// Sign returns -1, 0 or 1; 0 when not set.
func (d Decimal) Sign() int {
	switch {
	case d == "" || d == "0.0":
		return 0
	case d[0] == '-':
		return -1
	}
	return 1
}

// Cmp returns -1, 0 or 1 as d is below, equal to or above e. Not set acts as 0.
func (d Decimal) Cmp(e Decimal) int {
	sign := d.Sign()
	if other := e.Sign(); sign != other || sign == 0 {
		return cmp.Compare(sign, other)
	}
	dw, df, _ := strings.Cut(strings.TrimPrefix(string(d), "-"), ".")
	ew, ef, _ := strings.Cut(strings.TrimPrefix(string(e), "-"), ".")
	switch {
	case len(dw) != len(ew):
		if len(dw) < len(ew) {
			return -sign
		}
		return sign
	case dw != ew:
		return sign * strings.Compare(dw, ew)
	}
	return sign * strings.Compare(df, ef)
}

// CmpMoney returns -1, 0 or 1 as d is below, equal to or above m. Not set acts as 0.
func (d Decimal) CmpMoney(m Money) int { return d.Cmp(m.Decimal()) }

// UnmarshalText reads what ParseDecimal reads, with its errors; the empty text is not set.
func (d *Decimal) UnmarshalText(text []byte) (err error) {
	if len(text) == 0 {
		*d = ""
		return nil
	}
	*d, err = ParseDecimal(string(text))
	return err
}
