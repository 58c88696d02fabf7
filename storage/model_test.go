package storage

import (
	"context"
	"maps"
	"path/filepath"
	"testing"
	"time"

	"billd/rating"
	"billd/rating/ratingtest"
	"billd/storage/bolt"

	"pgregory.net/rapid"
)

// TestTheStoredBookIsTheModelBook delivers random records — calls, duplicates, conflicts, history, records that
// nobody can charge — in random groups to the store and to the model, and compares every verdict, every
// CDR, all balances and all day tallies.
func TestTheStoredBookIsTheModelBook(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		// the file is made anew each time; what rapid shrinks needs no directory of its own
		e, err := openEngine(filepath.Join(t.TempDir(), "billd.db"), bolt.Options{Buckets: BucketNames(), FillPercent: FillPercents(), NoSync: true})
		if err != nil {
			r.Fatal(err)
		}
		db, err := Open(context.Background(), e, Options{Now: func() time.Time { return testClock }})
		if err != nil {
			r.Fatal(err)
		}
		defer db.Close()
		model := modelOf(r, t, db)
		for range rapid.IntRange(1, 8).Draw(r, "groups") {
			records := rapid.SliceOfN(rapid.Custom(randomRecord), 1, 12).Draw(r, "records")
			chargeBoth(r, db, model, records)
		}
		compareBooks(r, db, model)
	})
}

// modelOf sets the store up with the sample's accounts and decks and makes the model that knows the same.
func modelOf(r *rapid.T, t *testing.T, db *DB) *ratingtest.Book {
	clock := testClock
	s := &sampleStore{DB: db, t: t, clock: &clock}
	s.update(s.accounts)
	s.update(s.rates)
	book := ratingtest.NewBook(*db.Settings())
	s.view(func(tx *Tx) error {
		err := tx.NetworkPrefixes.Each(0, func(p *NetworkPrefix) (bool, error) {
			book.AddNetwork(p.Prefix, p.Country, p.Network)
			return true, nil
		})
		if err != nil {
			return err
		}
		err = tx.Accounts.Each(0, func(a *rating.Account) (bool, error) {
			book.AddAccount(a)
			return true, nil
		})
		if err != nil {
			return err
		}
		return tx.Decks.Each(0, func(d *rating.Deck) (bool, error) {
			index := rating.NewIndexBuilder(0)
			err := tx.Rates.Each(0, func(rate *rating.Rate) (bool, error) {
				if rate.Deck == d.ID {
					index.Add(rate.Prefix, rate.Entry())
				}
				return true, nil
			})
			if err != nil {
				return false, err
			}
			x, err := index.Build()
			if err != nil {
				return false, err
			}
			priced := &rating.PricedDeck{ID: d.ID, Name: d.Name, Currency: d.Currency, Preset: d.Preset, Index: x}
			if d.Vendor != 0 {
				book.AddToVendor(d.Vendor, priced)
			} else {
				book.AddToPlan(rating.DefaultPlan, priced)
			}
			return true, nil
		})
	})
	if r.Failed() {
		r.FailNow()
	}
	return book
}

// randomRecord draws from few values, so that duplicates and conflicts are common.
func randomRecord(r *rapid.T) Record {
	c := &rating.Call{}
	c.AccountRef = rapid.SampledFrom([]string{"Northfield", "Tiny", "2", "3", "Gone", "Nobody", ""}).Draw(r, "account")
	c.VendorRef = rapid.SampledFrom([]string{"", "Carrier", "4", "Northfield", "Nobody"}).Draw(r, "vendor")
	// around minutes, and around midnight in the zones of the sample
	start := testClock.Add(-13*time.Hour).UnixMicro() + rapid.SampledFrom([]int64{-2, -1, 0, 1, 2, 60, 1440}).Draw(r, "minute")*60_000_000 +
		rapid.SampledFrom([]int64{-1, 0, 1, 999, 1000, 59_999_999}).Draw(r, "micro")
	if rapid.IntRange(0, 19).Draw(r, "odd time") == 0 {
		start = rapid.SampledFrom([]int64{0, -1, 61_000_000, 1 << 60, testClock.Add(time.Hour).UnixMicro()}).Draw(r, "time")
	}
	c.SetInt(rating.CDRTimeStart, start)
	c.SetText(rating.CDRSource, rapid.SampledFrom([]string{"one", "two", ""}).Draw(r, "source"))
	c.SetText(rating.CDRCallID, rapid.SampledFrom([]string{"", "a", "b", "c"}).Draw(r, "call id"))
	if rapid.Bool().Draw(r, "routed") {
		c.SetInt(rating.CDRRoutingAttempt, rapid.Int64Range(0, 2).Draw(r, "attempt"))
	}
	c.SetText(rating.CDRDstPrefixRouting, rapid.SampledFrom([]string{"442071838750", "441619876543", "800123", "7495", "999", ""}).Draw(r, "number"))
	if rapid.Bool().Draw(r, "timed") {
		c.SetInt(rating.CDRDuration, rapid.SampledFrom([]int64{0, 1, 6, 59, 60, 61, 3600, 1 << 31, -1}).Draw(r, "seconds"))
	} else {
		c.SetInt(rating.CDRTimeConnect, start+1_500_000)
		c.SetInt(rating.CDRTimeEnd, start+rapid.SampledFrom([]int64{1_000_000, 1_500_000, 9_400_000, 62_000_000}).Draw(r, "end"))
	}
	if rapid.IntRange(0, 5).Draw(r, "history") == 0 {
		c.Rated = true
		c.SetInt(rating.CDRCustomerPrice, 1_190_000)
		c.SetInt(rating.CDRCustomerPriceNoVAT, 1_000_000)
		c.SetInt(rating.CDRVendorPrice, 400_000)
	}
	return Record{Call: c}
}

func chargeBoth(r *rapid.T, db *DB, model *ratingtest.Book, records []Record) {
	got, err := db.ChargeNow(context.Background(), records)
	if err != nil {
		r.Fatal(err)
	}
	for i, record := range records {
		want, err := model.Charge(record.Call, testClock)
		if err != nil {
			r.Fatal(err)
		}
		g, w := told(got[i]), told(want)
		if g != w {
			r.Fatalf("record %d: the store says %+v, the model %+v", i, g, w)
		}
	}
}

// answer is what a verdict tells the client.
type answer struct {
	outcome  rating.Outcome
	id       rating.CDRID
	suspense uint64
	reason   string
	price    rating.Money
}

func told(v rating.Verdict) answer {
	if v.Outcome == rating.OutcomeSuspended {
		return answer{outcome: v.Outcome, suspense: v.Suspense, reason: v.Reason}
	}
	return answer{outcome: v.Outcome, id: v.ID, price: v.Price}
}

func compareBooks(r *rapid.T, db *DB, model *ratingtest.Book) {
	err := db.View(context.Background(), func(tx *Tx) error {
		balances := map[rating.Ledger]rating.Balance{}
		if err := tx.EachBalance(func(l rating.Ledger, b rating.Balance) error {
			balances[l] = b
			return nil
		}); err != nil {
			return err
		}
		if !maps.Equal(balances, model.Balances) {
			r.Errorf("balances = %v, want %v", balances, model.Balances)
		}
		tallies := map[ratingtest.TallyKey]rating.Tally{}
		if err := tx.EachTally(0, ^rating.Day(0), func(d rating.Day, a rating.AccountID, s rating.Side, o rating.Origin, t rating.Tally) error {
			tallies[ratingtest.TallyKey{Account: a, Side: s, Day: d, Origin: o}] = t
			return nil
		}); err != nil {
			return err
		}
		if !maps.Equal(tallies, model.Tallies) {
			r.Errorf("tallies = %v, want %v", tallies, model.Tallies)
		}
		if got := uint64(tx.Suspense.Count()); got != model.Held {
			r.Errorf("suspense = %d, want %d", got, model.Held)
		}
		for id, want := range model.CDRs {
			var got rating.CDR
			if err := tx.CDR(id, &got); err != nil || got != want {
				r.Errorf("CDR %d = %+v, %v, want %+v", id, got, err, want)
			}
		}
		return nil
	})
	if err != nil {
		r.Fatal(err)
	}
	if err := db.Check(context.Background(), false, func(f string) { r.Errorf("check: %s", f) }); err != nil {
		r.Fatal(err)
	}
}
