package bench

import (
	"os/exec"
	"slices"
	"testing"
	"time"
)

// BenchmarkChargeWhileImporting posts calls over 8 connections, first alone, then while a price list of a
// million rows goes into another deck through the socket.
func BenchmarkChargeWhileImporting(b *testing.B) {
	const rows, alone = 1_000_000, 5_000
	s := start(b)
	s.prepare()
	list := writeDeck(b, b.TempDir(), rows)
	post := func(n int) []time.Duration { return s.load(8, "/api/v1/cdrs", requests(n, 1, benchAccounts)) }
	report := func(took []time.Duration, when string) {
		slices.Sort(took)
		b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms-"+when)
		b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms-"+when)
		b.ReportMetric(float64(took[len(took)-1].Microseconds())/1000, "max-ms-"+when)
	}
	for b.Loop() {
		disk := fdatasyncs(b)
		report(post(alone), "alone")
		cmd := exec.Command(s.bin, "import-rates", list, "--deck", "other", "--dir", s.dir)
		ended := make(chan error, 1)
		began, cpu := time.Now(), s.cpu()
		go func() { ended <- cmd.Run() }()
		var took []time.Duration
		for running := true; running; {
			took = append(took, post(200)...)
			select {
			case err := <-ended:
				if err != nil {
					b.Fatal(err)
				}
				running = false
			default:
			}
		}
		b.ReportMetric(time.Since(began).Seconds(), "import-s")
		b.ReportMetric((s.cpu() - cpu).Seconds(), "cpu-s")
		b.ReportMetric(float64(len(took))/time.Since(began).Seconds(), "cdr/s-meanwhile")
		report(took, "meanwhile")
		b.ReportMetric(s.memory("VmHWM")/1e6, "peak-RSS-MB")
		b.ReportMetric(disk, "fdatasync/s")
	}
	s.checkClean()
}
