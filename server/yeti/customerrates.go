package yeti

import (
	"slices"
	"strings"

	"billd/rating"
	"billd/server/jsonapi"
	"billd/storage"
)

// plansOfAccount returns the numbers of the rate plans that an account's calls are charged by: those of
// its customers-auths, and its own.
func plansOfAccount(r *jsonapi.Request, a *account) (ids []uint64, err error) {
	if a.RatePlan != 0 {
		ids = append(ids, a.RatePlan)
	}
	err = r.Tx.AuthsOfAccount(a.ID, func(c *customersAuth) (bool, error) {
		ids = append(ids, c.RatePlan)
		return true, nil
	})
	return ids, err
}

// attachedPlans returns the rate plans that the customer's accounts are charged by; the one that
// everybody falls back to is not attached by that (R17).
func attachedPlans(r *jsonapi.Request) (plans []*rating.RatePlan, err error) {
	list, err := scoped(r)
	if err != nil {
		return nil, err
	}
	var attached []uint64
	for _, a := range list {
		ids, err := plansOfAccount(r, a)
		if err != nil {
			return nil, err
		}
		attached = append(attached, ids...)
	}
	slices.Sort(attached)
	for _, id := range slices.Compact(attached) {
		p, err := r.Tx.Plans.Get(id)
		if ignoreMissing(err) != nil {
			return nil, err
		}
		if err == nil {
			plans = append(plans, p)
		}
	}
	return plans, nil
}

func customerRateplans() jsonapi.Resource[rating.RatePlan] {
	v := rateplans.Pick("name")
	v.ID, v.Rows, v.Rels = jsonapi.UUIDID, nil, nil
	v.Key = func(p *rating.RatePlan) string { return p.UUID.String() }
	v.Load = byUUID((*storage.Tx).PlanByUUID)
	v.Each = func(r *jsonapi.Request, _ *jsonapi.Query, fn func(*rating.RatePlan) (bool, error)) error {
		plans, err := attachedPlans(r)
		return offer(plans, err, fn)
	}
	v.Hidden = func(r *jsonapi.Request, p *rating.RatePlan) bool {
		plans, err := attachedPlans(r)
		r.Fail(err)
		return !slices.ContainsFunc(plans, func(o *rating.RatePlan) bool { return o.ID == p.ID })
	}
	v.Filters = []jsonapi.Filter[rating.RatePlan]{
		{Name: "uuid", Ops: jsonapi.ExactOps, Value: func(_ *jsonapi.Request, p *rating.RatePlan) jsonapi.Value { return jsonapi.TextValue(p.UUID.String()) }},
	}
	v.Order = "name"
	return v
}

// customerRates are the rates of the plans that a customer is charged by.
func customerRates() jsonapi.Resource[destination] {
	full := destinations
	full.Attrs = append(slices.Clone(destinations.Attrs), jsonapi.View("network-prefix-id", jsonapi.NullInteger, func(r *jsonapi.Request, d *destination) (*int64, error) { return networkPrefixOf(r, d), nil }))
	v := full.Pick("prefix", "dst-number-min-length", "dst-number-max-length", "enabled", "reject-calls", "initial-rate", "initial-interval",
		"next-rate", "next-interval", "connect-fee", "valid-from", "valid-till", "network-prefix-id")
	v.Type, v.ID, v.Rels, v.Sorts = "rates", jsonapi.UUIDID, nil, nil
	v.Key = func(d *destination) string { return d.uuid }
	v.Load = byUUID(func(tx *storage.Tx, u rating.UUID) (*destination, error) {
		rate, err := tx.RateByUUID(u)
		if err != nil {
			return nil, err
		}
		d := newDestination(*rate)
		d.uuid = u.String()
		return d, nil
	})
	v.Hidden = func(r *jsonapi.Request, d *destination) bool {
		decks, err := attachedDecks(r, nil)
		r.Fail(err)
		return !slices.Contains(decks, d.Deck)
	}
	v.Page = pageCustomerRates
	v.Filters = []jsonapi.Filter[destination]{
		{Name: "uuid", Ops: jsonapi.ExactOps, Value: destinationUUID},
		{Name: "rateplan_id_eq", One: true, Match: func(*jsonapi.Request, *destination, []string) bool { return true }}, // attachedDecks
		{Name: "account_id_eq", One: true, Match: func(*jsonapi.Request, *destination, []string) bool { return true }},
	}
	v.Order = "prefix"
	return v
}

// attachedDecks returns the decks of the plans that the customer is charged by, and that a query's
// conditions on plan and account leave.
func attachedDecks(r *jsonapi.Request, q *jsonapi.Query) (decks []rating.DeckID, err error) {
	plans, err := attachedPlans(r)
	if err != nil {
		return nil, err
	}
	decks = []rating.DeckID{}
	for _, p := range plans {
		if q == nil {
			decks = append(decks, p.Decks...)
			continue
		}
		if values, ok := q.Values("rateplan_id_eq"); ok && !strings.EqualFold(values[0], p.UUID.String()) {
			continue
		}
		if values, ok := q.Values("account_id_eq"); ok {
			u, err := rating.ParseUUID(values[0])
			if err != nil {
				continue
			}
			a, err := r.Tx.AccountByUUID(u)
			if ignoreMissing(err) != nil {
				return nil, err
			}
			if err != nil || !scope(r).sees(a) {
				continue
			}
			if ids, err := plansOfAccount(r, a); err != nil {
				return nil, err
			} else if !slices.Contains(ids, p.ID) {
				continue
			}
		}
		decks = append(decks, p.Decks...)
	}
	return decks, nil
}

func pageCustomerRates(r *jsonapi.Request, q *jsonapi.Query) (p jsonapi.Page[destination], err error) {
	s, rest, err := rateSearch(r, q)
	if err != nil {
		return p, err
	}
	rest = slices.DeleteFunc(rest, func(c jsonapi.Cond) bool { return c.Name == "account_id_eq" })
	if s.Decks, err = attachedDecks(r, q); err != nil || len(s.Decks) == 0 {
		return p, err
	}
	return pickRates(r, q, s, func(d *destination) bool {
		d.uuid = r.Tx.RateUUID(&d.Rate).String()
		return meets(r, d, rest)
	})
}
