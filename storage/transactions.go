package storage

import (
	"strconv"

	"billd/rating"
)

// Transact posts a transaction that takes amount from an account, or gives it when amount is below 0.
// service is the number of the service that it is for, 0 for none. One with a ref posts once: its
// second posting is the first. Fails with Invalid if amount is 0.
func (tx *Tx) Transact(a *rating.Account, amount rating.Money, text string, service uint64, ref string) (*rating.Posting, error) {
	p := transfer(rating.PostingTransaction, a, SystemLedger(rating.LedgerAdjustment, a.Currency), -amount)
	p.Text, p.Ref = text, ref
	if service != 0 {
		p.Service = strconv.FormatUint(service, 10)
	}
	_, err := tx.Post(p)
	return p, err
}

// IsTransaction reports whether a posting is one of those that Yeti shows as transactions (R13).
func IsTransaction(p *rating.Posting) bool {
	switch p.Kind {
	case rating.PostingTransaction, rating.PostingPlan, rating.PostingReversal, rating.PostingData:
		return true
	}
	return false
}

// TransactionsOf calls fn with an account's transactions, oldest first, until it returns false.
func (tx *Tx) TransactionsOf(a *rating.Account, fn func(*rating.Posting) (bool, error)) error {
	return tx.Postings.EachUnder(bPostingLedger, AccountLedger(a).Key(), func(p *rating.Posting) (bool, error) {
		if !IsTransaction(p) || p.Account != a.ID {
			return true, nil
		}
		return fn(p)
	})
}

// postingSpace is the random part of the UUIDs of postings: that of rates, told apart by its first byte.
func (tx *Tx) postingSpace() [6]byte {
	s := tx.db.space.Rate
	s[0] = ^s[0]
	return s
}

// PostingUUID returns the UUID that a posting is known by.
func (tx *Tx) PostingUUID(p *rating.Posting) rating.UUID {
	return rating.NumberUUID(tx.postingSpace(), p.ID)
}

// PostingByUUID finds a posting by the UUID that it is known by.
func (tx *Tx) PostingByUUID(u rating.UUID) (*rating.Posting, error) {
	n, ok := u.Number(tx.postingSpace())
	if !ok {
		return nil, rating.Errorf(rating.NotFound, "posting", "no such posting")
	}
	return tx.Postings.Get(n)
}
