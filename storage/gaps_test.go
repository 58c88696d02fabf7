package storage

import (
	"testing"
	"time"
)

// What was charged and what is held both count as there.
func TestGapsKnowHeldRecords(t *testing.T) {
	db := openTest(t)
	customer(t, db)
	priceAt(t, db, 10_000_000)
	chargeOne(t, db, "a/1", "44207", 3*time.Hour)
	chargeOne(t, db, "b/2", "999", 2*time.Hour) // no rate: held
	chargeOne(t, db, "c/5", "44207", time.Hour)
	chargeOne(t, db, "d/9", "44207", 30*24*time.Hour) // before the week
	found, err := db.Gaps(t.Context(), CallSpan{}, "", func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) != 1 || found[0].Source != "test" || found[0].Records != 3 || found[0].Missing != 2 {
		t.Fatalf("gaps = %+v, want 3 records of source test, 2 missing", found)
	}
	if s := found[0].Sequences; len(s) != 1 || s[0].After != 2 || s[0].Before != 5 || !s[0].At.Equal(testClock.Add(-2*time.Hour)) {
		t.Errorf("sequences = %+v, want 3 and 4 missing after the held call", s)
	}
	if found, err = db.Gaps(t.Context(), CallSpan{}, "other", func(int) {}); err != nil || len(found) != 0 {
		t.Errorf("gaps of a source that delivered nothing = %+v, %v", found, err)
	}
}
