package ops

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"billd/rating"
	"billd/storage"
	"billd/storage/bolt"
	"billd/storage/journal"
)

// The plans of these tests are taken in November 2026; the scheduler then runs for planMonths months.
const (
	planAccounts = 45 // three transactions a month
	planMonths   = 30
	planDirEnv   = "BILLD_TEST_PLAN_DIR"
)

var planStart = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// planEnd is an instant in the last month.
var planEnd = planStart.AddDate(0, planMonths, 0)

// openPlans opens the store in dir as serve does, at the time that clock tells.
func openPlans(t *testing.T, dir string, clock func() time.Time) *storage.DB {
	t.Helper()
	engine, err := bolt.Open(filepath.Join(dir, StoreName), bolt.Options{Buckets: storage.BucketNames(), FillPercent: storage.FillPercents()})
	if err != nil {
		t.Fatal(err)
	}
	journalled, err := journal.Open(t.Context(), engine, journal.Options{Path: filepath.Join(dir, journalName), Mark: storage.MetaBucket})
	if err != nil {
		t.Fatal(err)
	}
	db, err := storage.Open(t.Context(), journalled, storage.Options{Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// takePlans makes the accounts, each on a plan of 2 a month for each of 3 seats.
func takePlans(t *testing.T, db *storage.DB) {
	t.Helper()
	err := db.Update(t.Context(), func(tx *storage.Tx) error {
		p := &storage.ServicePlan{UUID: rating.NewUUID(tx.Now()), Vendor: rating.MasterAccount, Name: "Seats", Doc: json.RawMessage(`{"plan":{"users":{"user":{"rate":2}}}}`)}
		if err := tx.ServicePlans.Put(p); err != nil {
			return err
		}
		for i := range planAccounts {
			a := &rating.Account{Name: fmt.Sprint("Customer ", i), Parent: rating.MasterAccount, Timezone: "Europe/Berlin"}
			if err := tx.CreateTenant(a); err != nil {
				return err
			}
			b, err := tx.OpenBooks(a)
			if err != nil {
				return err
			}
			if err := tx.HoldBooks(b); err != nil {
				return err
			}
			b.Services.Plans, b.Services.Manual = []storage.AssignedPlan{{Plan: p.UUID}}, storage.Quantities{"users": {"user": 3}}
			if err := b.LoadPlans(tx); err != nil {
				return err
			}
			if err := tx.SettleBooks(b, a); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// chargedMonths fails the test unless every account was charged for each month up to planEnd once, and
// the store is sound.
func chargedMonths(t *testing.T, db *storage.DB) {
	t.Helper()
	err := db.View(t.Context(), func(tx *storage.Tx) error {
		for id := range rating.AccountID(planAccounts) {
			a, err := tx.OpenAccount(id + 2)
			if err != nil {
				return err
			}
			months := map[string]int{}
			err = tx.TransactionsOf(a, func(p *rating.Posting) (bool, error) {
				if p.Text == "users/user" {
					months[p.At.In(tx.Location(a)).Format("2006-01")]++
				}
				return true, nil
			})
			if err != nil {
				return err
			}
			for i := range planMonths {
				month := time.Date(2026, 12+time.Month(i), 1, 0, 0, 0, 0, time.UTC).Format("2006-01")
				if months[month] != 1 {
					t.Errorf("account %d was charged %d times for %s, want once", a.ID, months[month], month)
				}
			}
			if len(months) != planMonths {
				t.Errorf("account %d was charged for %d months, want %d", a.ID, len(months), planMonths)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Check(t.Context(), false, func(f string) { t.Errorf("check: %s", f) }); err != nil {
		t.Fatal(err)
	}
}

// TestPlanScheduler is the child of TestAKilledSchedulerChargesEveryMonthOnce: it charges month after month
// and says each for which it did.
func TestPlanScheduler(t *testing.T) {
	dir := os.Getenv(planDirEnv)
	if dir == "" {
		t.Skip("only as a child of another test")
	}
	now := planStart
	db := openPlans(t, dir, func() time.Time { return now })
	defer db.Close()
	for now.Before(planEnd) {
		now = now.AddDate(0, 1, 0)
		n, err := db.ChargePlans(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if n > 0 {
			fmt.Println("month", now.Format("2006-01"))
		}
	}
}

// A scheduler that is killed at any point between a posting and the mark of its month charges, when it
// runs again, what it had not and nothing twice.
func TestAKilledSchedulerChargesEveryMonthOnce(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	dir := t.TempDir()
	now := planStart
	clock := func() time.Time { return now }
	db := openPlans(t, dir, clock)
	takePlans(t, db)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	killed := 0
	for range 6 {
		child := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestPlanScheduler$", "-test.v")
		child.Env = append(os.Environ(), planDirEnv+"="+dir)
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for months := rnd.IntN(5); months >= 0 && lines.Scan(); {
			if strings.HasPrefix(lines.Text(), "month ") {
				months--
			}
		}
		time.Sleep(time.Duration(rnd.IntN(4000)) * time.Microsecond) // into a transaction, or between two
		child.Process.Kill()
		if err := child.Wait(); err != nil {
			killed++
		}
	}
	if killed == 0 {
		t.Fatal("every child ended before it was killed")
	}
	now = planEnd
	db = openPlans(t, dir, clock)
	defer db.Close()
	if _, err := db.ChargePlans(t.Context()); err != nil {
		t.Fatal(err)
	}
	chargedMonths(t, db)
}

// Schedulers that run at once, and one that comes after, charge every month once; so does one that finds
// the marks of a year ago.
func TestSchedulersAtOnceChargeEveryMonthOnce(t *testing.T) {
	var mu sync.Mutex
	now := planStart
	clock := func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return now
	}
	move := func(to time.Time) {
		mu.Lock()
		defer mu.Unlock()
		now = to
	}
	db := openPlans(t, t.TempDir(), clock)
	defer db.Close()
	takePlans(t, db)
	var total int
	for _, at := range []time.Time{planStart, planStart.AddDate(0, 1, 0), planStart.AddDate(0, 14, 0), planEnd, planEnd} {
		move(at)
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				n, err := db.ChargePlans(context.Background())
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				total += n
			})
		}
		wg.Wait()
	}
	if want := 3 * planAccounts; total != want {
		t.Errorf("the schedulers charged %d accounts in all, want each of %d on three occasions", total, planAccounts)
	}
	chargedMonths(t, db)
	err := db.Update(t.Context(), func(tx *storage.Tx) error {
		for id := range rating.AccountID(planAccounts) {
			s, err := tx.ServicesOf(id + 2)
			if err != nil {
				return err
			}
			s.ChargeAt = s.ChargeAt.AddDate(-1, 0, 0)
			if err := tx.Services.Put(s); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ChargePlans(t.Context()); err != nil {
		t.Fatal(err)
	}
	chargedMonths(t, db)
}
