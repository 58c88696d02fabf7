package portsip

import (
	"slices"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"billd/rating"
)

// Bounds of a list request.
const (
	maxTop         = 100 // the vendor's, and its default
	maxSkip        = 1<<31 - 1
	maxSearchBytes = 8 << 10
	maxOrderings   = 16
)

// listQuery is what a client asks of a list of T.
type listQuery[T any] struct {
	filter  *expr[T]
	search  search
	columns []column[T]
	order   []ordering[T]
	skip    int
	top     int
}

// ordering is one part of orderby.
type ordering[T any] struct {
	col  *column[T]
	desc bool
}

// option returns a query option by its name or its OData alias, $name.
func option(c *fiber.Ctx, name string) (string, bool) {
	args := c.Request().URI().QueryArgs()
	for _, key := range [...]string{name, "$" + name} {
		if args.Has(key) {
			return string(args.Peek(key)), true
		}
	}
	return "", false
}

// parseQuery reads the list options of section 6. Fails with Errors, one for each option that is wrong.
func parseQuery[T any](c *fiber.Ctx, columns []column[T]) (*listQuery[T], error) {
	q := &listQuery[T]{columns: columns, top: maxTop}
	var es rating.Errors
	note := func(err error) {
		if e, ok := err.(*rating.Error); ok {
			es = append(es, e)
		}
	}
	var err error
	if s, ok := option(c, "filter"); ok {
		q.filter, err = parseFilter(s, columns)
		note(err)
	}
	if s, ok := option(c, "search"); ok {
		q.search, err = parseSearch(s)
		note(err)
	}
	if s, ok := option(c, "orderby"); ok {
		q.order, err = parseOrder(s, columns)
		note(err)
	}
	if s, ok := option(c, "skip"); ok {
		q.skip, err = parseCount("skip", s, 0, maxSkip)
		note(err)
	}
	if s, ok := option(c, "top"); ok {
		q.top, err = parseCount("top", s, 1, maxTop)
		note(err)
	}
	return q, es.Err()
}

func parseCount(name, s string, least, most int) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < least || n > most || s[0] == '+' || s[0] == '-' {
		return 0, rating.Broken(name, "range", "", "%s: want a whole number from %d to %d", name, least, most)
	}
	return n, nil
}

// parseOrder reads "field [asc|desc], …"; blank is no order.
func parseOrder[T any](s string, columns []column[T]) ([]ordering[T], error) {
	if strings.TrimSpace(s) == "" {
		return nil, nil
	}
	broken := func(msg string) error { return rating.Broken("orderby", "format", "", "orderby: %s", msg) }
	if strings.Count(s, ",") >= maxOrderings {
		return nil, broken("want at most " + strconv.Itoa(maxOrderings) + " fields")
	}
	var order []ordering[T]
	for part := range strings.SplitSeq(s, ",") {
		words := strings.Fields(part)
		if len(words) == 0 || len(words) > 2 {
			return nil, broken("want field, field asc or field desc, with commas between")
		}
		i := slices.IndexFunc(columns, func(c column[T]) bool { return c.name == words[0] })
		if i < 0 {
			return nil, broken("unknown field")
		}
		o := ordering[T]{col: &columns[i]}
		if len(words) == 2 {
			if o.desc = words[1] == "desc"; !o.desc && words[1] != "asc" {
				return nil, broken("want asc or desc after " + words[0])
			}
		}
		order = append(order, o)
	}
	return order, nil
}

// orderedBy reports whether the order is one column alone, in one direction.
func (q *listQuery[T]) orderedBy(column string) (desc, ok bool) {
	if len(q.order) != 1 || q.order[0].col.name != column {
		return false, false
	}
	return q.order[0].desc, true
}

// whole reports whether nothing is left out.
func (q *listQuery[T]) whole() bool { return q.filter == nil && len(q.search) == 0 }

// match reports whether v passes filter and search.
func (q *listQuery[T]) match(v *T) bool {
	return (q.filter == nil || q.filter.match(v)) && matchSearch(q.search, q.columns, v)
}

// search is the words to look for, in lower case: one of the outer lists must be there whole.
type search [][]string

// parseSearch splits free text: white space joins by and, the word or separates alternatives.
func parseSearch(s string) (search, error) {
	if len(s) > maxSearchBytes {
		return nil, rating.Broken("search", "maxLength", strconv.Itoa(maxSearchBytes), "search: %d bytes, want at most %d", len(s), maxSearchBytes)
	}
	var found search
	var words []string
	for _, w := range append(strings.Fields(strings.ToLower(s)), "or") {
		if w != "or" {
			words = append(words, w)
			continue
		}
		if len(words) > 0 {
			found, words = append(found, words), nil
		}
	}
	return found, nil
}

func matchSearch[T any](s search, columns []column[T], v *T) bool {
	if len(s) == 0 {
		return true
	}
	var texts []string
	for i := range columns {
		if columns[i].searched {
			if got := columns[i].value(v); !got.null {
				texts = append(texts, strings.ToLower(got.text))
			}
		}
	}
	found := func(word string) bool {
		return slices.ContainsFunc(texts, func(t string) bool { return strings.Contains(t, word) })
	}
	return slices.ContainsFunc(s, func(words []string) bool {
		return !slices.ContainsFunc(words, func(w string) bool { return !found(w) })
	})
}
