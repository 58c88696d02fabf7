package storage

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"billd/rating"
)

// day returns a midnight of December 2026; the test clock stands in November.
func day(n int) time.Time { return time.Date(2026, 12, n, 0, 0, 0, 0, time.UTC) }

// parseList reads rows of "prefix price [from DAY] [till DAY] [end] [name NAME] [fee FEE]".
func parseList(t *testing.T, text string) []*ListedRate {
	t.Helper()
	var rows []*ListedRate
	for i, line := range strings.Split(strings.TrimSpace(text), "\n") {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		price, err := rating.ParsePrice(words[1])
		if err != nil {
			t.Fatal(err)
		}
		step := rating.Step{Seconds: 60, Price: price}
		row := &ListedRate{Line: i + 1, Given: GivePrice, Rate: rating.Rate{Prefix: words[0], Terms: rating.Terms{First: step, Next: step}}}
		for j := 2; j < len(words); j++ {
			var n int
			switch words[j] {
			case "from":
				j++
				fmt.Sscan(words[j], &n)
				row.Rate.From = day(n)
				row.Given |= GiveFrom
			case "till":
				j++
				fmt.Sscan(words[j], &n)
				row.Rate.Till = day(n)
				row.Given |= GiveTill
			case "name":
				j++
				row.Rate.Name = words[j]
				row.Given |= GiveName
			case "fee":
				j++
				if row.Rate.Terms.ConnectFee, err = rating.ParseMoney(words[j]); err != nil {
					t.Fatal(err)
				}
				row.Given |= GiveConnect
			case "end":
				row.Given |= GiveEnd
			}
		}
		rows = append(rows, row)
	}
	return rows
}

type imported struct {
	counts  ImportCounts
	rejects []string
}

// importList runs a whole import.
func importList(t *testing.T, db *DB, o RateImportOptions, rows []*ListedRate) imported {
	t.Helper()
	got, err := tryImport(t, db, o, rows)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func tryImport(t *testing.T, db *DB, o RateImportOptions, rows []*ListedRate) (got imported, err error) {
	t.Helper()
	if o.Deck == "" {
		o.Deck = "default"
	}
	im, err := db.NewRateImport(t.Context(), o, func(line int, reason string) {
		got.rejects = append(got.rejects, fmt.Sprintf("%d: %s", line, reason))
	})
	if err != nil {
		return got, err
	}
	for _, row := range rows {
		if err := im.Add(row); err != nil {
			t.Fatal(err)
		}
	}
	quiet := func(int64, int64) {}
	if got.counts, err = im.Compare(t.Context(), quiet); err != nil {
		return got, err
	}
	got.counts.Read = len(rows)
	_, err = im.Apply(t.Context(), got.counts, quiet)
	return got, err
}

// dump writes a deck's visible rows, one a line, and checks the index against them.
func dump(t *testing.T, db *DB, deck string) string {
	t.Helper()
	var b strings.Builder
	var rows []*rating.Rate
	var d *rating.Deck
	err := db.View(t.Context(), func(tx *Tx) (err error) {
		if d, err = tx.DeckNamed(deck); err != nil {
			return err
		}
		return tx.RatesFrom(d.ID, "", 0, func(r *rating.Rate) (bool, error) {
			if r.Gen > d.Generation {
				return true, nil
			}
			rows = append(rows, r)
			fmt.Fprintf(&b, "%s %s", r.Prefix, r.Terms.First.Price)
			if r.Name != "" {
				fmt.Fprintf(&b, " %s", r.Name)
			}
			if r.Terms.ConnectFee != 0 {
				fmt.Fprintf(&b, " fee %s", r.Terms.ConnectFee)
			}
			fmt.Fprintf(&b, " %s..%s\n", short(r.From), short(r.Till))
			return true, nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	if d.Settling {
		t.Errorf("deck %s is still settling", deck)
	}
	x := db.Catalog().Deck(d.ID).Index
	for _, r := range rows {
		for _, at := range []time.Time{testClock.Add(-time.Hour), testClock, day(1), day(5), day(10), day(15), day(30)} {
			want := slices.ContainsFunc(rows, func(o *rating.Rate) bool { return o.Prefix == r.Prefix && o.ValidAt(at) })
			m, ok := x.Match(r.Prefix, at.UnixMilli(), rating.Outbound)
			got := ok && m.PrefixLen == len(r.Prefix)
			if got != want {
				t.Errorf("index has prefix %s at %s: %t, the rows say %t", r.Prefix, at, got, want)
			}
		}
	}
	return b.String()
}

func short(t time.Time) string {
	switch {
	case t.IsZero():
		return ""
	case t.Equal(testClock):
		return "now"
	case t.Equal(day(t.Day())):
		return fmt.Sprint(t.Day())
	}
	return t.Format(time.RFC3339)
}

func TestImportMeetsTheDeck(t *testing.T) {
	const start = "44 0.01\n4420 0.02\n1 0.03"
	for _, tt := range []struct {
		name, first, second string
		o                   RateImportOptions
		counts              string // added changed same removed rejected
		want                string
	}{
		{"into an empty deck it counts from always", "", start, RateImportOptions{}, "3 0 0 0 0",
			"1 0.03 ..\n44 0.01 ..\n4420 0.02 ..\n"},
		{"into an empty deck with an instant it counts from there", "", "44 0.01", RateImportOptions{Effective: day(5)}, "1 0 0 0 0",
			"44 0.01 5..\n"},
		{"the same list again changes nothing", start, start, RateImportOptions{}, "0 0 3 0 0",
			"1 0.03 ..\n44 0.01 ..\n4420 0.02 ..\n"},
		{"replace ends what changed and what is missing", start, "44 0.015\n4420 0.02\n49 0.04", RateImportOptions{}, "1 1 1 1 0",
			"1 0.03 ..now\n44 0.01 ..now\n44 0.015 now..\n4420 0.02 ..\n49 0.04 now..\n"},
		{"merge leaves what is missing", start, "44 0.015\n49 0.04", RateImportOptions{Mode: Merge}, "1 1 0 0 0",
			"1 0.03 ..\n44 0.01 ..now\n44 0.015 now..\n4420 0.02 ..\n49 0.04 now..\n"},
		{"an instant to come ends them then", start, "44 0.015\n4420 0.02\n1 0.03", RateImportOptions{Effective: day(5)}, "0 1 2 0 0",
			"1 0.03 ..\n44 0.01 ..5\n44 0.015 5..\n4420 0.02 ..\n"},
		{"a row dated ahead lets the old price run until then", start, "44 0.015 from 10", RateImportOptions{Mode: Merge}, "0 1 0 0 0",
			"1 0.03 ..\n44 0.01 ..10\n44 0.015 10..\n4420 0.02 ..\n"},
		{"two dates of one prefix follow each other", start, "44 0.01\n44 0.015 from 10", RateImportOptions{Mode: Merge}, "0 1 1 0 0",
			"1 0.03 ..\n44 0.01 ..10\n44 0.015 10..\n4420 0.02 ..\n"},
		{"two dates of one prefix in an empty deck", "", "44 0.015 from 10\n44 0.01 from 5", RateImportOptions{}, "2 0 0 0 0",
			"44 0.01 5..10\n44 0.015 10..\n"},
		{"two dates again are the same", "44 0.01\n44 0.015 from 10", "44 0.01\n44 0.015 from 10", RateImportOptions{}, "0 0 2 0 0",
			"44 0.01 ..10\n44 0.015 10..\n"},
		{"a price to come gives way to a newer list", "44 0.01\n44 0.015 from 10", "44 0.01", RateImportOptions{}, "0 1 0 0 0",
			"44 0.01 ..now\n44 0.015 10..10\n44 0.01 now..\n"},
		{"an end in the file ends the row", start, "44 0.01 till 10", RateImportOptions{Mode: Merge}, "0 1 0 0 0",
			"1 0.03 ..\n44 0.01 ..10\n4420 0.02 ..\n"},
		{"a withdrawn prefix ends", start, "44 0 end\n49 0 end", RateImportOptions{Mode: Merge}, "0 1 1 0 0",
			"1 0.03 ..\n44 0.01 ..now\n4420 0.02 ..\n"},
		{"a withdrawn prefix ends on its date", start, "44 0 end from 10", RateImportOptions{Mode: Merge}, "0 1 0 0 0",
			"1 0.03 ..\n44 0.01 ..10\n4420 0.02 ..\n"},
		{"what the file does not give stays", "44 0.01 name UK fee 0.05", "44 0.02", RateImportOptions{}, "0 1 0 0 0",
			"44 0.01 UK fee 0.05 ..now\n44 0.02 UK fee 0.05 now..\n"},
		{"what the file does not give is not compared", "44 0.01 name UK fee 0.05", "44 0.01", RateImportOptions{}, "0 0 1 0 0",
			"44 0.01 UK fee 0.05 ..\n"},
		{"a row that is over is refused", start, "44 0.015 till 1", RateImportOptions{Mode: Merge, Effective: day(5)}, "0 0 0 0 1",
			"1 0.03 ..\n44 0.01 ..\n4420 0.02 ..\n"},
		{"a row from before counts from now", start, "44 0.015 from 1", RateImportOptions{Mode: Merge, Effective: day(5)}, "0 1 0 0 0",
			"1 0.03 ..\n44 0.01 ..5\n44 0.015 5..\n4420 0.02 ..\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			db := openTest(t)
			if tt.first != "" {
				importList(t, db, RateImportOptions{Mode: Replace}, parseList(t, tt.first))
			}
			if tt.o.Mode == "" {
				tt.o.Mode = Replace
			}
			got := importList(t, db, tt.o, parseList(t, tt.second))
			c := got.counts
			if counts := fmt.Sprint(c.Added, c.Changed, c.Same, c.Removed, c.Rejected); counts != tt.counts {
				t.Errorf("added, changed, same, removed, rejected = %s, want %s", counts, tt.counts)
			}
			if c.Read != c.Added+c.Changed+c.Same+c.Rejected {
				t.Errorf("read %d is not the sum of %+v", c.Read, c)
			}
			if rows := dump(t, db, "default"); rows != tt.want {
				t.Errorf("deck:\n%swant:\n%s", rows, tt.want)
			}
			again := importList(t, db, tt.o, parseList(t, tt.second)).counts
			if again.Added+again.Changed+again.Removed != 0 {
				t.Errorf("the second time = %s, want nothing new", again)
			}
		})
	}
}

// TestImportsMatchAModel runs random lists through replace and merge and compares the price of every
// prefix at every day with a model that only knows what each list said.
func TestImportsMatchAModel(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for range 20 {
		db := openTest(t)
		type key struct {
			prefix string
			day    int
		}
		model := map[key]string{}
		for round := range 6 {
			mode := [...]ImportMode{Replace, Merge}[r.IntN(2)]
			at := 1 + 3*round
			var list strings.Builder
			named := map[string]string{}
			for range 1 + r.IntN(12) {
				p := fmt.Sprint(1 + r.IntN(15))
				if named[p] == "" {
					named[p] = fmt.Sprintf("0.0%d", 1+r.IntN(3))
					fmt.Fprintf(&list, "%s %s\n", p, named[p])
				}
			}
			importList(t, db, RateImportOptions{Mode: mode, Effective: day(at)}, parseList(t, list.String()))
			for p := 1; p <= 15; p++ {
				price := named[fmt.Sprint(p)]
				for d := at; d <= 25 && (price != "" || mode == Replace); d++ {
					model[key{fmt.Sprint(p), d}] = price
				}
			}
		}
		dump(t, db, "default")
		x := db.Catalog().Deck(rating.DefaultDeck).Index
		for p := 1; p <= 15; p++ {
			for d := 1; d <= 25; d++ {
				prefix, got := fmt.Sprint(p), ""
				if m, ok := x.Match(prefix, day(d).UnixMilli(), rating.Outbound); ok && m.PrefixLen == len(prefix) {
					got = m.Terms.First.Price.String()
				}
				if want := model[key{prefix, d}]; got != want {
					t.Fatalf("prefix %s on day %d: %q, want %q", prefix, d, got, want)
				}
			}
		}
	}
}

func TestImportMakesADeck(t *testing.T) {
	db := openTest(t)
	vendor := rating.MasterAccount
	usd := rating.Currency{'U', 'S', 'D'}
	importList(t, db, RateImportOptions{Deck: "carrier", Mode: Replace, Currency: usd, Preset: rating.PresetKazoo, Vendor: &vendor}, parseList(t, "44 0.01"))
	if got := db.Catalog().Vendor(vendor); len(got) != 1 || got[0].Name != "carrier" || got[0].Currency != usd || got[0].Preset != rating.PresetKazoo || got[0].Index.Len() != 1 {
		t.Errorf("vendor decks = %+v, want carrier in USD with one rate", got)
	}
	for _, o := range []RateImportOptions{{Deck: "carrier", Currency: rating.Currency{'E', 'U', 'R'}}, {Deck: "carrier", Preset: rating.PresetYeti}, {Deck: "default", Vendor: &vendor}} {
		o.Mode = Replace
		if _, err := tryImport(t, db, o, nil); rating.KindOf(err) != rating.Conflict {
			t.Errorf("import into a deck that is otherwise: %v, want a conflict", err)
		}
	}
}

func TestImportOfADeckThatChangedMeanwhileChangesNothing(t *testing.T) {
	db := openTest(t)
	importList(t, db, RateImportOptions{Mode: Replace}, parseList(t, "44 0.01"))
	im, err := db.NewRateImport(t.Context(), RateImportOptions{Deck: "default", Mode: Replace}, nil)
	if err != nil {
		t.Fatal(err)
	}
	im.Add(parseList(t, "44 0.02")[0])
	quiet := func(int64, int64) {}
	counts, err := im.Compare(t.Context(), quiet)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(t.Context(), func(tx *Tx) error {
		return tx.Rates.Put(&rating.Rate{Deck: rating.DefaultDeck, Prefix: "49", Terms: parseList(t, "49 1")[0].Rate.Terms})
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err = im.Apply(t.Context(), counts, quiet); rating.KindOf(err) != rating.Conflict {
		t.Errorf("apply = %v, want a conflict", err)
	}
	if got, want := dump(t, db, "default"), "44 0.01 ..\n49 1.0 ..\n"; got != want {
		t.Errorf("deck:\n%swant:\n%s", got, want)
	}
	noResidue(t, db)
	importList(t, db, RateImportOptions{Mode: Merge}, parseList(t, "44 0.02"))
}

// A client that goes away while rows are staged leaves nothing, and the deck is free again.
func TestCancelledImportLeavesNothing(t *testing.T) {
	db := openTest(t)
	importList(t, db, RateImportOptions{Mode: Replace}, parseList(t, "44 0.01"))
	before := dump(t, db, "default")
	ctx, cancel := context.WithCancel(t.Context())
	im, err := db.NewRateImport(ctx, RateImportOptions{Deck: "default", Mode: Replace}, nil)
	if err != nil {
		t.Fatal(err)
	}
	row := parseList(t, "44 0.02")[0]
	for i := range 3 * stageChunk {
		r := *row
		r.Rate.Prefix = fmt.Sprint(100_000 + i)
		if err := im.Add(&r); err != nil {
			t.Fatal(err)
		}
	}
	counts, err := im.Compare(ctx, func(int64, int64) {})
	if err != nil {
		t.Fatal(err)
	}
	if _, err = im.Apply(ctx, counts, func(int64, int64) { cancel() }); err == nil {
		t.Error("apply of a cancelled import succeeded")
	}
	if got := dump(t, db, "default"); got != before {
		t.Errorf("deck:\n%swant:\n%s", got, before)
	}
	noResidue(t, db)
	importList(t, db, RateImportOptions{Mode: Replace}, parseList(t, "44 0.02"))
}

// noResidue checks that no row is invisible, no closing waits and no import is open.
func noResidue(t *testing.T, db *DB) {
	t.Helper()
	err := db.View(t.Context(), func(tx *Tx) error {
		decks := map[rating.DeckID]*rating.Deck{}
		list, err := tx.allDecks()
		for _, d := range list {
			decks[d.ID] = d
			if d.Settling {
				t.Errorf("deck %s is still settling", d.Name)
			}
		}
		if err != nil {
			return err
		}
		n := 0
		err = tx.Rates.Each(0, func(r *rating.Rate) (bool, error) {
			if n++; decks[r.Deck] == nil || r.Gen > decks[r.Deck].Generation {
				t.Errorf("rate %d of prefix %s is left of an import", r.ID, r.Prefix)
				return false, nil
			}
			return true, nil
		})
		if err != nil {
			return err
		}
		if k, _ := tx.Txn.Cursor(bRateClose).First(); k != nil {
			t.Errorf("a closing is left of an import")
		}
		index := 0
		c := tx.Txn.Cursor(bRateDeck)
		for k, _ := c.First(); k != nil; k, _ = c.Next() {
			index++
		}
		if index != n {
			t.Errorf("%d keys find the %d rates", index, n)
		}
		return tx.Imports.Each(0, func(i *Import) (bool, error) {
			if !i.Applied && i.FinishedAt.IsZero() {
				t.Errorf("import %d is still open", i.ID)
			}
			return true, nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
}
