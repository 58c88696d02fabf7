package storage

import (
	"context"
	"fmt"
	"testing"

	"billd/rating"
)

// BenchmarkAuthorise answers calls of many accounts, 16 in a transaction, as the queue does.
func BenchmarkAuthorise(b *testing.B) {
	const accounts, group = 1000, 16
	db := openTest(b)
	err := db.Update(context.Background(), func(tx *Tx) error {
		for i := range accounts {
			if err := tx.CreateAccount(&rating.Account{Name: fmt.Sprintf("bench-%04d", i), Contractor: 1, MinBalance: "-1000000.0"}); err != nil {
				return err
			}
		}
		return tx.Rates.Put(&rating.Rate{Deck: rating.DefaultDeck, Prefix: "44", Terms: rating.Terms{First: rating.Step{Seconds: 60, Price: 60_000_000}, Next: rating.Step{Seconds: 60, Price: 60_000_000}}})
	})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		err := db.Update(context.Background(), func(tx *Tx) error {
			for range group {
				req := ask(fmt.Sprintf("%x@switch.example.net", uint64(n)*0x9e3779b97f4a7c15), 600)
				req.Call.AccountRef = fmt.Sprintf("bench-%04d", n*7919%accounts)
				n++
				if g, _, err := tx.Authorise(req); err != nil || g.Refused != "" {
					return fmt.Errorf("%s %w", g.Refused, err)
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "auth/s")
}
