package kazoo

import (
	"slices"

	"billd/rating"
	"billd/storage"
)

// ratePuts gathers the rates that one transaction writes, by deck, each once.
type ratePuts struct {
	tx    *storage.Tx
	decks map[string]*rating.Deck
	rates map[rating.DeckID][]*rating.Rate
	byID  map[rating.DeckID]map[string]int // Kazoo id → place in rates
}

func newRatePuts(tx *storage.Tx) *ratePuts {
	return &ratePuts{tx: tx, decks: map[string]*rating.Deck{}, rates: map[rating.DeckID][]*rating.Rate{}, byID: map[rating.DeckID]map[string]int{}}
}

// deck returns a deck that rate was asked for.
func (p *ratePuts) deck(name string) *rating.Deck { return p.decks[name] }

// rate returns the rate of an id as it is, or will be; nil when there is none. It makes the deck when
// there is none of the name.
func (p *ratePuts) rate(deck, id string) (*rating.Rate, error) {
	d := p.decks[deck]
	if d == nil {
		var err error
		if d, err = deckFor(p.tx, deck); err != nil {
			return nil, err
		}
		p.decks[deck] = d
	}
	if at, ok := p.byID[d.ID][id]; ok {
		return p.rates[d.ID][at], nil
	}
	r, err := rateCalled(p.tx, d, id)
	if rating.KindOf(err) == rating.NotFound {
		return nil, nil
	}
	if err == nil {
		r.KazooID = id // a row that came another way is Kazoo's from here on
	}
	return r, err
}

// add notes a rate to be written.
func (p *ratePuts) add(d *rating.Deck, r *rating.Rate) {
	if r.ID == 0 {
		r.Deck, r.Gen = d.ID, d.Generation
	}
	if p.byID[d.ID] == nil {
		p.byID[d.ID] = map[string]int{}
	}
	if at, twice := p.byID[d.ID][r.KazooID]; twice && r.KazooID != "" {
		p.rates[d.ID][at] = r
		return
	}
	p.byID[d.ID][r.KazooID] = len(p.rates[d.ID])
	p.rates[d.ID] = append(p.rates[d.ID], r)
}

// write writes what was gathered, with one audit row a deck.
func (p *ratePuts) write(note string) error {
	var ids []rating.DeckID
	for id := range p.rates {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		if err := p.tx.PutRates(id, p.rates[id], note); err != nil {
			return err
		}
	}
	return nil
}
