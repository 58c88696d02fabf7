package ops

import (
	"slices"
	"strings"
	"testing"

	"billd/rating"
	"billd/storage"
)

func TestExplainAsksTheAccountsPackage(t *testing.T) {
	env := ratesEnv(t)
	err := env.DB.Update(t.Context(), func(tx *storage.Tx) error {
		a := &rating.Account{Name: "Northfield", Contractor: 1}
		if err := tx.CreateAccount(a); err != nil {
			return err
		}
		step := rating.Step{Seconds: 60, Price: 600_000_000}
		for _, prefix := range []string{"44", "49"} {
			if err := tx.Rates.Put(&rating.Rate{Deck: rating.DefaultDeck, Prefix: prefix, Terms: rating.Terms{First: step, Next: step}}); err != nil {
				return err
			}
		}
		kind := &storage.ServiceType{Name: "minutes", Class: storage.FreeMinutesService, Variables: []byte(`{"prefixes":[{"prefix":"44","duration":90}]}`)}
		if err := tx.ServiceTypes.Put(kind); err != nil {
			return err
		}
		return tx.CreateYetiService(&storage.YetiService{UUID: rating.NewUUID(tx.Now()), Account: a.ID, Type: kind.ID})
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, number, account string
		gross                 string
		counter               uint64
		last                  string
	}{
		{"a covered call", "4420", "Northfield", "0.0", 1, "package counter 1 of service 1, prefix 44: 90 s are left, the call takes 120 s: nothing is charged"},
		{"another prefix", "4930", "Northfield", "1.2", 0, "net, rounded half away from zero to 5 decimals"},
		{"another account", "4420", "master", "1.2", 0, "net, rounded half away from zero to 5 decimals"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e, err := Explain(t.Context(), env, ExplainArgs{Number: tt.number, Seconds: "61", Account: tt.account})
			if err != nil {
				t.Fatal(err)
			}
			last := e.Steps[len(e.Steps)-1].Text
			if e.Gross.String() != tt.gross || e.Package != tt.counter || e.Billed != 120 || last != tt.last {
				t.Errorf("gross %s, counter %d, %d s billed, last step %q, want %s, %d, 120 and %q", e.Gross, e.Package, e.Billed, last, tt.gross, tt.counter, tt.last)
			}
		})
	}
}

func TestExplainFollowsTheVendorsRate(t *testing.T) {
	env := ratesEnv(t)
	terms := func(price rating.Price, seconds uint32) rating.Terms {
		return rating.Terms{First: rating.Step{Seconds: seconds, Price: price}, Next: rating.Step{Seconds: seconds, Price: price}}
	}
	if err := env.DB.Update(t.Context(), func(tx *storage.Tx) error {
		for _, name := range []string{"Carrier", "Idle"} {
			if err := tx.CreateAccount(&rating.Account{Name: name, Contractor: 1}); err != nil {
				return err
			}
		}
		carrier, err := tx.AccountByRef("Carrier")
		if err != nil {
			return err
		}
		deck, err := tx.DialpeerDeck(carrier)
		if err != nil {
			return err
		}
		if err := tx.Rates.Put(&rating.Rate{Deck: deck.ID, Prefix: "442", Terms: terms(200_000_000, 1)}); err != nil {
			return err
		}
		for prefix, extra := range map[string]rating.RateExtra{
			"442": {RatePolicy: rating.PolicyVendor, DPMarginFixed: "0.01", DPMarginPercent: "0.2", UseDPIntervals: true},
			"443": {UseDPIntervals: true}, "49": {RatePolicy: rating.PolicyVendor},
		} {
			if err := tx.Rates.Put(&rating.Rate{Deck: rating.DefaultDeck, Prefix: prefix, Terms: terms(600_000_000, 60), Extra: extra}); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	const unknown = "the rate's price or intervals follow the vendor's, and none is known here: these are the rate's own"
	for _, tt := range []struct{ name, number, vendor, gross, step, fails string }{
		{"with a margin, by the vendor's intervals", "44201", "Carrier", "0.25417", "the vendor's rate 1 asks 0.2, then 0.2 a minute by 1/1 s; policy 2 with a margin of 0.01 + 0.2 × price makes 0.25, then 0.25; the intervals are the vendor's", ""},
		{"nobody is asked", "44201", "", "1.2", unknown, ""},
		{"a vendor without a rate leaves the intervals", "44301", "Carrier", "1.2", unknown, ""},
		{"a vendor without a rate leaves no price", "49301", "Idle", "", "", "no vendor's rate matches 49301"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e, err := Explain(t.Context(), env, ExplainArgs{Number: tt.number, Seconds: "61", Vendor: tt.vendor})
			if tt.fails != "" {
				if rating.KindOf(err) != rating.Invalid || !strings.Contains(err.Error(), tt.fails) {
					t.Errorf("error = %v, want Invalid with %q", err, tt.fails)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if said := slices.ContainsFunc(e.Steps, func(s ExplainStep) bool { return s.Text == tt.step }); e.Gross.String() != tt.gross || !said {
				t.Errorf("gross %s, steps %v, want %s and %q", e.Gross, e.Steps, tt.gross, tt.step)
			}
		})
	}
}
