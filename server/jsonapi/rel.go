package jsonapi

import (
	"slices"
	"strconv"
)

// Linkage shows data in the relationship object at all times, not only when it is included.
func Linkage(o *options) { o.linkage = true }

// MustExist refuses a to-one that is null or names no record: must exist.
func MustExist(o *options) { o.required, o.exists, o.message = true, true, mustExist }

// MayBeNull refuses an id that names no record, and takes null.
func MayBeNull(o *options) { o.exists, o.message = true, mustExist }

// Message replaces the sentence for a to-one that is missing or names no record.
func Message(s string) Option { return func(o *options) { o.message = s } }

// FilterByID adds filter[<relationship>.id].
func FilterByID(o *options) { o.filterID = true }

// RelatedOnly leaves the self link out.
func RelatedOnly(o *options) { o.noSelf = true }

// Absent names a type that this API does not serve: linkage is null, and so is the related record.
func Absent(o *options) { o.absent, o.noCreate, o.noUpdate = true, true, true }

// Kept names a type that this API does not serve, whose numbers are taken and shown as they are: linkage
// holds what was written, the related record is null.
func Kept(o *options) { o.absent, o.kept = true, true }

// Rel is a relationship of T. Make it with One, OneBy or Many.
type Rel[T any] struct {
	name, typ string
	many      bool
	opts      options
	ids       func(r *Request, v *T) []string
	set       func(r *Request, v *T, ids []string) error
}

// numberID is how a record's number is held.
type numberID interface{ ~uint64 | ~int64 }

// One is a to-one relationship held as the number of the other record, 0 being null.
func One[T any, N numberID](name, typ string, at func(*T) *N, opts ...Option) Rel[T] {
	return relation(Rel[T]{name: name, typ: typ,
		ids: func(_ *Request, v *T) []string { return numberText(*at(v)) },
		set: func(_ *Request, v *T, ids []string) error {
			n, err := idNumber(ids)
			*at(v) = N(n)
			return err
		}}, opts)
}

// OneOrNull is a to-one relationship held as a pointer to the other record's number.
func OneOrNull[T any, N numberID](name, typ string, at func(*T) **N, opts ...Option) Rel[T] {
	return relation(Rel[T]{name: name, typ: typ,
		ids: func(_ *Request, v *T) []string {
			if *at(v) == nil {
				return nil
			}
			return numberText(**at(v))
		},
		set: func(_ *Request, v *T, ids []string) error {
			n, err := idNumber(ids)
			if *at(v) = nil; n != 0 {
				number := N(n)
				*at(v) = &number
			}
			return err
		}}, opts)
}

// OneBy is a read-only to-one relationship whose id is computed, "" being null.
func OneBy[T any](name, typ string, id func(r *Request, v *T) (string, error), opts ...Option) Rel[T] {
	return relation(Rel[T]{name: name, typ: typ, ids: func(r *Request, v *T) []string {
		s, err := id(r, v)
		r.Fail(err)
		if s == "" {
			return nil
		}
		return []string{s}
	}}, append(opts, ReadOnly))
}

// Many is a to-many relationship. set replaces the whole of it; nil makes it read-only.
func Many[T any](name, typ string, ids func(r *Request, v *T) ([]string, error), set func(r *Request, v *T, ids []string) error, opts ...Option) Rel[T] {
	if set == nil {
		opts = append(opts, ReadOnly)
	}
	return relation(Rel[T]{name: name, typ: typ, many: true, set: set, ids: func(r *Request, v *T) []string {
		s, err := ids(r, v)
		r.Fail(err)
		return s
	}}, opts)
}

func relation[T any](rl Rel[T], opts []Option) Rel[T] {
	rl.opts.message = mustExist
	for _, opt := range opts {
		opt(&rl.opts)
	}
	return rl
}

func numberText[N numberID](n N) []string {
	if n == 0 {
		return nil
	}
	return []string{strconv.FormatUint(uint64(n), 10)}
}

func idNumber(ids []string) (int64, error) {
	if len(ids) == 0 {
		return 0, nil
	}
	n, err := strconv.ParseInt(ids[0], 10, 64)
	if err != nil {
		return 0, badID(ids[0])
	}
	return n, nil
}

// rel is a relationship apart from its Go type.
type rel struct {
	name, typ string
	many      bool
	opts      options
	ids       func(r *Request, rec any) []string
	set       func(r *Request, rec any, ids []string) error
}

func (rl *rel) writable(create bool) bool {
	return rl.set != nil && (create && !rl.opts.noCreate || !create && !rl.opts.noUpdate)
}

// without returns ids less those in gone.
func without(ids, gone []string) []string {
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return slices.Contains(gone, id) })
}

// NamedIDs takes ids that are not whole numbers, where the other type's are UUIDs or names.
func NamedIDs(o *options) { o.anyID = true }

// OneNamed is a to-one relationship whose id is computed and may be a UUID or a name; set is given ""
// for null.
func OneNamed[T any](name, typ string, id func(r *Request, v *T) (string, error), set func(r *Request, v *T, id string) error, opts ...Option) Rel[T] {
	rl := OneBy(name, typ, id)
	rl.opts = options{}
	rl.set = func(r *Request, v *T, ids []string) error {
		if len(ids) == 0 {
			return set(r, v, "")
		}
		return set(r, v, ids[0])
	}
	return relation(rl, append(opts, NamedIDs))
}
