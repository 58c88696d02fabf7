package rating

// Threshold says which of an account's balance thresholds its balance is beyond.
type Threshold uint8

// The thresholds.
const (
	ThresholdNone Threshold = iota
	ThresholdLow            // the balance is below the low one
	ThresholdHigh           // the balance is above the high one
)

// String returns the threshold's word.
func (t Threshold) String() string { return [...]string{"none", "low", "high", "none"}[t&3] }

// ThresholdAt returns the threshold that a balance is beyond. A balance that equals one has not reached
// it, and an account without thresholds is never beyond one. Source: Yeti, contract 6.7.
func (a *Account) ThresholdAt(balance Money) Threshold {
	switch {
	case a.LowThreshold.IsSet() && a.LowThreshold.CmpMoney(balance) > 0:
		return ThresholdLow
	case a.HighThreshold.IsSet() && a.HighThreshold.CmpMoney(balance) < 0:
		return ThresholdHigh
	}
	return ThresholdNone
}

// Crossing is one thing to be told about a balance: that a threshold was reached, or left again.
type Crossing struct {
	Of      Threshold // low or high
	Cleared bool
}

// Crossings returns what is to be told when an account goes from one threshold to another: first that
// the one is left, then that the other is reached.
func Crossings(was, is Threshold) (told []Crossing) {
	if was == is {
		return nil
	}
	if was != ThresholdNone {
		told = append(told, Crossing{was, true})
	}
	if is != ThresholdNone {
		told = append(told, Crossing{is, false})
	}
	return told
}

// Event returns Yeti's name of the crossing, misspelled as Yeti does. Source: contract 6.7.
func (c Crossing) Event() string {
	names := [2][2]string{{"AccountLowThesholdReached", "AccountLowThesholdCleared"}, {"AccountHighThesholdReached", "AccountHighThesholdCleared"}}
	of, how := 0, 0
	if c.Of == ThresholdHigh {
		of = 1
	}
	if c.Cleared {
		how = 1
	}
	return names[of][how]
}

// String names the crossing as its e-mail's subject does: "low balance", "high balance cleared".
func (c Crossing) String() string {
	if c.Cleared {
		return c.Of.String() + " balance cleared"
	}
	return c.Of.String() + " balance"
}
