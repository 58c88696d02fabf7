package rating

import (
	"fmt"
	"time"
)

// PricedDeck is a deck as charging needs it.
type PricedDeck struct {
	ID       DeckID
	Name     string
	Currency Currency
	Preset   Preset
	Index    *DeckIndex
}

// Party is an account with the decks that price its calls, in the order in which ties are settled.
type Party struct {
	Account *Account
	Plan    uint64
	Auth    uint64 // the customers-auth that told the payer, 0 if none
	Rule    string // of the call's profile that told the payer, "" without one
	Decks   []*PricedDeck
}

// BillBook is what charging one call reads. It is asked inside the writer's transaction, so what it
// answers is what the change set will be applied to.
type BillBook interface {
	// Earlier finds a call with the same key and tells whether its content is the same.
	Earlier(call *Call, key CallKey, content uint64) (Earlier, bool, error)
	// Payer finds who is charged; NotFound sends the call to suspense.
	Payer(call *Call) (Party, error)
	// Vendor finds who terminated the call; NotFound when the call names nobody billd knows.
	Vendor(call *Call) (Party, error)
	// Package finds the counter of bundled seconds that an account's call to a number meets, nil for none.
	Package(payer AccountID, number string) (*PackageCounter, error)
	// Network finds whose a number is, by the longest prefix that the store knows: its country and its
	// network as their numbers there, 0 for none.
	Network(number string) (country, network uint64)
	// NewCDRID reserves a number for a call that starts in this millisecond.
	NewCDRID(milli int64) (CDRID, error)
	// Rate reads the row of a rate that a deck has.
	Rate(RateID) (*Rate, error)
	Settings() *Settings
}

// Earlier is what an earlier delivery of a call became.
type Earlier struct {
	ID        CDRID
	Suspense  uint64 // its suspense number, when it waits there
	Reason    string
	Detail    string // the sentence behind the reason
	SameInput bool
	Price     Money
	Currency  Currency
}

// Outcome says what became of one delivered call.
type Outcome uint8

// The outcomes, spelled as the native API spells them.
const (
	OutcomeRated Outcome = iota
	OutcomeFree
	OutcomeDuplicate
	OutcomeSuspended
	OutcomeWaiting // one half of a call that is told in two records; the store alone says so
)

// String returns the outcome's word.
func (o Outcome) String() string {
	return [...]string{"rated", "free", "duplicate", "suspended", "waiting"}[min(o, OutcomeWaiting)]
}

// Verdict is the change set of one call: what Bill decided, before anything is written.
type Verdict struct {
	Outcome  Outcome
	ID       CDRID  // of the CDR, also an earlier one's
	Suspense uint64 // of an earlier delivery that waits there
	Reason   string // of a suspension
	Detail   string // the sentence behind the reason
	Price    Money
	Currency Currency

	Write    bool // there is something to apply
	Key      CallKey
	Content  uint64
	Customer *Account
	Vendor   *Account
}

// Bill decides what one call is: seen before, chargeable, free, or in want of an answer. It fills in
// call's columns and writes nothing; the applier does. An error means the store is broken.
func Bill(book BillBook, call *Call, now time.Time) (Verdict, error) {
	v := Verdict{}
	if reason, detail := call.normalise(book.Settings(), now); reason != "" {
		return suspend(book, call, v, reason, detail)
	}
	v.Content = call.Content()
	v.Key = call.keyOf(v.Content)
	earlier, found, err := book.Earlier(call, v.Key, v.Content)
	if err != nil {
		return v, err
	}
	if found {
		return again(v, earlier), nil
	}
	reason, detail, err := attempt(book, call, &v)
	if err != nil {
		return v, err
	}
	if reason != "" {
		v.Customer, v.Vendor = nil, nil
		v.Outcome, v.Reason, v.Detail, v.Write = OutcomeSuspended, reason, detail, true
		return v, nil
	}
	if call.Exported.Restore {
		v.ID, call.Revision = call.Exported.ID, call.Exported.Revision
	} else if v.ID, err = book.NewCDRID(call.Int(CDRTimeStart) / 1000); err != nil {
		return v, err
	}
	call.ID = v.ID
	v.Write = true
	return v, nil
}

// attempt charges a call by the profile of its source. One that cannot be charged is left as it came.
func attempt(book BillBook, call *Call, v *Verdict) (reason, detail string, err error) {
	if call.Profile != nil {
		return byProfile(book, call, v)
	}
	input := call.figures()
	call.forgetMatching()
	if reason, detail, err = charge(book, call, v); reason != "" {
		call.setFigures(&input)
	}
	return reason, detail, err
}

func byProfile(book BillBook, call *Call, v *Verdict) (reason, detail string, err error) {
	input := *call
	call.forgetMatching()
	call.Profile.Apply(call)
	if reason, detail, err = charge(book, call, v); reason != "" {
		*call = input
	}
	return reason, detail, err
}

// again answers a repeated delivery: the same content is a success, other content a conflict.
func again(v Verdict, e Earlier) Verdict {
	v.ID, v.Suspense, v.Price, v.Currency = e.ID, e.Suspense, e.Price, e.Currency
	switch {
	case !e.SameInput:
		v.Outcome, v.Reason, v.Write = OutcomeSuspended, ReasonConflict, true
		if v.Detail = fmt.Sprintf("call id already used by another record (CDR %d)", e.ID); e.Suspense != 0 {
			v.Detail = fmt.Sprintf("call id already used by another record, which is in suspense as %d", e.Suspense)
		}
		v.ID, v.Suspense = 0, 0
	case e.Suspense != 0:
		v.Outcome, v.Reason, v.Detail = OutcomeSuspended, e.Reason, e.Detail
	default:
		v.Outcome = OutcomeDuplicate
	}
	return v
}

// suspend answers a call that cannot even be looked up by time.
func suspend(book BillBook, call *Call, v Verdict, reason, detail string) (Verdict, error) {
	v.Content = call.Content()
	v.Key = call.keyOf(v.Content)
	if reason == ReasonBadTime {
		v.Key.Minute = 0
	}
	earlier, found, err := book.Earlier(call, v.Key, v.Content)
	if err != nil {
		return v, err
	}
	if found {
		return again(v, earlier), nil
	}
	v.Outcome, v.Reason, v.Detail, v.Write = OutcomeSuspended, reason, detail, true
	return v, nil
}
