package rating

import (
	"strings"
	"time"
)

// PackageCounter is bundled talk time: how many seconds an account may still call a prefix at no
// charge. A service fills it when it is made and at each renewal.
//
// Seconds fall below 0 when the last call that was covered outlasts them; such a call is covered whole.
// Source: Yeti, contract 6.8.
type PackageCounter struct {
	ID       uint64    `json:"id"`
	Account  AccountID `json:"account"`
	Service  uint64    `json:"service"`
	Prefix   string    `json:"prefix"`
	Duration int64     `json:"duration"`          // seconds left
	Exclude  bool      `json:"exclude,omitempty"` // calls to the prefix are charged after all
	Filled   int64     `json:"filled,omitempty"`  // seconds that it was filled with
	FilledAt time.Time `json:"filled_at,omitzero"`
}

// Covers reports whether the counter pays for a call that meets it. A nil counter covers nothing.
func (p *PackageCounter) Covers() bool { return p != nil && !p.Exclude && p.Duration > 0 }

// MeetCounter returns the counter that a call to number meets, nil for none: the one of the longest
// prefix, whether or not it covers the call. Among equals the first that covers it, else the first.
func MeetCounter(counters []*PackageCounter, number string) (met *PackageCounter) {
	for _, p := range counters {
		switch {
		case !strings.HasPrefix(number, p.Prefix):
		case met == nil, len(p.Prefix) > len(met.Prefix), len(p.Prefix) == len(met.Prefix) && p.Covers() && !met.Covers():
			met = p
		}
	}
	return met
}

// Draw returns the counter that the call is covered by, the instant at which that was filled, and the
// seconds that the call takes from it. ok is false for a call that no counter covers.
func (c *CDR) Draw() (counter uint64, filledAt time.Time, seconds int64, ok bool) {
	if c.Origin == History || !c.Has(CDRPackageCounterID) {
		return 0, time.Time{}, 0, false
	}
	return uint64(c.Int(CDRPackageCounterID)), c.Time(CDRPackageFilledAt), c.Int(CDRCustomerDuration), true
}

// cover makes the call one that a counter pays for.
func (c *CDR) cover(p *PackageCounter) {
	c.SetInt(CDRPackageCounterID, int64(p.ID))
	c.SetTime(CDRPackageFilledAt, p.FilledAt)
}
