package yeti

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"billd/server/jsonapi"
)

// TestEveryAttributeTakesGoodValuesAndRefusesBadOnes writes each attribute of each resource of both APIs,
// in a create and in an update, with values of both sorts; what may not be written is error 105.
func TestEveryAttributeTakesGoodValuesAndRefusesBadOnes(t *testing.T) {
	w := newWorld(t)
	drafts := w.drafts()
	for _, s := range w.surfaces() {
		for _, d := range s.tables {
			make := drafts[s.name+"/"+d.Type]
			if writes := d.Verbs&(jsonapi.Create|jsonapi.Update) != 0; writes != (make != nil) {
				t.Fatalf("%s/%s: writable %t, has a draft %t", s.name, d.Type, writes, make != nil)
			} else if !writes {
				continue
			}
			t.Run(s.name+"/"+d.Type, func(t *testing.T) {
				w.t = t
				if d.Verbs&jsonapi.Create != 0 {
					w.walkWrites(s, d, make, true)
				}
				if d.Verbs&jsonapi.Update != 0 {
					w.walkWrites(s, d, make, false)
				}
			})
		}
	}
	w.t = t
	w.sound()
}

// walkWrites writes every attribute and relationship of a resource.
func (w *world) walkWrites(s surface, d jsonapi.Described, make func() draft, create bool) {
	w.t.Helper()
	var id, path string
	method, verb := "POST", "create"
	base := make
	if !create {
		method, verb = "PATCH", "update"
		if dr := make(); dr.path != "" {
			path = dr.path
			id = strings.Split(path, "/")[2]
		} else {
			a := w.send(s, "POST", "/"+d.Paths[0], d, "", make())
			var doc struct{ Data shown }
			w.must(json.Unmarshal([]byte(a.body), &doc))
			id, path = doc.Data.ID, "/"+d.Paths[0]+"/"+doc.Data.ID
		}
		base = func() draft { return draft{} }
	} else {
		path = "/" + d.Paths[0]
	}
	with := func(name string, value any) draft {
		dr := base()
		attrs := map[string]any{name: value}
		for k, v := range dr.attrs {
			if k != name {
				attrs[k] = v
			}
		}
		return draft{attrs: attrs, rels: dr.rels}
	}
	for _, a := range d.Attrs {
		if create && !a.Create || !create && !a.Update {
			got := w.send(s, method, path, d, id, with(a.Name, nil))
			if want := ": " + a.Name + " is not allowed."; got.StatusCode != 400 || got.details() != want {
				w.t.Errorf("%s with %s: %d %s, want 105 %s", verb, a.Name, got.StatusCode, got.body, want)
			}
			continue
		}
		value, want := w.good(d, a)
		got := w.send(s, method, path, d, id, with(a.Name, value))
		w.wantShown(verb, a, got, want)
		w.undo(s, d, got, create)
		for _, bad := range w.bad(a) {
			got := w.send(s, method, path, d, id, with(a.Name, bad.value))
			w.wantProblem(verb, a.Name, got, bad)
			w.undo(s, d, got, create)
		}
	}
	w.walkNames(s, d, method, path, id, base)
	w.walkLinks(s, d, method, path, id, base, create)
}

// undo deletes what a create has made, where two of its kind cannot be.
func (w *world) undo(s surface, d jsonapi.Described, a answer, create bool) {
	if create && a.StatusCode == 201 && d.Verbs&jsonapi.Delete != 0 && (d.Type == "invoices" || d.Type == "cdr-exports" || d.Type == "countries") {
		at := a.Header.Get("Location")
		w.do("DELETE", at[strings.Index(at, "/api"):], "", map[string]string{"Authorization": s.token})
	}
	if s.name == "customer" && d.Type == "cdr-exports" {
		w.export() // so many wait and no more
	}
}

// send writes a document.
func (w *world) send(s surface, method, path string, d jsonapi.Described, id string, dr draft) answer {
	w.t.Helper()
	data := map[string]any{"type": d.Type, "attributes": dr.attrs}
	if dr.attrs == nil {
		data["attributes"] = map[string]any{}
	}
	if id != "" {
		data["id"] = id
	}
	rels := map[string]any{}
	for name, target := range dr.rels {
		typ, id, _ := strings.Cut(target, ":")
		rels[name] = map[string]any{"data": map[string]string{"type": typ, "id": id}}
	}
	if len(rels) > 0 {
		data["relationships"] = rels
	}
	body, err := json.Marshal(map[string]any{"data": data})
	w.must(err)
	return w.do(method, s.base+path, string(body), map[string]string{"Authorization": s.token})
}

// wantShown wants a document that shows an attribute as a value.
func (w *world) wantShown(verb string, a jsonapi.DescribedAttr, got answer, want any) {
	w.t.Helper()
	var doc struct {
		Data struct{ Attributes map[string]json.RawMessage }
	}
	if err := json.Unmarshal([]byte(got.body), &doc); err != nil || got.StatusCode/100 != 2 {
		w.t.Errorf("%s with a good %s: %d %s", verb, a.Name, got.StatusCode, got.body)
		return
	}
	wanted, err := json.Marshal(want)
	w.must(err)
	have := string(doc.Data.Attributes[a.Name])
	if n, ok := want.(json.Number); ok && (have == `"`+n.String()+`.0"` || have == n.String()+".0") {
		return // a decimal
	}
	if a.Shown && have != string(wanted) {
		w.t.Errorf("%s: %s is shown as %s, want %s", verb, a.Name, have, wanted)
	}
	if !a.Shown && have != "" {
		w.t.Errorf("%s: %s is shown as %s, want it left out", verb, a.Name, have)
	}
}

// wantProblem wants an attribute refused with a message, in the contract's form.
func (w *world) wantProblem(verb, name string, got answer, bad broken) {
	w.t.Helper()
	pointer, detail := "/data/attributes/"+name, name+" - "+bad.message
	switch bad.about {
	case "":
	case "/data":
		pointer, detail = "/data", bad.message
	default:
		pointer, detail = "/data/attributes/"+bad.about, bad.about+" - "+bad.message
	}
	want, err := json.Marshal(bad.message)
	w.must(err)
	full, err := json.Marshal(detail)
	w.must(err)
	wanted := fmt.Sprintf(`{"title":%s,"detail":%s,"code":"100","source":{"pointer":"%s"},"status":"422"}`, want, full, pointer)
	if got.StatusCode != 422 || !strings.Contains(strings.ReplaceAll(got.body, `\u0027`, `'`), wanted) {
		w.t.Errorf("%s with %s %v: %d %s, want %s", verb, name, bad.value, got.StatusCode, got.body, wanted)
	}
}
