package bench

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// importSize is how many CDRs the offline benchmark charges.
const importSize = 1_000_000

// writeCDRs makes n calls in order of start, one every 2 seconds on average, of 1,000 accounts.
func writeCDRs(b *testing.B, dir string, n int) string {
	return write(b, filepath.Join(dir, "cdrs.csv"), func(w *bufio.Writer) {
		fmt.Fprintln(w, "time_start,time_connect,time_end,duration,success,account,src,dst,call_id,local_tag,lega_disconnect_code,routing_attempt")
		r := rand.New(rand.NewPCG(7, 7))
		const form = "2006-01-02T15:04:05.000Z"
		at := time.Now().UTC().Add(-time.Duration(n) * 2 * time.Second)
		for range n {
			at = at.Add(time.Duration(r.ExpFloat64() * float64(2*time.Second) * 0.99))
			seconds := time.Duration(r.IntN(300)) * time.Second
			connect := at.Add(3 * time.Second)
			fmt.Fprintf(w, "%s,%s,%s,%d,true,bench-%04d,4420%08d,%s,%016x@switch,trunk%d,200,1\n", at.Format(form), connect.Format(form), connect.Add(seconds).Format(form),
				seconds/time.Second, r.IntN(benchAccounts), r.IntN(1e8), number(r), r.Uint64(), r.IntN(9))
		}
	})
}

// BenchmarkImportCDRs charges a file of a million CDRs, durably, in a process of its own.
func BenchmarkImportCDRs(b *testing.B) {
	s := start(b)
	s.prepare()
	s.stop() // the import has the store to itself
	file := writeCDRs(b, b.TempDir(), importSize)
	store := filepath.Join(s.dir, "billd.db")
	for b.Loop() {
		disk, before := fdatasyncs(b), size(b, store)
		s.cmd = exec.Command(s.bin, "import-cdrs", file, "--json", "--dir", s.dir)
		out, err := s.cmd.StdoutPipe()
		if err != nil {
			b.Fatal(err)
		}
		if err := s.cmd.Start(); err != nil {
			b.Fatal(err)
		}
		done, anon := make(chan struct{}), make(chan float64)
		go func() {
			most := 0.0
			for {
				most = max(most, s.memory("RssAnon"))
				select {
				case <-done:
					anon <- most
					return
				case <-time.After(50 * time.Millisecond):
				}
			}
		}()
		var sum struct {
			Rated, Suspended int
			PerSecond        float64 `json:"cdrs_per_second"`
		}
		if err := json.NewDecoder(out).Decode(&sum); err != nil {
			b.Fatal(err)
		}
		close(done)
		most := <-anon
		if err := s.cmd.Wait(); err != nil || sum.Suspended > 0 {
			b.Fatalf("import-cdrs: %v, %+v", err, sum)
		}
		cpu := s.cmd.ProcessState.UserTime() + s.cmd.ProcessState.SystemTime()
		s.cmd = nil
		b.ReportMetric(sum.PerSecond, "cdr/s")
		b.ReportMetric(float64(cpu.Microseconds())/importSize, "cpu-us/cdr")
		b.ReportMetric((size(b, store)-before)/importSize, "bytes/cdr")
		b.ReportMetric(most/1e6, "RssAnon-MB")
		b.ReportMetric(disk, "fdatasync/s")
	}
	s.checkClean()
}

func size(b *testing.B, path string) float64 {
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	return float64(info.Size())
}
