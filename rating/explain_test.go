package rating

import (
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// lines writes steps one a line, as text: amount.
func lines(steps []ChargeStep) string {
	var b strings.Builder
	for _, s := range steps {
		b.WriteString(s.Text + ": " + s.Amount + "\n")
	}
	return b.String()
}

func TestExplainSaysEveryStep(t *testing.T) {
	eur := Currency{'E', 'U', 'R'}
	full := Terms{ConnectFee: 50_000, First: Step{60, 120_000_000}, Next: Step{15, 80_000_000}, FreeSeconds: 10, Grace: 30, Surcharge: 10_000}
	thirds := Terms{First: Step{1, -250_000_000}, Next: Step{1, -250_000_000}}
	bounded := full
	bounded.MaxCost = 200_000
	raised := full
	raised.MinCost = 1_000_000
	for _, tt := range []struct {
		name    string
		terms   Terms
		seconds uint32
		vat     Percent
		f       Formula
		c       Currency
		want    string
	}{
		{"the figure in PortSIP's guide", full, 120, 20_000_000, Formula{Preset: PresetPortSIP}, eur, `connect fee: 0.05
first 60 s at 0.12 EUR a minute: 0.12
up to 10 s free after the first step: 0.0
next 4 × 15 s at 0.08 EUR a minute: 0.08
surcharge of 0.01 on all of it: 0.0025
net, rounded half away from zero to 5 decimals: 0.2525
gross, with VAT of 20 %, rounded likewise from the exact net: 0.303
tax, gross less net: 0.0505
`},
		{"below the grace", full, 29, 0, Formula{Preset: PresetPortSIP}, eur, "29 s, below the grace of 30 s: free: 0.0\n"},
		{"no seconds", Terms{First: Step{1, 1}, Next: Step{1, 1}}, 0, 0, Formula{Preset: PresetKazoo}, eur, "0 s: free: 0.0\n"},
		{"only the connect fee", Terms{First: Step{1, 1}, Next: Step{1, 1}, ConnectFee: 200_000}, 0, 0, Formula{Preset: PresetPortSIP}, eur,
			"0 s: connect fee only: 0.2\nnet, rounded half away from zero to 5 decimals: 0.2\n"},
		{"a sum that never ends", thirds, 1, 0, Formula{Preset: PresetYeti}, Currency{},
			"first 1 s at -0.25 a minute: -0.004166666666…\nnet, rounded half away from zero to 6 decimals: -0.004167\n"},
		{"the maximum", bounded, 30, 0, Formula{Preset: PresetPortSIP}, eur, "connect fee: 0.05\nfirst 60 s at 0.12 EUR a minute: 0.12\n" +
			"up to 10 s free after the first step: 0.0\nsurcharge of 0.01 on all of it: 0.0017\nnet, rounded half away from zero to 5 decimals: 0.1717\n"},
		{"over the maximum", bounded, 120, 0, Formula{Preset: PresetKazoo}, eur, "connect fee: 0.05\nfirst 60 s at 0.12 EUR a minute: 0.12\n" +
			"up to 10 s free after the first step: 0.0\nnext 4 × 15 s at 0.08 EUR a minute: 0.08\nsurcharge of 0.01 on all of it: 0.0025\n" +
			"maximum cost, in place of 0.2525: 0.2\nnet, rounded down to 4 decimals: 0.2\n"},
		{"under the minimum", raised, 30, 0, Formula{Preset: PresetPortSIP}, eur, "connect fee: 0.05\nfirst 60 s at 0.12 EUR a minute: 0.12\n" +
			"up to 10 s free after the first step: 0.0\nsurcharge of 0.01 on all of it: 0.0017\n" +
			"minimum cost, in place of 0.1717: 1.0\nnet, rounded half away from zero to 5 decimals: 1.0\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, steps, err := tt.terms.Explain(tt.seconds, tt.vat, tt.f, tt.c)
			if got := lines(steps); err != nil || got != tt.want {
				t.Errorf("got\n%s%v, want\n%s", got, err, tt.want)
			}
		})
	}
	if _, steps, err := (&Terms{}).Explain(1, 0, Formula{Preset: PresetYeti}, eur); err == nil || steps != nil {
		t.Errorf("terms without steps: %v, %v, want an error", steps, err)
	}
}

func TestExplainAddsUpToTheCharge(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for range 5_000 {
		terms, f := randomTerms(r), randomFormula(r)
		seconds, vat := uint32(r.Uint64N(1<<32)>>r.IntN(33)), Percent(r.Int64N(maxVAT+1))
		want, wantErr := terms.Charge(seconds, vat, f)
		got, steps, err := terms.Explain(seconds, vat, f, Currency{})
		if got != want || (err == nil) != (wantErr == nil) {
			t.Fatalf("%+v Explain(%d) = %+v, %v, want %+v, %v", terms, seconds, got, err, want, wantErr)
		}
		if err != nil {
			continue
		}
		var sum big.Rat
		for _, s := range steps {
			if strings.HasPrefix(s.Text, "net,") {
				break
			}
			amount, ok := new(big.Rat).SetString(strings.TrimSuffix(s.Amount, "…"))
			if !ok {
				t.Fatalf("step %q: amount %q is no number", s.Text, s.Amount)
			}
			if strings.Contains(s.Text, "in place of") {
				sum.Set(amount)
			} else {
				sum.Add(&sum, amount)
			}
		}
		// Cut steps are short by less than 10⁻¹² each, a rounding moves the sum by up to a unit.
		off := sum.Sub(&sum, big.NewRat(int64(want.Net), 1_000_000))
		unit := big.NewRat(int64(pow10[moneyDecimals-f.rounding().places()])+1, 1_000_000)
		if off.Abs(off).Cmp(unit) > 0 {
			t.Fatalf("%+v Explain(%d, %+v): steps are %s off the net %s:\n%s", terms, seconds, f, off.FloatString(12), want.Net, lines(steps))
		}
	}
}
