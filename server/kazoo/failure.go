package kazoo

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"billd/rating"
)

// failure is a refusal as the client reads it.
type failure struct {
	status  int
	message string // the code word
	data    any
	wait    time.Duration // Retry-After
	allow   string        // Allow, of a 405
}

// Error returns the code word.
func (f *failure) Error() string { return f.message }

// words is the usual data of a failure.
func words(text string) map[string]any { return map[string]any{"message": text} }

func refuse(status int, message, text string) *failure {
	return &failure{status: status, message: message, data: words(text)}
}

func missingToken() *failure {
	return refuse(http.StatusUnauthorized, "invalid_credentials", "invalid credentials")
}

func badToken() *failure {
	return refuse(http.StatusUnauthorized, "invalid credentials", "invalid credentials")
}

func forbidden() *failure { return refuse(http.StatusForbidden, "forbidden", "forbidden") }

func noSuchNoun() *failure { return refuse(http.StatusNotFound, "not_found", "not found") }

func wrongMethod(allow string) *failure {
	f := refuse(http.StatusMethodNotAllowed, "invalid_method", "method not allowed")
	f.allow = allow
	return f
}

// unknownID refuses an id that nothing has.
func unknownID(id string) *failure {
	return &failure{status: http.StatusNotFound, message: "bad_identifier", data: map[string]any{"cause": id, "message": "bad identifier"}}
}

// malformedID refuses an account id that none can have.
func malformedID(id string) *failure {
	f := unknownID(id)
	f.message = "bad identifier"
	return f
}

func duplicate() *failure {
	return refuse(http.StatusConflict, "datastore_conflict", "conflicting documents")
}

func tooLarge() *failure {
	return refuse(http.StatusRequestEntityTooLarge, "request_entity_too_large", "the body is too large")
}

// problems are validation errors: dotted field → code → details.
type problems map[string]map[string]map[string]any

// add notes that field breaks the rule code. details are pairs of a name and a value: target, value, cause.
func (p problems) add(field, code, text string, details ...any) {
	if p[field] == nil {
		p[field] = map[string]map[string]any{}
	}
	d := map[string]any{"message": text}
	for i := 0; i+1 < len(details); i += 2 {
		d[details[i].(string)] = details[i+1]
	}
	p[field][code] = d
}

// failure returns the 400 that lists p, or nil when there is none.
func (p problems) failure() error {
	if len(p) == 0 {
		return nil
	}
	return &failure{status: http.StatusBadRequest, message: "validation failed", data: p}
}

// invalid is the 400 of a single hand-written check.
func invalid(field, code, text string, details ...any) *failure {
	p := problems{}
	p.add(field, code, text, details...)
	return &failure{status: http.StatusBadRequest, message: "validation error", data: p}
}

// asFailure turns an error of the domain into what Kazoo says. ok is false for a fault of billd's own,
// whose text is for the log.
func asFailure(err error) (f *failure, ok bool) {
	if errors.As(err, &f) {
		return f, true
	}
	var several rating.Errors
	if errors.As(err, &several) && len(several) > 0 {
		p := problems{}
		for _, e := range several {
			p.add(e.Field, ruleCode(e), e.Msg, targetOf(e)...)
		}
		return &failure{status: http.StatusBadRequest, message: "validation failed", data: p}, true
	}
	var e *rating.Error
	if !errors.As(err, &e) {
		if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
			return refuse(http.StatusServiceUnavailable, "datastore_unavailable", "the request was given up"), true
		}
		return fault(), false
	}
	switch e.Kind {
	case rating.Invalid, rating.Range:
		return invalid(e.Field, ruleCode(e), e.Msg, targetOf(e)...), true
	case rating.NotFound:
		return refuse(http.StatusNotFound, "bad_identifier", e.Msg), true
	case rating.Conflict:
		if e.Rule == "taken" {
			return invalid(e.Field, "unique", e.Msg), true
		}
		return refuse(http.StatusConflict, "datastore_conflict", e.Msg), true
	case rating.Unauthenticated:
		return badToken(), true
	case rating.Forbidden:
		return forbidden(), true
	case rating.Limit:
		f := refuse(http.StatusServiceUnavailable, "datastore_busy", e.Msg)
		f.wait = time.Second
		return f, true
	case rating.Unsupported:
		return refuse(http.StatusUnsupportedMediaType, "unsupported_media_type", e.Msg), true
	}
	return fault(), false
}

func fault() *failure {
	return refuse(http.StatusInternalServerError, "unspecified_fault", "unspecified fault")
}

// targetOf returns the bound that a refusal speaks of, as details of a problem.
func targetOf(e *rating.Error) []any {
	if e.Limit == "" {
		return nil
	}
	if _, err := rating.ParseDecimal(e.Limit); err == nil {
		return []any{"target", json.Number(e.Limit)}
	}
	return []any{"target", e.Limit}
}

// ruleCode returns Kazoo's code for the rule that a field broke.
func ruleCode(e *rating.Error) string {
	switch e.Rule {
	case "required", "type", "minimum", "maximum", "maxLength", "minLength", "enum", "pattern":
		return e.Rule
	case "inclusion":
		return "enum"
	case "number":
		return "type"
	case "format":
		return "pattern"
	case "taken":
		return "unique"
	}
	return "invalid"
}
