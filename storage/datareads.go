package storage

import (
	"bytes"
	"encoding/binary"
	"slices"
	"time"

	"billd/rating"
	"billd/storage/kv"
)

// DataSubscriptionsOf calls fn with an account's subscriptions, of account 0 with all, oldest first, until
// it returns false.
func (tx *Tx) DataSubscriptionsOf(id rating.AccountID, fn func(*DataSubscription) (bool, error)) error {
	if id == 0 {
		return tx.DataSubscriptions.Each(0, fn)
	}
	return tx.DataSubscriptions.EachUnder(bDataSubscriptionAccount, kv.Key(nil).U64(uint64(id)), fn)
}

// EachDataDay calls fn with what a subscription used on each of its days from one up to but not including
// another, until it returns false.
func (tx *Tx) EachDataDay(subscription uint64, from, till rating.Day, fn func(rating.Day, rating.Octets) (bool, error)) error {
	under := kv.Key(nil).U64(subscription)
	c := tx.Txn.Cursor(bDataDay)
	for k, v := c.Seek(dataDayKey(subscription, from)); len(k) == 12 && bytes.HasPrefix(k, under); k, v = c.Next() {
		day := rating.Day(binary.BigEndian.Uint32(k[8:]))
		if day >= till {
			return nil
		}
		o, err := decodeOctets(v)
		if err != nil {
			return err
		}
		if more, err := fn(day, o); err != nil || !more {
			return err
		}
	}
	return nil
}

// EachDataPeriod calls fn with each period of a subscription that was used, by its first day.
func (tx *Tx) EachDataPeriod(subscription uint64, fn func(rating.Day, DataPeriod) (bool, error)) error {
	under := kv.Key(nil).U64(subscription)
	c := tx.Txn.Cursor(bDataPeriod)
	for k, v := c.Seek(under); len(k) == 12 && bytes.HasPrefix(k, under); k, v = c.Next() {
		p, err := decodeDataPeriod(v)
		if err != nil {
			return err
		}
		if more, err := fn(rating.Day(binary.BigEndian.Uint32(k[8:])), p); err != nil || !more {
			return err
		}
	}
	return nil
}

// EachUnassigned calls fn with what a user, of name "" each user, used without a subscription, by quarters
// of an hour, until it returns false.
func (tx *Tx) EachUnassigned(user string, fn func(user string, at time.Time, used rating.Octets) (bool, error)) error {
	under := kv.Key(nil)
	if user != "" {
		under = under.Text(user)
	}
	c := tx.Txn.Cursor(bDataUnassigned)
	for k, v := c.Seek(under); k != nil && bytes.HasPrefix(k, under); k, v = c.Next() {
		name, at, ok := unassignedFrom(k)
		if !ok {
			return damagedRow("unassigned data", "its key is damaged")
		}
		o, err := decodeOctets(v)
		if err != nil {
			return err
		}
		if more, err := fn(name, at, o); err != nil || !more {
			return err
		}
	}
	return nil
}

// unassignedFrom reads what unassignedKey wrote.
func unassignedFrom(k []byte) (user string, at time.Time, ok bool) {
	i := slices.Index(k, 0)
	if i < 1 || len(k) != i+9 {
		return "", at, false
	}
	return string(k[:i]), time.UnixMilli(int64(binary.BigEndian.Uint64(k[i+1:]))).UTC(), true
}

// EachDataSession calls fn with sessions from number from on, ascending, until it returns false.
func (tx *Tx) EachDataSession(from uint64, fn func(*DataSession) (bool, error)) error {
	return tx.DataSessions.Each(from, fn)
}

// DataSessionIDs returns the numbers of a user's sessions, ascending.
func (tx *Tx) DataSessionIDs(user string) (ids []uint64) {
	under := textKey(user)
	c := tx.Txn.Cursor(bDataSessionUser)
	for k, _ := c.Seek(under); k != nil && bytes.HasPrefix(k, under); k, _ = c.Next() {
		ids = append(ids, kv.ID(k))
	}
	slices.Sort(ids)
	return ids
}

// sessionsToEnd returns, at most limit, the sessions that were open when their source began anew.
func (tx *Tx) sessionsToEnd(limit int) (due []*DataSession, err error) {
	err = tx.DataSources.Each(0, func(src *DataSource) (bool, error) {
		err := tx.DataSessions.EachUnder(bDataSessionOpen, textKey(src.Name), func(s *DataSession) (bool, error) {
			if s.LastAt.Before(src.RestartAt) {
				s.StoppedAt, s.Cause = src.RestartAt, "NAS-Reboot"
				due = append(due, s)
			}
			return len(due) < limit, nil
		})
		return len(due) < limit, err
	})
	return due, err
}

// SessionsToEnd reports whether EndSessions would close any.
func (tx *Tx) SessionsToEnd() (bool, error) {
	due, err := tx.sessionsToEnd(1)
	return len(due) > 0, err
}

// EndSessions closes, at most limit at a time, sessions that were open when their source began anew, and
// returns how many it closed. Their totals stay: what they used is counted.
func (tx *Tx) EndSessions(limit int) (int, error) {
	due, err := tx.sessionsToEnd(limit)
	for _, s := range due {
		if err == nil {
			err = tx.DataSessions.Put(s)
		}
	}
	return len(due), err
}
