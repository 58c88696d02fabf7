package bolt

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"billd/storage/kv"
)

func TestUpdateLeavesNothingBehind(t *testing.T) {
	for _, tt := range []struct {
		name string
		end  func() error
	}{
		{"when the closure fails", func() error { return errWanted }},
		{"when the closure panics", func() error { panic(errWanted) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := openNew(t)
			put(t, e, rates, "a", "1")
			got := func() (err error) {
				defer func() {
					if r := recover(); r != nil {
						err = r.(error)
					}
				}()
				return e.Update(ctx, func(tx kv.Txn) error {
					if err := tx.Put(rates, []byte("a"), []byte("2")); err != nil {
						return err
					}
					return tt.end()
				})
			}()
			if got != errWanted {
				t.Errorf("Update = %v, want %v", got, errWanted)
			}
			if v, _ := get(t, e, rates, "a"); v != "1" {
				t.Errorf("a = %q, want %q", v, "1")
			}
			put(t, e, rates, "b", "the writer is free again")
		})
	}
}

func TestPutRefuses(t *testing.T) {
	e := openNew(t)
	for _, tt := range []struct {
		name string
		key  int
		want string
	}{
		{"an empty key", 0, "key of 0 bytes, want 1 to 32768"},
		{"a key too long", 32769, "key of 32769 bytes, want 1 to 32768"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := e.Update(ctx, func(tx kv.Txn) error { return tx.Put(rates, make([]byte, tt.key), nil) })
			if err == nil || err.Error() != tt.want {
				t.Errorf("Put = %v, want %s", err, tt.want)
			}
		})
	}
	t.Run("to write in a View", func(t *testing.T) {
		err := e.View(ctx, func(tx kv.Txn) error {
			if tx.Writable() {
				t.Error("Writable = true, want false")
			}
			return errors.Join(tx.Put(rates, []byte("a"), nil), tx.Delete(rates, []byte("a")))
		})
		if want := errors.Join(errReadOnly, errReadOnly).Error(); err == nil || err.Error() != want {
			t.Errorf("Put and Delete = %v, want %s", err, want)
		}
	})
}

func TestAnEmptyValueIsThere(t *testing.T) {
	e := openNew(t)
	err := e.Update(ctx, func(tx kv.Txn) error {
		if err := tx.Put(rates, []byte("a"), nil); err != nil {
			return err
		}
		if tx.Get(rates, []byte("a")) == nil {
			t.Error("Get before the commit = nil, want an empty value")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if v, ok := get(t, e, rates, "a"); !ok || v != "" {
		t.Errorf("Get after the commit = %q, %t, want an empty value", v, ok)
	}
	if _, ok := get(t, e, rates, "b"); ok {
		t.Error("Get of an absent key is there, want nil")
	}
}

func TestCursor(t *testing.T) {
	e := openNew(t)
	for _, k := range []string{"b", "d", "f"} {
		put(t, e, rates, k, k+k)
	}
	type step func(c kv.Cursor) (k, v []byte)
	seek := func(key string) step { return func(c kv.Cursor) ([]byte, []byte) { return c.Seek([]byte(key)) } }
	for _, tt := range []struct {
		name  string
		steps []step
		want  string
	}{
		{"forwards to the end", []step{kv.Cursor.First, kv.Cursor.Next, kv.Cursor.Next, kv.Cursor.Next}, "b d f -"},
		{"backwards to the start", []step{kv.Cursor.Last, kv.Cursor.Prev, kv.Cursor.Prev, kv.Cursor.Prev}, "f d b -"},
		{"seek finds the key itself", []step{seek("d"), kv.Cursor.Next}, "d f"},
		{"seek finds the next key", []step{seek("c"), kv.Cursor.Prev}, "d b"},
		{"before a key that nothing follows is the last", []step{seek("g"), kv.Cursor.Prev}, "- f"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			e.View(ctx, func(tx kv.Txn) error {
				c := tx.Cursor(rates)
				for _, s := range tt.steps {
					k, v := s(c)
					if k == nil {
						got = append(got, "-")
						continue
					}
					if string(v) != string(k)+string(k) {
						t.Errorf("value at %s = %s", k, v)
					}
					got = append(got, string(k))
				}
				return nil
			})
			if got := strings.Join(got, " "); got != tt.want {
				t.Errorf("keys = %s, want %s", got, tt.want)
			}
		})
	}
	t.Run("an empty bucket has no ends", func(t *testing.T) {
		e.View(ctx, func(tx kv.Txn) error {
			c := tx.Cursor(cdrs)
			for i, s := range []step{kv.Cursor.Next, kv.Cursor.Prev, kv.Cursor.First, kv.Cursor.Last, seek("a")} {
				if k, _ := s(c); k != nil {
					t.Errorf("step %d: key = %q, want nil", i, k)
				}
			}
			return nil
		})
	})
	t.Run("stepping does not allocate", func(t *testing.T) {
		fill(t, e, cdrs, 0, 3000)
		e.View(ctx, func(tx kv.Txn) error {
			c := tx.Cursor(cdrs)
			c.First()
			if got := testing.AllocsPerRun(1000, func() { c.Next(); c.Next(); c.Prev() }); got != 0 {
				t.Errorf("allocations = %g, want 0", got)
			}
			return nil
		})
	})
}

// TestModel runs random transactions on the engine and on a map, with restarts and compactions between them.
func TestModel(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	path := filepath.Join(t.TempDir(), "billd.db")
	e := openAt(t, path, twoNames)
	want := map[string]string{}
	for round := range 60 {
		next, fails := map[string]string{}, r.IntN(5) == 0
		for k, v := range want {
			next[k] = v
		}
		e.Update(ctx, func(tx kv.Txn) error {
			for range r.IntN(200) {
				k := fmt.Sprint(r.IntN(500))
				if r.IntN(3) == 0 {
					tx.Delete(rates, []byte(k))
					delete(next, k)
				} else {
					v := strings.Repeat("v", r.IntN(300))
					tx.Put(rates, []byte(k), []byte(v))
					next[k] = v
				}
				if v := tx.Get(rates, []byte(k)); string(v) != next[k] {
					t.Fatalf("%s = %q within its transaction, want %q", k, v, next[k])
				}
			}
			if fails {
				return errWanted
			}
			return nil
		})
		if !fails {
			want = next
		}
		switch round % 10 {
		case 3:
			if err := e.Compact(ctx, nil); err != nil {
				t.Fatal(err)
			}
		case 7:
			e.Close()
			e = openAt(t, path, twoNames)
		}
		compare(t, e, want)
	}
	checkClean(t, e)
}

func compare(t *testing.T, e *Engine, want map[string]string) {
	t.Helper()
	var keys []string
	e.View(ctx, func(tx kv.Txn) error {
		c := tx.Cursor(rates)
		for k, v := c.First(); k != nil; k, v = c.Next() {
			keys = append(keys, string(k))
			if string(v) != want[string(k)] {
				t.Fatalf("%s = %q, want %q", k, v, want[string(k)])
			}
		}
		return nil
	})
	if len(keys) != len(want) || !slices.IsSorted(keys) {
		t.Fatalf("%d keys, want %d, sorted", len(keys), len(want))
	}
}

func TestContext(t *testing.T) {
	e := openNew(t)
	ended, cancel := context.WithCancel(ctx)
	cancel()
	never := func(kv.Txn) error { t.Error("closure ran, want it not to"); return nil }
	for name, err := range map[string]error{
		"View":    e.View(ended, never),
		"Update":  e.Update(ended, never),
		"Compact": e.Compact(ended, nil),
		"Check":   e.Check(ended, func(err error) { t.Error(err) }),
	} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s = %v, want %v", name, err, context.Canceled)
		}
	}
	t.Run("ends the wait for another writer", func(t *testing.T) {
		e.Update(ctx, func(kv.Txn) error {
			short, cancel := context.WithTimeout(ctx, time.Millisecond)
			defer cancel()
			if err := e.Update(short, never); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Update = %v, want %v", err, context.DeadlineExceeded)
			}
			return nil
		})
	})
}

func TestBackup(t *testing.T) {
	e := openNew(t)
	fill(t, e, cdrs, 0, 2000)
	path := filepath.Join(t.TempDir(), "backup.db")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	written := false
	n, err := e.Backup(ctx, writerFunc(func(p []byte) (int, error) {
		if !written { // in the middle of the backup
			written = true
			fill(t, e, cdrs, 2000, 3000)
		}
		return f.Write(p)
	}))
	if info, _ := f.Stat(); err != nil || n != info.Size() {
		t.Fatalf("Backup = %d, %v, want %d", n, err, info.Size())
	}
	b := openAt(t, path, twoNames)
	if got := count(t, b, cdrs); got != 2000 {
		t.Errorf("rows in the backup = %d, want 2000", got)
	}
	checkClean(t, b)

	stopped, cancel := context.WithCancel(ctx)
	_, err = e.Backup(stopped, writerFunc(func(p []byte) (int, error) { cancel(); return len(p), nil }))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Backup cancelled = %v, want %v", err, context.Canceled)
	}
	if _, err := e.Backup(ctx, writerFunc(func([]byte) (int, error) { return 0, io.ErrShortWrite })); err == nil {
		t.Error("Backup to a failing writer succeeded")
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func TestCheckFindsDamage(t *testing.T) {
	e := openNew(t)
	fill(t, e, cdrs, 0, 5000)
	checkClean(t, e)
	hd, err := readHeader(e.h.file)
	if err != nil {
		t.Fatal(err)
	}
	// The first page of the bucket of CDRs says that it is another one.
	b := make([]byte, hd.pageSize)
	p, err := hd.read(e.h.file, hd.root, &b)
	if err != nil {
		t.Fatal(err)
	}
	el, err := p.element(0)
	if err != nil || string(el.key) != "cdr" {
		t.Fatalf("first bucket = %q, %v, want cdr", el.key, err)
	}
	at := int64(order.Uint64(el.value) * hd.pageSize)
	if _, err := e.h.file.WriteAt(order.AppendUint64(nil, 7777), at); err != nil {
		t.Fatal(err)
	}
	faults := 0
	if err := e.Check(ctx, func(error) { faults++ }); err != nil || faults == 0 {
		t.Errorf("Check = %v with %d faults, want some", err, faults)
	}
}

func TestStats(t *testing.T) {
	e := openNew(t)
	fill(t, e, cdrs, 0, 10000)
	e.Update(ctx, func(tx kv.Txn) error {
		for i := range 10000 {
			tx.Delete(cdrs, number(i))
		}
		return nil
	})
	info, err := os.Stat(e.path)
	if err != nil {
		t.Fatal(err)
	}
	s := e.Stats()
	if s.FileSize != info.Size() || s.FreeSize < 10000*200 || s.FreeSize > s.FileSize || s.Commits != 11 {
		t.Errorf("Stats = %+v, want a file of %d, %d free or more, 11 commits", s, info.Size(), 10000*200)
	}
}

func TestClosed(t *testing.T) {
	e := openNew(t)
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	none := func(kv.Txn) error { return nil }
	_, backup := e.Backup(ctx, io.Discard)
	for name, err := range map[string]error{
		"View": e.View(ctx, none), "Update": e.Update(ctx, none), "Backup": backup,
		"Compact": e.Compact(ctx, nil), "Check": e.Check(ctx, nil),
	} {
		if !errors.Is(err, errClosed) {
			t.Errorf("%s = %v, want %v", name, err, errClosed)
		}
	}
	if got := e.Stats(); got != (kv.Stats{}) {
		t.Errorf("Stats = %+v, want zero", got)
	}
	if err := e.Close(); err != nil {
		t.Errorf("second Close = %v, want nil", err)
	}
}

func TestFailedCommit(t *testing.T) {
	e, err := Open(filepath.Join(t.TempDir(), "billd.db"), twoNames)
	if err != nil {
		t.Fatal(err)
	}
	put(t, e, rates, "a", "1")
	t.Run("that cannot be seen leaves the old state", func(t *testing.T) {
		e.h.file.Close() // the disk goes
		err := e.Update(ctx, func(tx kv.Txn) error { return tx.Put(rates, []byte("a"), []byte("2")) })
		if err == nil || e.failed != nil {
			t.Errorf("Update = %v, further ones %v, want an error and nil", err, e.failed)
		}
		if v, _ := get(t, e, rates, "a"); v != "1" {
			t.Errorf("a = %q, want %q", v, "1")
		}
	})
	t.Run("that can be seen ends writing", func(t *testing.T) {
		var id int
		h, tx, err := e.begin(ctx)
		if err != nil {
			t.Fatal(err)
		}
		id = tx.ID()
		h.end(tx)
		if err := e.failedCommit(id, errWanted); !errors.Is(err, errWanted) {
			t.Errorf("failedCommit = %v, want %v", err, errWanted)
		}
		if err := e.Update(ctx, func(kv.Txn) error { return nil }); !errors.Is(err, errWanted) {
			t.Errorf("Update = %v, want %v", err, errWanted)
		}
	})
	if err := e.Close(); err == nil {
		t.Error("Close of a lost file succeeded")
	}
}
