package plan

import (
	"encoding/json"
	"maps"
	"math/big"
	"strconv"
	"strings"

	"billd/rating"
)

// Object is a JSON object whose numbers are json.Number.
type Object = map[string]any

// Merge lays each document over the ones before it, object by object. A null takes a key away, and so
// does no change of the documents given.
func Merge(docs ...Object) Object {
	out := Object{}
	for _, doc := range docs {
		out = over(out, doc)
	}
	return out
}

func over(base, doc Object) Object {
	out := maps.Clone(base)
	if out == nil {
		out = Object{}
	}
	for k, v := range doc {
		if v == nil {
			delete(out, k)
			continue
		}
		sub, isDoc := v.(Object)
		old, wasDoc := out[k].(Object)
		if isDoc && wasDoc {
			out[k] = over(old, sub)
		} else {
			out[k] = v
		}
	}
	return out
}

// object returns the object under a key, nil when there is none.
func object(doc Object, key string) Object {
	o, _ := doc[key].(Object)
	return o
}

// text returns the text under a key, "" when there is none.
func text(doc Object, key string) string {
	s, _ := doc[key].(string)
	return s
}

// digits returns the text of a number, or of a text that is one.
func digits(v any) (string, bool) {
	switch v := v.(type) {
	case json.Number:
		return v.String(), true
	case string:
		return strings.TrimSpace(v), v != ""
	}
	return "", false
}

// reader reads the fields of an item and keeps the first error.
type reader struct {
	doc  Object
	path string
	err  error
}

// fail notes that a field breaks a rule: it must be of a type, or within limit.
func (r *reader) fail(key, rule, limit, want string) {
	if r.err == nil {
		r.err = rating.Broken(r.path+"."+key, rule, limit, "%s.%s: want %s", r.path, key, want)
	}
}

// money reads a price, which is never below 0: what a line costs less is a discount. nil when there is
// none.
func (r *reader) money(key string) *rating.Money {
	v, sent := r.doc[key]
	if !sent || v == nil {
		return nil
	}
	s, ok := digits(v)
	if !ok {
		r.fail(key, "type", "number", "a number")
		return nil
	}
	if _, err := rating.ParseDecimal(s); rating.KindOf(err) == rating.Invalid {
		r.fail(key, "type", "number", "a number")
		return nil
	}
	m, err := rating.ParseMoney(s)
	switch {
	case strings.HasPrefix(s, "-") && m != 0, m < 0:
		r.fail(key, "minimum", "0", "a price of 0 or more")
		return nil
	case err != nil || m > maxPrice:
		r.fail(key, "maximum", maxPrice.Number(), "a price of at most "+maxPrice.Number())
		return nil
	}
	return &m
}

// Bounds of what a plan may say (R1).
const (
	maxPrice rating.Money = 1_000_000_000 * 1_000_000
	maxUnits              = 1_000_000_000
)

// units reads a whole number of things; def when there is none.
func (r *reader) units(key string, def int64) int64 {
	v, sent := r.doc[key]
	if !sent || v == nil {
		return def
	}
	s, ok := digits(v)
	if !ok {
		r.fail(key, "type", "integer", "a whole number")
		return def
	}
	n, ok := integer(s)
	switch {
	case !ok:
		r.fail(key, "type", "integer", "a whole number")
	case n < 0:
		r.fail(key, "minimum", "0", "a whole number of 0 or more")
	case n > maxUnits:
		r.fail(key, "maximum", strconv.Itoa(maxUnits), "a whole number of at most "+strconv.Itoa(maxUnits))
	default:
		return n
	}
	return def
}

func integer(s string) (int64, bool) {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n, true
	}
	d, err := rating.ParseDecimal(s)
	if err != nil {
		return 0, false
	}
	whole, isWhole := strings.CutSuffix(d.String(), ".0")
	n, ok := new(big.Int).SetString(whole, 10)
	if !isWhole || !ok || !n.IsInt64() {
		return 0, false
	}
	return n.Int64(), true
}

func (r *reader) boolean(key string, def bool) bool {
	switch v := r.doc[key].(type) {
	case nil:
		return def
	case bool:
		return v
	case string:
		if v == "true" || v == "false" {
			return v == "true"
		}
	}
	r.fail(key, "type", "boolean", "true or false")
	return def
}

// sub returns a reader of an object in this one; of none, an empty one and false.
func (r *reader) sub(key string) (*reader, bool) {
	v, sent := r.doc[key]
	if !sent || v == nil {
		return &reader{path: r.path + "." + key}, false
	}
	o, ok := v.(Object)
	if !ok {
		r.fail(key, "type", "object", "an object")
	}
	return &reader{doc: o, path: r.path + "." + key}, ok
}

// join takes over the first error of a reader made by sub.
func (r *reader) join(sub *reader) {
	if r.err == nil {
		r.err = sub.err
	}
}
