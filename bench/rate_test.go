package bench

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// BenchmarkRateHTTP prices calls over HTTP, one a request, without charging them.
func BenchmarkRateHTTP(b *testing.B) {
	for _, bb := range []struct {
		name        string
		conns, each int
		requests    int
		account     string
	}{
		{name: "8conns", conns: 8, each: 1, requests: 200_000},
		{name: "8conns-account", conns: 8, each: 1, requests: 200_000, account: `,"account":"bench-0001"`},
		{name: "8conns-100each", conns: 8, each: 100, requests: 20_000},
	} {
		b.Run(bb.name, func(b *testing.B) {
			s := start(b)
			s.prepare()
			for b.Loop() {
				run := rand.Uint64()
				cpu, began := s.cpu(), time.Now()
				took := s.load(bb.conns, bb.requests, "/api/v1/rate", func(i int) []byte {
					r := rand.New(rand.NewPCG(run, uint64(i)))
					if bb.each == 1 {
						return ask(nil, r, bb.account)
					}
					body := []byte{'['}
					for k := range bb.each {
						if k > 0 {
							body = append(body, ',')
						}
						body = ask(body, r, bb.account)
					}
					return append(body, ']')
				})
				n := float64(bb.requests * bb.each)
				b.ReportMetric(n/time.Since(began).Seconds(), "rating/s")
				b.ReportMetric(float64((s.cpu()-cpu).Microseconds())/n, "cpu-µs/rating")
				b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
				b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
			}
		})
	}
}

// ask appends a call that is asked about.
func ask(body []byte, r *rand.Rand, account string) []byte {
	return fmt.Appendf(body, `{"number":"%s","seconds":%d%s}`, number(r), r.IntN(600), account)
}
