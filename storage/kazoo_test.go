package storage

import (
	"context"
	"fmt"
	"testing"
	"time"

	"billd/rating"
)

func update(t *testing.T, db *DB, fn func(*Tx) error) {
	t.Helper()
	if err := db.Update(context.Background(), fn); err != nil {
		t.Fatal(err)
	}
}

func TestATenantBringsItsContractor(t *testing.T) {
	db := openTest(t)
	update(t, db, func(tx *Tx) error {
		for _, want := range []string{"Lakeview", "Lakeview (2)"} {
			a := &rating.Account{Name: "Lakeview"}
			if err := tx.CreateTenant(a); err != nil {
				return err
			}
			c, err := tx.Contractors.Get(a.Contractor)
			if err != nil {
				return err
			}
			if c.Name != want {
				t.Errorf("contractor = %q, want %q", c.Name, want)
			}
			if err := tx.CloseAccount(a.ID); err != nil { // frees the account's name, not its contractor's
				return err
			}
		}
		return nil
	})
}

func TestTheTreeIsWalkedBothWays(t *testing.T) {
	db := openTest(t)
	update(t, db, func(tx *Tx) error {
		parent := rating.MasterAccount
		for i := range rating.MaxAccountDepth - 1 {
			a := &rating.Account{Name: fmt.Sprint("level ", i), Parent: parent}
			if err := tx.CreateTenant(a); err != nil {
				return err
			}
			parent = a.ID
		}
		if err := tx.CreateTenant(&rating.Account{Name: "too deep", Parent: parent}); rating.KindOf(err) != rating.Limit {
			t.Errorf("an account at level %d = %v, want Limit", rating.MaxAccountDepth+1, err)
		}
		above, err := tx.Ancestors(parent)
		if err != nil {
			return err
		}
		if got, want := len(above), rating.MaxAccountDepth-1; got != want || above[len(above)-1].ID != rating.MasterAccount {
			t.Errorf("%d ancestors, want %d up to the master", got, want)
		}
		n := 0
		err = tx.Descendants(rating.MasterAccount, func(*rating.Account) (bool, error) { n++; return true, nil })
		if got, want := n, rating.MaxAccountDepth-1; got != want {
			t.Errorf("%d descendants, want %d", got, want)
		}
		return err
	})
}

func TestPostingsAndAuditsComeNewestFirst(t *testing.T) {
	db := openTest(t)
	update(t, db, func(tx *Tx) error {
		a := &rating.Account{Name: "Northfield"}
		if err := tx.CreateTenant(a); err != nil {
			return err
		}
		other := &rating.Account{Name: "Southfield"}
		if err := tx.CreateTenant(other); err != nil {
			return err
		}
		for i := range 5 {
			for _, x := range []*rating.Account{a, other} {
				if err := tx.Pay(&Payment{Account: x.ID, Amount: rating.Money(i + 1)}); err != nil {
					return err
				}
			}
			at := testClock.Add(time.Duration(i) * time.Hour)
			if err := tx.ServiceAudits.Put(&ServiceAudit{Account: a.ID, At: at, Status: fmt.Sprint(i)}); err != nil {
				return err
			}
		}
		var amounts []rating.Money
		var second uint64
		err := tx.PostingsOf(AccountLedger(a), 0, func(p *rating.Posting) (bool, error) {
			amounts = append(amounts, p.Amount)
			if len(amounts) == 2 {
				second = p.ID
			}
			return true, nil
		})
		if err != nil {
			return err
		}
		if got, want := fmt.Sprint(amounts), "[0.000005 0.000004 0.000003 0.000002 0.000001]"; got != want {
			t.Errorf("postings = %s, want %s", got, want)
		}
		amounts = nil
		err = tx.PostingsOf(AccountLedger(a), second, func(p *rating.Posting) (bool, error) {
			amounts = append(amounts, p.Amount)
			return len(amounts) < 2, nil
		})
		if err != nil {
			return err
		}
		if got, want := fmt.Sprint(amounts), "[0.000003 0.000002]"; got != want {
			t.Errorf("postings below the second = %s, want %s", got, want)
		}
		var keys string
		err = tx.ServiceAuditsOf(a.ID, testClock.Add(time.Hour), testClock.Add(3*time.Hour), func(s *ServiceAudit) (bool, error) {
			keys += s.Status
			return true, nil
		})
		if got, want := keys, "321"; got != want {
			t.Errorf("audits of a range = %s, want %s", got, want)
		}
		return err
	})
}
