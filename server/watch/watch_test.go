package watch

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"billd/rating"
	"billd/server/ops"
	"billd/storage"
)

const quick = 20 * time.Millisecond // how long a file must stand still in tests

// store is a store with one account and one rate, and the log of what watches it.
type store struct {
	t   *testing.T
	env *ops.Env
	log strings.Builder
}

func newStore(t *testing.T) *store {
	t.Helper()
	dir := t.TempDir()
	db, err := ops.OpenStore(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	err = db.Update(t.Context(), func(tx *storage.Tx) error {
		if err := tx.CreateAccount(&rating.Account{Name: "Northfield", Contractor: 1}); err != nil {
			return err
		}
		return tx.Rates.Put(&rating.Rate{Deck: rating.DefaultDeck, Prefix: "44",
			Terms: rating.Terms{First: rating.Step{Seconds: 60, Price: 12_345_678}, Next: rating.Step{Seconds: 6, Price: 12_345_678}}})
	})
	if err != nil {
		t.Fatal(err)
	}
	return &store{t: t, env: &ops.Env{DB: db, Dir: dir, Actor: "test", Log: slog.New(slog.DiscardHandler)}}
}

func (s *store) door(ctx context.Context, op string, args json.RawMessage, o *ops.IO) (int, error) {
	all := ops.Commands()
	at := slices.IndexFunc(all, func(c ops.Command) bool { return c.Name == op })
	return all[at].Do(ctx, s.env, args, o), nil
}

// watch takes in what is at the place and ends.
func (s *store) watch(p Place) (map[Outcome]int, error) {
	s.t.Helper()
	w := s.watcher(p)
	w.o.Once = true
	return w.Run(s.t.Context())
}

func (s *store) watcher(p Place) *Watcher {
	s.t.Helper()
	p.Every = quick
	w, err := New(p, Options{Door: s.door, Log: slog.New(slog.NewTextHandler(&s.log, nil))})
	if err != nil {
		s.t.Fatal(err)
	}
	return w
}

// counts are the calls that are charged and the records in suspense.
func (s *store) counts() (charged, suspended int) {
	s.t.Helper()
	err := s.env.DB.View(s.t.Context(), func(tx *storage.Tx) error {
		suspended = tx.Suspense.Count()
		return tx.EachLogged(0, func(uint64, rating.CDRID) (bool, error) {
			charged++
			return true, nil
		})
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return charged, suspended
}

func (s *store) want(charged, suspended int) {
	s.t.Helper()
	if gotCharged, gotSuspended := s.counts(); gotCharged != charged || gotSuspended != suspended {
		s.t.Errorf("the store has %d calls and %d in suspense, want %d and %d; log:\n%s", gotCharged, gotSuspended, charged, suspended, s.log.String())
	}
}

const header = "call_id,account,dst,time_start,duration\n"

// lines are the calls from up to before to; every number in bad has no rate.
func lines(from, to int, bad ...int) string {
	var b strings.Builder
	for n := from; n < to; n++ {
		dst := "442071838750"
		if slices.Contains(bad, n) {
			dst = "999"
		}
		fmt.Fprintf(&b, "call %d,Northfield,%s,%s,%d\n", n, dst, time.Unix(1_763_640_000+int64(n), 0).UTC().Format(time.RFC3339), n%300)
	}
	return b.String()
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func add(t *testing.T, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err == nil {
		_, err = f.WriteString(text)
	}
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
}

// files lists the names below dir.
func files(t *testing.T, dir string) string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			name, _ := filepath.Rel(dir, path)
			names = append(names, filepath.ToSlash(name))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(names, " ")
}

func TestFilesAreTakenAndPutAway(t *testing.T) {
	for _, tt := range []struct{ name, done, want string }{
		{"moved to done", "", "done/a.csv done/b.csv done/b.csv.rejects failed/c.csv failed/c.csv.reason"},
		{"deleted", Delete, "failed/b.csv.rejects failed/c.csv failed/c.csv.reason"},
		{"kept", Keep, "a.csv b.csv b.csv.rejects failed/c.csv failed/c.csv.reason"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, dir := newStore(t), t.TempDir()
			write(t, filepath.Join(dir, "a.csv"), header+lines(0, 10))
			write(t, filepath.Join(dir, "b.csv"), header+lines(10, 20, 12, 17))
			write(t, filepath.Join(dir, "c.csv"), "\x00\x01\x02\x03 no call records \x00\x00")
			for _, left := range []string{".hidden.csv", "d.csv.tmp", "e.part", "f.empty"} {
				text := header + lines(100, 110)
				if left == "f.empty" {
					text = ""
				}
				write(t, filepath.Join(dir, left), text)
			}
			sums, err := s.watch(Place{Path: dir, Done: tt.done})
			if err != nil || sums[Done] != 1 || sums[Partly] != 1 || sums[Failed] != 1 {
				t.Errorf("watch = %v, %v, want one of each", sums, err)
			}
			s.want(18, 2)
			var got []string
			for _, name := range strings.Fields(files(t, dir)) {
				if !slices.Contains([]string{".hidden.csv", "d.csv.tmp", "e.part", "f.empty"}, name) {
					got = append(got, name)
				}
			}
			if strings.Join(got, " ") != tt.want {
				t.Errorf("files = %q, want %q", got, tt.want)
			}
			if n := strings.Count(s.log.String(), "msg=\"file "); n != 3 {
				t.Errorf("%d lines of files in the log, want 3:\n%s", n, s.log.String())
			}
			if tt.done == "" {
				rejects, err := os.ReadFile(filepath.Join(dir, "done", "b.csv.rejects"))
				if got := strings.Split(strings.TrimSpace(string(rejects)), "\n"); err != nil || len(got) != 3 || !strings.HasPrefix(got[1], "4,1,") || !strings.HasPrefix(got[2], "9,2,") {
					t.Errorf("rejects = %q, %v, want a header and lines 4 and 9", got, err)
				}
			}
		})
	}
}

func TestAHalfWrittenFileIsLeftAlone(t *testing.T) {
	s, dir := newStore(t), t.TempDir()
	path := filepath.Join(dir, "a.csv")
	w := s.watcher(Place{Path: dir})
	for n := range 5 { // it grows between the looks, whatever time passes
		if n == 0 {
			write(t, path, header+"call 0,North")
		} else {
			add(t, path, "f")
		}
		if left, err := w.look(t.Context()); left != 1 || err != nil {
			t.Fatalf("look = %d, %v, want the file to be waited for", left, err)
		}
		pause(t.Context(), 2*quick)
	}
	s.want(0, 0)
	write(t, path, header+lines(0, 3))
	if _, err := s.watch(Place{Path: dir}); err != nil {
		t.Error(err)
	}
	s.want(3, 0)
}

func TestACrashBeforeTheMoveDoublesNothing(t *testing.T) {
	s, dir := newStore(t), t.TempDir()
	path, done := filepath.Join(dir, "a.csv"), filepath.Join(dir, "done")
	write(t, path, header+lines(0, 10, 4))
	w := s.watcher(Place{Path: dir})
	w.o.Once = true
	if err := os.Mkdir(filepath.Join(done, "a.csv.rejects"), 0o700); err != nil { // nothing can be put there
		t.Fatal(err)
	}
	write(t, filepath.Join(done, "a.csv.rejects", "x"), "x")
	if _, err := w.Run(t.Context()); err == nil {
		t.Error("Run = nil, want the move to fail")
	}
	s.want(9, 1)
	if _, err := os.Stat(path); err != nil {
		t.Errorf("the file after the failure: %v, want it where it was", err)
	}
	if err := os.RemoveAll(filepath.Join(done, "a.csv.rejects")); err != nil {
		t.Fatal(err)
	}
	s.log.Reset()
	if _, err := s.watch(Place{Path: dir}); err != nil { // as after a crash: nothing is remembered
		t.Error(err)
	}
	s.want(9, 1)
	if got := s.log.String(); !strings.Contains(got, "duplicates=9") || !strings.Contains(got, "suspended=1") {
		t.Errorf("log = %s, want 9 duplicates and 1 suspended", got)
	}
	if got, want := files(t, done), "a.csv a.csv.rejects"; !strings.HasSuffix(got, want) {
		t.Errorf("done = %q, want %q", got, want)
	}
}

func TestAStoreThatRefusesLeavesTheFile(t *testing.T) {
	s, dir := newStore(t), t.TempDir()
	write(t, filepath.Join(dir, "a.csv"), header+lines(0, 10))
	w := s.watcher(Place{Path: dir})
	w.o.Once = true
	w.o.Door = func(context.Context, string, json.RawMessage, *ops.IO) (int, error) { return ops.ExitFailed, nil }
	if _, err := w.Run(t.Context()); err == nil {
		t.Error("Run = nil, want the store's refusal")
	}
	if got := files(t, dir); got != "a.csv" {
		t.Errorf("files = %q, want a.csv where it was", got)
	}
}

func TestAGrowingFileIsFollowedThroughItsRotation(t *testing.T) {
	s, dir := newStore(t), t.TempDir()
	path := filepath.Join(dir, "Master.csv")
	p := Place{Path: path, Tail: true, Files: ops.ImportCDRsArgs{Format: "csv"}}
	look := func(charged int) {
		t.Helper()
		if _, err := s.watch(p); err != nil { // a new watcher each time: the position is the store's
			t.Fatal(err)
		}
		s.want(charged, 0)
	}
	look(0) // there is no file yet
	half := lines(2, 3)
	write(t, path, header+lines(0, 2)+half[:9])
	look(2)
	add(t, path, half[9:]+lines(3, 5))
	look(5)
	add(t, path, lines(5, 6)+strings.TrimSpace(lines(6, 7))) // nobody ends the last line
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	look(5)
	write(t, path, header+lines(7, 9))
	look(9)
	write(t, path, header+lines(9, 10)) // cut and begun again under the same inode
	look(10)
	if got := strings.Count(s.log.String(), "rotated or cut"); got != 1 {
		t.Errorf("%d warnings that something may be lost, want 1 for the cut:\n%s", got, s.log.String())
	}
	if strings.Contains(s.log.String(), "duplicates=1") {
		t.Errorf("something was read twice:\n%s", s.log.String())
	}
}

func TestParse(t *testing.T) {
	p, err := Parse("/var/spool/cdr?format=asterisk-csv&zone=Etc/GMT+1&source=pbx%261&columns=a,b&map=When=time_start,X=-&every=2s&done=keep")
	f := p.Files
	if err != nil || p.Path != "/var/spool/cdr" || f.Format != "asterisk-csv" || f.Zone != "Etc/GMT+1" || f.Source != "pbx&1" || len(f.Columns) != 2 ||
		f.Map["When"] != "time_start" || f.Map["X"] != "-" || p.Every != 2*time.Second || p.Done != Keep {
		t.Errorf("Parse = %+v, %v", p, err)
	}
	for _, tt := range []struct{ name, place, want string }{
		{"no directory", "?format=csv", "watch: want a directory"},
		{"an unknown name", "/x?fromat=csv", "fromat: want format"},
		{"an unknown format", "/x?format=cvs", "format cvs: want auto"},
		{"an unknown zone", "/x?zone=Mars", "zone Mars: want the name"},
		{"a tail without a format", "/x?tail", "a growing file wants one of"},
		{"a tail of rows that belong together", "/x?tail=true&format=kamailio", "a growing file wants one of"},
		{"too often", "/x?every=1ns", "want at least"},
		{"done where it is", "/x?done=/x", "want another directory"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := Parse(tt.place); err == nil || !strings.Contains(strings.ReplaceAll(err.Error(), `"`, ""), tt.want) {
				t.Errorf("Parse(%s) = %v, want %q", tt.place, err, tt.want)
			}
		})
	}
}
