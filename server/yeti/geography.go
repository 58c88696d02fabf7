package yeti

import (
	"slices"
	"strconv"
	"strings"

	"billd/server/jsonapi"
	"billd/storage"
)

// destinationCountry returns the country that a rate's prefix belongs to, nil for none. Where the
// number plan knows no country the code counts that the deck's file named beside the prefix.
func destinationCountry(r *jsonapi.Request, d *destination) *storage.Country {
	plan := r.Tx.Numbering()
	if place, ok := plan.Prefix(d.Prefix); ok && place.Country != 0 {
		return plan.Country(place.Country)
	}
	if d.Extra.ISO == "" {
		return nil
	}
	c, err := r.Tx.CountryByISO2(d.Extra.ISO)
	if r.Fail(ignoreMissing(err)); err != nil {
		return nil
	}
	return c
}

// destinationNetwork returns the network that a rate's prefix belongs to, nil for none.
func destinationNetwork(r *jsonapi.Request, d *destination) *storage.Network {
	plan := r.Tx.Numbering()
	place, _ := plan.Prefix(d.Prefix)
	return plan.Network(place.Network)
}

// What destinations have of geography.
var (
	toCountry = jsonapi.OneBy("country", "countries", func(r *jsonapi.Request, d *destination) (string, error) {
		if c := destinationCountry(r, d); c != nil {
			return decimal(c.ID), nil
		}
		return "", nil
	})
	toNetwork = jsonapi.OneBy("network", "networks", func(r *jsonapi.Request, d *destination) (string, error) {
		if n := destinationNetwork(r, d); n != nil {
			return decimal(n.ID), nil
		}
		return "", nil
	})
	geographicSorts = []jsonapi.Sort[destination]{
		{Name: "country.name", Value: func(r *jsonapi.Request, d *destination) jsonapi.Value {
			if c := destinationCountry(r, d); c != nil {
				return jsonapi.TextValue(c.Name)
			}
			return jsonapi.Value{}
		}},
		{Name: "network.name", Value: func(r *jsonapi.Request, d *destination) jsonapi.Value {
			if n := destinationNetwork(r, d); n != nil {
				return jsonapi.TextValue(n.Name)
			}
			return jsonapi.Value{}
		}},
		{Name: "network_type.sorting_priority", Value: func(r *jsonapi.Request, d *destination) jsonapi.Value {
			if n := destinationNetwork(r, d); n != nil {
				return jsonapi.IntegerValue(int64(n.Type)) // types are ranked in the order in which they were made
			}
			return jsonapi.Value{}
		}},
	}
	inCountry = jsonapi.Filter[destination]{Name: "country_id_eq", Match: func(r *jsonapi.Request, d *destination, values []string) bool {
		c := destinationCountry(r, d)
		return c != nil && slices.ContainsFunc(values, func(s string) bool { return strings.TrimSpace(s) == decimal(c.ID) })
	}}
)

// networkPrefixOf returns the number of the network prefix that a rate's prefix begins with, nil for none.
func networkPrefixOf(r *jsonapi.Request, d *destination) *int64 {
	place, ok := r.Tx.Numbering().Prefix(d.Prefix)
	if !ok {
		return nil
	}
	id := int64(place.Prefix)
	return &id
}

func customerCountries() jsonapi.Resource[storage.Country] {
	v := countries.Pick("name", "iso2")
	v.Order = "name"
	return v
}

func customerNetworkTypes() jsonapi.Resource[storage.NetworkType] {
	v := networkTypes
	v.Attrs = []jsonapi.Attr[storage.NetworkType]{
		jsonapi.Field("name", jsonapi.Text, func(t *storage.NetworkType) *string { return &t.Name }, jsonapi.ReadOnly),
	}
	v.Verbs, v.ID, v.Rows = jsonapi.ReadVerbs, jsonapi.UUIDID, nil
	v.Key = func(t *storage.NetworkType) string { return t.UUID.String() }
	v.Load = byUUID((*storage.Tx).NetworkTypeByUUID)
	v.Each = func(r *jsonapi.Request, _ *jsonapi.Query, fn func(*storage.NetworkType) (bool, error)) error {
		return r.Tx.NetworkTypes.Each(0, fn)
	}
	v.Order = "name"
	return v
}

func customerNetworks() jsonapi.Resource[storage.Network] {
	v := networks
	v.Attrs = []jsonapi.Attr[storage.Network]{
		jsonapi.Field("name", jsonapi.Text, func(n *storage.Network) *string { return &n.Name }, jsonapi.ReadOnly),
	}
	v.Verbs, v.ID, v.Rows = jsonapi.ReadVerbs, jsonapi.UUIDID, nil
	v.Key = func(n *storage.Network) string { return n.UUID.String() }
	v.Load = byUUID((*storage.Tx).NetworkByUUID)
	v.Each = func(r *jsonapi.Request, _ *jsonapi.Query, fn func(*storage.Network) (bool, error)) error {
		return r.Tx.Networks.Each(0, fn)
	}
	v.Rels = []jsonapi.Rel[storage.Network]{
		jsonapi.OneBy("network-type", "network-types", func(r *jsonapi.Request, n *storage.Network) (string, error) {
			t, err := r.Tx.NetworkTypes.Get(n.Type)
			if err != nil {
				return "", ignoreMissing(err)
			}
			return t.UUID.String(), nil
		}),
	}
	v.Order = "name"
	return v
}

// customerNetworkPrefixes is the number plan that calls are told apart by.
func customerNetworkPrefixes() jsonapi.Resource[storage.NetworkPrefix] {
	type prefix = storage.NetworkPrefix
	length := func(name string, at func(*prefix) uint8) jsonapi.Attr[prefix] {
		return jsonapi.View(name, jsonapi.Integer, func(_ *jsonapi.Request, p *prefix) (int64, error) { return int64(at(p)), nil }, jsonapi.NoFilter)
	}
	text := func(name string, at func(*prefix) uint8) jsonapi.Filter[prefix] { // Yeti filters lengths as texts
		return jsonapi.Filter[prefix]{Name: name, Ops: jsonapi.StringOps, Value: func(_ *jsonapi.Request, p *prefix) jsonapi.Value {
			return jsonapi.TextValue(strconv.Itoa(int(at(p))))
		}}
	}
	least, most := func(p *prefix) uint8 { return p.MinLength }, func(p *prefix) uint8 { return p.MaxLength }
	return jsonapi.Resource[prefix]{
		Type: "network-prefixes", Verbs: jsonapi.ReadVerbs, ID: jsonapi.UUIDID,
		Key:  func(p *prefix) string { return p.UUID().String() },
		Load: byUUID((*storage.Tx).NetworkPrefixByUUID),
		Each: func(r *jsonapi.Request, _ *jsonapi.Query, fn func(*prefix) (bool, error)) error {
			return r.Tx.NetworkPrefixes.Each(0, fn)
		},
		Attrs: []jsonapi.Attr[prefix]{
			jsonapi.Field("prefix", jsonapi.Text, func(p *prefix) *string { return &p.Prefix }, jsonapi.ReadOnly),
			length("number-min-length", least), length("number-max-length", most),
		},
		Rels: []jsonapi.Rel[prefix]{
			jsonapi.OneBy("network", "networks", func(r *jsonapi.Request, p *prefix) (string, error) {
				if n := r.Tx.Numbering().Network(p.Network); n != nil {
					return n.UUID.String(), nil
				}
				return "", nil
			}),
		},
		Filters: []jsonapi.Filter[prefix]{text("number_min_length", least), text("number_max_length", most)},
		Order:   "prefix",
	}
}
