package rating

import (
	"cmp"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"testing"
)

var indexSeed = flag.Uint64("index.seed", 0, "seed of the randomised index tests; 0 draws one")

// model is a deck as a map, to be walked from the longest prefix down.
type model map[string][]Entry

// match is what DeckIndex.Match promises, the slow way.
func (m model) match(number string, at int64, dir Direction) (Match, bool) {
	for n := len(number); n >= 0; n-- {
		var best *Entry
		for _, e := range m[number[:n]] {
			if e.Weight == 0 {
				e.Weight = 100
			}
			if e.Direction != dir || at < e.From || e.Till != 0 && at >= e.Till ||
				len(number) < int(e.MinLen) || e.MaxLen != 0 && len(number) > int(e.MaxLen) {
				continue
			}
			if best == nil || cmp.Or(cmp.Compare(e.Weight, best.Weight), cmp.Compare(e.Rate, best.Rate)) < 0 {
				best = &e
			}
		}
		if best != nil {
			return Match{Rate: best.Rate, PrefixLen: n, Terms: best.Terms, Blocked: best.Blocked, Reverse: best.Reverse}, true
		}
	}
	return Match{}, false
}

// randomPrefix favours short prefixes over few digits, so that many nest and many meet.
func randomPrefix(r *rand.Rand, digits string) string {
	n := 1 + r.IntN(9)
	switch r.IntN(50) {
	case 0:
		n = 20 + r.IntN(MaxPrefix-20)
	case 1:
		n = 0
	}
	p := make([]byte, n)
	for i := range p {
		p[i] = digits[r.IntN(len(digits))]
	}
	if n > 0 && r.IntN(40) == 0 {
		p[r.IntN(n)] = "+a*/:"[r.IntN(5)]
	}
	return string(p)
}

// randomEntry draws windows around 0 to 100, some of them empty.
func randomEntry(r *rand.Rand, id RateID) Entry {
	e := Entry{Rate: id, Blocked: r.IntN(9) == 0, Reverse: r.IntN(9) == 0}
	e.Terms.ConnectFee = Money(r.IntN(3))
	e.Terms.First = Step{Seconds: 60, Price: Price(r.IntN(1e9))}
	e.Terms.Next = Step{Seconds: 1, Price: Price(r.IntN(1e9))}
	if r.IntN(3) == 0 {
		e.From = int64(r.IntN(80))
	}
	if r.IntN(3) == 0 {
		e.Till = e.From + 1 + int64(r.IntN(60))
	}
	if r.IntN(5) == 0 {
		e.Direction = Inbound
	}
	if r.IntN(5) == 0 {
		e.MinLen = uint8(r.IntN(14))
	}
	if r.IntN(5) == 0 {
		e.MaxLen = uint8(r.IntN(14))
	}
	if r.IntN(5) == 0 {
		e.Weight = uint8(r.IntN(3))
	}
	return e
}

// randomNumber grows a prefix of the deck most of the time.
func randomNumber(r *rand.Rand, rows []deckRow, digits string) string {
	s := ""
	if len(rows) > 0 && r.IntN(8) > 0 {
		s = rows[r.IntN(len(rows))].prefix
		s = s[:len(s)-min(len(s), r.IntN(3))]
	}
	return s + randomPrefix(r, digits)
}

func TestMatchAgreesWithTheModel(t *testing.T) {
	seed := cmp.Or(*indexSeed, rand.Uint64())
	t.Logf("-index.seed=%d", seed)
	for _, tt := range []struct {
		rows, edits int
		digits      string
	}{
		{3, 2, "12"}, {40, 0, "123"}, {40, 30, "123"}, {2_000, 0, "0123456789"},
		{2_000, 300, "0123456789"}, {jumpFrom + 2_000, 300, "0123456789"}, {3 * jumpFrom, 300, "1234"},
	} {
		t.Run(fmt.Sprintf("%d rows of digits %s and %d edits", tt.rows, tt.digits, tt.edits), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, uint64(tt.rows)))
			x, m, rows := randomDeck(t, r, tt.rows, tt.edits, tt.digits)
			wantLen := 0
			for _, entries := range m {
				wantLen += len(entries)
			}
			if x.Len() != wantLen {
				t.Errorf("Len = %d, want %d", x.Len(), wantLen)
			}
			for range 30_000 {
				number, at, dir := randomNumber(r, rows, tt.digits), int64(r.IntN(120)), Direction(r.IntN(5)/4)
				got, gotOK := x.Match(number, at, dir)
				want, wantOK := m.match(number, at, dir)
				if got != want || gotOK != wantOK {
					t.Fatalf("Match(%q, %d, %v) = %+v, %v, want %+v, %v", number, at, dir, got, gotOK, want, wantOK)
				}
			}
		})
	}
}

// randomDeck returns an index, its model, and all rows that ever were in it.
func randomDeck(t testing.TB, r *rand.Rand, n, edits int, digits string) (*DeckIndex, model, []deckRow) {
	m := model{}
	var rows []deckRow
	for len(rows) < n {
		row := deckRow{randomPrefix(r, digits), randomEntry(r, RateID(len(rows)+1))}
		m[row.prefix] = append(m[row.prefix], row.entry)
		rows = append(rows, row)
	}
	if r.IntN(2) == 0 {
		slices.SortStableFunc(rows, func(a, b deckRow) int { return cmp.Compare(a.prefix, b.prefix) })
	}
	x := build(t, rows)
	for i := range edits {
		prefix := randomNumber(r, rows, digits)
		if r.IntN(2) == 0 {
			prefix = rows[r.IntN(len(rows))].prefix
		}
		var entries []Entry
		for range r.IntN(3) {
			entries = append(entries, randomEntry(r, RateID(1<<40+i*3+len(entries)))) // an overlay takes any number
			rows = append(rows, deckRow{prefix, entries[len(entries)-1]})
		}
		m[prefix] = entries
		x = x.With(prefix, entries)
	}
	return x, m, rows
}

func TestReadersNeedNoLock(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	x, m, rows := randomDeck(t, r, 2_000, 20, "0123456789")
	var wg sync.WaitGroup
	for i := range uint64(4) {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(7, i))
			for range 2_000 {
				number := randomNumber(r, rows, "0123456789")
				got, _ := x.Match(number, 50, Outbound)
				if want, _ := m.match(number, 50, Outbound); got != want {
					t.Errorf("Match(%q) = %+v, want %+v", number, got, want)
				}
			}
		})
	}
	for i := range 200 {
		x.With(strconv.Itoa(i), nil)
	}
	wg.Wait()
}

func FuzzMatch(f *testing.F) {
	f.Add("442079460000", "44", "4420", "+44", int64(5))
	f.Add("", "", "0", "00", int64(0))
	f.Add("12345678901234567890123", "12345678901234567890123", "12345", "123456", int64(-1))
	f.Fuzz(func(t *testing.T, number, p, q, edited string, at int64) {
		rows := []deckRow{{p, Entry{Rate: 1, Till: 50}}, {q, Entry{Rate: 2}}, {p, Entry{Rate: 3, From: 20}}, {edited, Entry{Rate: 4}}}
		b := NewIndexBuilder(0)
		m := model{}
		for _, row := range rows {
			b.Add(row.prefix, row.entry)
			m[row.prefix] = append(m[row.prefix], row.entry)
		}
		x, err := b.Build()
		if err != nil {
			return
		}
		m[edited] = []Entry{{Rate: 5, MinLen: 3}}
		x = x.With(edited, m[edited])
		got, _ := x.Match(number, at, Outbound)
		if want, _ := m.match(number, at, Outbound); at >= 0 && got != want {
			t.Errorf("Match(%q, %d) = %+v, want %+v", number, at, got, want)
		}
	})
}
