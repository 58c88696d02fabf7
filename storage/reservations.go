package storage

import (
	"bytes"
	"encoding/binary"
	"strconv"
	"time"

	"billd/rating"
	"billd/storage/kv"
)

// Reservation is what a call that was authorised may cost, kept from all others until the call's record
// charges it, it is released, or it expires.
type Reservation struct {
	ID             uint64
	Account        rating.AccountID
	Vendor         rating.AccountID // who terminates the call, 0 for nobody
	Auth           uint64           // the customers-auth that told the payer, 0 for none
	Rate           rating.RateID    // that priced it when it was made, 0 for an emergency call without one
	StartAt        time.Time        // the instant that it is priced at
	CreatedAt      time.Time
	ExpiresAt      time.Time // from then on it holds nothing
	Seconds        uint32    // the call may last
	Amount         rating.Money
	Counter        uint64 // the package counter that pays, 0 for none
	CounterSeconds int64  // held of it
	CallID         string // "" for none: no record settles it
	Source         string
	Src, Number    string
}

// open reports whether r still holds what it was made for.
func (r *Reservation) open(now time.Time) bool { return now.Before(r.ExpiresAt) }

// accounts returns whose reservations r is among: the payer and, if that is another one, the vendor.
func (r *Reservation) accounts() []rating.AccountID {
	if r.Vendor == 0 || r.Vendor == r.Account {
		return []rating.AccountID{r.Account}
	}
	return []rating.AccountID{r.Account, r.Vendor}
}

type reservationTables struct{ reservations kv.Table[Reservation] }

// ReservationRows is the table of calls that are authorised and not charged yet.
type ReservationRows struct{ Reservations Rows[Reservation] }

func newReservationTables() reservationTables {
	t := kv.Table[Reservation]{Name: "reservation", Bucket: bReservation,
		ID:     func(r *Reservation) *uint64 { return &r.ID },
		Encode: func(dst []byte, r *Reservation) ([]byte, error) { return appendReservation(dst, r), nil },
		Decode: decodeReservation}
	t.Unique = []kv.Unique[Reservation]{{Bucket: bReservationCall, Field: "call_id", Key: func(r *Reservation) []byte { return reservationCallKey(r.Account, r.CallID) }}}
	t.Index = []kv.Index[Reservation]{
		{Bucket: bReservationAccount, Keys: func(r *Reservation) [][]byte {
			var keys [][]byte
			for _, id := range r.accounts() {
				keys = append(keys, kv.Key(nil).U64(uint64(id)).Milli(r.ExpiresAt))
			}
			return keys
		}},
		{Bucket: bReservationDue, Keys: func(r *Reservation) [][]byte { return one(kv.Key(nil).Milli(r.ExpiresAt)) }},
	}
	return reservationTables{t}
}

func bindReservations(tx *Tx) ReservationRows {
	return ReservationRows{bind(tx, &schema.reservations)}
}

func reservationCallKey(a rating.AccountID, callID string) []byte {
	if callID == "" {
		return nil
	}
	return kv.Key(make([]byte, 0, 72)).U64(uint64(a)).Text(callID)
}

const reservationVersion = 1

func appendReservation(b []byte, r *Reservation) []byte {
	b = append(b, reservationVersion)
	for _, n := range [...]uint64{uint64(r.Account), uint64(r.Vendor), r.Auth, uint64(r.Rate), uint64(r.Seconds), r.Counter} {
		b = binary.AppendUvarint(b, n)
	}
	for _, n := range [...]int64{r.StartAt.UnixMicro(), r.CreatedAt.UnixMilli(), r.ExpiresAt.UnixMilli(), int64(r.Amount), r.CounterSeconds} {
		b = binary.AppendVarint(b, n)
	}
	for _, s := range [...]string{r.CallID, r.Source, r.Src, r.Number} {
		b = append(binary.AppendUvarint(b, uint64(len(s))), s...)
	}
	return b
}

func decodeReservation(_ uint64, b []byte, r *Reservation) error {
	damaged := rating.Errorf(rating.Internal, "reservation", "row does not decode")
	if len(b) == 0 || b[0] != reservationVersion {
		return damaged
	}
	b = b[1:]
	var seconds, start, created, expires, amount int64
	var whole [6]uint64
	for i := range whole {
		n, size := binary.Uvarint(b)
		if size <= 0 {
			return damaged
		}
		whole[i], b = n, b[size:]
	}
	for _, p := range [...]*int64{&start, &created, &expires, &amount, &seconds} {
		n, size := binary.Varint(b)
		if size <= 0 {
			return damaged
		}
		*p, b = n, b[size:]
	}
	for _, p := range [...]*string{&r.CallID, &r.Source, &r.Src, &r.Number} {
		n, size := binary.Uvarint(b)
		if size <= 0 || n > uint64(len(b)-size) {
			return damaged
		}
		*p, b = string(b[size:size+int(n)]), b[size+int(n):]
	}
	r.Account, r.Vendor, r.Auth = rating.AccountID(whole[0]), rating.AccountID(whole[1]), whole[2]
	r.Rate, r.Seconds, r.Counter = rating.RateID(whole[3]), uint32(whole[4]), whole[5]
	r.StartAt, r.CreatedAt, r.ExpiresAt = time.UnixMicro(start).UTC(), time.UnixMilli(created).UTC(), time.UnixMilli(expires).UTC()
	r.Amount, r.CounterSeconds = rating.Money(amount), seconds
	return nil
}

// Reserved returns what an account's open reservations hold; one that has expired holds nothing, swept
// away yet or not.
func (tx *Tx) Reserved(id rating.AccountID) (rating.Reserved, error) {
	held, err := decodeReserved(tx.Txn.Get(bReserved, kv.Key(nil).U64(uint64(id))))
	if err != nil || empty(&held) {
		return held, err
	}
	c := tx.Txn.Cursor(bReservationAccount)
	under := kv.Key(nil).U64(uint64(id))
	var gone []uint64
	for k, _ := c.Seek(under); len(k) == 24 && bytes.HasPrefix(k, under) && int64(binary.BigEndian.Uint64(k[8:])) <= tx.now.UnixMilli(); k, _ = c.Next() {
		gone = append(gone, kv.ID(k))
	}
	for _, n := range gone {
		r, err := tx.Reservations.Get(n)
		if err != nil {
			return held, err
		}
		if err := hold(&held, r, id, -1); err != nil {
			return held, err
		}
	}
	return held, nil
}

func empty(h *rating.Reserved) bool {
	return h.Amount == 0 && h.Originated == 0 && h.Terminated == 0 && len(h.AuthCalls) == 0 && len(h.CounterHeld) == 0
}

// hold adds (sign 1) or takes away (-1) what a reservation holds of one of its accounts.
func hold(h *rating.Reserved, r *Reservation, id rating.AccountID, sign int64) (err error) {
	if id == r.Vendor {
		h.Terminated += uint64(sign)
	}
	if id != r.Account {
		return nil
	}
	if h.Amount, err = h.Amount.Add(r.Amount * rating.Money(sign)); err != nil {
		return err
	}
	h.Originated += uint64(sign)
	if r.Auth != 0 {
		if h.AuthCalls == nil {
			h.AuthCalls = map[uint64]uint64{}
		}
		if h.AuthCalls[r.Auth] += uint64(sign); h.AuthCalls[r.Auth] == 0 {
			delete(h.AuthCalls, r.Auth)
		}
	}
	if r.Counter != 0 {
		if h.CounterHeld == nil {
			h.CounterHeld = map[uint64]int64{}
		}
		if h.CounterHeld[r.Counter] += sign * r.CounterSeconds; h.CounterHeld[r.Counter] == 0 {
			delete(h.CounterHeld, r.Counter)
		}
	}
	return nil
}

// holds returns a reservation's accounts with what their reservations hold when it comes (sign 1) or
// goes (-1). Nothing is written.
func (tx *Tx) holds(r *Reservation, sign int64) (accounts []rating.AccountID, held []rating.Reserved, err error) {
	accounts = r.accounts()
	for _, id := range accounts {
		h, err := decodeReserved(tx.Txn.Get(bReserved, kv.Key(nil).U64(uint64(id))))
		if err == nil {
			err = hold(&h, r, id, sign)
		}
		if err != nil {
			return nil, nil, err
		}
		held = append(held, h)
	}
	return accounts, held, nil
}

func (tx *Tx) putHolds(accounts []rating.AccountID, held []rating.Reserved) error {
	for i, id := range accounts {
		key, err := kv.Key(nil).U64(uint64(id)), error(nil)
		if empty(&held[i]) {
			err = tx.Txn.Delete(bReserved, key)
		} else {
			err = tx.Txn.Put(bReserved, key, appendReserved(nil, &held[i]))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// putReservation stores a new reservation. Fails with Range, and writes nothing, if the sum of what its
// account has reserved leaves Money.
func (tx *Tx) putReservation(r *Reservation) error {
	accounts, held, err := tx.holds(r, 1)
	if err != nil {
		return err
	}
	if err := tx.putHolds(accounts, held); err != nil {
		return err
	}
	tx.reserving = reservesSome
	return tx.Reservations.Put(r)
}

// endReservation takes a reservation away, with all that it holds.
func (tx *Tx) endReservation(r *Reservation) error {
	accounts, held, err := tx.holds(r, -1)
	if err != nil {
		return err
	}
	if err := tx.putHolds(accounts, held); err != nil {
		return err
	}
	return tx.Reservations.Delete(r.ID)
}

// What a transaction knows of the store's reservations.
const (
	reservesUnknown = iota
	reservesNone
	reservesSome
)

// anyReservation reports whether the store holds a reservation at all: most records are charged without.
func (tx *Tx) anyReservation() bool {
	if tx.reserving == reservesUnknown {
		tx.reserving = reservesNone
		if k, _ := tx.Txn.Cursor(bReservation).First(); k != nil {
			tx.reserving = reservesSome
		}
	}
	return tx.reserving == reservesSome
}

// ReservationOf returns the reservation of an account's call, nil for none. It may have expired.
func (tx *Tx) ReservationOf(id rating.AccountID, callID string) (*Reservation, error) {
	key := reservationCallKey(id, callID)
	if key == nil {
		return nil, nil
	}
	v := tx.Txn.Get(bReservationCall, key)
	if v == nil {
		return nil, nil
	}
	return tx.Reservations.Get(kv.ID(v))
}

// reservationFor finds the reservation that a record is about: by its call id, else by that of the leg it
// came from.
func (tx *Tx) reservationFor(id rating.AccountID, c *rating.CDR) (r *Reservation, err error) {
	if !tx.anyReservation() {
		return nil, nil
	}
	for _, f := range [...]rating.CDRField{rating.CDRCallID, rating.CDROrigCallID} {
		if r, err = tx.ReservationOf(id, c.Text(f)); r != nil || err != nil {
			return r, err
		}
	}
	return nil, nil
}

// settleReservation ends the reservation of a call that is charged. A failed attempt that another one
// follows leaves it: the call goes on.
func (tx *Tx) settleReservation(c *rating.CDR) error {
	if c.Origin == rating.History || !c.Bool(rating.CDRIsLastCDR) {
		return nil
	}
	r, err := tx.reservationFor(c.Customer(), c)
	if err != nil || r == nil {
		return err
	}
	return tx.endReservation(r)
}

// unreserved leaves of a package counter what calls other than the one that is charged have not reserved.
// A call that was promised money pays with money while others hold the counter: it may last longer than
// what is left beside them.
func (tx *Tx) unreserved(c *rating.PackageCounter, payer rating.AccountID, call *rating.CDR) (*rating.PackageCounter, error) {
	if !c.Covers() || !tx.anyReservation() {
		return c, nil
	}
	held, err := tx.Reserved(payer)
	if err != nil {
		return nil, err
	}
	seconds := held.CounterHeld[c.ID]
	var own *Reservation
	if call != nil {
		if own, err = tx.reservationFor(payer, call); err != nil {
			return nil, err
		}
	}
	if own != nil && own.open(tx.now) && own.Counter == c.ID {
		seconds -= own.CounterSeconds
	}
	if seconds <= 0 {
		return c, nil
	}
	left := *c
	if left.Duration -= seconds; own != nil && own.Counter != c.ID {
		left.Duration = 0
	}
	return &left, nil
}

// sweepBatch is how many expired reservations one transaction takes away.
const sweepBatch = 1000

// ExpireReservations takes away reservations that have expired, a bounded number of them, and returns how
// many. They held nothing any more.
func (tx *Tx) ExpireReservations() (n int, err error) {
	var ids []uint64
	c := tx.Txn.Cursor(bReservationDue)
	for k, _ := c.First(); len(k) == 16 && int64(binary.BigEndian.Uint64(k)) <= tx.now.UnixMilli() && len(ids) < sweepBatch; k, _ = c.Next() {
		ids = append(ids, kv.ID(k))
	}
	for _, id := range ids {
		r, err := tx.Reservations.Get(id)
		if err != nil {
			return 0, err
		}
		if err := tx.endReservation(r); err != nil {
			return 0, err
		}
	}
	return len(ids), nil
}

// OpenReservations returns how many reservations hold something.
func (tx *Tx) OpenReservations() (n int) {
	c := tx.Txn.Cursor(bReservationDue)
	for k, _ := c.Seek(kv.Key(nil).U64(uint64(tx.now.UnixMilli() + 1))); k != nil; k, _ = c.Next() {
		n++
	}
	return n
}

// ReservationFilter picks reservations; the zero filter picks all.
type ReservationFilter struct {
	Account rating.AccountID // who pays
	CallID  string
}

// EachReservation calls fn with the open reservations that a filter picks, by number from one on, until it
// returns false.
func (tx *Tx) EachReservation(from uint64, f ReservationFilter, fn func(*Reservation) (bool, error)) error {
	return tx.Reservations.Each(from, func(r *Reservation) (bool, error) {
		if !r.open(tx.now) || f.Account != 0 && f.Account != r.Account || f.CallID != "" && f.CallID != r.CallID {
			return true, nil
		}
		return fn(r)
	})
}

// call returns the reserved call as it was asked for.
func (r *Reservation) call() *rating.Call {
	c := &rating.Call{AccountRef: strconv.FormatUint(uint64(r.Account), 10), Auth: r.Auth}
	if r.Vendor != 0 {
		c.VendorRef = strconv.FormatUint(uint64(r.Vendor), 10)
	}
	c.SetTime(rating.CDRTimeStart, r.StartAt)
	c.SetText(rating.CDRDstPrefixRouting, r.Number)
	c.SetText(rating.CDRSrcPrefixRouting, r.Src)
	c.SetText(rating.CDRCallID, r.CallID)
	return c
}
