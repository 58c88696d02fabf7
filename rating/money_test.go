package rating

import (
	"errors"
	"math/big"
	"strings"
	"testing"
)

func TestParseMoney(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"a whole number gets one decimal", "12", "12.0"},
		{"sign and decimals are kept", "-100.50", "-100.5"},
		{"a JSON exponent is a number", "1e-05", "0.00001"},
		{"a positive exponent too", "1E2", "100.0"},
		{"blanks around it are ignored", " \t7.25\r\n", "7.25"},
		{"decks write no zero before the point", ".05", "0.05"},
		{"nor after it", "5.", "5.0"},
		{"a plus sign is allowed", "+3", "3.0"},
		{"negative zero has no sign", "-0.0", "0.0"},
		{"a tie goes away from zero", "0.0000005", "0.000001"},
		{"a negative tie too", "-0.0000005", "-0.000001"},
		{"just below a tie goes to zero", "0.00000049999999999999999999999999", "0.0"},
		{"digits beyond nineteen still round", "1.23456749999999999999999", "1.234567"},
		{"the twentieth digit alone decides", "1000000000000.0000005", "1000000000000.000001"},
		{"zero with a huge exponent is zero", "0e999999999999999999999", "0.0"},
		{"a huge negative exponent is zero", "1e-999999999999999999999", "0.0"},
		{"long zeros and an exponent cancel", "0." + strings.Repeat("0", 500) + "1e501", "1.0"},
		{"the largest amount", "9000000000000", "9000000000000.0"},
		{"the smallest amount", "-9e12", "-9000000000000.0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParseMoney(tt.text)
			if err != nil || got.String() != tt.want {
				t.Errorf("ParseMoney(%q) = %s, %v, want %s", tt.text, got, err, tt.want)
			}
		})
	}
}

func TestParseMoneyRefuses(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		kind       Kind
		rule       string
	}{
		{"nothing", "", Invalid, "number"},
		{"blanks", "  ", Invalid, "number"},
		{"a lone point", ".", Invalid, "number"},
		{"a lone sign", "-", Invalid, "number"},
		{"two points", "1.2.3", Invalid, "number"},
		{"two signs", "--1", Invalid, "number"},
		{"a comma", "1,5", Invalid, "number"},
		{"a blank inside", "1 000", Invalid, "number"},
		{"an exponent without digits", "1e", Invalid, "number"},
		{"an exponent with only a sign", "1e+", Invalid, "number"},
		{"an exponent that is no number", "1e2x", Invalid, "number"},
		{"not a number", "NaN", Invalid, "number"},
		{"hexadecimal", "0x10", Invalid, "number"},
		{"one above the largest", "9000000000000.000001", Range, "maximum"},
		{"one that rounds above the largest", "9000000000000.0000005", Range, "maximum"},
		{"one below the smallest", "-9000000000000.000001", Range, "maximum"},
		{"twenty digits", "99999999999999999999", Range, "maximum"},
		{"an exponent bomb", "1e999999999", Range, "maximum"},
		{"an exponent that does not fit", "1e99999999999999999999999", Range, "maximum"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParseMoney(tt.text)
			var e *Error
			if !errors.As(err, &e) || e.Kind != tt.kind || e.Rule != tt.rule {
				t.Errorf("ParseMoney(%q) = %s, %#v, want kind %s, rule %s", tt.text, got, err, tt.kind, tt.rule)
			}
		})
	}
}

func TestRoundAndTruncate(t *testing.T) {
	for _, tt := range []struct {
		text             string
		places           int
		round, truncated string
	}{
		{"0.12345", 4, "0.1235", "0.1234"},
		{"-0.12345", 4, "-0.1235", "-0.1234"},
		{"0.12344", 4, "0.1234", "0.1234"},
		{"0.5", 0, "1.0", "0.0"},
		{"-0.5", 0, "-1.0", "0.0"},
		{"0.123456", 6, "0.123456", "0.123456"},
		{"0.123456", 9, "0.123456", "0.123456"},
		{"1.5", -3, "2.0", "1.0"},
		{"8999999999999.5", 0, "9000000000000.0", "8999999999999.0"},
	} {
		m, err := ParseMoney(tt.text)
		if err != nil {
			t.Fatal(err)
		}
		if got := m.Round(tt.places).String(); got != tt.round {
			t.Errorf("%s.Round(%d) = %s, want %s", m, tt.places, got, tt.round)
		}
		if got := m.Truncate(tt.places).String(); got != tt.truncated {
			t.Errorf("%s.Truncate(%d) = %s, want %s", m, tt.places, got, tt.truncated)
		}
	}
}

func TestMoneySumsStayInRange(t *testing.T) {
	for _, tt := range []struct {
		a, b, sum, difference Money
		sumOK, differenceOK   bool
	}{
		{1, 2, 3, -1, true, true},
		{MaxMoney, 0, MaxMoney, MaxMoney, true, true},
		{MaxMoney, 1, 0, MaxMoney - 1, false, true},
		{MaxMoney, MaxMoney, 0, 0, false, true},
		{-MaxMoney, MaxMoney, 0, 0, true, false},
		{-MaxMoney, -1, 0, -MaxMoney + 1, false, true},
	} {
		if got, err := tt.a.Add(tt.b); got != tt.sum || (err == nil) != tt.sumOK || err != nil && KindOf(err) != Range {
			t.Errorf("%s + %s = %s, %v, want %s", tt.a, tt.b, got, err, tt.sum)
		}
		if got, err := tt.a.Sub(tt.b); got != tt.difference || (err == nil) != tt.differenceOK || err != nil && KindOf(err) != Range {
			t.Errorf("%s - %s = %s, %v, want %s", tt.a, tt.b, got, err, tt.difference)
		}
	}
	if got := Money(-5).Abs() + Money(5).Neg(); got != 0 {
		t.Errorf("|-5| + -(5) = %d, want 0", got)
	}
}

func TestFixedPointTypesReadBackWhatTheyWrite(t *testing.T) {
	m, _ := ParseMoney("-12.5")
	p, _ := ParsePrice("0.000000001")
	v, _ := ParsePercent("23")
	f, _ := ParseFraction("0.01")
	if m != -12_500_000 || p != 1 || v != 23_000_000 || f != 10_000 {
		t.Errorf("parsed %d %d %d %d, want -12500000 1 23000000 10000", m, p, v, f)
	}
	for _, tt := range []struct{ got, want string }{
		{m.String(), "-12.5"}, {m.Number(), "-12.5"}, {p.String(), "0.000000001"},
		{p.Number(), "0.000000001"}, {v.String(), "23.0"}, {v.Number(), "23"}, {f.String(), "0.01"},
		{f.Number(), "0.01"}, {Money(0).Number(), "0"}, {Money(0).String(), "0.0"},
		{Price(1_500_000_000).Round(0).String(), "2.0"}, {Price(1_999_999_999).Truncate(8).String(), "1.99999999"},
		{Percent(7_555_555).Round(2).String(), "7.56"}, {Percent(7_555_555).Truncate(2).String(), "7.55"},
		{Fraction(555_555).Round(2).String(), "0.56"}, {Fraction(555_555).Truncate(2).String(), "0.55"},
	} {
		if tt.got != tt.want {
			t.Errorf("got %s, want %s", tt.got, tt.want)
		}
	}
	var m2 Money
	var p2 Price
	var v2 Percent
	var f2 Fraction
	text := func(b []byte, _ error) []byte { return b }
	err := errors.Join(m2.UnmarshalText(text(m.MarshalText())), p2.UnmarshalText(text(p.MarshalText())),
		v2.UnmarshalText(text(v.MarshalText())), f2.UnmarshalText(text(f.MarshalText())))
	if err != nil || m2 != m || p2 != p || v2 != v || f2 != f {
		t.Errorf("read back %s %s %s %s, %v, want %s %s %s %s", m2, p2, v2, f2, err, m, p, v, f)
	}
}

func TestPriceSumsStayInRange(t *testing.T) {
	if got, err := Price(3).Add(Price(-5)); got != -2 || err != nil {
		t.Errorf("3 + -5 = %d, %v, want -2", got, err)
	}
	if _, err := Price(maxFixed).Add(1); KindOf(err) != Range {
		t.Errorf("largest price + 1: %v, want Range", err)
	}
	if _, err := Price(maxFixed).Neg().Sub(1); KindOf(err) != Range {
		t.Errorf("smallest price - 1: %v, want Range", err)
	}
	if got := Price(-7).Abs(); got != 7 {
		t.Errorf("|-7| = %d, want 7", got)
	}
}

func TestParseMoneyDoesNotAllocate(t *testing.T) {
	for _, s := range []string{"12.5", "-0.000605", "1e-05", "0.7000000000000001"} {
		if got := testing.AllocsPerRun(100, func() { _, _ = ParseMoney(s) }); got != 0 {
			t.Errorf("ParseMoney(%q) allocates %v times, want 0", s, got)
		}
	}
}

// FuzzParseMoney compares ParseMoney with math/big on every text that both read.
func FuzzParseMoney(f *testing.F) {
	for _, s := range []string{"12", "-0.5", "1e-05", "1E2", " .5", "5.", "0.0000005", "9e12", "9000000000000.0000005", "1e99999", "x", "1_0", "0x1p-2", "1/3"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := ParseMoney(s)
		n, ok := splitNumber(s)
		if !ok {
			if err == nil {
				t.Fatalf("ParseMoney(%q) = %s, want an error", s, got)
			}
			return
		}
		if n.exp > 400 || n.exp < -400 || len(s) > 400 {
			return // math/big would write the number out
		}
		exact, ok := new(big.Rat).SetString(strings.TrimSpace(s))
		if !ok {
			t.Fatalf("math/big refuses %q, which ParseMoney reads as %s, %v", s, got, err)
		}
		want := halfAway(exact.Mul(exact, big.NewRat(1_000_000, 1)))
		if fits := want.CmpAbs(big.NewInt(int64(MaxMoney))) <= 0; fits != (err == nil) {
			t.Fatalf("ParseMoney(%q) = %s, %v, want %s micros", s, got, err, want)
		}
		if err == nil && big.NewInt(int64(got)).Cmp(want) != 0 {
			t.Fatalf("ParseMoney(%q) = %d, want %s micros", s, got, want)
		}
		if again, err2 := ParseMoney(got.String()); err2 != nil || again != got {
			t.Fatalf("ParseMoney(%q) = %s, %v, want %s", got.String(), again, err2, got)
		}
	})
}

// halfAway rounds x to a whole number, halves away from zero, the long way.
func halfAway(x *big.Rat) *big.Int {
	twice := new(big.Int).Mul(x.Num(), big.NewInt(2))
	if x.Sign() < 0 {
		twice.Sub(twice, x.Denom())
	} else {
		twice.Add(twice, x.Denom())
	}
	return twice.Quo(twice, new(big.Int).Mul(x.Denom(), big.NewInt(2)))
}
