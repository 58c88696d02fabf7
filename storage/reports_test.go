package storage

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"billd/rating"
)

// TestNewestCallsIsTheFilteredListReversed compares every query, page by page, with a plain filter.
func TestNewestCallsIsTheFilteredListReversed(t *testing.T) {
	const seed = 7
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, seed))
	db := openTest(t)
	ctx := context.Background()
	err := db.Update(ctx, func(tx *Tx) error {
		for i := range 3 {
			if err := tx.CreateAccount(&rating.Account{Name: fmt.Sprint("account", i), Contractor: 1}); err != nil {
				return err
			}
		}
		return tx.Rates.Put(&rating.Rate{Deck: rating.DefaultDeck, Prefix: "",
			Terms: rating.Terms{First: rating.Step{Seconds: 60}, Next: rating.Step{Seconds: 60}}})
	})
	if err != nil {
		t.Fatal(err)
	}
	var all []*rating.CDR
	err = db.Update(ctx, func(tx *Tx) error {
		for i := range 400 {
			var c rating.Call
			c.SetTime(rating.CDRTimeStart, testClock.Add(-time.Duration(random.IntN(72*60))*time.Minute))
			c.SetInt(rating.CDRDuration, int64(i%3))
			c.SetText(rating.CDRCallID, fmt.Sprint(i))
			c.SetText(rating.CDRDstPrefixRouting, fmt.Sprint(40+random.IntN(4), "00", i))
			c.SetText(rating.CDRSrcPrefixIn, fmt.Sprint(9000+i))
			c.AccountRef, c.VendorRef = fmt.Sprint(2+random.IntN(2)), fmt.Sprint(3+random.IntN(2))
			if _, err := tx.Charge(&c); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	err = db.View(ctx, func(tx *Tx) error {
		var more rating.CDRID
		all, more, err = tx.NewestCalls(ctx, CallQuery{}, 1000)
		if len(all) != 400 || more != 0 {
			t.Fatalf("all calls = %d, more %d, want 400 and none", len(all), more)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for i := 1; i < len(all); i++ {
		if all[i-1].ID <= all[i].ID {
			t.Fatalf("call %d is listed before %d", all[i-1].ID, all[i].ID)
		}
	}
	day := testClock.Add(-24 * time.Hour)
	for _, tt := range []struct {
		name  string
		query CallQuery
	}{
		{"everything", CallQuery{}},
		{"a payer", CallQuery{Account: 2}},
		{"a vendor", CallQuery{Account: 3, Side: rating.VendorSide}},
		{"the last account of an index", CallQuery{Account: 4, Side: rating.VendorSide}},
		{"nobody's", CallQuery{Account: 9}},
		{"from a time", CallQuery{From: day}},
		{"until a time", CallQuery{Till: day}},
		{"a payer's hour", CallQuery{Account: 3, From: day, Till: day.Add(time.Hour)}},
		{"dialled numbers", CallQuery{Number: "4100"}},
		{"a calling number", CallQuery{Number: "9017"}},
		{"a payer's dialled numbers of a day", CallQuery{Account: 2, Number: "42", From: day.Add(-24 * time.Hour), Till: day}},
		{"before the first", CallQuery{Till: testClock.AddDate(-1, 0, 0)}},
		{"after the last", CallQuery{From: testClock.Add(time.Hour)}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var want []rating.CDRID
			for _, c := range all {
				if asked(tt.query, c) {
					want = append(want, c.ID)
				}
			}
			for _, limit := range []int{1, 7, 1000} {
				if got := pagedCalls(t, db, tt.query, limit); fmt.Sprint(got) != fmt.Sprint(want) {
					t.Errorf("pages of %d list %d calls, want %d", limit, len(got), len(want))
				}
			}
		})
	}
}

// asked is what a query means, said plainly.
func asked(q CallQuery, c *rating.CDR) bool {
	party := c.Customer()
	if q.Side == rating.VendorSide {
		party = c.Vendor()
	}
	start := c.Time(rating.CDRTimeStart)
	return (q.Account == 0 || party == q.Account) && !start.Before(q.From) && (q.Till.IsZero() || start.Before(q.Till)) &&
		(strings.HasPrefix(c.Text(rating.CDRDstPrefixRouting), q.Number) || strings.HasPrefix(c.Text(rating.CDRSrcPrefixIn), q.Number))
}

func pagedCalls(t *testing.T, db *DB, q CallQuery, limit int) (ids []rating.CDRID) {
	t.Helper()
	err := db.View(context.Background(), func(tx *Tx) error {
		for {
			calls, more, err := tx.NewestCalls(context.Background(), q, limit)
			if err != nil {
				return err
			}
			for _, c := range calls {
				ids = append(ids, c.ID)
			}
			if more == 0 {
				return nil
			}
			q.Below = more
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

func TestNewestRowsEndBelowTheirCursor(t *testing.T) {
	db := openTest(t)
	ctx := context.Background()
	err := db.Update(ctx, func(tx *Tx) error {
		for i := range 5 {
			if _, err := tx.HoldRaw("test", fmt.Sprint("record ", i), "bad"); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name  string
		below uint64
		want  string
	}{
		{"all", 0, "[5 4 3 2 1]"},
		{"below one", 3, "[2 1]"},
		{"below the first", 1, "[]"},
		{"below what is not there yet", 99, "[5 4 3 2 1]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := []uint64{}
			err := db.View(ctx, func(tx *Tx) error {
				return tx.NewestSuspended(tt.below, func(s *Suspended) (bool, error) {
					got = append(got, s.ID)
					return true, nil
				})
			})
			if err != nil {
				t.Fatal(err)
			}
			if fmt.Sprint(got) != tt.want {
				t.Errorf("rows below %d = %v, want %s", tt.below, got, tt.want)
			}
		})
	}
}
