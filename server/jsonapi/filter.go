package jsonapi

import (
	"slices"
	"strings"
	"time"

	"billd/rating"
)

// opset is a family of filter operators.
type opset uint8

const (
	none opset = iota
	strings_
	numbers
	datetimes
	booleans
	exact
)

// Ops says which filter operators a kind has, and which words an enum is limited to.
type Ops struct {
	set   opset
	words []string
}

// The families of operators. Source: contracts, Yeti 2.6.
var (
	NoOps       = Ops{}
	StringOps   = Ops{set: strings_}
	NumberOps   = Ops{set: numbers}
	DatetimeOps = Ops{set: datetimes}
	BoolOps     = Ops{set: booleans}
	ExactOps    = Ops{set: exact} // uuid, inet, foreign key
)

// EnumOps is ExactOps limited to words.
func EnumOps(words ...string) Ops { return Ops{set: exact, words: words} }

var operators = map[opset][]string{
	strings_:  {"eq", "not_eq", "cont", "start", "end", "in", "not_in", "cont_any"},
	numbers:   {"eq", "not_eq", "gt", "gteq", "lt", "lteq", "in", "not_in"},
	datetimes: {"eq", "not_eq", "gt", "gteq", "lt", "lteq", "in", "not_in"},
	booleans:  {"eq", "not_eq"},
	exact:     {"eq", "not_eq", "in", "not_in"},
}

// takesList are the operators with any number of values; all others take exactly one.
var takesList = map[string]bool{"in": true, "not_in": true, "cont_any": true}

// filter is one condition that a resource offers.
type filter struct {
	op    string // "" for a plain filter: any of the values, exactly
	ops   Ops
	value func(r *Request, rec any) Value
	ids   bool // the values are ids of the resource itself
	many  func(r *Request, rec any, values []string) bool
	one   bool // many takes exactly one value
}

// bindFilter finds the filter of a parameter and reads its values. It reports false for a filter
// that asks nothing: an empty list (quirk Q13).
func (d *resource) bindFilter(p pair) (Cond, bool, error) {
	name := underscored(p.name)
	f := d.filters[name]
	if f == nil {
		return Cond{}, false, problem(400, "102", "Filter not allowed", clip(name[strings.LastIndexByte(name, '.')+1:])+" is not allowed.")
	}
	values := listed(p.value)
	if len(values) > maxListed {
		return Cond{}, false, BadFilter(p.value, name)
	}
	c := Cond{Name: name, Values: values}
	switch {
	case f.many != nil:
		if f.one && len(values) != 1 {
			return c, false, BadFilter(p.value, name)
		}
		c.match = func(r *Request, rec any) bool { return f.many(r, rec, values) }
		return c, true, nil
	case f.ids:
		for _, v := range values {
			if !d.id.plausible(v) {
				return c, false, badID(v)
			}
		}
		c.match = func(r *Request, rec any) bool { return slices.Contains(values, d.key(rec)) }
		return c, true, nil
	case takesList[f.op] && len(values) == 0:
		return c, false, nil
	case f.op != "" && !takesList[f.op] && len(values) != 1:
		return c, false, BadFilter(p.value, name)
	}
	want := make([]Value, len(values))
	for i, s := range values {
		v, ok := f.ops.operand(s)
		if !ok {
			return c, false, BadFilter(p.value, name)
		}
		want[i] = v
	}
	test := tests[f.op]
	c.match = func(r *Request, rec any) bool {
		v := f.value(r, rec)
		return !v.IsNull() && test(v, want)
	}
	return c, true, nil
}

// operand reads a filter's value.
func (o Ops) operand(s string) (Value, bool) {
	switch o.set {
	case numbers:
		d, err := rating.ParseDecimal(s)
		return DecimalValue(d), err == nil
	case datetimes:
		t, ok := ParseInstant(s, time.UTC)
		return Value{class: instant, i: t.UnixMicro()}, ok
	case booleans:
		switch strings.ToLower(strings.TrimSpace(s)) {
		case "true", "t", "1":
			return BoolValue(true), true
		case "false", "f", "0":
			return BoolValue(false), true
		}
		return Value{}, false
	case exact:
		if o.words != nil && !slices.Contains(o.words, s) {
			return Value{}, false
		}
	}
	return TextValue(s), true
}

// same compares a record's value with an operand; texts of numbers and UUIDs are compared as such.
func same(v, want Value) bool {
	if want.class == text && v.class != text {
		return strings.TrimSpace(want.s) == strings.Trim(string(v.append(nil)), `"`)
	}
	return v.compare(want) == 0
}

func anySame(v Value, want []Value) bool {
	return slices.ContainsFunc(want, func(w Value) bool { return same(v, w) })
}

// tests are the operators; a null value passes none.
var tests = map[string]func(v Value, want []Value) bool{
	"":         anySame,
	"eq":       anySame,
	"in":       anySame,
	"not_eq":   func(v Value, want []Value) bool { return !anySame(v, want) },
	"not_in":   func(v Value, want []Value) bool { return !anySame(v, want) },
	"gt":       func(v Value, want []Value) bool { return v.compare(want[0]) > 0 },
	"gteq":     func(v Value, want []Value) bool { return v.compare(want[0]) >= 0 },
	"lt":       func(v Value, want []Value) bool { return v.compare(want[0]) < 0 },
	"lteq":     func(v Value, want []Value) bool { return v.compare(want[0]) <= 0 },
	"cont":     folded(strings.Contains),
	"start":    folded(strings.HasPrefix),
	"end":      folded(strings.HasSuffix),
	"cont_any": folded(strings.Contains),
}

// folded tests texts without regard to case, against any of the operands.
func folded(test func(s, part string) bool) func(Value, []Value) bool {
	return func(v Value, want []Value) bool {
		s := strings.ToLower(v.s)
		return slices.ContainsFunc(want, func(w Value) bool { return test(s, strings.ToLower(w.s)) })
	}
}

// addFilters enters the filters that a kind's operators make of a value.
func (d *resource) addFilters(name string, ops Ops, value func(*Request, any) Value) {
	name = underscored(name)
	for _, op := range operators[ops.set] {
		d.filters[name+"_"+op] = &filter{op: op, ops: ops, value: value}
	}
}

// addPlain enters a plain filter: any of the values, exactly.
func (d *resource) addPlain(name string, ops Ops, value func(*Request, any) Value) {
	d.filters[underscored(name)] = &filter{ops: ops, value: value}
}
