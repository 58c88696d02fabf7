package storage

import (
	"testing"

	"billd/rating"
)

// DB.Payer answers from memory, and never with what a later commit changed.
func TestPayerFollowsEveryChange(t *testing.T) {
	db := openTest(t)
	var id rating.AccountID
	update(t, db, func(tx *Tx) error {
		a := &rating.Account{Name: "alpha", Contractor: 1, Currency: rating.Currency{'E', 'U', 'R'}}
		err := tx.CreateAccount(a)
		id = a.ID
		return err
	})
	ask := func() rating.Party {
		t.Helper()
		p, err := db.Payer(t.Context(), "alpha")
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	first := ask()
	if first.Account.ID != id || len(first.Decks) != 1 {
		t.Fatalf("payer = %+v, want account %d and the default deck", first, id)
	}
	if again := ask(); again.Account != first.Account {
		t.Error("a second question read the store again")
	}
	update(t, db, func(tx *Tx) error {
		a, err := tx.Accounts.Get(uint64(id))
		if err != nil {
			return err
		}
		a.VAT = 1234
		return tx.Accounts.Put(a)
	})
	if got := ask().Account.VAT; got != 1234 {
		t.Errorf("VAT = %v after it was set to 1234", got)
	}
	update(t, db, func(tx *Tx) error {
		d := &rating.Deck{Name: "second", Currency: rating.Currency{'E', 'U', 'R'}, Preset: rating.PresetYeti, CreatedAt: tx.Now()}
		if err := tx.Decks.Put(d); err != nil {
			return err
		}
		p, err := tx.Plans.Get(uint64(rating.DefaultPlan))
		if err != nil {
			return err
		}
		p.Decks = append(p.Decks, d.ID)
		return tx.Plans.Put(p)
	})
	if got := len(ask().Decks); got != 2 {
		t.Errorf("%d decks after a second one was attached", got)
	}
	if _, err := db.Payer(t.Context(), "nobody"); rating.KindOf(err) != rating.NotFound {
		t.Errorf("a name that nobody has: %v, want NotFound", err)
	}
}
