package rating

// Price is a price per minute in billionths (10⁻⁹) of the major unit. It becomes Money only
// through Terms.Charge.
type Price int64

// ParsePrice reads the text of a decimal or JSON number as ParseMoney does, to 9 decimals.
func ParsePrice(s string) (Price, error) {
	v, err := parseFixed(s, "price", priceDecimals)
	return Price(v), err
}

// String returns p in plain decimals with at least one after the point.
func (p Price) String() string { return string(p.Append(nil)) }

// Append appends p to dst as String writes it.
func (p Price) Append(dst []byte) []byte { return appendFixed(dst, int64(p), priceDecimals, 1) }

// Number returns p as the shortest JSON number.
func (p Price) Number() string { return string(appendFixed(nil, int64(p), priceDecimals, 0)) }

// Decimal returns p as a Decimal, which is exact.
func (p Price) Decimal() Decimal { return Decimal(p.String()) }

// Round returns p to places decimals (0 to 9), half away from zero.
func (p Price) Round(places int) Price {
	return Price(roundFixed(int64(p), unitOf(places, priceDecimals)))
}

// Truncate returns p cut to places decimals (0 to 9), towards zero.
func (p Price) Truncate(places int) Price {
	return p - p%Price(unitOf(places, priceDecimals))
}

// MarshalText returns p as String writes it.
func (p Price) MarshalText() ([]byte, error) { return p.Append(nil), nil }

// UnmarshalText reads what ParsePrice reads, with its errors.
func (p *Price) UnmarshalText(text []byte) (err error) {
	*p, err = ParsePrice(string(text))
	return err
}

// Add returns p + q. Fails with Range if the sum leaves ±9·10⁹ major units.
func (p Price) Add(q Price) (Price, error) {
	sum, ok := addFixed(int64(p), int64(q))
	if !ok {
		return 0, rangeError("price "+p.String()+" plus "+q.String(), priceDecimals)
	}
	return Price(sum), nil
}

// Sub returns p - q. Fails with Range if the difference leaves ±9·10⁹ major units.
func (p Price) Sub(q Price) (Price, error) {
	sum, ok := addFixed(int64(p), -int64(q))
	if !ok {
		return 0, rangeError("price "+p.String()+" less "+q.String(), priceDecimals)
	}
	return Price(sum), nil
}

// Neg returns -p.
func (p Price) Neg() Price { return -p }

// Abs returns p without its sign.
func (p Price) Abs() Price { return max(p, -p) }
