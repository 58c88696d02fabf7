package yeti

import (
	"billd/rating"
	"billd/server/jsonapi"
	"billd/storage"
)

var countries = jsonapi.Resource[storage.Country]{
	Type: "countries", Verbs: jsonapi.CRUD,
	Rows: func(tx *storage.Tx) storage.Rows[storage.Country] { return tx.Countries },
	Key:  func(c *storage.Country) string { return decimal(c.ID) },
	Attrs: []jsonapi.Attr[storage.Country]{
		jsonapi.Field("name", jsonapi.Text, func(c *storage.Country) *string { return &c.Name }, jsonapi.Required, jsonapi.Unique, jsonapi.PlainFilter, jsonapi.NoFilter),
		jsonapi.Field("iso2", jsonapi.Text, func(c *storage.Country) *string { return &c.ISO2 }, jsonapi.Required, jsonapi.Format(isISO2), jsonapi.PlainFilter, jsonapi.NoFilter),
	},
	Remove: func(r *jsonapi.Request, c *storage.Country) error {
		if r.Tx.Numbering().CountryUsed(c.ID) {
			return jsonapi.Refuse(prefixesExist)
		}
		return r.Tx.Countries.Delete(c.ID)
	},
}

// prefixesExist refuses to leave network prefixes without their country or network.
const prefixesExist = "Cannot delete record because dependent network prefixes exist"

// isISO2 reports whether s is two capital letters.
func isISO2(s string) bool {
	return len(s) == 2 && s[0] >= 'A' && s[0] <= 'Z' && s[1] >= 'A' && s[1] <= 'Z'
}

var networks = jsonapi.Resource[storage.Network]{
	Type: "networks", Verbs: jsonapi.CRUD,
	Rows: func(tx *storage.Tx) storage.Rows[storage.Network] { return tx.Networks },
	Key:  func(n *storage.Network) string { return decimal(n.ID) },
	Attrs: []jsonapi.Attr[storage.Network]{
		jsonapi.Field("name", jsonapi.Text, func(n *storage.Network) *string { return &n.Name }, jsonapi.Required, jsonapi.Unique, jsonapi.PlainFilter, jsonapi.NoFilter),
	},
	Rels: []jsonapi.Rel[storage.Network]{
		jsonapi.One("network-type", "network-types", func(n *storage.Network) *uint64 { return &n.Type }, jsonapi.MustExist),
	},
	New: func(r *jsonapi.Request) *storage.Network { return &storage.Network{UUID: rating.NewUUID(r.Tx.Now())} },
	Check: func(r *jsonapi.Request, n *storage.Network, _ *jsonapi.Body) jsonapi.Problems {
		if n.Type == 0 || !r.Tx.NetworkTypes.Has(n.Type) { // two rules of Yeti's say so
			return jsonapi.Problems{jsonapi.RelProblem("network-type", "can't be blank")}
		}
		return nil
	},
	Remove: func(r *jsonapi.Request, n *storage.Network) error {
		if r.Tx.Numbering().NetworkUsed(n.ID) {
			return jsonapi.Refuse(prefixesExist)
		}
		return r.Tx.Networks.Delete(n.ID)
	},
}

var networkTypes = jsonapi.Resource[storage.NetworkType]{
	Type: "network-types", Verbs: jsonapi.CRUD,
	Rows: func(tx *storage.Tx) storage.Rows[storage.NetworkType] { return tx.NetworkTypes },
	Key:  func(t *storage.NetworkType) string { return decimal(t.ID) },
	Attrs: []jsonapi.Attr[storage.NetworkType]{
		jsonapi.Field("name", jsonapi.Text, func(t *storage.NetworkType) *string { return &t.Name }, jsonapi.Required, jsonapi.Unique, jsonapi.PlainFilter, jsonapi.NoFilter),
	},
	New: func(r *jsonapi.Request) *storage.NetworkType {
		return &storage.NetworkType{UUID: rating.NewUUID(r.Tx.Now())}
	},
	Remove: func(r *jsonapi.Request, t *storage.NetworkType) error {
		used, err := r.Tx.NetworkTypeUsed(t.ID)
		if err != nil {
			return err
		}
		if used {
			return jsonapi.Refuse("has related networks")
		}
		return r.Tx.NetworkTypes.Delete(t.ID)
	},
}
