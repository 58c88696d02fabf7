package portsip

import (
	"context"
	"fmt"
	"testing"

	"billd/rating"
	"billd/storage"
)

// BenchmarkListRates asks for one page of a deck of 100,000 rates in the ways that cost differently.
func BenchmarkListRates(b *testing.B) {
	const rates = 100_000
	r := newRig(b)
	for from := 0; from < rates; from += 10_000 {
		must(b, r.db.Update(context.Background(), func(tx *storage.Tx) error {
			for i := from; i < from+10_000; i++ {
				step := rating.Step{Seconds: 60, Price: rating.Price(i%977) * 1_000_000}
				must(b, tx.Rates.Put(&rating.Rate{Deck: rating.DefaultDeck, Prefix: fmt.Sprintf("%06d", i), Name: "destination", Terms: rating.Terms{First: step, Next: step}}))
			}
			return nil
		}))
	}
	for _, bb := range []struct{ name, query string }{
		{"first page", ""},
		{"last page", "skip=99900"},
		{"by prefix", "orderby=prefix"},
		{"one prefix", "filter=prefix%20eq%20%27045678%27"},
		{"some prefixes", "filter=startswith(prefix,%270456%27)"},
		{"filter reads all", "filter=price_1%20gt%200.5"},
		{"order reads all", "orderby=price_1%20desc"},
		{"search reads all", "search=destination%2077"},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r.get("/api/call_rates?"+bb.query).want(b, 200, "")
			}
		})
	}
}
