package rating

// Fraction is a share in millionths (10⁻⁶) of the whole, as a surcharge is given: 0.01 is 10,000.
type Fraction int64

// ParseFraction reads the text of a decimal or JSON number as ParseMoney does, to 6 decimals.
func ParseFraction(s string) (Fraction, error) {
	v, err := parseFixed(s, "fraction", fractionDecimals)
	return Fraction(v), err
}

// String returns f in plain decimals with at least one after the point.
func (f Fraction) String() string { return string(f.Append(nil)) }

// Append appends f to dst as String writes it.
func (f Fraction) Append(dst []byte) []byte { return appendFixed(dst, int64(f), fractionDecimals, 1) }

// Number returns f as the shortest JSON number.
func (f Fraction) Number() string { return string(appendFixed(nil, int64(f), fractionDecimals, 0)) }

// Decimal returns f as a Decimal, which is exact.
func (f Fraction) Decimal() Decimal { return Decimal(f.String()) }

// Round returns f to places decimals (0 to 6), half away from zero.
func (f Fraction) Round(places int) Fraction {
	return Fraction(roundFixed(int64(f), unitOf(places, fractionDecimals)))
}

// Truncate returns f cut to places decimals (0 to 6), towards zero.
func (f Fraction) Truncate(places int) Fraction {
	return f - f%Fraction(unitOf(places, fractionDecimals))
}

// MarshalText returns f as String writes it.
func (f Fraction) MarshalText() ([]byte, error) { return f.Append(nil), nil }

// UnmarshalText reads what ParseFraction reads, with its errors.
func (f *Fraction) UnmarshalText(text []byte) (err error) {
	*f, err = ParseFraction(string(text))
	return err
}
