package kazoo

import (
	"encoding/json"
	"regexp"
	"strings"

	"billd/rating"
	"billd/storage"
)

func rateRoutes() []route {
	return []route{
		{"rates", get, endpoint{who: user, run: listRates}},
		{"rates", put, endpoint{who: master, run: createRate}},
		{"rates", post, endpoint{who: master, run: uploadRates, upload: true}},
		{"rates/ratedecks", get, endpoint{who: master, run: listDecks}},
		{"rates/number/:number", get, endpoint{who: user, run: rateNumber}},
		{"rates/:rate", get, endpoint{who: user, run: readRate}},
		{"rates/:rate", post, endpoint{who: master, run: changeRate}},
		{"rates/:rate", patch, endpoint{who: master, run: changeRate}},
		{"rates/:rate", remove, endpoint{who: master, run: deleteRate}},
		{"accounts/:account/rates/number/:number", get, endpoint{who: master, run: rateNumber}},
	}
}

// defaultDeck is what Kazoo calls billd's default deck.
const defaultDeckName = "ratedeck"

// deckName spells a deck's name as Kazoo does.
func deckName(d *rating.Deck) string {
	if d.ID == rating.DefaultDeck {
		return defaultDeckName
	}
	return d.Name
}

// deckCalled finds a deck that calls are charged by; NotFound for none, and for a vendor's.
func deckCalled(tx *storage.Tx, name string) (*rating.Deck, error) {
	if name == "" || name == defaultDeckName {
		return tx.Decks.Get(uint64(rating.DefaultDeck))
	}
	d, err := tx.DeckNamed(name)
	if err == nil && (d.Vendor != 0 || d.ID == rating.DefaultDeck) {
		return nil, rating.Errorf(rating.NotFound, "ratedeck_id", "ratedeck %s does not exist", name)
	}
	return d, err
}

// deckFor finds a deck to write to, and makes it when it is not there.
func deckFor(tx *storage.Tx, name string) (*rating.Deck, error) {
	d, err := deckCalled(tx, name)
	if rating.KindOf(err) != rating.NotFound {
		return d, err
	}
	d = &rating.Deck{Name: name, Currency: tx.Settings().Currency, Preset: rating.PresetKazoo, CreatedAt: tx.Now()}
	return d, tx.Decks.Put(d)
}

// deckAsked returns the name of the deck that a request speaks of.
func (x *exchange) deckAsked() (string, error) {
	name := x.setting("ratedeck_id")
	f := newForm(document{"ratedeck_id": name})
	if name != "" {
		f.text("ratedeck_id", 1, 128)
	}
	return name, f.err()
}

// rateKeys are the keys of a rate document that columns hold or that are computed.
var rateKeys = []string{"id", "prefix", "rate_cost", "rate_increment", "rate_minimum", "rate_surcharge", "rate_nocharge_time", "rate_name",
	"description", "iso_country_code", "weight", "ratedeck_id"}

// prefixValue writes a prefix as the number that Kazoo makes of it, where it can be one.
func prefixValue(p string) any {
	if p == "" || len(p) > 15 || p[0] == '0' || strings.Trim(p, "0123456789") != "" {
		return p
	}
	return json.Number(p)
}

// rateView is a rate as a client reads it.
func rateView(tx *storage.Tx, d *rating.Deck, r *rating.Rate) (document, error) {
	id, err := rateID(tx, r)
	if err != nil {
		return nil, err
	}
	doc := public(readDocument(r.Extra.Doc), rateKeys...)
	doc["id"], doc["prefix"], doc["ratedeck_id"] = id, prefixValue(r.Prefix), deckName(d)
	doc["rate_cost"] = json.Number(r.Terms.Next.Price.Number())
	doc["rate_increment"], doc["rate_minimum"] = r.Terms.Next.Seconds, r.Terms.First.Seconds
	doc["rate_surcharge"], doc["rate_nocharge_time"] = number(r.Terms.ConnectFee), nocharge(r)
	if doc["routes"] == nil {
		doc["routes"] = []string{defaultRoute(r.Prefix)}
	}
	for key, v := range map[string]string{"rate_name": r.Name, "description": r.Extra.Description, "iso_country_code": rateISO(tx, r)} {
		if v != "" {
			doc[key] = v
		}
	}
	if r.Weight > 0 {
		doc["weight"] = r.Weight
	}
	return doc, nil
}

// rateDocument is rateView as it was sent: every value of the kind that JSON reads.
func rateDocument(tx *storage.Tx, d *rating.Deck, r *rating.Rate) (document, error) {
	view, err := rateView(tx, d, r)
	if err != nil {
		return nil, err
	}
	return asDocument(view)
}

// nocharge is the longest call that is free; grace is the shortest that is not (R4).
func nocharge(r *rating.Rate) uint32 { return max(r.Terms.Grace, 1) - 1 }

func defaultRoute(prefix string) string { return `^\+?` + regexp.QuoteMeta(prefix) + `.+$` }

func createRate(x *exchange) (*answer, error) {
	data, err := x.object()
	if err != nil {
		return nil, err
	}
	name, err := x.deckAsked()
	if err != nil {
		return nil, err
	}
	r := &rating.Rate{}
	if err := readRateForm(r, data); err != nil {
		return nil, err
	}
	r.KazooID = newRateID(r, data)
	var view document
	err = x.update(func(tx *storage.Tx) error {
		d, err := deckFor(tx, name)
		if err != nil {
			return err
		}
		if _, err := rateCalled(tx, d, r.KazooID); err == nil {
			return duplicate()
		} else if rating.KindOf(err) != rating.NotFound {
			return err
		}
		made := *r
		made.Deck, made.Gen = d.ID, d.Generation
		if err := tx.Rates.Put(&made); err != nil {
			return err
		}
		view, err = rateView(tx, d, &made)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &answer{data: view, revision: stored}, nil
}

// findRate finds a rate of the deck asked for that is valid now.
func findRate(tx *storage.Tx, x *exchange) (*rating.Deck, *rating.Rate, error) {
	id := x.params["rate"]
	name, err := x.deckAsked()
	if err != nil {
		return nil, nil, err
	}
	d, err := deckCalled(tx, name)
	if rating.KindOf(err) == rating.NotFound {
		return nil, nil, unknownID(clip(id))
	}
	if err != nil {
		return nil, nil, err
	}
	r, err := rateCalled(tx, d, id)
	if err != nil && rating.KindOf(err) != rating.NotFound {
		return nil, nil, err
	}
	if err != nil || r.Gen > d.Generation || !r.ValidAt(tx.Now()) {
		return nil, nil, unknownID(clip(id))
	}
	return d, r, nil
}

func readRate(x *exchange) (*answer, error) {
	var view document
	err := x.view(func(tx *storage.Tx) error {
		d, r, err := findRate(tx, x)
		if err == nil {
			view, err = rateView(tx, d, r)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return &answer{data: view, revision: stored}, nil
}

func changeRate(x *exchange) (*answer, error) {
	data, err := x.object()
	if err != nil {
		return nil, err
	}
	var view document
	err = x.update(func(tx *storage.Tx) error {
		d, r, err := findRate(tx, x)
		if err != nil {
			return err
		}
		shown, err := rateView(tx, d, r)
		if err != nil {
			return err
		}
		doc := data
		if x.method == patch {
			if doc, err = asDocument(shown); err != nil {
				return err
			}
			doc = merge(doc, data)
		}
		named := r.Extra.ISO != ""
		if err := readRateForm(r, doc); err != nil {
			return err
		}
		if !named && r.Extra.ISO == shown["iso_country_code"] {
			r.Extra.ISO = "" // the prefix says so (R6)
		}
		if err := tx.Rates.Put(r); err != nil {
			return err
		}
		view, err = rateView(tx, d, r)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &answer{data: view, revision: stored}, nil
}

// deleteRate ends a rate now. The row stays for calls that began before, and its id is free again.
func deleteRate(x *exchange) (*answer, error) {
	var view document
	err := x.update(func(tx *storage.Tx) error {
		d, r, err := findRate(tx, x)
		if err != nil {
			return err
		}
		if view, err = rateView(tx, d, r); err != nil {
			return err
		}
		r.Till, r.KazooID = tx.Now(), ""
		return tx.Rates.Put(r)
	})
	if err != nil {
		return nil, err
	}
	view["_read_only"] = document{"deleted": true}
	return &answer{data: view, revision: stored}, nil
}
