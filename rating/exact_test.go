package rating

import (
	"math/rand/v2"
	"testing"
)

func TestTermsAreExactAtSoManyDecimals(t *testing.T) {
	for _, tt := range []struct {
		name        string
		connect     string
		first, next Step
		places      int
		want        bool
	}{
		{"0.02 a second", "0.2", Step{60, 1_200_000_000}, Step{1, 1_200_000_000}, 2, true},
		{"0.02 a second has no single decimal", "0.2", Step{60, 1_200_000_000}, Step{1, 1_200_000_000}, 1, false},
		{"0.25 a minute by the second", "0", Step{1, 250_000_000}, Step{1, 250_000_000}, 4, false},
		{"0.25 a minute by the minute", "0", Step{60, 250_000_000}, Step{60, 250_000_000}, 2, true},
		{"a fee of five decimals", "0.00001", Step{60, 0}, Step{60, 0}, 4, false},
		{"more decimals than there are", "0.000001", Step{1, 60}, Step{1, 60}, 20, true},
		{"a third of the last decimal", "0", Step{1, 1}, Step{1, 1}, 9, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			fee, err := ParseMoney(tt.connect)
			if err != nil {
				t.Fatal(err)
			}
			terms := Terms{ConnectFee: fee, First: tt.first, Next: tt.next}
			if got := terms.Exact(tt.places); got != tt.want {
				t.Errorf("Exact(%d) of %+v = %t, want %t", tt.places, terms, got, tt.want)
			}
		})
	}
	if (&Terms{First: Step{1, 60}, Next: Step{1, 60}, Surcharge: 1}).Exact(9) {
		t.Error("terms with a surcharge are exact, want not")
	}
}

// What is exact is charged the same by every rounding that keeps as many decimals.
func TestExactTermsAreChargedTheSameHoweverRounded(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 1))
	exact := 0
	for range 20_000 {
		terms := Terms{ConnectFee: Money(r.IntN(500) * 100), First: Step{uint32(1 + r.IntN(60)), Price(r.IntN(90) * 1_000_000)}, Next: Step{uint32(1 + r.IntN(60)), Price(r.IntN(90) * 1_000_000)}}
		if !terms.Exact(4) {
			continue
		}
		exact++
		seconds := uint32(1 + r.IntN(4000))
		var nets [3]Money
		for i, mode := range []RoundMode{RoundUp, RoundDown, RoundHalfAway} {
			c, err := terms.Charge(seconds, 0, Formula{Preset: PresetYeti, Rounding: Rounding{Mode: mode, Places: 4}})
			if err != nil {
				t.Fatal(err)
			}
			nets[i] = c.Net
		}
		if nets[0] != nets[1] || nets[1] != nets[2] {
			t.Fatalf("seed %d: %+v, %d s: up %s, down %s, nearest %s, want the same", seed, terms, seconds, nets[0], nets[1], nets[2])
		}
	}
	if exact < 100 {
		t.Errorf("seed %d: only %d exact terms were tried", seed, exact)
	}
}
