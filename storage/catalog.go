package storage

import (
	"bytes"
	"context"
	"maps"
	"slices"

	"billd/rating"
	"billd/storage/kv"
)

// foldOverlay is how many edited rows an index carries beside its base before it is built anew (R7).
const foldOverlay = 1000

// Catalog is every deck, the number plan, who pays for what comes from where, and the sources, in memory, immutable.
// A change publishes another one.
type Catalog struct {
	decks   map[rating.DeckID]*rating.PricedDeck
	names   map[string]*rating.PricedDeck
	plans   map[uint64][]*rating.PricedDeck
	vendors map[rating.AccountID][]*rating.PricedDeck

	numbering *Numbering
	auths     *rating.AuthIndex
	sources   map[string]*Source
	retail    map[string]*rating.PricedDeck // of decks that customers' calls are charged by
	ratedecks map[rating.AccountID]string   // that service plans name; the writer's own, see ratedeckOf
}

// Deck returns a deck with its index, nil if there is none.
func (c *Catalog) Deck(id rating.DeckID) *rating.PricedDeck { return c.decks[id] }

// Named returns the deck of a name, nil if there is none.
func (c *Catalog) Named(name string) *rating.PricedDeck { return c.names[name] }

// Plan returns the decks of a rate plan in order of their numbers.
func (c *Catalog) Plan(id uint64) []*rating.PricedDeck { return c.plans[id] }

// Vendor returns the decks that price what an account terminates.
func (c *Catalog) Vendor(id rating.AccountID) []*rating.PricedDeck { return c.vendors[id] }

// Auths returns the rules of the customers-auths that are switched on.
func (c *Catalog) Auths() *rating.AuthIndex { return c.auths }

// Rates returns how many rows all decks hold in memory, and the bytes they take.
func (c *Catalog) Rates() (rows, bytes int) {
	for _, d := range c.decks {
		rows += d.Index.Len()
		bytes += d.Index.Bytes()
	}
	return rows, bytes
}

// Catalog returns the decks in force.
func (db *DB) Catalog() *Catalog { return db.catalog.Load() }

// loadCatalog builds every index from the store, which takes in the public number plan if it has not yet.
func (db *DB) loadCatalog(ctx context.Context) error {
	err := db.View(ctx, func(tx *Tx) error {
		decks, err := tx.allDecks()
		if err != nil {
			return err
		}
		indexes, err := tx.buildIndexes(decks)
		if err != nil {
			return err
		}
		c, err := tx.newCatalog(decks, indexes)
		if err != nil {
			return err
		}
		if c.numbering, err = tx.loadNumbering(); err != nil {
			return err
		}
		if c.auths, err = tx.allAuths(); err != nil {
			return err
		}
		if c.sources, err = tx.allSources(); err != nil {
			return err
		}
		db.catalog.Store(c)
		return nil
	})
	if err != nil {
		return err
	}
	return db.seedNumbering(ctx)
}

func (tx *Tx) allDecks() ([]*rating.Deck, error) {
	var decks []*rating.Deck
	err := tx.Decks.Each(0, func(d *rating.Deck) (bool, error) {
		decks = append(decks, d)
		return true, nil
	})
	return decks, err
}

// buildIndexes reads every rate once, in order of numbers.
func (tx *Tx) buildIndexes(decks []*rating.Deck) (map[rating.DeckID]*rating.DeckIndex, error) {
	builders := make(map[rating.DeckID]*rating.IndexBuilder, len(decks))
	byID := make(map[rating.DeckID]*rating.Deck, len(decks))
	for _, d := range decks {
		builders[d.ID] = rating.NewIndexBuilder(0)
		byID[d.ID] = d
	}
	var row indexedRate
	c := tx.Txn.Cursor(bRate)
	for k, b := c.First(); k != nil; k, b = c.Next() {
		if err := rateEntry(rating.RateID(kv.ID(k)), b, &row); err != nil {
			return nil, err
		}
		d := byID[row.Deck]
		if d == nil || row.Gen > d.Generation || row.Disabled {
			continue
		}
		if d.Settling {
			tx.applyClosing(d, &row.Entry)
		}
		builders[d.ID].Add(string(row.Prefix), row.Entry)
	}
	indexes := make(map[rating.DeckID]*rating.DeckIndex, len(decks))
	for id, b := range builders {
		x, err := b.Build()
		if err != nil {
			return nil, err
		}
		indexes[id] = x
	}
	return indexes, nil
}

// newCatalog joins decks, their indexes and the plans that list them.
func (tx *Tx) newCatalog(decks []*rating.Deck, indexes map[rating.DeckID]*rating.DeckIndex) (*Catalog, error) {
	c := &Catalog{decks: map[rating.DeckID]*rating.PricedDeck{}, names: map[string]*rating.PricedDeck{}, plans: map[uint64][]*rating.PricedDeck{}, vendors: map[rating.AccountID][]*rating.PricedDeck{},
		retail: map[string]*rating.PricedDeck{}, ratedecks: map[rating.AccountID]string{}}
	for _, d := range decks {
		x := indexes[d.ID]
		if x == nil {
			var err error
			if x, err = rating.NewIndexBuilder(0).Build(); err != nil {
				return nil, err
			}
		}
		p := &rating.PricedDeck{ID: d.ID, Name: d.Name, Currency: d.Currency, Preset: d.Preset, Index: x}
		c.decks[d.ID], c.names[d.Name] = p, p
		if d.Vendor != 0 {
			c.vendors[d.Vendor] = append(c.vendors[d.Vendor], p)
		} else {
			c.retail[d.Name] = p
		}
	}
	err := tx.Plans.Each(0, func(p *rating.RatePlan) (bool, error) {
		ids := slices.Clone(p.Decks)
		slices.Sort(ids)
		for _, id := range slices.Compact(ids) {
			if d := c.decks[id]; d != nil {
				c.plans[p.ID] = append(c.plans[p.ID], d)
			}
		}
		return true, nil
	})
	return c, err
}

// touch notes which prefix of which deck a rate's change concerns, and counts the edit on its deck.
func (tx *Tx) touch(id uint64, old, now []byte) error {
	for _, b := range [][]byte{old, now} {
		if b == nil {
			continue
		}
		var row indexedRate
		if err := rateEntry(rating.RateID(id), b, &row); err != nil {
			return err
		}
		if tx.touched == nil {
			tx.touched = map[rating.DeckID]map[string]struct{}{}
		}
		if tx.touched[row.Deck] == nil {
			tx.touched[row.Deck] = map[string]struct{}{}
		}
		tx.touched[row.Deck][string(row.Prefix)] = struct{}{}
	}
	return nil
}

// publishCatalog makes the catalog that the commit brings about and has it published after it.
func (tx *Tx) publishCatalog() error {
	decks := len(tx.touched) > 0 || tx.reload
	if !decks && !tx.renumber && len(tx.auths) == 0 && !tx.resourced {
		return nil
	}
	was := tx.db.catalog.Load()
	now := *was
	if decks {
		c, err := tx.nextDecks(was)
		if err != nil {
			return err
		}
		c.numbering, c.auths, c.sources = was.numbering, was.auths, was.sources
		now = *c
	}
	var err error
	if now.numbering, err = tx.nextNumbering(was); err != nil {
		return err
	}
	if len(tx.auths) > 0 {
		rules, err := tx.authRules()
		if err != nil {
			return err
		}
		now.auths = was.auths.With(rules)
	}
	if tx.resourced {
		if now.sources, err = tx.allSources(); err != nil {
			return err
		}
	}
	tx.published = append(tx.published, func() { tx.db.catalog.Store(&now) })
	return nil
}

// nextDecks makes the decks and plans of was as the transaction leaves them.
func (tx *Tx) nextDecks(was *Catalog) (*Catalog, error) {
	decks, err := tx.allDecks()
	if err != nil {
		return nil, err
	}
	indexes := make(map[rating.DeckID]*rating.DeckIndex, len(decks))
	for _, d := range decks {
		if p := was.decks[d.ID]; p != nil {
			indexes[d.ID] = p.Index
		}
		if x := tx.replaced[d.ID]; x != nil {
			indexes[d.ID] = x
			continue
		}
		prefixes := tx.touched[d.ID]
		if len(prefixes) == 0 {
			continue
		}
		x, err := tx.editIndex(d, indexes[d.ID], prefixes)
		if err != nil {
			return nil, err
		}
		indexes[d.ID] = x
	}
	return tx.newCatalog(decks, indexes)
}

// editIndex returns x with the prefixes as the transaction has them: beside the base while they are
// few, in a new base when they are many.
func (tx *Tx) editIndex(d *rating.Deck, x *rating.DeckIndex, prefixes map[string]struct{}) (*rating.DeckIndex, error) {
	if x == nil || x.Overlay()+len(prefixes) > foldOverlay {
		return tx.deckIndex(d, x.Len())
	}
	for _, prefix := range slices.Sorted(maps.Keys(prefixes)) {
		entries, err := tx.entriesAt(d, prefix)
		if err != nil {
			return nil, err
		}
		x = x.With(prefix, entries)
	}
	return x, nil
}

// entriesAt reads what a deck holds under one prefix, as the index wants it.
func (tx *Tx) entriesAt(d *rating.Deck, prefix string) ([]rating.Entry, error) {
	var entries []rating.Entry
	err := tx.Rates.EachUnder(bRateDeck, deckKey(d.ID, prefix), func(r *rating.Rate) (bool, error) {
		if r.Gen <= d.Generation && !r.Disabled {
			e := r.Entry()
			if d.Settling {
				tx.applyClosing(d, &e)
			}
			entries = append(entries, e)
		}
		return true, nil
	})
	return entries, err
}

// deckIndex builds one deck's index, of about size rows, by walking its prefixes in order.
func (tx *Tx) deckIndex(d *rating.Deck, size int) (*rating.DeckIndex, error) {
	b := rating.NewIndexBuilder(size)
	under := kv.Key(nil).U64(uint64(d.ID))
	var row indexedRate
	rows := rateCursor{tx: tx}
	c := tx.Txn.Cursor(bRateDeck)
	for k, _ := c.Seek(under); k != nil && bytes.HasPrefix(k, under); k, _ = c.Next() {
		id := rating.RateID(kv.ID(k))
		if err := rateEntry(id, rows.row(id), &row); err != nil {
			return nil, err
		}
		if row.Gen > d.Generation || row.Disabled {
			continue
		}
		if d.Settling {
			tx.applyClosing(d, &row.Entry)
		}
		b.Add(string(row.Prefix), row.Entry)
	}
	return b.Build()
}
