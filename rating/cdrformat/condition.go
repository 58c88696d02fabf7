package cdrformat

import (
	"slices"
	"strings"

	"billd/rating"
)

// Condition is what a record must say in one of its own fields: FIELD=VALUE, FIELD!=VALUE or FIELD^=BEGINNING, where
// several values stand apart by |. A record without the field says "" there.
type Condition struct {
	Field       string
	Not, Begins bool
	Values      []string
}

// ParseCondition reads a condition. Fails with Invalid.
func ParseCondition(s string) (c Condition, err error) {
	field, values, ok := strings.Cut(s, "=")
	switch {
	case strings.HasSuffix(field, "!"):
		c.Not = true
	case strings.HasSuffix(field, "^"):
		c.Begins = true
	}
	c.Field, c.Values = strings.TrimSpace(strings.TrimRight(field, "!^")), strings.Split(values, "|")
	for i, v := range c.Values {
		c.Values[i] = strings.TrimSpace(v)
	}
	const most = 1000 // bytes
	if !ok || c.Field == "" || len(s) > most || c.Begins && slices.Contains(c.Values, "") {
		return c, rating.Broken("condition", "format", "", "condition %.40q: want field=value, field!=value or field^=beginning", s)
	}
	return c, nil
}

// String returns the condition as it is written.
func (c Condition) String() string {
	op := "="
	switch {
	case c.Not:
		op = "!="
	case c.Begins:
		op = "^="
	}
	return c.Field + op + strings.Join(c.Values, "|")
}

// holds reports whether a field that says text meets the condition.
func (c *Condition) holds(text string) bool {
	return slices.ContainsFunc(c.Values, func(v string) bool {
		return text == v || c.Begins && strings.HasPrefix(text, v)
	}) != c.Not
}

// watched are the fields that conditions ask for; head.watch is a place in it, from 1.
func (o *Options) watched() (names []string) {
	for _, list := range [][]Condition{o.Only, o.Skip, o.Inbound} {
		for _, c := range list {
			if !slices.Contains(names, c.Field) {
				names = append(names, c.Field)
			}
		}
	}
	return names
}

// sift says why a record is passed over by the caller's conditions, "" for one that is charged, and tells whether it is
// of a call that came in.
func (r *Reader) sift(f *facts) (skipped string) {
	if len(r.watched) == 0 {
		return ""
	}
	says := func(c *Condition) string {
		if at := slices.Index(r.watched, c.Field); at < len(f.watched) {
			return f.watched[at]
		}
		return ""
	}
	for i := range r.o.Only {
		if c := &r.o.Only[i]; !c.holds(says(c)) {
			return "not " + c.String()
		}
	}
	for i := range r.o.Skip {
		if c := &r.o.Skip[i]; c.holds(says(c)) {
			return c.String()
		}
	}
	for i := range r.o.Inbound {
		c := &r.o.Inbound[i]
		f.inbound = f.inbound || c.holds(says(c))
	}
	return ""
}
