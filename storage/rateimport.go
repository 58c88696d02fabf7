package storage

import (
	"bytes"
	"context"
	"strings"
	"time"

	"billd/rating"
	"billd/storage/kv"
)

// ImportMode says what becomes of a deck's rates that a price list does not have.
type ImportMode string

// The modes.
const (
	Replace ImportMode = "replace" // they end when the import takes effect
	Merge   ImportMode = "merge"   // they stay
)

// RateImportOptions say where a price list goes. Deck and Mode are required.
type RateImportOptions struct {
	Deck      string // its name; made if there is none
	Mode      ImportMode
	Effective time.Time         // when the list takes effect; zero: now, and "always" in a deck without rates
	Currency  rating.Currency   // of a deck without rates; not set: the deck's, or the store's
	Preset    rating.Preset     // of a deck without rates; 0: the deck's, or portsip
	Vendor    *rating.AccountID // makes the deck price what this account terminates (R18)
	File      string            // for the audit trail
}

// RateImport compares a price list with a deck, and then makes the deck say what the list says.
//
// Add takes the rows, Compare decides what becomes of each, Apply makes it so. Until Apply has
// returned nothing is visible, and if it fails nothing stays. What was valid at some time stays in
// the deck with its validity (R3): rows are closed and added, never removed.
//
// A list and the deck are compared by prefix over what is valid from the import's instant on. A row
// that says the same in all fields the list gives is the same; of a changed row the fields that the
// list does not give stay. Rates for inbound calls are left alone.
type RateImport struct {
	db     *DB
	o      RateImportOptions
	at     time.Time // when it takes effect
	from   time.Time // valid-from of rows that do not say; zero: always
	deck   rating.Deck
	was    *rating.DeckIndex
	fresh  bool // the deck has no rows yet
	edited bool // the import makes or changes the deck itself

	list     rateList
	closings []Closing
	staged   int
	counts   ImportCounts
	reject   func(line int, reason string)
	numbers  map[rating.RateID]struct{}
	uuids    map[rating.UUID]struct{}
	crowded  bool // the store has rates, whose numbers and uuids are taken
}

const maxDeckName = 100 // characters

// NewRateImport looks the deck up. reject is told of lines that Compare refuses.
//
// Fails with Invalid for a deck name or option that cannot be, Conflict if the deck has rates and another currency, preset or vendor.
func (db *DB) NewRateImport(ctx context.Context, o RateImportOptions, reject func(line int, reason string)) (*RateImport, error) {
	im := &RateImport{db: db, o: o, reject: reject, numbers: map[rating.RateID]struct{}{}, uuids: map[rating.UUID]struct{}{}}
	if o.Mode != Replace && o.Mode != Merge {
		return nil, rating.Broken("mode", "inclusion", "", "mode %q: want replace or merge", o.Mode)
	}
	catalog := db.Catalog() // before the View: a later edit is then noticed by Apply
	err := db.View(ctx, func(tx *Tx) error {
		im.at = tx.now
		return im.find(tx)
	})
	if err != nil {
		return nil, err
	}
	if p := catalog.Deck(im.deck.ID); p != nil {
		im.was = p.Index
	}
	if !o.Effective.IsZero() {
		im.at = o.Effective.UTC()
	}
	im.at = im.at.Truncate(time.Millisecond) // as closings are kept
	if !im.fresh || !o.Effective.IsZero() {
		im.from = im.at
	}
	return im, nil
}

// find reads the deck, or describes the one to be made.
func (im *RateImport) find(tx *Tx) error {
	if n := len(im.o.Deck); n == 0 || n > maxDeckName || strings.ContainsFunc(im.o.Deck, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return rating.Broken("deck", "format", "", "deck %q: want a name of 1 to %d characters", clip(im.o.Deck), maxDeckName)
	}
	d, err := tx.DeckNamed(im.o.Deck)
	if err != nil && rating.KindOf(err) != rating.NotFound {
		return err
	}
	if err != nil {
		im.fresh, im.edited = true, true
		im.deck = rating.Deck{Name: im.o.Deck, Currency: tx.Settings().Currency, Preset: rating.PresetPortSIP}
	} else {
		im.deck = *d
		if im.fresh, err = tx.isEmptyDeck(d); err != nil {
			return err
		}
	}
	k, _ := tx.Txn.Cursor(bRate).First()
	im.crowded = k != nil
	wanted := im.deck
	if im.o.Currency.IsSet() {
		wanted.Currency = im.o.Currency
	}
	if im.o.Preset != 0 {
		wanted.Preset = im.o.Preset
	}
	if im.o.Vendor != nil {
		wanted.Vendor = *im.o.Vendor
	}
	if wanted == im.deck {
		return nil
	}
	switch {
	case !im.fresh && wanted.Currency != im.deck.Currency:
		return rating.Errorf(rating.Conflict, "currency", "deck %s has rates in %s: import %s into another deck", d.Name, im.deck.Currency, wanted.Currency)
	case !im.fresh && wanted.Preset != im.deck.Preset:
		return rating.Errorf(rating.Conflict, "preset", "deck %s has rates of preset %s: import %s into another deck", d.Name, im.deck.Preset, wanted.Preset)
	case wanted.Vendor != im.deck.Vendor && im.deck.ID != 0:
		return rating.Errorf(rating.Conflict, "vendor", "deck %s exists and is not this vendor's: import into another deck", d.Name)
	}
	im.deck, im.edited = wanted, true
	return nil
}

// isEmptyDeck reports whether a deck has no visible row.
func (tx *Tx) isEmptyDeck(d *rating.Deck) (bool, error) {
	if p := tx.db.Catalog().Deck(d.ID); p != nil && p.Index.Len() > 0 {
		return false, nil
	}
	under := kv.Key(nil).U64(uint64(d.ID))
	var row indexedRate
	c := tx.Txn.Cursor(bRateDeck)
	for k, _ := c.Seek(under); k != nil && bytes.HasPrefix(k, under); k, _ = c.Next() {
		if err := rateEntry(rating.RateID(kv.ID(k)), tx.Txn.Get(bRate, k[len(k)-8:]), &row); err != nil {
			return false, err
		}
		if row.Gen <= d.Generation {
			return false, nil
		}
	}
	return true, nil
}

// Deck returns the deck as it is, or as the import will make it; its ID is 0 until then.
func (im *RateImport) Deck() rating.Deck { return im.deck }

// Fresh reports whether the deck has no rates yet.
func (im *RateImport) Fresh() bool { return im.fresh }

// Effective returns when the import takes effect; the zero time is always.
func (im *RateImport) Effective() time.Time { return im.from }

// Adopt gives a deck that has no rates the currency and preset that an export names, unless the options
// named others. Fails with Invalid if the deck has another currency.
func (im *RateImport) Adopt(c rating.Currency, p rating.Preset) error {
	if im.fresh && len(im.list.rows) == 0 {
		if c.IsSet() && !im.o.Currency.IsSet() && c != im.deck.Currency {
			im.deck.Currency, im.edited = c, true
		}
		if p != 0 && im.o.Preset == 0 && p != im.deck.Preset {
			im.deck.Preset, im.edited = p, true
		}
	}
	if c.IsSet() && c != im.deck.Currency {
		return rating.Broken("currency", "inclusion", "", "currency %s, and deck %s is in %s", c, im.deck.Name, im.deck.Currency)
	}
	return nil
}

// Add takes one row. Fails with Invalid if the row cannot be a rate, Limit if the list is too long.
func (im *RateImport) Add(row *ListedRate) error {
	r := &row.Rate
	if !row.Given.has(GiveFrom|GiveWhole) && (r.Till.IsZero() || r.Till.After(im.from)) {
		r.From = im.from
	}
	if row.Given.has(GiveEnd) {
		r.Terms = rating.Terms{First: rating.Step{Seconds: 1}, Next: rating.Step{Seconds: 1}}
	}
	if err := validListed(r); err != nil {
		return err
	}
	if row.Given.has(GiveWhole) {
		if err := im.identify(r); err != nil {
			return err
		}
	}
	return im.list.add(row)
}

// validListed is Rate.Valid, which takes as long as the rest of Add, without its second look at terms
// that anybody can see are in bounds.
func validListed(r *rating.Rate) error {
	const bound = 1 << 40 // a million major units, a thousand as a price: far below what Valid asks
	t := &r.Terms
	plain := t.First.Seconds > 0 && t.Next.Seconds > 0 && t.Surcharge == 0 && t.MinCost == 0 && t.MaxCost == 0 &&
		t.ConnectFee.Abs() < bound && t.First.Price.Abs() < bound && t.Next.Price.Abs() < bound
	if !plain || !r.Till.IsZero() {
		return r.Valid()
	}
	if err := rating.CheckPrefix(r.Prefix); err != nil {
		return err
	}
	return nil
}

// identify settles which number and uuid a row of an export keeps: its own in a deck without rates,
// as long as no other rate has them.
func (im *RateImport) identify(r *rating.Rate) error {
	if r.ID != 0 {
		if _, twice := im.numbers[r.ID]; twice {
			return rating.Broken("number", "taken", "", "number %d stands there twice", r.ID)
		}
		im.numbers[r.ID] = struct{}{}
	}
	if !r.UUID.IsZero() {
		if _, twice := im.uuids[r.UUID]; twice {
			return rating.Broken("uuid", "taken", "", "uuid %s stands there twice", r.UUID)
		}
		im.uuids[r.UUID] = struct{}{}
	}
	if !im.fresh {
		return nil
	}
	if r.ID > maxKeptNumber {
		r.ID = 0
	}
	if im.crowded {
		err := im.db.View(context.Background(), func(tx *Tx) error {
			if r.ID != 0 && tx.Rates.Has(uint64(r.ID)) {
				r.ID = 0
			}
			if !r.UUID.IsZero() && im.uuidTaken(tx, r.UUID) {
				r.UUID = rating.UUID{}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	if r.ID != 0 && r.UUID == rating.NumberUUID(im.db.space.Rate, uint64(r.ID)) {
		r.UUID = rating.UUID{}
	}
	return nil
}

// uuidTaken reports whether a rate is known by u, be it its own or the one that its number spells.
func (im *RateImport) uuidTaken(tx *Tx, u rating.UUID) bool {
	if tx.Txn.Get(bRateUUID, u[:]) != nil {
		return true
	}
	n, ok := u.Number(im.db.space.Rate)
	return ok && tx.Rates.Has(n)
}

func (im *RateImport) uuid(r *rating.Rate) rating.UUID {
	if !r.UUID.IsZero() {
		return r.UUID
	}
	return rating.NumberUUID(im.db.space.Rate, uint64(r.ID))
}
