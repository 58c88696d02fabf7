package storage

import (
	"context"
	"fmt"
	"testing"
	"time"

	"billd/rating"
)

// BenchmarkFillInvoice makes the invoice of a period of 1,000,000 calls of one account, which has a line
// for each destination called and one for each network.
func BenchmarkFillInvoice(b *testing.B) {
	for _, destinations := range []int{1000, 100_000} {
		b.Run(fmt.Sprintf("%d destinations", destinations), func(b *testing.B) { benchFillInvoice(b, destinations) })
	}
}

func benchFillInvoice(b *testing.B, destinations int) {
	const calls, batch = 1_000_000, 10_000
	db := benchStore(b, 1, destinations)
	ctx := context.Background()
	start := time.Now().AddDate(0, 0, -2)
	for i := 0; i < calls; i += batch {
		records := make([]Record, batch)
		for k := range records {
			records[k] = benchCall(int64(i+k), 1)
			records[k].Call.SetText(rating.CDRDstPrefixRouting, fmt.Sprintf("%d%06d", 100_000+(i+k)%destinations, k))
			at := start.Add(time.Duration(i+k) * 50 * time.Millisecond)
			records[k].Call.SetTime(rating.CDRTimeStart, at)
			records[k].Call.SetTime(rating.CDRTimeConnect, at)
			records[k].Call.SetTime(rating.CDRTimeEnd, at.Add(40*time.Second))
		}
		if _, err := db.ChargeNow(ctx, records); err != nil {
			b.Fatal(err)
		}
	}
	var inv *rating.Invoice
	b.ResetTimer()
	for b.Loop() {
		err := db.Update(ctx, func(tx *Tx) error {
			if inv != nil {
				if err := tx.DeleteInvoice(inv.ID); err != nil {
					return err
				}
			}
			a, err := tx.AccountByRef("bench-0000")
			if err != nil {
				return err
			}
			inv, err = tx.CreateInvoice(a, rating.InvoiceManual, rating.Period{Start: start.Truncate(time.Hour), End: start.Add(20 * time.Hour)})
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
		if inv, err = db.FillInvoice(ctx, inv.ID); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(inv.Originated.Calls), "calls")
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s/invoice")
}
