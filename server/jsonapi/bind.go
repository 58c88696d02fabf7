package jsonapi

import (
	"slices"
	"strconv"
	"strings"
)

// Cond is one condition of a query.
type Cond struct {
	Name   string // with underscores: "contractor.id", "name_eq", "id"
	Values []string
	match  func(r *Request, rec any) bool
}

// order is one key of a sort.
type order struct {
	name  string // with underscores
	value func(r *Request, rec any) Value
	down  bool
}

// Query is what a list was asked for, checked against its resource.
type Query struct {
	Conds  []Cond
	Number int64 // page, from 1
	Size   int64 // rows per page; 0 is all of them
	orders []order
	given  bool // the client asked for an order
}

// Values returns the values of the condition name, and whether it was given.
func (q *Query) Values(name string) ([]string, bool) {
	for _, c := range q.Conds {
		if c.Name == name {
			return c.Values, true
		}
	}
	return nil, false
}

// Sort returns the keys of the order, with underscores, a descending one after "-".
func (q *Query) Sort() []string {
	var keys []string
	for _, o := range q.orders {
		if o.down {
			keys = append(keys, "-"+o.name)
		} else {
			keys = append(keys, o.name)
		}
	}
	return keys
}

// Offset returns how many rows come before the page.
func (q *Query) Offset() int64 { return (q.Number - 1) * q.Size }

// node is what is included below one record.
type node struct {
	names []string
	below map[string]*node
}

// bind checks a query's parameters against the resource it asks for.
func (d *resource) bind(api *API, p *params, list bool) (*Query, *view, error) {
	v := &view{}
	var err error
	if v.include, err = d.bindInclude(api, p.include); err != nil {
		return nil, nil, err
	}
	if v.fields, err = api.bindFields(p.fields); err != nil {
		return nil, nil, err
	}
	q := &Query{Number: p.number, Size: p.size}
	for _, f := range p.filters {
		c, ok, err := d.bindFilter(f)
		if err != nil {
			return nil, nil, err
		}
		if ok {
			q.Conds = append(q.Conds, c)
		}
	}
	if !list {
		return q, v, nil
	}
	if err := d.bindSort(q, p.sort); err != nil {
		return nil, nil, err
	}
	if d.unpaged {
		q.Number, q.Size = 1, 0
		return q, v, nil
	}
	return q, v, p.checkPage()
}

func (d *resource) bindInclude(api *API, include string) (*node, error) {
	root, segments := &node{}, 0
	for _, path := range listed(include) {
		at, n := d, root
		for depth, name := range strings.Split(path, ".") {
			if segments++; segments > maxIncludes || depth >= maxIncludeDepth {
				return nil, BadRequest("include: more than " + strconv.Itoa(maxIncludes) + " relationships, or deeper than " + strconv.Itoa(maxIncludeDepth))
			}
			var rl *rel
			if at != nil {
				rl = at.rel(name)
			}
			if rl == nil {
				typ := d.typ
				if at != nil {
					typ = at.typ
				}
				return nil, problem(400, "112", "Invalid field", clip(name)+" is not a valid relationship of "+typ)
			}
			if n.below == nil {
				n.below = map[string]*node{}
			}
			if n.below[name] == nil {
				n.names, n.below[name] = append(n.names, name), &node{}
			}
			at, n = api.types[rl.typ], n.below[name]
		}
	}
	return root, nil
}

func (api *API) bindFields(sent []pair) (map[string]map[string]bool, error) {
	var fields map[string]map[string]bool
	for _, f := range sent {
		d := api.types[f.name]
		if d == nil {
			return nil, badType(f.name)
		}
		names := listed(f.value)
		if len(names) == 0 {
			names = []string{"nil"}
		}
		if fields == nil {
			fields = map[string]map[string]bool{}
		}
		chosen := map[string]bool{}
		for _, name := range names {
			dashed := strings.ReplaceAll(name, "_", "-")
			if dashed != "id" && d.attr(dashed) == nil && d.rel(dashed) == nil {
				return nil, problem(400, "104", "Invalid field", clip(name)+" is not a valid field for "+f.name+".")
			}
			chosen[dashed] = true
		}
		fields[f.name] = chosen
	}
	return fields, nil
}

func (d *resource) bindSort(q *Query, sent string) error {
	keys := listed(sent)
	q.given = len(keys) > 0
	if len(keys) > maxSortKeys {
		return BadRequest("sort: more than " + strconv.Itoa(maxSortKeys) + " keys")
	}
	if len(keys) == 0 {
		keys = listed(d.order)
	}
	for _, key := range keys {
		name, down := strings.CutPrefix(key, "-")
		name = underscored(name)
		value := d.sorts[name]
		if name == "id" && !q.given {
			value = d.idValue // the default order, sortable or not
		}
		if value == nil {
			return problem(400, "114", "Invalid sort criteria", clip(name)+" is not a valid sort criteria for "+d.typ)
		}
		q.orders = append(q.orders, order{name, value, down})
	}
	// What is equal otherwise goes by id, the same way round, so that pages do not overlap.
	if !slices.ContainsFunc(q.orders, func(o order) bool { return o.name == "id" }) {
		q.orders = append(q.orders, order{"id", d.idValue, q.orders[0].down})
	}
	return nil
}
