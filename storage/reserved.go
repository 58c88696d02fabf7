package storage

import (
	"encoding/binary"
	"maps"
	"slices"

	"billd/rating"
	"billd/storage/kv"
)

// appendReserved encodes what an account's reservations hold, its maps in order of their keys.
func appendReserved(b []byte, h *rating.Reserved) []byte {
	b = binary.AppendVarint(b, int64(h.Amount))
	b = binary.AppendUvarint(b, h.Originated)
	b = binary.AppendUvarint(b, h.Terminated)
	b = binary.AppendUvarint(b, uint64(len(h.AuthCalls)))
	for _, id := range slices.Sorted(maps.Keys(h.AuthCalls)) {
		b = binary.AppendUvarint(binary.AppendUvarint(b, id), h.AuthCalls[id])
	}
	b = binary.AppendUvarint(b, uint64(len(h.CounterHeld)))
	for _, id := range slices.Sorted(maps.Keys(h.CounterHeld)) {
		b = binary.AppendVarint(binary.AppendUvarint(b, id), h.CounterHeld[id])
	}
	return b
}

// decodeReserved reads a row of reserved; none is nothing.
func decodeReserved(b []byte) (h rating.Reserved, err error) {
	if b == nil {
		return h, nil
	}
	ok := true
	number := func() uint64 {
		n, size := binary.Uvarint(b)
		if size <= 0 {
			ok = false
			return 0
		}
		b = b[size:]
		return n
	}
	signed := func() int64 {
		n, size := binary.Varint(b)
		if size <= 0 {
			ok = false
			return 0
		}
		b = b[size:]
		return n
	}
	h.Amount = rating.Money(signed())
	h.Originated, h.Terminated = number(), number()
	if n := number(); n > 0 {
		h.AuthCalls = map[uint64]uint64{}
		for ; ok && n > 0; n-- {
			id := number()
			h.AuthCalls[id] = number()
		}
	}
	if n := number(); n > 0 {
		h.CounterHeld = map[uint64]int64{}
		for ; ok && n > 0; n-- {
			id := number()
			h.CounterHeld[id] = signed()
		}
	}
	if !ok {
		return rating.Reserved{}, rating.Errorf(rating.Internal, "reserved", "what an account has reserved does not decode")
	}
	return h, nil
}

func sameReserved(a, b *rating.Reserved) bool {
	return a.Amount == b.Amount && a.Originated == b.Originated && a.Terminated == b.Terminated &&
		maps.Equal(a.AuthCalls, b.AuthCalls) && maps.Equal(a.CounterHeld, b.CounterHeld)
}

// reservations proves that what an account shows as reserved is what its reservations hold, and that these
// refer to accounts that exist.
func (c *checker) reservations() error {
	want := map[rating.AccountID]*rating.Reserved{}
	c.tx.Reservations.EachSound(func(r *Reservation) {
		c.refer("reservation", r.ID, "account", uint64(r.Account), c.tx.Accounts.Has)
		if r.Vendor != 0 {
			c.refer("reservation", r.ID, "account", uint64(r.Vendor), c.tx.Accounts.Has)
		}
		if r.Amount < 0 || r.CounterSeconds < 0 {
			c.fault("reservation %d: holds %s and %d s", r.ID, r.Amount, r.CounterSeconds)
		}
		for _, id := range r.accounts() {
			if want[id] == nil {
				want[id] = &rating.Reserved{}
			}
			if err := hold(want[id], r, id, 1); err != nil {
				c.fault("reservation %d: %v", r.ID, err)
			}
		}
	})
	cur := c.tx.Txn.Cursor(bReserved)
	for k, v := cur.First(); k != nil; k, v = cur.Next() {
		id := rating.AccountID(kv.ID(k))
		h, err := decodeReserved(v)
		is := want[id]
		delete(want, id)
		switch {
		case err != nil:
			c.fault("reserved of account %d: %v", id, err)
		case is == nil:
			c.fault("reserved of account %d: %s, it has no reservation", id, h.Amount)
		case !sameReserved(&h, is):
			c.fault("reserved of account %d: %s for %d and %d calls, its reservations hold %s for %d and %d", id,
				h.Amount, h.Originated, h.Terminated, is.Amount, is.Originated, is.Terminated)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(want)) {
		c.fault("reserved of account %d: none stored, its reservations hold %s for %d and %d calls", id, want[id].Amount, want[id].Originated, want[id].Terminated)
	}
	return nil
}
