package ops

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"billd/storage"
)

func TestTheDemoStoreIsWholeAndFull(t *testing.T) {
	db, err := OpenStore(context.Background(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var said bytes.Buffer
	env := &Env{DB: db}
	if err := FillDemo(context.Background(), env, &said); err != nil {
		t.Fatal(err)
	}
	if err := db.Check(context.Background(), true, func(f string) { t.Errorf("check: %s", f) }); err != nil {
		t.Fatal(err)
	}
	err = db.View(context.Background(), func(tx *storage.Tx) error {
		if got := tx.Invoices.Count(); got != 10 {
			t.Errorf("invoices = %d, want 10", got)
		}
		if got := tx.Suspense.Count(); got != 0 {
			t.Errorf("suspended calls = %d, want 0", got)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := db.Outcomes(); n[0]+n[1] != demoCalls {
		t.Errorf("calls = %v, want %d rated or free", n, demoCalls)
	}
	said.Reset()
	if err := FillDemo(context.Background(), env, &said); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(said.String(), "not empty") {
		t.Errorf("a second demo says %q, want that the store is not empty", said.String())
	}
}
