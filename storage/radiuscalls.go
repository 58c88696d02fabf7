package storage

import (
	"bytes"
	"context"
	"encoding/binary"
	"time"

	"billd/rating"
	"billd/storage/kv"
)

// RadiusCall is a call of which a NAS has told one part, or both not long ago: SIP proxies tell when a call
// begins and when it ends, and somebody has to put that together.
type RadiusCall struct {
	ID      uint64      `json:"id"`
	NAS     uint64      `json:"nas"`
	Source  string      `json:"source"` // of the call, as it was when the first part came
	Session string      `json:"session"`
	Address string      `json:"address,omitempty"` // of the sender
	Machine string      `json:"machine,omitempty"` // that the sender speaks for
	Whole   bool        `json:"whole,omitempty"`   // its Stop tells all, but for the time
	Start   *RadiusPart `json:"start,omitempty"`
	Stop    *RadiusPart `json:"stop,omitempty"`
	DueAt   time.Time   `json:"due_at"` // when it is looked at again
}

// RadiusPart is one packet, and the instant that it is about as it was first heard.
type RadiusPart struct {
	At   time.Time `json:"at"`
	Body []byte    `json:"body"` // its attributes as they stood in the packet
}

// How long the parts of a call are kept.
const (
	radiusStopAlone = 2 * time.Minute // a Stop waits for the Start that overtook it
	radiusCallKept  = time.Hour       // a call that is told: its NAS may not have heard the answer
	// RadiusCallLongest is how long a call may last whose Start and Stop are told apart.
	RadiusCallLongest = 24 * time.Hour
	maxRadiusCalls    = 1_000_000
)

func radiusCallKey(nas uint64, session string) []byte {
	return kv.Key(make([]byte, 0, 72)).U64(nas).Text(session)
}

// Told reports whether no other part is needed to charge c.
func (c *RadiusCall) Told() bool { return c.Stop != nil && (c.Whole || c.Start != nil) }

// HearRadiusCall keeps a part of a call, unless that was heard before, and returns the call as it is known
// then. heard has what is kept beside the parts of one that is new. Fails with Limit if too many calls wait.
func (tx *Tx) HearRadiusCall(heard RadiusCall, stop bool, part RadiusPart) (*RadiusCall, error) {
	c, err := tx.RadiusCalls.Rows.Find(bRadiusCallKey, radiusCallKey(heard.NAS, heard.Session))
	switch {
	case err == kv.ErrNotFound:
		if tx.db.radius.calls.Load() >= maxRadiusCalls {
			return nil, rating.Errorf(rating.Limit, "session", "%d calls wait for their other part", maxRadiusCalls)
		}
		tx.db.radius.calls.Add(1) // not when this commits: what publishes something holds up who comes next
		c = &heard
	case err != nil:
		return nil, err
	}
	to := &c.Start
	if stop {
		to = &c.Stop
	}
	if *to != nil {
		return c, nil
	}
	*to = &part
	switch {
	case c.Told():
		c.DueAt = tx.now.Add(radiusCallKept)
	case c.Stop == nil:
		c.DueAt = tx.now.Add(RadiusCallLongest)
	default:
		c.DueAt = tx.now.Add(radiusStopAlone)
	}
	return c, tx.RadiusCalls.Put(c)
}

// DueRadiusCalls returns calls that are to be looked at, at most limit.
func (tx *Tx) DueRadiusCalls(limit int) (calls []*RadiusCall, err error) {
	c := tx.Txn.Cursor(bRadiusCallDue)
	for k, _ := c.First(); len(k) == 16 && int64(binary.BigEndian.Uint64(k)) <= tx.now.UnixMilli() && len(calls) < limit; k, _ = c.Next() {
		call, err := tx.RadiusCalls.Get(kv.ID(k))
		if err != nil {
			return nil, err
		}
		calls = append(calls, call)
	}
	return calls, nil
}

// ForgetRadiusCall takes away a call that is told, or held.
func (tx *Tx) ForgetRadiusCall(id uint64) error {
	return tx.RadiusCalls.Delete(id)
}

// CountRadiusCalls counts the calls of which something was told. In between their number rises with each
// that comes, and with some twice.
func (db *DB) CountRadiusCalls(ctx context.Context) error {
	return db.View(ctx, func(tx *Tx) error {
		db.radius.calls.Store(int64(tx.RadiusCalls.Count()))
		return nil
	})
}

// EndRadiusCalls has the calls of a machine that lack a part looked at now: it was restarted, and no part
// will come. It returns how many they are.
func (tx *Tx) EndRadiusCalls(nas uint64, machine string) (n int, err error) {
	var ids []uint64
	under := kv.Key(nil).U64(nas)
	c := tx.Txn.Cursor(bRadiusCallKey)
	for k, v := c.Seek(under); bytes.HasPrefix(k, under); k, v = c.Next() {
		ids = append(ids, kv.ID(v))
	}
	for _, id := range ids {
		call, err := tx.RadiusCalls.Get(id)
		if err != nil {
			return n, err
		}
		if call.Machine != machine || call.Told() || !call.DueAt.After(tx.now) {
			continue
		}
		call.DueAt = tx.now
		if err := tx.RadiusCalls.Put(call); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// radiusCalls finds those that have no part.
func (c *checker) radiusCalls() {
	c.tx.RadiusCalls.EachSound(func(v *RadiusCall) {
		if v.Start == nil && v.Stop == nil {
			c.fault("radius call %d: has neither Start nor Stop", v.ID)
		}
	})
}
