package yeti

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"billd/server/jsonapi"
)

// draft is what a record of a resource needs to be made: attributes, and relationships as "type:id".
type draft struct {
	attrs map[string]any
	rels  map[string]string
	path  string // to update, for what is not made
}

// unique numbers names and the like, so that no two records clash.
var unique = func() func() int { n := 1000; return func() int { n++; return n } }()

// drafts are the resources that can be written.
func (w *world) drafts() map[string]func() draft {
	type attrs = map[string]any
	type rels = map[string]string
	name := func() string { return fmt.Sprintf("walk %d", unique()) }
	prices := func() attrs { return attrs{"initial-rate": "1", "next-rate": "1"} }
	terms := func() attrs {
		return attrs{"initial-rate": "1", "next-rate": "1", "initial-interval": 1, "next-interval": 1, "connect-fee": 0, "apply-time": "2036-01-01"}
	}
	span := attrs{"time_start_gteq": "2026-11-01", "time_start_lt": "2026-12-01"}
	return map[string]func() draft{
		"admin/accounts":    func() draft { return draft{attrs{"name": name()}, rels{"contractor": "contractors:" + w.north}, ""} },
		"admin/contractors": func() draft { return draft{attrs{"name": name(), "customer": true, "vendor": true}, nil, ""} },
		"admin/contacts":    func() draft { return draft{attrs{"email": "a@b"}, rels{"contractor": "contractors:" + w.north}, ""} },
		"admin/payments":    func() draft { return draft{attrs{"amount": "1"}, rels{"account": "accounts:" + w.n1}, ""} },
		"admin/rateplans":   func() draft { return draft{attrs{"name": name()}, nil, ""} },
		"admin/rate-groups": func() draft { return draft{attrs{"name": name()}, nil, ""} },
		"admin/api-accesses": func() draft {
			return draft{attrs{"customer-id": json.Number(w.north), "login": name(), "password": "x"}, nil, ""}
		},
		"admin/destinations":  func() draft { return draft{prices(), rels{"rate-group": "rate-groups:" + w.retail}, ""} },
		"admin/countries":     func() draft { return draft{attrs{"name": name(), "iso2": "QZ"}, nil, ""} },
		"admin/networks":      func() draft { return draft{attrs{"name": name()}, rels{"network-type": "network-types:1"}, ""} },
		"admin/network-types": func() draft { return draft{attrs{"name": name()}, nil, ""} },
		"admin/smtp-connections": func() draft {
			return draft{attrs{"name": name(), "host": "h", "from-address": "a@example.org"}, nil, ""}
		},
		"admin/invoice-templates": func() draft { return draft{attrs{"name": name(), "filename": "a.odt"}, nil, ""} },
		"admin/invoices": func() draft {
			return draft{attrs{"start-date": "2026-06-01", "end-date": "2026-06-09"}, rels{"account": "accounts:" + w.s1}, ""}
		},
		"admin/service-types": func() draft {
			return draft{attrs{"name": name(), "provisioning-class": "Billing::Provisioning::Logging"}, nil, ""}
		},
		"admin/services": func() draft {
			return draft{attrs{"initial-price": 0, "renew-price": 0, "renew-period": "Day", "renew-at": "2037-01-01"}, rels{"account": "accounts:" + w.n1, "service-type": "service-types:" + w.line}, ""}
		},
		"admin/transactions": func() draft { return draft{attrs{"amount": "1"}, rels{"account": "accounts:" + w.n1}, ""} },
		"admin/cdr-exports":  func() draft { return draft{attrs{"fields": []string{"id"}, "filters": span}, nil, ""} },
		"admin/customers-auths": func() draft {
			return draft{attrs{"name": name(), "external-id": unique()}, rels{"customer": "contractors:" + w.north, "account": "accounts:" + w.n1, "rateplan": "rateplans:" + w.standard}, ""}
		},
		"admin/dialpeers": func() draft {
			return draft{prices(), rels{"vendor": "contractors:" + w.carrier, "account": "accounts:" + w.c1}, ""}
		},
		"admin/customer-tokens":        func() draft { return draft{nil, rels{"customer": "contractors:" + w.north}, ""} },
		"admin/cdrs":                   func() draft { return draft{nil, nil, "/cdrs/" + w.call} },
		"admin/balances":               func() draft { return draft{nil, nil, "/accounts/81/balance"} },
		"admin/balance-correction":     func() draft { return draft{nil, nil, "/accounts/" + w.n1 + "/balance-correction"} },
		"admin/destination-next-rates": func() draft { return draft{terms(), rels{"destination": "destinations:" + w.rate}, ""} },
		"admin/dialpeer-next-rates":    func() draft { return draft{terms(), rels{"dialpeer": "dialpeers:" + w.dialpeer}, ""} },
		"customer/check-rates":         func() draft { return draft{attrs{"rateplan-id": w.planUUID, "number": "48"}, nil, ""} },
		"customer/cdr-exports":         func() draft { return draft{attrs{"filters": span}, rels{"account": "accounts:" + w.uuid(w.n1)}, ""} },
	}
}

// good returns a value that an attribute takes, and how it is shown then.
func (w *world) good(d jsonapi.Described, a jsonapi.DescribedAttr) (value, shown any) {
	same := func(v any) (any, any) { return v, v }
	if g, ok := goodValues[a.Name]; ok {
		return g.value, g.shown
	}
	switch a.Name {
	case "uuid":
		return same(fmt.Sprintf("fd868b74-e7d8-11f0-bf40-%012d", unique()))
	case "external-id":
		return same(unique())
	case "customer-id":
		return same(json.Number(w.north))
	case "account-ids":
		return same([]json.Number{json.Number(w.n1)})
	case "rateplan-id":
		return same(w.planUUID)
	}
	switch a.Kind {
	case "number":
		return json.Number("7"), json.Number("7")
	case "datetime":
		return same("2027-01-02T03:04:05.678Z")
	case "boolean":
		return same(true)
	}
	return same(fmt.Sprintf("walk %d", unique()))
}

// goodValues are those that an attribute's kind alone does not tell.
var goodValues = map[string]struct{ value, shown any }{
	"send-balance-notifications-to": {5, []int{5}}, "send-invoices-to": {[]int{5, 6}, []int{5, 6}},
	"timezone": {"Europe/Kyiv", "Europe/Kyiv"}, "invoice-period-id": {3, 3}, "iso2": {"QY", "QY"}, "filename": {"b.odt", "b.odt"}, "from-address": {"b@example.org", "b@example.org"},
	"provisioning-class": {"Billing::Provisioning::FreeMinutes", "Billing::Provisioning::FreeMinutes"}, "variables": {map[string]int{"a": 1}, map[string]int{"a": 1}},
	"profit-control-mode-id": {2, 2}, "rate-policy-id": {2, 2}, "routing-tag-mode-id": {1, 1}, "routing-tag-ids": {[]int{1}, []int{1}}, "force-hit-rate": {0.5, 0.5},
	"min-balance": {"-7", "-7.0"}, "prefix": {"4477", "4477"}, "allowed-ips": {[]string{"10.0.0.0/8"}, []string{"10.0.0.0/8"}}, "fields": {[]string{"id", "duration"}, []string{"id", "duration"}},
	"filters":     {map[string]string{"time_start_gteq": "2026-01-01", "time_start_lt": "2026-02-01"}, map[string]string{"time_start_gteq": "2026-01-01T00:00:00.000Z", "time_start_lt": "2026-02-01T00:00:00.000Z"}},
	"export-type": {"Base", "Base"}, "renew-period": {"Month", "Month"}, "ip": {"10.9.0.1,10.9.0.2", []string{"10.9.0.1", "10.9.0.2"}}, "src-prefix": {[]string{"7"}, []string{"7"}}, "dst-prefix": {[]string{"8"}, []string{"8"}},
	"start-date": {"2026-06-02", "2026-06-02T00:00:00.000Z"}, "end-date": {"2026-06-08 12:00", "2026-06-08T12:00:00.000Z"}, "metadata": {map[string]int{"x": 1}, map[string]int{"x": 1}},
	"time-format": {"round_to_seconds", "round_to_seconds"}, "time-zone-name": {"Europe/Kyiv", "Europe/Kyiv"}, "customer-portal-access-profile-id": {1, 1},
	"balance-high-threshold": {"90", "90.0"}, "number": {"4822", "4822"},
}

// broken is a value that an attribute refuses, with the message, and the attribute that it is about if that is another.
type broken struct {
	value          any
	message, about string
}

var object = map[string]int{"a": 1}

// badValues are those that an attribute's kind alone does not tell.
var badValues = map[string][]broken{
	"invoice-period-id": {{"abc", "is not included in the list", ""}, {7, "is not included in the list", ""}},
	"timezone":          {{"Mars", "Mars is not a valid timezone", ""}}, "iso2": {{"pl", "is invalid", ""}}, "filename": {{"a.pdf", "is invalid", ""}}, "from-address": {{"x", "is invalid", ""}},
	"provisioning-class": {{"Other", "is invalid", ""}}, "variables": {{[]int{1}, "must be a JSON object or empty", ""}},
	"profit-control-mode-id": {{3, "is not included in the list", ""}, {"abc", "is not a number", ""}}, "rate-policy-id": {{5, "is not included in the list", ""}}, "routing-tag-mode-id": {{2, "is not included in the list", ""}},
	"vat":               {{-1, "must be greater than or equal to 0", ""}, {"100.1", "must be less than or equal to 100", ""}, {"abc", "is not a number", ""}},
	"max-call-duration": {{0, "must be greater than 0", ""}, {"1.5", "must be an integer", ""}}, "destination-rate-limit": {{-1, "must be greater than or equal to 0", ""}},
	"total-capacity": {{0, "must be greater than 0", ""}, {32768, "must be less than or equal to 32767", ""}, {"1.5", "must be an integer", ""}},
	"amount":         {{0, "must be other than 0", ""}, {"x", "is not a number", ""}, {nil, "is not a number", ""}},
	"prefix":         {{"4 4", "is invalid", ""}, {object, "is invalid", ""}}, "allowed-ips": {{[]string{"x"}, "Allowed IP is not valid", ""}}, "account-ids": {{[]int{1}, "Account should be connected with selected Customer", "/data"}},
	"customer-id": {{99, "must exist", "customer"}}, "fields": {{[]string{"foo"}, "foo not allowed", ""}}, "filters": {{map[string]int{"foo": 1}, "foo not allowed", ""}, {"x", "is invalid", ""}}, "export-type": {{"Other", "is not included in the list", ""}},
	"renew-period": {{"Year", "is not included in the list", "renew-period-id"}}, "renew-at": {{"abc", "is invalid", ""}, {nil, "can't be blank", ""}}, "ip": {{[]string{"x"}, "is not valid", ""}, {[]string{}, "can't be blank", ""}},
	"src-prefix": {{[]string{"1 2"}, "spaces are not allowed", ""}}, "dst-prefix": {{[]string{"1", "1"}, "can't contain duplicated values", ""}}, "metadata": {{strings.Repeat("x", 5000), "is too long (maximum is 4096 bytes)", ""}},
	"start-date": {{"x", "is invalid", ""}, {"", "can't be blank", ""}}, "end-date": {{"x", "is invalid", ""}, {"2026-06-01", "must be greater than start date", ""}},
	"time-format": {{"x", "is not included in the list: with_timezone, without_timezone, round_to_seconds", ""}}, "time-zone-name": {{"Mars", "is invalid", ""}},
	"send-balance-notifications-to": {{object, "is invalid", ""}}, "send-invoices-to": {{object, "is invalid", ""}}, "routing-tag-ids": {{object, "is invalid", ""}},
	"customer-portal-access-profile-id": {{"abc", "is not a number", ""}}, "rateplan-id": {{"x", "Rateplan not found", ""}},
	"correction":     {}, // one that cannot be read changes nothing
	"force-hit-rate": {{1.5, "must be less than or equal to 1.0", ""}},
	"cps-limit":      {{0, "must be greater than or equal to 0.01", ""}}, "dst-number-min-length": {{-1, "must be greater than or equal to 0", ""}, {101, "must be less than or equal to 100", ""}},
}

func (w *world) bad(a jsonapi.DescribedAttr) []broken {
	bad, ok := badValues[a.Name]
	if !ok {
		switch a.Kind {
		case "number":
			bad = []broken{{"abc", "is not a number", ""}, {object, "is not a number", ""}}
		case "string", "boolean":
			bad = []broken{{object, "is invalid", ""}}
		case "datetime", "exact":
			bad = []broken{{"abc", "is invalid", ""}}
		}
	}
	if a.Required {
		bad = append(slices.Clone(bad), broken{nil, "can't be blank", ""})
	}
	return bad
}
