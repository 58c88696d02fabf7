package kazoo

import (
	"regexp"
	"strings"

	"billd/rating"
)

// Bounds of a rate document.
const (
	maxSeconds = 1<<31 - 1
	maxRoutes  = 50
	maxRoute   = 512 // characters
)

// cleanPrefix takes away what says that a prefix is international (R5); "" when it is no number then.
func cleanPrefix(v any) string {
	s, _ := plain(v)
	s = strings.TrimPrefix(strings.TrimSpace(s), "+")
	s = strings.TrimPrefix(s, "00")
	if s == "" || len(s) > rating.MaxPrefix || strings.Trim(s, "0123456789") != "" {
		return ""
	}
	return s
}

// readRateForm takes what a client wrote of a rate into r. A price equal to the one shown leaves the
// stored ones alone, because the first seconds may cost differently (R6).
func readRateForm(r *rating.Rate, doc document) error {
	f := newForm(doc)
	shown := defaultRoute(r.Prefix)
	if f.need("prefix") {
		if r.Prefix = cleanPrefix(doc["prefix"]); r.Prefix == "" {
			f.wrongType("prefix", "integer")
		}
	}
	if f.need("rate_cost") {
		if s, ok := f.numeral("rate_cost", "number"); ok {
			p, err := rating.ParsePrice(s)
			switch {
			case err != nil:
				f.problem("rate_cost", "maximum", "Value is too large", "value", doc["rate_cost"])
			case p < 0:
				f.problem("rate_cost", "minimum", "Value must be at least 0", "target", 0, "value", doc["rate_cost"])
			case p != r.Terms.Next.Price:
				r.Terms.First.Price, r.Terms.Next.Price = p, p
			}
		}
	}
	r.Terms.Next.Seconds = uint32(f.integer("rate_increment", 1, maxSeconds, 60))
	r.Terms.First.Seconds = uint32(f.integer("rate_minimum", 1, maxSeconds, 60))
	if n := uint32(f.integer("rate_nocharge_time", 0, maxSeconds-1, 0)); n != nocharge(r) {
		if r.Terms.Grace = 0; n > 0 {
			r.Terms.Grace = n + 1
		}
	}
	fee, _ := f.money("rate_surcharge")
	if r.Terms.ConnectFee = fee; fee < 0 {
		f.problem("rate_surcharge", "minimum", "Value must be at least 0", "target", 0, "value", doc["rate_surcharge"])
	}
	if internal, ok := f.money("internal_rate_cost"); ok && internal < 0 {
		f.problem("internal_rate_cost", "minimum", "Value must be at least 0", "target", 0, "value", doc["internal_rate_cost"])
	}
	r.Weight = uint8(f.integer("weight", 1, 100, 0))
	r.Name, r.Extra.Description = f.text("rate_name", 0, 256), f.text("description", 0, 1024)
	r.Extra.ISO = strings.ToUpper(f.text("iso_country_code", 0, 8))
	r.Direction = readDirection(f)
	f.readPatterns("routes")
	if _, text := doc["caller_id_numbers"].(string); text {
		f.text("caller_id_numbers", 0, maxRoute)
	} else {
		f.readPatterns("caller_id_numbers")
	}
	f.text("rate_version", 0, 64)
	f.text("account_id", 0, 32)
	f.readPatterns("options")
	f.text("rate_suffix", 0, 64)
	f.text("carrier", 0, 128)
	if err := f.err(); err != nil {
		return err
	}
	if err := r.Valid(); err != nil {
		return err
	}
	kept := public(doc, rateKeys...)
	if routes, ok := kept["routes"].([]any); ok && len(routes) == 1 && (routes[0] == shown || routes[0] == defaultRoute(r.Prefix)) {
		delete(kept, "routes") // what is shown of a rate without routes
	}
	raw, err := storeDocument(kept)
	r.Extra.Doc = raw
	return err
}

// readDirection reads the directions that a rate is for. billd's own charging has one a row, so a rate
// for both prices what customers dial.
func readDirection(f *form) rating.Direction {
	if !f.has("direction") {
		return rating.Outbound
	}
	words, ok := f.doc["direction"].([]any)
	if !ok {
		f.wrongType("direction", "array")
		return rating.Outbound
	}
	inbound := len(words) > 0
	for _, w := range words {
		if w != "inbound" && w != "outbound" {
			f.problem("direction", "enum", "Value not found in enumerated list of values", "target", []string{"inbound", "outbound"}, "value", w)
		}
		inbound = inbound && w == "inbound"
	}
	if inbound {
		return rating.Inbound
	}
	return rating.Outbound
}

// readPatterns checks a list of texts; all but options are regular expressions.
func (f *form) readPatterns(field string) {
	if !f.has(field) {
		return
	}
	list, ok := f.doc[field].([]any)
	if !ok {
		f.wrongType(field, "array")
		return
	}
	if len(list) > maxRoutes {
		f.problem(field, "maxItems", "Too many elements", "target", maxRoutes)
	}
	for _, v := range list {
		s, ok := v.(string)
		if !ok || len(s) > maxRoute {
			f.wrongType(field, "string")
			return
		}
		if field != "options" {
			if _, err := regexp.Compile(s); err != nil {
				f.problem(field, "invalid", "Not a regular expression", "value", clip(s))
			}
		}
	}
}

// newRateID makes the id of a rate document.
func newRateID(r *rating.Rate, doc document) string {
	id := firstOf(r.Extra.ISO, "XX") + "-" + r.Prefix
	if suffix, _ := doc["rate_suffix"].(string); suffix != "" {
		id += "-" + suffix
	}
	return id
}
