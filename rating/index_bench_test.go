package rating

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"testing"
	"time"
)

// worldDeck returns n distinct prefixes of 1 to 11 digits, sorted: 200 country codes under which
// each prefix continues another one by a digit or two, as area and mobile codes do.
func worldDeck(r *rand.Rand, n int) []deckRow {
	seen := make(map[string]bool, n)
	rows := make([]deckRow, 0, n)
	steps := [...][2]uint32{{1, 1}, {60, 60}, {60, 6}, {30, 6}}
	for len(rows) < n {
		p := strconv.Itoa(1 + r.IntN(200))
		if len(rows) > 100 {
			p = rows[r.IntN(len(rows))].prefix + strconv.Itoa(r.IntN(100))
		}
		if len(p) > 11 || seen[p] {
			continue
		}
		seen[p] = true
		e := Entry{Rate: RateID(len(rows) + 1)}
		s := steps[r.IntN(len(steps))]
		e.Terms.First = Step{Seconds: s[0], Price: Price(r.Int64N(2e9))}
		e.Terms.Next = Step{Seconds: s[1], Price: e.Terms.First.Price}
		rows = append(rows, deckRow{p, e})
	}
	slices.SortFunc(rows, func(a, b deckRow) int { return cmp.Compare(a.prefix, b.prefix) })
	return rows
}

// dial returns n numbers of 12 digits, each under some prefix of the deck.
func dial(r *rand.Rand, rows []deckRow, n int) []string {
	numbers := make([]string, n)
	for i := range numbers {
		p := rows[r.IntN(len(rows))].prefix
		numbers[i] = (p + fmt.Sprintf("%012d", r.Int64N(1e12)))[:12]
	}
	return numbers
}

// BenchmarkMatch prices numbers from a fixed seed: hot, 4,096 of them over and over; cold, a
// million, so that the number itself comes from memory too.
func BenchmarkMatch(b *testing.B) {
	for _, n := range []int{100_000, 1_000_000} {
		r := rand.New(rand.NewPCG(1, uint64(n)))
		rows := worldDeck(r, n)
		x := build(b, rows)
		edited := x
		for i := range 1_000 {
			edited = edited.With(rows[i*n/1_000].prefix, []Entry{rows[i].entry})
		}
		cold := dial(r, rows, 1<<20)
		for _, tt := range []struct {
			name    string
			index   *DeckIndex
			numbers []string
		}{{"hot", x, cold[:4096]}, {"cold", x, cold}, {"hot_with_1000_edits", edited, cold[:4096]}} {
			b.Run(fmt.Sprintf("%s/%d", tt.name, n), func(b *testing.B) {
				b.ReportAllocs()
				i, priced := 0, 0
				for b.Loop() {
					if _, ok := tt.index.Match(tt.numbers[i&(len(tt.numbers)-1)], 1, Outbound); ok {
						priced++
					}
					i++
				}
				if priced != i {
					b.Fatalf("%d of %d numbers priced, want all", priced, i)
				}
			})
		}
	}
}

// BenchmarkBuild builds from sorted and from shuffled rows, and reports what the index holds: MB by
// its own count, heap-MB by the runtime's.
func BenchmarkBuild(b *testing.B) {
	for _, n := range []int{100_000, 1_000_000} {
		r := rand.New(rand.NewPCG(1, uint64(n)))
		rows := worldDeck(r, n)
		shuffled := slices.Clone(rows)
		r.Shuffle(n, func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		for _, tt := range []struct {
			name string
			rows []deckRow
		}{{"sorted", rows}, {"shuffled", shuffled}} {
			b.Run(fmt.Sprintf("%s/%d", tt.name, n), func(b *testing.B) {
				b.ReportAllocs()
				var x *DeckIndex
				before := heap()
				for b.Loop() {
					x = build(b, tt.rows)
				}
				b.ReportMetric(float64(heap()-before)/1e6, "heap-MB")
				b.ReportMetric(float64(x.Bytes())/1e6, "MB")
				b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "rate/s")
				runtime.KeepAlive(x)
			})
		}
	}
}

// heap returns the bytes in use after a collection.
func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// BenchmarkWith makes the thousandth edit of a deck.
func BenchmarkWith(b *testing.B) {
	rows := worldDeck(rand.New(rand.NewPCG(1, 1)), 100_000)
	x := build(b, rows)
	for i := range 999 {
		x = x.With(rows[i].prefix, []Entry{rows[i].entry})
	}
	b.ReportAllocs()
	for b.Loop() {
		x.With("447700900", []Entry{{Rate: 1, Till: time.Now().UnixMilli()}})
	}
}
