package portsip

import "strings"

// Bounds of a filter.
const (
	maxFilterBytes = 8 << 10
	maxFilterDepth = 64 // open parentheses
)

// operator is a comparison of the filter grammar.
type operator uint8

const (
	eq operator = iota
	ne
	gt
	ge
	lt
	le
	startsWith
	endsWith
	contains
)

var operators = map[string]operator{"eq": eq, "ne": ne, "gt": gt, "ge": ge, "lt": lt, "le": le}

var functions = map[string]operator{"startswith": startsWith, "endswith": endsWith, "contains": contains}

// form says what an expression does with its parts.
type form uint8

const (
	test form = iota
	all
	anyOf
	not
)

// expr is a parsed filter. A test compares a column with a literal; the others join parts.
type expr[T any] struct {
	form  form
	parts []*expr[T]
	col   *column[T]
	op    operator
	lit   literal
}

// literal is the right side of a test. A number is kept as hundred-thousandths rounded down and
// whether anything was cut, so that it compares exactly.
type literal struct {
	value
	more bool
}

// match reports whether v passes.
func (e *expr[T]) match(v *T) bool {
	switch e.form {
	case all:
		for _, p := range e.parts {
			if !p.match(v) {
				return false
			}
		}
		return true
	case anyOf:
		for _, p := range e.parts {
			if p.match(v) {
				return true
			}
		}
		return false
	case not:
		return !e.parts[0].match(v)
	}
	return e.lit.holds(e.op, e.col.value(v))
}

// holds reports whether got stands in relation op to the literal. Nothing is greater or less than null.
func (l *literal) holds(op operator, got value) bool {
	if got.null || l.null {
		return got.null == l.null && op == eq || got.null != l.null && op == ne
	}
	switch op {
	case startsWith:
		return strings.HasPrefix(got.text, l.text)
	case endsWith:
		return strings.HasSuffix(got.text, l.text)
	case contains:
		return strings.Contains(got.text, l.text)
	}
	c := got.compare(l.value)
	if c == 0 && l.more {
		c = -1
	}
	switch op {
	case eq:
		return c == 0
	case ne:
		return c != 0
	case gt:
		return c > 0
	case ge:
		return c >= 0
	case lt:
		return c < 0
	}
	return c <= 0
}

// prefixHint returns text that a column of every match begins with, "" when there is none to tell.
func (e *expr[T]) prefixHint(column string) string {
	switch {
	case e == nil:
	case e.form == all:
		longest := ""
		for _, p := range e.parts {
			if h := p.prefixHint(column); len(h) > len(longest) {
				longest = h
			}
		}
		return longest
	case e.form == test && e.col.name == column && (e.op == eq || e.op == startsWith):
		return e.lit.text
	}
	return ""
}

// bounds narrows [from, till] to what a column of every match lies in.
func (e *expr[T]) bounds(column string, from, till int64) (int64, int64) {
	switch {
	case e == nil:
	case e.form == all:
		for _, p := range e.parts {
			from, till = p.bounds(column, from, till)
		}
	case e.form == test && e.col.name == column && !e.lit.null:
		if e.op == eq || e.op == gt || e.op == ge {
			from = max(from, e.lit.n)
		}
		if e.op == eq || e.op == lt || e.op == le {
			till = min(till, e.lit.n)
		}
	}
	return from, till
}
