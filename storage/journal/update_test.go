package journal

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"billd/storage/kv"
)

func stagePut(t *testing.T, e *Engine, b kv.Bucket, key, value string) (wait func() error) {
	t.Helper()
	wait, err := e.Stage(t.Context(), func(tx kv.Txn) error { return tx.Put(b, []byte(key), []byte(value)) })
	if err != nil {
		t.Fatal(err)
	}
	return wait
}

// What is staged is seen by the next Update and by no View; one sync serves all, as one record.
func TestStagedIsSeenByUpdatesOnly(t *testing.T) {
	dir := t.TempDir()
	e := openIn(t, dir)
	put(t, e, one, "a", "1")
	first := stagePut(t, e, one, "b", "2")
	var seen string
	second, err := e.Stage(t.Context(), func(tx kv.Txn) error {
		seen = string(tx.Get(one, []byte("b")))
		return tx.Put(one, []byte("c"), []byte("3"))
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen != "2" {
		t.Errorf("the next Update saw %q, want what was staged", seen)
	}
	want(t, e, one, map[string]string{"a": "1"})
	if err := second(); err != nil {
		t.Fatal(err)
	}
	want(t, e, one, map[string]string{"a": "1", "b": "2", "c": "3"})
	if n := e.segments[0].number; n != 2 {
		t.Errorf("%d records, want 2: what is synced together is torn together", n)
	}
	if err := first(); err != nil {
		t.Fatal(err)
	}
	crash(t, e)
	e = openIn(t, dir)
	defer e.Close()
	want(t, e, one, map[string]string{"a": "1", "b": "2", "c": "3"})
}

// An Update that wrote nothing may have answered from what was staged: it returns when that is durable.
func TestUpdateThatOnlyReadWaits(t *testing.T) {
	e := openIn(t, t.TempDir())
	defer e.Close()
	wait := stagePut(t, e, one, "a", "1")
	if err := e.Update(t.Context(), func(tx kv.Txn) error { tx.Get(one, []byte("a")); return nil }); err != nil {
		t.Fatal(err)
	}
	want(t, e, one, map[string]string{"a": "1"})
	if err := wait(); err != nil {
		t.Fatal(err)
	}
}

// A checkpoint and a Bulk make durable first what is staged.
func TestStagedBeforeCheckpointAndBulk(t *testing.T) {
	for name, run := range map[string]func(*Engine) error{
		"checkpoint": func(e *Engine) error { return e.Flush(context.Background()) },
		"bulk": func(e *Engine) error {
			return e.Bulk(context.Background(), func(tx kv.Txn) error { return tx.Put(one, []byte("z"), tx.Get(one, []byte("a"))) })
		},
		"close": (*Engine).Close,
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			e := openIn(t, dir)
			wait := stagePut(t, e, one, "a", "1")
			if err := run(e); err != nil {
				t.Fatal(err)
			}
			if err := wait(); err != nil {
				t.Fatal(err)
			}
			if name != "close" {
				crash(t, e)
			}
			e = openIn(t, dir)
			defer e.Close()
			got := rows(t, e, one)
			if got["a"] != "1" || name == "bulk" && got["z"] != "1" {
				t.Errorf("rows = %v", got)
			}
		})
	}
}

// When the journal cannot be written all that was staged fails, nothing of it is seen, reading goes on,
// and the next start has what was acknowledged.
func TestJournalThatCannotBeWritten(t *testing.T) {
	dir := t.TempDir()
	e := openIn(t, dir)
	put(t, e, one, "a", "1")
	e.segments[0].file.Close()
	first, second := stagePut(t, e, one, "b", "2"), stagePut(t, e, one, "c", "3")
	if err := second(); err == nil {
		t.Error("a sync that failed is acknowledged")
	}
	if err := first(); err == nil {
		t.Error("what was staged before is acknowledged")
	}
	if err := e.Update(t.Context(), func(tx kv.Txn) error { return tx.Put(one, []byte("d"), nil) }); err == nil {
		t.Error("an Update after that is acknowledged")
	}
	want(t, e, one, map[string]string{"a": "1"})
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	e = openIn(t, dir)
	defer e.Close()
	want(t, e, one, map[string]string{"a": "1"})
}

// Many at once: each is durable when it is told so, and none is lost behind a checkpoint.
func TestManyStageAtOnce(t *testing.T) {
	dir := t.TempDir()
	e := openIn(t, dir)
	var all sync.WaitGroup
	for w := range 8 {
		all.Go(func() {
			for i := range 200 {
				key := fmt.Sprintf("%d-%d", w, i)
				if err := e.Update(context.Background(), func(tx kv.Txn) error { return tx.Put(one, []byte(key), []byte("x")) }); err != nil {
					t.Error(err)
				}
				if i%50 == w {
					if err := e.Flush(context.Background()); err != nil {
						t.Error(err)
					}
				}
				e.View(context.Background(), func(tx kv.Txn) error {
					if tx.Get(one, []byte(key)) == nil {
						t.Errorf("%s is acknowledged and not seen", key)
					}
					return nil
				})
			}
		})
	}
	all.Wait()
	crash(t, e)
	if left, _ := filepath.Glob(filepath.Join(dir, "*journal*")); len(left) == 0 {
		t.Error("a crash left no journal: the test shows nothing")
	}
	e = openIn(t, dir)
	defer e.Close()
	if n := len(rows(t, e, one)); n != 8*200 {
		t.Errorf("%d rows, want %d", n, 8*200)
	}
}
