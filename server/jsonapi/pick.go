package jsonapi

// Meets reports whether a record, a pointer to the resource's type, fulfils the condition.
func (c *Cond) Meets(r *Request, rec any) bool { return c.match(r, rec) }

// Pick is for Page hooks that walk records by an index: it keeps of those that each offers, in
// ascending order of id, the page that q asks for in the order that q asks for, and counts them. All
// that is offered is taken to meet the conditions.
//
// Fails with error 118 when the page lies behind more rows than may be sorted.
func Pick[T any](r *Request, q *Query, each func(take func(*T) error) error) (p Page[T], err error) {
	g := gather{r: r, q: q, natural: q.natural()}
	if err := each(func(v *T) error { return g.take(v) }); err != nil {
		return p, err
	}
	rows := g.page()
	p.Total, p.Rows = g.total, make([]*T, len(rows))
	for i, rec := range rows {
		p.Rows[i] = rec.(*T)
	}
	return p, r.err
}

// MicroValue returns a moment given as unix microseconds.
func MicroValue(micro int64) Value { return Value{class: instant, i: micro} }

// Len returns the length of a text or of JSON in bytes, 0 for every other value.
func (v Value) Len() int { return len(v.s) }

// Mixed is an attribute that is shown, sorted and filtered as one and written as another.
func Mixed[T any](shown, written Attr[T]) Attr[T] {
	shown.set, shown.opts.noCreate, shown.opts.noUpdate = written.set, written.opts.noCreate, written.opts.noUpdate
	return shown
}
