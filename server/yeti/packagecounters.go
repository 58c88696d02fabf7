package yeti

import (
	"billd/rating"
	"billd/server/jsonapi"
	"billd/storage"
)

var packageCounters = jsonapi.Resource[storage.PackageCounter]{
	Type: "package-counters", Verbs: jsonapi.ReadVerbs,
	Rows: func(tx *storage.Tx) storage.Rows[storage.PackageCounter] { return tx.PackageCounters },
	Key:  func(c *storage.PackageCounter) string { return decimal(c.ID) },
	Attrs: []jsonapi.Attr[storage.PackageCounter]{
		jsonapi.Field("duration", jsonapi.Integer, func(c *storage.PackageCounter) *int64 { return &c.Duration }, jsonapi.ReadOnly),
		jsonapi.Field("exclude", jsonapi.Bool, func(c *storage.PackageCounter) *bool { return &c.Exclude }, jsonapi.ReadOnly),
		jsonapi.Field("prefix", jsonapi.Text, func(c *storage.PackageCounter) *string { return &c.Prefix }, jsonapi.ReadOnly),
		jsonapi.Field("service-id", jsonapi.IntegerOf[uint64](), func(c *storage.PackageCounter) *uint64 { return &c.Service }, jsonapi.ReadOnly),
	},
	Rels: []jsonapi.Rel[storage.PackageCounter]{
		jsonapi.One("account", "accounts", func(c *storage.PackageCounter) *rating.AccountID { return &c.Account }, jsonapi.ReadOnly, jsonapi.RelatedOnly, jsonapi.FilterByID),
		jsonapi.One("service", "services", func(c *storage.PackageCounter) *uint64 { return &c.Service }, jsonapi.ReadOnly, jsonapi.RelatedOnly, jsonapi.FilterByID),
	},
}
