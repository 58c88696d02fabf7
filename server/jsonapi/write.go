package jsonapi

import (
	"cmp"
	"slices"
	"strings"
)

// incoming reads and checks the document of a create (id "") or update.
func (k *call) incoming(id string) (*Body, *view, error) {
	if err := k.mediaType(); err != nil {
		return nil, nil, err
	}
	p, err := k.params()
	if err != nil {
		return nil, nil, err
	}
	raw, err := k.body()
	if err != nil {
		return nil, nil, err
	}
	_, v, err := k.d.bind(k.api, p, false)
	if err != nil {
		return nil, nil, err
	}
	b, err := k.d.parseBody(raw, id)
	if err != nil {
		return nil, nil, err
	}
	if id != "" && !k.d.id.plausible(id) {
		return nil, nil, badID(id)
	}
	if k.d.prepare != nil {
		err = k.d.prepare(k.ctx, b)
	}
	return b, v, err
}

// create answers POST to a collection.
func (k *call) create() error {
	b, v, err := k.incoming("")
	if err != nil {
		return err
	}
	var doc []byte
	var rec any
	run := k.change
	if k.d.transient {
		run = k.view
	}
	err = run(func(r *Request) error {
		rec = k.d.fresh(r)
		if err := k.d.apply(k.api, r, rec, b); err != nil {
			return err
		}
		if !k.d.transient {
			if err := k.d.insert(r, rec); err != nil {
				return err
			}
		}
		if k.d.issue != nil {
			return nil
		}
		doc, err = k.api.writer(r, v, k.base()).single(k.d, rec)
		return err
	})
	if err == nil && k.d.issue != nil {
		doc, err = k.issue(v, rec)
	}
	if err != nil {
		return err
	}
	link := k.d.selfLink(k.base(), k.d.key(rec))
	if !k.d.linkless {
		k.c.Set("Location", link)
	}
	return k.send(201, doc)
}

// issue does what follows a create's transaction, and writes the document.
func (k *call) issue(v *view, rec any) (doc []byte, err error) {
	if err := k.d.issue(rec); err != nil {
		return nil, err
	}
	err = k.view(func(r *Request) error {
		doc, err = k.api.writer(r, v, k.base()).single(k.d, rec)
		return err
	})
	return doc, err
}

// update answers PATCH and PUT of a record, which are the same.
func (k *call) update() error {
	b, v, err := k.incoming(k.id)
	if err != nil {
		return err
	}
	var doc []byte
	err = k.change(func(r *Request) error {
		rec, err := k.d.find(r, k.id)
		if err != nil {
			return err
		}
		if err := k.d.apply(k.api, r, rec, b); err != nil {
			return err
		}
		if err := k.d.save(r, rec); err != nil {
			return err
		}
		doc, err = k.api.writer(r, v, k.base()).single(k.d, rec)
		return err
	})
	if err != nil {
		return err
	}
	return k.send(200, doc)
}

// delete answers DELETE of a record.
func (k *call) delete() error {
	if err := k.accepts(); err != nil {
		return err
	}
	if !k.d.id.plausible(k.id) {
		return badID(k.id)
	}
	err := k.change(func(r *Request) error {
		rec, err := k.d.find(r, k.id)
		if err != nil {
			return err
		}
		return k.d.remove(r, rec)
	})
	if err != nil {
		return err
	}
	return k.noContent()
}

// apply writes what a request gave into a record and checks every rule of it.
func (d *resource) apply(api *API, r *Request, rec any, b *Body) error {
	faults := map[string]string{}
	nulls := map[string]bool{}
	for _, m := range b.attrs {
		delete(faults, m.name)
		a := d.attr(m.name)
		if a.ops.set == numbers && m.value.isBlank() {
			m.value = Input{} // a number that was not filled in is null
		}
		nulls[m.name] = m.value.IsNull()
		if fault := a.set(rec, m.value); fault != "" {
			faults[m.name] = a.bound(fault, m.value)
		}
	}
	for _, l := range b.rels {
		if err := l.rel.set(r, rec, l.ids); err != nil {
			return err
		}
	}
	ps := d.validate(api, r, rec, b, faults, nulls)
	if d.check != nil {
		ps = append(ps, d.check(r, rec, b)...)
	}
	if r.err != nil {
		return r.err
	}
	slices.SortStableFunc(ps, func(a, b Problem) int { return cmp.Compare(d.rank(a), d.rank(b)) })
	return ps.err()
}

// bound returns the bound that a whole number breaks which the attribute cannot even hold, such as one
// below 0; any other fault stays as it is.
func (a *attribute) bound(fault string, in Input) string {
	if fault != notListed {
		return fault
	}
	n, unreadable := parseInteger(in)
	for _, rule := range a.opts.rules {
		if message := rule(IntegerValue(n)); message != "" && unreadable == "" {
			return message
		}
	}
	return fault
}

// rank is where a problem stands among others: those of checkFirst, of relationships, of attributes,
// of the whole record.
func (d *resource) rank(p Problem) int {
	name := p.Pointer[strings.LastIndexByte(p.Pointer, '/')+1:]
	if i := slices.Index(d.checkFirst, name); i >= 0 {
		return i
	}
	n := len(d.checkFirst)
	if i := slices.IndexFunc(d.rels, func(rl *rel) bool { return rl.name == name }); i >= 0 {
		return n + i
	}
	n += len(d.rels)
	if i := slices.IndexFunc(d.attrs, func(a attribute) bool { return a.name == name }); i >= 0 {
		return n + i
	}
	return n + len(d.attrs)
}

// validate checks relationships and attributes.
func (d *resource) validate(api *API, r *Request, rec any, b *Body, faults map[string]string, nulls map[string]bool) (ps Problems) {
	var taken []string
	if d.taken != nil && slices.ContainsFunc(d.attrs, func(a attribute) bool { return a.opts.unique != "" }) {
		taken = d.taken(r, rec)
	}
	for _, rl := range d.rels {
		ps = append(ps, rl.validate(api, r, rec, b)...)
	}
	for i := range d.attrs {
		a := &d.attrs[i]
		ps = append(ps, a.validate(r, rec, faults[a.name], nulls[a.name], taken)...)
	}
	return ps
}

func (a *attribute) validate(r *Request, rec any, fault string, null bool, taken []string) (ps Problems) {
	if a.set == nil {
		return nil
	}
	if fault != "" {
		return Problems{AttrProblem(a.name, fault)}
	}
	v := a.value(r, rec)
	if null {
		v = Value{}
	}
	if v.blank() && a.opts.required {
		ps = append(ps, AttrProblem(a.name, isBlank))
		if a.opts.numeric {
			ps = append(ps, AttrProblem(a.name, notNumber))
		}
		return ps
	}
	if v.IsNull() {
		return nil
	}
	for _, rule := range a.opts.rules {
		if message := rule(v); message != "" {
			ps = append(ps, AttrProblem(a.name, message))
		}
	}
	if a.opts.unique != "" && slices.Contains(taken, a.opts.unique) {
		ps = append(ps, AttrProblem(a.name, "has already been taken"))
	}
	return ps
}

// validate looks for the records that a relationship was given, and for one where none was.
func (rl *rel) validate(api *API, r *Request, rec any, b *Body) Problems {
	if rl.set == nil {
		return nil
	}
	ids := rl.ids(r, rec)
	if len(ids) == 0 {
		if rl.opts.required {
			return Problems{RelProblem(rl.name, rl.opts.message)}
		}
		return nil
	}
	if !rl.opts.exists || !b.Create && !b.Sent(rl.name) {
		return nil
	}
	for _, id := range ids {
		switch _, err := api.types[rl.typ].find(r, id); {
		case isNoRecord(err):
			return Problems{RelProblem(rl.name, rl.opts.message)}
		case err != nil:
			r.Fail(err)
		}
	}
	return nil
}
