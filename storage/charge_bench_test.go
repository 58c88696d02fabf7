package storage

import (
	"context"
	"testing"
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
