package ops

import (
	"bufio"
	"bytes"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// A price list of a million rows, in no order, into an empty deck and then a changed one over it.
//
// rss-MB is the largest anonymous memory seen while it ran; the pages of the store's file, which the
// kernel takes back when it wants, are not in it.
func BenchmarkImportMillion(b *testing.B) {
	const rows = 1_000_000
	first, second := priceList(rows, 1), priceList(rows, 2)
	for _, bb := range []struct {
		name  string
		lists [][]byte
	}{
		{"into an empty deck", [][]byte{first}},
		{"the same list again", [][]byte{first, first}},
		{"every price changed", [][]byte{first, second}},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			var took time.Duration
			var peak int64
			for b.Loop() {
				b.StopTimer()
				env := benchEnv(b)
				for _, list := range bb.lists[:len(bb.lists)-1] {
					importList(b, env, list)
				}
				runtime.GC()
				debug.FreeOSMemory()
				last := bb.lists[len(bb.lists)-1]
				b.StartTimer()
				start := time.Now()
				peak = max(peak, peakAnon(func() { importList(b, env, last) }))
				took += time.Since(start)
			}
			b.ReportMetric(float64(rows*b.N)/took.Seconds(), "rows/s")
			b.ReportMetric(float64(peak)/1e6, "rss-MB")
		})
	}
}

func benchEnv(b *testing.B) *Env {
	db, err := OpenStore(b.Context(), b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	return &Env{DB: db, Log: slog.New(slog.DiscardHandler)}
}

func importList(b *testing.B, env *Env, list []byte) {
	var out, errw bytes.Buffer
	filled := (&IO{In: bytes.NewReader(list), Out: &out, Err: &errw}).filled()
	exit, err := importRates(b.Context(), env, ImportRatesArgs{Input: Input{Name: "deck.csv"}}, &filled)
	if err != nil || exit != ExitOK {
		b.Fatalf("import = %d, %v, %s", exit, err, errw.String())
	}
}

// priceList makes a list of distinct prefixes, the same for every seed of prices.
func priceList(rows int, prices uint64) []byte {
	r := rand.New(rand.NewPCG(1, 1))
	price := rand.New(rand.NewPCG(prices, 2))
	var b bytes.Buffer
	b.WriteString("Prefix,Destination,Rate,Increment\n")
	seen := make(map[string]bool, rows)
	for len(seen) < rows {
		cc := [...]string{"1", "44", "49", "33", "7", "91"}[r.IntN(6)]
		p := fmt.Sprintf("%s%0*d", cc, 4+r.IntN(3), r.IntN(1_000_000))
		if seen[p] {
			continue
		}
		seen[p] = true
		fmt.Fprintf(&b, "%s,Destination %s,0.%05d,60/%d\n", p, p[:3], 1+price.IntN(90_000), [...]int{1, 6, 60}[r.IntN(3)])
	}
	return b.Bytes()
}

// peakAnon runs do and returns the largest anonymous memory of the process meanwhile, in bytes; 0 where
// the system does not tell.
func peakAnon(do func()) int64 {
	var peak atomic.Int64
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for {
			peak.Store(max(peak.Load(), anonymous()))
			select {
			case <-stop:
				return
			case <-tick.C:
			}
		}
	}()
	do()
	close(stop)
	<-done
	return peak.Load()
}

func anonymous() (bytes int64) {
	f, err := os.Open("/proc/self/status")
	if err != nil {
		return 0
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if kb, ok := strings.CutPrefix(s.Text(), "RssAnon:"); ok {
			fmt.Sscan(kb, &bytes)
		}
	}
	return bytes << 10
}
