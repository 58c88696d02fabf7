package rating

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"
	"strings"
	"unicode/utf8"
)

// IndexBuilder gathers the rows of one deck. Make one with NewIndexBuilder.
type IndexBuilder struct {
	text     []byte   // the prefixes of digits, one after another
	ends     []uint32 // prefix i is text[ends[i]:ends[i+1]]
	rows     []row    // row i belongs to prefix i
	unsorted bool

	others map[string][]row // rows whose prefix is not digits only
	kinds  []Entry
	kindOf map[Entry]uint32
	last   uint32 // the kind of the row before, which is most often that of the next
	err    error
}

// NewIndexBuilder returns a builder for about sizeHint rows.
func NewIndexBuilder(sizeHint int) *IndexBuilder {
	sizeHint = min(max(sizeHint, 0), maxRows)
	return &IndexBuilder{
		text:   make([]byte, 0, 8*sizeHint), // world-wide decks come to 6 to 8 digits a prefix
		ends:   append(make([]uint32, 0, sizeHint+1), 0),
		rows:   make([]row, 0, sizeHint),
		others: make(map[string][]row),
		kindOf: make(map[Entry]uint32),
	}
}

// Add adds a row. Several rows may have one prefix. Any order will do, but rows that come sorted by
// prefix spare Build the sorting. What cannot be held makes Build fail.
func (b *IndexBuilder) Add(prefix string, e Entry) {
	if b.err != nil {
		return
	}
	if b.err = b.check(prefix, e); b.err != nil {
		return
	}
	r := row{first: e.Terms.First.Price, next: e.Terms.Next.Price, kind: b.kind(e), rate: uint32(e.Rate)}
	if !isDigits(prefix) {
		prefix = strings.Clone(prefix)
		b.others[prefix] = append(b.others[prefix], r)
		return
	}
	b.unsorted = b.unsorted || len(b.rows) > 0 && prefix < string(b.prefix(len(b.rows)-1))
	b.text = append(b.text, prefix...)
	b.ends = append(b.ends, uint32(len(b.text)))
	b.rows = append(b.rows, r)
}

// check returns why an index cannot hold e.
func (b *IndexBuilder) check(prefix string, e Entry) error {
	switch {
	case e.Rate > math.MaxUint32:
		return Errorf(Range, "rate", "rate %d: want at most %d in an index", e.Rate, uint32(math.MaxUint32))
	case len(prefix) > MaxPrefix && utf8.RuneCountInString(prefix) > MaxPrefix:
		return Broken("prefix", "maxLength", "64", "rate %d: prefix of %d characters, want at most %d", e.Rate, utf8.RuneCountInString(prefix), MaxPrefix)
	case len(b.rows) == maxRows:
		return Errorf(Limit, "deck", "deck: more than %d rates", maxRows)
	}
	return nil
}

// kind returns the place in kinds of what e shares with other rows.
func (b *IndexBuilder) kind(e Entry) uint32 {
	e.Rate, e.Terms.First.Price, e.Terms.Next.Price = 0, 0, 0
	if e.Weight == 0 {
		e.Weight = unsetWeight
	}
	if len(b.kinds) > 0 && b.kinds[b.last] == e {
		return b.last
	}
	k, ok := b.kindOf[e]
	if !ok {
		k = uint32(len(b.kinds))
		b.kinds = append(b.kinds, e)
		b.kindOf[e] = k
	}
	b.last = k
	return k
}

// prefix returns prefix i, which lives as long as b.text.
func (b *IndexBuilder) prefix(i int) []byte { return b.text[b.ends[i]:b.ends[i+1]] }

// isDigits reports whether s is one or more decimal digits.
func isDigits(s string) bool {
	for i := range len(s) {
		if s[i]-'0' > 9 {
			return false
		}
	}
	return s != ""
}

// Build returns the index of the rows added. The builder is spent.
//
// Fails with Range if a rate's number exceeds 2³² − 1, Invalid if a prefix is longer than MaxPrefix,
// Limit beyond 2²⁶ − 1 rows.
func (b *IndexBuilder) Build() (*DeckIndex, error) {
	if b.err != nil {
		return nil, b.err
	}
	if b.unsorted {
		b.sort()
	}
	size := len(b.rows)
	for _, rows := range b.others {
		size += len(rows)
	}
	g := grower{b: b, t: &trie{rows: make([]row, 0, size)}}
	if len(b.rows) > 0 {
		if len(b.rows) >= jumpFrom {
			g.t.jump = make([]uint32, 100_000) // ten to the power of jumpDigits
		}
		g.t.nodes = append(make([]node, 0, len(b.rows)/2+1), node{})
		g.grow(0, span{0, len(b.rows)}, 0)
		g.shorten()
	}
	for prefix, rows := range b.others {
		g.t.texts.put(prefix, g.place(rows))
	}
	g.t.nodes, g.t.starts, g.t.kinds = exact(g.t.nodes), exact(g.t.starts), exact(b.kinds)
	*b = IndexBuilder{}
	return &DeckIndex{base: g.t}, nil
}

// exact returns s without room to grow.
func exact[T any](s []T) []T {
	if len(s) == cap(s) {
		return s
	}
	return append(make([]T, 0, len(s)), s...)
}

// sort puts the rows in the order of their prefixes.
func (b *IndexBuilder) sort() {
	type key struct {
		head uint64 // the first eight bytes, which decide nearly always
		at   uint32
	}
	keys := make([]key, len(b.rows))
	for i := range keys {
		var head [8]byte
		copy(head[:], b.prefix(i))
		keys[i] = key{binary.BigEndian.Uint64(head[:]), uint32(i)}
	}
	slices.SortFunc(keys, func(x, y key) int {
		if x.head != y.head {
			return cmp.Compare(x.head, y.head)
		}
		return slices.Compare(b.prefix(int(x.at)), b.prefix(int(y.at)))
	})
	text := make([]byte, 0, len(b.text))
	ends := append(make([]uint32, 0, len(b.ends)), 0)
	rows := make([]row, 0, len(b.rows))
	for _, k := range keys {
		text = append(text, b.prefix(int(k.at))...)
		ends = append(ends, uint32(len(text)))
		rows = append(rows, b.rows[k.at])
	}
	b.text, b.ends, b.rows, b.unsorted = text, ends, rows, false
}

// grower makes a trie of a builder's sorted rows.
type grower struct {
	b *IndexBuilder
	t *trie
}

// span is the rows lo to hi of the builder, hi exclusive.
type span struct{ lo, hi int }

// grow fills node i with s, whose prefixes share their first depth digits and have more.
func (g *grower) grow(i uint32, s span, depth int) {
	if depth == jumpDigits && g.t.jump != nil {
		at, _ := jumpAt(string(g.b.prefix(s.lo)))
		g.t.jump[at] = i
	}
	skip, depth := g.skip(s, depth)
	var own, deeper [10]span // by the next digit: rows of the child itself, rows below it
	nd := node{skip: skip, child: uint32(len(g.t.nodes)), rows: uint32(len(g.t.rows))}
	for lo := s.lo; lo < s.hi; {
		d := g.b.prefix(lo)[depth] - '0'
		mid, hi := g.split(span{lo, s.hi}, depth)
		own[d], deeper[d] = span{lo, mid}, span{mid, hi}
		if mid-lo > 1 {
			nd.bits |= jagged
		}
		lo = hi
	}
	if nd.bits&jagged != 0 {
		nd.rows = uint32(len(g.t.starts))
	}
	for d := range uint32(10) {
		if o := own[d]; o.lo < o.hi {
			nd.bits |= 1 << (rowBit + d)
			first := g.place(g.b.rows[o.lo:o.hi])
			if nd.bits&jagged != 0 {
				g.t.starts = append(g.t.starts, first)
			}
		}
		if deeper[d].lo < deeper[d].hi {
			nd.bits |= 1 << d
			g.t.nodes = append(g.t.nodes, node{})
		}
	}
	g.t.nodes[i] = nd
	next := nd.child
	for d := range 10 {
		if deeper[d].lo < deeper[d].hi {
			g.grow(next, deeper[d], depth+1)
			next++
		}
	}
}

// skip returns the digits after depth that all of s share and none ends within, as node.skip has
// them, and the depth behind them. A node always stands where the jump table leads.
func (g *grower) skip(s span, depth int) (uint32, int) {
	lo, hi := g.b.prefix(s.lo), g.b.prefix(s.hi-1)
	end := depth + maxSkip
	if depth < jumpDigits && g.t.jump != nil {
		end = jumpDigits - 1 // the digit behind the skipped ones leads to the jump table's node
	}
	end = min(end, len(lo)-1, len(hi)-1)
	skip, from := uint32(0), depth
	for ; depth < end && lo[depth] == hi[depth]; depth++ {
		skip |= uint32(lo[depth]-'0'+1) << (4 * (depth - from))
	}
	return skip, depth
}

// split returns where, among the rows of s that have the digit at depth of the first one, those
// begin that have more digits, and where all of them end.
func (g *grower) split(s span, depth int) (mid, hi int) {
	digit := g.b.prefix(s.lo)[depth]
	mid = s.lo
	for mid < s.hi && len(g.b.prefix(mid)) == depth+1 && g.b.prefix(mid)[depth] == digit {
		mid++
	}
	hi = mid
	for hi < s.hi && g.b.prefix(hi)[depth] == digit {
		hi++
	}
	return mid, hi
}

// place appends the rows of one prefix by rank and returns where they begin.
func (g *grower) place(rows []row) uint32 {
	first := len(g.t.rows)
	g.t.rows = append(g.t.rows, rows...)
	placed := g.t.rows[first:]
	if len(placed) > 1 {
		slices.SortFunc(placed, func(x, y row) int {
			return cmp.Or(cmp.Compare(g.b.kinds[x.kind].Weight, g.b.kinds[y.kind].Weight), cmp.Compare(x.rate, y.rate))
		})
		for i := range placed[1:] {
			placed[i].kind |= more
		}
	}
	return uint32(first)
}

// shorten fills the places of the jump table that no node below stands for with the rows of the
// longest of the five or fewer digits.
func (g *grower) shorten() {
	var number [jumpDigits]byte
	for at, to := range g.t.jump {
		if to != 0 {
			continue
		}
		for i, rest := jumpDigits-1, at; i >= 0; i, rest = i-1, rest/10 {
			number[i] = byte('0' + rest%10)
		}
		if first, n := g.t.walk(0, string(number[:]), 0); n >= 0 {
			g.t.jump[at] = short | uint32(n)<<shortN | first
		}
	}
}
