package yeti

import (
	"slices"
	"strings"
	"time"

	"billd/rating"
	"billd/server/jsonapi"
	"billd/storage"
)

// recentCalls is how far back lists of a customer's calls reach unless they say from when. Source:
// contract 4.1.
const recentCalls = 24 * time.Hour

// Attributes in the order of the wire. Source: contract 4.2 and 4.1.
const (
	originatedAttributes = `time-start time-connect time-end duration success destination-initial-interval destination-initial-rate
		destination-next-interval destination-next-rate destination-fee customer-price customer-duration src-name-in src-prefix-in
		from-domain dst-prefix-in to-domain ruri-domain diversion-in local-tag lega-disconnect-code lega-disconnect-reason
		auth-orig-transport-protocol-id auth-orig-ip auth-orig-port src-prefix-routing dst-prefix-routing destination-prefix
		orig-call-id lega-user-agent rec`
	incomingAttributes = `time-start time-connect time-end duration success dialpeer-initial-interval dialpeer-initial-rate
		dialpeer-next-interval dialpeer-next-rate dialpeer-fee dialpeer-prefix vendor-price vendor-duration src-name-out
		src-prefix-out dst-prefix-out src-prefix-routing dst-prefix-routing diversion-out local-tag legb-disconnect-code
		legb-disconnect-reason sign-term-ip sign-term-port sign-term-transport-protocol-id term-call-id legb-user-agent rec`
)

// Columns that lists are filtered by though they are not shown.
var (
	originatedFilters = []string{"customer_acc_vat", "customer_price_no_vat", "destination_reverse_billing", "pai_in", "ppi_in",
		"privacy_in", "rpid_in", "rpid_privacy_in", "pai_out", "ppi_out", "privacy_out", "rpid_out", "rpid_privacy_out"}
	incomingFilters = []string{"dialpeer_reverse_billing"}
)

func customerCDRs() jsonapi.Resource[call] {
	d := customerCalls("cdrs", originatedAttributes, rating.CustomerSide, originatedFilters)
	d.Rels = append(d.Rels, jsonapi.OneBy("auth-orig-transport-protocol", "transport-protocols", noProtocol, jsonapi.Absent))
	return d
}

// noProtocol is the record of a transport protocol, of which billd keeps the number only.
func noProtocol(*jsonapi.Request, *call) (string, error) { return "", nil }

func incomingCDRs() jsonapi.Resource[call] {
	return customerCalls("incoming-cdrs", incomingAttributes, rating.VendorSide, incomingFilters)
}

// customerCalls are the calls that a customer's accounts took a side in: of those originated the last
// attempt only, of those terminated every attempt.
func customerCalls(typ, attributes string, side rating.Side, hidden []string) jsonapi.Resource[call] {
	column := [...]rating.CDRField{rating.CDRCustomerAccID, rating.CDRVendorAccID}[side]
	account := func(c *call) rating.AccountID {
		n, _ := c.number(column)
		return rating.AccountID(n)
	}
	d := jsonapi.Resource[call]{
		Type: typ, Verbs: jsonapi.ReadVerbs,
		Key: callID, Load: loadCall,
		Page: func(r *jsonapi.Request, q *jsonapi.Query) (p jsonapi.Page[call], err error) {
			s, err := customerSearch(r, q, side)
			if err != nil {
				return p, err
			}
			return s.page(q)
		},
		Hidden: func(r *jsonapi.Request, c *call) bool {
			return side == rating.CustomerSide && !lastAttempt(c) || !sees(r, account(c))
		},
		Order: "-time-start",
		Attrs: callAttrs(attributes),
		Rels:  []jsonapi.Rel[call]{accountRel(account)},
		Filters: []jsonapi.Filter[call]{
			accountFilter(account),
			{Name: "id", Ops: jsonapi.NumberOps, Value: func(_ *jsonapi.Request, c *call) jsonapi.Value { return jsonapi.IntegerValue(int64(c.ID())) }},
		},
		Actions: noRecordings("rec"),
	}
	for _, name := range hidden {
		f, _ := rating.CDRFieldNamed(name)
		d.Filters = append(d.Filters, jsonapi.Filter[call]{Name: name, Ops: columnOps[f.Kind()], Value: func(_ *jsonapi.Request, c *call) jsonapi.Value { return c.column(f) }})
	}
	return d
}

// lastAttempt reports whether no later attempt of the call followed; not said means none did.
func lastAttempt(c *call) bool {
	last, said := c.number(rating.CDRIsLastCDR)
	return !said || last != 0
}

// customerSearch limits a search to the customer's accounts, and to the last day unless the client
// says from when.
func customerSearch(r *jsonapi.Request, q *jsonapi.Query, side rating.Side) (*callSearch, error) {
	list, err := scoped(r)
	if err != nil {
		return nil, err
	}
	recent := true
	s, err := newCallSearch(r, q, func(_ *callSearch, c *jsonapi.Cond) (bool, error) {
		switch c.Name {
		case "time_start_gteq", "time_start_gt", "time_start_eq":
			recent = false
		case "account_id_eq", "account_id_in", "account_id_not_eq", "account_id_not_in":
			list = accountsNamed(list, c)
			return true, nil
		}
		return false, nil
	})
	if err != nil {
		return nil, err
	}
	ids := make([]rating.AccountID, len(list))
	for i, a := range list {
		ids[i] = a.ID
	}
	s.only(side, ids)
	if recent {
		s.From = max(s.From, r.Tx.Now().Add(-recentCalls).UnixMicro())
	}
	if side == rating.CustomerSide {
		s.Where = append(s.Where, storage.CallCond{Field: rating.CDRIsLastCDR, Within: []storage.CallRange{{Least: 1, Most: 1}}, Null: true})
	}
	return s, nil
}

// accountsNamed keeps of a customer's accounts those that a condition on UUIDs allows.
func accountsNamed(list []*rating.Account, c *jsonapi.Cond) (kept []*rating.Account) {
	_, op := splitFilter(c.Name)
	for _, a := range list {
		named := slices.ContainsFunc(c.Values, func(s string) bool { return strings.EqualFold(strings.TrimSpace(s), a.UUID.String()) })
		if named != (op == "not_eq" || op == "not_in") {
			kept = append(kept, a)
		}
	}
	return kept
}
