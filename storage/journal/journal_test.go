package journal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"billd/storage/bolt"
	"billd/storage/kv"

	"pgregory.net/rapid"
)

const (
	meta kv.Bucket = iota
	one
	two
	top
)

var names = bolt.Options{Buckets: []string{"meta", "one", "two", "top"}, NoSync: true}

func openIn(t testing.TB, dir string) *Engine {
	t.Helper()
	inner, err := bolt.Open(filepath.Join(dir, "billd.db"), names)
	if err != nil {
		t.Fatal(err)
	}
	e, err := Open(context.Background(), inner, Options{Path: filepath.Join(dir, "billd.journal"), Mark: meta, NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// crash leaves the files as a killed process would.
func crash(t testing.TB, e *Engine) {
	t.Helper()
	e.applying <- struct{}{}
	e.writer <- struct{}{}
	e.closed = true
	e.timer.Stop()
	for _, s := range e.segments {
		s.close()
	}
	if err := e.inner.Close(); err != nil {
		t.Fatal(err)
	}
	<-e.writer
	<-e.applying
}

func put(t testing.TB, e *Engine, b kv.Bucket, key, value string) {
	t.Helper()
	if err := e.Update(t.Context(), func(tx kv.Txn) error { return tx.Put(b, []byte(key), []byte(value)) }); err != nil {
		t.Fatal(err)
	}
}

func rows(t testing.TB, e kv.Engine, b kv.Bucket) map[string]string {
	t.Helper()
	got := map[string]string{}
	err := e.View(context.Background(), func(tx kv.Txn) error {
		c := tx.Cursor(b)
		for k, v := c.First(); k != nil; k, v = c.Next() {
			got[string(k)] = string(v)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func want(t testing.TB, e kv.Engine, b kv.Bucket, w map[string]string) {
	t.Helper()
	if got := rows(t, e, b); !maps.Equal(got, w) {
		t.Errorf("rows = %v, want %v", got, w)
	}
}

func TestUpdatesSurviveACrash(t *testing.T) {
	dir := t.TempDir()
	e := openIn(t, dir)
	put(t, e, one, "a", "1")
	put(t, e, one, "b", "")
	if err := e.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	put(t, e, one, "c", "3")
	if err := e.Update(t.Context(), func(tx kv.Txn) error { return tx.Delete(one, []byte("a")) }); err != nil {
		t.Fatal(err)
	}
	crash(t, e)
	e = openIn(t, dir)
	want(t, e, one, map[string]string{"b": "", "c": "3"})
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*journal*")); len(left) > 0 {
		t.Errorf("after Close there is %v", left)
	}
	e = openIn(t, dir)
	defer e.Close()
	want(t, e, one, map[string]string{"b": "", "c": "3"})
}

func TestFailedUpdateLeavesNothing(t *testing.T) {
	e := openIn(t, t.TempDir())
	defer e.Close()
	put(t, e, one, "a", "1")
	no := errors.New("no")
	err := e.Update(t.Context(), func(tx kv.Txn) error {
		tx.Put(one, []byte("b"), []byte("2"))
		tx.Delete(one, []byte("a"))
		return no
	})
	if err != no {
		t.Errorf("err = %v, want %v", err, no)
	}
	func() {
		defer func() { recover() }()
		e.Update(t.Context(), func(tx kv.Txn) error {
			tx.Put(one, []byte("c"), []byte("2"))
			panic("no")
		})
	}()
	want(t, e, one, map[string]string{"a": "1"})
	put(t, e, one, "d", "4")
	want(t, e, one, map[string]string{"a": "1", "d": "4"})
}

// A bulk transaction, and an Update that is larger than a record, go straight to the store, and what the
// journal held before is not replayed over them.
func TestBulkAfterJournalled(t *testing.T) {
	for name, write := range map[string]func(*Engine, func(kv.Txn) error) error{
		"bulk": func(e *Engine, fn func(kv.Txn) error) error { return e.Bulk(context.Background(), fn) },
		"large update": func(e *Engine, fn func(kv.Txn) error) error {
			return e.Update(context.Background(), func(tx kv.Txn) error {
				for i := range 20 {
					// An error that the closure does not pass on must not matter.
					tx.Put(two, fmt.Append(nil, i), make([]byte, 1<<20))
				}
				return fn(tx)
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			e := openIn(t, dir)
			put(t, e, one, "a", "old")
			if err := write(e, func(tx kv.Txn) error { return tx.Put(one, []byte("a"), []byte("new")) }); err != nil {
				t.Fatal(err)
			}
			want(t, e.inner, one, map[string]string{"a": "new"})
			crash(t, e)
			e = openIn(t, dir)
			defer e.Close()
			want(t, e, one, map[string]string{"a": "new"})
		})
	}
}

func TestTornEndIsNotReplayed(t *testing.T) {
	dir := t.TempDir()
	e := openIn(t, dir)
	for i := range 5 {
		put(t, e, one, fmt.Sprint(i), "x")
	}
	s := e.segments[0]
	path, end := s.path, s.end
	crash(t, e)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lost := func(change func(b []byte)) error {
		b := slices.Clone(whole)
		change(b)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		inner, err := bolt.Open(filepath.Join(dir, "billd.db"), names)
		if err != nil {
			t.Fatal(err)
		}
		defer inner.Close()
		r := &Engine{inner: failingUpdates{inner}, o: Options{Mark: meta}, segments: [2]*segment{{path: path}, {path: path + "none"}}}
		_, err = r.replay(t.Context())
		return err
	}
	if err := lost(func(b []byte) { b[end-1] ^= 1 }); !errors.Is(err, errPlanted) {
		t.Errorf("the last record torn: %v, want a replay of the others", err)
	}
	if err := lost(func(b []byte) { b[headerSize+recordHeader] ^= 1 }); err == nil || errors.Is(err, errPlanted) {
		t.Errorf("the first record damaged: %v, want an error that says so", err)
	}
	if err := lost(func(b []byte) { b[9] ^= 1 }); err != nil {
		t.Errorf("no header: %v, want no segment", err)
	}
	b := slices.Clone(whole)
	b[end-1] ^= 1
	os.WriteFile(path, b, 0o600)
	e = openIn(t, dir)
	defer e.Close()
	want(t, e, one, map[string]string{"0": "x", "1": "x", "2": "x", "3": "x"})
}

var errPlanted = errors.New("planted")

type failingUpdates struct{ kv.Engine }

func (failingUpdates) Update(context.Context, func(kv.Txn) error) error { return errPlanted }

// A store that another one was restored over, which is Remark's, does not get that one's journal.
func TestOtherStoresJournalIsIgnored(t *testing.T) {
	dir := t.TempDir()
	e := openIn(t, dir)
	put(t, e, one, "a", "1")
	var copied bytes.Buffer
	if _, err := e.Backup(t.Context(), &copied); err != nil {
		t.Fatal(err)
	}
	put(t, e, one, "b", "2")
	crash(t, e)
	path := filepath.Join(dir, "billd.db")
	if err := os.WriteFile(path, copied.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	inner, err := bolt.Open(path, names)
	if err != nil {
		t.Fatal(err)
	}
	if err := Remark(t.Context(), inner, meta); err != nil {
		t.Fatal(err)
	}
	inner.Close()
	e = openIn(t, dir)
	defer e.Close()
	want(t, e, one, map[string]string{"a": "1"})
}

func TestStoreThatCannotBeWritten(t *testing.T) {
	dir := t.TempDir()
	inner, err := bolt.Open(filepath.Join(dir, "billd.db"), names)
	if err != nil {
		t.Fatal(err)
	}
	f := &sometimes{Engine: inner}
	e, err := Open(t.Context(), f, Options{Path: filepath.Join(dir, "j"), Mark: meta, NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	f.failing.Store(true)
	put(t, e, one, "a", "1")
	if err := e.Flush(t.Context()); !errors.Is(err, errPlanted) {
		t.Errorf("Flush = %v, want %v", err, errPlanted)
	}
	put(t, e, one, "a", "2")
	put(t, e, one, "b", "1")
	if st := e.Stats(); st.JournalSize == 0 || !errors.Is(st.JournalFault, errPlanted) {
		t.Errorf("stats = %+v, want the fault", st)
	}
	want(t, e, one, map[string]string{"a": "2", "b": "1"})
	f.failing.Store(false)
	if err := e.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	want(t, inner, one, map[string]string{"a": "2", "b": "1"})
	if st := e.Stats(); st.JournalSize != 0 || st.JournalFault != nil {
		t.Errorf("stats = %+v, want none", st)
	}
	f.failing.Store(true)
	put(t, e, one, "c", "1")
	if err := e.Close(); !errors.Is(err, errPlanted) {
		t.Errorf("Close = %v, want %v", err, errPlanted)
	}
	e = openIn2(t, dir, "j")
	defer e.Close()
	want(t, e, one, map[string]string{"a": "2", "b": "1", "c": "1"})
}

func openIn2(t *testing.T, dir, name string) *Engine {
	t.Helper()
	inner, err := bolt.Open(filepath.Join(dir, "billd.db"), names)
	if err != nil {
		t.Fatal(err)
	}
	e, err := Open(t.Context(), inner, Options{Path: filepath.Join(dir, name), Mark: meta, NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

type sometimes struct {
	kv.Engine
	failing atomic.Bool
}

func (s *sometimes) Update(ctx context.Context, fn func(kv.Txn) error) error {
	if s.failing.Load() {
		return errPlanted
	}
	return s.Engine.Update(ctx, fn)
}

// Whatever is done in whatever order, crashes included, every read answers as a plain sorted map does.
func TestAsAMap(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		dir, err := os.MkdirTemp("", "journal")
		if err != nil {
			rt.Fatal(err)
		}
		defer os.RemoveAll(dir)
		e := openIn(t, dir)
		defer func() { e.Close() }()
		model := [4]map[string]string{{}, {}, {}, {}}
		key := rapid.StringMatching(`[ab]{1,3}`)
		bucket := rapid.SampledFrom([]kv.Bucket{one, two, top})
		change := func(rt *rapid.T, run func(context.Context, func(kv.Txn) error) error) {
			next := model
			for i := range next {
				next[i] = maps.Clone(model[i])
			}
			fails := rapid.IntRange(0, 5).Draw(rt, "fails") == 0
			err := run(context.Background(), func(tx kv.Txn) error {
				for range rapid.IntRange(0, 12).Draw(rt, "steps") {
					b := bucket.Draw(rt, "bucket")
					switch k := key.Draw(rt, "key"); rapid.IntRange(0, 3).Draw(rt, "step") {
					case 0:
						delete(next[b], k)
						if err := tx.Delete(b, []byte(k)); err != nil {
							return err
						}
					case 1:
						walk(rt, tx, b, next[b], key)
					default:
						v := rapid.StringMatching(`[xyz]{0,2}`).Draw(rt, "value")
						next[b][k] = v
						if err := tx.Put(b, []byte(k), []byte(v)); err != nil {
							return err
						}
					}
				}
				if fails {
					return errPlanted
				}
				return nil
			})
			if fails != (err == errPlanted) {
				rt.Fatal(err)
			}
			if !fails {
				model = next
			}
		}
		rt.Repeat(map[string]func(*rapid.T){
			"update":  func(rt *rapid.T) { change(rt, e.Update) },
			"update2": func(rt *rapid.T) { change(rt, e.Update) },
			"bulk":    func(rt *rapid.T) { change(rt, e.Bulk) },
			"flush": func(rt *rapid.T) {
				if err := e.Flush(context.Background()); err != nil {
					rt.Fatal(err)
				}
			},
			"on its way": func(rt *rapid.T) { // as between the two halves of a checkpoint
				e.applying <- struct{}{}
				e.turnOver()
				<-e.applying
			},
			"half a checkpoint": func(rt *rapid.T) {
				e.applying <- struct{}{}
				if e.turnOver() {
					if err := e.apply(context.Background()); err != nil {
						rt.Fatal(err)
					}
				}
				<-e.applying
			},
			"crash": func(rt *rapid.T) {
				crash(t, e)
				e = openIn(t, dir)
			},
			"close": func(rt *rapid.T) {
				if err := e.Close(); err != nil {
					rt.Fatal(err)
				}
				e = openIn(t, dir)
			},
			"": func(rt *rapid.T) {
				e.View(context.Background(), func(tx kv.Txn) error {
					for _, b := range []kv.Bucket{one, two, top} {
						walk(rt, tx, b, model[b], key)
					}
					return nil
				})
			},
		})
	})
}

// walk goes to and fro in a bucket and compares each step with the map.
func walk(rt *rapid.T, tx kv.Txn, b kv.Bucket, model map[string]string, key *rapid.Generator[string]) {
	keys := slices.Sorted(maps.Keys(model))
	c := tx.Cursor(b)
	at := -1
	check := func(what string, k, v []byte) {
		if at < 0 || at >= len(keys) {
			if k != nil {
				rt.Fatalf("%s = %q, want the end", what, k)
			}
			return
		}
		if string(k) != keys[at] || string(v) != model[keys[at]] {
			rt.Fatalf("%s = %q %q, want %q %q", what, k, v, keys[at], model[keys[at]])
		}
	}
	for range rapid.IntRange(1, 8).Draw(rt, "walk") {
		switch op := rapid.IntRange(0, 5).Draw(rt, "move"); {
		case op == 0:
			at = 0
			k, v := c.First()
			check("First", k, v)
		case op == 1:
			at = len(keys) - 1
			k, v := c.Last()
			check("Last", k, v)
		case op == 2 || at < 0 || at >= len(keys):
			to := key.Draw(rt, "to")
			at, _ = slices.BinarySearch(keys, to)
			k, v := c.Seek([]byte(to))
			check("Seek "+to, k, v)
			if got := tx.Get(b, []byte(to)); (got != nil) != hasKey(model, to) || string(got) != model[to] {
				rt.Fatalf("Get %s = %q, want %q", to, got, model[to])
			}
		case op == 3:
			at--
			k, v := c.Prev()
			check("Prev", k, v)
		default:
			at++
			k, v := c.Next()
			check("Next", k, v)
		}
	}
}

func hasKey(m map[string]string, k string) bool { _, ok := m[k]; return ok }

// Readers see whole states while writers, checkpoints, bulks and backups are at work: in each state both
// buckets hold the same number.
func TestReadersSeeWholeStates(t *testing.T) {
	e := openIn(t, t.TempDir())
	defer e.Close()
	ctx, cancel := context.WithCancel(t.Context())
	var readers, workers sync.WaitGroup
	write := func(n int) func(kv.Txn) error {
		return func(tx kv.Txn) error {
			v := fmt.Append(nil, n)
			return errors.Join(tx.Put(one, []byte("n"), v), tx.Put(two, []byte("n"), v), tx.Put(one, fmt.Append(nil, n%50), v))
		}
	}
	same := func(tx kv.Txn) error {
		a := string(tx.Get(one, []byte("n")))
		for range 10 {
			if b := string(tx.Get(two, []byte("n"))); a != b {
				return fmt.Errorf("one has %s, two has %s", a, b)
			}
		}
		return nil
	}
	last := 0
	for range 3 {
		readers.Go(func() {
			for ctx.Err() == nil {
				if err := e.View(context.Background(), same); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	workers.Go(func() {
		for ctx.Err() == nil {
			if err := e.Flush(context.Background()); err != nil {
				t.Error(err)
			}
		}
	})
	workers.Go(func() {
		for ctx.Err() == nil {
			if _, err := e.Backup(context.Background(), io.Discard); err != nil {
				t.Error(err)
			}
		}
	})
	for n := range 3000 {
		run := e.Update
		if n%100 == 99 {
			run = e.Bulk
		}
		if err := run(t.Context(), write(n)); err != nil {
			t.Fatal(err)
		}
		last = n
	}
	cancel()
	readers.Wait()
	workers.Wait()
	if got := rows(t, e, two)["n"]; got != fmt.Sprint(last) {
		t.Errorf("n = %s, want %d", got, last)
	}
}

func FuzzSegment(f *testing.F) {
	s := &segment{path: filepath.Join(f.TempDir(), "s"), noSync: true}
	s.start(7, 9)
	t := &txn{layers: layers{newMemory()}, writable: true, rec: make([]byte, recordHeader)}
	t.Put(one, []byte("key"), []byte("value"))
	t.Delete(two, []byte("k"))
	if err := errors.Join(s.reserve(len(t.rec)), s.append(t.rec)); err != nil {
		f.Fatal(err)
	}
	s.close()
	b, _ := os.ReadFile(s.path)
	f.Add(b[:256], b[headerSize+recordHeader:headerSize+recordHeader+20])
	f.Fuzz(func(t *testing.T, file, ops []byte) {
		for _, ops := range append(parseSegment(file).ops, ops) {
			eachOp(ops, func(_ kv.Bucket, key, _ []byte) error {
				if len(key) == 0 {
					t.Error("an empty key")
				}
				return nil
			})
		}
	})
}
