package e164

import (
	"math/rand/v2"
	"strings"
	"testing"
)

func TestIndexAgreesWithTryingEveryPrefix(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	digits := func(n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte('0' + r.IntN(3)) // few digits, so that prefixes nest
		}
		return string(b)
	}
	model := map[string]Entry{}
	var entries []Entry
	for i := range uint32(2000) {
		e := Entry{digits(1 + r.IntN(8)), i, Lengths{uint8(r.IntN(8)), uint8(4 + r.IntN(10))}}
		model[e.Digits] = e
		entries = append(entries, e)
	}
	x := NewIndex(entries)
	if x.Len() != len(model) {
		t.Errorf("Len = %d, want %d", x.Len(), len(model))
	}
	for range 20_000 {
		number := digits(r.IntN(12))
		for _, whole := range []bool{true, false} {
			var want uint32
			found := false
			for n := len(number); n > 0 && !found; n-- {
				e, ok := model[number[:n]]
				if ok && (!whole || len(number) >= int(e.Lengths.Least) && len(number) <= int(e.Lengths.Most)) {
					want, found = e.Value, true
				}
			}
			find := x.Prefix
			if whole {
				find = x.Number
			}
			if got, ok := find(number); ok != found || ok && got != want {
				t.Fatalf("find(%s), whole %t = %d, %t, want %d, %t", number, whole, got, ok, want, found)
			}
		}
	}
}

func TestIndexTakesDigitsOnly(t *testing.T) {
	for _, p := range []string{"", "+44", "4a", " 4", strings.Repeat("1", MaxDigits+1)} {
		if x := NewIndex([]Entry{{p, 1, Lengths{0, 100}}}); x.Len() != 0 {
			t.Errorf("prefix %q was entered", p)
		}
	}
	for _, x := range []*Index{nil, NewIndex(nil)} {
		if _, ok := x.Number("4420"); ok || x.Len() != 0 {
			t.Error("an empty index finds something")
		}
	}
	x := NewIndex([]Entry{{"44", 0, Lengths{0, 3}}, {"4", 7, Lengths{0, 100}}, {"55555", 9, Lengths{5, 5}}})
	for number, want := range map[string]uint32{"441": 0, "44#": 0, "441#12": 0, "44123": 7, "4": 7, "4x": 7, "4x12345": 7, "55555": 9} {
		if got, ok := x.Number(number); !ok || got != want {
			t.Errorf("Number(%q) = %d, %t, want %d", number, got, ok, want)
		}
	}
	for _, number := range []string{"5555", "555556", "x", "+44"} {
		if got, ok := x.Number(number); ok {
			t.Errorf("Number(%q) = %d, want none", number, got)
		}
	}
}

func BenchmarkNumber(b *testing.B) {
	_, x := worldIndex()
	numbers := []string{"442079460000", "12125550100", "79161234567", "390669812345", "5511987654321", "4915112345678", "8613812345678", "1001"}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		x.Number(numbers[i&7])
		i++
	}
}
