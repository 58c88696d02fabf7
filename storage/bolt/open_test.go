package bolt

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"billd/storage/kv"
)

func TestOneProcessHoldsTheStore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "billd.db")
	cmd, lines, in := child(t, "hold", path)
	if !lines.Scan() {
		t.Fatal("child said nothing, want held")
	}
	o := twoNames
	for _, o.Timeout = range []time.Duration{-1, 50 * time.Millisecond} {
		start := time.Now()
		_, err := Open(path, o)
		if !errors.Is(err, kv.ErrHeld) || err.Error() != "billd.db: store is held by another process" {
			t.Errorf("Open = %v, want %v", err, kv.ErrHeld)
		}
		if got := time.Since(start); got < o.Timeout {
			t.Errorf("gave up after %v, want %v", got, o.Timeout)
		}
	}
	in.Close()
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	openAt(t, path, twoNames)
}

func TestCreatorsAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "billd.db")
	opened := make(chan *Engine)
	for range 8 {
		go func() {
			e, err := Open(path, twoNames)
			if err != nil && !errors.Is(err, kv.ErrHeld) {
				t.Errorf("Open = %v, want %v", err, kv.ErrHeld)
			}
			opened <- e
		}()
	}
	var open []*Engine
	for range 8 {
		if e := <-opened; e != nil {
			open = append(open, e)
		}
	}
	if len(open) != 1 {
		t.Fatalf("%d opened the store, want 1", len(open))
	}
	put(t, open[0], rates, "a", "1")
	open[0].Close()
	if v, _ := get(t, openAt(t, path, twoNames), rates, "a"); v != "1" {
		t.Errorf("a = %q, want %q", v, "1")
	}
}

func TestFileOfANewStore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "billd.db")
	if err := os.WriteFile(path+filling, []byte("left by a crash"), 0o600); err != nil {
		t.Fatal(err)
	}
	openAt(t, path, twoNames)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode() != 0o600 || info.Size() > 100<<10 {
		t.Errorf("file has mode %v and %d bytes, want 0600 and little", info.Mode(), info.Size())
	}
	if _, err := os.Stat(path + filling); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s: %v, want it gone", filling, err)
	}
}

func TestOpenRemovesWhatACompactionLeft(t *testing.T) {
	path := filepath.Join(t.TempDir(), "billd.db")
	openAt(t, path, twoNames).Close()
	if err := os.WriteFile(path+filling, make([]byte, 9999), 0o600); err != nil {
		t.Fatal(err)
	}
	openAt(t, path, twoNames)
	if _, err := os.Stat(path + filling); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s: %v, want it gone", filling, err)
	}
}

func TestBucketsOfANewerVersionStay(t *testing.T) {
	path := filepath.Join(t.TempDir(), "billd.db")
	newer := openAt(t, path, Options{Buckets: []string{"rate", "cdr", "later"}})
	put(t, newer, 2, "a", "1")
	newer.Close()
	older := openAt(t, path, twoNames)
	put(t, older, rates, "b", "2")
	if err := older.Compact(ctx, nil); err != nil {
		t.Fatal(err)
	}
	older.Close()
	newer = openAt(t, path, Options{Buckets: []string{"rate", "cdr", "later", "latest"}})
	if v, _ := get(t, newer, 2, "a"); v != "1" {
		t.Errorf("a in the later bucket = %q, want %q", v, "1")
	}
	put(t, newer, 3, "c", "3")
}

func TestOpenRefusesOptions(t *testing.T) {
	for _, tt := range []struct {
		name string
		o    Options
		want string
	}{
		{"no buckets", Options{}, "0 buckets, want 1 to 256"},
		{"too many", Options{Buckets: make([]string, 257)}, "257 buckets, want 1 to 256"},
		{"no name", Options{Buckets: []string{""}}, `bucket 0: name "", want one that is new`},
		{"a name twice", Options{Buckets: []string{"a", "a"}}, `bucket 1: name "a", want one that is new`},
		{"overfull pages", Options{Buckets: []string{"a"}, FillPercent: map[kv.Bucket]float64{0: 90}}, "bucket 0: fill 90, want 0.1 to 1 of a known bucket"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := Open(filepath.Join(t.TempDir(), "billd.db"), tt.o); err == nil || err.Error() != tt.want {
				t.Errorf("Open = %v, want %s", err, tt.want)
			}
		})
	}
}

// stored returns the file of a store with rows, as Close leaves it or as a crash does.
func stored(t *testing.T, crashed bool) []byte {
	t.Helper()
	e := openNew(t)
	fill(t, e, cdrs, 0, 1000)
	put(t, e, rates, "a", strings.Repeat("a long value ", 2000))
	for i := range 5 {
		put(t, e, rates, "b", strings.Repeat("b", i))
	}
	var b bytes.Buffer
	if _, err := e.Backup(ctx, &b); err != nil {
		t.Fatal(err)
	}
	if crashed {
		return b.Bytes()
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(e.path)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func TestOpenOfNoStore(t *testing.T) {
	good := stored(t, true)
	random := make([]byte, 100000)
	for i := range random {
		random[i] = byte(rand.Uint32())
	}
	for _, tt := range []struct {
		name, want string
		file       []byte
	}{
		{"empty", "billd.db: file is empty", nil},
		{"one byte", "billd.db: file is not a store", []byte{1}},
		{"text", "billd.db: file is not a store", []byte(strings.Repeat("prefix,price\n", 5000))},
		{"zeros", "billd.db: file is not a store", make([]byte, 1<<20)},
		{"random", "billd.db: file is not a store", random},
		{"its first page only", "billd.db: file is cut short: 4096 bytes", good[:4096]},
		{"half", "billd.db: file is cut short", good[:len(good)/2]},
		{"all but a byte", "billd.db: file is cut short", good[:len(good)-1]},
		{"zeros after the headers", "billd.db: store is damaged: page", append(good[:8192:8192], make([]byte, len(good)-8192)...)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "billd.db")
			if err := os.WriteFile(path, tt.file, 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := Open(path, twoNames)
			if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("Open = %v, want %s", err, tt.want)
			}
			if after, _ := os.ReadFile(path); !bytes.Equal(after, tt.file) {
				t.Error("the file was changed, want it as it was")
			}
		})
	}
	t.Run("a directory", func(t *testing.T) {
		if _, err := Open(t.TempDir(), twoNames); err == nil {
			t.Error("Open succeeded, want an error")
		}
	})
	t.Run("one header destroyed", func(t *testing.T) {
		for _, at := range []int{0, 4096} {
			path := filepath.Join(t.TempDir(), "billd.db")
			file := bytes.Clone(good)
			clear(file[at : at+4096])
			if err := os.WriteFile(path, file, 0o600); err != nil {
				t.Fatal(err)
			}
			if got := count(t, openAt(t, path, twoNames), cdrs); got != 1000 {
				t.Errorf("rows = %d, want 1000", got)
			}
		}
	})
}

// TestOpenOfDamage changes random bytes; the process must live, and the store be opened or refused.
func TestOpenOfDamage(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	files := [][]byte{stored(t, true), stored(t, false)}
	path := filepath.Join(t.TempDir(), "billd.db")
	refused := 0
	o := twoNames
	o.NoSync = true
	for round := range 200 {
		file := bytes.Clone(files[round%2])
		for range 1 + r.IntN(4) {
			// The first bytes of a page: its number, kind and the places of its rows.
			at := r.IntN(len(file)/4096)*4096 + r.IntN(64)
			file[at] ^= byte(1 + r.IntN(255))
		}
		if err := os.WriteFile(path, file, 0o600); err != nil {
			t.Fatal(err)
		}
		e, err := Open(path, o)
		if err != nil {
			refused++
			continue
		}
		if err := e.Check(ctx, func(error) {}); err != nil {
			t.Fatal(err)
		}
		e.Close()
	}
	if refused == 0 {
		t.Error("no damaged store was refused")
	}
	t.Logf("%d of 200 refused", refused)
}
