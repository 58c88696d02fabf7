package jsonapi

import "billd/rating"

// options are what the options of an attribute or relationship set.
type options struct {
	noCreate, noUpdate bool
	writeOnly          bool
	required, numeric  bool
	message            string // of a required value that is missing
	noSort, noFilter   bool
	plain              bool
	unique             string // the store's name of the unique key
	rules              []rule

	linkage, dataless bool
	exists            bool
	noSelf, filterID  bool
	absent, anyID     bool
	kept              bool
}

// rule is a bound of a value; it returns the message when v breaks it.
type rule func(v Value) string

// Option declares something about an attribute or a relationship.
type Option func(*options)

// ReadOnly makes an attribute or relationship an unknown name (105) in requests.
func ReadOnly(o *options) { o.noCreate, o.noUpdate = true, true }

// CreateOnly can be set by a create and never again.
func CreateOnly(o *options) { o.noUpdate = true }

// UpdateOnly can be set by an update only.
func UpdateOnly(o *options) { o.noCreate = true }

// WriteOnly is never rendered, sorted or filtered: a password, or a relationship of what is not kept.
func WriteOnly(o *options) { o.writeOnly, o.noSort, o.noFilter = true, true, true }

// Required refuses null and blank text: can't be blank.
func Required(o *options) { o.required = true }

// Numeric adds "is not a number" for null, as Yeti does for most numbers that have a presence rule.
func Numeric(o *options) { o.numeric = true }

// NoSort leaves an attribute out of the sort criteria.
func NoSort(o *options) { o.noSort = true }

// NoFilter leaves out the filters of an attribute's kind.
func NoFilter(o *options) { o.noFilter = true }

// PlainFilter adds filter[name]=a,b: any of the values, exactly.
func PlainFilter(o *options) { o.plain = true }

// Unique checks the store's unique key of the attribute's own name: has already been taken.
func Unique(o *options) { o.unique = "*" }

// AtLeast refuses smaller numbers. The bound is decimal text.
func AtLeast(bound string) Option {
	return bounded(bound, "must be greater than or equal to ", func(c int) bool { return c >= 0 })
}

// Above refuses smaller and equal numbers.
func Above(bound string) Option {
	return bounded(bound, "must be greater than ", func(c int) bool { return c > 0 })
}

// AtMost refuses larger numbers.
func AtMost(bound string) Option {
	return bounded(bound, "must be less than or equal to ", func(c int) bool { return c <= 0 })
}

// Other refuses one number.
func Other(than string) Option {
	return bounded(than, "must be other than ", func(c int) bool { return c != 0 })
}

func bounded(bound, message string, ok func(c int) bool) Option {
	limit, err := rating.ParseDecimal(bound)
	if err != nil {
		panic("jsonapi: bound " + bound + " is not a number")
	}
	return Rule(func(v Value) string {
		if ok(v.number().Cmp(limit)) {
			return ""
		}
		return message + bound
	})
}

// Rule adds a check of a value that is not null; it returns the message of a broken one.
func Rule(check func(v Value) string) Option {
	return func(o *options) { o.rules = append(o.rules, check) }
}

// OneOf refuses whole numbers outside a list: is not included in the list.
func OneOf(numbers ...int64) Option {
	return Rule(func(v Value) string {
		for _, n := range numbers {
			if v.class == integer && v.i == n {
				return ""
			}
		}
		return notListed
	})
}

// Format refuses texts that match does not accept: is invalid.
func Format(match func(string) bool) Option {
	return Rule(func(v Value) string {
		if match(v.s) {
			return ""
		}
		return isInvalid
	})
}

// Attr is one attribute of T. Make it with Field, View or Virtual.
type Attr[T any] struct {
	name  string
	opts  options
	ops   Ops
	value func(r *Request, v *T) Value
	set   func(v *T, in Input) (fault string)
}

// Field is an attribute that lives at an address.
func Field[T, F any](name string, k Kind[F], at func(*T) *F, opts ...Option) Attr[T] {
	return attr(name, k.Ops, opts, func(_ *Request, v *T) Value { return k.Value(*at(v)) }, setter(k, func(v *T, f F) { *at(v) = f }))
}

// View is a read-only attribute that is computed, only when it is shown, filtered or sorted by.
// An error becomes the answer to the whole request.
func View[T, F any](name string, k Kind[F], get func(*Request, *T) (F, error), opts ...Option) Attr[T] {
	return attr(name, k.Ops, append(opts, ReadOnly), computed(k, get), nil)
}

// Virtual is an attribute that is read by one function and written by another.
func Virtual[T, F any](name string, k Kind[F], get func(*Request, *T) (F, error), put func(*T, F), opts ...Option) Attr[T] {
	return attr(name, k.Ops, opts, computed(k, get), setter(k, put))
}

func computed[T, F any](k Kind[F], get func(*Request, *T) (F, error)) func(*Request, *T) Value {
	return func(r *Request, v *T) Value {
		f, err := get(r, v)
		if err != nil {
			r.Fail(err)
			return Value{}
		}
		return k.Value(f)
	}
}

func setter[T, F any](k Kind[F], put func(*T, F)) func(*T, Input) string {
	return func(v *T, in Input) string {
		var f F
		if !in.IsNull() {
			var fault string
			if f, fault = k.Parse(in); fault != "" {
				return fault
			}
		}
		put(v, f)
		return ""
	}
}

func attr[T any](name string, ops Ops, opts []Option, value func(*Request, *T) Value, set func(*T, Input) string) Attr[T] {
	a := Attr[T]{name: name, ops: ops, value: value, set: set}
	for _, opt := range opts {
		opt(&a.opts)
	}
	if a.opts.unique == "*" {
		a.opts.unique = underscored(name)
	}
	return a
}
