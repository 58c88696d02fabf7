package storage

import (
	"bytes"
	"context"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"billd/rating"
	"billd/storage/kv"
)

func TestTheTailAndItsBucketAreWalkedAsOne(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	db := openTest(t)
	draw := func() sideKey { return sideKey{rating.AccountID(r.IntN(4)), rating.CDRID(r.IntN(40))} }
	for range 30 {
		tail, all := &sideTail{}, map[sideKey]bool{}
		for range r.IntN(5) {
			var run []sideKey
			for range r.IntN(12) {
				k := draw()
				run, all[k] = append(run, k), true
			}
			slices.SortFunc(run, compareSide)
			tail = tail.with([2][]sideKey{slices.Compact(run)})
		}
		var stored []sideKey
		for range r.IntN(20) {
			k := draw()
			stored, all[k] = append(stored, k), true
		}
		err := db.engine.Update(context.Background(), func(tx kv.Txn) error {
			for k, _ := tx.Cursor(bCDRCustomer).First(); k != nil; k, _ = tx.Cursor(bCDRCustomer).First() {
				if err := tx.Delete(bCDRCustomer, bytes.Clone(k)); err != nil {
					return err
				}
			}
			for _, k := range stored {
				if err := tx.Put(bCDRCustomer, k.bytes(), nil); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		want := make([]sideKey, 0, len(all))
		for k := range all {
			want = append(want, k)
		}
		slices.SortFunc(want, compareSide)
		err = db.engine.View(context.Background(), func(tx kv.Txn) error {
			walkRandomly(t, r, withTail(tx, tail).Cursor(bCDRCustomer), want)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// walkRandomly moves c about and compares where it stands with a sorted list.
func walkRandomly(t *testing.T, r *rand.Rand, c kv.Cursor, want []sideKey) {
	t.Helper()
	at := -2 // nowhere yet
	for range 200 {
		var k []byte
		switch op := r.IntN(5); {
		case op == 0 || at == -2:
			seek := sideKey{rating.AccountID(r.IntN(5)), rating.CDRID(r.IntN(45))}
			key := seek.bytes()
			if r.IntN(2) == 0 {
				key = key[:8]
				seek.id = 0
			}
			at, _ = slices.BinarySearchFunc(want, seek, compareSide)
			k, _ = c.Seek(key)
		case op == 1:
			at = 0
			k, _ = c.First()
		case op == 2:
			at = len(want) - 1
			k, _ = c.Last()
		case op == 3:
			if at < 0 || at >= len(want) {
				continue
			}
			at++
			k, _ = c.Next()
		default:
			if at < 0 || at >= len(want) {
				continue
			}
			at--
			k, _ = c.Prev()
		}
		if at < 0 || at >= len(want) {
			if k != nil {
				t.Fatalf("cursor stands at %x, want nowhere", k)
			}
			continue
		}
		if !bytes.Equal(k, want[at].bytes()) {
			t.Fatalf("cursor stands at %x, want %x", k, want[at].bytes())
		}
	}
}

func TestTheTailIsReadAgainAfterACrash(t *testing.T) {
	path := filepath.Join(t.TempDir(), "billd.db")
	db := openAt(t, path)
	var calls []Record
	for i := range 300 {
		calls = append(calls, benchCall(int64(i), 1))
		calls[i].Call.AccountRef = "master"
		calls[i].Call.SetTime(rating.CDRTimeStart, testClock.Add(-1000))
		calls[i].Call.Unset(rating.CDRTimeConnect)
		calls[i].Call.Unset(rating.CDRTimeEnd)
	}
	for chunk := range slices.Chunk(calls, 70) {
		if _, err := db.ChargeNow(context.Background(), chunk); err != nil {
			t.Fatal(err)
		}
	}
	if got := db.tails.current().size; got != 300 {
		t.Fatalf("entries in memory = %d, want 300", got)
	}
	db.Close()
	db = openAt(t, path)
	if got := db.tails.current().size; got != 300 {
		t.Errorf("entries in memory after a start = %d, want 300", got)
	}
	clean(t, db)
	if err := db.flushTail(context.Background()); err != nil {
		t.Fatal(err)
	}
	if got := db.tails.current().size; got != 0 {
		t.Errorf("entries in memory after they were written = %d, want 0", got)
	}
	clean(t, db)
	db.Close()
	db = openAt(t, path)
	if got := db.tails.current().size; got != 0 {
		t.Errorf("entries in memory after a start = %d, want 0: all are in the buckets", got)
	}
	clean(t, db)
}

// flushTail writes the entries that are in memory and forgets the tails of earlier states: for tests
// that look at the buckets, with no reader at work.
func (db *DB) flushTail(ctx context.Context) error {
	return db.Update(ctx, func(tx *Tx) error {
		if err := tx.writeTail(db.tails.current()); err != nil {
			return err
		}
		empty := &sideTail{logged: lastLogged(tx.Txn)}
		tx.published = append(tx.published, func() { db.tails.list = []*sideTail{empty} })
		return nil
	})
}
