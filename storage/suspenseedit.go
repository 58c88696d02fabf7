package storage

import (
	"encoding/json"
	"fmt"
	"time"

	"billd/rating"
)

// heldRecord is a suspense row as the audit trail shows it before and after a correction.
type heldRecord struct {
	Reason string            `json:"reason"`
	Record map[string]string `json:"record,omitempty"`
	Raw    string            `json:"raw,omitempty"`
}

// Record returns the columns of a held call by their names, nil when the record could not be read.
func (s *Suspended) Record() (map[string]string, error) {
	var call rating.Call
	readable, err := s.Read(&call)
	if err != nil || !readable {
		return nil, err
	}
	record := map[string]string{}
	for f := range rating.CDRField(rating.NumCDRFields) {
		if call.Has(f) {
			record[f.Name()] = call.Format(f)
		}
	}
	direction := ""
	if call.Inbound {
		direction = rating.Inbound.String()
	}
	for name, ref := range map[string]string{"account": call.AccountRef, "vendor_account": call.VendorRef, "gateway": call.Gateway, "direction": direction} {
		if ref != "" {
			record[name] = ref
		}
	}
	return record, nil
}

func (s *Suspended) audited() (json.RawMessage, error) {
	record, err := s.Record()
	if err != nil {
		return nil, err
	}
	return json.Marshal(heldRecord{s.Reason, record, s.Raw})
}

// EditSuspended corrects a held record: edit gets it as it is, with an empty call if it could not be read, and
// makes call what it is to be. The row keeps its number, its reason until it is tried again, and the key that
// finds it when the switch delivers the record as it was once more. The audit trail tells who changed what.
//
// Fails with NotFound, and as edit fails.
func (tx *Tx) EditSuspended(id uint64, edit func(s *Suspended, call *rating.Call) error) (*Suspended, error) {
	s, err := tx.Suspense.Get(id)
	if err != nil {
		return nil, err
	}
	before, err := s.audited()
	if err != nil {
		return nil, err
	}
	var call rating.Call
	if _, err := s.Read(&call); err != nil {
		return nil, err
	}
	if err := edit(s, &call); err != nil {
		return nil, err
	}
	s.HeldCall, s.Raw = heldCallOf(&call), ""
	s.Source, s.StartAt = call.Text(rating.CDRSource), writtenTime(&call)
	s.Detail = "corrected, not tried again yet"
	after, err := s.audited()
	if err != nil {
		return nil, err
	}
	was := tx.quiet
	tx.quiet = true // the row itself holds the call in binary, which tells a reader nothing
	err = tx.Suspense.Put(s)
	tx.quiet = was
	if err != nil {
		return nil, err
	}
	return s, tx.record("suspense", id, before, after)
}

// SuspenseFilter picks held calls; its zero value is all of them.
type SuspenseFilter struct {
	ID     uint64
	Reason string
	// Account is who would pay: number, UUID or name. What no account is called is compared as it stands in the record.
	Account string
	// From and Till bound the calls' start, Till is exclusive; a record without a start goes by when it was held.
	From, Till time.Time
}

// suspensePicker tells which rows a filter picks.
type suspensePicker struct {
	tx    *Tx
	f     SuspenseFilter
	payer rating.AccountID            // of f.Account, 0 when none is called so
	refs  map[string]rating.AccountID // what records call accounts
}

func (tx *Tx) picker(f SuspenseFilter) (*suspensePicker, error) {
	p := &suspensePicker{tx: tx, f: f, refs: map[string]rating.AccountID{}}
	var err error
	if f.Account != "" {
		p.payer, err = p.account(f.Account)
	}
	return p, err
}

// account resolves what a record calls an account, 0 when none is called so.
func (p *suspensePicker) account(ref string) (rating.AccountID, error) {
	id, known := p.refs[ref]
	if known {
		return id, nil
	}
	a, err := p.tx.AccountByRef(ref)
	switch {
	case err == nil:
		id = a.ID
	case rating.KindOf(err) != rating.NotFound:
		return 0, err
	}
	p.refs[ref] = id
	return id, nil
}

func (p *suspensePicker) picks(s *Suspended) (bool, error) {
	f := &p.f
	at := s.StartAt
	if at.IsZero() {
		at = s.At
	}
	switch {
	case f.ID != 0 && s.ID != f.ID, f.Reason != "" && s.Reason != f.Reason,
		!f.From.IsZero() && at.Before(f.From), !f.Till.IsZero() && !at.Before(f.Till):
		return false, nil
	case f.Account == "" || s.Account == f.Account:
		return true, nil
	case p.payer == 0:
		return false, nil
	case s.Account != "":
		id, err := p.account(s.Account)
		return id == p.payer, err
	}
	var call rating.Call
	readable, err := s.Read(&call)
	return readable && call.Customer() == p.payer, err
}

// EachSuspended calls fn with the rows that a filter picks, in order of their numbers, from one on, until it
// returns false.
func (tx *Tx) EachSuspended(from uint64, f SuspenseFilter, fn func(*Suspended) (bool, error)) error {
	p, err := tx.picker(f)
	if err != nil {
		return err
	}
	return tx.Suspense.Each(from, func(s *Suspended) (bool, error) {
		if picked, err := p.picks(s); err != nil || !picked {
			return err == nil, err
		}
		return fn(s)
	})
}

// SuspendedBy counts the rows that a filter picks, by their reasons.
func (tx *Tx) SuspendedBy(f SuspenseFilter) (map[string]int, error) {
	counts := map[string]int{}
	err := tx.EachSuspended(f.ID, f, func(s *Suspended) (bool, error) {
		counts[s.Reason]++
		return true, nil
	})
	if err != nil {
		return nil, fmt.Errorf("suspense: %w", err)
	}
	return counts, nil
}
