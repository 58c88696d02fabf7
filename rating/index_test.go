package rating

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// deckRow is a row of a deck in a test.
type deckRow struct {
	prefix string
	entry  Entry
}

// build returns the index of rows.
func build(t testing.TB, rows []deckRow) *DeckIndex {
	t.Helper()
	b := NewIndexBuilder(len(rows))
	for _, r := range rows {
		b.Add(r.prefix, r.entry)
	}
	x, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func TestMatch(t *testing.T) {
	text, err := os.ReadFile("testdata/match.txt")
	if err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.Split(string(text), "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		col := strings.Split(line, "|")
		if len(col) != 8 {
			t.Fatalf("testdata/match.txt: line %d: %d columns, want 8", i+1, len(col))
		}
		for i := range col {
			col[i] = strings.TrimSpace(col[i])
		}
		t.Run(col[0], func(t *testing.T) {
			x := build(t, parseRows(t, col[1]))
			x = edit(x, parseRows(t, col[2]))
			dir := Outbound
			if col[5] == "in" {
				dir = Inbound
			}
			m, ok := x.Match(col[3], parseDate(t, col[4]), dir)
			if got, want := showMatch(m, ok, col[3]), col[6]; got != want {
				t.Errorf("Match(%q) = %s, want %s", col[3], got, want)
			}
		})
	}
}

// edit lays rows over x, all rows of a prefix at once; a row without a rate leaves its prefix none.
func edit(x *DeckIndex, rows []deckRow) *DeckIndex {
	edits := map[string][]Entry{}
	for _, r := range rows {
		if r.entry.Rate == 0 {
			edits[r.prefix] = nil
			continue
		}
		edits[r.prefix] = append(edits[r.prefix], r.entry)
	}
	for prefix, entries := range edits {
		x = x.With(prefix, entries)
	}
	return x
}

// parseRows reads rows as testdata/match.txt writes them.
func parseRows(t *testing.T, text string) []deckRow {
	t.Helper()
	var rows []deckRow
	for _, word := range strings.Fields(text) {
		prefix, rest, _ := strings.Cut(word, "=")
		options := strings.Split(rest, ",")
		e := Entry{}
		if options[0] != "-" {
			e.Rate = RateID(parseUint(t, options[0], 32))
		}
		for _, option := range options[1:] {
			key, value, _ := strings.Cut(option, "=")
			switch key {
			case "from":
				e.From = parseDate(t, value)
			case "till":
				e.Till = parseDate(t, value)
			case "in":
				e.Direction = Inbound
			case "min":
				e.MinLen = uint8(parseUint(t, value, 8))
			case "max":
				e.MaxLen = uint8(parseUint(t, value, 8))
			case "w":
				e.Weight = uint8(parseUint(t, value, 8))
			case "blocked":
				e.Blocked = true
			case "reverse":
				e.Reverse = true
			default:
				t.Fatalf("row %q: unknown option %q", word, option)
			}
		}
		rows = append(rows, deckRow{prefix, e})
	}
	return rows
}

func parseUint(t *testing.T, s string, bits int) uint64 {
	t.Helper()
	n, err := strconv.ParseUint(s, 10, bits)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func parseDate(t *testing.T, s string) int64 {
	t.Helper()
	d, err := time.Parse(time.DateOnly, s)
	if err != nil {
		t.Fatal(err)
	}
	return d.UnixMilli()
}

// showMatch writes a match as testdata/match.txt does.
func showMatch(m Match, ok bool, number string) string {
	if !ok {
		return "-"
	}
	s := fmt.Sprintf("%d:%s", m.Rate, number[:m.PrefixLen])
	if m.Blocked {
		s += ",blocked"
	}
	if m.Reverse {
		s += ",reverse"
	}
	return s
}

func TestMatchReturnsTheTermsAsAdded(t *testing.T) {
	terms := func(n int64) Terms {
		return Terms{
			ConnectFee: Money(n), FreeSeconds: 3, Grace: 4, Surcharge: 5, MinCost: 6, MaxCost: 7,
			First: Step{Seconds: 60, Price: Price(n + 1)}, Next: Step{Seconds: 6, Price: Price(n + 2)},
		}
	}
	x := build(t, []deckRow{
		{"44", Entry{Rate: 1, Terms: terms(100)}},
		{"4420", Entry{Rate: 2, Terms: terms(200)}},
		{"+44", Entry{Rate: 3, Terms: terms(300)}},
	}).With("45", []Entry{{Rate: 4, Terms: terms(400)}})
	for number, want := range map[string]Match{
		"441":  {Rate: 1, PrefixLen: 2, Terms: terms(100)},
		"4420": {Rate: 2, PrefixLen: 4, Terms: terms(200)},
		"+441": {Rate: 3, PrefixLen: 3, Terms: terms(300)},
		"451":  {Rate: 4, PrefixLen: 2, Terms: terms(400)},
	} {
		if got, _ := x.Match(number, 0, Outbound); got != want {
			t.Errorf("Match(%s) = %+v, want %+v", number, got, want)
		}
	}
}

func TestIndexWithoutRows(t *testing.T) {
	empty, err := NewIndexBuilder(0).Build()
	if err != nil {
		t.Fatal(err)
	}
	for name, x := range map[string]*DeckIndex{"nil": nil, "zero": {}, "built": empty} {
		t.Run(name, func(t *testing.T) {
			if m, ok := x.Match("442079460000", 0, Outbound); ok {
				t.Errorf("Match = %+v, want none", m)
			}
			if x.Len() != 0 || x.Overlay() != 0 {
				t.Errorf("Len, Overlay = %d, %d, want 0, 0", x.Len(), x.Overlay())
			}
			if got := x.Bytes(); got > 1000 {
				t.Errorf("Bytes = %d, want next to none", got)
			}
			if m, _ := x.With("44", []Entry{{Rate: 7}}).Match("442079460000", 0, Outbound); m.Rate != 7 {
				t.Errorf("Match of an edited index = %+v, want rate 7", m)
			}
		})
	}
}

func TestBuildRefuses(t *testing.T) {
	for _, tt := range []struct {
		name, prefix string
		rate         RateID
		want         Kind
	}{
		{"a rate number beyond 32 bits", "44", math.MaxUint32 + 1, Range},
		{"a prefix of 65 digits", strings.Repeat("4", 65), 1, Invalid},
		{"a prefix of 65 letters of two bytes", strings.Repeat("é", 65), 1, Invalid},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := NewIndexBuilder(0)
			b.Add("1", Entry{Rate: 1})
			b.Add(tt.prefix, Entry{Rate: tt.rate})
			b.Add("2", Entry{Rate: 2})
			if x, err := b.Build(); x != nil || KindOf(err) != tt.want {
				t.Errorf("Build = %v, %v, want %v", x, err, tt.want)
			}
		})
	}
}

func TestBuildTakesTheWidest(t *testing.T) {
	digits, letters := strings.Repeat("4", MaxPrefix), strings.Repeat("é", MaxPrefix)
	x := build(t, []deckRow{{digits, Entry{Rate: math.MaxUint32}}, {letters, Entry{Rate: 2}}})
	for number, want := range map[string]Match{
		digits + "4":  {Rate: math.MaxUint32, PrefixLen: 64},
		letters + "é": {Rate: 2, PrefixLen: 128},
	} {
		if got, ok := x.Match(number, 0, Outbound); !ok || got != want {
			t.Errorf("Match(%s) = %+v, want %+v", number, got, want)
		}
	}
}

func TestWithCounts(t *testing.T) {
	base := build(t, []deckRow{{"44", Entry{Rate: 1}}, {"44", Entry{Rate: 2}}, {"+44", Entry{Rate: 3}}})
	two := []Entry{{Rate: 8}, {Rate: 9}}
	x := base
	for _, tt := range []struct {
		name          string
		prefix        string
		entries       []Entry
		rows, overlay int
	}{
		{"replacing two rows by two", "44", two, 3, 2},
		{"again by one", "44", two[:1], 2, 1},
		{"removing it", "44", nil, 1, 1},
		{"removing it once more", "44", nil, 1, 1},
		{"bringing it back", "44", two, 3, 2},
		{"adding a prefix", "45", two, 5, 4},
		{"removing the added prefix", "45", nil, 3, 3},
		{"removing what never was", "46", nil, 3, 4},
		{"removing the prefix with a plus", "+44", nil, 2, 5},
	} {
		x = x.With(tt.prefix, tt.entries)
		if x.Len() != tt.rows || x.Overlay() != tt.overlay {
			t.Errorf("%s: Len, Overlay = %d, %d, want %d, %d", tt.name, x.Len(), x.Overlay(), tt.rows, tt.overlay)
		}
	}
	if base.Len() != 3 || base.Overlay() != 0 {
		t.Errorf("the index edited: Len, Overlay = %d, %d, want 3, 0", base.Len(), base.Overlay())
	}
	if x.Bytes() <= base.Bytes() {
		t.Errorf("Bytes with an overlay = %d, want more than %d without", x.Bytes(), base.Bytes())
	}
}

func TestWithLeavesTheEntriesToTheCaller(t *testing.T) {
	entries := []Entry{{Rate: 2}, {Rate: 1}}
	x := (*DeckIndex)(nil).With("44", entries)
	entries[0].Rate, entries[1].Rate = 9, 9
	if m, _ := x.Match("44", 0, Outbound); m.Rate != 1 {
		t.Errorf("Match = rate %d, want 1", m.Rate)
	}
}

func TestASmallDeckIsSmall(t *testing.T) {
	x := build(t, []deckRow{{"1", Entry{Rate: 1}}, {"33", Entry{Rate: 2}}, {"44", Entry{Rate: 3}}, {"4420", Entry{Rate: 4}}, {"447", Entry{Rate: 5}}})
	if got := x.Bytes(); got > 1000 {
		t.Errorf("Bytes of 5 rows = %d, want at most 1000", got)
	}
}

func TestMatchAllocatesNothing(t *testing.T) {
	x := build(t, worldDeck(rand.New(rand.NewPCG(1, 1)), jumpFrom)).
		With("+44", []Entry{{Rate: 1}}).With("44", nil).With("4477", []Entry{{Rate: 2, Till: 1}})
	for _, number := range []string{"442079460000", "447700900000", "+442079460000", "1", ""} {
		if got := testing.AllocsPerRun(100, func() { x.Match(number, 5, Outbound) }); got != 0 {
			t.Errorf("Match(%q) allocates %v times, want 0", number, got)
		}
	}
}
