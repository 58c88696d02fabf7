package yeti

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// The tests of folded text say what lowering the whole text says.
func TestFoldedTextIsLoweredText(t *testing.T) {
	letters := []rune("aAbBkK1[{@É é")
	word := func(most int) []byte {
		var b []rune
		for range rand.IntN(most + 1) {
			b = append(b, letters[rand.IntN(len(letters))])
		}
		return []byte(string(b))
	}
	met := 0
	for range 200_000 {
		text, part := word(6), bytes.ToLower(word(3))
		lower := bytes.ToLower(text)
		if caseless(string(part)) && bytes.Contains(lower, part) != bytes.Contains(text, part) {
			t.Fatalf("%q within %q depends on case", part, text)
		}
		for _, c := range []struct {
			name      string
			got, want bool
		}{
			{"starts with", startsFold(text, part), bytes.HasPrefix(lower, part)},
			{"ends in", endsFold(text, part), bytes.HasSuffix(lower, part)},
			{"contains", containsFold(text, part), bytes.Contains(lower, part)},
		} {
			if c.got != c.want {
				t.Fatalf("%q %s %q: %v, want %v", text, c.name, part, c.got, c.want)
			}
			if c.got {
				met++
			}
		}
	}
	if met < 1000 {
		t.Errorf("only %d of the tests were met", met)
	}
}
