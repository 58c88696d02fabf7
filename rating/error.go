package rating

import (
	"errors"
	"fmt"
)

// Kind says what went wrong in the few words that a surface needs to pick a status.
type Kind uint8

// The kinds. Each dialect turns a kind into a status in one file.
const (
	Internal        Kind = iota // the store is broken or billd has a fault
	Invalid                     // a value that cannot be accepted
	NotFound                    // no such record
	Conflict                    // the record's state, or another record, forbids it
	Unauthenticated             // nobody, or not who they say
	Forbidden                   // somebody, but not allowed
	Limit                       // a named limit is reached
	Range                       // a number leaves what its type can hold
	Unsupported                 // a form that this surface does not take
)

// String returns the kind's word, as logs and the native API print it.
func (k Kind) String() string {
	names := [...]string{"internal", "invalid", "not_found", "conflict", "unauthenticated", "forbidden", "limit", "range", "unsupported"}
	if int(k) < len(names) {
		return names[k]
	}
	return "internal"
}

// Error is a refusal with what a dialect needs to say it in its own words.
//
// Field is the snake_case name of the offending field, or the noun of the record; Rule is a word
// such as required, taken, minimum, format; Limit is the bound that Rule speaks of, as text.
type Error struct {
	Kind  Kind
	Field string
	Rule  string
	Limit string
	Msg   string
	Err   error
}

// Error returns the sentence: lower case, no full stop, safe to show.
func (e *Error) Error() string {
	if e.Err != nil && e.Msg == "" {
		return e.Err.Error()
	}
	return e.Msg
}

// Unwrap returns the cause, which is for logs and never for clients.
func (e *Error) Unwrap() error { return e.Err }

// Errorf makes an Error of kind about field.
func Errorf(kind Kind, field, format string, args ...any) *Error {
	return &Error{Kind: kind, Field: field, Msg: fmt.Sprintf(format, args...)}
}

// Broken makes an Invalid error that names the rule a field broke and the bound it speaks of.
func Broken(field, rule, limit, format string, args ...any) *Error {
	return &Error{Kind: Invalid, Field: field, Rule: rule, Limit: limit, Msg: fmt.Sprintf(format, args...)}
}

// Errors is several refusals of one record, in the order of its fields.
type Errors []*Error

// Error joins the sentences.
func (es Errors) Error() string {
	if len(es) == 0 {
		return "no error"
	}
	s := es[0].Error()
	for _, e := range es[1:] {
		s += "; " + e.Error()
	}
	return s
}

// Err returns es as an error, or nil when there is none.
func (es Errors) Err() error {
	if len(es) == 0 {
		return nil
	}
	return es
}

// KindOf returns the kind of err: that of the Error inside it, else Internal.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	var es Errors
	if errors.As(err, &es) && len(es) > 0 {
		return es[0].Kind
	}
	return Internal
}
