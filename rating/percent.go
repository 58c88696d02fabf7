package rating

import "math/bits"

// Percent is a share in millionths (10⁻⁶) of a percent, as VAT is given: 23 % is 23,000,000.
type Percent int64

// ParsePercent reads the text of a decimal or JSON number as ParseMoney does, to 6 decimals.
func ParsePercent(s string) (Percent, error) {
	v, err := parseFixed(s, "percentage", percentDecimals)
	return Percent(v), err
}

// String returns p in plain decimals with at least one after the point.
func (p Percent) String() string { return string(p.Append(nil)) }

// Append appends p to dst as String writes it.
func (p Percent) Append(dst []byte) []byte { return appendFixed(dst, int64(p), percentDecimals, 1) }

// Number returns p as the shortest JSON number.
func (p Percent) Number() string { return string(appendFixed(nil, int64(p), percentDecimals, 0)) }

// Decimal returns p as a Decimal, which is exact.
func (p Percent) Decimal() Decimal { return Decimal(p.String()) }

// Round returns p to places decimals (0 to 6), half away from zero.
func (p Percent) Round(places int) Percent {
	return Percent(roundFixed(int64(p), unitOf(places, percentDecimals)))
}

// Truncate returns p cut to places decimals (0 to 6), towards zero.
func (p Percent) Truncate(places int) Percent {
	return p - p%Percent(unitOf(places, percentDecimals))
}

// MarshalText returns p as String writes it.
func (p Percent) MarshalText() ([]byte, error) { return p.Append(nil), nil }

// UnmarshalText reads what ParsePercent reads, with its errors.
func (p *Percent) UnmarshalText(text []byte) (err error) {
	*p, err = ParsePercent(string(text))
	return err
}

// Of returns p of an amount, rounded half away from zero: the VAT on it. Fails with Range if that
// leaves Money.
func (p Percent) Of(m Money) (Money, error) {
	negative := (p < 0) != (m < 0)
	hi, lo := bits.Mul64(magnitude(int64(p)), magnitude(int64(m)))
	if hi >= wholePercent {
		return 0, rangeError("percentage", moneyDecimals)
	}
	q, rest := bits.Div64(hi, lo, wholePercent)
	if 2*rest >= wholePercent {
		q++
	}
	if q > maxFixed {
		return 0, rangeError("percentage", moneyDecimals)
	}
	if negative {
		return -Money(q), nil
	}
	return Money(q), nil
}
