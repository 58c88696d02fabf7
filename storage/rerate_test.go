package storage

import (
	"context"
	"errors"
	"testing"
	"time"

	"billd/rating"
)

// priceAt sets the price per minute of prefix 44 in deck default.
func priceAt(t *testing.T, db *DB, perMinute rating.Price) {
	t.Helper()
	err := db.Update(context.Background(), func(tx *Tx) error {
		rate := &rating.Rate{Deck: rating.DefaultDeck, Prefix: "44"}
		if id, err := tx.RateOfPrefix(rating.DefaultDeck, "44"); err != nil {
			return err
		} else if id != 0 {
			rate.ID = id
		}
		rate.Terms = rating.Terms{First: rating.Step{Seconds: 60, Price: perMinute}, Next: rating.Step{Seconds: 60, Price: perMinute}}
		return tx.Rates.Put(rate)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// customer makes an account with 20 % VAT.
func customer(t *testing.T, db *DB) *rating.Account {
	t.Helper()
	a := &rating.Account{Name: "Northfield", Contractor: 1, VAT: 20_000_000}
	if err := db.Update(context.Background(), func(tx *Tx) error { return tx.CreateAccount(a) }); err != nil {
		t.Fatal(err)
	}
	return a
}

// chargeOne charges a call of a minute that began some time ago and returns its verdict.
func chargeOne(t *testing.T, db *DB, id, number string, ago time.Duration) rating.Verdict {
	t.Helper()
	var c rating.Call
	c.SetTime(rating.CDRTimeStart, testClock.Add(-ago))
	c.SetInt(rating.CDRDuration, 60)
	c.SetText(rating.CDRCallID, id)
	c.SetText(rating.CDRSource, "test")
	c.SetText(rating.CDRDstPrefixRouting, number)
	c.AccountRef = "Northfield"
	v, err := db.ChargeNow(context.Background(), []Record{{Call: &c}})
	if err != nil {
		t.Fatal(err)
	}
	return v[0]
}

func balanceOf(t *testing.T, db *DB, a *rating.Account) string {
	t.Helper()
	var m rating.Money
	err := db.View(context.Background(), func(tx *Tx) (err error) {
		m, err = tx.AccountBalance(a)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return m.String()
}

func rerateAll(t *testing.T, db *DB) RerateSum {
	t.Helper()
	sum, err := db.Rerate(context.Background(), RerateSpan{}, false, func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

func TestRerateByTheStateOfTheInvoice(t *testing.T) {
	const day = 24 * time.Hour
	for _, tt := range []struct {
		name          string
		fill, approve bool
		price, billed string // of the row, of the invoice
		reversals     int
	}{
		{"on no invoice the row changes", false, false, "0.12", "", 0},
		{"a draft is filled again", true, false, "0.12", "0.12", 0},
		{"approved paper stays and the difference is posted", true, true, "0.24", "0.24", 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ctx := context.Background()
			db := openTest(t)
			a := customer(t, db)
			priceAt(t, db, 200_000_000)
			v := chargeOne(t, db, "1", "4420", 10*day)
			var inv *rating.Invoice
			if tt.fill {
				err := db.Update(ctx, func(tx *Tx) (err error) {
					inv, err = tx.CreateInvoice(a, rating.InvoiceManual, rating.Period{Start: testClock.Add(-20 * day), End: testClock.Add(-5 * day)})
					return err
				})
				if err == nil {
					_, err = db.FillInvoice(ctx, inv.ID)
				}
				if err == nil && tt.approve {
					err = db.Update(ctx, func(tx *Tx) error { _, err := tx.ApproveInvoice(inv.ID); return err })
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			priceAt(t, db, 100_000_000)
			if sum := rerateAll(t, db); sum.Changed != 1 {
				t.Errorf("rerate = %+v, want one change", sum)
			}
			if sum := rerateAll(t, db); sum.Changed != 0 {
				t.Errorf("rerate again = %+v, want none", sum)
			}
			if got, want := balanceOf(t, db, a), "-0.12"; got != want {
				t.Errorf("balance = %s, want %s", got, want)
			}
			reversals := 0
			err := db.View(ctx, func(tx *Tx) error {
				var c rating.CDR
				if err := tx.CDR(v.ID, &c); err != nil {
					return err
				}
				if got := c.Format(rating.CDRCustomerPrice); got != tt.price {
					t.Errorf("price of the row = %s, want %s", got, tt.price)
				}
				if tt.fill {
					is, err := tx.Invoices.Get(inv.ID)
					if err != nil {
						return err
					}
					if got := is.Spent.String(); got != tt.billed {
						t.Errorf("amount of the invoice = %s, want %s", got, tt.billed)
					}
				}
				return tx.Postings.Each(0, func(p *rating.Posting) (bool, error) {
					if p.Kind == rating.PostingReversal {
						reversals++
					}
					return true, nil
				})
			})
			if err != nil {
				t.Fatal(err)
			}
			if reversals != tt.reversals {
				t.Errorf("%d reversals, want %d", reversals, tt.reversals)
			}
			priceAt(t, db, 200_000_000) // and back again
			rerateAll(t, db)
			if got, want := balanceOf(t, db, a), "-0.24"; got != want {
				t.Errorf("balance after the way back = %s, want %s", got, want)
			}
			clean(t, db)
		})
	}
}

func TestRetryMovesTheKeyToTheCall(t *testing.T) {
	db := openTest(t)
	a := customer(t, db)
	held := chargeOne(t, db, "1", "4420", time.Hour)
	if held.Reason != rating.ReasonNoRate {
		t.Fatalf("verdict = %+v, want it held for want of a rate", held)
	}
	retry := func() (v rating.Verdict) {
		err := db.RetrySuspense(context.Background(), SuspenseFilter{}, nil, func(list []rating.Verdict) { v = list[0] })
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	if v := retry(); v.Outcome != rating.OutcomeSuspended || v.Suspense != held.Suspense {
		t.Errorf("retry without a rate = %+v, want it held still", v)
	}
	priceAt(t, db, 200_000_000)
	v := retry()
	if v.Outcome != rating.OutcomeRated || balanceOf(t, db, a) != "-0.24" {
		t.Errorf("retry = %+v, balance %s, want it rated and charged 0.24", v, balanceOf(t, db, a))
	}
	if again := chargeOne(t, db, "1", "4420", time.Hour); again.Outcome != rating.OutcomeDuplicate || again.ID != v.ID {
		t.Errorf("delivered again = %+v, want a duplicate of %d", again, v.ID)
	}
	clean(t, db)
}

func TestDropFreesTheKey(t *testing.T) {
	db := openTest(t)
	customer(t, db)
	held := chargeOne(t, db, "1", "4420", time.Hour)
	if err := db.DropSuspense(context.Background(), SuspenseFilter{ID: held.Suspense}, func([]rating.Verdict) {}); err != nil {
		t.Fatal(err)
	}
	clean(t, db)
	priceAt(t, db, 200_000_000)
	if again := chargeOne(t, db, "1", "4420", time.Hour); again.Outcome != rating.OutcomeRated {
		t.Errorf("delivered again = %+v, want it rated", again)
	}
	clean(t, db)
}

// A deck or a prefix picks calls: those that the deck prices now or priced then, and no others.
func TestReratePicksByDeckAndPrefix(t *testing.T) {
	db := openTest(t)
	customer(t, db)
	priceAt(t, db, 10_000_000)
	var second rating.DeckID
	update(t, db, func(tx *Tx) error {
		d := &rating.Deck{Name: "second", Currency: rating.Currency{'E', 'U', 'R'}, Preset: rating.PresetYeti, CreatedAt: tx.Now()}
		if err := tx.Decks.Put(d); err != nil {
			return err
		}
		second = d.ID
		plan, err := tx.Plans.Get(uint64(rating.DefaultPlan))
		if err != nil {
			return err
		}
		plan.Decks = append(plan.Decks, d.ID)
		return errors.Join(tx.Plans.Put(plan), tx.Rates.Put(&rating.Rate{Deck: d.ID, Prefix: "39",
			Terms: rating.Terms{First: rating.Step{Seconds: 60, Price: 10_000_000}, Next: rating.Step{Seconds: 60, Price: 10_000_000}}}))
	})
	chargeOne(t, db, "a", "44207", time.Hour)
	chargeOne(t, db, "b", "44161", time.Hour)
	chargeOne(t, db, "c", "3906", time.Hour)
	for _, tt := range []struct {
		name string
		span RerateSpan
		want int
	}{
		{"all", RerateSpan{}, 3},
		{"the first deck", RerateSpan{Deck: rating.DefaultDeck}, 2},
		{"the second deck", RerateSpan{Deck: second}, 1},
		{"a prefix", RerateSpan{Prefix: "4420"}, 1},
		{"a prefix that the deck does not price", RerateSpan{Deck: second, Prefix: "44"}, 0},
	} {
		sum, err := db.Rerate(t.Context(), tt.span, true, func(int) {})
		if err != nil || sum.Examined != tt.want {
			t.Errorf("%s: %d examined, %v, want %d", tt.name, sum.Examined, err, tt.want)
		}
	}
	// A call that the second deck takes over from the first is one of the second's, though it was not.
	update(t, db, func(tx *Tx) error {
		return tx.Rates.Put(&rating.Rate{Deck: second, Prefix: "44161",
			Terms: rating.Terms{First: rating.Step{Seconds: 60, Price: 20_000_000}, Next: rating.Step{Seconds: 60, Price: 20_000_000}}})
	})
	sum, err := db.Rerate(t.Context(), RerateSpan{Deck: second}, false, func(int) {})
	if err != nil || sum.Examined != 2 || sum.Changed != 1 {
		t.Errorf("%+v, %v, want 2 examined and 1 changed", sum, err)
	}
	clean(t, db)
}
