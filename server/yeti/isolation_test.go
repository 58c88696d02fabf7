package yeti

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"

	"billd/server/jsonapi"
)

// shared are the customer resources that are the same for everybody.
var shared = map[string]bool{"countries": true, "networks": true, "network-types": true, "network-prefixes": true}

// owned is a record with the token that reaches it.
type owned struct {
	shown
	token string
}

// mine is what one token reaches, type by type.
type mine map[string][]owned

func (m mine) has(typ, id string) bool {
	return slices.ContainsFunc(m[typ], func(r owned) bool { return r.ID == id })
}

// TestACustomerReachesNothingOfOthers asks with the token of every customer, by every way in to every
// resource, for the records of all others.
func TestACustomerReachesNothingOfOthers(t *testing.T) {
	w := newWorld(t)
	tables := w.api.customer.Describe()
	dynamic := w.dynamic(tokenDoc(w.north, "", `,"accounts":{"data":[{"type":"accounts","id":"`+w.n2+`"}]}`))
	tokens := map[string]string{"all of north": w.all, "north's first account": w.limited, "north's second, by a dynamic token": dynamic, "south": w.southern, "the carrier": w.vendor}
	// How many records of each resource whose they are has, by what newWorld made: the test may not find
	// less, else it would find nothing foreign either.
	wantCounts := map[string]map[string]int{
		"all of north":                       {"accounts": 2, "payments": 3, "invoices": 2, "transactions": 6, "services": 4, "rateplans": 2, "rates": 4, "cdr-exports": 2, "cdrs": 6, "incoming-cdrs": 4},
		"north's first account":              {"accounts": 1, "payments": 2, "invoices": 2, "transactions": 3, "services": 2, "rateplans": 1, "rates": 2, "cdr-exports": 1, "cdrs": 4, "incoming-cdrs": 2},
		"north's second, by a dynamic token": {"accounts": 1, "payments": 1, "invoices": 0, "transactions": 3, "services": 2, "rateplans": 1, "rates": 2, "cdr-exports": 1, "cdrs": 2, "incoming-cdrs": 2},
		"south":                              {"accounts": 1, "payments": 1, "invoices": 2, "transactions": 3, "services": 2, "rateplans": 1, "rates": 2, "cdr-exports": 1, "cdrs": 2, "incoming-cdrs": 2},
		"the carrier":                        {"accounts": 1, "payments": 0, "invoices": 1, "transactions": 0, "services": 0, "rateplans": 0, "rates": 0, "cdr-exports": 0, "cdrs": 1, "incoming-cdrs": 4},
	}
	reach := map[string]mine{}
	for who, token := range tokens {
		reach[who] = mine{}
		for _, d := range tables {
			if d.Verbs&jsonapi.List == 0 {
				continue
			}
			s := surface{"customer", CustomerBase, token, tables}
			for _, r := range w.everything(s, d, since(s, d)) {
				reach[who][d.Type] = append(reach[who][d.Type], owned{r, token})
			}
			if got, want := len(reach[who][d.Type]), wantCounts[who][d.Type]; !shared[d.Type] && got != want {
				t.Errorf("%s has %d %s, want %d", who, got, d.Type, want)
			}
		}
	}
	for _, who := range slices.Sorted(maps.Keys(tokens)) {
		t.Run(who, func(t *testing.T) {
			w.t = t
			s := surface{"customer", CustomerBase, tokens[who], tables}
			foreign := mine{}
			for _, other := range reach {
				for typ, records := range other {
					for _, r := range records {
						if !reach[who].has(typ, r.ID) && !foreign.has(typ, r.ID) {
							foreign[typ] = append(foreign[typ], r)
						}
					}
				}
			}
			for _, d := range tables {
				if d.Verbs&jsonapi.List != 0 && !shared[d.Type] {
					w.reachNothing(s, d, reach[who], foreign[d.Type])
					w.relateNothing(s, d, reach[who])
				}
			}
			w.makeNothing(s, reach[who], foreign)
		})
	}
}

// reachNothing tries every way to foreign records of one type.
func (w *world) reachNothing(s surface, d jsonapi.Described, own mine, foreign []owned) {
	w.t.Helper()
	path := "/" + d.Paths[0]
	wantOwn := func(query string) {
		w.t.Helper()
		a, l := w.read(s, path+"?"+query+far(s, d, query))
		for _, r := range l.Data {
			if !own.has(d.Type, r.ID) {
				w.t.Errorf("%s?%s lists %s of somebody else's: %s", path, query, r.ID, a.body)
			}
		}
		if l.Meta.Total > len(own[d.Type]) {
			w.t.Errorf("%s?%s counts %d records of %d", path, query, l.Meta.Total, len(own[d.Type]))
		}
	}
	for _, r := range foreign {
		tails := []string{""}
		for _, rl := range d.Rels {
			tails = append(tails, "/"+rl.Name, "/relationships/"+rl.Name)
		}
		if d.Type == "invoices" || d.Type == "cdr-exports" {
			tails = append(tails, "/download")
		}
		for _, tail := range tails {
			if a, l := w.read(s, path+"/"+r.ID+tail); a.StatusCode != 404 || firstError(l).Detail != "The record identified by "+r.ID+" could not be found." {
				w.t.Errorf("GET %s/%s%s = %d %s, want 404", path, r.ID, tail, a.StatusCode, a.body)
			}
		}
		for _, verb := range []string{"PATCH", "PUT", "DELETE"} {
			if a := w.do(verb, s.base+path+"/"+r.ID, `{"data":{"type":"`+d.Type+`","id":"`+r.ID+`"}}`, map[string]string{"Authorization": s.token}); a.StatusCode != 404 {
				w.t.Errorf("%s %s/%s = %d, want 404", verb, path, r.ID, a.StatusCode)
			}
		}
	}
	cache := map[string]any{}
	for _, f := range d.Filters {
		for i, r := range foreign {
			source, known := w.source(surface{s.name, s.base, r.token, s.tables}, d, f, cache)
			if !known || i > 4 {
				break
			}
			if v := source(r.shown); v != nil {
				wantOwn(url.QueryEscape("filter["+f.Name+"]") + "=" + url.QueryEscape(fmt.Sprint(v)))
			}
		}
	}
	for _, sort := range d.Sorts {
		wantOwn("page%5Bsize%5D=1000&fields%5B" + d.Type + "%5D=" + d.Attrs[0].Name + "&sort=-" + url.QueryEscape(sort))
	}
}

// far is since for a query that does not say from when itself.
func far(s surface, d jsonapi.Described, query string) string {
	if strings.Contains(query, "time_start_gteq") {
		return ""
	}
	return since(s, d)
}

// relateNothing follows and includes every relationship of a caller's own records.
func (w *world) relateNothing(s surface, d jsonapi.Described, own mine) {
	w.t.Helper()
	for _, rl := range d.Rels {
		for _, r := range own[d.Type] {
			base := "/" + d.Paths[0] + "/" + r.ID
			for _, path := range []string{base + "/" + rl.Name, base + "/relationships/" + rl.Name} {
				for _, found := range w.relation(s, path) {
					if typ, id, _ := strings.Cut(found, " "); !shared[typ] && !own.has(typ, id) {
						w.t.Errorf("%s leads to %s of somebody else's", path, found)
					}
				}
			}
		}
		a, _ := w.read(s, "/"+d.Paths[0]+"?page%5Bsize%5D=1000&include="+rl.Name+since(s, d))
		_, included, _ := strings.Cut(a.body, `"included":`)
		for _, part := range strings.Split(included, `{"id":"`)[1:] {
			id, rest, _ := strings.Cut(part, `"`)
			typ, _, _ := strings.Cut(strings.TrimPrefix(rest, `,"type":"`), `"`)
			if !shared[typ] && !own.has(typ, id) {
				w.t.Errorf("%s?include=%s includes %s %s of somebody else's", d.Type, rl.Name, typ, id)
			}
		}
	}
}

// makeNothing asks for prices on foreign rate plans and for exports of foreign accounts.
func (w *world) makeNothing(s surface, own, foreign mine) {
	w.t.Helper()
	post := func(path, doc string) answer {
		return w.do("POST", s.base+path, doc, map[string]string{"Authorization": s.token})
	}
	for _, plan := range foreign["rateplans"] {
		if got, want := post("/check-rate", `{"data":{"type":"check-rates","attributes":{"rateplan-id":"`+plan.ID+`","number":"48"}}}`).details(), "rateplan-id - Rateplan not found"; got != want {
			w.t.Errorf("prices on a foreign plan: %s, want %s", got, want)
		}
	}
	for _, account := range foreign["accounts"] {
		if got, want := post("/cdr-exports", exportDoc(`"filters":{"time_start_gteq":"2026-11-01","time_start_lt":"2026-12-01"}`, account.ID)).details(), "account - is invalid"; got != want {
			w.t.Errorf("an export of a foreign account: %s, want %s", got, want)
		}
	}
	// Calls of another last for more than a day: without a beginning none of them, and none of others'.
	for _, path := range []string{"/cdrs", "/incoming-cdrs"} {
		if _, l := w.read(s, path); l.Meta.Total > len(own[path[1:]]) {
			w.t.Errorf("%s counts %d calls of %d", path, l.Meta.Total, len(own[path[1:]]))
		}
	}
}
