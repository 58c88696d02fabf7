package cdrformat

import (
	"io"
	"strings"
	"testing"

	"billd/rating"
)

// BenchmarkSources reads a file of each source format: what it takes to make calls of it, without charging them.
func BenchmarkSources(b *testing.B) {
	for _, s := range corpus() {
		b.Run(s.name, func(b *testing.B) {
			const n = 1000
			records := make([]string, n)
			for i := range records {
				c := soundCall(i % 10)
				c.id = strings.Repeat("x", 20) + string(rune('a'+i%26)) + string(rune('a'+i/26))
				records[i] = s.row(c)
			}
			file := s.file(records...)
			var call rating.Call
			var rec Record
			calls := 0
			b.SetBytes(int64(len(file)))
			b.ReportAllocs()
			for b.Loop() {
				r, err := NewReader(strings.NewReader(file), s.o)
				if err != nil {
					b.Fatal(err)
				}
				for err = r.Read(&call, &rec); err == nil; err = r.Read(&call, &rec) {
					if rec.Bad != "" || rec.Skipped != "" {
						b.Fatal(rec)
					}
					calls++
				}
				if err != io.EOF {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(calls)/b.Elapsed().Seconds(), "cdr/s")
		})
	}
}
