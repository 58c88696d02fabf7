package jsonapi

import (
	"slices"
)

// showLinkage answers GET of a relationship's linkage.
func (k *call) showLinkage() error {
	if _, err := k.shape(k.d); err != nil {
		return err
	}
	var doc []byte
	err := k.view(func(r *Request) error {
		rec, err := k.d.find(r, k.id)
		if err != nil {
			return err
		}
		w := k.api.writer(r, &view{}, k.base())
		doc = w.appendLinkage([]byte(`{"data":`), k.rl, rec)
		doc = appendRelLinks(append(doc, `,"links":`...), string(appendQuoted(nil, k.d.selfLink(k.base(), k.id))), k.rl)
		doc = append(doc, '}')
		return r.err
	})
	if err != nil {
		return err
	}
	return k.send(200, doc)
}

// related answers GET of the record, or the records, that a relationship leads to.
func (k *call) related() error {
	target := k.api.types[k.rl.typ]
	if k.rl.many && target != nil {
		return k.relatedMany(target)
	}
	shown := target
	if shown == nil {
		shown = k.d
	}
	v, err := k.shape(shown)
	if err != nil {
		return err
	}
	var doc []byte
	err = k.view(func(r *Request) error {
		rec, err := k.d.find(r, k.id)
		if err != nil {
			return err
		}
		var related any
		if target != nil {
			for _, id := range k.rl.ids(r, rec) {
				if related, err = target.find(r, id); isNoRecord(err) {
					related = nil
				} else if err != nil {
					return err
				}
			}
		}
		doc, err = k.api.writer(r, v, k.base()).single(shown, related)
		return err
	})
	if err != nil {
		return err
	}
	return k.send(200, doc)
}

// relatedMany lists a to-many relationship by the other type's own rules.
func (k *call) relatedMany(target *resource) error {
	p, err := k.params()
	if err != nil {
		return err
	}
	if !k.d.id.plausible(k.id) {
		return badID(k.id)
	}
	q, v, err := target.bind(k.api, p, true)
	if err != nil {
		return err
	}
	var doc []byte
	err = k.view(func(r *Request) error {
		rec, err := k.d.find(r, k.id)
		if err != nil {
			return err
		}
		g := gather{r: r, q: q}
		for _, id := range k.rl.ids(r, rec) {
			related, err := target.find(r, id)
			if isNoRecord(err) {
				continue
			}
			if err != nil {
				return err
			}
			if q.Match(r, related) {
				if err := g.take(related); err != nil {
					return err
				}
			}
		}
		links := p.pageLinks(k.base()+"/"+k.d.typ+"/"+k.id+"/"+k.rl.name, g.total)
		if target.unpaged {
			links = nil
		}
		doc, err = k.api.writer(r, v, k.base()).list(target, g.page(), g.total, links)
		return err
	})
	if err != nil {
		return err
	}
	return k.send(200, doc)
}

// setLinkage answers PATCH and PUT of a relationship. A to-many cannot be replaced here.
func (k *call) setLinkage() error {
	return k.relink(true, func(rec []string, sent []string) ([]string, error) {
		if k.rl.many {
			return nil, problem(403, "403", "Complete replacement forbidden", "Complete replacement forbidden for this relationship")
		}
		return sent, nil
	})
}

// addLinkage answers POST to a to-many relationship.
func (k *call) addLinkage() error {
	return k.relink(true, func(held, sent []string) ([]string, error) {
		for _, id := range sent {
			if slices.Contains(held, id) {
				return nil, problem(400, "113", "Relation exists", "The relation to "+id+" already exists.")
			}
		}
		return append(slices.Clone(held), sent...), nil
	})
}

// dropLinkage answers DELETE of a relationship: a to-one becomes null, a to-many loses what was sent.
func (k *call) dropLinkage() error {
	return k.relink(k.rl.many, func(held, sent []string) ([]string, error) {
		return without(held, sent), nil
	})
}

// relink reads linkage, if the request has any, and saves the record with what becomes of it.
func (k *call) relink(wantsData bool, next func(held, sent []string) ([]string, error)) error {
	sent, err := k.linkage(wantsData)
	if err != nil {
		return err
	}
	err = k.change(func(r *Request) error {
		rec, err := k.d.find(r, k.id)
		if err != nil {
			return err
		}
		ids, err := next(k.rl.ids(r, rec), sent)
		if err != nil {
			return err
		}
		if !wantsData {
			ids = nil
		}
		if err := k.d.apply(k.api, r, rec, &Body{rels: []linkage{{k.rl, ids}}}); err != nil {
			return err
		}
		return k.d.save(r, rec)
	})
	if err != nil {
		return err
	}
	return k.noContent()
}

// linkage reads the document of a write below /relationships/.
func (k *call) linkage(wanted bool) ([]string, error) {
	if k.c.Method() != "DELETE" {
		if err := k.mediaType(); err != nil {
			return nil, err
		}
	}
	if _, err := k.params(); err != nil {
		return nil, err
	}
	if !k.d.id.plausible(k.id) {
		return nil, badID(k.id)
	}
	if !wanted {
		return nil, nil
	}
	raw, err := k.body()
	if err != nil {
		return nil, err
	}
	data, err := parseData(raw)
	if err != nil {
		return nil, err
	}
	if data.Raw == "" {
		return nil, missing("data")
	}
	return k.rl.linkage(data)
}
