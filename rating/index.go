package rating

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"unsafe"
)

// RateID is a rate's number, unique over all decks. An index holds the first 2³² of them.
type RateID uint64

// DeckID is a deck's number.
type DeckID uint64

// Direction says which way a call goes, as the paying customer sees it.
type Direction uint8

// The directions. The zero value is the call that almost every deck prices.
const (
	Outbound Direction = iota // the customer dials
	Inbound                   // the customer is dialled
)

// String returns Kazoo's word: "outbound", "inbound".
func (d Direction) String() string {
	if d == Inbound {
		return "inbound"
	}
	return "outbound"
}

// Entry is one rate row as the index needs it.
//
// From and Till are Unix milliseconds, Till exclusive; From 0 is always, Till 0 is never. MinLen
// and MaxLen bound the length of the dialled number in bytes, 0 being no bound. Among rows of one
// prefix the lower Weight wins, 0 standing for 100, and then the lower Rate.
type Entry struct {
	Rate       RateID
	Terms      Terms
	From, Till int64
	Direction  Direction
	Blocked    bool
	Reverse    bool
	OnVendor   bool // the rate's row says how the price follows the vendor's
	MinLen     uint8
	MaxLen     uint8
	Weight     uint8
}

// unsetWeight is what a rate without a weight counts as. Source: Kazoo hotornot.
const unsetWeight = 100

// call is what a row is asked to admit.
type call struct {
	at  int64
	len int // of the whole dialled number
	dir Direction
}

// admits reports whether e, the prices and number of which are not looked at, prices c.
func (e *Entry) admits(c call) bool {
	return e.Direction == c.dir &&
		(e.From == 0 || c.at >= e.From) &&
		(e.Till == 0 || c.at < e.Till) && // exclusive: two rows may meet at midnight
		c.len >= int(e.MinLen) &&
		(e.MaxLen == 0 || c.len <= int(e.MaxLen))
}

// match returns e as the answer for a prefix of n bytes.
func (e *Entry) match(n int) Match {
	return Match{Rate: e.Rate, PrefixLen: n, Terms: e.Terms, Blocked: e.Blocked, Reverse: e.Reverse, OnVendor: e.OnVendor}
}

// byRank orders the rows of one prefix: the first that admits a call wins.
func byRank(a, b Entry) int {
	return cmp.Or(cmp.Compare(a.Weight, b.Weight), cmp.Compare(a.Rate, b.Rate))
}

// Match is the rate row that prices a call. number[:PrefixLen] is its prefix.
type Match struct {
	Rate      RateID
	PrefixLen int // bytes
	Terms     Terms
	Blocked   bool // the call is to be refused
	Reverse   bool // the customer earns
	OnVendor  bool // Terms are the rate's own; what it charges is Rate.FollowVendor's
}

// DeckIndex finds the rate of a dialled number in one deck.
//
// It never changes, so any number of readers may share it; With makes a changed one that shares
// all that did not change. The zero index and the nil index match nothing.
type DeckIndex struct {
	base *trie
	over *overlay
}

// Match returns the row with the longest prefix of number that is valid at at (Unix milliseconds),
// has direction dir and admits number's length.
//
// A longest prefix that has no such row gives way to the next shorter one. number is compared
// byte by byte as it is: "+44" and "0044" are not "44". It allocates nothing.
// Source: Yeti routing, Kazoo hotornot; vectors in testdata/match.txt.
func (x *DeckIndex) Match(number string, at int64, dir Direction) (Match, bool) {
	if x == nil {
		return Match{}, false
	}
	c := call{at: at, len: len(number), dir: dir}
	for limit := min(len(number), maxPrefixBytes); limit >= 0; {
		first, n := x.base.longest(number[:limit])
		if entries, m, ok := x.over.longest(number[:limit], n); ok {
			if i := slices.IndexFunc(entries, func(e Entry) bool { return e.admits(c) }); i >= 0 {
				return entries[i].match(m), true
			}
			limit = m - 1
			continue
		}
		if n < 0 {
			break
		}
		if r, kind := x.base.pick(first, c); r != nil {
			m := kind.match(n)
			m.Rate, m.Terms.First.Price, m.Terms.Next.Price = RateID(r.rate), r.first, r.next
			return m, true
		}
		limit = n - 1
	}
	return Match{}, false
}

// With returns an index in which entries are all the rows of prefix, whatever x holds for it; no
// entries is no rows. x stays as it was.
//
// The changed prefixes are an overlay that costs a copy a change and a map probe a lookup and
// length: fold it by building anew when Overlay says so. Rates of the overlay may have any number.
func (x *DeckIndex) With(prefix string, entries []Entry) *DeckIndex {
	if x == nil {
		x = &DeckIndex{}
	}
	entries = slices.Clone(entries)
	for i := range entries {
		if entries[i].Weight == 0 {
			entries[i].Weight = unsetWeight
		}
	}
	slices.SortFunc(entries, byRank)
	return &DeckIndex{base: x.base, over: x.over.with(strings.Clone(prefix), entries, x.base.count(prefix))}
}

// Len returns how many rows x holds, valid ones or not.
func (x *DeckIndex) Len() int {
	if x == nil {
		return 0
	}
	n := 0
	if x.base != nil {
		n = len(x.base.rows)
	}
	if x.over != nil {
		n += x.over.rows - x.over.hidden
	}
	return n
}

// Overlay returns how many rows lie in the overlay, a prefix without rows counting as one. Beyond
// about 1,000 its owner builds the index anew.
func (x *DeckIndex) Overlay() int {
	if x == nil || x.over == nil {
		return 0
	}
	return x.over.rows + x.over.gone
}

// Bytes returns about how much memory x holds, the overlay included.
func (x *DeckIndex) Bytes() int {
	if x == nil {
		return 0
	}
	return x.base.bytes() + x.over.bytes()
}

// texts finds the longest key that a number starts with, by probing each length that keys have.
type texts[V any] struct {
	by      map[string]V
	lengths []int // of the keys, longest first
}

// longest returns the longest key that starts number and is over bytes long or longer.
func (t *texts[V]) longest(number string, over int) (v V, n int, ok bool) {
	for _, n := range t.lengths {
		if n < over {
			break
		}
		if n > len(number) {
			continue
		}
		if v, ok := t.by[number[:n]]; ok {
			return v, n, true
		}
	}
	return v, -1, false
}

// put adds a key to a t that nobody reads yet.
func (t *texts[V]) put(key string, v V) {
	if t.by == nil {
		t.by = make(map[string]V)
	}
	t.by[key] = v
	at, ok := slices.BinarySearchFunc(t.lengths, len(key), func(a, b int) int { return b - a })
	if !ok {
		t.lengths = slices.Insert(t.lengths, at, len(key))
	}
}

// bytes returns about how much memory t holds, size being that of what a value points at.
func (t *texts[V]) bytes(size func(V) int) int {
	// A map slot is the key's header, the value, a control byte and an eighth left free.
	slot := (int(unsafe.Sizeof("")) + int(unsafe.Sizeof(*new(V))) + 1) * 8 / 7
	n := len(t.lengths) * int(unsafe.Sizeof(0))
	for k, v := range t.by {
		n += slot + len(k) + size(v)
	}
	return n
}

// overlay holds the prefixes that changed since the base was built. A nil one is empty.
type overlay struct {
	texts  texts[[]Entry]
	rows   int // in texts
	gone   int // prefixes in texts without rows
	hidden int // rows of the base that prefixes in texts replace
}

// longest is texts.longest for an overlay that may be nil.
func (o *overlay) longest(number string, over int) ([]Entry, int, bool) {
	if o == nil {
		return nil, -1, false
	}
	return o.texts.longest(number, over)
}

// with returns a copy of o in which entries are the rows of prefix, instead of hidden rows of the base.
func (o *overlay) with(prefix string, entries []Entry, hidden int) *overlay {
	c := &overlay{}
	if o != nil {
		*c = *o
		c.texts.by = maps.Clone(o.texts.by)
		c.texts.lengths = slices.Clone(o.texts.lengths)
	}
	old, again := c.texts.by[prefix]
	if !again {
		c.hidden += hidden
	} else if len(old) == 0 {
		c.gone--
	}
	if len(entries) == 0 {
		c.gone++
	}
	c.rows += len(entries) - len(old)
	c.texts.put(prefix, entries)
	return c
}

// bytes returns about how much memory o holds.
func (o *overlay) bytes() int {
	if o == nil {
		return 0
	}
	return int(unsafe.Sizeof(*o)) + o.texts.bytes(func(es []Entry) int { return len(es) * int(unsafe.Sizeof(Entry{})) })
}
