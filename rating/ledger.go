package rating

import (
	"encoding/binary"
	"fmt"
	"time"
)

// LedgerKind says what a ledger account collects.
type LedgerKind uint8

// The ledger kinds: one ledger per billing account, and one of each other kind per currency.
const (
	LedgerAccount LedgerKind = 1 + iota
	LedgerRevenue
	LedgerCost
	LedgerTax
	LedgerCash
	LedgerAdjustment
)

// String returns the kind's word.
func (k LedgerKind) String() string {
	names := [...]string{"", "account", "revenue", "cost", "tax", "cash", "adjustment"}
	if int(k) < len(names) {
		return names[k]
	}
	return "unknown"
}

// Ledger names one side of a posting.
type Ledger struct {
	Kind     LedgerKind `json:"kind"`
	Currency Currency   `json:"currency"`
	Account  AccountID  `json:"account,omitempty"` // only for LedgerAccount
}

// Key is the ledger's twelve-byte row key: kind, currency, account.
func (l Ledger) Key() []byte {
	k := make([]byte, 12)
	k[0] = byte(l.Kind)
	copy(k[1:4], l.Currency[:])
	binary.BigEndian.PutUint64(k[4:], uint64(l.Account))
	return k
}

// LedgerFromKey reads what Key wrote.
func LedgerFromKey(k []byte) (Ledger, error) {
	if len(k) != 12 {
		return Ledger{}, Errorf(Internal, "ledger", "ledger key of %d bytes, want 12", len(k))
	}
	l := Ledger{Kind: LedgerKind(k[0]), Account: AccountID(binary.BigEndian.Uint64(k[4:]))}
	copy(l.Currency[:], k[1:4])
	return l, nil
}

// String names the ledger as operators read it: "account 23 EUR", "revenue EUR".
func (l Ledger) String() string {
	if l.Kind == LedgerAccount {
		return fmt.Sprintf("account %d %s", l.Account, l.Currency)
	}
	return l.Kind.String() + " " + l.Currency.String()
}

// Balance is what a ledger has taken in and given out, calls apart from all other postings.
// Sums are Money; none is negative.
type Balance struct {
	CallDebits, CallCredits Money
	Debits, Credits         Money
}

// Amount is credits less debits: what an account holds, or what is owed to a vendor.
func (b Balance) Amount() Money {
	return b.Credits + b.CallCredits - b.Debits - b.CallDebits
}

// Add returns the sums of both, or a Range error.
func (b Balance) Add(c Balance) (Balance, error) {
	var err error
	sum := func(x, y Money) Money {
		s, e := x.Add(y)
		if e != nil {
			err = e
		}
		return s
	}
	return Balance{sum(b.CallDebits, c.CallDebits), sum(b.CallCredits, c.CallCredits), sum(b.Debits, c.Debits), sum(b.Credits, c.Credits)}, err
}

// PostingKind says which event a posting records.
type PostingKind uint8

// The posting kinds; a rated call is its own posting and has none (R9, R13).
const (
	PostingPayment PostingKind = 1 + iota
	PostingTransaction
	PostingPlan
	PostingCorrection
	PostingOpening
	PostingRounding
	PostingReversal
	PostingData
)

// String returns the kind's word.
func (k PostingKind) String() string {
	names := [...]string{"", "payment", "transaction", "plan", "correction", "opening", "rounding", "reversal", "data"}
	if int(k) < len(names) {
		return names[k]
	}
	return "unknown"
}

// Origin says whether a record is billd's own work or another system's history.
type Origin uint8

// The origins. History moves no balance but is counted, listed and invoiced like own (R10).
const (
	Own Origin = iota
	History
)

// String returns the origin's word.
func (o Origin) String() string {
	if o == History {
		return "history"
	}
	return "own"
}

// Posting moves one positive amount from one ledger (debit) to another (credit). It is never edited.
type Posting struct {
	ID      uint64      `json:"id"`
	Kind    PostingKind `json:"kind"`
	Debit   Ledger      `json:"debit"`
	Credit  Ledger      `json:"credit"`
	Amount  Money       `json:"amount"`
	At      time.Time   `json:"at"`
	Account AccountID   `json:"account"`       // whose statement shows it
	Ref     string      `json:"ref,omitempty"` // unique when given: the same reference posts once
	Text    string      `json:"text,omitempty"`
	// Service is Kazoo's source service or the Yeti service's number as text; Source its id.
	Service string `json:"service,omitempty"`
	Source  string `json:"source,omitempty"`
}

// Valid checks what makes a posting balanced.
func (p *Posting) Valid() error {
	switch {
	case p.Amount <= 0:
		return Broken("amount", "minimum", "0", "posting amount %s: want more than 0", p.Amount)
	case p.Amount > MaxMoney:
		return Errorf(Range, "amount", "posting amount %s is more than an amount can be", p.Amount)
	case p.Debit.Currency != p.Credit.Currency:
		return Broken("currency", "same", "", "posting from %s to %s: currencies differ", p.Debit, p.Credit)
	case p.Debit == p.Credit:
		return Broken("ledger", "different", "", "posting from %s to itself", p.Debit)
	}
	return nil
}

// Tally is what one account did on one of its local days, one side, one origin.
type Tally struct {
	Calls, Answered uint64
	Seconds, Billed uint64 // Σ duration and Σ billed duration
	Net, Tax        Money
}

// IsZero reports whether the day is empty.
func (t Tally) IsZero() bool { return t == Tally{} }

// Day is a local calendar day as days since 1970-01-01.
type Day uint32

// DayOf returns the calendar day of t in loc; days before 1970 are day 0.
func DayOf(t time.Time, loc *time.Location) Day {
	_, offset := t.In(loc).Zone()
	s := t.Unix() + int64(offset)
	if s < 0 {
		return 0
	}
	return Day(s / 86400)
}

// Start returns the first instant of the day in loc.
func (d Day) Start(loc *time.Location) time.Time {
	u := time.Unix(int64(d)*86400, 0).UTC()
	return time.Date(u.Year(), u.Month(), u.Day(), 0, 0, 0, 0, loc)
}

// String returns YYYY-MM-DD.
func (d Day) String() string { return time.Unix(int64(d)*86400, 0).UTC().Format("2006-01-02") }

// Side says which party of a call an account was.
type Side uint8

// The sides.
const (
	CustomerSide Side = iota
	VendorSide
)
