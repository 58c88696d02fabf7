package bench

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// prefixes makes n distinct prefixes of 3 to 9 digits in order, like an A–Z deck.
func prefixes(n int) []string {
	list := make([]string, 0, n)
	width := 1
	for p := 1; p < n; p *= 10 {
		width++
	}
	for i := range n {
		list = append(list, fmt.Sprintf("%0*d", width, i+pow10(width-1)))
	}
	return list
}

func pow10(n int) int {
	p := 1
	for range n {
		p *= 10
	}
	return p
}

// number dials one of the first 100,000 prefixes of prefixes(100000).
func number(r *rand.Rand) string {
	return fmt.Sprintf("%06d%06d", 100000+r.IntN(100_000), r.IntN(1_000_000))
}

// write makes a file from lines.
func write(b *testing.B, path string, lines func(w *bufio.Writer)) string {
	b.Helper()
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	w := bufio.NewWriterSize(f, 1<<20)
	lines(w)
	if err := w.Flush(); err != nil {
		b.Fatal(err)
	}
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
	return path
}

func writeDeck(b *testing.B, dir string, n int) string {
	return write(b, filepath.Join(dir, fmt.Sprintf("deck%d.csv", n)), func(w *bufio.Writer) {
		fmt.Fprintln(w, "prefix,destination,price,interval_1,interval_n,connect_fee")
		for i, p := range prefixes(n) {
			fmt.Fprintf(w, "%s,Zone %d,%d.%04d,%s,0\n", p, i%5000, i%3, i%10000, [...]string{"60,60", "60,1", "30,6", "1,1"}[i%4])
		}
	})
}

func writeAccounts(b *testing.B, dir string, n int) string {
	return write(b, filepath.Join(dir, "accounts.csv"), func(w *bufio.Writer) {
		fmt.Fprintln(w, "name,contractor,vat")
		for i := range n {
			fmt.Fprintf(w, "bench-%04d,Bench %d,20\n", i, i)
		}
	})
}
