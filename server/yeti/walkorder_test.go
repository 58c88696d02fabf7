package yeti

import (
	"encoding/json"
	"fmt"
	"math/big"
	"net/url"
	"slices"
	"strings"

	"billd/server/jsonapi"
)

// unsortable are the attributes that do not sort. Source: contract 3 and 4.
var unsortable = map[string]string{
	"admin/accounts":      "balance-low-threshold balance-high-threshold send-balance-notifications-to",
	"admin/payments":      "notes private-notes status type-name balance-before-payment rolledback-at",
	"admin/services":      "variables state renew-period uuid",
	"admin/service-types": "variables",
	"admin/transactions":  "description uuid",
	"admin/timezones":     "name",
	"customer/payments":   "status type-name balance-before-payment rolledback-at",
	"customer/services":   "state renew-period service-type ui-type",
}

// walkSorts sorts by everything, both ways, and by what does not sort.
func (w *world) walkSorts(s surface, d jsonapi.Described, all []shown) {
	w.t.Helper()
	ask := func(sort string) (answer, list) {
		return w.read(s, "/"+d.Paths[0]+"?page%5Bsize%5D=1000&sort="+url.QueryEscape(sort)+since(s, d))
	}
	for _, bad := range append(strings.Fields(unsortable[s.name+"/"+d.Type]), "no-such-thing") {
		a, l := ask(bad)
		want := strings.ReplaceAll(bad, "-", "_") + " is not a valid sort criteria for " + d.Type
		if e := firstError(l); a.StatusCode != 400 || e.Code != "114" || e.Title != "Invalid sort criteria" || e.Detail != want {
			w.t.Errorf("sort=%s: %d %s, want 114 %s", bad, a.StatusCode, a.body, want)
		}
	}
	for _, name := range d.Sorts {
		dashed := strings.ReplaceAll(name, "_", "-")
		value := func(r shown) any { return r.Attrs[dashed] }
		if name == "id" {
			value = func(r shown) any {
				if d.ID == jsonapi.IntegerID {
					return json.Number(r.ID)
				}
				return r.ID
			}
		}
		known := name == "id" || slices.ContainsFunc(d.Attrs, func(a jsonapi.DescribedAttr) bool { return a.Name == dashed })
		for _, down := range []bool{false, true} {
			sort := dashed
			if down {
				sort = "-" + name
			}
			a, l := ask(sort)
			if a.StatusCode != 200 || len(l.Data) != min(len(all), 1000) {
				w.t.Errorf("sort=%s: %d, %d records, want %d", sort, a.StatusCode, len(l.Data), len(all))
				continue
			}
			for i := 1; known && i < len(l.Data); i++ {
				c := compareShown(value(l.Data[i-1]), value(l.Data[i]))
				if down {
					c = -c
				}
				if c > 0 {
					w.t.Errorf("sort=%s: %v comes before %v", sort, value(l.Data[i-1]), value(l.Data[i]))
				}
			}
		}
	}
}

// compareShown orders values as Yeti's database does: null comes after everything.
func compareShown(a, b any) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return 1
	case b == nil:
		return -1
	}
	x, isNumber := new(big.Rat).SetString(fmt.Sprint(a))
	y, too := new(big.Rat).SetString(fmt.Sprint(b))
	if _, isText := a.(string); isNumber && too && (!isText || strings.Contains(a.(string), ".")) {
		return x.Cmp(y)
	}
	return strings.Compare(fmt.Sprint(a), fmt.Sprint(b))
}

// walkFields asks for each attribute and relationship alone, and for what is none.
func (w *world) walkFields(s surface, d jsonapi.Described) {
	w.t.Helper()
	ask := func(typ, fields string) (answer, list) {
		return w.read(s, "/"+d.Paths[0]+"?page%5Bsize%5D=3&"+url.QueryEscape("fields["+typ+"]")+"="+fields+since(s, d))
	}
	only := func(name string, attr bool) {
		a, l := ask(d.Type, name)
		for _, r := range l.Data {
			_, isAttr := r.Attrs[name]
			_, isRel := r.Rels[name]
			if isAttr != attr || isRel == attr || len(r.Attrs)+len(r.Rels) != 1 {
				w.t.Errorf("fields=%s: %s", name, a.body)
				return
			}
		}
		if a.StatusCode != 200 || len(l.Data) == 0 {
			w.t.Errorf("fields=%s: %d %s", name, a.StatusCode, a.body)
		}
	}
	for _, a := range d.Attrs {
		if a.Shown {
			only(a.Name, true)
		}
	}
	for _, rl := range d.Rels {
		if rl.Shown {
			only(rl.Name, false)
		}
	}
	for _, bad := range []struct{ typ, fields, code, detail string }{
		{d.Type, "no-such-thing", "104", "no-such-thing is not a valid field for " + d.Type + "."},
		{d.Type, "", "104", "nil is not a valid field for " + d.Type + "."},
		{"no-such-type", "name", "101", "no-such-type is not a valid resource."},
	} {
		a, l := ask(bad.typ, bad.fields)
		if e := firstError(l); a.StatusCode != 400 || e.Code != bad.code || e.Detail != bad.detail {
			w.t.Errorf("fields[%s]=%s: %s, want %s %s", bad.typ, bad.fields, a.body, bad.code, bad.detail)
		}
	}
	for _, bad := range []struct{ query, code, detail string }{
		{"filter[no-such_thing]=1", "102", "no_such_thing is not allowed."},
		{"filter[no.such-thing]=1", "102", "such_thing is not allowed."},
		{"filter=abc", "120", "abc is not a valid syntax for filtering."},
		{"include=no_such.thing", "112", "no_such is not a valid relationship of " + d.Type},
		{"fields=name", "119", "Fields must specify a type."},
	} {
		a, l := w.read(s, "/"+d.Paths[0]+"?"+brackets.Replace(bad.query))
		if e := firstError(l); a.StatusCode != 400 || e.Code != bad.code || e.Detail != bad.detail {
			w.t.Errorf("%s: %s, want %s %s", bad.query, a.body, bad.code, bad.detail)
		}
	}
	for _, page := range []struct{ query, detail string }{
		{"page[number]=0", "0 is not a valid value for number page parameter."}, {"page[number]=x", "0 is not a valid value for number page parameter."},
		{"page[size]=-1", "-1 is not a valid value for size page parameter."}, {"page[size]=1001", "size exceeds maximum page size of 1000."},
	} {
		a, l := w.read(s, "/"+d.Paths[0]+"?"+brackets.Replace(page.query))
		if e := firstError(l); d.Paged && (a.StatusCode != 400 || e.Code != "118" || e.Detail != page.detail) || !d.Paged && a.StatusCode != 200 {
			w.t.Errorf("%s: %s, want 118 %s", page.query, a.body, page.detail)
		}
	}
}

// walkRelationships goes through every relationship of every record, both ways, and includes it.
func (w *world) walkRelationships(s surface, d jsonapi.Described, all []shown) {
	w.t.Helper()
	for _, rl := range d.Rels {
		if !rl.Shown {
			continue
		}
		a, _ := w.read(s, "/"+d.Paths[0]+"?include="+rl.Name+since(s, d))
		if a.StatusCode != 200 || !strings.Contains(a.body, `"data":`) {
			w.t.Errorf("include=%s: %d %s", rl.Name, a.StatusCode, a.body)
		}
		for _, r := range all[:min(len(all), 12)] {
			base := "/" + d.Paths[0] + "/" + url.PathEscape(r.ID)
			linkage, related := w.relation(s, base+"/relationships/"+rl.Name), w.relation(s, base+"/"+rl.Name)
			if !rl.Served {
				linkage = nil // shown as it was written, or null
			}
			if len(related) == 0 && len(linkage) == 1 { // a number that stays when its record is gone
				typ, id, _ := strings.Cut(linkage[0], " ")
				if a, _ := w.read(s, "/"+typ+"/"+url.PathEscape(id)); a.StatusCode == 404 {
					linkage = nil
				}
			}
			if !slices.Equal(linkage, related) {
				w.t.Errorf("%s/%s: linkage %v, related %v", base, rl.Name, linkage, related)
			}
			if a, _ := w.read(s, base+"?include="+rl.Name); a.StatusCode != 200 {
				w.t.Errorf("%s?include=%s: %d %s", base, rl.Name, a.StatusCode, a.body)
			}
		}
	}
	for path, want := range map[string]int{"/no-such-thing": 404, "/relationships/no-such-thing": 404, "/relationships": 404} {
		if a, _ := w.read(s, "/"+d.Paths[0]+"/"+url.PathEscape(all[0].ID)+path); a.StatusCode != want || strings.HasPrefix(a.body, "{") {
			w.t.Errorf("%s%s: %d %s, want %d of nobody's", d.Type, path, a.StatusCode, a.body, want)
		}
	}
}

// relation returns the records that a relationship's address leads to, as type and id.
func (w *world) relation(s surface, path string) (found []string) {
	w.t.Helper()
	a := w.do("GET", s.base+path, "", map[string]string{"Authorization": s.token, "Content-Type": ""})
	var doc struct{ Data json.RawMessage }
	if err := json.Unmarshal([]byte(a.body), &doc); a.StatusCode != 200 || err != nil {
		w.t.Errorf("GET %s = %d %s", path, a.StatusCode, a.body)
		return nil
	}
	type record struct{ ID, Type string }
	var many []*record
	if strings.HasPrefix(string(doc.Data), "[") {
		w.must(json.Unmarshal(doc.Data, &many))
	} else {
		var one *record
		w.must(json.Unmarshal(doc.Data, &one))
		many = []*record{one}
	}
	for _, r := range many {
		if r != nil {
			found = append(found, r.Type+" "+r.ID)
		}
	}
	slices.Sort(found)
	return found
}
