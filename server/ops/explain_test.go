package ops

import (
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
