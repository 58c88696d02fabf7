package bench

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"
)

// beginnings makes n bodies that ask for calls of accounts with credit, before the clock runs.
func beginnings(n, accounts int) [][]byte {
	run, bodies := rand.Int(), make([][]byte, n)
	for i := range bodies {
		r := rand.New(rand.NewPCG(uint64(run), uint64(i)))
		bodies[i] = fmt.Appendf(nil, `{"account":"bench-%04d","call_id":"%x-%d@switch.example.net","src":"4420%08d","number":"%s","seconds":600}`,
			r.IntN(accounts), run, i, r.IntN(1e8), number(r))
	}
	return bodies
}

// BenchmarkAuthorizeHTTP asks whether calls may begin and waits until each reservation is durable.
func BenchmarkAuthorizeHTTP(b *testing.B) {
	for _, bb := range []struct {
		name                      string
		conns, accounts, requests int
	}{
		{"32conns", 32, benchAccounts, 60_000},
		{"32conns-1account", 32, 1, 60_000},
		{"1conn", 1, benchAccounts, 5_000},
	} {
		b.Run(bb.name, func(b *testing.B) {
			s := start(b)
			dir := b.TempDir()
			s.run("import-rates", writeDeck(b, dir, benchPrefixes))
			s.run("import-accounts", write(b, filepath.Join(dir, "accounts.csv"), func(w *bufio.Writer) {
				fmt.Fprintln(w, "name,contractor,vat,min_balance")
				for i := range benchAccounts {
					fmt.Fprintf(w, "bench-%04d,Bench %d,20,-1000000000\n", i, i)
				}
			}))
			for b.Loop() {
				bodies := beginnings(bb.requests, bb.accounts)
				s.reportHello(bb.conns)
				disk, cpu, began := fdatasyncs(b), s.cpu(), time.Now()
				took := s.load(bb.conns, "/api/v1/authorize", bodies)
				seconds, n := time.Since(began).Seconds(), float64(bb.requests)
				b.ReportMetric(n/seconds, "auth/s")
				b.ReportMetric(float64((s.cpu()-cpu).Microseconds())/n, "cpu-µs/auth")
				b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
				b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
				b.ReportMetric(disk, "fdatasync/s")
			}
			s.checkClean()
		})
	}
}
