package storage

import (
	"encoding/binary"
	"encoding/json"
	"time"

	"billd/rating"
)

// A rate row is
//
//	layout       1 byte
//	bits         4 bytes: the rate… constants
//	generation   4 bytes
//	first price  8 bytes
//	next price   8 bytes, if it is not the first
//	from, till   8 bytes each, if set: microseconds since 1970
//	deck         varint
//	seconds      varints of the first and the next step
//	terms        fee, free seconds, grace, surcharge, least and greatest cost: varints, each if not 0
//	lengths      1 byte each of min, max and weight, if not 0
//	uuid         16 bytes, if given
//	external     varint, if given
//	texts        prefix; name and Kazoo's id, if not empty
//	extra        JSON up to the end of the row, if not zero
//
// Where a column of fixed width lies is known from bits alone. All varints but deck, seconds, free
// seconds and grace are zigzag.
const rateLayout = 1

// The bits of a rate row: what it says by itself, then which columns follow.
const (
	rateInbound uint32 = 1 << iota
	rateDisabled
	rateBlocked
	rateReverse
	rateLabelLow
	rateLabelHigh
	rateNextPrice
	rateFrom
	rateTill
	rateFee
	rateFreeSeconds
	rateGrace
	rateSurcharge
	rateMinCost
	rateMaxCost
	rateMinLen
	rateMaxLen
	rateWeight
	rateUUID
	rateExternal
	rateName
	rateKazooID
	rateExtra
	rateOnVendor // no column: extra says how the price follows the vendor's
	rateKnown    = iota
)

// rateLabelShift is where the two bits of the label lie.
const rateLabelShift = 4

// rateBits says what the row of r will hold.
func rateBits(r *rating.Rate) (set uint32) {
	t := &r.Terms
	for _, has := range [...]struct {
		bit uint32
		yes bool
	}{
		{rateInbound, r.Direction == rating.Inbound}, {rateDisabled, r.Disabled}, {rateBlocked, r.Blocked}, {rateReverse, r.Reverse},
		{rateNextPrice, t.Next.Price != t.First.Price}, {rateFrom, !r.From.IsZero()}, {rateTill, !r.Till.IsZero()},
		{rateFee, t.ConnectFee != 0}, {rateFreeSeconds, t.FreeSeconds != 0}, {rateGrace, t.Grace != 0},
		{rateSurcharge, t.Surcharge != 0}, {rateMinCost, t.MinCost != 0}, {rateMaxCost, t.MaxCost != 0},
		{rateMinLen, r.MinLen != 0}, {rateMaxLen, r.MaxLen != 0}, {rateWeight, r.Weight != 0},
		{rateUUID, !r.UUID.IsZero()}, {rateExternal, r.External != nil}, {rateName, r.Name != ""}, {rateKazooID, r.KazooID != ""},
		{rateOnVendor, r.Extra.OnVendor()},
		{rateExtra, r.Extra.ISO != "" || !plainExtra(&r.Extra)},
	} {
		if has.yes {
			set |= has.bit
		}
	}
	return set | uint32(r.Label&3)<<rateLabelShift
}

// appendRate appends r as a row to dst; its number is the row's key. From and Till are kept to the
// microsecond. Fails only if r.Extra holds what is no JSON.
func appendRate(dst []byte, r *rating.Rate) ([]byte, error) {
	has := rateBits(r)
	le := binary.LittleEndian
	dst = le.AppendUint32(append(dst, rateLayout), has)
	dst = le.AppendUint32(dst, r.Gen)
	dst = le.AppendUint64(dst, uint64(r.Terms.First.Price))
	if has&rateNextPrice != 0 {
		dst = le.AppendUint64(dst, uint64(r.Terms.Next.Price))
	}
	if has&rateFrom != 0 {
		dst = le.AppendUint64(dst, uint64(r.From.UnixMicro()))
	}
	if has&rateTill != 0 {
		dst = le.AppendUint64(dst, uint64(r.Till.UnixMicro()))
	}
	dst = binary.AppendUvarint(dst, uint64(r.Deck))
	dst = appendTerms(dst, has, &r.Terms)
	for _, n := range [...]uint8{r.MinLen, r.MaxLen, r.Weight} {
		if n != 0 {
			dst = append(dst, n)
		}
	}
	if has&rateUUID != 0 {
		dst = append(dst, r.UUID[:]...)
	}
	if has&rateExternal != 0 {
		dst = binary.AppendVarint(dst, *r.External)
	}
	dst = appendText(dst, r.Prefix)
	if has&rateName != 0 {
		dst = appendText(dst, r.Name)
	}
	if has&rateKazooID != 0 {
		dst = appendText(dst, r.KazooID)
	}
	if has&rateExtra == 0 {
		return dst, nil
	}
	extra, err := json.Marshal(&r.Extra)
	return append(dst, extra...), err
}

// appendTerms appends the columns of t that have no fixed width.
func appendTerms(dst []byte, has uint32, t *rating.Terms) []byte {
	dst = binary.AppendUvarint(dst, uint64(t.First.Seconds))
	dst = binary.AppendUvarint(dst, uint64(t.Next.Seconds))
	if has&rateFee != 0 {
		dst = binary.AppendVarint(dst, int64(t.ConnectFee))
	}
	if has&rateFreeSeconds != 0 {
		dst = binary.AppendUvarint(dst, uint64(t.FreeSeconds))
	}
	if has&rateGrace != 0 {
		dst = binary.AppendUvarint(dst, uint64(t.Grace))
	}
	if has&rateSurcharge != 0 {
		dst = binary.AppendVarint(dst, int64(t.Surcharge))
	}
	if has&rateMinCost != 0 {
		dst = binary.AppendVarint(dst, int64(t.MinCost))
	}
	if has&rateMaxCost != 0 {
		dst = binary.AppendVarint(dst, int64(t.MaxCost))
	}
	return dst
}

// decodeRate makes r the rate that row b holds under key id. It keeps nothing of b: the texts of r share
// one copy. Fails with Internal if b is damaged or a newer billd wrote it; r is then not to be used.
func decodeRate(id rating.RateID, b []byte, r *rating.Rate) error {
	row, err := openRate(id, b)
	if err != nil {
		return err
	}
	e := &row.entry
	*r = rating.Rate{ID: id, Deck: row.deck, Gen: row.gen, Terms: e.Terms, Direction: e.Direction,
		Disabled: row.has&rateDisabled != 0, Blocked: e.Blocked, Reverse: e.Reverse, Label: rating.RateLabel(row.has >> rateLabelShift & 3),
		MinLen: e.MinLen, MaxLen: e.MaxLen, Weight: e.Weight}
	if row.has&rateFrom != 0 {
		r.From = time.UnixMicro(row.from).UTC()
	}
	if row.has&rateTill != 0 {
		r.Till = time.UnixMicro(row.till).UTC()
	}
	copy(r.UUID[:], row.uuid)
	if row.has&rateExternal != 0 {
		external := row.external // a copy, or every row would go to the heap
		r.External = &external
	}
	texts := [3]*string{&r.Prefix}
	n := 1
	if row.has&rateName != 0 {
		texts[n] = &r.Name
		n++
	}
	if row.has&rateKazooID != 0 {
		texts[n] = &r.KazooID
		n++
	}
	row.rest.texts(texts[:n]...)
	if row.rest.failed {
		return damagedRow("rate", "its texts are cut short")
	}
	return decodeRateExtra(row.has, row.rest.b, &r.Extra)
}

// decodeRateExtra reads what lies behind the columns.
func decodeRateExtra(has uint32, b []byte, extra *rating.RateExtra) error {
	if has&rateExtra == 0 {
		if len(b) > 0 {
			return damagedRow("rate", "bytes follow its last column")
		}
		return nil
	}
	if err := json.Unmarshal(b, extra); err != nil {
		return damagedRow("rate", "its extra columns are no JSON")
	}
	return nil
}
