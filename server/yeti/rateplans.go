package yeti

import (
	"slices"
	"strconv"

	"billd/rating"
	"billd/server/jsonapi"
	"billd/storage"
)

var rateplans = jsonapi.Resource[rating.RatePlan]{
	Type: "rateplans", Verbs: jsonapi.CRUD,
	Rows: func(tx *storage.Tx) storage.Rows[rating.RatePlan] { return tx.Plans },
	Key:  func(p *rating.RatePlan) string { return decimal(p.ID) },
	Attrs: []jsonapi.Attr[rating.RatePlan]{
		jsonapi.Field("name", jsonapi.Text, func(p *rating.RatePlan) *string { return &p.Name }, jsonapi.Required, jsonapi.Unique, jsonapi.PlainFilter),
		jsonapi.Field("profit-control-mode-id", jsonapi.Integer, func(p *rating.RatePlan) *int64 { return &p.ProfitControl }, jsonapi.Required, jsonapi.OneOf(1, 2)),
	},
	Rels: []jsonapi.Rel[rating.RatePlan]{
		jsonapi.Many("rate-groups", "rate-groups",
			func(_ *jsonapi.Request, p *rating.RatePlan) ([]string, error) { return numbered(p.Decks), nil },
			func(_ *jsonapi.Request, p *rating.RatePlan, ids []string) (err error) {
				p.Decks, err = numbers[rating.DeckID](ids)
				return err
			}, jsonapi.RelatedOnly, jsonapi.MayBeNull),
	},
	New: func(r *jsonapi.Request) *rating.RatePlan {
		return &rating.RatePlan{UUID: rating.NewUUID(r.Tx.Now()), ProfitControl: 1}
	},
	Remove: removePlan,
}

// removePlan deletes a plan that nobody is charged by.
func removePlan(r *jsonapi.Request, p *rating.RatePlan) error {
	used := p.ID == rating.DefaultPlan
	err := r.Tx.Accounts.Each(0, func(a *rating.Account) (bool, error) {
		used = used || !a.Closed() && a.RatePlan == p.ID
		return !used, nil
	})
	if err != nil {
		return err
	}
	if used {
		return jsonapi.Refuse("Cannot delete record because dependent accounts exist")
	}
	if r.Tx.PlanHasAuths(p.ID) {
		return errHasAuths
	}
	return r.Tx.Plans.Delete(p.ID)
}

// rateGroup is a deck, and the plans that are to list it once it is stored.
type rateGroup struct {
	rating.Deck
	plans  []uint64
	linked bool // plans was set
}

var rateGroups = jsonapi.Resource[rateGroup]{
	Type: "rate-groups", Verbs: jsonapi.CRUD, Unpaged: true,
	Key: func(g *rateGroup) string { return decimal(g.ID) },
	Each: func(r *jsonapi.Request, _ *jsonapi.Query, fn func(*rateGroup) (bool, error)) error {
		return r.Tx.Decks.Each(0, func(d *rating.Deck) (bool, error) { return fn(&rateGroup{Deck: *d}) })
	},
	Load: func(r *jsonapi.Request, id string) (*rateGroup, error) {
		n, err := strconv.ParseUint(id, 10, 64)
		if err != nil {
			return nil, jsonapi.NoRecord(id)
		}
		d, err := r.Tx.Decks.Get(n)
		if err != nil {
			return nil, err
		}
		return &rateGroup{Deck: *d}, nil
	},
	Hidden: func(_ *jsonapi.Request, g *rateGroup) bool { return g.Vendor != 0 }, // vendors' rates are dialpeers
	Attrs: []jsonapi.Attr[rateGroup]{
		jsonapi.Field("name", jsonapi.Text, func(g *rateGroup) *string { return &g.Name }, jsonapi.Required),
		jsonapi.Field("external-id", jsonapi.NullInteger, func(g *rateGroup) **int64 { return &g.ExternalID }, jsonapi.NoFilter),
	},
	Rels: []jsonapi.Rel[rateGroup]{
		jsonapi.Many("rateplans", "rateplans", planIDs,
			func(_ *jsonapi.Request, g *rateGroup, ids []string) (err error) {
				g.plans, err = numbers[uint64](ids)
				g.linked = true
				return err
			}, jsonapi.RelatedOnly, jsonapi.MayBeNull),
	},
	New: func(r *jsonapi.Request) *rateGroup {
		return &rateGroup{Deck: rating.Deck{Currency: r.Tx.Settings().Currency, Preset: rating.PresetYeti, CreatedAt: r.Tx.Now()}}
	},
	Check:  checkRateGroup,
	Insert: saveRateGroup,
	Save:   saveRateGroup,
	Remove: removeRateGroup,
}

// planIDs returns the plans that list a deck, or that will.
func planIDs(r *jsonapi.Request, g *rateGroup) ([]string, error) {
	if g.linked {
		return numbered(g.plans), nil
	}
	plans, err := plansOf(r.Tx, g.ID)
	return numbered(plans), err
}

func plansOf(tx *storage.Tx, id rating.DeckID) (plans []uint64, err error) {
	err = tx.Plans.Each(0, func(p *rating.RatePlan) (bool, error) {
		if slices.Contains(p.Decks, id) {
			plans = append(plans, p.ID)
		}
		return true, nil
	})
	return plans, err
}

func checkRateGroup(r *jsonapi.Request, g *rateGroup, _ *jsonapi.Body) (ps jsonapi.Problems) {
	const taken = "has already been taken"
	if slices.Contains(r.Tx.Decks.Taken(&g.Deck), "name") {
		ps = append(ps, jsonapi.AttrProblem("name", taken))
	}
	if g.ExternalID == nil {
		return ps
	}
	err := r.Tx.Decks.Each(0, func(d *rating.Deck) (bool, error) {
		if d.ID != g.ID && d.ExternalID != nil && *d.ExternalID == *g.ExternalID {
			ps = append(ps, jsonapi.AttrProblem("external-id", taken))
			return false, nil
		}
		return true, nil
	})
	r.Fail(err)
	return ps
}

// saveRateGroup stores a deck, then lists it in exactly the plans that were given, if any were.
func saveRateGroup(r *jsonapi.Request, g *rateGroup) error {
	if err := r.Tx.Decks.Put(&g.Deck); err != nil || !g.linked {
		return err
	}
	var changed []*rating.RatePlan
	err := r.Tx.Plans.Each(0, func(p *rating.RatePlan) (bool, error) {
		switch is, want := slices.Contains(p.Decks, g.ID), slices.Contains(g.plans, p.ID); {
		case is && !want:
			p.Decks = slices.DeleteFunc(p.Decks, func(id rating.DeckID) bool { return id == g.ID })
			changed = append(changed, p)
		case want && !is:
			p.Decks = append(p.Decks, g.ID)
			changed = append(changed, p)
		}
		return true, nil
	})
	for _, p := range changed {
		if err == nil {
			err = r.Tx.Plans.Put(p)
		}
	}
	return err
}

func removeRateGroup(r *jsonapi.Request, g *rateGroup) error {
	plans, err := plansOf(r.Tx, g.ID)
	if err != nil {
		return err
	}
	if len(plans) > 0 || g.ID == rating.DefaultDeck {
		return jsonapi.Refuse("Rate Group used in Rate Plan configuration. You must unlink it first")
	}
	return r.Tx.DeleteDeck(g.ID)
}

// numbered spells numbers as ids.
func numbered[N ~uint64](ns []N) []string {
	ids := make([]string, len(ns))
	for i, n := range ns {
		ids[i] = decimal(n)
	}
	return ids
}

// numbers reads ids.
func numbers[N ~uint64](ids []string) ([]N, error) {
	ns := make([]N, len(ids))
	for i, id := range ids {
		n, err := strconv.ParseUint(id, 10, 64)
		if err != nil {
			return nil, jsonapi.NoRecord(id)
		}
		ns[i] = N(n)
	}
	return ns, nil
}
