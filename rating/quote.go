package rating

import (
	"fmt"
	"time"
)

// Quote is what a call would cost: the rate that matches and the charge it makes.
type Quote struct {
	Deck    *PricedDeck
	Match   Match
	Vendor  Match // the vendor's rate that Match's terms follow; without a rate, they follow none
	Charge  Charge
	Covered bool         // by the package counter that was asked about
	Steps   []ChargeStep // of the charge alone
}

// Ask is a call that is asked about.
type Ask struct {
	Number    string
	Seconds   uint32
	At        time.Time
	Direction Direction // Outbound is the zero value
	VAT       Percent
	Counter   *PackageCounter             // that the call meets (MeetCounter), nil for none
	Vendor    []*PricedDeck               // of who terminates the call; none is nobody
	Rate      func(RateID) (*Rate, error) // reads a row, where Vendor is given
}

// Explain prices a call on decks as Bill prices the customer's side of one, and says how: the longest
// prefix wins, and among equals the earlier deck. A package counter that covers the call makes it free.
//
// A rate whose price follows the vendor's is asked with the vendor's decks; without any it is quoted as
// its own terms are.
//
// Fails with NotFound if no rate matches, Invalid if such a call would be held back because of the
// vendor's rate, else as Terms.Charge does. A blocked rate is quoted too.
func Explain(decks []*PricedDeck, a Ask, s *Settings) (Quote, error) {
	deck, m, ok := best(decks, a.Number, a.At.UnixMilli(), a.Direction)
	if !ok {
		return Quote{}, Errorf(NotFound, "number", "no rate matches %s", clip(a.Number))
	}
	vendor, err := a.follow(deck, &m)
	if err != nil {
		return Quote{}, err
	}
	c, steps, err := m.Terms.Explain(a.Seconds, a.VAT, deck.formula(s.CustomerRounding), deck.Currency)
	q := Quote{Deck: deck, Match: m, Vendor: vendor, Charge: c, Steps: steps}
	if err == nil && a.Counter != nil {
		q.meet(a.Counter)
	}
	return q, err
}

// follow gives m the terms that follow the vendor's, where one is asked with.
func (a *Ask) follow(deck *PricedDeck, m *Match) (vendor Match, err error) {
	if !m.OnVendor || a.Vendor == nil {
		return Match{}, nil
	}
	r, err := a.Rate(m.Rate)
	if err != nil {
		return Match{}, err
	}
	vendor, reason, detail := r.follow(a.Vendor, a.Number, a.At.UnixMilli(), deck, m)
	if reason != "" {
		return vendor, Errorf(Invalid, "vendor", "%s", detail)
	}
	return vendor, nil
}

// meet says what a package counter does to the charge.
func (q *Quote) meet(p *PackageCounter) {
	name := fmt.Sprintf("package counter %d of service %d, prefix %s", p.ID, p.Service, p.Prefix)
	say := func(text string) { q.Steps = append(q.Steps, ChargeStep{Text: name + ": " + text, Amount: "0.0"}) }
	switch {
	case !drawable(&q.Match, &q.Charge):
		say("the call takes nothing from it")
	case p.Exclude:
		say("calls to it are excluded from the package, so the rate is charged")
	case !p.Covers():
		say("nothing is left, so the rate is charged")
	default:
		q.Covered = true
		q.Charge = Charge{Billed: q.Charge.Billed}
		q.Steps = []ChargeStep{}
		say(fmt.Sprintf("%d s are left, the call takes %d s: nothing is charged", p.Duration, q.Charge.Billed))
	}
}
