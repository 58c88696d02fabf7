package yeti

import (
	"billd/rating"
	"billd/server/jsonapi"
	"billd/storage"
)

var packageCounters = jsonapi.Resource[rating.PackageCounter]{
	Type: "package-counters", Verbs: jsonapi.ReadVerbs,
	Rows: func(tx *storage.Tx) storage.Rows[rating.PackageCounter] { return tx.PackageCounters },
	Key:  func(c *rating.PackageCounter) string { return decimal(c.ID) },
	Attrs: []jsonapi.Attr[rating.PackageCounter]{
		jsonapi.Field("duration", jsonapi.Integer, func(c *rating.PackageCounter) *int64 { return &c.Duration }, jsonapi.ReadOnly),
		jsonapi.Field("exclude", jsonapi.Bool, func(c *rating.PackageCounter) *bool { return &c.Exclude }, jsonapi.ReadOnly),
		jsonapi.Field("prefix", jsonapi.Text, func(c *rating.PackageCounter) *string { return &c.Prefix }, jsonapi.ReadOnly),
		jsonapi.Field("service-id", jsonapi.IntegerOf[uint64](), func(c *rating.PackageCounter) *uint64 { return &c.Service }, jsonapi.ReadOnly),
	},
	Rels: []jsonapi.Rel[rating.PackageCounter]{
		jsonapi.One("account", "accounts", func(c *rating.PackageCounter) *rating.AccountID { return &c.Account }, jsonapi.ReadOnly, jsonapi.RelatedOnly, jsonapi.FilterByID),
		jsonapi.One("service", "services", func(c *rating.PackageCounter) *uint64 { return &c.Service }, jsonapi.ReadOnly, jsonapi.RelatedOnly, jsonapi.FilterByID),
	},
}
