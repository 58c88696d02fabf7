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
				bodies := asks(bb.requests, bb.each, bb.account)
				s.reportHello(bb.conns)
				cpu, began := s.cpu(), time.Now()
				took := s.load(bb.conns, "/api/v1/rate", bodies)
				seconds := time.Since(began).Seconds()
				n := float64(bb.requests * bb.each)
				b.ReportMetric(n/seconds, "rating/s")
				b.ReportMetric(float64((s.cpu()-cpu).Microseconds())/n, "cpu-µs/rating")
				b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
				b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
			}
		})
	}
}

// asks makes n bodies of each calls that are asked about, before the clock runs.
func asks(n, each int, account string) [][]byte {
	r := rand.New(rand.NewPCG(3, 3))
	bodies := make([][]byte, n)
	for i := range bodies {
		for k := range each {
			if k > 0 {
				bodies[i] = append(bodies[i], ',')
			}
			bodies[i] = fmt.Appendf(bodies[i], `{"number":"%s","seconds":%d%s}`, number(r), r.IntN(600), account)
		}
		if each > 1 {
			bodies[i] = append(append([]byte{'['}, bodies[i]...), ']')
		}
	}
	return bodies
}
