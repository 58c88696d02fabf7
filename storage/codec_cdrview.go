package storage

import (
	"encoding/binary"
	"math/bits"

	"billd/rating"
)

// cdrView reads single columns of a CDR row without decoding the others. It is valid as long as the row;
// open makes it one of another row.
type cdrView struct {
	id       rating.CDRID
	b        []byte
	columns  int // where the first column begins
	has      cdrColumnSet
	revision uint32
	origin   rating.Origin
	status   rating.CDRStatus
}

// open makes v a view of the row that is kept under id.
// Fails with Internal if the row's head is damaged or a newer billd wrote it; v is then not to be used.
func (v *cdrView) open(id rating.CDRID, b []byte) error {
	if err := checkLayout(b, "cdr", cdrLayout); err != nil {
		return err
	}
	v.id, v.b = id, b
	if len(b) >= 20 && b[2] < 0x80 && b[3] <= 16 { // nearly all: nothing runs over the end
		v.status, v.origin, v.revision = rating.CDRStatus(b[1]&0xf), rating.Origin(b[1]>>4), uint32(b[2])
		n := uint(b[3])
		v.columns = 4 + int(n)
		v.has = cdrColumnSet{binary.LittleEndian.Uint64(b[4:]), binary.LittleEndian.Uint64(b[12:])}
		if n < 8 {
			v.has[0] &= 1<<(8*n) - 1
			n = 8
		}
		v.has[1] &= 1<<(8*(n-8)) - 1
	} else if err := v.openSlowly(); err != nil {
		return err
	}
	switch {
	case v.status > rating.Unrated || v.origin > rating.History:
		return newerRow("cdr", "it has an unknown status or origin")
	case v.has[0]&^cdrKnown[0] != 0 || v.has[1]&^cdrKnown[1] != 0:
		return newerRow("cdr", "it has unknown columns")
	}
	return nil
}

// openSlowly reads the head of a row that is short, often revised or not sound.
func (v *cdrView) openSlowly() error {
	r := rowReader{b: v.b[1:]}
	flags := r.u8()
	v.revision = r.uvarint32()
	set := r.text()
	if r.failed {
		return damagedRow("cdr", "its head is cut short")
	}
	v.status, v.origin = rating.CDRStatus(flags&0xf), rating.Origin(flags>>4)
	v.columns = len(v.b) - len(r.b)
	var whole [16]byte
	copy(whole[:], set)
	v.has = cdrColumnSet{binary.LittleEndian.Uint64(whole[:8]), binary.LittleEndian.Uint64(whole[8:])}
	if len(set) > len(whole) {
		return newerRow("cdr", "it has unknown columns")
	}
	return nil
}

// Int returns a column that is held as a number; ok is false when it is null or the row is damaged.
func (v *cdrView) Int(f rating.CDRField) (n int64, ok bool) {
	if !v.has.has(f) || !cdrNumbers.has(f) {
		return 0, false
	}
	at := skipVarints(v.b, v.columns, v.has.before(f, &cdrNumbers))
	if at < 0 {
		return 0, false
	}
	u, width := binary.Uvarint(v.b[at:])
	if width <= 0 {
		return 0, false
	}
	n = int64(u)
	if cdrSigned.has(f) {
		n = unzigzag(u)
	}
	if !cdrTimes.has(f) {
		return n, true
	}
	start, hasStart := int64(0), false
	if f != rating.CDRTimeStart {
		start, hasStart = v.Int(rating.CDRTimeStart)
	}
	return n + cdrBase(v.id, f, start, hasStart), true
}

// Text returns a column that is held as text, as part of the row; ok is false when it is null or the
// row is damaged.
func (v *cdrView) Text(f rating.CDRField) (text []byte, ok bool) {
	if !v.has.has(f) || !cdrTexts.has(f) {
		return nil, false
	}
	numbers := bits.OnesCount64(v.has[0]&cdrNumbers[0]) + bits.OnesCount64(v.has[1]&cdrNumbers[1])
	at := skipVarints(v.b, v.columns, numbers)
	if at < 0 {
		return nil, false
	}
	before := v.has.before(f, &cdrTexts)
	for ; before > 0 && at < len(v.b) && v.b[at] < 0x80; before-- {
		at += 1 + int(v.b[at])
	}
	if at > len(v.b) {
		return nil, false
	}
	r := rowReader{b: v.b[at:]}
	for range before {
		r.text()
	}
	text = r.text()
	return text, len(text) > 0
}

// cdrColumn reads one column of the row that is kept under id: num if the column is held as a number,
// else txt as part of the row. ok is false when the column is null or the row cannot be read.
func cdrColumn(id rating.CDRID, b []byte, f rating.CDRField) (num int64, txt []byte, ok bool) {
	var v cdrView
	if v.open(id, b) != nil {
		return 0, nil, false
	}
	if cdrTexts.has(f) {
		txt, ok = v.Text(f)
		return 0, txt, ok
	}
	num, ok = v.Int(f)
	return num, nil, ok
}
