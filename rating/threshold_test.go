package rating

import (
	"fmt"
	"testing"
)

func TestABalanceIsBeyondAThresholdOnlyStrictly(t *testing.T) {
	for _, tt := range []struct {
		name      string
		low, high Decimal
		balance   Money
		want      Threshold
	}{
		{"below the low one", "10.0", "20.0", 9_999_999, ThresholdLow},
		{"at the low one", "10.0", "20.0", 10_000_000, ThresholdNone},
		{"between", "10.0", "20.0", 15_000_000, ThresholdNone},
		{"at the high one", "10.0", "20.0", 20_000_000, ThresholdNone},
		{"above the high one", "10.0", "20.0", 20_000_001, ThresholdHigh},
		{"no thresholds", "", "", -1, ThresholdNone},
		{"only a high one", "", "0.0", -1, ThresholdNone},
		{"only a low one, of 0", "0.0", "", -1, ThresholdLow},
		{"a threshold finer than money", "0.0000001", "", 0, ThresholdLow},
		{"below 0", "-5.0", "", -5_000_001, ThresholdLow},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := Account{LowThreshold: tt.low, HighThreshold: tt.high}
			if got := a.ThresholdAt(tt.balance); got != tt.want {
				t.Errorf("ThresholdAt(%s) = %s, want %s", tt.balance, got, tt.want)
			}
		})
	}
}

// Source: Yeti, contract 6.7, and the order in which it tells.
func TestEachCrossingIsToldOnce(t *testing.T) {
	for _, tt := range []struct {
		was, is Threshold
		want    string
	}{
		{ThresholdNone, ThresholdNone, "[]"},
		{ThresholdLow, ThresholdLow, "[]"},
		{ThresholdHigh, ThresholdHigh, "[]"},
		{ThresholdNone, ThresholdLow, "[AccountLowThesholdReached: low balance]"},
		{ThresholdLow, ThresholdNone, "[AccountLowThesholdCleared: low balance cleared]"},
		{ThresholdNone, ThresholdHigh, "[AccountHighThesholdReached: high balance]"},
		{ThresholdHigh, ThresholdNone, "[AccountHighThesholdCleared: high balance cleared]"},
		{ThresholdLow, ThresholdHigh, "[AccountLowThesholdCleared: low balance cleared AccountHighThesholdReached: high balance]"},
		{ThresholdHigh, ThresholdLow, "[AccountHighThesholdCleared: high balance cleared AccountLowThesholdReached: low balance]"},
	} {
		t.Run(tt.was.String()+" to "+tt.is.String(), func(t *testing.T) {
			told := []string{}
			for _, c := range Crossings(tt.was, tt.is) {
				told = append(told, c.Event()+": "+c.String())
			}
			if got := fmt.Sprint(told); got != tt.want {
				t.Errorf("told %s, want %s", got, tt.want)
			}
		})
	}
}
