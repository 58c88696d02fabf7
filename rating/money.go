package rating

// Money is an amount in millionths (10⁻⁶) of the major unit of its account's currency. It is what
// is posted: charges, payments, fees, balances. It lies within ±MaxMoney.
type Money int64

// MaxMoney is the largest Money, 9·10¹² major units; -MaxMoney is the smallest.
const MaxMoney Money = maxFixed

// ParseMoney reads the text of a decimal or JSON number: "12", "-0.5", "1e-05", blanks around it.
//
// A seventh and later decimals are rounded half away from zero. Fails with Invalid, rule number,
// if s is not a number, and Range beyond ±MaxMoney.
func ParseMoney(s string) (Money, error) {
	v, err := parseFixed(s, "amount", moneyDecimals)
	return Money(v), err
}

// String returns m in plain decimals with at least one after the point: "0.0", "11.0", "-100.5".
func (m Money) String() string { return string(m.Append(nil)) }

// Append appends m to dst as String writes it.
func (m Money) Append(dst []byte) []byte { return appendFixed(dst, int64(m), moneyDecimals, 1) }

// Number returns m as the shortest JSON number: "0", "11", "-100.5".
func (m Money) Number() string { return string(appendFixed(nil, int64(m), moneyDecimals, 0)) }

// Decimal returns m as a Decimal, which is exact.
func (m Money) Decimal() Decimal { return Decimal(m.String()) }

// Round returns m to places decimals (0 to 6), half away from zero.
func (m Money) Round(places int) Money {
	return Money(roundFixed(int64(m), unitOf(places, moneyDecimals)))
}

// Truncate returns m cut to places decimals (0 to 6), towards zero.
func (m Money) Truncate(places int) Money {
	return m - m%Money(unitOf(places, moneyDecimals))
}

// Add returns m + n. Fails with Range if the sum leaves ±MaxMoney.
func (m Money) Add(n Money) (Money, error) {
	sum, ok := addFixed(int64(m), int64(n))
	if !ok {
		return 0, rangeError("amount "+m.String()+" plus "+n.String(), moneyDecimals)
	}
	return Money(sum), nil
}

// Sub returns m - n. Fails with Range if the difference leaves ±MaxMoney.
func (m Money) Sub(n Money) (Money, error) {
	sum, ok := addFixed(int64(m), -int64(n))
	if !ok {
		return 0, rangeError("amount "+m.String()+" less "+n.String(), moneyDecimals)
	}
	return Money(sum), nil
}

// Neg returns -m.
func (m Money) Neg() Money { return -m }

// Abs returns m without its sign.
func (m Money) Abs() Money { return max(m, -m) }

// MarshalText returns m as String writes it.
func (m Money) MarshalText() ([]byte, error) { return m.Append(nil), nil }

// UnmarshalText reads what ParseMoney reads, with its errors.
func (m *Money) UnmarshalText(text []byte) (err error) {
	*m, err = ParseMoney(string(text))
	return err
}
