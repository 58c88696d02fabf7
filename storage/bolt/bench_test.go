package bolt

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"billd/storage/kv"
)

// syncsPerSecond is what the disk under dir can do: 4 KiB written and synced in a file of a fixed size.
func syncsPerSecond(b *testing.B, dir string) float64 {
	b.Helper()
	f, err := os.Create(filepath.Join(dir, "sync"))
	if err != nil {
		b.Fatal(err)
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if _, err := f.Write(make([]byte, 4<<20)); err != nil {
		b.Fatal(err)
	}
	if err := f.Sync(); err != nil {
		b.Fatal(err)
	}
	page, n, start := make([]byte, 4096), 0, time.Now()
	for ; time.Since(start) < 200*time.Millisecond; n++ {
		if _, err := f.WriteAt(page, int64(n%1024)*4096); err != nil {
			b.Fatal(err)
		}
		if err := syscall.Fsync(int(f.Fd())); err != nil {
			b.Fatal(err)
		}
	}
	return float64(n) / time.Since(start).Seconds()
}

func BenchmarkUpdate(b *testing.B) {
	for _, rows := range []int{1, 10, 100, 1000} {
		b.Run(fmt.Sprintf("rows=%d", rows), func(b *testing.B) {
			e := openNew(b)
			syncs := syncsPerSecond(b, filepath.Dir(e.path))
			value, n := make([]byte, 200), 0
			b.ReportAllocs()
			for b.Loop() {
				err := e.Update(ctx, func(tx kv.Txn) error {
					for range rows {
						if err := tx.Put(cdrs, number(n), value); err != nil {
							return err
						}
						n++
					}
					return nil
				})
				if err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "row/s")
			b.ReportMetric(syncs, "disksync/s")
		})
	}
}

func BenchmarkGet(b *testing.B) {
	e := openNew(b)
	const rows = 100000
	fill(b, e, cdrs, 0, rows)
	b.Run("one View", func(b *testing.B) {
		b.ReportAllocs()
		e.View(ctx, func(tx kv.Txn) error {
			for n := 0; b.Loop(); n++ {
				tx.Get(cdrs, number(n*7919%rows))
			}
			return nil
		})
	})
	b.Run("a View each", func(b *testing.B) {
		b.ReportAllocs()
		for n := 0; b.Loop(); n++ {
			e.View(ctx, func(tx kv.Txn) error {
				tx.Get(cdrs, number(n*7919%rows))
				return nil
			})
		}
	})
	b.Run("cursor step", func(b *testing.B) {
		b.ReportAllocs()
		e.View(ctx, func(tx kv.Txn) error {
			c := tx.Cursor(cdrs)
			c.First()
			for b.Loop() {
				if k, _ := c.Next(); k == nil {
					c.First()
				}
			}
			return nil
		})
	})
}

// BenchmarkWhole does to a store of 1,000,000 rows of 200 bytes what touches all of it.
func BenchmarkWhole(b *testing.B) {
	const rows = 1000000
	path := filepath.Join(b.TempDir(), "billd.db")
	o := twoNames
	e := openAt(b, path, o)
	fill(b, e, cdrs, 0, rows)
	size := float64(e.Stats().FileSize)
	report := func(b *testing.B) {
		b.ReportMetric(size*float64(b.N)/b.Elapsed().Seconds()/1e6, "MB/s")
	}
	b.Run("check", func(b *testing.B) {
		for b.Loop() {
			checkClean(b, e)
		}
		report(b)
	})
	b.Run("compact", func(b *testing.B) {
		for b.Loop() {
			if err := e.Compact(ctx, nil); err != nil {
				b.Fatal(err)
			}
		}
		report(b)
	})
	b.Run("backup", func(b *testing.B) {
		for b.Loop() {
			f, err := os.Create(path + ".backup")
			if err != nil {
				b.Fatal(err)
			}
			if _, err := e.Backup(ctx, f); err != nil {
				b.Fatal(err)
			}
			f.Close()
		}
		report(b)
	})
	b.Run("verify", func(b *testing.B) {
		hd, err := readHeader(e.h.file)
		for b.Loop() {
			err = errors.Join(err, (&walk{header: hd, file: e.h.file}).run(ctx))
		}
		if err != nil {
			b.Fatal(err)
		}
		report(b)
	})
	e.Close()
	for _, tt := range []struct{ name, path string }{{"open after a crash", path + ".backup"}, {"open after Close", path}} {
		b.Run(tt.name, func(b *testing.B) {
			for b.Loop() {
				e, err := Open(tt.path, o)
				if err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				if tt.path == path {
					e.Close()
				} else {
					e.h.db.Close() // the list of free pages stays unwritten
				}
				b.StartTimer()
			}
			report(b)
		})
	}
}
