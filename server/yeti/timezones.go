package yeti

import (
	"slices"

	"billd/rating"
	"billd/server/jsonapi"
)

//go:generate go run zones_gen.go

// zone is the name of a time zone.
type zone struct{ name string }

var timezones = jsonapi.Resource[zone]{
	Type: "timezones", Verbs: jsonapi.ReadVerbs, ID: jsonapi.NameID, Unpaged: true, Linkless: true,
	Key: func(z *zone) string { return z.name },
	Each: func(_ *jsonapi.Request, _ *jsonapi.Query, fn func(*zone) (bool, error)) error {
		for _, name := range zoneNames {
			if more, err := fn(&zone{name}); err != nil || !more {
				return err
			}
		}
		return nil
	},
	Load: func(_ *jsonapi.Request, id string) (*zone, error) {
		if !knownZone(id) {
			return nil, rating.Errorf(rating.NotFound, "timezone", "no such time zone")
		}
		return &zone{id}, nil
	},
	Attrs: []jsonapi.Attr[zone]{
		jsonapi.Field("name", jsonapi.Text, func(z *zone) *string { return &z.name }, jsonapi.ReadOnly, jsonapi.NoSort, jsonapi.NoFilter, jsonapi.PlainFilter),
	},
	NoIDSort: true,
}

// knownZone reports whether name is in the list.
func knownZone(name string) bool {
	_, found := slices.BinarySearch(zoneNames, name)
	return found
}
