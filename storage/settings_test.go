package storage

import (
	"context"
	"testing"
	"time"

	"billd/rating"
)

// set changes settings and returns what refuses them.
func set(db *DB, values map[string]string) error {
	return db.Update(As(context.Background(), "operator anna"), func(tx *Tx) error {
		_, err := tx.ChangeSettings(values)
		return err
	})
}

func TestASettingIsInForceForTheNextCall(t *testing.T) {
	db := openTest(t)
	a := customer(t, db)
	err := db.Update(context.Background(), func(tx *Tx) error {
		deck := &rating.Deck{Name: "yeti", Currency: a.Currency, Preset: rating.PresetYeti, CreatedAt: tx.Now()}
		if err := tx.Decks.Put(deck); err != nil {
			return err
		}
		plan := &rating.RatePlan{UUID: rating.NewUUID(tx.Now()), Name: "yeti", Decks: []rating.DeckID{deck.ID}, ProfitControl: 1}
		if err := tx.Plans.Put(plan); err != nil {
			return err
		}
		a.RatePlan, a.VAT = plan.ID, 0
		if err := tx.Accounts.Put(a); err != nil {
			return err
		}
		step := rating.Step{Seconds: 60, Price: 123_444_000} // 0.123444 a minute
		return tx.Rates.Put(&rating.Rate{Deck: deck.ID, Prefix: "44", Terms: rating.Terms{First: step, Next: step}})
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		id     string
		values map[string]string
		want   string
	}{
		{"as the store is made", nil, "0.123444"},
		{"up", map[string]string{"rounding.customer.mode": "up", "rounding.customer.precision": "4"}, "0.1235"},
		{"down", map[string]string{"rounding.customer.mode": "3"}, "0.1234"},
		{"more places than money has", map[string]string{"rounding.customer.mode": "4", "rounding.customer.precision": "10"}, "0.123444"},
		{"the vendor's rounding is not the customer's", map[string]string{"rounding.vendor.mode": "up", "rounding.vendor.precision": "1"}, "0.123444"},
		{"none", map[string]string{"rounding.customer.mode": "none", "rounding.customer.precision": "0"}, "0.123444"},
	} {
		if err := set(db, tt.values); err != nil {
			t.Fatal(err)
		}
		if v := chargeOne(t, db, tt.id, "4420", time.Hour); v.Price.String() != tt.want {
			t.Errorf("%s: price = %s, want %s", tt.id, v.Price, tt.want)
		}
	}
	clean(t, db)
}

func TestSettingsChangeTogetherOrNotAtAll(t *testing.T) {
	db := openTest(t)
	for _, values := range []map[string]string{
		{"calls.longest": "3600", "rounding.vendor.mode": "sideways"},
		{"calls.longest": "3600", "nothing": "1"},
	} {
		if err := set(db, values); err == nil {
			t.Errorf("%v was taken", values)
		}
		if got := db.Settings().CallSeconds(); got != rating.MaxCallSeconds {
			t.Errorf("after %v calls last %d s, want %d", values, got, rating.MaxCallSeconds)
		}
	}
}

func TestTheAuditTrailKeepsWhoChangedASetting(t *testing.T) {
	db := openTest(t)
	if err := set(db, map[string]string{"invoices.auto_approve": "true"}); err != nil {
		t.Fatal(err)
	}
	if err := set(db, map[string]string{"invoices.auto_approve": "true"}); err != nil { // nothing changes
		t.Fatal(err)
	}
	var trail []string
	err := db.View(context.Background(), func(tx *Tx) error {
		return tx.Audit.Each(0, func(e *AuditEntry) (bool, error) {
			if e.Table == "setting" && e.By != "" {
				trail = append(trail, e.By+" "+e.Op)
			}
			return true, nil
		})
	})
	if err != nil || len(trail) != 1 || trail[0] != "operator anna update" {
		t.Errorf("trail = %q, %v, want one update by operator anna", trail, err)
	}
}

func TestTheCurrencyIsFixedOnceSomethingIsInIt(t *testing.T) {
	db := openTest(t)
	a := customer(t, db)
	if err := set(db, map[string]string{"currency": "USD"}); err != nil {
		t.Fatal(err)
	}
	priceAt(t, db, 200_000_000)
	if v := chargeOne(t, db, "1", "4420", time.Hour); v.Outcome != rating.OutcomeRated || v.Currency.String() != "USD" {
		t.Errorf("verdict = %s %s %s, want rated in USD", v.Outcome, v.Detail, v.Currency)
	}
	if err := set(db, map[string]string{"currency": "USD", "calls.longest": "60"}); err != nil {
		t.Errorf("the currency as it is: %v, want it taken", err)
	}
	if err := set(db, map[string]string{"currency": "CHF"}); rating.KindOf(err) != rating.Conflict || err.Error() != "currency USD is fixed: calls are charged in it" {
		t.Errorf("another currency = %v, want a conflict", err)
	}
	if got := balanceOf(t, db, mustAccount(t, db, a.ID)); got != "-0.24" {
		t.Errorf("balance = %s, want -0.24", got)
	}
	clean(t, db)
}

func mustAccount(t *testing.T, db *DB, id rating.AccountID) (a *rating.Account) {
	t.Helper()
	err := db.View(context.Background(), func(tx *Tx) (err error) {
		a, err = tx.Accounts.Get(uint64(id))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestInvoicesWaitForTheLongestCall(t *testing.T) {
	db := openTest(t)
	two := int64(7201)
	for _, tt := range []struct {
		name    string
		own     *int64
		setting string
		want    time.Duration
	}{
		{"by default two hours", nil, "7200", 2 * time.Hour},
		{"as the setting says", nil, "3600", time.Hour},
		{"the account's own where it is longer", &two, "3600", 7201 * time.Second},
		{"never less than the setting", &two, "86400", 24 * time.Hour},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := set(db, map[string]string{"calls.longest": tt.setting}); err != nil {
				t.Fatal(err)
			}
			a := rating.Account{MaxCallDuration: tt.own}
			if got := a.InvoiceWait(db.Settings().CallSeconds()); got != tt.want {
				t.Errorf("wait = %s, want %s", got, tt.want)
			}
		})
	}
}
