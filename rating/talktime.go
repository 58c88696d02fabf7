package rating

// Budget is what an account may spend on a call that has not begun.
type Budget struct {
	Balance   Money
	Floor     Decimal         // the balance that calls may bring the account down to; not set: none
	RateLimit Decimal         // the dearest next price a minute; not set: none
	VAT       Percent         // on top of the rate
	Counter   *PackageCounter // that the call meets (MeetCounter), nil for none
	Longest   uint32          // seconds that no call may outlast
}

// Refusals: why a call may not begin. Each is a word that clients may rely on.
const (
	RefusedBlocked   = "blocked"    // the prefix is not allowed
	RefusedRateLimit = "rate_limit" // the rate is dearer than the account allows
	RefusedBalance   = "balance"    // the balance is at its floor, or does not pay for the first step
)

// Permit is how long a call may last.
type Permit struct {
	Seconds uint32 // 0 when it is refused
	Counter uint64 // the package counter that pays for it, 0 for none
	Refused string // why it may not begin
}

// TalkTime says how long a call on a matched rate may last so that what Charge asks for it, VAT included,
// leaves the account at its floor or above.
//
// A package counter that covers the call bounds it by its seconds, and the balance is not asked. A rate
// that the customer earns by is bounded by Longest alone. An account at its floor is refused even where
// the rate asks nothing. With VAT 0 and rates that only have fee, steps and prices the seconds are Yeti's:
// first + ⌊(balance − floor − fee − first·price/60) / (next·price/60)⌋ · next.
// Fails as Terms.Charge does.
// Source: Yeti, contract 6.3, 6.4 and 6.8.
func (m *Match) TalkTime(b Budget, f Formula) (Permit, error) {
	switch {
	case m.Blocked:
		return Permit{Refused: RefusedBlocked}, nil
	case b.RateLimit.IsSet() && b.RateLimit.Cmp(m.Terms.Next.Price.Decimal()) < 0:
		return Permit{Refused: RefusedRateLimit}, nil
	case m.Reverse:
		return Permit{Seconds: b.Longest}, nil
	case b.Counter.Covers():
		return Permit{Seconds: uint32(min(b.Counter.Duration, int64(b.Longest))), Counter: b.Counter.ID}, nil
	case !b.Floor.IsSet():
		return Permit{Seconds: b.Longest}, nil
	case b.Floor.CmpMoney(b.Balance) >= 0:
		return Permit{Refused: RefusedBalance}, nil
	}
	seconds, err := m.Terms.affordable(b, f)
	if err != nil || seconds == 0 {
		return Permit{Refused: RefusedBalance}, err
	}
	return Permit{Seconds: seconds}, nil
}

// affordable returns the most seconds up to b.Longest that leave the balance at its floor, 0 when not even
// the first step does. What a call owes never falls with its length unless the next price is below 0: the
// longest call is then the cheapest after the first step, and only that must be paid for.
func (t *Terms) affordable(b Budget, f Formula) (uint32, error) {
	leaves := func(seconds uint32) (bool, error) {
		c, err := t.Charge(seconds, b.VAT, f)
		if err != nil {
			return false, err
		}
		left, err := b.Balance.Sub(c.Gross)
		return err == nil && b.Floor.CmpMoney(left) <= 0, nil
	}
	first := max(t.Grace, 1) // the shortest call that owes the first step
	ok, err := leaves(first)
	if err != nil || !ok {
		return 0, err
	}
	if t.Next.Price <= 0 {
		return b.Longest, nil
	}
	if ok, err := leaves(b.Longest); err == nil && ok || err != nil && KindOf(err) != Range {
		return b.Longest, err // most accounts can pay what they ask for
	}
	low, high := first, b.Longest // low can be paid, what is above high is not asked for
	for low < high {
		mid := high - (high-low)/2
		ok, err := leaves(mid)
		switch {
		case err != nil && KindOf(err) != Range:
			return 0, err
		case err == nil && ok:
			low = mid
		default:
			high = mid - 1
		}
	}
	return min(low, b.Longest), nil
}
