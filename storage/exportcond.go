package storage

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"

	"billd/rating"
)

// ExportCond is a condition on one column of an export, its values spelled as in a CDR file. The operator
// is eq, not_eq, in or not_in; of numbers and moments also gteq, gt, lteq or lt, of texts contains, of lists
// of numbers include, exclude or empty (true or false). A column without a value meets none but
// exclude and empty.
type ExportCond struct {
	Field  string   `json:"field"`
	Op     string   `json:"op"`
	Value  string   `json:"value,omitempty"`
	Values []string `json:"values,omitempty"` // of in and not_in
}

// MaxExportValues bounds what a condition lists.
const MaxExportValues = 1000

// Compile turns the condition into one that stored rows are asked. Fails with Invalid if the column,
// a value or the operator is none.
func (c ExportCond) Compile() (CallCond, error) {
	f, ok := rating.CDRFieldNamed(c.Field)
	if !ok {
		return CallCond{}, c.invalid()
	}
	cond := CallCond{Field: f, Not: c.Op == "not_eq" || c.Op == "not_in"}
	values := []string{c.Value}
	if c.Op == "in" || c.Op == "not_in" {
		if values = c.Values; len(values) == 0 || len(values) > MaxExportValues {
			return cond, c.invalid()
		}
	}
	switch {
	case f.Kind() == rating.KindInts && (c.Op == "include" || c.Op == "exclude" || c.Op == "empty"):
		return c.list(cond)
	case f.Kind().IsText():
		return c.text(cond, values)
	}
	return c.number(cond, values)
}

func (c ExportCond) invalid() error {
	return rating.Errorf(rating.Invalid, c.Field, "%s: %s is not a condition", c.Field, c.Op)
}

// list asks a column of whole numbers.
func (c ExportCond) list(cond CallCond) (CallCond, error) {
	var want int64
	var empty bool
	var err error
	if c.Op == "empty" {
		err = json.Unmarshal([]byte(c.Value), &empty)
	} else {
		err = json.Unmarshal([]byte(c.Value), &want)
	}
	if err != nil {
		return cond, rating.Errorf(rating.Invalid, c.Field, "%s: %s cannot be %.40q", c.Field, c.Op, c.Value)
	}
	cond.Null = c.Op == "exclude" || empty
	cond.Text = func(b []byte) bool {
		var held []int64
		if json.Unmarshal(b, &held) != nil {
			return false
		}
		if c.Op == "empty" {
			return (len(held) == 0) == empty
		}
		return slices.Contains(held, want) == (c.Op == "include")
	}
	return cond, nil
}

func (c ExportCond) text(cond CallCond, values []string) (CallCond, error) {
	switch c.Op {
	case "eq", "not_eq", "in", "not_in":
		cond.Text = func(b []byte) bool { return slices.Contains(values, string(b)) }
	case "contains":
		value := []byte(c.Value)
		cond.Text = func(b []byte) bool { return bytes.Contains(b, value) }
	default:
		return cond, c.invalid()
	}
	return cond, nil
}

func (c ExportCond) number(cond CallCond, values []string) (CallCond, error) {
	for _, text := range values {
		var row rating.CDR
		if err := row.Parse(cond.Field, text); err != nil {
			return cond, err
		}
		if !row.Has(cond.Field) {
			return cond, rating.Errorf(rating.Invalid, c.Field, "%s: want a value", c.Field)
		}
		within, ok := c.within(row.Int(cond.Field))
		if !ok {
			return cond, c.invalid()
		}
		cond.Within = append(cond.Within, within)
	}
	if cond.Field == rating.CDRIsLastCDR { // not said means yes
		yes := CallRange{1, 1}
		cond.Null = slices.Contains(cond.Within, yes) != cond.Not
	}
	return cond, nil
}

// within is the numbers that meet the condition, for its opposites those that do not.
func (c ExportCond) within(n int64) (r CallRange, ok bool) {
	r = CallRange{math.MinInt64, math.MaxInt64}
	switch c.Op {
	case "eq", "not_eq", "in", "not_in":
		r = CallRange{n, n}
	case "gteq":
		r.Least = n
	case "gt":
		if n == math.MaxInt64 {
			return CallRange{1, 0}, true
		}
		r.Least = n + 1
	case "lteq":
		r.Most = n
	case "lt":
		if n == math.MinInt64 {
			return CallRange{1, 0}, true
		}
		r.Most = n - 1
	default:
		return r, false
	}
	return r, true
}
