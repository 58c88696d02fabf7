package storage

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"billd/rating"
	"billd/storage/bolt"
)

// testClock is the instant at which test stores are made.
var testClock = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// openTest opens a fresh store whose clock stands at testClock.
func openTest(t testing.TB) *DB {
	t.Helper()
	return openAt(t, filepath.Join(t.TempDir(), "billd.db"))
}

func openAt(t testing.TB, path string) *DB {
	t.Helper()
	e, err := openEngine(path, bolt.Options{Buckets: BucketNames(), FillPercent: FillPercents()})
	if err != nil {
		t.Fatal(err)
	}
	db, err := Open(context.Background(), e, Options{Now: func() time.Time { return testClock }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func TestOneCallGoesThroughEveryLayer(t *testing.T) {
	db := openTest(t)
	ctx := context.Background()
	var account *rating.Account
	err := db.Update(ctx, func(tx *Tx) error {
		account = &rating.Account{Name: "Northfield", Contractor: 1, VAT: 20_000_000}
		if err := tx.CreateAccount(account); err != nil {
			return err
		}
		return tx.Rates.Put(&rating.Rate{Deck: rating.DefaultDeck, Prefix: "44",
			Terms: rating.Terms{First: rating.Step{Seconds: 60, Price: 10_000_000}, Next: rating.Step{Seconds: 60, Price: 10_000_000}}})
	})
	if err != nil {
		t.Fatal(err)
	}
	q := NewIngest(db)
	defer q.Stop()
	call := func(id, number string) Record {
		var c rating.Call
		c.SetTime(rating.CDRTimeStart, testClock.Add(-time.Hour))
		c.SetInt(rating.CDRDuration, 61)
		c.SetText(rating.CDRCallID, id)
		c.SetText(rating.CDRDstPrefixRouting, number)
		c.AccountRef = "Northfield"
		return Record{Call: &c}
	}
	v, err := q.Submit(ctx, []Record{call("a", "442071838750"), call("a", "442071838750"), call("b", "999")})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []rating.Outcome{rating.OutcomeRated, rating.OutcomeDuplicate, rating.OutcomeSuspended} {
		if v[i].Outcome != want {
			t.Errorf("verdict %d = %s (%s), want %s", i, v[i].Outcome, v[i].Detail, want)
		}
	}
	if got, want := v[0].Price.String(), "0.024"; got != want {
		t.Errorf("price = %s, want %s", got, want)
	}
	again, err := q.Submit(ctx, []Record{call("a", "442071838750"), call("b", "999"), call("a", "442071838751")})
	if err != nil {
		t.Fatal(err)
	}
	if again[0].Outcome != rating.OutcomeDuplicate || again[0].ID != v[0].ID || again[0].Price != v[0].Price {
		t.Errorf("the same call again = %+v, want a duplicate of %d", again[0], v[0].ID)
	}
	if again[1].Suspense != v[2].Suspense {
		t.Errorf("the held call again = suspense %d, want %d", again[1].Suspense, v[2].Suspense)
	}
	if again[2].Reason != rating.ReasonConflict {
		t.Errorf("other content under the same id = %s, want %s", again[2].Reason, rating.ReasonConflict)
	}
	err = db.View(ctx, func(tx *Tx) error {
		b, err := tx.AccountBalance(account)
		if err != nil {
			return err
		}
		if got, want := b.String(), "-0.024"; got != want {
			t.Errorf("balance = %s, want %s", got, want)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	clean(t, db)
}

// clean fails the test for every fault that check finds.
func clean(t testing.TB, db *DB) {
	t.Helper()
	if err := db.Check(context.Background(), true, func(fault string) { t.Errorf("check: %s", fault) }); err != nil {
		t.Fatal(err)
	}
}
