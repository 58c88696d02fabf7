package bolt

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"billd/storage/kv"
)

const (
	rates kv.Bucket = iota
	cdrs
)

var (
	ctx      = context.Background()
	twoNames = Options{Buckets: []string{"rate", "cdr"}, FillPercent: map[kv.Bucket]float64{cdrs: 0.95}}
)

// childJob names what this test binary does when a test has started it as another process.
const childJob = "BILLD_BOLT_CHILD"

func TestMain(m *testing.M) {
	jobs := map[string]func(path string) error{"hold": holdJob, "commit": commitJob, "compact": compactJob}
	if job, ok := jobs[os.Getenv(childJob)]; ok {
		if err := job(os.Args[1]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// child starts job on path in another process and returns its output, by the line.
func child(t *testing.T, job, path string) (*exec.Cmd, *bufio.Scanner, io.WriteCloser) {
	t.Helper()
	cmd := exec.Command(os.Args[0], path)
	cmd.Env = append(os.Environ(), childJob+"="+job)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	return cmd, bufio.NewScanner(out), in
}

func holdJob(path string) error {
	e, err := Open(path, twoNames)
	if err != nil {
		return err
	}
	fmt.Println("held")
	io.Copy(io.Discard, os.Stdin)
	return e.Close()
}

func openAt(t testing.TB, path string, o Options) *Engine {
	t.Helper()
	e, err := Open(path, o)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return e
}

func openNew(t testing.TB) *Engine {
	return openAt(t, filepath.Join(t.TempDir(), "billd.db"), twoNames)
}

func number(n int) []byte { return binary.BigEndian.AppendUint64(nil, uint64(n)) }

// fill writes rows from to till, 1,000 a commit, each of 200 bytes.
func fill(t testing.TB, e *Engine, b kv.Bucket, from, till int) {
	t.Helper()
	for from < till {
		end := min(from+1000, till)
		err := e.Update(ctx, func(tx kv.Txn) error {
			for ; from < end; from++ {
				if err := tx.Put(b, number(from), make([]byte, 200)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func count(t testing.TB, e *Engine, b kv.Bucket) (n int) {
	t.Helper()
	err := e.View(ctx, func(tx kv.Txn) error {
		c := tx.Cursor(b)
		for k, _ := c.First(); k != nil; k, _ = c.Next() {
			n++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func put(t testing.TB, e *Engine, b kv.Bucket, key, value string) {
	t.Helper()
	if err := e.Update(ctx, func(tx kv.Txn) error { return tx.Put(b, []byte(key), []byte(value)) }); err != nil {
		t.Fatal(err)
	}
}

func get(t testing.TB, e *Engine, b kv.Bucket, key string) (value string, ok bool) {
	t.Helper()
	err := e.View(ctx, func(tx kv.Txn) error {
		v := tx.Get(b, []byte(key))
		value, ok = string(v), v != nil
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return value, ok
}

func checkClean(t testing.TB, e *Engine) {
	t.Helper()
	if err := e.Check(ctx, func(err error) { t.Errorf("check: %v", err) }); err != nil {
		t.Errorf("check: %v", err)
	}
}

var errWanted = errors.New("wanted")
