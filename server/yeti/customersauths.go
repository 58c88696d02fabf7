package yeti

import (
	"slices"
	"strconv"
	"strings"

	"billd/rating"
	"billd/server/jsonapi"
	"billd/storage"
)

// customersAuth says who pays for the calls of a source, and by which rate plan.
type customersAuth = storage.CustomersAuth

// customersAuths are Yeti's, as far as money goes: what they name of a switch is kept as it was sent.
var customersAuths = jsonapi.Resource[customersAuth]{
	Type: "customers-auths", Verbs: jsonapi.CRUD,
	Rows: func(tx *storage.Tx) storage.Rows[customersAuth] { return tx.CustomersAuths },
	Each: eachCustomersAuth,
	Key:  func(v *customersAuth) string { return decimal(v.ID) },
	Attrs: []jsonapi.Attr[customersAuth]{
		jsonapi.Field("name", jsonapi.Text, func(v *customersAuth) *string { return &v.Name }, jsonapi.Required, jsonapi.Unique, jsonapi.PlainFilter),
		jsonapi.Field("ip", matchList, func(v *customersAuth) *[]string { return &v.IPs }, jsonapi.NoSort),
		jsonapi.Field("enabled", jsonapi.Bool, func(v *customersAuth) *bool { return &v.Enabled }),
		jsonapi.Field("reject-calls", jsonapi.Bool, func(v *customersAuth) *bool { return &v.Reject }),
		jsonapi.Field("src-prefix", matchList, func(v *customersAuth) *[]string { return &v.SrcPrefixes }, jsonapi.NoSort),
		jsonapi.Field("dst-prefix", matchList, func(v *customersAuth) *[]string { return &v.DstPrefixes }, jsonapi.NoSort),
		jsonapi.Field("capacity", jsonapi.NullInteger, func(v *customersAuth) **int64 { return &v.Capacity }, jsonapi.Above("0"), jsonapi.AtMost("32767")),
		jsonapi.Field("cps-limit", jsonapi.Float, func(v *customersAuth) *string { return &v.CPSLimit }, jsonapi.AtLeast("0.01")),
		jsonapi.Field("allow-receive-rate-limit", jsonapi.Bool, func(v *customersAuth) *bool { return &v.ReceiveLimit }),
		jsonapi.Field("send-billing-information", jsonapi.Bool, func(v *customersAuth) *bool { return &v.SendBillingInfo }),
		jsonapi.Field("check-account-balance", jsonapi.Bool, func(v *customersAuth) *bool { return &v.CheckBalance }),
		jsonapi.Field("external-id", jsonapi.NullInteger, func(v *customersAuth) **int64 { return &v.ExternalID }, jsonapi.Unique),
		jsonapi.Field("external-type", emptyText, func(v *customersAuth) *string { return &v.ExternalType }),
	},
	Rels: []jsonapi.Rel[customersAuth]{
		jsonapi.One("customer", "contractors", func(v *customersAuth) *uint64 { return &v.Customer }, jsonapi.Linkage, jsonapi.MustExist, jsonapi.FilterByID),
		jsonapi.One("account", "accounts", func(v *customersAuth) *rating.AccountID { return &v.Account }, jsonapi.Linkage, jsonapi.MustExist, jsonapi.FilterByID),
		jsonapi.One("rateplan", "rateplans", func(v *customersAuth) *uint64 { return &v.RatePlan }, jsonapi.Linkage, jsonapi.MustExist, jsonapi.FilterByID),
		switchLink("routing-plan", "routing-plans", func(l *storage.SwitchLinks) **int64 { return &l.RoutingPlan }),
		switchLink("gateway", "gateways", func(l *storage.SwitchLinks) **int64 { return &l.Gateway }),
		switchLink("pop", "pops", func(l *storage.SwitchLinks) **int64 { return &l.Pop }),
		switchLink("dst-numberlist", "numberlists", func(l *storage.SwitchLinks) **int64 { return &l.DstNumberlist }),
		switchLink("src-numberlist", "numberlists", func(l *storage.SwitchLinks) **int64 { return &l.SrcNumberlist }),
		switchLink("tag-action", "tag-actions", func(l *storage.SwitchLinks) **int64 { return &l.TagAction }),
		switchLink("radius-auth-profile", "radius-auth-profiles", func(l *storage.SwitchLinks) **int64 { return &l.RadiusAuth }),
		switchLink("radius-accounting-profile", "radius-accounting-profiles", func(l *storage.SwitchLinks) **int64 { return &l.RadiusAccounting }),
	},
	New: func(*jsonapi.Request) *customersAuth { // Yeti's defaults
		return &customersAuth{Enabled: true, CheckBalance: true, IPs: []string{"127.0.0.0/8"}, SrcPrefixes: []string{""}, DstPrefixes: []string{""}}
	},
	Check: checkCustomersAuth,
}

// switchLink is a relationship to a record of a switch's own.
func switchLink(name, typ string, at func(*storage.SwitchLinks) **int64) jsonapi.Rel[customersAuth] {
	return jsonapi.OneOrNull(name, typ, func(v *customersAuth) **int64 { return at(&v.Switch) }, jsonapi.Linkage, jsonapi.Kept, jsonapi.FilterByID)
}

// errHasAuths refuses to delete what a customers-auth names.
var errHasAuths = jsonapi.Refuse("Cannot delete record because dependent customers auths exist")

// maxMatches bounds each list that calls are matched by.
const maxMatches = 1000

// matchList is an array of texts; one text is taken apart at its commas, as Yeti does.
var matchList = jsonapi.Kind[[]string]{
	Ops: jsonapi.NoOps, Value: jsonapi.Texts.Value,
	Parse: func(in jsonapi.Input) ([]string, string) {
		all, fault := jsonapi.Texts.Parse(in)
		if fault != "" || in.IsArray() {
			return all, fault
		}
		parts := []string{}
		for _, s := range strings.Split(all[0], ",") {
			if s = strings.TrimSpace(s); s != "" {
				parts = append(parts, s)
			}
		}
		return parts, ""
	},
}

// eachCustomersAuth goes by the account's index when the query names one.
func eachCustomersAuth(r *jsonapi.Request, q *jsonapi.Query, fn func(*customersAuth) (bool, error)) error {
	if ids, ok := q.Values("account.id"); ok && len(ids) == 1 {
		n, err := strconv.ParseUint(ids[0], 10, 64)
		if err != nil {
			return nil
		}
		return r.Tx.AuthsOfAccount(rating.AccountID(n), fn)
	}
	return r.Tx.CustomersAuths.Each(0, fn)
}

// checkCustomersAuth has the rules of the lists, and those that look at two records.
func checkCustomersAuth(r *jsonapi.Request, v *customersAuth, _ *jsonapi.Body) (ps jsonapi.Problems) {
	ps = checkMatches(v)
	if v.ExternalType != "" && v.ExternalID == nil {
		ps = append(ps, jsonapi.AttrProblem("external-type", "requires external_id"))
	}
	owner, err := r.Tx.Contractors.Get(v.Customer)
	r.Fail(ignoreMissing(err))
	if err != nil {
		return ps // must exist
	}
	if !owner.Customer {
		return append(ps, jsonapi.RelProblem("customer", "must exist"))
	}
	a, err := r.Tx.OpenAccount(v.Account)
	r.Fail(ignoreMissing(err))
	if err == nil && a.Contractor != v.Customer {
		ps = append(ps, jsonapi.RelProblem("account", "belongs to different customer"))
	}
	return ps
}

func checkMatches(v *customersAuth) (ps jsonapi.Problems) {
	if len(v.IPs) == 0 {
		ps = append(ps, jsonapi.AttrProblem("ip", "can't be blank"))
	}
	for _, list := range []struct {
		name string
		of   []string
	}{{"ip", v.IPs}, {"src-prefix", v.SrcPrefixes}, {"dst-prefix", v.DstPrefixes}} {
		if len(list.of) > maxMatches {
			ps = append(ps, jsonapi.AttrProblem(list.name, "is too long (maximum is "+strconv.Itoa(maxMatches)+" elements)"))
			continue
		}
		broken := func(s string) bool { return rating.CheckPrefix(s) != nil }
		if slices.ContainsFunc(list.of, func(s string) bool { return strings.ContainsAny(s, " \t\r\n\f\v") }) {
			ps = append(ps, jsonapi.AttrProblem(list.name, "spaces are not allowed"))
			continue
		}
		if sorted := slices.Sorted(slices.Values(list.of)); len(slices.Compact(sorted)) < len(list.of) {
			ps = append(ps, jsonapi.AttrProblem(list.name, "can't contain duplicated values"))
		}
		if list.name == "ip" {
			broken = func(s string) bool { _, ok := storage.ParseNetwork(s); return !ok }
		}
		if slices.ContainsFunc(list.of, broken) {
			ps = append(ps, jsonapi.AttrProblem(list.name, "is not valid"))
		}
	}
	return ps
}
