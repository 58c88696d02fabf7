package deckcsv

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

func TestSeenAgreesWithAMap(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	model := map[string]int{}
	var s seen
	for line := 1; line <= 50_000; line++ {
		prefix := fmt.Sprintf("%0*d", random.IntN(6), random.IntN(20_000))
		if random.IntN(10) == 0 {
			prefix += "*"
		}
		from := int64(random.IntN(3)) * 86_400_000
		key := fmt.Sprint(prefix, " ", from)
		got, want := s.add(prefix, from, line), model[key]
		if want == 0 {
			model[key] = line
		}
		if got != want {
			t.Fatalf("line %d, %s: seen on line %d, want %d", line, key, got, want)
		}
	}
}
