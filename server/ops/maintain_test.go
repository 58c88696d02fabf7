package ops

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"billd/rating"
	"billd/storage"
	"billd/storage/bolt"
	"billd/storage/kv"
)

// storeIn makes a store in a directory of its own with an account that was paid for.
func storeIn(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	db, err := OpenStore(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(t.Context(), func(tx *storage.Tx) error {
		a := &rating.Account{Name: "Northfield", Contractor: 1}
		if err := tx.CreateAccount(a); err != nil {
			return err
		}
		return tx.Pay(&storage.Payment{Account: a.ID, Amount: 25_000_000})
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	return dir
}

// spoil deletes the first row of a bucket of the store in dir, past everything.
func spoil(t *testing.T, dir, bucket string) {
	t.Helper()
	e, err := bolt.Open(filepath.Join(dir, StoreName), bolt.Options{Buckets: storage.BucketNames()})
	if err != nil {
		t.Fatal(err)
	}
	b := kv.Bucket(slices.Index(storage.BucketNames(), bucket))
	err = e.Update(t.Context(), func(tx kv.Txn) error {
		k, _ := tx.Cursor(b).First()
		return tx.Delete(b, bytes.Clone(k))
	})
	if err := errors.Join(err, e.Close()); err != nil {
		t.Fatal(err)
	}
}

// runIn runs a command on the store in dir.
func runIn(t *testing.T, dir, command, args string) (exit int, out, errw string) {
	t.Helper()
	db, err := OpenStore(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var o, e bytes.Buffer
	list := Commands()
	at := slices.IndexFunc(list, func(c Command) bool { return c.Name == command })
	exit = list[at].Do(t.Context(), &Env{DB: db, Dir: dir}, []byte(args), &IO{Out: &o, Err: &e})
	return exit, o.String(), e.String()
}

func TestCheckSaysWhatItFinds(t *testing.T) {
	dir := storeIn(t)
	for _, tt := range []struct{ name, args, want string }{
		{"a sound store", `{}`, "the store is sound\n"},
		{"a sound store, deep", `{"deep":true}`, "the store is sound\n"},
		{"a sound store in JSON", `{"json":true}`, "{\n  \"clean\": true,\n  \"deep\": false,\n  \"faults\": []\n}\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if exit, out, errw := runIn(t, dir, "check", tt.args); exit != ExitOK || out != tt.want || errw != "" {
				t.Errorf("check %s = %d, %q, %q, want 0, %q", tt.args, exit, out, errw, tt.want)
			}
		})
	}
	spoil(t, dir, "balance")
	exit, out, errw := runIn(t, dir, "check", `{}`)
	want := "balance of account 2 EUR: none stored, its calls and postings make 25.0\nledger: all balances in EUR sum to -25.0, want 0\n2 faults\n"
	if exit != ExitFaults || out != want || errw != "" {
		t.Errorf("check = %d, %q, %q, want 4, %q", exit, out, errw, want)
	}
	if exit, out, _ := runIn(t, dir, "check", `{"json":true}`); exit != ExitFaults || !strings.Contains(out, `"clean": false`) {
		t.Errorf("check in JSON = %d, %q, want 4 and not clean", exit, out)
	}
}

func TestCompactSaysTheSizes(t *testing.T) {
	exit, out, _ := runIn(t, storeIn(t), "compact", `{}`)
	if exit != ExitOK || !strings.HasPrefix(out, "billd.db: ") || !strings.HasSuffix(out, " after\n") {
		t.Errorf("compact = %d, %q, want the sizes before and after", exit, out)
	}
}

func TestRestoreTakesASoundBackupOnly(t *testing.T) {
	source := storeIn(t)
	_, sound, _ := runIn(t, source, "backup", "")
	spoil(t, source, "posting")
	_, faulty, _ := runIn(t, source, "backup", "")
	other := filepath.Join(t.TempDir(), "other.db")
	e, err := bolt.Open(other, bolt.Options{Buckets: []string{"x"}})
	if err != nil {
		t.Fatal(err)
	}
	e.Close()
	foreign, err := os.ReadFile(other)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, file string
		want       string // of the error
		faults     bool
	}{
		{"a sound one", sound, "", false},
		{"one with faults", faulty, "", true},
		{"an empty file", "", "not a backup of a store: file is empty, want a store; if it is to be a new one, remove the file", false},
		{"a text", strings.Repeat("no backup at all\n", 9000), "not a backup of a store: file is not a store, or its first pages are destroyed", false},
		{"one that was cut short", sound[:len(sound)/2], "not a backup of a store: file is cut short", false},
		{"another program's file", string(foreign), "not a backup of a store: no billd has ever written to it", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			db, err := OpenStore(t.Context(), dir)
			if err != nil {
				t.Fatal(err)
			}
			db.Close()
			before, err := os.ReadFile(filepath.Join(dir, StoreName))
			if err != nil {
				t.Fatal(err)
			}
			r, err := Restore(t.Context(), dir, strings.NewReader(tt.file), nil)
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.HasPrefix(err.Error(), tt.want)) {
				t.Errorf("Restore = %v, want %q", err, tt.want)
			}
			if tt.faults != (len(r.Faults) > 0) {
				t.Errorf("faults = %q, want some: %t", r.Faults, tt.faults)
			}
			replaced := tt.want == "" && !tt.faults
			kept := StoreName
			if replaced {
				kept = r.Kept
				if exit, out, _ := runIn(t, dir, "check", `{"deep":true}`); exit != ExitOK {
					t.Errorf("check of the restored store = %d, %q", exit, out)
				}
			}
			if got, err := os.ReadFile(filepath.Join(dir, kept)); err != nil || !bytes.Equal(got, before) {
				t.Errorf("the store before is not whole in %s: %v", kept, err)
			}
			if left, _ := os.ReadDir(dir); len(left) != 1 && !replaced || len(left) != 2 && replaced {
				t.Errorf("files = %v, want the store, and the one before if it was replaced", left)
			}
		})
	}
}

func TestRestoreMakesAStoreWhereThereIsNone(t *testing.T) {
	_, backup, _ := runIn(t, storeIn(t), "backup", "")
	dir := filepath.Join(t.TempDir(), "new")
	r, err := Restore(t.Context(), dir, strings.NewReader(backup), nil)
	if err != nil || r.Kept != "" || len(r.Faults) > 0 {
		t.Errorf("Restore = %+v, %v, want a store", r, err)
	}
	if exit, out, _ := runIn(t, dir, "check", ""); exit != ExitOK {
		t.Errorf("check = %d, %q", exit, out)
	}
}

func TestRestoreLeavesAStoreThatIsHeld(t *testing.T) {
	dir := storeIn(t)
	_, backup, _ := runIn(t, dir, "backup", "")
	db, err := OpenStore(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := Restore(t.Context(), dir, strings.NewReader(backup), nil); !errors.Is(err, kv.ErrHeld) {
		t.Errorf("Restore = %v, want %v", err, kv.ErrHeld)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Restore(ctx, t.TempDir(), strings.NewReader(backup), nil); err == nil {
		t.Error("an interrupted Restore = nil, want an error")
	}
}
