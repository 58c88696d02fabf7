package kazoo

import (
	"strconv"
	"time"

	"billd/rating"
	"billd/storage"
)

// Kazoo keeps each month's ledgers in a database of their own and opens it with a ledger that carries the
// balance over. billd's balance needs none, so a rollover is worked out when it is asked for: it moves
// nothing and is in no total.

// rolloverAt returns the rollover into the month that begins at an instant, nil when there was nothing to
// carry or the month has not begun.
func rolloverAt(tx *storage.Tx, a *rating.Account, month time.Time) (*ledger, error) {
	if month.After(tx.Now()) || !month.After(a.CreatedAt) {
		return nil, nil
	}
	balance, err := tx.BalanceAt(a, month)
	if err != nil || balance == 0 {
		return nil, err
	}
	closed := month.AddDate(0, -1, 0)
	n, err := strconv.ParseUint(month.Format("200601"), 10, 64)
	if err != nil {
		return nil, err
	}
	return &ledger{ID: ledgerID(month, ledgerOfRollover, n), Amount: number(balance), Description: "Monthly rollover", amount: balance, at: month,
		Source: ledgerSource{serviceRollovers, closed.Format("200601")}, Account: accountRef{a.UUID.Hex(), a.Name},
		Executor: &executor{"automatic", "kz_ledgers_rollover"}, Period: ledgerPeriod{seconds(closed), seconds(month)}, Created: seconds(month),
		key: ledgerKey{month.UnixMilli(), ledgerOfRollover, n}}, nil
}

// eachRollover calls fn with the rollovers of an account in s, newest first.
func eachRollover(tx *storage.Tx, a *rating.Account, s span, fn func(*ledger) (bool, error)) error {
	to := s.to.UTC()
	for month := time.Date(to.Year(), to.Month(), 1, 0, 0, 0, 0, time.UTC); !month.Before(s.from) && month.After(a.CreatedAt); month = month.AddDate(0, -1, 0) {
		l, err := rolloverAt(tx, a, month)
		if err != nil {
			return err
		}
		if l == nil {
			continue
		}
		if more, err := fn(l); err != nil || !more {
			return err
		}
	}
	return nil
}

// findRollover finds a rollover by the month that it opens, as its id spells it.
func findRollover(tx *storage.Tx, a *rating.Account, n uint64) (*ledger, error) {
	month, err := time.Parse("200601", strconv.FormatUint(n, 10))
	if err != nil {
		return nil, nil // not an id of ours
	}
	return rolloverAt(tx, a, month)
}
