package storage

import (
	"encoding/binary"
	"math/bits"

	"billd/rating"
)

// A CDR row is
//
//	layout     1 byte
//	flags      1 byte: status in the low half, origin in the high one
//	revision   varint
//	columns    length in bytes, then a bitmap of the columns that are set, bit f%8 of byte f/8
//	numbers    those columns in field order, varints
//	texts      those columns in field order
//
// Columns of whole numbers and booleans are plain varints, all others zigzag. time_start is written as
// microseconds after the millisecond in the row's key, the other instants as microseconds after time_start.
const cdrLayout = 1

// cdrColumnSet is a set of columns, bit f%64 of word f/64.
type cdrColumnSet [2]uint64

// has reports whether f is in the set.
func (s *cdrColumnSet) has(f rating.CDRField) bool { return s[f>>6&1]&(1<<(f&63)) != 0 }

// before returns how many columns of s that are in of come before f.
func (s *cdrColumnSet) before(f rating.CDRField, of *cdrColumnSet) int {
	below := uint64(1)<<(f&63) - 1
	if f < 64 {
		return bits.OnesCount64(s[0] & of[0] & below)
	}
	return bits.OnesCount64(s[0]&of[0]) + bits.OnesCount64(s[1]&of[1]&below)
}

// What the columns are, by field.
var (
	cdrKnown   = cdrColumns(func(rating.ValueKind) bool { return true })
	cdrTexts   = cdrColumns(rating.ValueKind.IsText)
	cdrNumbers = cdrColumns(func(k rating.ValueKind) bool { return !k.IsText() })
	cdrTimes   = cdrColumns(func(k rating.ValueKind) bool { return k == rating.KindTime })
	cdrSigned  = cdrColumns(func(k rating.ValueKind) bool {
		return !k.IsText() && k != rating.KindInt && k != rating.KindBool
	})
)

func cdrColumns(of func(rating.ValueKind) bool) (s cdrColumnSet) {
	for f := range rating.CDRField(rating.NumCDRFields) {
		if of(f.Kind()) {
			s[f>>6] |= 1 << (f & 63)
		}
	}
	return s
}

// cdrBase returns what instants in column f are counted from, in microseconds.
func cdrBase(id rating.CDRID, f rating.CDRField, start int64, hasStart bool) int64 {
	if f == rating.CDRTimeStart || !hasStart {
		return id.Milli() * 1000
	}
	return start
}

// appendCDR appends c as a row to dst; its number is the row's key.
func appendCDR(dst []byte, c *rating.CDR) []byte {
	has := cdrColumnSet(c.Present())
	dst = append(dst, cdrLayout, byte(c.Status)&0xf|byte(c.Origin)<<4)
	dst = binary.AppendUvarint(dst, uint64(c.Revision))
	dst = appendColumnSet(dst, has)
	for w := range has {
		for left := has[w] & cdrNumbers[w]; left != 0; left &= left - 1 {
			f := rating.CDRField(w<<6 | bits.TrailingZeros64(left))
			n := c.Int(f)
			if cdrTimes.has(f) {
				n -= cdrBase(c.ID, f, c.Int(rating.CDRTimeStart), has.has(rating.CDRTimeStart))
			}
			if cdrSigned.has(f) {
				n = int64(zigzag(n))
			}
			dst = binary.AppendUvarint(dst, uint64(n))
		}
	}
	for w := range has {
		for left := has[w] & cdrTexts[w]; left != 0; left &= left - 1 {
			dst = appendText(dst, c.Text(rating.CDRField(w<<6|bits.TrailingZeros64(left))))
		}
	}
	return dst
}

// appendColumnSet appends s without the empty bytes at its end.
func appendColumnSet(dst []byte, s cdrColumnSet) []byte {
	n := (bits.Len64(s[0]) + 7) / 8
	if s[1] != 0 {
		n = 8 + (bits.Len64(s[1])+7)/8
	}
	var whole [16]byte
	binary.LittleEndian.PutUint64(whole[:8], s[0])
	binary.LittleEndian.PutUint64(whole[8:], s[1])
	return append(append(dst, byte(n)), whole[:n]...)
}

// decodeCDR makes c the call that row b holds under key id. It keeps nothing of b: the texts of c share
// one copy. Fails with Internal if b is damaged or a newer billd wrote it; c is then not to be used.
func decodeCDR(id rating.CDRID, b []byte, c *rating.CDR) error {
	c.Reset()
	var v cdrView
	if err := v.open(id, b); err != nil {
		return err
	}
	c.ID, c.Origin, c.Status, c.Revision = id, v.origin, v.status, v.revision
	at := v.columns
	for w := range v.has {
		for left := v.has[w] & cdrNumbers[w]; left != 0; left &= left - 1 {
			f := rating.CDRField(w<<6 | bits.TrailingZeros64(left))
			u, width := binary.Uvarint(b[at:])
			if width <= 0 {
				return damagedRow("cdr", f.Name()+" is cut short")
			}
			at += width
			n := int64(u)
			if cdrSigned.has(f) {
				n = unzigzag(u)
			}
			if cdrTimes.has(f) {
				n += cdrBase(id, f, c.Int(rating.CDRTimeStart), v.has.has(rating.CDRTimeStart))
			}
			c.SetInt(f, n)
		}
	}
	return v.decodeTexts(at, c)
}

// decodeTexts sets the text columns of c from the row's end, which begins at at.
func (v *cdrView) decodeTexts(at int, c *rating.CDR) error {
	r := rowReader{b: v.b[at:]}
	whole := string(r.b)
	for w := range v.has {
		for left := v.has[w] & cdrTexts[w]; left != 0; left &= left - 1 {
			f := rating.CDRField(w<<6 | bits.TrailingZeros64(left))
			t := r.text()
			if len(t) == 0 {
				return damagedRow("cdr", f.Name()+" is cut short")
			}
			end := len(whole) - len(r.b)
			c.SetText(f, whole[end-len(t):end])
		}
	}
	if len(r.b) > 0 {
		return damagedRow("cdr", "bytes follow its last column")
	}
	return nil
}
