package rating_test

import (
	"math/rand/v2"
	"testing"

	"billd/rating"
)

func money(t *testing.T, s string) rating.Money {
	t.Helper()
	m, err := rating.ParseMoney(s)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestTalkTime(t *testing.T) {
	// fee 0.1, 30 s at 0.6 a minute, then 6 s at 0.3: 0.4 for the first step, 0.03 for each next one
	terms := rating.Terms{ConnectFee: 100_000, First: rating.Step{Seconds: 30, Price: 600_000_000}, Next: rating.Step{Seconds: 6, Price: 300_000_000}}
	yeti := rating.Formula{Preset: rating.PresetYeti}
	for _, tt := range []struct {
		name           string
		balance, floor string // floor "-": not set
		change         func(*rating.Match, *rating.Budget)
		want           rating.Permit
	}{
		{"Yeti's formula: 30 + ⌊(1 − 0.4) / 0.03⌋ · 6", "1", "0", nil, rating.Permit{Seconds: 150}},
		{"down to the floor", "1", "-0.09", nil, rating.Permit{Seconds: 168}},
		{"the floor keeps every decimal", "1", "-0.0899999999", nil, rating.Permit{Seconds: 162}},
		{"just the first step", "0.4", "0", nil, rating.Permit{Seconds: 30}},
		{"not even the first step", "0.399999", "0", nil, rating.Permit{Refused: rating.RefusedBalance}},
		{"at the floor", "0", "0", nil, rating.Permit{Refused: rating.RefusedBalance}},
		{"at the floor even where the rate asks nothing", "0", "0", func(m *rating.Match, _ *rating.Budget) {
			m.Terms = rating.Terms{First: rating.Step{Seconds: 1}, Next: rating.Step{Seconds: 1}}
		}, rating.Permit{Refused: rating.RefusedBalance}},
		{"no floor", "-5", "-", nil, rating.Permit{Seconds: 7200}},
		{"no longer than any call", "1000", "0", nil, rating.Permit{Seconds: 7200}},
		{"the account's own longest call", "1000", "0", func(_ *rating.Match, b *rating.Budget) { b.Longest = 90 }, rating.Permit{Seconds: 90}},
		{"VAT is part of what is owed", "1", "0", func(_ *rating.Match, b *rating.Budget) { b.VAT = 20_000_000 }, rating.Permit{Seconds: 114}},
		{"free seconds are talked too", "0.4", "0", func(m *rating.Match, _ *rating.Budget) { m.Terms.FreeSeconds = 10 }, rating.Permit{Seconds: 40}},
		{"a most that is paid for", "0.5", "0", func(m *rating.Match, _ *rating.Budget) { m.Terms.MaxCost = 450_000 }, rating.Permit{Seconds: 7200}},
		{"nothing after the first step", "0.4", "0", func(m *rating.Match, _ *rating.Budget) { m.Terms.Next.Price = 0 }, rating.Permit{Seconds: 7200}},
		{"a blocked prefix", "1", "0", func(m *rating.Match, _ *rating.Budget) { m.Blocked = true }, rating.Permit{Refused: rating.RefusedBlocked}},
		{"dearer than the account allows", "1", "0", func(_ *rating.Match, b *rating.Budget) { b.RateLimit = "0.2999999999" }, rating.Permit{Refused: rating.RefusedRateLimit}},
		{"as dear as the account allows", "1", "0", func(_ *rating.Match, b *rating.Budget) { b.RateLimit = "0.3" }, rating.Permit{Seconds: 150}},
		{"the customer earns", "0", "0", func(m *rating.Match, _ *rating.Budget) { m.Reverse = true }, rating.Permit{Seconds: 7200}},
		{"a package pays, whatever the balance", "-3", "0", func(_ *rating.Match, b *rating.Budget) {
			b.Counter = &rating.PackageCounter{ID: 7, Duration: 95}
		}, rating.Permit{Seconds: 95, Counter: 7}},
		{"a package pays no longer than any call lasts", "-3", "0", func(_ *rating.Match, b *rating.Budget) {
			b.Counter = &rating.PackageCounter{ID: 7, Duration: 1 << 40}
		}, rating.Permit{Seconds: 7200, Counter: 7}},
		{"a package that is used up leaves it to the balance", "1", "0", func(_ *rating.Match, b *rating.Budget) {
			b.Counter = &rating.PackageCounter{ID: 7, Duration: 0}
		}, rating.Permit{Seconds: 150}},
		{"an excluded prefix leaves it to the balance", "1", "0", func(_ *rating.Match, b *rating.Budget) {
			b.Counter = &rating.PackageCounter{ID: 7, Duration: 95, Exclude: true}
		}, rating.Permit{Seconds: 150}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := rating.Match{Terms: terms}
			b := rating.Budget{Balance: money(t, tt.balance), Longest: 7200}
			if tt.floor != "-" {
				var err error
				if b.Floor, err = rating.ParseDecimal(tt.floor); err != nil {
					t.Fatal(err)
				}
			}
			if tt.change != nil {
				tt.change(&m, &b)
			}
			got, err := m.TalkTime(b, yeti)
			if err != nil || got != tt.want {
				t.Errorf("permit = %+v, %v, want %+v", got, err, tt.want)
			}
		})
	}
}

// Whatever is permitted can be paid, and a second more cannot.
func TestTalkTimeIsTheMostThatCanBePaid(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 1))
	t.Logf("seed %d", seed)
	for range 5000 {
		m := rating.Match{Terms: rating.Terms{ConnectFee: rating.Money(r.IntN(200_000)), FreeSeconds: uint32(r.IntN(2) * r.IntN(30)), Grace: uint32(r.IntN(2) * r.IntN(10)),
			Surcharge: rating.Fraction(r.IntN(2) * r.IntN(100_000)),
			First:     rating.Step{Seconds: uint32(1 + r.IntN(90)), Price: rating.Price(r.IntN(900_000_000))},
			Next:      rating.Step{Seconds: uint32(1 + r.IntN(90)), Price: rating.Price(1 + r.IntN(900_000_000))}}}
		b := rating.Budget{Balance: rating.Money(r.IntN(5_000_000)), Floor: rating.Money(-r.IntN(1_000_000)).Decimal(), VAT: rating.Percent(r.IntN(25) * 1_000_000), Longest: 3600}
		f := rating.Formula{Preset: rating.Preset(1 + r.IntN(3))}
		got, err := m.TalkTime(b, f)
		if err != nil {
			t.Fatal(err)
		}
		paid := func(seconds uint32) bool {
			c, err := m.Terms.Charge(seconds, b.VAT, f)
			if err != nil {
				t.Fatal(err)
			}
			return b.Floor.CmpMoney(b.Balance-c.Gross) <= 0
		}
		switch {
		case got.Refused == "" && (!paid(got.Seconds) || got.Seconds < b.Longest && paid(got.Seconds+1)):
			t.Fatalf("%+v with %+v: permitted %d s, which is not the most that is paid for", m.Terms, b, got.Seconds)
		case got.Refused != "" && b.Floor.CmpMoney(b.Balance) < 0 && paid(max(m.Terms.Grace, 1)):
			t.Fatalf("%+v with %+v: refused, but the first step can be paid", m.Terms, b)
		}
	}
}
