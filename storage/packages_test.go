package storage

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"billd/rating"
)

// packaged gives an account a service of free minutes: 44 with so many seconds, 4499 excluded.
func packaged(t *testing.T, db *DB, a *rating.Account, seconds int) *YetiService {
	t.Helper()
	s := &YetiService{UUID: rating.NewUUID(testClock), Account: a.ID}
	err := db.Update(context.Background(), func(tx *Tx) error {
		kind := &ServiceType{Name: fmt.Sprintf("minutes %d", tx.ServiceTypes.Count()), Class: FreeMinutesService,
			Variables: []byte(fmt.Sprintf(`{"prefixes":[{"prefix":"44","duration":%d},{"prefix":"4499","duration":0,"exclude":true}]}`, seconds))}
		if err := tx.ServiceTypes.Put(kind); err != nil {
			return err
		}
		s.Type = kind.ID
		return tx.CreateYetiService(s)
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// left returns what a service's first counter has.
func left(t *testing.T, db *DB, s *YetiService) (seconds int64) {
	t.Helper()
	err := db.View(context.Background(), func(tx *Tx) error {
		return tx.CountersOf(s.ID, func(c *rating.PackageCounter) (bool, error) {
			seconds = c.Duration
			return false, nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return seconds
}

func TestCallsDrawOnAPackageBeforeMoney(t *testing.T) {
	db := openTest(t)
	a := customer(t, db)
	priceAt(t, db, 200_000_000) // 0.24 a minute with VAT
	s := packaged(t, db, a, 100)
	for _, step := range []struct {
		name, id, number string
		left             int64
		balance          string
	}{
		{"a minute of the package", "1", "4420", 40, "0.0"},
		{"the same call again", "1", "4420", 40, "0.0"},
		{"an excluded prefix costs", "2", "4499", 40, "-0.24"},
		{"the call that outlasts it is covered whole", "3", "4420", -20, "-0.24"},
		{"now the rate", "4", "4420", -20, "-0.48"},
	} {
		chargeOne(t, db, step.id, step.number, time.Hour)
		if got, balance := left(t, db, s), balanceOf(t, db, a); got != step.left || balance != step.balance {
			t.Errorf("%s: %d s and balance %s, want %d and %s", step.name, got, balance, step.left, step.balance)
		}
		clean(t, db)
	}
}

func TestRetriedCallsDrawOnThePackage(t *testing.T) {
	ctx := context.Background()
	db := openTest(t)
	a := customer(t, db)
	s := packaged(t, db, a, 100)
	chargeOne(t, db, "1", "4420", time.Hour)
	if got := left(t, db, s); got != 100 {
		t.Errorf("a call that is held: %d s left, want 100", got)
	}
	priceAt(t, db, 200_000_000)
	for range 2 {
		if err := db.RetrySuspense(ctx, SuspenseFilter{}, nil, func([]rating.Verdict) {}); err != nil {
			t.Fatal(err)
		}
	}
	if got := left(t, db, s); got != 40 {
		t.Errorf("charged at last: %d s left, want 40", got)
	}
	clean(t, db)
}

func TestRerateMovesThePackageByTheDifference(t *testing.T) {
	const day = 24 * time.Hour
	ctx := context.Background()
	db := openTest(t)
	a := customer(t, db)
	priceAt(t, db, 200_000_000)
	s := packaged(t, db, a, 1000)
	chargeOne(t, db, "1", "4420", 10*day)
	chargeOne(t, db, "2", "4420", day)
	steps := func(seconds uint32, reverse bool) {
		t.Helper()
		err := db.Update(ctx, func(tx *Tx) error {
			id, err := tx.RateOfPrefix(rating.DefaultDeck, "44")
			if err != nil {
				return err
			}
			rate, err := tx.Rates.Get(uint64(id))
			if err != nil {
				return err
			}
			rate.Terms.First.Seconds, rate.Reverse = seconds, reverse
			return tx.Rates.Put(rate)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	invoice := func() {
		var inv *rating.Invoice
		err := db.Update(ctx, func(tx *Tx) (err error) {
			inv, err = tx.CreateInvoice(a, rating.InvoiceManual, rating.Period{Start: testClock.Add(-20 * day), End: testClock.Add(-5 * day)})
			return err
		})
		if err == nil {
			_, err = db.FillInvoice(ctx, inv.ID)
		}
		if err == nil {
			err = db.Update(ctx, func(tx *Tx) error { _, err := tx.ApproveInvoice(inv.ID); return err })
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	refill := func() {
		if err := db.Update(ctx, func(tx *Tx) error { return tx.resetCounters(s) }); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		name    string
		work    func()
		changed int
		left    int64
		balance string
	}{
		{"longer steps take more", func() { steps(90, false) }, 2, 820, "0.0"},
		{"nothing new, nothing moves", func() {}, 0, 820, "0.0"},
		{"another price moves nothing: covered is covered", func() { priceAt(t, db, 400_000_000); steps(90, false) }, 0, 820, "0.0"},
		{"where the customer earns, the package gets its seconds back", func() { steps(90, true) }, 2, 1000, "1.44"},
		{"and a call that was not covered then is not covered now", func() { steps(90, false) }, 2, 1000, "-1.44"},
		{"a refilled counter keeps what it has", func() { refill(); steps(60, false) }, 2, 1000, "-0.96"},
		{"a call on approved paper keeps its counter", func() { chargeOne(t, db, "3", "4420", 9*day); invoice(); steps(30, false) }, 2, 940, "-1.44"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.work()
			if sum := rerateAll(t, db); sum.Changed != tt.changed {
				t.Errorf("%d changed, want %d", sum.Changed, tt.changed)
			}
			if got, balance := left(t, db, s), balanceOf(t, db, a); got != tt.left || balance != tt.balance {
				t.Errorf("%d s and balance %s, want %d and %s", got, balance, tt.left, tt.balance)
			}
			clean(t, db)
		})
	}
}

func TestAFillingForgetsTheCallsOfTheLast(t *testing.T) {
	db := openTest(t)
	a := customer(t, db)
	priceAt(t, db, 200_000_000)
	s := packaged(t, db, a, 100)
	chargeOne(t, db, "1", "4420", time.Hour)
	for range 2 { // at the same instant of a clock that stands still
		if err := db.Update(context.Background(), func(tx *Tx) error { return tx.resetCounters(s) }); err != nil {
			t.Fatal(err)
		}
		clean(t, db)
	}
	chargeOne(t, db, "2", "4420", time.Hour)
	if got := left(t, db, s); got != 40 {
		t.Errorf("%d s left, want 40", got)
	}
	clean(t, db)
}

func TestCallsInTheTransactionThatFillsTheCounter(t *testing.T) {
	db := openTest(t)
	a := customer(t, db)
	priceAt(t, db, 200_000_000)
	s := packaged(t, db, a, 100)
	call := func(id string) *rating.Call {
		var c rating.Call
		c.SetTime(rating.CDRTimeStart, testClock.Add(-time.Hour))
		c.SetInt(rating.CDRDuration, 60)
		c.SetText(rating.CDRCallID, id)
		c.SetText(rating.CDRDstPrefixRouting, "4420")
		c.AccountRef = "Northfield"
		return &c
	}
	err := db.Update(context.Background(), func(tx *Tx) error {
		if _, err := tx.Charge(call("1")); err != nil {
			return err
		}
		if err := tx.resetCounters(s); err != nil {
			return err
		}
		_, err := tx.Charge(call("2"))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := left(t, db, s); got != 40 {
		t.Errorf("%d s left, want 40", got)
	}
	clean(t, db)
}

func TestManyDrawAtOnceAndNothingIsLost(t *testing.T) {
	const clients, calls = 8, 25
	db := openTest(t)
	a := customer(t, db)
	priceAt(t, db, 200_000_000)
	s := packaged(t, db, a, clients*calls/2*60)
	q := NewIngest(db)
	defer q.Stop()
	var all sync.WaitGroup
	for n := range clients {
		all.Go(func() {
			for i := range calls {
				var c rating.Call
				c.SetTime(rating.CDRTimeStart, testClock.Add(-time.Hour))
				c.SetInt(rating.CDRDuration, 60)
				c.SetText(rating.CDRCallID, fmt.Sprintf("%d-%d", n, i))
				c.SetText(rating.CDRDstPrefixRouting, "4420")
				c.AccountRef = "Northfield"
				for range 2 { // each is delivered twice
					if _, err := q.Submit(context.Background(), []Record{{Call: &c}}); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	all.Wait()
	if got, balance := left(t, db, s), balanceOf(t, db, a); got != 0 || balance != "-24.0" {
		t.Errorf("%d s left and balance %s, want 0 and -24.0", got, balance)
	}
	clean(t, db)
}

func TestCheckComparesAPackageWithItsCalls(t *testing.T) {
	db := openTest(t)
	a := customer(t, db)
	priceAt(t, db, 200_000_000)
	packaged(t, db, a, 100)
	chargeOne(t, db, "1", "4420", time.Hour)
	err := db.Update(context.Background(), func(tx *Tx) error {
		c, err := tx.PackageCounters.Get(1)
		if err != nil {
			return err
		}
		c.Duration = 41
		return tx.PackageCounters.Put(c)
	})
	if err != nil {
		t.Fatal(err)
	}
	var faults []string
	if err := db.Check(context.Background(), false, func(f string) { faults = append(faults, f) }); err != nil {
		t.Fatal(err)
	}
	const want = "package counter 1: 41 s left, but it was filled with 100 s and calls took 60 s"
	if strings.Join(faults, "\n") != want {
		t.Errorf("check found %q, want %q", faults, want)
	}
}

func TestACounterOfAnOlderStoreIsDrawnFrom(t *testing.T) {
	db := openTest(t)
	a := customer(t, db)
	priceAt(t, db, 200_000_000)
	s := packaged(t, db, a, 100)
	err := db.Update(context.Background(), func(tx *Tx) error {
		c, err := tx.PackageCounters.Get(1)
		if err != nil {
			return err
		}
		c.Filled, c.FilledAt = 0, time.Time{} // as they were stored before fillings were noted
		return tx.PackageCounters.Put(c)
	})
	if err != nil {
		t.Fatal(err)
	}
	clean(t, db)
	chargeOne(t, db, "1", "4420", time.Hour)
	if got := left(t, db, s); got != 40 {
		t.Errorf("%d s left, want 40", got)
	}
	clean(t, db)
}
