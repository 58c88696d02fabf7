package storage

import (
	"context"
	"fmt"
	"testing"
	"time"

	"billd/rating"

	"pgregory.net/rapid"
)

// world is a store that a random sequence of work is done to.
type world struct {
	t        *rapid.T
	db       *DB
	now      time.Time
	accounts []rating.AccountID
	packages *YetiService
	held     []uint64
}

// faultless fails unless check finds nothing.
func faultless(t interface{ Fatalf(string, ...any) }, db *DB) {
	var faults []string
	if err := db.Check(context.Background(), false, func(f string) { faults = append(faults, f) }); err != nil {
		t.Fatalf("check: %v", err)
	}
	if len(faults) > 0 {
		t.Fatalf("check found %q", faults)
	}
}

func (w *world) update(fn func(*Tx) error) {
	if err := w.db.Update(context.Background(), fn); err != nil {
		w.t.Fatal(err)
	}
}

// call draws one of a few calls, so that duplicates and conflicts come by themselves.
func (w *world) call() Record {
	var c rating.Call
	start := w.now.Add(-time.Duration(rapid.IntRange(0, 70*24).Draw(w.t, "hours ago")) * time.Hour)
	if n := rapid.IntRange(0, 60).Draw(w.t, "call id"); n > 0 {
		c.SetText(rating.CDRCallID, fmt.Sprint(n))
		start = testClock.Add(-time.Duration(n*27) * time.Hour)
	}
	c.SetText(rating.CDRSource, "test")
	c.SetTime(rating.CDRTimeStart, start)
	c.SetInt(rating.CDRDuration, int64(rapid.SampledFrom([]int{0, 61, 3600}).Draw(w.t, "seconds")))
	c.SetText(rating.CDRDstPrefixRouting, rapid.SampledFrom([]string{"44207", "4930", "999", ""}).Draw(w.t, "number"))
	c.AccountRef = fmt.Sprint(rapid.SampledFrom([]int{2, 3, 77}).Draw(w.t, "account"))
	if rapid.Bool().Draw(w.t, "vendor") {
		c.VendorRef = "4"
	}
	if c.Rated = rapid.IntRange(0, 9).Draw(w.t, "history") == 0; c.Rated {
		c.SetInt(rating.CDRCustomerPrice, 1_500_000)
	}
	return Record{Call: &c}
}

func (w *world) charge(*rapid.T) {
	records := make([]Record, rapid.IntRange(1, 20).Draw(w.t, "records"))
	for i := range records {
		if records[i] = w.call(); rapid.IntRange(0, 19).Draw(w.t, "unreadable") == 0 {
			records[i] = Record{Raw: "x", Detail: "unreadable", Source: "test"}
		}
	}
	if _, err := w.db.ChargeNow(context.Background(), records); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) price(*rapid.T) {
	deck := rapid.SampledFrom([]rating.DeckID{1, 2}).Draw(w.t, "deck")
	prefix := rapid.SampledFrom([]string{"44", "49", "4420"}).Draw(w.t, "prefix")
	price := rating.Price(rapid.IntRange(0, 3).Draw(w.t, "price")) * 7_000_000
	w.update(func(tx *Tx) error {
		rate := &rating.Rate{Deck: deck, Prefix: prefix}
		id, err := tx.RateOfPrefix(deck, prefix)
		if err != nil {
			return err
		}
		if id != 0 {
			if rate, err = tx.Rates.Get(uint64(id)); err != nil {
				return err
			}
		}
		rate.Terms = rating.Terms{First: rating.Step{Seconds: 60, Price: price}, Next: rating.Step{Seconds: 6, Price: price}}
		return tx.Rates.Put(rate)
	})
}

func (w *world) rerate(*rapid.T) {
	span := RerateSpan{CallSpan: CallSpan{}}
	if rapid.Bool().Draw(w.t, "one account") {
		span.Account = 2
	}
	preview, err := w.db.Rerate(context.Background(), span, true, func(int) {})
	if err != nil {
		w.t.Fatal(err)
	}
	done, err := w.db.Rerate(context.Background(), span, false, func(int) {})
	if err != nil {
		w.t.Fatal(err)
	}
	if preview.Changed != done.Changed || fmt.Sprint(preview.Accounts) != fmt.Sprint(done.Accounts) {
		w.t.Fatalf("preview %+v, done %+v", preview, done)
	}
	again, err := w.db.Rerate(context.Background(), span, false, func(int) {})
	if err != nil || again.Changed != 0 {
		w.t.Fatalf("a second rerating = %+v, %v, want no change", again, err)
	}
}

func (w *world) retry(*rapid.T) {
	if err := w.db.RetrySuspense(context.Background(), SuspenseFilter{}, nil, func([]rating.Verdict) {}); err != nil {
		w.t.Fatal(err)
	}
}

// refill fills the package of account a again, as its renewal does.
func (w *world) refill(*rapid.T) {
	w.update(func(tx *Tx) error { return tx.resetCounters(w.packages) })
}

func (w *world) drop(*rapid.T) {
	f := SuspenseFilter{Reason: rapid.SampledFrom([]string{rating.ReasonConflict, rating.ReasonNoRate, rating.ReasonBadRecord}).Draw(w.t, "reason")}
	if err := w.db.DropSuspense(context.Background(), f, func([]rating.Verdict) {}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) invoice(*rapid.T) {
	ctx := context.Background()
	id := rapid.SampledFrom(w.accounts).Draw(w.t, "account")
	start := testClock.AddDate(0, 0, -rapid.IntRange(1, 60).Draw(w.t, "days ago")).Truncate(24 * time.Hour)
	var made *rating.Invoice
	err := w.db.Update(ctx, func(tx *Tx) error {
		a, err := tx.OpenAccount(id)
		if err != nil {
			return err
		}
		made, err = tx.CreateInvoice(a, rating.InvoiceManual, rating.Period{Start: start, End: start.AddDate(0, 0, 7)})
		return err
	})
	if err != nil {
		return // the period is taken, or not over
	}
	if _, err := w.db.FillInvoice(ctx, made.ID); err != nil {
		w.t.Fatal(err)
	}
	if rapid.Bool().Draw(w.t, "approve") {
		w.update(func(tx *Tx) error {
			_, err := tx.ApproveInvoice(made.ID)
			return err
		})
	}
}

// whatever is done, the sums of R10 hold: check is the judge.
func TestSumsHoldAfterAnyWork(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := &world{t: rt, db: openTest(t), now: testClock}
		defer w.db.Close()
		w.update(func(tx *Tx) error {
			for _, a := range []*rating.Account{{Name: "a", Contractor: 1, VAT: 20_000_000}, {Name: "b", Contractor: 1, Timezone: "Europe/Kyiv"}, {Name: "carrier", Contractor: 1}} {
				if err := tx.CreateAccount(a); err != nil {
					return err
				}
				w.accounts = append(w.accounts, a.ID)
			}
			kind := &ServiceType{Name: "minutes", Class: FreeMinutesService, Variables: []byte(`{"prefixes":[{"prefix":"44","duration":5000},{"prefix":"49","duration":61}]}`)}
			if err := tx.ServiceTypes.Put(kind); err != nil {
				return err
			}
			w.packages = &YetiService{UUID: rating.NewUUID(tx.Now()), Account: w.accounts[0], Type: kind.ID}
			if err := tx.CreateYetiService(w.packages); err != nil {
				return err
			}
			return tx.Decks.Put(&rating.Deck{Name: "carrier", Currency: tx.Settings().Currency, Preset: rating.PresetYeti, Vendor: 4, CreatedAt: tx.Now()})
		})
		rt.Repeat(map[string]func(*rapid.T){
			"charge": w.charge, "charge more": w.charge, "price": w.price, "rerate": w.rerate, "retry": w.retry, "drop": w.drop, "invoice": w.invoice, "refill": w.refill,
			"": func(*rapid.T) { faultless(rt, w.db) },
		})
	})
}
