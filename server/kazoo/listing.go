package kazoo

import (
	"cmp"
	"net/url"
	"slices"
	"strings"
	"time"
)

// listed is a row of a listing before it is filtered, ordered and cut into pages.
type listed struct {
	place   string          // in the ascending order of the listing; the row's key
	row     any             // what the listing shows
	whole   func() document // the document, for filters and full_docs
	created time.Time
	changed time.Time // zero: never
}

// list answers with the page of rows that the request asks for: those that pass its filters, in order
// of their places, whole ones with full_docs.
func (x *exchange) list(rows []listed) (*answer, error) {
	f, err := x.filters()
	if err != nil {
		return nil, err
	}
	rows = slices.DeleteFunc(rows, func(r listed) bool { return !f.admits(&r) })
	order := func(a, b string) int { return cmp.Compare(a, b) }
	if x.setting("descending") == "true" || x.setting("ascending") == "false" {
		order = func(a, b string) int { return cmp.Compare(b, a) }
	}
	slices.SortFunc(rows, func(a, b listed) int { return order(a.place, b.place) })
	ans, err := pagedBy(x, rows, func(r listed) string { return r.place }, order)
	if err != nil {
		return nil, err
	}
	data := []any{}
	for _, r := range ans.data.([]listed) {
		if x.flag("full_docs") && r.whole != nil {
			data = append(data, r.whole())
		} else {
			data = append(data, r.row)
		}
	}
	ans.data = data
	return ans, nil
}

// maxFilters bounds how many filters a request may have.
const maxFilters = 50

// filters are the generic filters of a listing: all of them must hold.
type filters struct {
	tests            []func(document) bool
	created, changed bounds
}

// bounds are seconds in which an instant lies, both included; nil is no bound.
type bounds struct{ from, to *int64 }

func (b bounds) hold(t time.Time) bool {
	s := seconds(t)
	return (b.from == nil || s >= *b.from) && (b.to == nil || s <= *b.to)
}

// filters reads the filters of the query. Source: crossbar_filter; contract 1.6.
func (x *exchange) filters() (f filters, err error) {
	if f.created, err = x.bounds("created"); err != nil {
		return f, err
	}
	if f.changed, err = x.bounds("modified"); err != nil {
		return f, err
	}
	f.tests = queryTests(x.query)
	if len(f.tests) > maxFilters {
		return f, invalid("filter", "maximum", "too many filters", "target", maxFilters)
	}
	return f, nil
}

// bounds reads name_from and name_to.
func (x *exchange) bounds(name string) (b bounds, err error) {
	for _, end := range []struct {
		name string
		at   **int64
	}{{name + "_from", &b.from}, {name + "_to", &b.to}} {
		n, sent, err := x.gregorian(end.name)
		if err != nil {
			return b, err
		}
		if sent {
			*end.at = &n
		}
	}
	if b.from != nil && b.to != nil && *b.to < *b.from {
		return b, invalid(name+"_from", "date_range", name+"_from must be before "+name+"_to", "cause", *b.from)
	}
	return b, nil
}

// queryTests makes a test of each filter in a query.
func queryTests(query url.Values) (tests []func(document) bool) {
	for name, values := range query {
		for _, want := range values {
			var test func(document) bool
			switch name {
			case "has_key":
				test = func(d document) bool { return within(d, want) != nil }
			case "key_missing":
				test = func(d document) bool { return within(d, want) == nil }
			case "has_value":
				test = func(d document) bool { return !hollow(within(d, want)) }
			case "missing_value":
				test = func(d document) bool { return hollow(within(d, want)) }
			}
			if test != nil {
				tests = append(tests, test)
			}
		}
		if key, ok := strings.CutPrefix(name, "filter_not_"); ok {
			tests = append(tests, func(d document) bool { return !says(within(d, key), values) })
		} else if key, ok := strings.CutPrefix(name, "filter_"); ok {
			tests = append(tests, func(d document) bool { return says(within(d, key), values) })
		}
	}
	return tests
}

// within returns the value at a path of keys with dots between them.
func within(doc document, path string) any {
	for {
		if v, ok := doc[path]; ok {
			return v
		}
		key, rest, more := strings.Cut(path, ".")
		if !more {
			return nil
		}
		sub, ok := doc[key].(document)
		if !ok {
			return nil
		}
		doc, path = sub, rest
	}
}

// says reports whether a value, or one element of a list, is one of several texts.
func says(v any, texts []string) bool {
	if list, ok := v.([]any); ok {
		return slices.ContainsFunc(list, func(e any) bool { return says(e, texts) })
	}
	s, ok := plain(v)
	return ok && slices.Contains(texts, s)
}

// hollow reports whether a value is none, or an empty text, list or object.
func hollow(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case []any:
		return len(v) == 0
	case document:
		return len(v) == 0
	}
	return false
}

// idle reports whether there is nothing to filter by.
func (f *filters) idle() bool {
	return len(f.tests) == 0 && f.created == bounds{} && f.changed == bounds{}
}

// admits reports whether a row passes.
func (f *filters) admits(r *listed) bool {
	changed := r.changed
	if changed.IsZero() {
		changed = r.created
	}
	if !f.created.hold(r.created) || !f.changed.hold(changed) {
		return false
	}
	return len(f.tests) == 0 || r.whole != nil && f.pass(r.whole())
}

// pass reports whether a document, as a client would read it, passes the tests.
func (f *filters) pass(view any) bool {
	doc, err := asDocument(view)
	return err == nil && !slices.ContainsFunc(f.tests, func(test func(document) bool) bool { return !test(doc) })
}
