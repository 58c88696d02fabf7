package storage

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"billd/rating"
	"billd/storage/kv"
)

func TestRatesInForce(t *testing.T) {
	db := openTest(t)
	ctx := context.Background()
	soon, step := testClock.Add(time.Hour), rating.Step{Seconds: 60}
	mustUpdate(t, db, func(tx *Tx) error {
		for _, r := range []rating.Rate{
			{Prefix: "44"}, {Prefix: "447", From: testClock, Till: soon}, {Prefix: "4"}, {Prefix: "45", Till: testClock},
			{Prefix: "46", From: soon}, {Prefix: "47", Disabled: true}, {Prefix: "48", Direction: rating.Inbound},
			{Prefix: "49", Gen: 5}, {Prefix: "41", Deck: 2}, {Prefix: "5"},
		} {
			if r.Deck == 0 {
				r.Deck = rating.DefaultDeck
			}
			r.Terms.First, r.Terms.Next = step, step
			if err := tx.Rates.Put(&r); err != nil {
				return err
			}
		}
		return nil
	})
	read := func(s *RateScan, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		var found []string
		for s.Next() {
			var r rating.Rate
			if err := s.Rate(&r); err != nil {
				t.Fatal(err)
			}
			found = append(found, r.Prefix)
		}
		if s.Err() != nil {
			t.Fatal(s.Err())
		}
		return strings.Join(found, " ")
	}
	err := db.View(ctx, func(tx *Tx) error {
		for _, tt := range []struct{ name, got, want string }{
			{"by number", read(tx.RatesByNumber(rating.DefaultDeck, 0)), "44 447 4 5"},
			{"by number, from one on", read(tx.RatesByNumber(rating.DefaultDeck, 2)), "447 4 5"},
			{"by prefix", read(tx.RatesByPrefix(rating.DefaultDeck, "")), "4 44 447 5"},
			{"by prefix, under one", read(tx.RatesByPrefix(rating.DefaultDeck, "44")), "44 447"},
			{"under a prefix that none has", read(tx.RatesByPrefix(rating.DefaultDeck, "9")), ""},
		} {
			if tt.got != tt.want {
				t.Errorf("%s: %q, want %q", tt.name, tt.got, tt.want)
			}
		}
		n, until, err := tx.CountRates(rating.DefaultDeck)
		if err != nil || n != 4 || !until.Equal(soon) {
			t.Errorf("count = %d until %v, %v, want 4 until %v", n, until, err, soon)
		}
		for prefix, want := range map[string]rating.RateID{"4": 3, "44": 1, "447": 2, "4470": 0, "45": 0, "": 0} {
			if got, err := tx.RateOfPrefix(rating.DefaultDeck, prefix); err != nil || got != want {
				t.Errorf("rate of %q = %d, %v, want %d", prefix, got, err, want)
			}
		}
		for id, want := range map[rating.RateID]bool{1: true, 2: true, 4: false, 5: false, 6: false, 9: false, 99: false} {
			if r, err := tx.RateInForce(rating.DefaultDeck, id); (err == nil) != want || err != nil && rating.KindOf(err) != rating.NotFound {
				t.Errorf("rate %d = %v, %v, want in force %v", id, r, err, want)
			}
		}
		if _, err := tx.RatesByNumber(77, 0); rating.KindOf(err) != rating.NotFound {
			t.Errorf("a deck that is not there: %v, want NotFound", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestAClosingThatSettlesEndsARate plants what an import leaves while it moves closings into rows.
func TestAClosingThatSettlesEndsARate(t *testing.T) {
	db := openTest(t)
	mustUpdate(t, db, func(tx *Tx) error {
		r := &rating.Rate{Deck: rating.DefaultDeck, Prefix: "44"}
		if err := tx.Rates.Put(r); err != nil {
			return err
		}
		d, err := tx.Decks.Get(uint64(rating.DefaultDeck))
		if err != nil {
			return err
		}
		d.Generation, d.Settling = 1, true
		v := kv.Key(nil).U32(1).U64(uint64(testClock.UnixMilli()))
		if err := tx.Txn.Put(bRateClose, kv.Key(nil).U64(uint64(d.ID)).U64(uint64(r.ID)), v); err != nil {
			return err
		}
		return tx.Decks.Put(d)
	})
	mustUpdate(t, db, func(tx *Tx) error {
		if n, _, err := tx.CountRates(rating.DefaultDeck); n != 0 {
			t.Errorf("count = %d, %v, want 0", n, err)
		}
		return nil
	})
}

// TestRowsOfARunningImportAreNobodysYet plants what an import leaves before and after its flip, and asks
// every read that lists rows.
func TestRowsOfARunningImportAreNobodysYet(t *testing.T) {
	db := openTest(t)
	later := testClock.Add(time.Hour)
	seen := func(tx *Tx) string {
		t.Helper()
		var found []string
		note := func(r *rating.Rate) (bool, error) {
			till := "-"
			if !r.Till.IsZero() {
				till = fmt.Sprint(int(r.Till.Sub(testClock).Hours()))
			}
			found = append(found, r.Prefix+"/"+till)
			return true, nil
		}
		for _, walk := range []func() error{
			func() error { return tx.RatesAt(rating.DefaultDeck, "44", note) },
			func() error { return tx.RatesFrom(rating.DefaultDeck, "", 0, note) },
			func() error {
				return tx.EachRate(context.Background(), &RateSearch{Prefix: []string{"44"}}, func(row *RateRow) (bool, error) {
					var r rating.Rate
					if err := row.Decode(&r); err != nil {
						return false, err
					}
					return note(&r)
				})
			},
			func() error {
				r, err := tx.RateByKazooID(rating.DefaultDeck, "GB-44")
				if err == nil {
					note(r)
				}
				return err
			},
			func() error {
				r, err := tx.VisibleRate(1)
				if err == nil {
					note(r)
				}
				return err
			},
			func() error {
				r, err := tx.RateInForce(rating.DefaultDeck, 1)
				if err == nil {
					note(r)
				}
				return err
			},
		} {
			if err := walk(); err != nil {
				t.Fatal(err)
			}
			found = append(found, "|")
		}
		return strings.Join(found, " ")
	}
	step := rating.Step{Seconds: 60}
	mustUpdate(t, db, func(tx *Tx) error {
		for _, r := range []rating.Rate{{Prefix: "44", KazooID: "GB-44"}, {Prefix: "44", Gen: 1, From: later, KazooID: "staged"}} {
			r.Deck, r.Terms.First, r.Terms.Next = rating.DefaultDeck, step, step
			if err := tx.Rates.Put(&r); err != nil {
				return err
			}
		}
		v := kv.Key(nil).U32(1).U64(uint64(later.UnixMilli()))
		return tx.Txn.Put(bRateClose, kv.Key(nil).U64(uint64(rating.DefaultDeck)).U64(1), v)
	})
	mustUpdate(t, db, func(tx *Tx) error {
		if got, want := seen(tx), "44/- | 44/- | 44/- | 44/- | 44/- | 44/- |"; got != want {
			t.Errorf("while the import runs: %s, want %s", got, want)
		}
		if _, err := tx.RateByKazooID(rating.DefaultDeck, "staged"); rating.KindOf(err) != rating.Conflict {
			t.Errorf("the id of a staged row: %v, want Conflict", err)
		}
		d, err := tx.Decks.Get(uint64(rating.DefaultDeck))
		if err != nil {
			return err
		}
		d.Generation, d.Settling = 1, true
		return tx.Decks.Put(d)
	})
	mustUpdate(t, db, func(tx *Tx) error {
		if got, want := seen(tx), "44/1 44/- | 44/1 44/- | 44/1 44/- | 44/1 | 44/1 | 44/1 |"; got != want {
			t.Errorf("while it settles: %s, want %s", got, want)
		}
		if err := tx.RatesAt(77, "4", nil); rating.KindOf(err) != rating.NotFound {
			t.Errorf("a deck that is not there: %v, want NotFound", err)
		}
		return nil
	})
}

func TestCallsOfSeveralAccountsAreOneList(t *testing.T) {
	db := openTest(t)
	ctx := context.Background()
	var ids []rating.AccountID
	mustUpdate(t, db, func(tx *Tx) error {
		for i := range 4 {
			a := &rating.Account{Name: fmt.Sprint("account ", i), Contractor: 1}
			if err := tx.CreateAccount(a); err != nil {
				return err
			}
			ids = append(ids, a.ID)
		}
		return nil
	})
	at := func(minute int) time.Time { return testClock.Add(time.Duration(minute-100) * time.Minute) }
	var records []Record
	for i, account := range []int{0, 1, 0, 2, 1, 0, 3} { // minute i
		var c rating.Call
		c.SetTime(rating.CDRTimeStart, at(i))
		c.SetInt(rating.CDRDuration, 0)
		c.SetText(rating.CDRCallID, fmt.Sprint(i))
		c.SetInt(rating.CDRCustomerAccID, int64(ids[account]))
		records = append(records, Record{Call: &c})
	}
	if _, err := db.ChargeNow(ctx, records); err != nil {
		t.Fatal(err)
	}
	minutes := func(s *CallScan) string {
		var found []string
		for id, ok := s.Next(); ok; id, ok = s.Next() {
			found = append(found, fmt.Sprint(int(time.UnixMilli(id.Milli()).Sub(at(0)).Minutes())))
		}
		return strings.Join(found, " ")
	}
	err := db.View(ctx, func(tx *Tx) error {
		for _, tt := range []struct{ name, got, want string }{
			{"oldest first", minutes(tx.Calls(ids[:2], time.Time{}, time.Time{})), "0 1 2 4 5"},
			{"newest first", minutes(tx.CallsBack(ids[:2], time.Time{}, time.Time{})), "5 4 2 1 0"},
			{"the last account's, newest first", minutes(tx.CallsBack(ids[3:], time.Time{}, time.Time{})), "6"},
			{"all", minutes(tx.Calls(ids, time.Time{}, time.Time{})), "0 1 2 3 4 5 6"},
			{"from", minutes(tx.Calls(ids, at(4), time.Time{})), "4 5 6"},
			{"till is exclusive", minutes(tx.Calls(ids, at(1), at(4))), "1 2 3"},
			{"backwards between two times", minutes(tx.CallsBack(ids, at(1), at(4))), "3 2 1"},
			{"none in between", minutes(tx.Calls(ids, at(4), at(1))), ""},
			{"no account", minutes(tx.Calls(nil, time.Time{}, time.Time{})), ""},
			{"an account without calls", minutes(tx.CallsBack([]rating.AccountID{rating.MasterAccount}, time.Time{}, time.Time{})), ""},
		} {
			if tt.got != tt.want {
				t.Errorf("%s: minutes %q, want %q", tt.name, tt.got, tt.want)
			}
		}
		n, err := tx.CountCalls(ids[:2])
		if err != nil || n != 5 {
			t.Errorf("count = %d, %v, want 5", n, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestTenantBillingIsKeptPerAccount(t *testing.T) {
	db := openTest(t)
	want := TenantBilling{Enabled: true, Online: true}
	mustUpdate(t, db, func(tx *Tx) error { return tx.SaveTenantBilling(2, want) })
	mustUpdate(t, db, func(tx *Tx) error {
		if got, err := tx.TenantBilling(2); err != nil || got != want {
			t.Errorf("billing of account 2 = %+v, %v, want %+v", got, err, want)
		}
		if got, err := tx.TenantBilling(3); err != nil || got != (TenantBilling{}) {
			t.Errorf("billing of account 3 = %+v, %v, want the zero value", got, err)
		}
		return nil
	})
}

func TestUsersAreFoundByNameInAnyCase(t *testing.T) {
	db := openTest(t)
	mustUpdate(t, db, func(tx *Tx) error {
		for i, name := range []string{"Anna", "annabel"} {
			if err := tx.Users.Put(&User{Account: 1, Username: name, UUID: rating.NumberUUID([6]byte{1}, uint64(i))}); err != nil {
				return err
			}
		}
		return nil
	})
	mustUpdate(t, db, func(tx *Tx) error {
		for name, want := range map[string]string{"ANNA": "Anna", "annabel": "annabel", "ann": "", "": "", "anna\x00": ""} {
			got := ""
			if u, err := tx.UserNamed(1, name); err == nil {
				got = u.Username
			}
			if got != want {
				t.Errorf("user %q = %q, want %q", name, got, want)
			}
		}
		if _, err := tx.UserNamed(2, "anna"); rating.KindOf(err) != rating.NotFound {
			t.Errorf("another account's user: %v, want NotFound", err)
		}
		return nil
	})
}

func mustUpdate(t *testing.T, db *DB, fn func(*Tx) error) {
	t.Helper()
	if err := db.Update(context.Background(), fn); err != nil {
		t.Fatal(err)
	}
}
