package plan

import (
	"cmp"
	"maps"
	"slices"

	"billd/rating"
)

// Assigned is a plan that an account is on.
type Assigned struct {
	ID        string
	Doc       Object
	Overrides Object // of this plan on this account
}

// The strategies by which plans of one bookkeeper are combined, the later ones over the earlier.
const (
	strategySimple     = "simple"
	strategyRecursive  = "recursive"
	strategyCumulative = "cumulative"
)

// resolved is a plan with what overrides it.
type resolved struct {
	doc      Object
	strategy string
	priority int64
}

// resolve lays the account's overrides, then the plan's own, over a plan (contract 5.3).
func resolve(a Assigned, overrides Object) (resolved, error) {
	r := resolved{doc: Merge(a.Doc, overrides, a.Overrides)}
	m := object(r.doc, "merge")
	switch r.strategy = cmp.Or(text(m, "strategy"), strategySimple); r.strategy {
	case strategySimple, strategyRecursive, strategyCumulative:
	default:
		return r, rating.Broken("merge.strategy", "enum", "", "merge.strategy %q: want simple, recursive or cumulative", r.strategy)
	}
	if v, sent := m["priority"]; sent && v != nil {
		s, _ := digits(v)
		n, ok := integer(s)
		if !ok {
			return r, rating.Broken("merge.priority", "type", "", "merge.priority: want a whole number")
		}
		r.priority = n
	}
	return r, nil
}

// bookkeeper returns who collects for a plan; vendor is whose plan it is.
func (r resolved) bookkeeper(vendor string) Bookkeeper {
	b := object(r.doc, "bookkeeper")
	return Bookkeeper{cmp.Or(text(b, "type"), "default"), cmp.Or(text(b, "id"), "default_bookkeeper"), cmp.Or(text(b, "vendor_id"), vendor)}
}

// Price makes an account's invoices: one for each bookkeeper among its plans, in the order in which
// the plans name them. vendor is the id of whoever sells to the account.
//
// Fails with Invalid, naming the field, when a plan or an override holds what cannot be read, and
// with Range when a line comes to more than an amount can be.
func Price(plans []Assigned, overrides Object, c Counts, vendor string) ([]*Invoice, error) {
	var invoices []*Invoice
	groups := map[Bookkeeper][]resolved{}
	for _, p := range plans {
		r, err := resolve(p, overrides)
		if err != nil {
			return nil, err
		}
		b := r.bookkeeper(vendor)
		if groups[b] == nil {
			invoices = append(invoices, &Invoice{Bookkeeper: b})
		}
		groups[b] = append(groups[b], r)
	}
	for _, v := range invoices {
		v.Plan = combine(groups[v.Bookkeeper])
		if err := v.bill(c); err != nil {
			return nil, err
		}
	}
	return invoices, nil
}

// Check reads a plan document without pricing it. Fails like Price.
func Check(doc Object) error {
	_, err := Price([]Assigned{{Doc: doc}}, nil, Counts{}, "")
	return err
}

// Combined returns what plans say beside their prices — ratedeck, applications, limits, im — with the
// highest priority on top.
func Combined(plans []Assigned, overrides Object) (Object, error) {
	var all []resolved
	for _, p := range plans {
		r, err := resolve(p, overrides)
		if err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	byPriority(all)
	out := Object{}
	for _, r := range all {
		out = over(out, r.doc)
	}
	return out, nil
}

// byPriority orders plans so that the one that wins is last.
func byPriority(rs []resolved) {
	slices.SortStableFunc(rs, func(a, b resolved) int { return cmp.Compare(a.priority, b.priority) })
}

// combine merges the plans of one bookkeeper.
func combine(rs []resolved) Object {
	byPriority(rs)
	out := Object{}
	for _, strategy := range []string{strategySimple, strategyRecursive, strategyCumulative} {
		bucket := Object{}
		for _, r := range rs {
			if r.strategy != strategy {
				continue
			}
			prices := object(r.doc, "plan")
			if strategy == strategyCumulative {
				bucket = accumulate(bucket, prices)
			} else {
				bucket = over(bucket, prices)
			}
		}
		out = over(out, bucket)
	}
	return out
}

// accumulate adds a plan to those of lower priority, item by item.
func accumulate(base, plan Object) Object {
	out := maps.Clone(base)
	for category := range plan {
		items := maps.Clone(object(out, category))
		if items == nil {
			items = Object{}
		}
		for key, v := range object(plan, category) {
			if doc, ok := v.(Object); ok {
				items[key] = addItem(object(items, key), doc)
			}
		}
		out[category] = items
	}
	return out
}

// addItem combines two items field by field; the second has the higher priority. maximum and taxes
// are lost, as in Kazoo.
func addItem(a, b Object) Object {
	out := Merge(a, b) // tables unite, scalars come from b where it has them
	delete(out, "maximum")
	delete(out, "taxes")
	sum(out, a, b, "minimum")
	unite(out, a, b, "exceptions")
	either(out, a, b, "cascade")
	if object(out, "prorate") != nil {
		p := maps.Clone(object(out, "prorate"))
		either(p, object(a, "prorate"), object(b, "prorate"), "additions")
		either(p, object(a, "prorate"), object(b, "prorate"), "removals")
		out["prorate"] = p
	}
	if d := object(out, "discounts"); object(d, "cumulative") != nil {
		c := maps.Clone(object(d, "cumulative"))
		sum(c, object(object(a, "discounts"), "cumulative"), object(object(b, "discounts"), "cumulative"), "maximum")
		out["discounts"] = over(d, Object{"cumulative": c})
	}
	return out
}

// sum puts a's and b's whole numbers under key into out, as one.
func sum(out, a, b Object, key string) {
	if a[key] == nil || b[key] == nil {
		return // out has the only one there is
	}
	x, okX := digits(a[key])
	y, okY := digits(b[key])
	n, okN := integer(x)
	m, okM := integer(y)
	if okX && okY && okN && okM {
		out[key] = numeral(n + m)
	}
}

// unite puts a's and b's lists under key into out, each element once.
func unite(out, a, b Object, key string) {
	var all []any
	for _, v := range append(slices.Clone(list(a[key])), list(b[key])...) {
		if s, ok := v.(string); ok && !slices.Contains(all, any(s)) {
			all = append(all, s)
		}
	}
	if all != nil {
		out[key] = all
	}
}

// either puts true under key into out when a or b has it.
func either(out, a, b Object, key string) {
	if a[key] == true || b[key] == true {
		out[key] = true
	}
}
