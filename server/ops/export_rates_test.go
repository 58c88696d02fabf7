package ops

import (
	"bytes"
	"context"
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"billd/rating"
	"billd/storage"
)

func ratesEnv(t *testing.T) *Env {
	t.Helper()
	db, err := OpenStore(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return &Env{DB: db, Log: slog.New(slog.DiscardHandler)}
}

// richRate makes a rate as any dialect could have made it.
func richRate(r *rand.Rand) *rating.Rate {
	some := func() bool { return r.IntN(3) == 0 }
	text := func() string {
		return [...]string{"", "UK", "a,\"b\";c", " blank ends ", "Düsseldorf", "two\nlines", "'=1+1"}[r.IntN(7)]
	}
	rate := &rating.Rate{Deck: rating.DefaultDeck, Prefix: [...]string{"44", "4420", "1", "sip:x", "0044", "+7", "112"}[r.IntN(7)], Name: text(),
		Direction: rating.Direction(r.IntN(2)), Disabled: some(), Blocked: some(), Reverse: some(), Label: rating.RateLabel(r.IntN(4)),
		Terms: rating.Terms{First: rating.Step{Seconds: 1 + r.Uint32N(60), Price: rating.Price(r.Int64N(1e10) - 1e9)}, Next: rating.Step{Seconds: 1 + r.Uint32N(60), Price: rating.Price(r.Int64N(1e10))}}}
	if some() {
		rate.Terms.ConnectFee, rate.Terms.FreeSeconds, rate.Terms.Grace = rating.Money(r.Int64N(1e7)), r.Uint32N(100), r.Uint32N(10)
		rate.Terms.Surcharge, rate.Terms.MinCost, rate.Terms.MaxCost = rating.Fraction(r.Int64N(1e6)), rating.Money(r.Int64N(100)), rating.Money(100+r.Int64N(1e6))
	}
	if some() {
		rate.From = time.UnixMicro(1.7e15 + r.Int64N(1e15)).UTC()
	}
	if some() {
		rate.Till = time.UnixMicro(2.8e15 + r.Int64N(1e15)).UTC()
	}
	if some() {
		rate.MinLen, rate.MaxLen, rate.Weight = uint8(r.IntN(10)), uint8(10+r.IntN(10)), uint8(r.IntN(256))
		external := r.Int64() - r.Int64()
		rate.External = &external
	}
	if some() {
		rate.UUID = rating.NewUUID(time.Now())
		rate.Extra = rating.RateExtra{ISO: "GB", DPMarginFixed: "0.5", RoutingTagIDs: []int64{1, 2}, Description: text(), Doc: []byte(`{"carrier":"x"}`),
			Dialpeer: rating.DialpeerExtra{LCRMultiplier: "1.5", ForceHitRate: "0.25"}}
	}
	return rate
}

// Every field of every row of a deck, however a dialect made it, survives export and import.
func TestEveryFieldOfARateSurvivesExportAndImport(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	from := ratesEnv(t)
	const rows = 2*exportPage + 7 // several pages
	err := from.DB.Update(context.Background(), func(tx *storage.Tx) error {
		for range rows {
			if err := tx.Rates.Put(richRate(r)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	export := func(env *Env, format string) string {
		t.Helper()
		var out bytes.Buffer
		o := (&IO{Out: &out}).filled()
		if exit, err := exportRates(t.Context(), env, ExportRatesArgs{Format: format}, &o); exit != ExitOK || err != nil {
			t.Fatal(exit, err)
		}
		return out.String()
	}
	for _, format := range []string{"csv", "json"} {
		t.Run(format, func(t *testing.T) {
			into, text := ratesEnv(t), export(from, format)
			for _, again := range []struct {
				env  *Env
				want string
			}{{into, "added"}, {into, "same"}, {from, "same"}} {
				o := (&IO{In: strings.NewReader(text)}).filled()
				report, err := ImportRates(t.Context(), again.env, ImportRatesArgs{Input: Input{Name: "x"}}, &o, func(*RatesReport) error { return nil })
				if err != nil {
					t.Fatal(err)
				}
				got := map[string]int{"added": report.Added, "same": report.Same}[again.want]
				if got != rows || report.Read != rows || report.Removed != 0 {
					t.Fatalf("%s, want %d %s; %v", report.Counts(), rows, again.want, report.Rejects[:min(3, len(report.Rejects))])
				}
			}
			if got := export(into, format); got != text {
				t.Errorf("the copy exports otherwise: %s", firstDifference(got, text))
			}
		})
	}
}

func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			return "\n" + g[i] + "\nwant\n" + w[i]
		}
	}
	return "one is longer"
}
