package storage

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"billd/rating"

	"pgregory.net/rapid"
)

// dataModel is what users' sessions used, worked out from the list of their records as they were made.
type dataModel struct {
	used map[string]rating.Octets
}

// session makes a session's records in the order of time, at most as many as are kept, and counts them.
func (m *dataModel) session(rt *rapid.T, n int) (records []rating.DataRecord) {
	user := rapid.SampledFrom([]string{"alice", "alice", "carol"}).Draw(rt, "user")
	at := testClock.Add(-time.Duration(rapid.IntRange(60, 40_000).Draw(rt, "minutes ago")) * time.Minute)
	total, last := rating.Octets{}, rating.Octets{}
	points := rapid.IntRange(1, rating.KeptPoints-1).Draw(rt, "interims")
	for i := range points + 1 {
		status := rating.DataInterim
		switch i {
		case 0:
			status = rating.DataStart
		case points:
			status = rating.DataStop
		}
		if i > 0 {
			if rapid.IntRange(0, 4).Draw(rt, "reset") == 0 {
				last = rating.Octets{}
			}
			more := rating.Octets{Up: rapid.Uint64Range(0, 400e6).Draw(rt, "up"), Down: rapid.Uint64Range(0, 900e6).Draw(rt, "down")}
			was := last
			last.Up, last.Down = last.Up+more.Up, last.Down+more.Down
			if prev := records[i-1]; was.IsZero() { // began anew: what shows depends on what was there before
				more = modelGain(rating.Octets{Up: prev.Input, Down: prev.Output}, last)
			}
			total.Up, total.Down = total.Up+more.Up, total.Down+more.Down
		}
		records = append(records, rating.DataRecord{Source: "nas1", Session: fmt.Sprint("s", n), User: user, Status: status, At: at,
			Seconds: uint32(i * 300), Input: last.Up, Output: last.Down})
		at = at.Add(5 * time.Minute)
	}
	sum, err := m.used[user].Add(total)
	if err != nil {
		rt.Fatal(err)
	}
	m.used[user] = sum
	return records
}

// modelGain is what a counter shows between two totals: a smaller one began at zero.
func modelGain(from, to rating.Octets) rating.Octets {
	one := func(a, b uint64) uint64 {
		if b >= a {
			return b - a
		}
		return b
	}
	return rating.Octets{Up: one(from.Up, to.Up), Down: one(from.Down, to.Down)}
}

var errCrash = errors.New("the machine stopped")

// TestDataIsTheModels delivers records of sessions in any order, some twice, in transactions of which some
// fail at the end as a crash would have it and are delivered again. What is counted is what the sessions
// used; what is charged is the price of it; and carol, who had no subscription, is counted once she has.
func TestDataIsTheModels(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r := newDataRig(t)
		m := &dataModel{used: map[string]rating.Octets{}}
		var all []rating.DataRecord
		for n := range rapid.IntRange(1, 5).Draw(rt, "sessions") {
			all = append(all, m.session(rt, n)...)
		}
		all = append(all, rapid.SliceOfN(rapid.SampledFrom(all), 0, 6).Draw(rt, "retransmitted")...)
		all = rapid.Permutation(all).Draw(rt, "order")
		for len(all) > 0 {
			batch := all[:rapid.IntRange(1, len(all)).Draw(rt, "batch")]
			fails := rapid.IntRange(0, 3).Draw(rt, "crash") == 0
			err := r.Update(context.Background(), func(tx *Tx) error {
				for i := range batch {
					if v, err := tx.RecordData(&batch[i]); err != nil || v.Outcome == rating.DataHeld {
						return fmt.Errorf("%+v: %s, %w", batch[i], v.Detail, err)
					}
				}
				if fails {
					return errCrash
				}
				return nil
			})
			if fails != errors.Is(err, errCrash) || !fails && err != nil {
				rt.Fatal(err)
			}
			if !fails {
				all = all[len(batch):]
			}
		}
		carol := &DataSubscription{Account: r.a.ID, Plan: r.plan.ID, User: "carol", From: testClock.AddDate(0, -2, 0)}
		r.update(func(tx *Tx) error { _, err := tx.CreateDataSubscription(carol); return err })
		r.judge(t, rt, m, map[string]*DataSubscription{"alice": r.sub, "carol": carol})
		if err := r.Check(context.Background(), false, func(f string) { rt.Errorf("check: %s", f) }); err != nil {
			rt.Fatal(err)
		}
		r.Close()
	})
}

// judge compares usage and balance with the model.
func (r *dataRig) judge(t *testing.T, rt *rapid.T, m *dataModel, subs map[string]*DataSubscription) {
	cost := rating.Money(0)
	err := r.View(context.Background(), func(tx *Tx) error {
		for user, s := range subs {
			var used rating.Octets
			err := tx.EachDataPeriod(s.ID, func(first rating.Day, p DataPeriod) (bool, error) {
				var err error
				used, err = used.Add(p.Used)
				over := uint64(0)
				if n := p.Used.Total(); n > 1e9 {
					over = (n - 1e9 + 999_999_999) / 1e9
				}
				cost += rating.Money(over) * 600_000 // 0.5 and 20 % VAT
				return true, err
			})
			if err != nil {
				return err
			}
			if used != m.used[user] {
				rt.Errorf("%s used %+v, want %+v", user, used, m.used[user])
			}
		}
		return nil
	})
	if err != nil {
		rt.Fatal(err)
	}
	if got := balanceOf(t, r.DB, r.a); got != (-cost).String() {
		rt.Errorf("balance %s, want %s", got, -cost)
	}
}
