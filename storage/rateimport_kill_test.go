package storage

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"billd/rating"
	"billd/storage/bolt"
)

// importingChild names the store that this test binary, run as a child, imports into until it is killed.
const importingChild = "BILLD_TEST_IMPORT"

const killRows = 12_000

// killList is list n: every price is n thousandths, and list n has its own prefixes beside the shared ones.
func killList(n int) []*ListedRate {
	step := rating.Step{Seconds: 60, Price: rating.Price(1_000_000 * n)}
	rows := make([]*ListedRate, 0, killRows)
	for i := range killRows {
		prefix := fmt.Sprint(100_000 + i)
		if i%10 == 0 {
			prefix = fmt.Sprintf("9%d%d", 10+n%10, 100_000+i)
		}
		rows = append(rows, &ListedRate{Line: i + 1, Given: GivePrice, Rate: rating.Rate{Prefix: prefix, Terms: rating.Terms{First: step, Next: step}}})
	}
	return rows
}

func openForKill(path string) (*DB, error) {
	e, err := openEngine(path, bolt.Options{Buckets: BucketNames(), FillPercent: FillPercents(), Timeout: 5 * time.Second})
	if err != nil {
		return nil, err
	}
	return Open(context.Background(), e, Options{})
}

func importForKill(db *DB, n int) error {
	im, err := db.NewRateImport(context.Background(), RateImportOptions{Deck: "default", Mode: Replace}, func(int, string) {})
	if err != nil {
		return err
	}
	for _, row := range killList(n) {
		if err := im.Add(row); err != nil {
			return err
		}
	}
	quiet := func(int64, int64) {}
	counts, err := im.Compare(context.Background(), quiet)
	if err != nil {
		return err
	}
	_, err = im.Apply(context.Background(), counts, quiet)
	return err
}

// TestImportUntilKilled is the child of TestKilledImportIsWholeOrNothing.
func TestImportUntilKilled(t *testing.T) {
	path := os.Getenv(importingChild)
	if path == "" {
		t.Skip("runs as a child only")
	}
	db, err := openForKill(path)
	if err != nil {
		t.Fatal(err)
	}
	var n int
	fmt.Sscan(os.Getenv("BILLD_TEST_IMPORT_FIRST"), &n)
	for ; ; n++ {
		fmt.Println("begin", n)
		if err := importForKill(db, n); err != nil {
			t.Fatal(err)
		}
		fmt.Println("done", n)
	}
}

// A kill at any moment leaves the old list in force or the new one, whole, and nothing in the way of
// the next import.
func TestKilledImportIsWholeOrNothing(t *testing.T) {
	rounds := 16
	if testing.Short() {
		rounds = 4
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	path := filepath.Join(t.TempDir(), "billd.db")
	db, err := openForKill(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := importForKill(db, 1); err != nil {
		t.Fatal(err)
	}
	took := time.Now()
	if err := importForKill(db, 2); err != nil {
		t.Fatal(err)
	}
	span := min(time.Since(took), time.Second)
	db.Close()
	inForce, applied, undone := 2, 0, 0
	for range rounds {
		begun, done := killOne(t, path, inForce+1, time.Duration(r.Int64N(int64(3*span))))
		if db, err = openForKill(path); err != nil {
			t.Fatal(err)
		}
		now := listInForce(t, db, max(begun, inForce))
		if now < max(done, inForce) || now > max(begun, inForce) {
			t.Fatalf("list %d is in force; list %d was applied and list %d begun", now, done, begun)
		}
		applied += now - inForce
		if now < begun {
			undone++
		}
		noResidue(t, db)
		inForce = now + 1
		if err := importForKill(db, inForce); err != nil {
			t.Fatal(err)
		}
		listInForce(t, db, inForce)
		db.Close()
	}
	t.Logf("%d kills: %d imports had been applied, %d were undone", rounds, applied, undone)
}

// killOne runs the child for a while after its first import began, and returns the last list that it
// began and the last that it was done with.
func killOne(t *testing.T, path string, first int, after time.Duration) (begun, done int) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestImportUntilKilled$", "-test.v")
	cmd.Env = append(os.Environ(), importingChild+"="+path, fmt.Sprintf("BILLD_TEST_IMPORT_FIRST=%d", first))
	var errw bytes.Buffer
	cmd.Stderr = &errw
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var timer *time.Timer
	for s := bufio.NewScanner(out); s.Scan(); {
		switch {
		case strings.HasPrefix(s.Text(), "begin "):
			fmt.Sscan(s.Text()[6:], &begun)
			if timer == nil {
				timer = time.AfterFunc(after, func() { cmd.Process.Kill() })
			}
		case strings.HasPrefix(s.Text(), "done "):
			fmt.Sscan(s.Text()[5:], &done)
		case strings.HasPrefix(s.Text(), "--- FAIL"):
			t.Error(s.Text())
		}
	}
	cmd.Wait()
	if timer == nil {
		t.Fatalf("the child did not begin: %s", errw.String())
	}
	timer.Stop()
	return begun, done
}

// listInForce returns the list whose prices are in force, after checking that they all are and that no
// other list's prefixes match.
func listInForce(t *testing.T, db *DB, last int) int {
	t.Helper()
	x := db.Catalog().Deck(rating.DefaultDeck).Index
	at := time.Now().UnixMilli()
	m, ok := x.Match("100001", at, rating.Outbound)
	if !ok {
		t.Fatal("prefix 100001 has no price")
	}
	n := int(m.Terms.First.Price / 1_000_000)
	for _, row := range killList(n) {
		m, ok := x.Match(row.Rate.Prefix, at, rating.Outbound)
		if !ok || m.PrefixLen != len(row.Rate.Prefix) || m.Terms != row.Rate.Terms {
			t.Fatalf("prefix %s: %t, %+v, want the price of list %d", row.Rate.Prefix, ok, m, n)
		}
	}
	for other := max(1, last-5); other <= last+1; other++ {
		if other%10 == n%10 {
			continue
		}
		if m, ok := x.Match(killList(other)[0].Rate.Prefix, at, rating.Outbound); ok {
			t.Fatalf("a prefix of list %d matches %+v while list %d is in force", other, m, n)
		}
	}
	return n
}
