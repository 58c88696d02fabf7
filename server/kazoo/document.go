package kazoo

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"slices"
	"strings"

	"billd/rating"
)

// document is a JSON object whose numbers are json.Number.
type document = map[string]any

// Bounds of what a body may hold.
const (
	maxBody     = 8_000_000 // bytes; Crossbar: max_upload_size
	maxDepth    = 32        // levels of objects and arrays
	maxNodes    = 200_000   // values in all
	maxDocument = 256 << 10 // bytes of one stored document
)

// decodeJSON reads one JSON value, numbers as json.Number. The error is safe to show.
func decodeJSON(body []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return nil, rating.Broken("json", "invalid", "", "the JSON ends too early")
		}
		return nil, rating.Broken("json", "invalid", "", "%s", jsonTrouble(err))
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, rating.Broken("json", "invalid", "", "something follows the JSON value")
	}
	nodes := maxNodes
	if !bounded(v, maxDepth, &nodes) {
		return nil, rating.Broken("json", "invalid", "", "the JSON is nested deeper than %d levels or holds more than %d values", maxDepth, maxNodes)
	}
	return v, nil
}

// jsonTrouble says what is wrong with a JSON text, without Go's types.
func jsonTrouble(err error) string {
	var syntax *json.SyntaxError
	if s, ok := err.(*json.SyntaxError); ok {
		syntax = s
	}
	if syntax == nil {
		return "not a JSON value"
	}
	return syntax.Error()
}

// bounded reports whether v is at most depth levels deep; it takes what v holds from nodes.
func bounded(v any, depth int, nodes *int) bool {
	if *nodes--; *nodes < 0 || depth < 0 {
		return false
	}
	switch v := v.(type) {
	case document:
		for _, e := range v {
			if !bounded(e, depth-1, nodes) {
				return false
			}
		}
	case []any:
		for _, e := range v {
			if !bounded(e, depth-1, nodes) {
				return false
			}
		}
	}
	return true
}

// readDocument reads a stored document; none is empty.
func readDocument(raw []byte) document {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	doc := document{}
	if d.Decode(&doc) != nil || doc == nil {
		return document{}
	}
	return doc
}

// storeDocument writes a document for the store. Fails with Invalid when it is too large.
func storeDocument(doc document) (json.RawMessage, error) {
	b, err := encodeJSON(doc)
	if err != nil {
		return nil, err
	}
	if len(b) > maxDocument {
		return nil, invalid("data", "maxLength", "Document is too large", "target", maxDocument, "value", len(b))
	}
	return b, nil
}

// asDocument returns what a client would read of a view, to lay a PATCH over.
func asDocument(view any) (document, error) {
	b, err := encodeJSON(view)
	return readDocument(b), err
}

// encodeJSON writes v without escaping < > &, as other JSON writers do.
func encodeJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}

// merge lays over on top of base, object by object; a null takes the key away, as PATCH means it, and
// an empty object replaces what was there (contract 4.12). Neither is changed.
func merge(base, over document) document {
	out := maps.Clone(base)
	if out == nil {
		out = document{}
	}
	for k, v := range over {
		if v == nil {
			delete(out, k)
			continue
		}
		sub, isDoc := v.(document)
		old, wasDoc := out[k].(document)
		if isDoc && wasDoc && len(sub) > 0 {
			out[k] = merge(old, sub)
			continue
		}
		out[k] = v
	}
	return out
}

// private reports whether a key belongs to the server: what clients send under it is dropped.
func private(key string) bool {
	return key == "_read_only" || strings.HasPrefix(key, "pvt_") || strings.HasPrefix(key, "_")
}

// public returns doc without the server's keys and without drop.
func public(doc document, drop ...string) document {
	out := make(document, len(doc))
	for k, v := range doc {
		if !private(k) && !slices.Contains(drop, k) {
			out[k] = v
		}
	}
	return out
}

// number returns an amount as it goes on the wire.
func number(m rating.Money) json.Number { return json.Number(m.Number()) }
