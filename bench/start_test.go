package bench

import (
	"math/rand/v2"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// startSize is how many calls the store has that BenchmarkStart opens: about a gigabyte.
const startSize = 3_000_000

// BenchmarkStart starts a server on a large store: after it was closed in order, and after a SIGKILL in the
// middle of its work.
func BenchmarkStart(b *testing.B) {
	s := start(b)
	s.prepare()
	s.stop()
	s.run("import-cdrs", writeCDRs(b, b.TempDir(), startSize))
	gigabytes := size(b, filepath.Join(s.dir, "billd.db")) / 1e9
	for b.Loop() {
		report := func(after string) {
			began := time.Now()
			s.launch()
			s.answers("/healthz")
			b.ReportMetric(float64(time.Since(began).Microseconds())/1000, "healthz-ms-"+after)
			s.answers("/readyz")
			b.ReportMetric(float64(time.Since(began).Microseconds())/1000, "ready-ms-"+after)
			s.post("/api/v1/cdrs", call(rand.Int(), 1, benchAccounts))
			b.ReportMetric(float64(time.Since(began).Microseconds())/1000, "priced-ms-"+after)
		}
		report("stop")
		s.load(8, "/api/v1/cdrs", requests(2_000, 1, benchAccounts))
		s.cmd.Process.Signal(syscall.SIGKILL)
		s.cmd.Wait()
		report("kill")
		b.ReportMetric(gigabytes, "GB")
		s.stop()
	}
	s.serve()
	s.checkClean()
}
