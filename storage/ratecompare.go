package storage

import (
	"bytes"
	"context"

	"billd/rating"
	"billd/storage/kv"
)

// Compare decides what becomes of every row that was added, and of the deck's own.
//
// Read is left to the caller, who knows what else the file held. It reads the deck in pages of 5,000
// rows: a deck that changes meanwhile makes Apply fail with Conflict.
func (im *RateImport) Compare(ctx context.Context, progress func(done, total int64)) (ImportCounts, error) {
	im.list.sort()
	walk := &deckWalk{db: im.db, deck: &im.deck, done: im.fresh}
	total := int64(len(im.list.rows))
	var first indexedRate
	for lo, report := 0, 0; lo < len(im.list.rows); {
		if lo >= report {
			report = lo + stageChunk
			if ctx.Err() != nil {
				return im.counts, context.Cause(ctx)
			}
			progress(int64(lo), total)
		}
		if err := im.list.entry(lo, &first); err != nil {
			return im.counts, err
		}
		prefix := string(first.Prefix)
		hi, err := im.endOf(lo, first.Prefix)
		if err != nil {
			return im.counts, err
		}
		if err := im.skipTo(ctx, walk, prefix); err != nil {
			return im.counts, err
		}
		if err := im.comparePrefix(ctx, walk, prefix, lo, hi); err != nil {
			return im.counts, err
		}
		lo = hi
	}
	err := im.skipTo(ctx, walk, "")
	progress(total, total)
	return im.counts, err
}

// endOf returns where, from row lo on, the rows of its prefix end.
func (im *RateImport) endOf(lo int, prefix []byte) (int, error) {
	var e indexedRate
	for hi := lo + 1; hi < len(im.list.rows); hi++ {
		if im.list.rows[hi].head != im.list.rows[lo].head {
			return hi, nil
		}
		if err := im.list.entry(hi, &e); err != nil {
			return hi, err
		}
		if !bytes.Equal(e.Prefix, prefix) {
			return hi, nil
		}
	}
	return len(im.list.rows), nil
}

// skipTo passes the deck's rows before a prefix, all of them if it is empty: the list does not have
// them, and in mode replace they end.
func (im *RateImport) skipTo(ctx context.Context, walk *deckWalk, prefix string) error {
	for {
		r, err := walk.peek(ctx)
		if err != nil || r == nil || prefix != "" && r.Prefix >= prefix {
			return err
		}
		s := stored{Rate: *r}
		if im.o.Mode == Replace && r.Direction == rating.Outbound && s.live(im.at) {
			im.close(r.ID, later(r.From, im.at))
			im.counts.Removed++
		}
		walk.next()
	}
}

// comparePrefix compares rows lo to hi of the list with the deck's rows of the same prefix, each
// direction by itself.
func (im *RateImport) comparePrefix(ctx context.Context, walk *deckWalk, prefix string, lo, hi int) error {
	var deck []*stored
	for {
		r, err := walk.peek(ctx)
		if err != nil {
			return err
		}
		if r == nil || r.Prefix != prefix {
			break
		}
		deck = append(deck, &stored{Rate: *r})
		walk.next()
	}
	if len(deck) == 0 && hi == lo+1 && im.plainlyNew(lo) {
		return nil
	}
	var sides [2]prefixDiff
	for i := lo; i < hi; i++ {
		f := &listed{at: i, line: int(im.list.rows[i].line), given: im.list.rows[i].given}
		if err := im.list.rate(i, &f.Rate); err != nil {
			return err
		}
		side := &sides[f.Direction&1]
		side.files = append(side.files, f)
	}
	for _, s := range deck {
		sides[s.Direction&1].deck = append(sides[s.Direction&1].deck, s)
	}
	for i := range sides {
		sides[i].im = im
		if err := sides[i].run(); err != nil {
			return err
		}
	}
	return nil
}

// plainlyNew takes the only row of a prefix that the deck does not have as it lies, if nothing about it
// has to be worked out: most rows of a first import.
func (im *RateImport) plainlyNew(i int) bool {
	row := &im.list.rows[i]
	var e indexedRate
	if row.given.has(GiveEnd) || im.list.entry(i, &e) != nil {
		return false
	}
	if !im.fresh && (row.given.has(GiveWhole) || e.Entry.From < im.at.UnixMilli() || e.Entry.Till != 0 && e.Entry.Till <= im.at.UnixMilli()) {
		return false
	}
	row.stage = true
	im.staged++
	im.counts.Added++
	return true
}

// deckWalk reads a deck's visible rows in order of their prefixes, a page at a time.
type deckWalk struct {
	db   *DB
	deck *rating.Deck
	page []rating.Rate
	at   int
	key  kv.Key // where the next page begins; nil is the start
	done bool
}

// peek returns the row that the walk stands on, nil at the end.
func (w *deckWalk) peek(ctx context.Context) (*rating.Rate, error) {
	for w.at == len(w.page) {
		if w.done {
			return nil, nil
		}
		w.page, w.at = w.page[:0], 0
		if err := w.db.View(ctx, w.fill); err != nil {
			return nil, err
		}
	}
	return &w.page[w.at], nil
}

func (w *deckWalk) next() { w.at++ }

func (w *deckWalk) fill(tx *Tx) error {
	under := kv.Key(nil).U64(uint64(w.deck.ID))
	if w.key == nil {
		w.key = under
	}
	rows := rateCursor{tx: tx}
	c := tx.Txn.Cursor(bRateDeck)
	k, _ := c.Seek(w.key)
	for scanned := 0; k != nil && bytes.HasPrefix(k, under); k, _ = c.Next() {
		if scanned++; scanned > scanChunk || len(w.page) == stageChunk {
			w.key = bytes.Clone(k)
			return nil
		}
		id := rating.RateID(kv.ID(k))
		var r rating.Rate
		if err := decodeRate(id, rows.row(id), &r); err != nil {
			return err
		}
		if r.Gen <= w.deck.Generation {
			w.page = append(w.page, r)
		}
	}
	w.done = true
	return nil
}
