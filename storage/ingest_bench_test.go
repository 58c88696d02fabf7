package storage

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"billd/rating"
	"billd/storage/bolt"
)

// benchStore opens a store with accounts and a deck of six-digit prefixes, on the real clock.
func benchStore(b *testing.B, accounts, prefixes int) *DB {
	b.Helper()
	e, err := openEngine(filepath.Join(b.TempDir(), "billd.db"), bolt.Options{Buckets: BucketNames(), FillPercent: FillPercents()})
	if err != nil {
		b.Fatal(err)
	}
	db, err := Open(context.Background(), e, Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	err = db.Update(context.Background(), func(tx *Tx) error {
		for i := range accounts {
			if err := tx.CreateAccount(&rating.Account{Name: fmt.Sprintf("bench-%04d", i), Contractor: 1, VAT: 20_000_000}); err != nil {
				return err
			}
		}
		tx.quiet = true
		for i := range prefixes {
			r := &rating.Rate{Deck: rating.DefaultDeck, Prefix: fmt.Sprint(100_000 + i), Terms: rating.Terms{First: rating.Step{Seconds: 60, Price: 10_000_000}, Next: rating.Step{Seconds: 6, Price: 10_000_000}}}
			if err := tx.Rates.Put(r); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	return db
}

// benchCall makes the i-th call of a benchmark.
func benchCall(i int64, accounts int) Record {
	c := &rating.Call{}
	start := time.Now().Add(-time.Minute)
	c.SetTime(rating.CDRTimeStart, start)
	c.SetTime(rating.CDRTimeConnect, start.Add(2*time.Second))
	c.SetTime(rating.CDRTimeEnd, start.Add(40*time.Second))
	c.SetText(rating.CDRCallID, fmt.Sprintf("%x-call@switch.example.net", i))
	c.SetText(rating.CDRSource, "bench")
	c.SetText(rating.CDRSrcPrefixRouting, "442079460000")
	c.SetText(rating.CDRDstPrefixRouting, fmt.Sprintf("%06d%06d", 100_000+i*7919%100_000, i%1_000_000))
	c.AccountRef = fmt.Sprintf("bench-%04d", i*31%int64(accounts))
	return Record{Call: c}
}

// BenchmarkIngestOnline submits one call at a time from 32 callers, each answered after its commit.
func BenchmarkIngestOnline(b *testing.B) {
	db := benchStore(b, 1000, 100_000)
	q := NewIngest(db)
	defer q.Stop()
	var next atomic.Int64
	began := time.Now()
	var wg sync.WaitGroup
	b.ResetTimer()
	for range 32 {
		wg.Go(func() {
			for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
				if _, err := q.Submit(context.Background(), []Record{benchCall(i, 1000)}); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/time.Since(began).Seconds(), "cdr/s")
}
