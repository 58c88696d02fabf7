package jsonapi

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"
)

// member is one name of a document with its value, in the order sent.
type member struct {
	name  string
	value Input
}

// linkage is one relationship of a request; not given when it has no data.
type linkage struct {
	rel *rel
	ids []string
}

// Body is a request document whose names were checked against a resource. Values are not read yet.
type Body struct {
	Create bool
	attrs  []member
	rels   []linkage
}

// Text returns an attribute that was sent as a string or number.
func (b *Body) Text(attr string) (string, bool) {
	for _, m := range b.attrs {
		if m.name == attr && !m.value.IsNull() {
			return m.value.Scalar()
		}
	}
	return "", false
}

// SetText replaces an attribute's value, for Prepare hooks.
func (b *Body) SetText(attr, s string) {
	for i := range b.attrs {
		if b.attrs[i].name == attr {
			b.attrs[i].value = Input{gjson.Result{Type: gjson.String, Str: s}}
		}
	}
}

// Drop takes an attribute out, as if it had not been sent.
func (b *Body) Drop(attr string) {
	b.attrs = slices.DeleteFunc(b.attrs, func(m member) bool { return m.name == attr })
}

// Sent reports whether an attribute or relationship was given.
func (b *Body) Sent(name string) bool {
	return slices.ContainsFunc(b.attrs, func(m member) bool { return m.name == name }) ||
		slices.ContainsFunc(b.rels, func(l linkage) bool { return l.rel.name == name })
}

// parseData reads the JSON of a request and returns its data member.
func parseData(body []byte) (Input, error) {
	trimmed := strings.TrimSpace(string(body))
	if trimmed == "" {
		return Input{}, missing("data")
	}
	var raw json.RawMessage // encoding/json bounds how deep a document nests; gjson does not
	if err := json.Unmarshal(body, &raw); err != nil {
		return Input{}, BadRequest(clip(err.Error()))
	}
	doc := gjson.Parse(trimmed)
	if !doc.IsObject() {
		return Input{}, BadRequest("Request must be a hash")
	}
	var data Input
	doc.ForEach(func(k, v gjson.Result) bool {
		if k.Str == "data" {
			data = Input{v}
		}
		return true
	})
	return data, nil
}

// parseObject is parseData for a document whose data is one resource object.
func parseObject(body []byte) (Input, error) {
	data, err := parseData(body)
	if err != nil {
		return data, err
	}
	switch {
	case data.Type == gjson.Null || data.Type == gjson.False, data.Type == gjson.String && strings.TrimSpace(data.Str) == "",
		(data.IsObject() || data.IsArray()) && empty(data):
		return data, missing("data")
	case !data.IsObject():
		return data, problem(400, "122", "Invalid data format", "Data must be a hash.")
	}
	return data, nil
}

func empty(in Input) bool {
	some := false
	in.ForEach(func(_, _ gjson.Result) bool { some = true; return false })
	return !some
}

// members lists an object's members in the order sent; what is no object has none.
func (in Input) members() []member {
	var ms []member
	if !in.IsObject() {
		return nil
	}
	in.ForEach(func(k, v gjson.Result) bool {
		ms = append(ms, member{k.Str, Input{v}})
		return true
	})
	return ms
}

// child returns a member of an object; the last of several.
func child(ms []member, name string) (Input, bool) {
	for i := len(ms) - 1; i >= 0; i-- {
		if ms[i].name == name {
			return ms[i].value, true
		}
	}
	return Input{}, false
}

// parseBody checks a request document against the resource: ids, type, names, linkage, in that order.
// id is the path's, "" on create.
func (d *resource) parseBody(body []byte, id string) (*Body, error) {
	data, err := parseObject(body)
	if err != nil {
		return nil, err
	}
	ms := data.members()
	if id != "" {
		if err := checkID(ms, id); err != nil {
			return nil, err
		}
	}
	if err := d.checkType(ms); err != nil {
		return nil, err
	}
	b := &Body{Create: id == ""}
	if err := d.checkNames(ms, b.Create); err != nil {
		return nil, err
	}
	attrs, _ := child(ms, "attributes")
	b.attrs = attrs.members()
	rels, _ := child(ms, "relationships")
	for _, m := range rels.members() {
		rl := d.rel(m.name)
		if rl == nil {
			continue // one that is ignored
		}
		l, given, err := rl.parse(m.value)
		if err != nil {
			return nil, err
		}
		if given {
			b.rels = append(b.rels, l)
		}
	}
	return b, nil
}

func checkID(ms []member, id string) error {
	sent, ok := child(ms, "id")
	if !ok || sent.IsNull() {
		return problem(400, "109", "A key is required", "The resource object does not contain a key.")
	}
	text, scalar := sent.Scalar()
	if !scalar {
		text = sent.Raw
	}
	if text != id {
		return problem(400, "110", "Key is not included in URL", "The URL does not support the key "+clip(text))
	}
	return nil
}

func (d *resource) checkType(ms []member) error {
	sent, ok := child(ms, "type")
	if !ok || sent.IsNull() || sent.Type == gjson.String && sent.Str == "" {
		return missing("type")
	}
	if text, _ := sent.Scalar(); text != d.typ {
		if text == "" {
			text = sent.Raw
		}
		return badType(text)
	}
	return nil
}

// checkNames refuses the first name that is unknown or may not be written.
func (d *resource) checkNames(ms []member, create bool) error {
	for _, m := range ms {
		switch m.name {
		case "type":
		case "id":
			if create {
				return notAllowed("id")
			}
		case "attributes", "relationships":
			if !m.value.IsObject() && !m.value.IsNull() {
				return BadRequest(m.name + " must be a hash")
			}
			for _, c := range m.value.members() {
				if !d.mayWrite(m.name, c.name, create) {
					return notAllowed(c.name)
				}
			}
		default:
			return notAllowed(m.name)
		}
	}
	return nil
}

func (d *resource) mayWrite(where, name string, create bool) bool {
	if where == "attributes" {
		a := d.attr(name)
		return a != nil && a.writable(create)
	}
	rl := d.rel(name)
	return rl != nil && rl.writable(create) || slices.Contains(d.ignored, name)
}

// parse reads a relationship object; one without data counts as not given.
func (rl *rel) parse(in Input) (linkage, bool, error) {
	if in.IsNull() {
		return linkage{}, false, nil
	}
	data, ok := child(in.members(), "data")
	if !ok {
		if in.IsObject() && empty(in) {
			return linkage{}, false, nil
		}
		return linkage{}, false, badLinks()
	}
	ids, err := rl.linkage(data)
	return linkage{rl, ids}, true, err
}

func badLinks() error {
	return problem(400, "115", "Invalid Links Object", "Data is not a valid Links Object.")
}

// linkage reads null, one identifier or an array of them, as the relationship wants.
func (rl *rel) linkage(data Input) ([]string, error) {
	if !rl.many {
		if data.IsNull() {
			return nil, nil
		}
		id, err := rl.identifier(data)
		return []string{id}, err
	}
	if !data.IsArray() {
		return nil, badLinks()
	}
	ids, err := []string{}, error(nil)
	data.ForEach(func(_, e gjson.Result) bool {
		var id string
		if id, err = rl.identifier(Input{e}); err == nil && len(ids) == maxList {
			err = BadRequest(rl.name + ": more than " + strconv.Itoa(maxList) + " records")
		}
		if err == nil && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
		return err == nil
	})
	return ids, err
}

// identifier reads exactly {type, id}.
func (rl *rel) identifier(in Input) (string, error) {
	ms := in.members()
	typ, hasType := child(ms, "type")
	id, hasID := child(ms, "id")
	if !in.IsObject() || len(ms) != 2 || !hasType || !hasID || id.IsNull() {
		return "", badLinks()
	}
	if name, _ := typ.Scalar(); name != rl.typ {
		return "", problem(400, "116", "Type Mismatch", clip(name)+" is not a valid type for this operation.")
	}
	text, ok := id.Scalar()
	if !ok {
		return "", badID(id.Raw)
	}
	if _, err := strconv.ParseInt(text, 10, 64); err != nil && !rl.opts.anyID {
		return "", badID(text)
	}
	return text, nil
}

// Null reports whether an attribute was sent as null.
func (b *Body) Null(attr string) bool {
	return slices.ContainsFunc(b.attrs, func(m member) bool { return m.name == attr && m.value.IsNull() })
}
