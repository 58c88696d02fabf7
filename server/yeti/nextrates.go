package yeti

import (
	"errors"

	"billd/rating"
	"billd/server/jsonapi"
	"billd/storage"
)

// nextRate is a scheduled change of a rate with what a request brings, null until it does.
type nextRate struct {
	storage.NextRate
	initial, next *rating.Price
	fee           *rating.Money
	first, second *int64 // seconds
}

func newNextRate(n *storage.NextRate) *nextRate {
	first, second := int64(n.Terms.First.Seconds), int64(n.Terms.Next.Seconds)
	return &nextRate{NextRate: *n, initial: &n.Terms.First.Price, next: &n.Terms.Next.Price, fee: &n.Terms.ConnectFee, first: &first, second: &second}
}

var (
	destinationNextRates = nextRatesOf("destination", func(d *rating.Deck) bool { return d.Vendor == 0 })
	dialpeerNextRates    = nextRatesOf("dialpeer", func(d *rating.Deck) bool { return d.Vendor != 0 })
)

// nextRatesOf are the scheduled changes of the rates that Yeti calls noun: those in decks that are its.
func nextRatesOf(noun string, its func(*rating.Deck) bool) jsonapi.Resource[nextRate] {
	return jsonapi.Resource[nextRate]{
		Type: noun + "-next-rates", Verbs: jsonapi.CRUD,
		Key: func(n *nextRate) string { return decimal(n.ID) },
		Each: func(r *jsonapi.Request, _ *jsonapi.Query, fn func(*nextRate) (bool, error)) error {
			return r.Tx.NextRates.Each(0, func(n *storage.NextRate) (bool, error) { return fn(newNextRate(n)) })
		},
		Load: loadNextRate,
		Hidden: func(r *jsonapi.Request, n *nextRate) bool {
			d, err := r.Tx.DeckOfRate(n.Rate)
			r.Fail(ignoreMissing(err))
			return err != nil || !its(d)
		},
		Attrs: nextRateAttrs(),
		Rels: []jsonapi.Rel[nextRate]{
			jsonapi.One(noun, noun+"s", func(n *nextRate) *rating.RateID { return &n.Rate }, jsonapi.MustExist),
		},
		Filters: []jsonapi.Filter[nextRate]{
			{Name: "created_at", Ops: jsonapi.DatetimeOps, Value: func(_ *jsonapi.Request, n *nextRate) jsonapi.Value { return jsonapi.InstantValue(n.CreatedAt) }},
			{Name: "updated_at", Ops: jsonapi.DatetimeOps, Value: func(_ *jsonapi.Request, n *nextRate) jsonapi.Value { return jsonapi.InstantValue(n.UpdatedAt) }},
		},
		New: func(r *jsonapi.Request) *nextRate {
			return &nextRate{NextRate: storage.NextRate{CreatedAt: r.Tx.Now()}}
		},
		Check:  checkNextRate,
		Insert: saveNextRate,
		Save:   saveNextRate,
		Remove: func(r *jsonapi.Request, n *nextRate) error { return r.Tx.NextRates.Delete(n.ID) },
	}
}

func loadNextRate(r *jsonapi.Request, id string) (*nextRate, error) {
	ids, err := numbers[uint64]([]string{id})
	if err != nil {
		return nil, err
	}
	n, err := r.Tx.NextRates.Get(ids[0])
	if err != nil {
		return nil, err
	}
	return newNextRate(n), nil
}

func nextRateAttrs() []jsonapi.Attr[nextRate] {
	seconds := []jsonapi.Option{jsonapi.Required, jsonapi.Numeric, jsonapi.Above("0"), jsonapi.AtMost("32767")} // Yeti: smallint
	return []jsonapi.Attr[nextRate]{
		jsonapi.Field("next-rate", jsonapi.NullPrice, func(n *nextRate) **rating.Price { return &n.next }, jsonapi.Required, jsonapi.Numeric),
		jsonapi.Field("initial-rate", jsonapi.NullPrice, func(n *nextRate) **rating.Price { return &n.initial }, jsonapi.Required, jsonapi.Numeric),
		jsonapi.Field("initial-interval", jsonapi.NullInteger, func(n *nextRate) **int64 { return &n.first }, seconds...),
		jsonapi.Field("next-interval", jsonapi.NullInteger, func(n *nextRate) **int64 { return &n.second }, seconds...),
		jsonapi.Field("connect-fee", jsonapi.NullAmount, func(n *nextRate) **rating.Money { return &n.fee }, jsonapi.Required, jsonapi.Numeric),
		jsonapi.Field("apply-time", jsonapi.Instant, func(n *nextRate) *instant { return &n.ApplyAt }, jsonapi.Required),
		jsonapi.Field("applied", jsonapi.Bool, func(n *nextRate) *bool { return &n.Applied }),
		jsonapi.Field("external-id", jsonapi.NullInteger, func(n *nextRate) **int64 { return &n.ExternalID }, jsonapi.PlainFilter),
	}
}

// checkNextRate takes over the terms that were given, and asks whether the rate may have them.
func checkNextRate(r *jsonapi.Request, n *nextRate, _ *jsonapi.Body) (ps jsonapi.Problems) {
	if n.initial == nil || n.next == nil || n.fee == nil || n.first == nil || n.second == nil {
		return nil // can't be blank
	}
	n.Terms.First = rating.Step{Seconds: uint32(*n.first), Price: *n.initial}
	n.Terms.Next = rating.Step{Seconds: uint32(*n.second), Price: *n.next}
	n.Terms.ConnectFee = *n.fee
	rate, err := r.Tx.Rates.Get(uint64(n.Rate))
	if err != nil {
		r.Fail(ignoreMissing(err))
		return nil // must exist
	}
	changed := n.On(*rate)
	var broken rating.Errors
	if errors.As(changed.Valid(), &broken) {
		for _, e := range broken {
			if name := destinationFields[e.Field]; name != "" {
				ps = append(ps, jsonapi.AttrProblem(name, e.Msg))
			}
		}
	}
	return ps
}

func saveNextRate(r *jsonapi.Request, n *nextRate) error {
	n.UpdatedAt = r.Tx.Now()
	return r.Tx.NextRates.Put(&n.NextRate)
}

// scheduledRates are the changes of a rate that were asked for.
func scheduledRates(r *jsonapi.Request, d *destination) (ids []string, err error) {
	err = r.Tx.NextRatesOf(d.ID, func(n *storage.NextRate) (bool, error) {
		ids = append(ids, decimal(n.ID))
		return true, nil
	})
	return ids, err
}
