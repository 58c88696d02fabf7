package jsonapi

import "strings"

// list answers GET of a collection.
func (k *call) list() error {
	p, err := k.params()
	if err != nil {
		return err
	}
	q, v, err := k.d.bind(k.api, p, true)
	if err != nil {
		return err
	}
	var doc []byte
	err = k.view(func(r *Request) error {
		page, total, err := k.d.rows(r, q)
		if err != nil {
			return err
		}
		links := p.pageLinks(k.base()+"/"+k.d.typ, total)
		if k.d.unpaged {
			links = nil
		}
		doc, err = k.api.writer(r, v, k.base()).list(k.d, page, total, links)
		return err
	})
	if err != nil {
		return err
	}
	return k.send(200, doc)
}

// show answers GET of a record.
func (k *call) show() error {
	v, err := k.shape(k.d)
	if err != nil {
		return err
	}
	var doc []byte
	err = k.view(func(r *Request) error {
		rec, err := k.d.find(r, k.id)
		if err != nil {
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

// shape checks Accept, the query and the path's id of a request about one record that is shown as d.
func (k *call) shape(d *resource) (*view, error) {
	p, err := k.params()
	if err != nil {
		return nil, err
	}
	if !k.d.id.plausible(k.id) {
		return nil, badID(k.id)
	}
	_, v, err := d.bind(k.api, p, false)
	return v, err
}

// action answers GET of what hangs below a record and is no document.
func (k *call) action() error {
	if !k.d.id.plausible(k.id) {
		return badID(k.id)
	}
	return k.view(func(r *Request) error {
		rec, err := k.d.find(r, k.id)
		if err != nil {
			return err
		}
		return k.d.actions[k.path[strings.LastIndexByte(k.path, '/')+1:]](r, k.c, rec)
	})
}
