package rating

import (
	"math/bits"
	"strconv"
	"strings"
)

// Decimals that each of the fixed-point types holds.
const (
	moneyDecimals    = 6
	priceDecimals    = 9
	percentDecimals  = 6
	fractionDecimals = 6
)

// maxFixed bounds all fixed-point types: ±9·10¹⁸ of their unit, so that rounding to any number of
// places and negation stay inside int64.
const maxFixed = 9_000_000_000_000_000_000

// maxDigits is how many decimal digits always fit a uint64.
const maxDigits = 19

// pow10 holds every power of ten that fits a uint64.
var pow10 = [...]uint64{
	1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9,
	1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
}

// number is the text of a decimal number taken apart, without its value being computed.
// It stands for ±digits · 10^exp, where digits may hold a point, which exp does not count.
type number struct {
	negative bool
	digits   string
	exp      int
}

// maxExponent is where exponents saturate: far above the length of any text that a server
// accepts, so that saturation never changes a value that is in range.
const maxExponent = 1 << 30

// splitNumber reads [sign] digits [. digits] [e [sign] digits] with blanks around it; digits on
// one side of the point are enough. It reports false for anything else.
func splitNumber(s string) (number, bool) {
	var n number
	s = strings.Trim(s, " \t\r\n")
	if s != "" && (s[0] == '-' || s[0] == '+') {
		n.negative = s[0] == '-'
		s = s[1:]
	}
	i, points := 0, 0
	for ; i < len(s); i++ {
		if s[i] == '.' {
			points++
		} else if s[i] < '0' || s[i] > '9' {
			break
		}
	}
	if points > 1 || i == points {
		return number{}, false
	}
	n.digits = s[:i]
	if i == len(s) {
		return n, true
	}
	if s[i] != 'e' && s[i] != 'E' {
		return number{}, false
	}
	exp, ok := parseExponent(s[i+1:])
	n.exp = exp
	return n, ok
}

// parseExponent reads [sign] digits, saturating at ±maxExponent.
func parseExponent(s string) (int, bool) {
	sign := 1
	if s != "" && (s[0] == '-' || s[0] == '+') {
		if s[0] == '-' {
			sign = -1
		}
		s = s[1:]
	}
	if s == "" {
		return 0, false
	}
	exp := 0
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		exp = min(exp*10+int(s[i]-'0'), maxExponent)
	}
	return sign * exp, true
}

// fixed returns n in units of 10^-decimals, rounded half away from zero; false if it leaves maxFixed.
func (n number) fixed(decimals int) (int64, bool) {
	var v uint64  // the first maxDigits significant digits
	var taken int // how many of them there are
	var next byte // the digit after them, which decides the rounding when they are all wanted
	exp := n.exp  // value = v · 10^exp
	fraction := false
	for i := range len(n.digits) {
		c := n.digits[i]
		if c == '.' {
			fraction = true
			continue
		}
		switch {
		case taken == maxDigits:
			if next == 0 {
				next = c
			}
			if !fraction {
				exp++
			}
			continue
		case v != 0 || c != '0':
			v = v*10 + uint64(c-'0')
			taken++
		}
		if fraction {
			exp--
		}
	}
	if v == 0 {
		return 0, true
	}
	u, ok := scale(v, exp+decimals, next >= '5')
	if !ok || u > maxFixed {
		return 0, false
	}
	if n.negative {
		return -int64(u), true
	}
	return int64(u), true
}

// scale returns v · 10^exp rounded half up, where up says that digits cut off v were half or more
// of its last place. It reports false if the result leaves uint64.
func scale(v uint64, exp int, up bool) (uint64, bool) {
	switch {
	case exp > maxDigits:
		return 0, false
	case exp > 0:
		hi, lo := bits.Mul64(v, pow10[exp])
		return lo, hi == 0
	case exp == 0:
		if up {
			v++ // cannot wrap: v has at most 19 digits
		}
		return v, true
	case exp < -maxDigits:
		return 0, true // v < 10^19, so less than a tenth is left
	}
	// Half the divisor is whole, so digits cut off v cannot lift a remainder over it.
	p := pow10[-exp]
	q, r := v/p, v%p
	if r >= p/2 {
		q++
	}
	return q, true
}

// parseFixed reads s in units of 10^-decimals. noun names what s is in the error.
func parseFixed(s, noun string, decimals int) (int64, error) {
	n, ok := splitNumber(s)
	if !ok {
		return 0, Broken("", "number", "", "%s %s: want a decimal number", noun, quoteShort(s))
	}
	v, ok := n.fixed(decimals)
	if !ok {
		return 0, rangeError(noun+" "+quoteShort(s), decimals)
	}
	return v, nil
}

// rangeError says that subject leaves ±maxFixed of 10^-decimals.
func rangeError(subject string, decimals int) error {
	limit := string(appendFixed(nil, maxFixed, decimals, 0))
	e := Errorf(Range, "", "%s: want -%s to %s", subject, limit, limit)
	e.Rule, e.Limit = "maximum", limit
	return e
}

// quoteShort quotes s, cut to what is readable in a message.
func quoteShort(s string) string {
	const most = 40
	if len(s) > most {
		s = s[:most] + "…"
	}
	return strconv.Quote(s)
}

// appendFixed appends v units of 10^-decimals in plain decimals, without trailing zeros beyond
// least digits after the point.
func appendFixed(dst []byte, v int64, decimals, least int) []byte {
	u := magnitude(v)
	if v < 0 {
		dst = append(dst, '-')
	}
	p := pow10[decimals]
	dst = strconv.AppendUint(dst, u/p, 10)
	fraction := u % p
	for decimals > least && fraction%10 == 0 {
		fraction /= 10
		decimals--
	}
	if decimals == 0 {
		return dst
	}
	dst = append(dst, '.')
	for decimals--; decimals >= 0; decimals-- {
		dst = append(dst, byte('0'+fraction/pow10[decimals]%10))
	}
	return dst
}

// magnitude returns |v|, of the smallest int64 too.
func magnitude(v int64) uint64 {
	if v < 0 {
		return -uint64(v)
	}
	return uint64(v)
}

// unitOf returns how many units of 10^-decimals make one of the last of places decimals.
// Places below 0 act as 0, above decimals as decimals.
func unitOf(places, decimals int) int64 {
	return int64(pow10[decimals-min(max(places, 0), decimals)])
}

// roundFixed rounds v to a multiple of unit, half away from zero.
func roundFixed(v, unit int64) int64 {
	rest := v % unit
	v -= rest
	if 2*int64(magnitude(rest)) < unit {
		return v
	}
	if rest < 0 {
		return v - unit
	}
	return v + unit
}

// addFixed adds a and b, each inside ±maxFixed; false if the sum is not.
func addFixed(a, b int64) (int64, bool) {
	sum := a + b
	wrapped := (sum > a) != (b > 0)
	return sum, !wrapped && magnitude(sum) <= maxFixed
}
