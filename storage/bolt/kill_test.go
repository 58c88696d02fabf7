package bolt

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"testing"

	"billd/storage/kv"
)

// commitJob commits rows, one after the other, and prints the number of each once it is stored.
func commitJob(path string) error {
	e, err := Open(path, twoNames)
	if err != nil {
		return err
	}
	return commitRows(ctx, e)
}

func commitRows(ctx context.Context, e *Engine) error {
	for {
		var n int
		err := e.Update(ctx, func(tx kv.Txn) error {
			n = 0
			if k, _ := tx.Cursor(cdrs).Last(); k != nil {
				n = int(k[7]) | int(k[6])<<8 | int(k[5])<<16
			}
			n++
			return tx.Put(cdrs, number(n), make([]byte, n%700))
		})
		if err != nil {
			return err
		}
		fmt.Println(n)
	}
}

// compactJob commits like commitJob and compacts all the while.
func compactJob(path string) error {
	o := twoNames
	e, err := Open(path, o)
	if err != nil {
		return err
	}
	stop, cancel := context.WithCancelCause(ctx)
	go func() {
		for {
			if err := e.Compact(ctx, func(int64, int64) { fmt.Println("compacting") }); err != nil {
				cancel(err)
				return
			}
			fmt.Println("compacted")
		}
	}()
	commitRows(stop, e)
	return context.Cause(stop)
}

func TestKill(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for _, tt := range []struct {
		name, job     string
		rounds, lines int
	}{
		{"every row that was reported is there", "commit", 12, 200},
		{"and during a compaction", "compact", 20, 150},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "billd.db")
			reported := 0
			for range tt.rounds {
				cmd, lines, _ := child(t, tt.job, path)
				for left := r.IntN(tt.lines); lines.Scan(); left-- {
					if n, err := strconv.Atoi(lines.Text()); err == nil {
						reported = n
					}
					if left == 0 {
						cmd.Process.Kill()
					}
				}
				cmd.Wait()
				e := openAt(t, path, twoNames)
				// One more may be stored than could be reported.
				if got := count(t, e, cdrs); got != reported && got != reported+1 {
					t.Fatalf("rows = %d, want %d", got, reported)
				}
				checkClean(t, e)
				e.Close()
			}
			if reported == 0 {
				t.Error("no row was reported in any round")
			}
		})
	}
}
