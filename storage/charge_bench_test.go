package storage

import (
	"context"
	"testing"

	"billd/rating"
)

// BenchmarkChargeStored charges calls a thousand a transaction: the whole of what charging does and
// writes, with few syncs.
func BenchmarkChargeStored(b *testing.B) {
	const group = 1000
	db := benchStore(b, 1000, 100_000)
	records := make([]Record, group)
	b.ReportAllocs()
	n := int64(0)
	for b.Loop() {
		b.StopTimer()
		for i := range records {
			n++
			records[i] = benchCall(n, 1000)
		}
		b.StartTimer()
		if _, err := db.ChargeNow(context.Background(), records); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/cdr")
}

// BenchmarkChargeGuarded is BenchmarkChargeStored with the fraud guard's rules set for all accounts, none of which
// is ever passed.
func BenchmarkChargeGuarded(b *testing.B) {
	const group = 1000
	for _, bb := range []struct {
		name  string
		rules []rating.GuardRule
	}{
		{"no rule", nil},
		{"spend an hour", []rating.GuardRule{rating.GuardSpendHour}},
		{"every rule", everyGuardRule()},
	} {
		b.Run(bb.name, func(b *testing.B) {
			db := benchStore(b, 1000, 100_000)
			err := db.Update(b.Context(), func(tx *Tx) error {
				var g rating.Guard
				for _, r := range bb.rules {
					g.Rules[r] = rating.GuardLimit{Action: rating.GuardBlock, Limit: 1 << 50, Passes: true}
				}
				return tx.SetGuardDefaults(g)
			})
			if err != nil {
				b.Fatal(err)
			}
			records := make([]Record, group)
			b.ReportAllocs()
			n := int64(0)
			for b.Loop() {
				b.StopTimer()
				for i := range records {
					n++
					records[i] = benchCall(n, 1000)
				}
				b.StartTimer()
				if _, err := db.ChargeNow(context.Background(), records); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/cdr")
		})
	}
}

func everyGuardRule() (all []rating.GuardRule) {
	for r := range rating.NumGuardRules {
		all = append(all, r)
	}
	return all
}
