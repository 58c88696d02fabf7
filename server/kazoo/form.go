package kazoo

import (
	"encoding/json"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"

	"billd/rating"
)

// form reads the fields of a document and collects what is wrong with them. Values are coerced where
// only one reading is possible: "5" is 5, "true" is true, 5 is "5".
type form struct {
	doc  document
	path string // of doc itself, ending with a dot
	errs problems
}

func newForm(doc document) *form { return &form{doc: doc, errs: problems{}} }

// problem notes that a field breaks a rule.
func (f *form) problem(field, code, text string, details ...any) {
	f.errs.add(f.path+field, code, text, details...)
}

// err returns the 400 for what was found so far, or nil.
func (f *form) err() error { return f.errs.failure() }

// has reports whether a field was sent with a value.
func (f *form) has(field string) bool { return f.doc[field] != nil }

// need notes a field that is missing and reports whether it is there.
func (f *form) need(field string) bool {
	if !f.has(field) {
		f.problem(field, "required", "Field is required but missing")
	}
	return f.has(field)
}

func (f *form) wrongType(field, want string) {
	f.problem(field, "type", "Value did not match type "+want, "target", want, "value", f.doc[field])
}

// text reads a text of min to max characters without control characters; "" when it was not sent.
func (f *form) text(field string, min, max int) string {
	v, sent := f.doc[field]
	if !sent || v == nil {
		return ""
	}
	var s string
	switch v := v.(type) {
	case string:
		s = v
	case json.Number:
		s = v.String()
	default:
		f.wrongType(field, "string")
		return ""
	}
	switch n := utf8.RuneCountInString(s); {
	case n < min:
		f.problem(field, "minLength", fmt.Sprintf("String must be at least %d characters", min), "target", min, "value", s)
	case n > max:
		f.problem(field, "maxLength", fmt.Sprintf("String must not be more than %d characters", max), "target", max, "value", clip(s))
	case strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }):
		f.problem(field, "pattern", "String must not hold control characters")
	default:
		return s
	}
	return ""
}

// clip cuts what a client sent to what an answer repeats.
func clip(s string) string {
	if len(s) <= 100 {
		return s
	}
	return strings.ToValidUTF8(s[:100], "") + "…"
}

// choice reads a text that is one of several; the first when it was not sent.
func (f *form) choice(field string, of ...string) string {
	if !f.has(field) {
		return of[0]
	}
	s, _ := f.doc[field].(string)
	for _, o := range of {
		if s == o {
			return s
		}
	}
	f.problem(field, "enum", "Value not found in enumerated list of values", "target", of, "value", f.doc[field])
	return of[0]
}

// boolean reads true or false; def when it was not sent.
func (f *form) boolean(field string, def bool) bool {
	switch v := f.doc[field].(type) {
	case nil:
		return def
	case bool:
		return v
	case string:
		if v == "true" || v == "false" {
			return v == "true"
		}
	}
	f.wrongType(field, "boolean")
	return def
}

// numeral returns the digits of a field that is a number or the text of one.
func (f *form) numeral(field, want string) (string, bool) {
	switch v := f.doc[field].(type) {
	case nil:
		return "", false
	case json.Number:
		return v.String(), true
	case string:
		if _, err := rating.ParseDecimal(v); err == nil {
			return strings.TrimSpace(v), true
		}
	}
	f.wrongType(field, want)
	return "", false
}

// integer reads a whole number from min to max; def when it was not sent.
func (f *form) integer(field string, min, max, def int64) int64 {
	s, ok := f.numeral(field, "integer")
	if !ok {
		return def
	}
	n, ok := whole(s)
	switch {
	case !ok:
		f.wrongType(field, "integer")
	case n < min:
		f.problem(field, "minimum", fmt.Sprintf("Value must be at least %d", min), "target", min, "value", f.doc[field])
	case n > max:
		f.problem(field, "maximum", fmt.Sprintf("Value must be at most %d", max), "target", max, "value", f.doc[field])
	default:
		return n
	}
	return def
}

// whole reads an integer as JSON may write it: 5, 5.0, 5e0.
func whole(s string) (int64, bool) {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n, true
	}
	d, err := rating.ParseDecimal(s)
	if err != nil || !strings.HasSuffix(d.String(), ".0") {
		return 0, false
	}
	n, ok := new(big.Int).SetString(strings.TrimSuffix(d.String(), ".0"), 10)
	if !ok || !n.IsInt64() {
		return 0, false
	}
	return n.Int64(), true
}

// money reads an amount; ok is false when none was sent or it cannot be read, which is then noted.
func (f *form) money(field string) (m rating.Money, ok bool) {
	s, ok := f.numeral(field, "number")
	if !ok {
		return 0, false
	}
	m, err := rating.ParseMoney(s)
	if err != nil {
		f.problem(field, "maximum", "Value is too large", "target", json.Number(rating.MaxMoney.Number()), "value", clip(s))
		return 0, false
	}
	return m, true
}

// sub returns a form for an object inside this one; it reports into the same problems. An object that
// is not there is empty.
func (f *form) sub(field string) *form {
	doc, ok := f.doc[field].(document)
	if !ok && f.has(field) {
		f.wrongType(field, "object")
	}
	return &form{doc: doc, path: f.path + field + ".", errs: f.errs}
}

// object reads an object as sent; nil when it was not.
func (f *form) object(field string) document {
	doc, ok := f.doc[field].(document)
	if !ok && f.has(field) {
		f.wrongType(field, "object")
	}
	return doc
}
