package yeti

import (
	"strconv"

	"billd/rating"
	"billd/server/jsonapi"
	"billd/storage"
)

// dialpeers are the rates that vendors are paid by. What they name of a switch is kept as it was sent.
var dialpeers = jsonapi.Resource[destination]{
	Type: "dialpeers", Verbs: jsonapi.CRUD,
	Key:  func(d *destination) string { return decimal(d.ID) },
	Load: loadDialpeer, Page: pageDialpeers,
	Attrs: dialpeerAttrs(),
	Rels: []jsonapi.Rel[destination]{
		dialpeerLink("gateway", "gateways", func(x *rating.DialpeerExtra) **int64 { return &x.Gateway }),
		dialpeerLink("gateway-group", "gateway-groups", func(x *rating.DialpeerExtra) **int64 { return &x.GatewayGroup }),
		dialpeerLink("routing-group", "routing-groups", func(x *rating.DialpeerExtra) **int64 { return &x.RoutingGroup }),
		jsonapi.One("vendor", "contractors", func(d *destination) *uint64 { return &d.vendor }, jsonapi.Linkage, jsonapi.MustExist),
		jsonapi.One("account", "accounts", func(d *destination) *rating.AccountID { return &d.account }, jsonapi.Linkage, jsonapi.MustExist),
		dialpeerLink("routeset-discriminator", "routeset-discriminators", func(x *rating.DialpeerExtra) **int64 { return &x.Discriminator }),
		jsonapi.Many("dialpeer-next-rates", "dialpeer-next-rates", scheduledRates, nil),
	},
	Filters: []jsonapi.Filter[destination]{
		{Name: "routing_group_id", Plain: true, Ops: jsonapi.ExactOps, Value: func(_ *jsonapi.Request, d *destination) jsonapi.Value {
			return jsonapi.NullInteger.Value(d.Extra.Dialpeer.RoutingGroup)
		}},
	},
	New:    destinations.New,
	Check:  checkDialpeer,
	Insert: saveDialpeer,
	Save:   saveDialpeer,
	Remove: destinations.Remove,
}

// dialpeerAttrs are those that a destination has as well, and three of a vendor's own.
func dialpeerAttrs() []jsonapi.Attr[destination] {
	own := []jsonapi.Attr[destination]{
		jsonapi.Field("capacity", jsonapi.NullInteger, func(d *destination) **int64 { return &d.Extra.Dialpeer.Capacity }, jsonapi.Above("0"), jsonapi.AtMost("32767")),
		defaulted("lcr-rate-multiplier", jsonapi.Limit, "1.0", func(d *destination) *rating.Decimal { return &d.Extra.Dialpeer.LCRMultiplier }),
		jsonapi.Field("force-hit-rate", jsonapi.Float, func(d *destination) *string { return &d.Extra.Dialpeer.ForceHitRate }, jsonapi.AtLeast("0.0"), jsonapi.AtMost("1.0")),
	}
	return jsonapi.Named(append(destinationAttrs(), own...), "enabled", "next-rate", "connect-fee", "initial-rate", "initial-interval", "next-interval",
		"valid-from", "valid-till", "prefix", "capacity", "lcr-rate-multiplier", "force-hit-rate", "external-id",
		"dst-number-min-length", "dst-number-max-length", "reverse-billing")
}

// dialpeerLink is a relationship to a record of a switch's own.
func dialpeerLink(name, typ string, at func(*rating.DialpeerExtra) **int64) jsonapi.Rel[destination] {
	return jsonapi.OneOrNull(name, typ, func(d *destination) **int64 { return at(&d.Extra.Dialpeer) }, jsonapi.Linkage, jsonapi.Kept)
}

func loadDialpeer(r *jsonapi.Request, id string) (*destination, error) {
	n, err := strconv.ParseUint(id, 10, 64)
	if err != nil {
		return nil, jsonapi.NoRecord(id)
	}
	rate, deck, err := r.Tx.Dialpeer(rating.RateID(n))
	if err != nil {
		return nil, err
	}
	d := newDestination(*rate)
	return d, d.of(r.Tx, deck.Vendor)
}

// of says whose dialpeer it is.
func (d *destination) of(tx *storage.Tx, account rating.AccountID) error {
	a, err := tx.Accounts.Get(uint64(account))
	if err == nil {
		d.account, d.vendor = a.ID, a.Contractor
	}
	return err
}

// pageDialpeers is pageDestinations for the decks of vendors.
func pageDialpeers(r *jsonapi.Request, q *jsonapi.Query) (p jsonapi.Page[destination], err error) {
	s, rest, err := rateSearch(r, q)
	if err != nil {
		return p, err
	}
	decks, err := r.Tx.VendorDecks()
	if err != nil {
		return p, err
	}
	owners := map[rating.DeckID]rating.AccountID{}
	s.Decks = []rating.DeckID{}
	for _, d := range decks {
		owners[d.ID], s.Decks = d.Vendor, append(s.Decks, d.ID)
	}
	if p, err = pageRates(r, q, s, rest); err != nil {
		return p, err
	}
	known := map[rating.DeckID]*destination{}
	for _, d := range p.Rows {
		if first := known[d.Deck]; first != nil {
			d.account, d.vendor = first.account, first.vendor
			continue
		}
		if err := d.of(r.Tx, owners[d.Deck]); err != nil {
			return p, err
		}
		known[d.Deck] = d
	}
	return p, nil
}

// checkDialpeer has the rules of a rate, and those that look at whose it is.
func checkDialpeer(r *jsonapi.Request, d *destination, b *jsonapi.Body) jsonapi.Problems {
	ps := checkDestination(r, d, b)
	if x := &d.Extra.Dialpeer; x.Gateway != nil && x.GatewayGroup != nil {
		ps = append(ps, jsonapi.BaseProblem("Specify a gateway_group or a gateway"))
	}
	owner, err := r.Tx.Contractors.Get(d.vendor)
	r.Fail(ignoreMissing(err))
	if err == nil && !owner.Vendor {
		ps = append(ps, jsonapi.RelProblem("vendor", "Is not vendor"))
	}
	a, err := r.Tx.OpenAccount(d.account)
	r.Fail(ignoreMissing(err))
	if err == nil && a.Contractor != d.vendor {
		ps = append(ps, jsonapi.RelProblem("account", "must be owned by selected vendor"))
	}
	return ps
}

// saveDialpeer stores a rate in a deck of its account's.
func saveDialpeer(r *jsonapi.Request, d *destination) error {
	deck, err := r.Tx.Decks.Get(uint64(d.Deck))
	if ignoreMissing(err) != nil {
		return err
	}
	if err != nil || deck.Vendor != d.account {
		a, err := r.Tx.OpenAccount(d.account)
		if err != nil {
			return err
		}
		if deck, err = r.Tx.DialpeerDeck(a); err != nil {
			return err
		}
		d.Deck = deck.ID
	}
	return saveDestination(r, d)
}
