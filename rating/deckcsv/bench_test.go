package deckcsv

import (
	"bytes"
	"fmt"
	"io"
	"testing"
)

// benchRows is the deck of the import goal.
const benchRows = 1_000_000

func benchList() []byte {
	var file bytes.Buffer
	file.WriteString("prefix,destination,price,increment\n")
	for i := range benchRows {
		fmt.Fprintf(&file, "%d,Destination %d,0.%05d,60/%d\n", 1_000_000+i, i/40, i%90_000+1, 1+i%2*5)
	}
	return file.Bytes()
}

func BenchmarkRead(b *testing.B) {
	file := benchList()
	b.SetBytes(int64(len(file)))
	b.ReportAllocs()
	for b.Loop() {
		r, err := NewReader(bytes.NewReader(file), Options{})
		if err != nil {
			b.Fatal(err)
		}
		rows := 0
		for {
			_, reject, err := r.Next()
			if err == io.EOF {
				break
			}
			if err != nil || reject != nil {
				b.Fatal(reject, err)
			}
			rows++
		}
		if rows != benchRows {
			b.Fatalf("%d rows, want %d", rows, benchRows)
		}
	}
	b.ReportMetric(float64(b.N)*benchRows/b.Elapsed().Seconds(), "rows/s")
}

func BenchmarkWrite(b *testing.B) {
	r, err := NewReader(bytes.NewReader([]byte("prefix,name,price\n4420,London,0.1\n")), Options{})
	if err != nil {
		b.Fatal(err)
	}
	row, _, err := r.Next()
	if err != nil {
		b.Fatal(err)
	}
	w, err := NewWriter(io.Discard, FormBilld)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := w.Write(&row); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
