package storage

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"billd/rating"
	"billd/rating/plan"
)

// topUpTerms reads what an account's document says of automatic top-ups: by how much, and below which
// balance. ok is false unless both are more than 0. Source: contract Kazoo, 4.16.
func topUpTerms(a *rating.Account) (amount, threshold rating.Money, ok bool) {
	if !bytes.Contains(a.Doc, []byte(`"topup"`)) {
		return 0, 0, false
	}
	terms, _ := readObject(a.Doc)["topup"].(plan.Object)
	read := func(name string) rating.Money {
		switch v := terms[name].(type) {
		case json.Number:
			m, _ := rating.ParseMoney(v.String()) // what cannot be read is 0, which is none
			return m
		case string:
			m, _ := rating.ParseMoney(v)
			return m
		}
		return 0
	}
	amount, threshold = read("amount"), read("threshold")
	return amount, threshold, amount > 0 && threshold > 0
}

// topUpKeys list an open account that wants to be topped up.
func topUpKeys(a *rating.Account) [][]byte {
	if _, _, ok := topUpTerms(a); !ok || a.Closed() {
		return nil
	}
	return [][]byte{{}}
}

// topUpPause is how long an automatic top-up is the last one. Source: contract Kazoo, 4.16.
const topUpPause = 24 * time.Hour

// lowAccounts returns the accounts that an automatic top-up is due for.
func (tx *Tx) lowAccounts() (low []rating.AccountID, err error) {
	err = tx.Accounts.EachUnder(bAccountTopUp, nil, func(a *rating.Account) (bool, error) {
		due, _, err := tx.topUpDue(a)
		if due {
			low = append(low, a.ID)
		}
		return true, err
	})
	return low, err
}

// topUpDue reports whether an account wants to be topped up now, and by how much: its balance is below
// its threshold, and it was not topped up in the last day.
func (tx *Tx) topUpDue(a *rating.Account) (bool, rating.Money, error) {
	amount, threshold, ok := topUpTerms(a)
	if !ok || a.Closed() {
		return false, 0, nil
	}
	balance, err := tx.AccountBalance(a)
	if err != nil || balance >= threshold {
		return false, 0, err
	}
	s, err := tx.ServicesOf(a.ID)
	return err == nil && !tx.now.Before(s.ToppedUp.Add(topUpPause)), amount, err
}

// TopUpLow tops up every account whose balance fell below its threshold, if the settings allow it. It
// returns how many. What fails for one account does not keep another from it.
func (db *DB) TopUpLow(ctx context.Context) (done int, err error) {
	if !db.Settings().TopUpAutomatic {
		return 0, nil
	}
	var low []rating.AccountID
	err = db.View(ctx, func(tx *Tx) (err error) {
		low, err = tx.lowAccounts()
		return err
	})
	if err != nil {
		return 0, err
	}
	var failed []error
	for _, id := range low {
		if err := ctx.Err(); err != nil {
			return done, errors.Join(append(failed, err)...)
		}
		topped := false
		err := db.Update(ctx, func(tx *Tx) (err error) {
			topped, err = tx.topUp(id)
			return err
		})
		switch {
		case err != nil:
			failed = append(failed, fmt.Errorf("account %d: %w", id, err))
		case topped:
			done++
		}
	}
	return done, errors.Join(failed...)
}

// topUp credits an account as its terms say, if it is due. There is no gateway to ask: that the money
// comes is what turning automatic top-ups on says.
func (tx *Tx) topUp(id rating.AccountID) (done bool, err error) {
	a, err := tx.Accounts.Get(uint64(id))
	if err != nil {
		return false, err
	}
	due, amount, err := tx.topUpDue(a)
	if err != nil || !due {
		return false, err
	}
	text := "Automatic top-up"
	p := &Payment{Account: id, Amount: amount, Notes: &text}
	if err := tx.Pay(p); err != nil {
		return false, err
	}
	balance, err := tx.AccountBalance(a)
	if err != nil {
		return false, err
	}
	if err := tx.LedgerNotes.Put(&LedgerNote{ID: p.Posting, Trigger: automatic, Balance: balance}); err != nil {
		return false, err
	}
	s, err := tx.ServicesOf(id)
	if err != nil {
		return false, err
	}
	s.ToppedUp = tx.now
	return true, tx.Services.Put(s)
}

// automatic is the trigger of what billd posts by itself.
const automatic = "automatic"
