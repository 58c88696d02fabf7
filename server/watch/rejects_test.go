package watch

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"billd/server/ops"
	"billd/storage"
)

const tailRow = `"Northfield","1001","%s","internal","c","d","e","Dial","x","2026-01-05 10:00:00","2026-01-05 10:00:05","2026-01-05 10:00:15",15,%s,"ANSWERED","DOCUMENTATION","%s",""` + "\n"

func row(dst, billsec, id string) string {
	return strings.NewReplacer("%s", "").Replace(strings.Replace(strings.Replace(strings.Replace(tailRow, "%s", dst, 1), "%s", billsec, 1), "%s", id, 1))
}

// TestAGrowingFileHasItsRejectsBesideIt adds lines that cannot be charged to a growing file, twice.
func TestAGrowingFileHasItsRejectsBesideIt(t *testing.T) {
	s := newStore(t)
	path := filepath.Join(t.TempDir(), "Master.csv")
	p := Place{Path: path, Tail: true, Files: ops.ImportCDRsArgs{Format: "asterisk-csv"}}
	write(t, path, row("442071838750", "10", "1.1")+row("442071838750", "-10", "1.2"))
	if _, err := s.watch(p); err != nil {
		t.Fatal(err)
	}
	write(t, path, row("442071838750", "10", "1.1")+row("442071838750", "-10", "1.2")+row("999", "10", "1.3"))
	if _, err := s.watch(p); err != nil {
		t.Fatal(err)
	}
	s.want(1, 2)
	got, err := os.ReadFile(path + rejectsEnd)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(got), "line,suspense,"); n != 1 {
		t.Errorf("%d headers, want 1: %q", n, got)
	}
	for _, want := range []string{"line,suspense,reason,detail\n", `2,1,bad_record,"line 2: billsec`, `3,2,no_rate,`} {
		if !strings.Contains(string(got), want) {
			t.Errorf("rejects are %q, want %q among them", got, want)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".*")); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

// TestLinesOfAGrowingFileAreThoseOfTheFile adds pieces to a file with a header, the last one for a billd that knows how
// far it came but not how many lines that were.
func TestLinesOfAGrowingFileAreThoseOfTheFile(t *testing.T) {
	s := newStore(t)
	path := filepath.Join(t.TempDir(), "calls.csv")
	p := Place{Path: path, Tail: true, Files: ops.ImportCDRsArgs{Format: "csv"}}
	text := header
	for _, piece := range []string{lines(0, 3, 1), lines(3, 6, 5), "\n\n" + lines(6, 8, 6)} {
		text += piece
		write(t, path, text)
		if _, err := s.watch(p); err != nil {
			t.Fatal(err)
		}
	}
	err := s.env.DB.Update(t.Context(), func(tx *storage.Tx) error {
		at, err := tx.TailOf(path)
		if err != nil || at.Line != 11 {
			t.Errorf("%d lines are behind, %v, want 11", at.Line, err)
		}
		at.Line = 0
		return tx.KeepTail(at)
	})
	if err != nil {
		t.Fatal(err)
	}
	write(t, path, text+lines(8, 9, 8))
	if _, err := s.watch(p); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path + rejectsEnd)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"3,1,no_rate,", "7,2,no_rate,", "10,3,no_rate,", "12,4,no_rate,"} {
		if !strings.Contains(string(got), "\n"+want) {
			t.Errorf("rejects are %q, want %q among them", got, want)
		}
	}
}

// TestWhatAKilledWatcherLeftIsRemoved finds unfinished files of rejected lines at the start, and nothing else.
func TestWhatAKilledWatcherLeftIsRemoved(t *testing.T) {
	s := newStore(t)
	dir := t.TempDir()
	s.watcher(Place{Path: dir})
	left := []string{".a.csv.1.billd.tmp", "done/.b [x].csv.2.billd.tmp", "failed/.c.3.billd.tmp"}
	kept := []string{".a.csv.tmp", "done/.other", "done/x.billd.tmp"}
	for _, name := range append(left, kept...) {
		write(t, filepath.Join(dir, name), "x")
	}
	s.watcher(Place{Path: dir})
	for _, name := range left {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			t.Errorf("%s is still there", name)
		}
	}
	for _, name := range kept {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Errorf("%s: %v, want it left alone", name, err)
		}
	}
}

// TestAPlaceIsReadByItsSource takes a directory and a growing file by a source's profile, which is looked up when a file comes.
func TestAPlaceIsReadByItsSource(t *testing.T) {
	s := newStore(t)
	dir, path := t.TempDir(), filepath.Join(t.TempDir(), "Master.csv")
	write(t, filepath.Join(dir, "a.csv"), row("00442071838750", "10", "1.1"))
	write(t, path, row("00442071838750", "10", "1.2"))
	growing := Place{Path: path, Tail: true, Files: ops.ImportCDRsArgs{Source: "pbx"}}
	if _, err := s.watch(growing); err == nil || !strings.Contains(err.Error(), "source pbx does not exist") {
		t.Errorf("a growing file without format or source: %v", err)
	}
	err := s.env.DB.Update(t.Context(), func(tx *storage.Tx) error {
		return tx.SaveSource(&storage.Source{Name: "pbx", Format: "asterisk-csv", Called: []string{"country DE"}})
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.watch(Place{Path: dir, Files: ops.ImportCDRsArgs{Source: "pbx"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.watch(growing); err != nil {
		t.Fatal(err)
	}
	s.want(2, 0)
}
