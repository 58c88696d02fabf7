package rating

import (
	"math"
	"math/big"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// chargeVector is a line of testdata/charge.txt.
type chargeVector struct {
	line    int
	source  string
	terms   Terms
	seconds uint32
	vat     Percent
	formula Formula
	want    Charge
}

// readVectors calls line with the fields of each line of a file in testdata, and its number.
func readVectors(t *testing.T, file string, line func(n int, fields []string)) {
	t.Helper()
	text, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range strings.Split(string(text), "\n") {
		if s = strings.TrimSpace(s); s != "" && s[0] != '#' {
			line(i+1, strings.Fields(s))
		}
	}
}

func chargeVectors(t *testing.T) []chargeVector {
	t.Helper()
	var vectors []chargeVector
	readVectors(t, "charge.txt", func(n int, f []string) {
		var columns []string
		for i, s := range f {
			if s == "|" && len(columns) == 17 {
				columns = append(columns, strings.Join(f[i+1:], " "))
				break
			} else if s != "|" {
				columns = append(columns, s)
			}
		}
		if len(columns) != 18 {
			t.Fatalf("charge.txt:%d: %d columns, want 18", n, len(columns))
		}
		vectors = append(vectors, parseVector(t, n, columns))
	})
	return vectors
}

func parseVector(t *testing.T, n int, c []string) chargeVector {
	t.Helper()
	fail := func(err error) {
		if err != nil {
			t.Fatalf("charge.txt:%d: %v", n, err)
		}
	}
	whole := func(s string) uint32 { v, err := strconv.ParseUint(s, 10, 32); fail(err); return uint32(v) }
	money := func(s string) Money { v, err := ParseMoney(s); fail(err); return v }
	price := func(s string) Price { v, err := ParsePrice(s); fail(err); return v }
	v := chargeVector{line: n, source: c[17], seconds: whole(c[2]), terms: Terms{
		ConnectFee: money(c[4]), First: Step{whole(c[6]), price(c[5])}, Next: Step{whole(c[8]), price(c[7])},
		FreeSeconds: whole(c[9]), Grace: whole(c[10]), MinCost: money(c[12]), MaxCost: money(c[13]),
	}}
	var err error
	v.vat, err = ParsePercent(c[3])
	fail(err)
	v.terms.Surcharge, err = ParseFraction(c[11])
	fail(err)
	v.formula.Preset, err = ParsePreset(c[0])
	fail(err)
	if mode, places, ok := strings.Cut(c[1], "/"); ok {
		v.formula.Rounding = Rounding{Mode: map[string]RoundMode{"none": RoundNone, "up": RoundUp, "down": RoundDown, "half": RoundHalfAway}[mode],
			Places: uint8(whole(places))}
	}
	v.want = Charge{Billed: int64(whole(c[14])), Net: money(c[15]), Gross: money(c[16])}
	v.want.Tax = v.want.Gross - v.want.Net
	return v
}

func TestChargeGivesThePublishedFigures(t *testing.T) {
	vectors := chargeVectors(t)
	if len(vectors) != 49 {
		t.Errorf("charge.txt holds %d vectors, want 49", len(vectors))
	}
	for _, v := range vectors {
		if err := v.terms.Valid(); err != nil {
			t.Errorf("charge.txt:%d: %v", v.line, err)
		}
		got, err := v.terms.Charge(v.seconds, v.vat, v.formula)
		if err != nil || got != v.want {
			t.Errorf("charge.txt:%d (%s): %+v, %v, want %+v", v.line, v.source, got, err, v.want)
		}
	}
}

// modelCharge is Charge in rational numbers, the long way; false for what does not fit Money.
func modelCharge(t *Terms, seconds uint32, vat Percent, f Formula) (Charge, bool) {
	if seconds < t.Grace || seconds == 0 && f.Preset != PresetPortSIP {
		return Charge{}, true
	}
	rat := func(a, b int64) *big.Rat { return big.NewRat(a, b) }
	step := func(s Step, count int64) *big.Rat {
		x := rat(int64(s.Price), 60_000_000_000)
		return x.Mul(x, new(big.Rat).Mul(rat(int64(s.Seconds), 1), rat(count, 1)))
	}
	net, c := rat(int64(t.ConnectFee), 1_000_000), Charge{}
	if seconds > 0 {
		c.Billed = int64(t.First.Seconds)
		net.Add(net, step(t.First, 1))
		for left := int64(seconds) - c.Billed - int64(t.FreeSeconds); left > 0; {
			// Whole steps at once: a loop second by second would take minutes.
			k := max(left/int64(t.Next.Seconds), 1)
			net.Add(net, step(t.Next, k))
			c.Billed += k * int64(t.Next.Seconds)
			left -= k * int64(t.Next.Seconds)
		}
	}
	net.Mul(net, rat(1_000_000+int64(t.Surcharge), 1_000_000))
	if least := rat(int64(t.MinCost), 1_000_000); t.MinCost > 0 && net.Cmp(least) < 0 {
		net = least
	}
	if most := rat(int64(t.MaxCost), 1_000_000); t.MaxCost > 0 && net.Cmp(most) > 0 {
		net = most
	}
	gross := new(big.Rat).Mul(net, rat(100_000_000+int64(vat), 100_000_000))
	var ok1, ok2 bool
	c.Net, ok1 = modelRound(net, f.rounding())
	c.Gross, ok2 = modelRound(gross, f.rounding())
	c.Tax = c.Gross - c.Net
	return c, ok1 && ok2
}

func modelRound(x *big.Rat, rd Rounding) (Money, bool) {
	places := min(int64(rd.Places), 6)
	if rd.Mode == RoundNone {
		places = 6
	}
	power := new(big.Int).Exp(big.NewInt(10), big.NewInt(places), nil)
	units := new(big.Rat).Mul(x, new(big.Rat).SetInt(power))
	whole := new(big.Int).Quo(units.Num(), units.Denom()) // towards zero
	switch rd.Mode {
	case RoundUp:
		if new(big.Rat).SetInt(whole).Cmp(units) < 0 {
			whole.Add(whole, big.NewInt(1))
		}
	case RoundNone, RoundHalfAway:
		whole = halfAway(units)
	}
	whole.Mul(whole, new(big.Int).Exp(big.NewInt(10), big.NewInt(6-places), nil))
	if whole.CmpAbs(big.NewInt(int64(MaxMoney))) > 0 {
		return 0, false
	}
	return Money(whole.Int64()), true
}

// randomTerms draws terms of every size: half of them everyday ones, the rest up to the bounds.
func randomTerms(r *rand.Rand) *Terms {
	upTo := func(most int64) int64 {
		v := r.Int64N(most + 1)
		return v >> r.IntN(63)
	}
	signed := func(most int64) int64 {
		if v := upTo(most); r.IntN(8) > 0 {
			return v
		} else {
			return -v
		}
	}
	seconds := func() uint32 {
		return []uint32{1, 6, 30, 60, uint32(1 + r.IntN(600)), uint32(1 + upTo(math.MaxUint32-1))}[r.IntN(6)]
	}
	fee, price := int64(1e6), int64(5e9)
	if r.IntN(2) == 0 {
		fee, price = 1e15, 1e18
	}
	t := &Terms{ConnectFee: Money(signed(fee)), First: Step{seconds(), Price(signed(price))}, Next: Step{seconds(), Price(signed(price))}}
	if r.IntN(3) == 0 {
		t.FreeSeconds, t.Grace = uint32(upTo(600)), uint32(upTo(60))
	}
	if r.IntN(3) == 0 {
		t.Surcharge = Fraction(upTo(maxSurcharge))
	}
	if r.IntN(3) == 0 {
		t.MinCost = Money(upTo(fee))
	}
	if r.IntN(3) == 0 {
		t.MaxCost = t.MinCost + Money(upTo(fee-int64(t.MinCost)))
	}
	return t
}

func randomFormula(r *rand.Rand) Formula {
	f := Formula{Preset: PresetPortSIP + Preset(r.IntN(3))}
	if r.IntN(2) == 0 {
		f.Rounding = Rounding{Mode: RoundNone + RoundMode(r.IntN(4)), Places: uint8(r.IntN(11))}
	}
	return f
}

func TestChargeAgreesWithRationalNumbers(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	var small, ranges int
	for range 20_000 {
		terms, f := randomTerms(r), randomFormula(r)
		if err := terms.Valid(); err != nil {
			t.Fatalf("%+v: %v", terms, err)
		}
		seconds := uint32(r.Uint64N(1<<32) >> r.IntN(33))
		vat := Percent(r.Int64N(maxVAT+1) / 1_000_000 * 1_000_000 >> r.IntN(30))
		got, err := terms.Charge(seconds, vat, f)
		want, fits := modelCharge(terms, seconds, vat, f)
		switch {
		case !fits && KindOf(err) == Range:
			ranges++
		case !fits || err != nil || got != want:
			t.Fatalf("%+v Charge(%d, %s, %+v) = %+v, %v, want %+v, fits %t", terms, seconds, vat, f, got, err, want, fits)
		}
		if terms.small(got.Billed) {
			small++
		}
	}
	if small < 2000 || small > 18_000 || ranges < 20 {
		t.Errorf("%d small sums and %d out of range among 20000: the draw misses a path", small, ranges)
	}
}

func TestChargeRefuses(t *testing.T) {
	good := Terms{First: Step{60, 1}, Next: Step{60, 1}}
	yeti := Formula{Preset: PresetYeti}
	for _, tt := range []struct {
		name  string
		terms Terms
		vat   Percent
		f     Formula
		kind  Kind
		field string
	}{
		{"a first step of no seconds", Terms{Next: Step{1, 1}}, 0, yeti, Invalid, "first_seconds"},
		{"a next step of no seconds", Terms{First: Step{1, 1}}, 0, yeti, Invalid, "next_seconds"},
		{"a negative surcharge", Terms{First: good.First, Next: good.Next, Surcharge: -1}, 0, yeti, Invalid, "surcharge"},
		{"a negative VAT", good, -1, yeti, Invalid, "vat"},
		{"a VAT over 100 %", good, maxVAT + 1, yeti, Invalid, "vat"},
		{"no preset", good, 0, Formula{}, Invalid, "preset"},
		{"an unknown preset", good, 0, Formula{Preset: 4}, Invalid, "preset"},
		{"an unknown rounding mode", good, 0, Formula{Preset: PresetYeti, Rounding: Rounding{Mode: 5}}, Invalid, "rounding"},
		{"a sum beyond Money", Terms{First: Step{math.MaxUint32, maxFixed}, Next: good.Next}, 0, yeti, Range, ""},
		{"VAT that lifts the sum beyond Money", Terms{ConnectFee: MaxMoney, First: Step{1, 0}, Next: good.Next}, 1_000_000, yeti, Range, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := tt.terms.Charge(61, tt.vat, tt.f)
			if e, ok := err.(*Error); !ok || e.Kind != tt.kind || e.Field != tt.field {
				t.Errorf("got %v, want %s of %q", err, tt.kind, tt.field)
			}
		})
	}
	if got, err := (&Terms{ConnectFee: MaxMoney, First: Step{1, 0}, Next: good.Next}).Charge(1, 0, yeti); err != nil || got.Net != MaxMoney {
		t.Errorf("a charge of the largest amount = %+v, %v, want net %s", got, err, MaxMoney)
	}
}

func TestTermsValidNamesEveryField(t *testing.T) {
	const over = maxRateMajor*1_000_000 + 1
	bad := Terms{ConnectFee: over, First: Step{0, maxRateMajor*1_000_000_000 + 1}, Next: Step{0, -maxRateMajor*1_000_000_000 - 1},
		Surcharge: maxSurcharge + 1, MinCost: over, MaxCost: -1}
	got := bad.Valid().Error()
	for _, field := range []string{"connect_fee", "first_seconds", "first_price", "next_seconds", "next_price", "surcharge", "min_cost", "max_cost"} {
		if !strings.Contains(got, field+" ") {
			t.Errorf("%q does not name %s", got, field)
		}
	}
	good := Terms{ConnectFee: -(over - 1), First: Step{1, -maxRateMajor * 1_000_000_000}, Next: Step{1, 0}, Surcharge: maxSurcharge, MaxCost: 5, MinCost: 5}
	if err := good.Valid(); err != nil {
		t.Errorf("terms at their bounds: %v, want nil", err)
	}
	good.MinCost, good.Surcharge = 6, -1
	if es, ok := good.Valid().(Errors); !ok || len(es) != 2 || es[0].Field != "surcharge" || es[1].Field != "max_cost" {
		t.Errorf("crossed bounds and a negative surcharge: %v, want surcharge and max_cost", good.Valid())
	}
}

func TestWholeSeconds(t *testing.T) {
	for _, tt := range []struct {
		micros            int64
		nearest, down, up uint32
	}{
		{0, 0, 0, 0}, {-1, 0, 0, 0}, {1, 0, 0, 1}, {500_000, 0, 0, 1}, {500_001, 1, 0, 1}, {1_500_000, 2, 1, 2},
		{10_500_000, 10, 10, 11}, {11_500_000, 12, 11, 12}, {11_000_000, 11, 11, 11},
		{math.MaxInt64, math.MaxUint32, math.MaxUint32, math.MaxUint32},
	} {
		n, d, u := WholeSeconds(tt.micros, DurationNearest), WholeSeconds(tt.micros, DurationDown), WholeSeconds(tt.micros, DurationUp)
		if n != tt.nearest || d != tt.down || u != tt.up {
			t.Errorf("%d µs = %d %d %d, want %d %d %d", tt.micros, n, d, u, tt.nearest, tt.down, tt.up)
		}
	}
}

func TestPresetNamesReadBack(t *testing.T) {
	for _, p := range []Preset{PresetPortSIP, PresetYeti, PresetKazoo} {
		text, _ := p.MarshalText()
		var got Preset
		if err := got.UnmarshalText(text); err != nil || got != p {
			t.Errorf("%q = %d, %v, want %d", text, got, err, p)
		}
	}
	for _, s := range []string{"", "Yeti", "asterisk"} {
		if got, err := ParsePreset(s); err == nil {
			t.Errorf("ParsePreset(%q) = %d, want an error", s, got)
		}
	}
	if got := Preset(9).String() + RoundMode(9).String(); got != "" {
		t.Errorf("names of no preset and no mode = %q, want none", got)
	}
}

func BenchmarkCharge(b *testing.B) {
	terms := Terms{ConnectFee: 50_000, First: Step{30, 120_000_000}, Next: Step{6, 80_000_000}}
	for _, bb := range []struct {
		name    string
		seconds uint32
		vat     Percent
		f       Formula
	}{
		{"1s", 1, 0, Formula{Preset: PresetPortSIP}},
		{"3600s", 3600, 0, Formula{Preset: PresetPortSIP}},
		{"3600s_vat", 3600, 23_000_000, Formula{Preset: PresetYeti}},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := terms.Charge(bb.seconds, bb.vat, bb.f); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func TestChargeDoesNotAllocate(t *testing.T) {
	terms := Terms{ConnectFee: 50_000, First: Step{30, 120_000_000}, Next: Step{6, 80_000_000}, Surcharge: 10_000, MinCost: 1, MaxCost: 1e9}
	for _, p := range []Preset{PresetPortSIP, PresetYeti, PresetKazoo} {
		if got := testing.AllocsPerRun(100, func() { _, _ = terms.Charge(3600, 23_000_000, Formula{Preset: p}) }); got != 0 {
			t.Errorf("%s: Charge allocates %v times, want 0", p, got)
		}
	}
}
