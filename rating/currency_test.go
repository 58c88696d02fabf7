package rating

import (
	"strings"
	"testing"
)

func TestParseCurrency(t *testing.T) {
	for _, tt := range []struct {
		name, text, want string
		minor            int
	}{
		{"hundredths", "EUR", "EUR", 2},
		{"lower case and blanks", " usd ", "USD", 2},
		{"no minor unit", "JPY", "JPY", 0},
		{"thousandths", "KWD", "KWD", 3},
		{"ten-thousandths", "CLF", "CLF", 4},
		{"the last of the list", "ZWL", "ZWL", 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParseCurrency(tt.text)
			if err != nil || got.String() != tt.want || got.MinorUnits() != tt.minor {
				t.Errorf("ParseCurrency(%q) = %s with %d decimals, %v, want %s with %d", tt.text, got, got.MinorUnits(), err, tt.want, tt.minor)
			}
			var again Currency
			if text, _ := got.MarshalText(); again.UnmarshalText(text) != nil || again != got {
				t.Errorf("%s reads back as %s", got, again)
			}
		})
	}
	for _, s := range []string{"", "E", "EU", "EUX", "ED ", "D A", "EURO", "AED AFN", "€"} {
		if got, err := ParseCurrency(s); err == nil {
			t.Errorf("ParseCurrency(%q) = %s, want an error", s, got)
		}
	}
}

func TestCurrencyNotSet(t *testing.T) {
	c := Currency{'E', 'U', 'R'}
	if err := c.UnmarshalText(nil); err != nil || c.IsSet() || c.String() != "" || c.MinorUnits() != 2 {
		t.Errorf("empty text = %q with %d decimals, %v, want not set with 2", c, c.MinorUnits(), err)
	}
}

func TestCurrencyListsAreInOrder(t *testing.T) {
	for _, list := range []string{currencies, noMinorUnit, threeMinorUnits, fourMinorUnits} {
		codes := strings.Split(list, " ")
		for i, code := range codes {
			if len(code) != 3 || i > 0 && codes[i-1] >= code || !listed(currencies, code) {
				t.Errorf("code %q is misplaced", code)
			}
		}
	}
}
