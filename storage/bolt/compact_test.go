package bolt

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"billd/storage/kv"
)

func TestCompactKeepsRowsAndGivesBackSpace(t *testing.T) {
	e := openNew(t)
	fill(t, e, cdrs, 0, 60000)
	put(t, e, rates, "a", "1")
	e.Update(ctx, func(tx kv.Txn) error {
		for i := range 59000 {
			tx.Delete(cdrs, number(i))
		}
		return nil
	})
	if err := os.Chmod(e.path, 0o640); err != nil {
		t.Fatal(err)
	}
	before := e.Stats()
	var done, total int64
	err := e.Compact(ctx, func(d, n int64) {
		if d < done || d > n {
			t.Errorf("progress = %d of %d after %d, want it to rise to the total", d, n, done)
		}
		done, total = d, n
	})
	if err != nil {
		t.Fatal(err)
	}
	after := e.Stats()
	if done != total || total == 0 {
		t.Errorf("progress ended at %d of %d", done, total)
	}
	if after.FileSize > before.FileSize/10 || after.Commits != before.Commits {
		t.Errorf("Stats = %+v, want a file below a tenth of %+v", after, before)
	}
	if got := count(t, e, cdrs); got != 1000 {
		t.Errorf("rows = %d, want 1000", got)
	}
	if v, _ := get(t, e, rates, "a"); v != "1" {
		t.Errorf("a = %q, want %q", v, "1")
	}
	if info, _ := os.Stat(e.path); info.Mode() != 0o640 {
		t.Errorf("mode = %v, want 0640", info.Mode())
	}
	checkClean(t, e)
	fill(t, e, cdrs, 60000, 70000) // the new file grows as the old one did
	e.Close()
	if got := count(t, openAt(t, e.path, twoNames), cdrs); got != 11000 {
		t.Errorf("rows after a restart = %d, want 11000", got)
	}
}

func TestCompactThroughALinkKeepsTheLink(t *testing.T) {
	dir := t.TempDir()
	openAt(t, filepath.Join(dir, "real.db"), twoNames).Close()
	link := filepath.Join(dir, "billd.db")
	if err := os.Symlink("real.db", link); err != nil {
		t.Fatal(err)
	}
	e := openAt(t, link, twoNames)
	if err := e.Compact(ctx, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Readlink(link); err != nil {
		t.Errorf("link: %v", err)
	}
}

func TestCompactCancelled(t *testing.T) {
	e := openNew(t)
	fill(t, e, cdrs, 0, 80000)
	stop, cancel := context.WithCancel(ctx)
	if err := e.Compact(stop, func(int64, int64) { cancel() }); !errors.Is(err, context.Canceled) {
		t.Errorf("Compact = %v, want %v", err, context.Canceled)
	}
	if _, err := os.Stat(e.path + filling); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s: %v, want it gone", filling, err)
	}
	fill(t, e, cdrs, 80000, 80001)
	if got := count(t, e, cdrs); got != 80001 {
		t.Errorf("rows = %d, want 80001", got)
	}
}

// TestCompactWhileWorking compacts again and again under writers, readers, backups and would-be owners.
func TestCompactWhileWorking(t *testing.T) {
	e := openNew(t)
	fill(t, e, rates, 0, 5000)
	stop, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan int)
	run := func(work func(n int)) {
		go func() {
			n := 0
			for ; stop.Err() == nil; n++ {
				work(n)
			}
			ended <- n
		}()
	}
	committed := 0
	run(func(n int) { fill(t, e, cdrs, n, n+1); committed = n + 1 })
	run(func(int) {
		e.View(ctx, func(tx kv.Txn) error {
			if tx.Get(rates, number(4999)) == nil {
				t.Error("a row is gone")
			}
			// A reader within a reader, as long as it takes.
			return e.View(ctx, func(tx kv.Txn) error {
				c, rows := tx.Cursor(rates), 0
				for k, _ := c.First(); k != nil; k, _ = c.Next() {
					rows++
				}
				if rows != 5000 {
					t.Errorf("rows = %d, want 5000", rows)
				}
				return nil
			})
		})
	})
	run(func(int) {
		var b bytes.Buffer
		if _, err := e.Backup(ctx, &b); err != nil {
			t.Errorf("backup: %v", err)
		}
	})
	o := twoNames
	o.Timeout = -1
	run(func(int) {
		if _, err := Open(e.path, o); !errors.Is(err, kv.ErrHeld) {
			t.Errorf("Open = %v, want %v", err, kv.ErrHeld)
		}
	})
	for range 10 {
		if err := e.Compact(ctx, nil); err != nil {
			t.Error(err)
		}
	}
	cancel()
	for range 4 {
		if n := <-ended; n == 0 {
			t.Error("a worker did nothing")
		}
	}
	if got := count(t, e, cdrs); got != committed {
		t.Errorf("rows = %d, want %d", got, committed)
	}
	checkClean(t, e)
}
