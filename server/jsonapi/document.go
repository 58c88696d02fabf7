package jsonapi

import (
	"net/url"
	"strconv"
)

// maxIncluded bounds the records that one answer carries beside those asked for.
const maxIncluded = 10_000

// documentSize is about how many bytes a record of many attributes takes.
const documentSize = 4 << 10

// view is how the client wants records shown.
type view struct {
	include *node
	fields  map[string]map[string]bool
}

func (v *view) shows(typ, name string) bool {
	chosen, ok := v.fields[typ]
	return !ok || chosen[name]
}

// writer builds one document.
type writer struct {
	api      *API
	r        *Request
	v        *view
	base     string // scheme, host and the API's base path
	b        []byte
	seen     map[string]bool // type/id of primary and included records
	included []byte
	n        int
}

func (api *API) writer(r *Request, v *view, base string) *writer {
	return &writer{api: api, r: r, v: v, base: base, seen: map[string]bool{}}
}

// self returns a record's link.
func (d *resource) selfLink(base, id string) string {
	if d.self != "" {
		return base + "/" + d.self
	}
	return base + "/" + d.typ + "/" + url.PathEscape(id)
}

// single writes a document of one record; nil is null.
func (w *writer) single(d *resource, rec any) ([]byte, error) {
	w.b = append(w.b, `{"data":`...)
	if rec == nil {
		w.b = append(w.b, `null}`...)
		return w.b, w.r.err
	}
	w.seen[d.typ+"/"+d.key(rec)] = true
	w.b = w.record(w.b, d, rec, w.v.include)
	if err := w.includeAll(d, []any{rec}); err != nil {
		return nil, err
	}
	w.b = append(w.b, '}')
	return w.b, w.r.err
}

// list writes a document of one page of records.
func (w *writer) list(d *resource, page []any, total int64, links func(dst []byte) []byte) ([]byte, error) {
	w.b = append(make([]byte, 0, len(page)*documentSize), `{"data":[`...)
	for _, rec := range page {
		w.seen[d.typ+"/"+d.key(rec)] = true
	}
	for i, rec := range page {
		if i > 0 {
			w.b = append(w.b, ',')
		}
		w.b = w.record(w.b, d, rec, w.v.include)
	}
	w.b = append(w.b, ']')
	if err := w.includeAll(d, page); err != nil {
		return nil, err
	}
	w.b = strconv.AppendInt(append(w.b, `,"meta":{"total-count":`...), total, 10)
	w.b = append(w.b, '}')
	if links != nil {
		w.b = links(w.b)
	}
	w.b = append(w.b, '}')
	return w.b, w.r.err
}

// record writes one resource object.
func (w *writer) record(b []byte, d *resource, rec any, inc *node) []byte {
	id := d.key(rec)
	link := d.selfLink(w.base, id)
	b = appendString(append(b, `{"id":`...), id)
	b = appendString(append(b, `,"type":`...), d.typ)
	if !d.linkless {
		b = append(appendString(append(b, `,"links":{"self":`...), link), '}')
	}
	link = string(appendQuoted(nil, link)) // every relationship repeats it
	first := true
	for i := range d.attrs {
		a := &d.attrs[i]
		if a.opts.writeOnly || !w.v.shows(d.typ, a.name) {
			continue
		}
		b = open(b, &first, `,"attributes":{`)
		b = a.value(w.r, rec).append(append(appendString(b, a.name), ':'))
	}
	b = closed(b, first)
	first = true
	for _, rl := range d.rels {
		if rl.opts.writeOnly || !w.v.shows(d.typ, rl.name) {
			continue
		}
		b = open(b, &first, `,"relationships":{`)
		b = append(appendString(b, rl.name), ':')
		b = w.relation(b, link, rl, rec, inc)
	}
	return append(closed(b, first), '}')
}

func open(b []byte, first *bool, head string) []byte {
	if *first {
		*first = false
		return append(b, head...)
	}
	return append(b, ',')
}

func closed(b []byte, first bool) []byte {
	if first {
		return b
	}
	return append(b, '}')
}

// relation writes one relationship object; link is the record's, as it stands in JSON.
func (w *writer) relation(b []byte, link string, rl *rel, rec any, inc *node) []byte {
	b = append(b, `{"links":`...)
	b = appendRelLinks(b, link, rl)
	if rl.opts.linkage || inc != nil && inc.below[rl.name] != nil {
		b = w.appendLinkage(append(b, `,"data":`...), rl, rec)
	}
	return append(b, '}')
}

// appendRelLinks writes a relationship's links; link is the record's, as it stands in JSON.
func appendRelLinks(b []byte, link string, rl *rel) []byte {
	b = append(b, '{')
	if !rl.opts.noSelf {
		b = append(append(append(append(b, `"self":"`...), link...), "/relationships/"...), rl.name...)
		b = append(b, `",`...)
	}
	b = append(append(append(append(b, `"related":"`...), link...), '/'), rl.name...)
	return append(b, `"}`...)
}

// appendLinkage writes {type,id}, null, or an array of them.
func (w *writer) appendLinkage(b []byte, rl *rel, rec any) []byte {
	var ids []string
	if !rl.opts.absent || rl.opts.kept {
		ids = rl.ids(w.r, rec)
	}
	if !rl.many {
		if len(ids) == 0 {
			return append(b, "null"...)
		}
		return appendIdentifier(b, rl.typ, ids[0])
	}
	b = append(b, '[')
	for i, id := range ids {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendIdentifier(b, rl.typ, id)
	}
	return append(b, ']')
}

func appendIdentifier(b []byte, typ, id string) []byte {
	b = appendString(append(b, `{"type":`...), typ)
	return append(appendString(append(b, `,"id":`...), id), '}')
}

// includeAll writes the included member, when anything was included.
func (w *writer) includeAll(d *resource, primary []any) error {
	if err := w.gatherIncluded(d, primary, w.v.include); err != nil {
		return err
	}
	if w.included != nil {
		w.b = append(append(append(w.b, `,"included":[`...), w.included...), ']')
	}
	return w.r.err
}

// gatherIncluded adds what inc names of records, and what it names of those in turn.
func (w *writer) gatherIncluded(d *resource, records []any, inc *node) error {
	for _, name := range inc.names {
		rl, below := d.rel(name), inc.below[name]
		target := w.api.types[rl.typ]
		if target == nil {
			continue
		}
		var found []any
		for _, rec := range records {
			for _, id := range rl.ids(w.r, rec) {
				related, err := target.find(w.r, id)
				if isNoRecord(err) {
					continue
				}
				if err != nil {
					return err
				}
				found = append(found, related)
				if err := w.addIncluded(target, related, below); err != nil {
					return err
				}
			}
		}
		if err := w.gatherIncluded(target, found, below); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) addIncluded(d *resource, rec any, inc *node) error {
	key := d.typ + "/" + d.key(rec)
	if w.seen[key] {
		return nil
	}
	w.seen[key] = true
	if w.n++; w.n > maxIncluded {
		return BadRequest("include: more than " + strconv.Itoa(maxIncluded) + " records; ask for smaller pages")
	}
	if w.included != nil {
		w.included = append(w.included, ',')
	}
	w.included = w.record(w.included, d, rec, inc)
	return nil
}

// pageLinks writes first, prev, next and last.
func (p *params) pageLinks(url string, total int64) func([]byte) []byte {
	return func(b []byte) []byte {
		last := max(1, (total+p.size-1)/p.size)
		first := true
		link := func(name string, number int64) {
			b = open(b, &first, `,"links":{`)
			b = append(appendString(b, name), ':')
			b = appendString(b, url+"?"+p.encode(number))
		}
		link("first", 1)
		if p.number > 1 {
			link("prev", p.number-1)
		}
		if p.number < last {
			link("next", p.number+1)
		}
		link("last", last)
		return append(b, '}')
	}
}
