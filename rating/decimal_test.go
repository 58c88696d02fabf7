package rating

import (
	"strings"
	"testing"
)

func TestParseDecimal(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"a whole number gets one decimal", "1", "1.0"},
		{"every decimal is kept", "0.333333333333333333333333333333", "0.333333333333333333333333333333"},
		{"trailing zeros go", "0.3330", "0.333"},
		{"leading zeros go", "007.5", "7.5"},
		{"negative zero has no sign", "-0.0", "0.0"},
		{"zero with an exponent", "0e9999999999", "0.0"},
		{"an exponent is written out", "1.5e3", "1500.0"},
		{"a negative one too", "-15e-3", "-0.015"},
		{"zeros and an exponent cancel", "100e-2", "1.0"},
		{"sixty digits", strings.Repeat("9", 60), strings.Repeat("9", 60) + ".0"},
		{"thirty and thirty", strings.Repeat("9", 30) + "." + strings.Repeat("9", 30), strings.Repeat("9", 30) + "." + strings.Repeat("9", 30)},
		{"blanks around it are ignored", " 2.50 ", "2.5"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got, err := ParseDecimal(tt.text); err != nil || got.String() != tt.want {
				t.Errorf("ParseDecimal(%q) = %s, %v, want %s", tt.text, got, err, tt.want)
			}
		})
	}
}

func TestParseDecimalRefuses(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       Kind
	}{
		{"nothing", "", Invalid},
		{"a word", "ten", Invalid},
		{"sixty-one digits", strings.Repeat("9", 61), Range},
		{"thirty-one decimals", "0." + strings.Repeat("3", 31), Range},
		{"an exponent bomb", "1e1000000000", Range},
		{"an exponent bomb the other way", "1e-1000000000", Range},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got, err := ParseDecimal(tt.text); err == nil || KindOf(err) != tt.want {
				t.Errorf("ParseDecimal(%q) = %s, %v, want %s", tt.text, got, err, tt.want)
			}
		})
	}
}

func TestDecimalCmp(t *testing.T) {
	// In rising order; each is compared with every other.
	order := []Decimal{"-1000000000000000000000000000000.0", "-10.0", "-9.5", "-0.000000000000000000000000000001",
		"0.0", "0.000000000000000000000000000001", "0.5", "0.50001", "0.6", "9.0", "10.0", "10.5", "1000000000000000000000.0"}
	for i, a := range order {
		for j, b := range order {
			want := min(max(i-j, -1), 1)
			if got := a.Cmp(b); got != want {
				t.Errorf("%s.Cmp(%s) = %d, want %d", a, b, got, want)
			}
		}
	}
	var unset Decimal
	if unset.IsSet() || !order[4].IsSet() || unset.Sign() != 0 || unset.Cmp("0.0") != 0 || unset.Cmp("-1.0") != 1 {
		t.Error("a Decimal that is not set does not act as 0")
	}
	if got := Decimal("12.5").CmpMoney(12_500_000); got != 0 {
		t.Errorf("12.5 against 12.5 = %d, want 0", got)
	}
	if got := Decimal("12.5000001").CmpMoney(12_500_000); got != 1 {
		t.Errorf("12.5000001 against 12.5 = %d, want 1", got)
	}
	if got := (Decimal("-0.1")).Cmp(Price(-100_000_000).Decimal()) + Percent(1).Decimal().Cmp(Fraction(1).Decimal()); got != 0 {
		t.Errorf("the decimals of a price and of two shares compare as %d, want 0", got)
	}
}

func TestDecimalUnmarshalText(t *testing.T) {
	d := Decimal("1.0")
	if err := d.UnmarshalText(nil); err != nil || d.IsSet() {
		t.Errorf("empty text = %s, %v, want not set", d, err)
	}
	if err := d.UnmarshalText([]byte("1e1")); err != nil || d != "10.0" {
		t.Errorf("1e1 = %s, %v, want 10.0", d, err)
	}
}
