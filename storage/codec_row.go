package storage

import (
	"encoding/binary"
	"math/bits"

	"billd/rating"
)

// Rows of calls, rates and postings are binary: a layout number, then what codec_cdr.go,
// codec_rate.go and codec_posting.go say. Fixed-width numbers are little-endian. Numbers that are
// seldom large are varints, those that may be negative zigzag varints; text is its length as a
// varint and its bytes.

// newerRow refuses a row whose layout this billd does not know.
func newerRow(record, why string) error {
	return rating.Errorf(rating.Internal, record, "row written by a newer billd: %s", why)
}

// damagedRow refuses a row that no billd wrote.
func damagedRow(record, why string) error {
	return rating.Errorf(rating.Internal, record, "row is damaged: %s", why)
}

// checkLayout reads a row's first byte.
func checkLayout(b []byte, record string, newest byte) error {
	switch {
	case len(b) == 0:
		return damagedRow(record, "it is empty")
	case b[0] == 0:
		return damagedRow(record, "it has no layout number")
	case b[0] > newest:
		return rating.Errorf(rating.Internal, record, "row written by a newer billd: layout %d, want at most %d", b[0], newest)
	}
	return nil
}

// rowReader takes a row apart from the front. Once the row turns out too short or a number too long,
// failed is set and all that is read is zero.
type rowReader struct {
	b      []byte
	failed bool
}

func (r *rowReader) fail() {
	r.b, r.failed = nil, true
}

// take returns the next n bytes of the row, nil if it has fewer.
func (r *rowReader) take(n uint64) []byte {
	if n > uint64(len(r.b)) {
		r.fail()
		return nil
	}
	taken := r.b[:n]
	r.b = r.b[n:]
	return taken
}

func (r *rowReader) u8() uint8 {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *rowReader) u32() uint32 {
	if b := r.take(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (r *rowReader) i64() int64 {
	if b := r.take(8); b != nil {
		return int64(binary.LittleEndian.Uint64(b))
	}
	return 0
}

func (r *rowReader) uvarint() uint64 {
	if len(r.b) > 0 && r.b[0] < 0x80 {
		n := uint64(r.b[0])
		r.b = r.b[1:]
		return n
	}
	n, width := binary.Uvarint(r.b)
	if width <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[width:]
	return n
}

func (r *rowReader) uvarint32() uint32 {
	n := r.uvarint()
	if n > 1<<32-1 {
		r.fail()
		return 0
	}
	return uint32(n)
}

func (r *rowReader) varint() int64 { return unzigzag(r.uvarint()) }

// text returns the next text as part of the row.
func (r *rowReader) text() []byte { return r.take(r.uvarint()) }

// texts fills dst with the next texts of the row. They share one copy, made once.
func (r *rowReader) texts(dst ...*string) {
	whole := string(r.b)
	size := len(r.b)
	for _, s := range dst {
		t := r.text()
		end := size - len(r.b)
		if r.failed {
			return
		}
		*s = whole[end-len(t) : end]
	}
}

// appendText appends a text that rowReader.text reads.
func appendText(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

// zigzag folds negative numbers between the positive ones, so that small ones of either sign are short.
func zigzag(n int64) uint64 { return uint64(n)<<1 ^ uint64(n>>63) }

func unzigzag(u uint64) int64 { return int64(u>>1) ^ -int64(u&1) }

// skipVarints returns where in b the varint after the next n ones starts, -1 if b ends before.
//
// It looks at eight bytes at a time: a varint ends at the first byte without its high bit.
func skipVarints(b []byte, at, n int) int {
	const highBits = 0x8080808080808080
	for n > 0 && at+8 <= len(b) {
		ends := ^binary.LittleEndian.Uint64(b[at:]) & highBits
		inWord := bits.OnesCount64(ends)
		if inWord < n {
			n -= inWord
			at += 8
			continue
		}
		for ; n > 1; n-- {
			ends &= ends - 1
		}
		return at + bits.TrailingZeros64(ends)/8 + 1
	}
	for ; n > 0; at++ {
		if at >= len(b) {
			return -1
		}
		if b[at] < 0x80 {
			n--
		}
	}
	return at
}
