package yeti

import (
	"encoding/json"
	"fmt"
	"math/big"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"billd/server/jsonapi"
)

// wantOperators are the operators of each kind. Source: contract 2.6.
var wantOperators = map[string]string{
	"string":   "cont cont_any end eq in not_eq not_in start",
	"number":   "eq gt gteq in lt lteq not_eq not_in",
	"datetime": "eq gt gteq in lt lteq not_eq not_in",
	"boolean":  "eq not_eq",
	"exact":    "eq in not_eq not_in",
}

// TestEveryResourceIsReadByEveryFilterSortAndField walks what the resources of both APIs declare. What a
// filter must answer is worked out from the whole list by rules written down here a second time.
func TestEveryResourceIsReadByEveryFilterSortAndField(t *testing.T) {
	w := newWorld(t)
	for _, s := range w.surfaces() {
		for _, d := range s.tables {
			if d.Verbs&jsonapi.List == 0 {
				continue
			}
			t.Run(s.name+"/"+d.Type, func(t *testing.T) {
				w.t = t
				all := w.everything(s, d, since(s, d))
				if len(all) < 2 {
					t.Fatalf("%d records: the walk wants at least two", len(all))
				}
				w.walkOperators(d)
				for _, f := range d.Filters {
					w.walkFilter(s, d, f, all)
				}
				w.walkSorts(s, d, all)
				w.walkFields(s, d)
				w.walkRelationships(s, d, all)
			})
		}
	}
}

// walkOperators checks that each filter has all operators of its kind and no more.
func (w *world) walkOperators(d jsonapi.Described) {
	w.t.Helper()
	found, kinds := map[string][]string{}, map[string]string{}
	for _, f := range d.Filters {
		if f.Operator != "" {
			name := strings.TrimSuffix(f.Name, "_"+f.Operator)
			found[name], kinds[name] = append(found[name], f.Operator), f.Kind
		}
	}
	for name, ops := range found {
		slices.Sort(ops)
		if got, want := strings.Join(ops, " "), wantOperators[kinds[name]]; got != want {
			w.t.Errorf("filter %s has the operators %s, want those of a %s: %s", name, got, kinds[name], want)
		}
	}
}

// source returns what a filter looks at in a record; false where a record does not show it.
func (w *world) source(s surface, d jsonapi.Described, f jsonapi.DescribedFilter, cache map[string]any) (func(shown) any, bool) {
	name := f.Name
	if f.Operator != "" {
		name = strings.TrimSuffix(name, "_"+f.Operator)
	}
	dashed := strings.ReplaceAll(name, "_", "-")
	if name == "id" || name == "uuid" && s.base == CustomerBase && !slices.ContainsFunc(d.Attrs, func(a jsonapi.DescribedAttr) bool { return a.Name == "uuid" }) {
		return func(r shown) any {
			if f.Kind == "number" {
				return json.Number(r.ID)
			}
			return r.ID
		}, true
	}
	if slices.ContainsFunc(d.Attrs, func(a jsonapi.DescribedAttr) bool { return a.Name == dashed && a.Shown }) {
		return func(r shown) any { return r.Attrs[dashed] }, true
	}
	rel := strings.TrimSuffix(strings.TrimSuffix(dashed, ".id"), "-id")
	if d.Type == "services" && name == "type_id" {
		rel = "service-type"
	}
	at := slices.IndexFunc(d.Rels, func(r jsonapi.DescribedRel) bool { return r.Name == rel })
	if at < 0 || d.Rels[at].Many || !d.Rels[at].Served {
		return nil, false
	}
	return func(r shown) any {
		key := r.ID + "/" + rel
		if v, known := cache[key]; known {
			return v
		}
		a := w.do("GET", s.base+"/"+d.Paths[0]+"/"+url.PathEscape(r.ID)+"/relationships/"+rel, "", map[string]string{"Authorization": s.token, "Content-Type": ""})
		var doc struct{ Data *struct{ ID string } }
		w.must(json.Unmarshal([]byte(a.body), &doc))
		cache[key] = nil
		if doc.Data != nil {
			cache[key] = doc.Data.ID
		}
		return cache[key]
	}, true
}

// walkFilter asks one filter for values that records have, in several spellings, and for values that it
// must refuse.
func (w *world) walkFilter(s surface, d jsonapi.Described, f jsonapi.DescribedFilter, all []shown) {
	w.t.Helper()
	ask := func(value string) (answer, list) {
		return w.read(s, "/"+d.Paths[0]+"?page%5Bsize%5D=1000&"+url.QueryEscape("fields["+d.Type+"]")+"="+d.Attrs[0].Name+"&"+url.QueryEscape("filter["+f.Name+"]")+"="+url.QueryEscape(value)+far(s, d, f.Name))
	}
	for _, bad := range badOperands(d, f) {
		a, l := ask(bad.value)
		want := "Invalid filter value 107 " + bad.value + " is not a valid value for " + f.Name + "."
		if got := fmt.Sprintf("%s %s %s", firstError(l).Title, firstError(l).Code, firstError(l).Detail); a.StatusCode != 400 || got != want {
			w.t.Errorf("filter[%s]=%s (%s): %d %s, want %s", f.Name, bad.value, bad.why, a.StatusCode, got, want)
		}
	}
	source, known := w.source(s, d, f, map[string]any{})
	if !known {
		for _, value := range sampleOperands[f.Kind] {
			if len(f.Words) > 0 {
				value = f.Words[0]
			}
			if a, _ := ask(value); a.StatusCode != 200 {
				w.t.Errorf("filter[%s]=%s: %d %s, want 200", f.Name, value, a.StatusCode, a.body)
			}
		}
		return
	}
	values := make([]any, len(all))
	for i, r := range all {
		values[i] = source(r)
	}
	for _, operands := range operandsFor(f, values) {
		a, l := ask(strings.Join(operands, ","))
		var want []string
		for i, r := range all {
			if values[i] != nil && meetsOperands(f, values[i], operands) {
				want = append(want, r.ID)
			}
		}
		var got []string
		for _, r := range l.Data {
			got = append(got, r.ID)
		}
		slices.Sort(got)
		slices.Sort(want)
		if a.StatusCode != 200 || l.Meta.Total != len(want) || len(got) != min(len(want), 1000) || !subset(got, want) {
			w.t.Errorf("filter[%s]=%s: %d %v of %d, want %v", f.Name, strings.Join(operands, ","), a.StatusCode, got, l.Meta.Total, want)
		}
	}
}

func subset(some, all []string) bool {
	return !slices.ContainsFunc(some, func(s string) bool { _, found := slices.BinarySearch(all, s); return !found })
}

func firstError(l list) struct{ Title, Detail, Code string } {
	if len(l.Errors) == 0 {
		return struct{ Title, Detail, Code string }{}
	}
	return l.Errors[0]
}

// sampleOperands are values that a filter of a kind takes.
var sampleOperands = map[string][]string{"string": {"x"}, "number": {"1", "-2.5"}, "datetime": {"2026-01-01", "2026-01-01T10:00:00+02:00"}, "boolean": {"true", "false"}, "exact": {"1"}}

type badOperand struct{ value, why string }

// badOperands are values that a filter refuses with error 107.
func badOperands(d jsonapi.Described, f jsonapi.DescribedFilter) (bad []badOperand) {
	if f.Operator == "" {
		return nil // plain filters take anything
	}
	if f.One {
		bad = append(bad, badOperand{"1,2", "two values"}, badOperand{"", "no value"})
	}
	switch {
	case len(f.Words) > 0:
		bad = append(bad, badOperand{"no-such-word", "not of the enumeration"}, badOperand{strings.ToUpper(f.Words[0]) + "_", "the case counts"})
	case f.Kind == "number":
		bad = append(bad, badOperand{"abc", "no number"}, badOperand{"1x", "a number and more"})
	case f.Kind == "datetime":
		bad = append(bad, badOperand{"abc", "no moment"}, badOperand{"2026-13-01", "no such month"})
	case f.Kind == "boolean":
		bad = append(bad, badOperand{"maybe", "neither true nor false"})
	}
	return bad
}

// operandsFor picks values to ask a filter for: those of the first, a middle and the last record that
// have one, and what is made of them.
func operandsFor(f jsonapi.DescribedFilter, values []any) (all [][]string) {
	var texts []string
	for _, v := range values {
		if s := fmt.Sprint(v); v != nil && s != "" && !strings.Contains(s, ",") && !slices.Contains(texts, s) {
			texts = append(texts, s)
		}
	}
	if len(texts) > 3 {
		texts = []string{texts[0], texts[len(texts)/2], texts[len(texts)-1]}
	}
	for _, s := range texts {
		switch f.Operator {
		case "cont", "start", "end", "cont_any":
			r := []rune(s)
			all = append(all, []string{strings.ToUpper(string(r[:(len(r)+1)/2]))}, []string{strings.ToLower(string(r[len(r)/2:]))}, []string{"%"}, []string{"_"})
		default:
			all = append(all, []string{s})
		}
		if f.Kind == "number" {
			all = append(all, []string{" " + s + " "})
		}
	}
	if len(texts) > 1 && !f.One {
		all = append(all, []string{texts[0], texts[1], texts[0]})
	}
	return all
}

// meetsOperands says by the contract's words whether a value meets a condition.
func meetsOperands(f jsonapi.DescribedFilter, v any, operands []string) bool {
	compare := func(operand string) int {
		switch f.Kind {
		case "number":
			a, _ := new(big.Rat).SetString(fmt.Sprint(v))
			b, _ := new(big.Rat).SetString(strings.TrimSpace(operand))
			return a.Cmp(b)
		case "datetime":
			a, _ := time.Parse(time.RFC3339Nano, v.(string))
			b, _ := time.Parse(time.RFC3339Nano, operand)
			return a.Compare(b)
		}
		return strings.Compare(fmt.Sprint(v), operand)
	}
	text := strings.ToLower(fmt.Sprint(v))
	any := func(test func(string) bool) bool { return slices.ContainsFunc(operands, test) }
	switch f.Operator {
	case "", "eq", "in":
		return any(func(o string) bool { return compare(o) == 0 })
	case "not_eq", "not_in":
		return !any(func(o string) bool { return compare(o) == 0 })
	case "gt":
		return compare(operands[0]) > 0
	case "gteq":
		return compare(operands[0]) >= 0
	case "lt":
		return compare(operands[0]) < 0
	case "lteq":
		return compare(operands[0]) <= 0
	case "start":
		return strings.HasPrefix(text, strings.ToLower(operands[0]))
	case "end":
		return strings.HasSuffix(text, strings.ToLower(operands[0]))
	}
	return any(func(o string) bool { return strings.Contains(text, strings.ToLower(o)) })
}
