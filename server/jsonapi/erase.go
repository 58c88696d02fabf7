package jsonapi

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// erase makes the table that the handlers work with.
func (d Resource[T]) erase() (*resource, error) {
	if d.Type == "" || d.Key == nil || d.Rows == nil && (d.Load == nil || d.Verbs&List != 0 && d.Each == nil && d.Page == nil) && d.Verbs != Create {
		return nil, fmt.Errorf("jsonapi: resource %q wants a type, a key and a source", d.Type)
	}
	e := &resource{typ: d.Type, self: d.Self, paths: d.Paths, verbs: d.Verbs, id: d.ID, order: d.Order, unpaged: d.Unpaged,
		linkless: d.Linkless, transient: d.Transient, checkFirst: d.CheckFirst, ignored: d.Ignored, prepare: d.Prepare, done: d.Done,
		filters: map[string]*filter{}, sorts: map[string]func(*Request, any) Value{}, actions: map[string]func(*Request, *fiber.Ctx, any) error{},
		key: func(rec any) string { return d.Key(rec.(*T)) }, ascendingID: d.ID == IntegerID}
	if e.paths == nil {
		e.paths = []string{d.Type}
	}
	d.eraseSource(e)
	d.eraseHooks(e)
	d.eraseFields(e)
	if e.order == "" {
		e.order = "id"
	}
	for _, key := range listed(e.order) {
		if e.sorts[underscored(strings.TrimPrefix(key, "-"))] == nil && key != "id" {
			return nil, fmt.Errorf("jsonapi: %s: default order %q is not sortable", d.Type, key)
		}
	}
	return e, nil
}

func (d Resource[T]) eraseSource(e *resource) {
	e.hidden = func(r *Request, rec any) bool { return d.Hidden != nil && d.Hidden(r, rec.(*T)) }
	each := d.Each
	if each == nil && d.Rows != nil {
		each = func(r *Request, _ *Query, fn func(*T) (bool, error)) error { return d.Rows(r.Tx).Each(0, fn) }
	}
	e.each = func(r *Request, q *Query, fn func(any) (bool, error)) error {
		if each == nil {
			return nil
		}
		return each(r, q, func(v *T) (bool, error) { return fn(v) })
	}
	if d.Page != nil {
		e.page = func(r *Request, q *Query) ([]any, int64, error) {
			p, err := d.Page(r, q)
			rows := make([]any, len(p.Rows))
			for i, v := range p.Rows {
				rows[i] = v
			}
			return rows, p.Total, err
		}
	}
	e.load = func(r *Request, id string) (any, error) {
		if d.Load != nil {
			v, err := d.Load(r, id)
			return v, err
		}
		n, err := strconv.ParseUint(id, 10, 64)
		if err != nil || n == 0 {
			return nil, NoRecord(id)
		}
		v, err := d.Rows(r.Tx).Get(n)
		return v, err
	}
	if d.Rows != nil {
		put := func(r *Request, rec any) error { return d.Rows(r.Tx).Put(rec.(*T)) }
		e.insert, e.save = put, put
		e.taken = func(r *Request, rec any) []string { return d.Rows(r.Tx).Taken(rec.(*T)) }
		e.remove = func(r *Request, rec any) error {
			n, err := strconv.ParseUint(d.Key(rec.(*T)), 10, 64)
			if err != nil {
				return err
			}
			return d.Rows(r.Tx).Delete(n)
		}
	}
}

func (d Resource[T]) eraseHooks(e *resource) {
	e.fresh = func(r *Request) any {
		if d.New != nil {
			return d.New(r)
		}
		return new(T)
	}
	if d.Check != nil {
		e.check = func(r *Request, rec any, b *Body) Problems { return d.Check(r, rec.(*T), b) }
	}
	if d.Issue != nil {
		e.issue = func(rec any) error { return d.Issue(rec.(*T)) }
	}
	hook := func(to *func(*Request, any) error, fn func(*Request, *T) error) {
		if fn != nil {
			*to = func(r *Request, rec any) error { return fn(r, rec.(*T)) }
		}
	}
	hook(&e.insert, d.Insert)
	hook(&e.save, d.Save)
	hook(&e.remove, d.Remove)
	for _, a := range d.Actions {
		e.actions[a.Name] = func(r *Request, c *fiber.Ctx, rec any) error { return a.Serve(r, c, rec.(*T)) }
	}
}

func (d Resource[T]) eraseFields(e *resource) {
	key := func(_ *Request, rec any) Value {
		s := d.Key(rec.(*T))
		if n, err := strconv.ParseInt(s, 10, 64); d.ID == IntegerID && err == nil {
			return IntegerValue(n)
		}
		return TextValue(s)
	}
	e.sorts["id"], e.idValue = key, key
	e.filters["id"] = &filter{ids: true}
	for _, a := range d.Attrs {
		value := func(r *Request, rec any) Value { return a.value(r, rec.(*T)) }
		erased := attribute{name: a.name, opts: a.opts, ops: a.ops, value: value}
		if a.set != nil {
			erased.set = func(rec any, in Input) string { return a.set(rec.(*T), in) }
		}
		e.attrs = append(e.attrs, erased)
		if !a.opts.noSort {
			e.sorts[underscored(a.name)] = value
		}
		if !a.opts.noFilter {
			e.addFilters(a.name, a.ops, value)
		}
		if a.opts.plain {
			e.addPlain(a.name, a.ops, value)
		}
	}
	if d.NoIDSort {
		delete(e.sorts, "id")
	}
	for _, f := range d.Filters {
		switch value := f.Value; {
		case f.Match != nil:
			e.filters[underscored(f.Name)] = &filter{one: f.One, many: func(r *Request, rec any, values []string) bool { return f.Match(r, rec.(*T), values) }}
		case f.Plain:
			e.addPlain(f.Name, f.Ops, func(r *Request, rec any) Value { return value(r, rec.(*T)) })
		default:
			e.addFilters(f.Name, f.Ops, func(r *Request, rec any) Value { return value(r, rec.(*T)) })
		}
	}
	for _, s := range d.Sorts {
		e.sorts[underscored(s.Name)] = func(r *Request, rec any) Value { return s.Value(r, rec.(*T)) }
	}
	for _, rl := range d.Rels {
		erased := &rel{name: rl.name, typ: rl.typ, many: rl.many, opts: rl.opts, ids: func(r *Request, rec any) []string { return rl.ids(r, rec.(*T)) }}
		if rl.set != nil {
			erased.set = func(r *Request, rec any, ids []string) error { return rl.set(r, rec.(*T), ids) }
		}
		e.rels = append(e.rels, erased)
		if rl.opts.filterID {
			e.filters[underscored(rl.name)+".id"] = &filter{many: func(r *Request, rec any, values []string) bool {
				return slices.ContainsFunc(rl.ids(r, rec.(*T)), func(id string) bool { return slices.Contains(values, id) })
			}}
		}
	}
}
