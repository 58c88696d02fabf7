package bench

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// Sizes of the online ingest benchmark.
const (
	benchAccounts = 1000
	benchPrefixes = 100_000
)

// prepare gives a server a deck of 100,000 prefixes and 1,000 accounts.
func (s *billd) prepare() {
	s.b.Helper()
	dir := s.b.TempDir()
	s.run("import-rates", writeDeck(s.b, dir, benchPrefixes))
	s.run("import-accounts", writeAccounts(s.b, dir, benchAccounts))
}

// call makes the i-th CDR of a run as a switch would post it.
func call(run, i, accounts int) []byte {
	r := rand.New(rand.NewPCG(uint64(run), uint64(i)))
	start := time.Now().Add(-time.Minute).UTC()
	return fmt.Appendf(nil, `{"account":"bench-%04d","call_id":"%x-%d@switch.example.net","src":"4420%08d","dst":"%s","time_start":%q,"time_connect":%q,"time_end":%q,`+
		`"success":true,"lega_disconnect_code":200,"lega_disconnect_reason":"Normal clearing","auth_orig_ip":"192.0.2.%d","auth_orig_port":5060,"routing_attempt":1,"is_last_cdr":true,"from_domain":"sip.example.net","lega_user_agent":"switch 1.10"}`,
		r.IntN(accounts), run, i, r.IntN(1e8), number(r), start.Format(time.RFC3339Nano), start.Add(2*time.Second).Format(time.RFC3339Nano),
		start.Add(time.Duration(2+r.IntN(50))*time.Second).Format(time.RFC3339Nano), r.IntN(250)+1)
}

// requests makes n bodies of each CDRs, before the clock runs: the machine is the server's then.
func requests(n, each, accounts int) [][]byte {
	run, bodies := rand.Int(), make([][]byte, n)
	for i := range bodies {
		if each == 1 {
			bodies[i] = call(run, i, accounts)
			continue
		}
		body := []byte{'['}
		for k := range each {
			if k > 0 {
				body = append(body, ',')
			}
			body = append(body, call(run, i*each+k, accounts)...)
		}
		bodies[i] = append(body, ']')
	}
	return bodies
}

// BenchmarkIngestHTTP posts CDRs and waits until each is durable.
func BenchmarkIngestHTTP(b *testing.B) {
	for _, bb := range []struct {
		name                  string
		conns, each, accounts int
		requests              int
	}{
		{"1conn", 1, 1, benchAccounts, 10_000},
		{"8conns", 8, 1, benchAccounts, 50_000},
		{"32conns", 32, 1, benchAccounts, 100_000},
		{"32conns-1account", 32, 1, 1, 100_000},
		{"8conns-100each", 8, 100, benchAccounts, 1_000},
	} {
		b.Run(bb.name, func(b *testing.B) {
			s := start(b)
			s.prepare()
			for b.Loop() {
				bodies := requests(bb.requests, bb.each, bb.accounts)
				s.reportHello(bb.conns)
				disk, cpu, began := fdatasyncs(b), s.cpu(), time.Now()
				took := s.load(bb.conns, "/api/v1/cdrs", bodies)
				seconds := time.Since(began).Seconds()
				n := float64(bb.requests * bb.each)
				b.ReportMetric(n/seconds, "cdr/s")
				b.ReportMetric(float64((s.cpu()-cpu).Microseconds())/n, "cpu-µs/cdr")
				b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
				b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
				b.ReportMetric(disk, "fdatasync/s")
			}
			s.checkClean()
		})
	}
}
