package cli

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// watchRow is line n of a Master.csv: every tenth has no rate, every hundredth cannot be read.
func watchRow(n int) string {
	dst, billed := "442071838750", "10"
	if n%10 == 9 {
		dst = "999"
	}
	if n%100 == 50 {
		billed = "-10"
	}
	return fmt.Sprintf(`"Northfield","1001","%s","internal","c","SIP/a-1","e","Dial","x","2026-01-05 10:00:00","2026-01-05 10:00:05","2026-01-05 10:00:15",15,%s,"ANSWERED","DOCUMENTATION","%d.1",""`+"\n", dst, billed, n)
}

// TestKillTheWatcher kills the real binary in the middle of the files of a directory and of a growing file, over and
// over. In the end each line is in the books or in suspense, once, and nothing unfinished lies about.
func TestKillTheWatcher(t *testing.T) {
	if testing.Short() {
		t.Skip("builds billd and kills it several times")
	}
	const files, rows, growing = 4, 15_000, 15_000
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	k := &killed{t: t, bin: buildBilld(t), dir: t.TempDir()}
	k.setUp()
	spool := t.TempDir()
	for f := range files {
		writeRows(t, filepath.Join(spool, fmt.Sprintf("%d.csv", f)), f*rows, (f+1)*rows)
	}
	master := filepath.Join(t.TempDir(), "Master.csv")
	writeRows(t, master, files*rows, files*rows+growing)
	for _, args := range [][]string{{"watch", spool}, {"watch", "--tail", master}} {
		args = append(args, "--format", "asterisk-csv", "--every", "10ms", "--once", "--dir", k.dir)
		for range 5 {
			cmd := exec.CommandContext(t.Context(), k.bin, args...)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(50*time.Millisecond + time.Duration(random.IntN(250))*time.Millisecond)
			cmd.Process.Kill() // it may have ended already
			cmd.Wait()
		}
		if out, err := exec.CommandContext(t.Context(), k.bin, args...).CombinedOutput(); err != nil && !strings.Contains(err.Error(), "exit status 3") {
			t.Fatalf("%v: %v: %s", args, err, out)
		}
	}
	const all = files*rows + growing
	var held []struct{ Reason string }
	if err := json.Unmarshal([]byte(k.billd("suspense", "list", "--json")), &held); err != nil {
		t.Fatal(err)
	}
	if want := all/10 + all/100; len(held) != want {
		t.Errorf("%d records in suspense, want %d", len(held), want)
	}
	if got, want := strings.Count(k.billd("export-cdrs"), "\n"), all-all/10-all/100; got != want {
		t.Errorf("%d calls, want %d", got, want)
	}
	k.billd("check")
	for _, dir := range []string{spool, filepath.Join(spool, "done"), filepath.Join(spool, "failed"), filepath.Dir(master)} {
		names, err := filepath.Glob(filepath.Join(dir, ".*.billd.tmp"))
		if err != nil || len(names) > 0 {
			t.Errorf("unfinished: %q, %v", names, err)
		}
	}
	done, err := filepath.Glob(filepath.Join(spool, "done", "*.csv"))
	if slices.Sort(done); err != nil || len(done) != files {
		t.Errorf("done: %q, %v, want %d files", done, err, files)
	}
}

func writeRows(t *testing.T, path string, from, to int) {
	t.Helper()
	var b strings.Builder
	for n := from; n < to; n++ {
		b.WriteString(watchRow(n))
	}
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}
