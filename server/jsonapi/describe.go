package jsonapi

import (
	"maps"
	"slices"
)

// Described is what a resource offers on the wire: for documentation, and for tests that leave nothing out.
type Described struct {
	Type    string
	Paths   []string
	Verbs   Verbs
	ID      IDKind
	Paged   bool
	Attrs   []DescribedAttr
	Rels    []DescribedRel
	Filters []DescribedFilter // in order of name
	Sorts   []string          // with underscores, in order
}

// DescribedAttr is an attribute. Kind is its family of operators: "string", "number", "datetime",
// "boolean", "exact" or "" for what has none; Words are those of an enumeration.
type DescribedAttr struct {
	Name           string
	Kind           string
	Words          []string
	Create, Update bool // may be written by
	Shown          bool
	Required       bool // refuses null
}

// DescribedRel is a relationship.
type DescribedRel struct {
	Name, Type     string
	Many           bool
	Create, Update bool
	Shown          bool
	Served         bool // its type is
}

// DescribedFilter is one condition: filter[Name]. Operator is what Name ends in, "" for a plain one.
type DescribedFilter struct {
	Name, Operator string
	Kind           string
	Words          []string
	One            bool // takes exactly one value
}

var opsetNames = map[opset]string{strings_: "string", numbers: "number", datetimes: "datetime", booleans: "boolean", exact: "exact"}

// Describe lists the resources by type.
func (api *API) Describe() []Described {
	var all []Described
	for _, typ := range slices.Sorted(maps.Keys(api.types)) {
		all = append(all, api.types[typ].describe(api))
	}
	return all
}

func (d *resource) describe(api *API) Described {
	out := Described{Type: d.typ, Paths: d.paths, Verbs: d.verbs, ID: d.id, Paged: !d.unpaged, Sorts: slices.Sorted(maps.Keys(d.sorts))}
	for i := range d.attrs {
		a := &d.attrs[i]
		out.Attrs = append(out.Attrs, DescribedAttr{Name: a.name, Kind: opsetNames[a.ops.set], Words: a.ops.words,
			Create: a.writable(true), Update: a.writable(false), Shown: !a.opts.writeOnly, Required: a.opts.required})
	}
	for _, rl := range d.rels {
		out.Rels = append(out.Rels, DescribedRel{Name: rl.name, Type: rl.typ, Many: rl.many,
			Create: rl.writable(true), Update: rl.writable(false), Shown: !rl.opts.writeOnly, Served: api.types[rl.typ] != nil})
	}
	for _, name := range slices.Sorted(maps.Keys(d.filters)) {
		f := d.filters[name]
		out.Filters = append(out.Filters, DescribedFilter{Name: name, Operator: f.op, Kind: opsetNames[f.ops.set], Words: f.ops.words,
			One: f.one || f.op != "" && !takesList[f.op]})
	}
	return out
}
