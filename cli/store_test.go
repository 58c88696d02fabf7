package cli

import (
	"testing"

	"billd/server/ops"
	"billd/storage"
)

// hold opens the store in dir, so that nobody else can, until the test ends.
func hold(t *testing.T, dir string) *storage.DB {
	t.Helper()
	db, err := ops.OpenStore(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}
