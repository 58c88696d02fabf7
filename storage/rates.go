package storage

import (
	"bytes"
	"time"

	"billd/rating"
	"billd/storage/kv"
)

// RateScan walks the rates of a deck that are in force: outbound, enabled, of a generation that is
// visible, and valid at the transaction's instant. In such a view a prefix has one price, which is how
// dialects without validity see a deck.
//
// A row that is stepped over is not decoded and costs no allocation.
type RateScan struct {
	tx    *Tx
	deck  *rating.Deck
	now   int64 // unix milliseconds
	c     kv.Cursor
	start kv.Key
	under []byte // of the index by prefix; nil when the rows themselves are walked
	begun bool
	row   indexedRate
	value []byte
	until int64 // the first instant at which a row enters or leaves; 0 for never
	err   error
}

// RatesByNumber walks a deck's rates in force in order of their numbers, from one on.
func (tx *Tx) RatesByNumber(deck rating.DeckID, from rating.RateID) (*RateScan, error) {
	s, err := tx.rateScan(deck, bRate)
	if err != nil {
		return nil, err
	}
	s.start = kv.Key(nil).U64(uint64(from))
	return s, nil
}

// RatesByPrefix walks the rates in force whose prefixes begin with prefix, in order of their prefixes.
func (tx *Tx) RatesByPrefix(deck rating.DeckID, prefix string) (*RateScan, error) {
	s, err := tx.rateScan(deck, bRateDeck)
	if err != nil {
		return nil, err
	}
	s.under = append(kv.Key(nil).U64(uint64(deck)), prefix...)
	s.start = s.under
	return s, nil
}

func (tx *Tx) rateScan(deck rating.DeckID, b kv.Bucket) (*RateScan, error) {
	d, err := tx.Decks.Get(uint64(deck))
	if err != nil {
		return nil, err
	}
	return &RateScan{tx: tx, deck: d, now: tx.now.UnixMilli(), c: tx.Txn.Cursor(b)}, nil
}

// Next moves to the next rate in force and reports whether there is one. Err says why it stopped.
func (s *RateScan) Next() bool {
	for s.err == nil {
		k, v := s.step()
		if k == nil || s.under != nil && !bytes.HasPrefix(k, s.under) {
			return false
		}
		if s.under != nil {
			v = s.tx.Txn.Get(bRate, k[len(k)-8:])
		}
		s.value = v
		if s.err = rateEntry(rating.RateID(kv.ID(k)), v, &s.row); s.err == nil && s.inForce() {
			return true
		}
	}
	return false
}

func (s *RateScan) step() (k, v []byte) {
	if !s.begun {
		s.begun = true
		return s.c.Seek(s.start)
	}
	return s.c.Next()
}

// inForce judges the row that the scan stands on, and notes when the judgement may change.
func (s *RateScan) inForce() bool {
	r, e := &s.row, &s.row.Entry
	if r.Deck != s.deck.ID || r.Gen > s.deck.Generation || r.Disabled || e.Direction != rating.Outbound {
		return false
	}
	if s.deck.Settling {
		s.tx.applyClosing(s.deck, e)
	}
	for _, at := range [...]int64{e.From, e.Till} {
		if at > s.now && (s.until == 0 || at < s.until) {
			s.until = at
		}
	}
	return e.From <= s.now && (e.Till == 0 || s.now < e.Till)
}

// ID returns the number of the rate that the scan stands on.
func (s *RateScan) ID() rating.RateID { return s.row.Entry.Rate }

// Rate decodes the rate that the scan stands on into r.
func (s *RateScan) Rate(r *rating.Rate) error { return s.decode(s.ID(), s.value, r) }

func (s *RateScan) decode(id rating.RateID, b []byte, r *rating.Rate) error {
	err := decodeRate(id, b, r)
	if err == nil && s.deck.Settling {
		s.tx.applyRowClosing(s.deck, r)
	}
	return err
}

// Err returns why the scan stopped early, nil at its regular end.
func (s *RateScan) Err() error { return s.err }

// RateInForce returns a deck's rate if it is in force, else a NotFound error.
func (tx *Tx) RateInForce(deck rating.DeckID, id rating.RateID) (*rating.Rate, error) {
	s, err := tx.RatesByNumber(deck, id)
	if err != nil {
		return nil, err
	}
	r := new(rating.Rate)
	b := tx.Txn.Get(bRate, s.start)
	if b == nil {
		return nil, rating.Errorf(rating.NotFound, "rate", "rate %d does not exist", id)
	}
	if err := rateEntry(id, b, &s.row); err != nil {
		return nil, err
	}
	if !s.inForce() {
		return nil, rating.Errorf(rating.NotFound, "rate", "rate %d is not in force", id)
	}
	return r, s.decode(id, b, r)
}

// RateOfPrefix returns the number of the rate in force of exactly one prefix, 0 when there is none.
func (tx *Tx) RateOfPrefix(deck rating.DeckID, prefix string) (rating.RateID, error) {
	s, err := tx.RatesByPrefix(deck, prefix)
	if err != nil {
		return 0, err
	}
	s.under = append(s.under, 0) // the end of the text: longer prefixes stay out
	s.start = s.under
	if !s.Next() {
		return 0, s.Err()
	}
	return s.ID(), nil
}

// CountRates counts a deck's rates in force, about 100 ns a row. The count holds until the deck is
// written, or until the instant given; the zero time is never.
func (tx *Tx) CountRates(deck rating.DeckID) (n int, until time.Time, err error) {
	s, err := tx.RatesByNumber(deck, 0)
	if err != nil {
		return 0, until, err
	}
	for s.Next() {
		n++
	}
	if s.until != 0 {
		until = time.UnixMilli(s.until).UTC()
	}
	return n, until, s.Err()
}
