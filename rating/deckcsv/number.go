package deckcsv

import (
	"cmp"
	"fmt"
	"strings"

	"billd/rating"
)

const (
	nano     = 1_000_000_000
	maxNano  = 1_000_000_000 * nano // the most a rate may cost, rulings R1
	maxMoney = 1_000_000_000        // the same in major units, for messages
)

// blockedPrices are what stands in place of a price where calls are not sold.
var blockedPrices = map[string]bool{
	"blocked": true, "block": true, "barred": true, "forbidden": true, "closed": true,
	"na": true, "notavailable": true, "unavailable": true, "noaccess": true, "notsold": true,
}

// plainNumber reads digits and at most one mark into units of 10⁻⁹. It takes what nearly every price
// is and leaves the rest to amount.
func plainNumber(b []byte, mark byte) (int64, bool) {
	if len(b) == 0 || len(b) > 18 {
		return 0, false
	}
	var v int64
	units, decimals := 0, -1
	for _, c := range b {
		switch {
		case c >= '0' && c <= '9':
			v = v*10 + int64(c-'0')
			if decimals >= 0 {
				decimals++
			} else {
				units++
			}
		case c == mark && decimals < 0:
			decimals = 0
		default:
			return 0, false
		}
	}
	decimals = max(decimals, 0)
	if units > 9 || decimals > 9 || units+decimals == 0 {
		return 0, false
	}
	return v * pow10[9-decimals], true
}

var pow10 = [...]int64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9}

// mark returns the file's decimal mark; the point where it is undecided.
func (r *Reader) mark() byte {
	if r.layout.Decimal == DecimalComma {
		return ','
	}
	return '.'
}

// amount reads a cell of money into units of 10⁻⁹ of the major unit, converted as the header asks.
// The string is why it cannot be read.
func (r *Reader) amount(cell []byte, f Field) (int64, string) {
	v, ok := plainNumber(cell, r.mark())
	if !ok {
		var reason string
		if v, reason = r.oddNumber(r.text(cell), f); reason != "" {
			return 0, reason
		}
	}
	u := r.units[f]
	if v > maxNano/u.times || -v > maxNano/u.times {
		return 0, fmt.Sprintf("%s %s: want at most %d", f, cell, maxMoney)
	}
	v *= u.times
	if u.over > 1 {
		v = divide(v, u.over)
	}
	return v, ""
}

// divide returns v / by, half away from zero.
func divide(v, by int64) int64 {
	if v < 0 {
		return -divide(-v, by)
	}
	return (v + by/2) / by
}

// oddNumber reads a number with a currency, thousands, an exponent or more than 9 decimals.
func (r *Reader) oddNumber(s string, f Field) (int64, string) {
	code, b := cutCurrency([]byte(s))
	digits := strings.NewReplacer(" ", "", "\u00a0", "", "\u202f", "", "'", "").Replace(string(b))
	switch {
	case digits == "":
		return 0, fmt.Sprintf("%s %q is not a number", f, s)
	case isRange(digits):
		return 0, fmt.Sprintf("%s is a range: %s", f, s)
	case digits[0] == '-' && r.layout.Form != FormBilld:
		return 0, fmt.Sprintf("%s %s is negative", f, s)
	}
	share := strings.HasSuffix(digits, "%")
	if share && f != FieldSurcharge {
		return 0, fmt.Sprintf("%s %q is not a number", f, s)
	}
	plain, reason := r.pointed(strings.TrimSuffix(digits, "%"), f)
	if reason != "" {
		return 0, reason
	}
	p, err := rating.ParsePrice(plain)
	if err != nil {
		return 0, fmt.Sprintf("%s %q is not a number", f, s)
	}
	if share {
		p = rating.Price(divide(int64(p), 100))
	}
	return int64(p), r.noteCurrency(code, f, s)
}

// pointed returns a number with a decimal point and without thousands.
func (r *Reader) pointed(s string, f Field) (string, string) {
	mark, other := ".", ","
	if r.layout.Decimal == DecimalComma {
		mark, other = other, mark
	}
	if r.layout.Decimal == SniffDecimal && strings.Contains(s, ",") {
		if groupsOnly(s, ',') {
			return "", fmt.Sprintf("%s %s: the comma may part thousands or decimals", f, s)
		}
		mark, other = ",", "."
	}
	units, decimals, found := strings.Cut(s, mark)
	if strings.Contains(units, other) {
		if !groupsOnly(units, other[0]) {
			return "", fmt.Sprintf("%s %s: other prices of the file have a decimal %s", f, s, r.layout.Decimal)
		}
		r.warnOnce("thousands", "prices have thousands, as %s", s)
		units = strings.ReplaceAll(units, other, "")
	}
	if found {
		return units + "." + decimals, ""
	}
	return units, ""
}

// noteCurrency keeps the file to one currency.
func (r *Reader) noteCurrency(code string, f Field, s string) string {
	if code == "" {
		return ""
	}
	r.layout.Currency = cmp.Or(r.layout.Currency, code)
	if code != r.layout.Currency {
		return fmt.Sprintf("%s %s is in %s, the file in %s", f, s, code, r.layout.Currency)
	}
	return ""
}

// cutCurrency takes a currency sign or code off either end of a price.
func cutCurrency(b []byte) (code string, number []byte) {
	s := strings.TrimSpace(string(b))
	for _, c := range currencySigns {
		if rest, ok := strings.CutPrefix(s, c.sign); ok {
			return c.code, []byte(strings.TrimSpace(rest))
		}
		if rest, ok := strings.CutSuffix(s, c.sign); ok {
			return c.code, []byte(strings.TrimSpace(rest))
		}
	}
	if len(s) > 3 {
		if front := strings.ToUpper(s[:3]); isCurrency(front) {
			return front, []byte(strings.TrimSpace(s[3:]))
		}
		if back := strings.ToUpper(s[len(s)-3:]); isCurrency(back) {
			return back, []byte(strings.TrimSpace(s[:len(s)-3]))
		}
	}
	if len(s) > 1 && s[0] == 'R' && s[1] >= '0' && s[1] <= '9' {
		return "ZAR", []byte(s[1:])
	}
	return "", []byte(s)
}

// isRange says that s is two numbers with a dash between them.
func isRange(s string) bool {
	s = strings.ReplaceAll(s, "–", "-")
	i := strings.LastIndexByte(s, '-')
	if i <= 0 || s[i-1] == 'e' || s[i-1] == 'E' {
		return false
	}
	digit := func(s string) bool { return strings.ContainsAny(s, "0123456789") }
	return digit(s[:i]) && digit(s[i+1:])
}
