package rating

import "testing"

func TestVATOfAnAmountIsRoundedOnce(t *testing.T) {
	for _, tt := range []struct {
		name string
		vat  Percent
		of   Money
		want Money
	}{
		{"none", 0, 10_000_000, 0},
		{"19 % of 10", 19_000_000, 10_000_000, 1_900_000},
		{"half a unit goes away from zero", 50_000_000, 1, 1},
		{"below half a unit is nothing", 49_999_999, 1, 0},
		{"below zero the same", 50_000_000, -1, -1},
		{"the largest amount", 100_000_000, MaxMoney, MaxMoney},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.vat.Of(tt.of)
			if err != nil || got != tt.want {
				t.Errorf("%s %% of %s = %s, %v, want %s", tt.vat, tt.of, got, err, tt.want)
			}
		})
	}
	if _, err := Percent(100_000_001).Of(MaxMoney); KindOf(err) != Range {
		t.Errorf("more than all of the largest amount = %v, want Range", err)
	}
}
