package storage

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math"
	"slices"

	"billd/rating"
)

// maxListedRates bounds one price list: the largest A–Z lists with every US number block have about a
// million rows.
const maxListedRates = 8_000_000

// ListedRate is one row of a price list on its way into a deck.
type ListedRate struct {
	Rate  rating.Rate // ID and UUID only from billd's own export
	Given RateFields  // what the row itself says; the rest is defaults
	Line  int         // of the file, for rejects
}

// RateFields is a set of what a row of a price list can say of a rate.
type RateFields uint32

// The fields, and two ways to read a row.
const (
	GivePrice RateFields = 1 << iota
	GiveNextPrice
	GiveConnect
	GiveFirst
	GiveNext
	GiveFree
	GiveGrace
	GiveSurcharge
	GiveMinCost
	GiveMaxCost
	GiveFrom
	GiveTill
	GiveBlocked
	GiveName
	GiveLabel
	GiveExternal
	GiveReverse
	GiveDisabled
	GiveMinLen
	GiveMaxLen
	GiveWeight
	GiveISO
	GiveEnd   // the row withdraws its prefix from its valid-from on and has no price
	GiveWhole // the row is a stored rate as billd exported it: all that it lacks is zero
)

func (f RateFields) has(g RateFields) bool { return f&g != 0 }

// rateList keeps a price list in about 80 bytes a row, sorted by prefix, direction and valid-from.
type rateList struct {
	rows   []listedRow
	chunks [][]byte
}

type listedRow struct {
	head  uint64 // the first eight bytes of the prefix
	at    uint32 // chunk ‖ offset of the number, its length and the row as it is stored
	line  uint32
	given RateFields
	stage bool
}

// listChunk is what a rateList grows by; a row takes one of its own if it is longer.
const (
	listChunkBits = 18
	listChunk     = 1 << listChunkBits
)

// keep encodes r into the list's memory and returns where.
func (l *rateList) keep(r *rating.Rate) (uint32, error) {
	var buf [512]byte
	row, err := appendRate(buf[:0], r)
	if err != nil {
		return 0, err
	}
	size := len(row) + 2*binary.MaxVarintLen64
	last := len(l.chunks) - 1
	if last < 0 || len(l.chunks[last])+size > cap(l.chunks[last]) {
		if last++; last > math.MaxUint32>>listChunkBits {
			return 0, rating.Errorf(rating.Limit, "file", "the list takes more than 4 GiB of memory")
		}
		l.chunks = append(l.chunks, make([]byte, 0, max(listChunk, size)))
	}
	c := l.chunks[last]
	at := uint32(last)<<listChunkBits | uint32(len(c))
	c = binary.AppendUvarint(c, uint64(r.ID))
	c = binary.AppendUvarint(c, uint64(len(row)))
	l.chunks[last] = append(c, row...)
	return at, nil
}

// bytes returns the number that a kept row wants, and the row.
func (l *rateList) bytes(at uint32) (rating.RateID, []byte) {
	b := l.chunks[at>>listChunkBits][at&(listChunk-1):]
	id, n := binary.Uvarint(b)
	b = b[n:]
	size, n := binary.Uvarint(b)
	return rating.RateID(id), b[n : n+int(size)]
}

// rate decodes row i into r.
func (l *rateList) rate(i int, r *rating.Rate) error {
	id, b := l.bytes(l.rows[i].at)
	return decodeRate(id, b, r)
}

// entry reads of row i what the deck index needs.
func (l *rateList) entry(i int, e *indexedRate) error {
	id, b := l.bytes(l.rows[i].at)
	return rateEntry(id, b, e)
}

func (l *rateList) add(row *ListedRate) error {
	if len(l.rows) == maxListedRates {
		return rating.Errorf(rating.Limit, "file", "more than %d rates in one file", maxListedRates)
	}
	at, err := l.keep(&row.Rate)
	if err != nil {
		return err
	}
	var head [8]byte
	copy(head[:], row.Rate.Prefix)
	l.rows = append(l.rows, listedRow{head: binary.BigEndian.Uint64(head[:]), at: at, line: uint32(row.Line), given: row.Given})
	return nil
}

// sort puts rows of one prefix together, in the order of the prefixes' bytes.
func (l *rateList) sort() {
	var x, y indexedRate
	slices.SortFunc(l.rows, func(a, b listedRow) int {
		if c := cmp.Compare(a.head, b.head); c != 0 {
			return c
		}
		idA, rowA := l.bytes(a.at)
		idB, rowB := l.bytes(b.at)
		// rows that keep encoded decode: the errors cannot happen
		_ = rateEntry(idA, rowA, &x)
		_ = rateEntry(idB, rowB, &y)
		return cmp.Or(bytes.Compare(x.Prefix, y.Prefix), cmp.Compare(x.Entry.Direction, y.Entry.Direction),
			cmp.Compare(x.Entry.From, y.Entry.From), cmp.Compare(a.line, b.line))
	})
}
