package rating

import (
	"math/bits"
	"unsafe"
)

// maxPrefixBytes is MaxPrefix characters in UTF-8.
const maxPrefixBytes = 4 * MaxPrefix

// jumpDigits is how many digits the jump table takes at once.
const jumpDigits = 5

// jumpFrom is the number of prefixes from which a trie gets a jump table. The table is 400 kB: as
// much as nodes and rows of so many prefixes.
const jumpFrom = 10_000

// trie holds the rows of a deck in arrays without pointers, which the garbage collector never scans.
//
// Prefixes of digits lie in a trie of ten-way nodes. A node names its children and their rows by
// two bitmaps; both lie side by side, so that a place among them is a population count. A child
// that no longer prefix continues is only a bit. A nil trie is empty.
type trie struct {
	nodes  []node   // 0 is the root
	jump   []uint32 // by the first five digits, see jumpTo; nil for a small deck
	starts []uint32 // first rows of the children of nodes that have jagged set
	rows   []row    // those of one prefix side by side, by rank
	kinds  []Entry  // what rows share: an Entry without number and prices
	texts  texts[uint32]
}

// node is one place in the trie; 16 bytes, so that it never lies across two cache lines.
type node struct {
	skip  uint32 // digits on the way into this node that offer no choice, plus 1, lowest four bits first
	bits  uint32 // 0–9: a child node; 10–19: the child has rows; 31: jagged
	child uint32 // its first child node
	rows  uint32 // the first row of its first child that has any; in starts if jagged
}

const (
	rowBit  = 10            // of node.bits: rows of child 0
	rowBits = 0x3ff << 10   // of node.bits: rows of every child
	jagged  = 1 << 31       // of node.bits: some child has several rows
	maxSkip = 32 / 4        // digits in node.skip
	more    = 1 << 31       // of row.kind: the next row has the same prefix
	maxRows = 1<<26 - 1     // so that a jump entry holds a row, and 2³² bytes every prefix
	short   = 1 << 31       // of a jump entry: no child node, but rows
	shortN  = 26            // of a jump entry with short: where the prefix length lies, above the row
	shortAt = 1<<shortN - 1 // of a jump entry with short: the row
)

// row is a rate in 24 bytes.
type row struct {
	first, next Price
	kind        uint32 // index into kinds, and more
	rate        uint32
}

// longest returns the first row of the longest prefix that number starts with, and its length.
// The length is -1 if there is none.
func (t *trie) longest(number string) (first uint32, n int) {
	if t == nil {
		return 0, -1
	}
	first, n = t.digits(number)
	if len(t.texts.lengths) != 0 {
		if f, m, ok := t.texts.longest(number, n+1); ok {
			return f, m
		}
	}
	return first, n
}

// digits is longest among the prefixes of digits.
func (t *trie) digits(number string) (first uint32, n int) {
	if t.jump != nil && len(number) >= jumpDigits {
		if at, ok := jumpAt(number); ok {
			to := t.jump[at]
			if to&short != 0 {
				return to & shortAt, int(to &^ short >> shortN)
			}
			if to != 0 {
				if first, n = t.walk(to, number, jumpDigits); n >= 0 {
					return first, n
				}
			}
			number = number[:jumpDigits]
		}
	}
	if len(t.nodes) == 0 {
		return 0, -1
	}
	return t.walk(0, number, 0)
}

// jumpAt returns the place of number's first five digits in the jump table.
func jumpAt(number string) (at uint32, ok bool) {
	for i := range jumpDigits {
		d := uint32(number[i]) - '0'
		if d > 9 {
			return 0, false
		}
		at = at*10 + d
	}
	return at, true
}

// walk is digits from node i, which number[:depth] leads to.
func (t *trie) walk(i uint32, number string, depth int) (first uint32, n int) {
	var best *node
	var digit uint32
	n = -1
	for {
		nd := &t.nodes[i]
		for s := nd.skip; s != 0; s >>= 4 {
			if depth >= len(number) || uint32(number[depth])-'0'+1 != s&15 {
				return t.first(best, digit), n
			}
			depth++
		}
		if depth >= len(number) {
			break
		}
		d := uint32(number[depth]) - '0'
		if d > 9 {
			break
		}
		depth++
		if nd.bits>>(rowBit+d)&1 != 0 {
			best, digit, n = nd, d, depth
		}
		if nd.bits>>d&1 == 0 {
			break
		}
		i = nd.child + uint32(bits.OnesCount32(nd.bits&(1<<d-1)))
	}
	return t.first(best, digit), n
}

// first returns the first row of child d of nd; 0 without a node.
func (t *trie) first(nd *node, d uint32) uint32 {
	if nd == nil {
		return 0
	}
	at := nd.rows + uint32(bits.OnesCount32(nd.bits&rowBits&(1<<(rowBit+d)-1)))
	if nd.bits&jagged != 0 {
		return t.starts[at]
	}
	return at
}

// pick returns the best row that admits c among those of the prefix whose first row is i, and what
// it shares; nil if none does.
func (t *trie) pick(i uint32, c call) (*row, *Entry) {
	for {
		r := &t.rows[i]
		if kind := &t.kinds[r.kind&^more]; kind.admits(c) {
			return r, kind
		}
		if r.kind&more == 0 {
			return nil, nil
		}
		i++
	}
}

// count returns how many rows prefix has.
func (t *trie) count(prefix string) int {
	first, n := t.longest(prefix)
	if n != len(prefix) {
		return 0
	}
	rows := 1
	for t.rows[first].kind&more != 0 {
		rows++
		first++
	}
	return rows
}

// bytes returns about how much memory t holds.
func (t *trie) bytes() int {
	if t == nil {
		return 0
	}
	return int(unsafe.Sizeof(*t)) + cap(t.nodes)*int(unsafe.Sizeof(node{})) + cap(t.rows)*int(unsafe.Sizeof(row{})) +
		cap(t.kinds)*int(unsafe.Sizeof(Entry{})) + (cap(t.jump)+cap(t.starts))*int(unsafe.Sizeof(uint32(0))) +
		t.texts.bytes(func(uint32) int { return 0 })
}
