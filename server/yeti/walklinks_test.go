package yeti

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"billd/server/jsonapi"
)

// walkNames writes under names that are none.
func (w *world) walkNames(s surface, d jsonapi.Described, method, path, id string, base func() draft) {
	w.t.Helper()
	sent := func(change func(data map[string]any)) answer {
		dr := base()
		data := map[string]any{"type": d.Type, "attributes": map[string]any{}}
		for k, v := range dr.attrs {
			data["attributes"].(map[string]any)[k] = v
		}
		if id != "" {
			data["id"] = id
		}
		change(data)
		body, err := json.Marshal(map[string]any{"data": data, "meta": 1})
		w.must(err)
		return w.do(method, s.base+path, string(body), map[string]string{"Authorization": s.token})
	}
	for _, tt := range []struct {
		name, code, detail string
		change             func(map[string]any)
	}{
		{"an unknown attribute", "105", "no_such is not allowed.", func(m map[string]any) { m["attributes"].(map[string]any)["no_such"] = 1 }},
		{"an unknown relationship", "105", "no-such is not allowed.", func(m map[string]any) { m["relationships"] = map[string]any{"no-such": nil} }},
		{"another member of data", "105", "links is not allowed.", func(m map[string]any) { m["links"] = nil }},
		{"another type", "101", "no-such is not a valid resource.", func(m map[string]any) { m["type"] = "no-such" }},
		{"no type", "106", "The required parameter, type, is missing.", func(m map[string]any) { delete(m, "type") }},
	} {
		a := sent(tt.change)
		var l list
		w.must(json.Unmarshal([]byte(a.body), &l))
		if e := firstError(l); a.StatusCode != 400 || e.Code != tt.code || e.Detail != tt.detail {
			w.t.Errorf("%s %s with %s: %d %s, want %s %s", method, path, tt.name, a.StatusCode, a.body, tt.code, tt.detail)
		}
	}
}

// walkLinks links every relationship to what it cannot be linked to.
func (w *world) walkLinks(s surface, d jsonapi.Described, method, path, id string, base func() draft, create bool) {
	w.t.Helper()
	for _, rl := range d.Rels {
		sent := func(data any) answer {
			dr := base()
			rels := map[string]any{}
			for name, target := range dr.rels {
				typ, id, _ := strings.Cut(target, ":")
				rels[name] = map[string]any{"data": map[string]string{"type": typ, "id": id}}
			}
			if rl.Many && data != nil {
				data = []any{data}
			}
			rels[rl.Name] = map[string]any{"data": data}
			doc := map[string]any{"type": d.Type, "attributes": dr.attrs, "relationships": rels}
			if id != "" {
				doc["id"] = id
			}
			body, err := json.Marshal(map[string]any{"data": doc})
			w.must(err)
			return w.do(method, s.base+path, string(body), map[string]string{"Authorization": s.token})
		}
		wants := []struct {
			code, detail string
			data         any
		}{
			{"116", "no-such is not a valid type for this operation.", map[string]string{"type": "no-such", "id": "1"}},
			{"115", "Data is not a valid Links Object.", map[string]string{"type": rl.Type}},
			{"115", "Data is not a valid Links Object.", map[string]any{"type": rl.Type, "id": "1", "meta": 1}},
			{"103", "abc is not a valid value for id.", map[string]string{"type": rl.Type, "id": "abc"}},
		}
		if s.name == "customer" {
			wants = wants[:3] // ids are UUIDs
		}
		if create && !rl.Create || !create && !rl.Update {
			wants = wants[:1]
			wants[0].code, wants[0].detail = "105", rl.Name+" is not allowed."
		}
		for _, want := range wants {
			a := sent(want.data)
			var l list
			w.must(json.Unmarshal([]byte(a.body), &l))
			if e := firstError(l); a.StatusCode != 400 || e.Code != want.code || e.Detail != want.detail {
				w.t.Errorf("%s %s with %s %v: %d %s, want %s %s", method, path, rl.Name, want.data, a.StatusCode, a.body, want.code, want.detail)
			}
		}
		if !create && rl.Update {
			w.walkLinkage(s, d, rl, path)
		}
	}
}

// walkLinkage writes a relationship at its own address.
func (w *world) walkLinkage(s surface, d jsonapi.Described, rl jsonapi.DescribedRel, path string) {
	w.t.Helper()
	at := path + "/relationships/" + url.PathEscape(rl.Name)
	held := w.relation(s, at)
	doc := func(typ, id string) string { return `{"type":"` + typ + `","id":"` + id + `"}` }
	write := func(method, data string) (answer, list) {
		a := w.do(method, s.base+at, `{"data":`+data+`}`, map[string]string{"Authorization": s.token})
		var l list
		if strings.HasPrefix(a.body, "{") {
			w.must(json.Unmarshal([]byte(a.body), &l))
		}
		return a, l
	}
	if rl.Many {
		if a, l := write("PATCH", "[]"); a.StatusCode != 403 || firstError(l).Detail != "Complete replacement forbidden for this relationship" {
			w.t.Errorf("PATCH %s = %d %s, want 403", at, a.StatusCode, a.body)
		}
		for i, want := range []int{204, 400} {
			if a, _ := write("POST", "["+doc(rl.Type, "1")+"]"); a.StatusCode != want {
				w.t.Errorf("POST %s for the %d. time = %d %s, want %d", at, i+1, a.StatusCode, a.body, want)
			}
		}
		if a, _ := write("DELETE", "["+doc(rl.Type, "1")+"]"); a.StatusCode != 204 || !slices.Equal(w.relation(s, at), held) {
			w.t.Errorf("DELETE %s = %d %s, want 204 and what was before", at, a.StatusCode, a.body)
		}
		return
	}
	if len(held) == 1 {
		typ, id, _ := strings.Cut(held[0], " ")
		if a, _ := write("PUT", doc(typ, id)); a.StatusCode != 204 || !slices.Equal(w.relation(s, at), held) {
			w.t.Errorf("PUT %s = %d %s, want 204", at, a.StatusCode, a.body)
		}
	}
	if a, l := write("PATCH", doc("no-such", "1")); a.StatusCode != 400 || firstError(l).Code != "116" {
		w.t.Errorf("PATCH %s = %d %s, want 116", at, a.StatusCode, a.body)
	}
	a, l := write("DELETE", "null")
	if len(held) == 0 && a.StatusCode != 204 || a.StatusCode != 204 && (a.StatusCode != 422 || firstError(l).Code != "100") {
		w.t.Errorf("DELETE %s = %d %s, want 204 or 422", at, a.StatusCode, a.body)
	}
	if a, _ := write("POST", doc(rl.Type, "1")); a.StatusCode != 404 {
		w.t.Errorf("POST %s = %d, want 404", at, a.StatusCode)
	}
}
