package storage

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"time"

	"billd/rating"
	"billd/rating/plan"
	"billd/storage/kv"
)

// ActingFor tells who the audits of this transaction's changes name. who is asked when there is one to
// write; nil is billd itself.
func (tx *Tx) ActingFor(who func(*Tx) (*ServiceActor, error)) { tx.actor = who }

// AuditServices records one invoice's changes; without changes of its lines it records that the invoice
// was pushed. types are the quantities that moved, from is where the change began.
func (tx *Tx) AuditServices(a *rating.Account, v *plan.Invoice, types []string, from *rating.Account) error {
	row := &ServiceAudit{Account: a.ID, Name: a.Name, At: tx.now, Status: "completed", Types: types, From: from.UUID.Hex(), FromName: from.Name, Bookkeeper: v.Bookkeeper}
	var err error
	if tx.actor != nil {
		if row.By, err = tx.actor(tx); err != nil {
			return err
		}
	}
	sum, err := v.Summary()
	if err != nil {
		return err
	}
	if row.Summary, err = json.Marshal(sum); err != nil {
		return err
	}
	if row.Invoice, err = json.Marshal(v); err != nil {
		return err
	}
	for i := range v.Items {
		if it := &v.Items[i]; it.Changes != nil && it.Changes.Billable != 0 {
			row.Days = append(row.Days, ServiceDay{Name: it.Name, Difference: it.Changes.Billable, Billable: it.Billable})
		}
	}
	return tx.ServiceAudits.Put(row)
}

// serviceDayKeys are what a summary of audits reads, so that it need not read the audits: account,
// instant, the difference with its sign bit turned, billable units, the item's name.
func serviceDayKeys(a *ServiceAudit) (keys [][]byte) {
	for i, d := range a.Days {
		key := kv.Key(nil).U64(uint64(a.Account)).Milli(a.At)
		keys = append(keys, key.U32(uint32(i)).U64(uint64(d.Difference)^1<<63).U64(uint64(d.Billable)).Text(d.Name))
	}
	return keys
}

// DayPart is one item's part in an audit. Audits of one millisecond come in no order: of two, the later
// one has the larger number.
type DayPart struct {
	Milli      int64  // when, in unix milliseconds
	Audit      uint64 // its number
	Name       []byte // of the item, as published
	Difference int64  // billable units that came, below 0: went
	Billable   int64  // and what there was then
}

// ServiceDays calls fn with each item's part in an account's audits made in [from, till], oldest first.
// The part is only valid during the call. Fails with Internal when a key is damaged.
func (tx *Tx) ServiceDays(id rating.AccountID, from, till time.Time, fn func(*DayPart)) error {
	const head = 8 + 8 + 4 + 8 + 8
	under := kv.Key(nil).U64(uint64(id))
	end := bytes.Clone(kv.Key(bytes.Clone(under)).Milli(till.Add(time.Millisecond)))
	var p DayPart
	c := tx.Txn.Cursor(bServiceDay)
	for k, _ := c.Seek(kv.Key(bytes.Clone(under)).Milli(from)); k != nil && bytes.Compare(k, end) < 0; k, _ = c.Next() {
		if len(k) < head+1+8 {
			return rating.Errorf(rating.Internal, "service audit", "a day's key is damaged")
		}
		p = DayPart{int64(binary.BigEndian.Uint64(k[8:])), kv.ID(k), k[head : len(k)-9],
			int64(binary.BigEndian.Uint64(k[20:]) ^ 1<<63), int64(binary.BigEndian.Uint64(k[28:]))}
		fn(&p)
	}
	return nil
}
