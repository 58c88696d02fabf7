package portsip

import (
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"billd/rating"
)

// The codes. The vendor documents the first three; clients map those that they do not know to UNKNOWN.
const (
	codeUnknown      = "UNKNOWN"
	codeInvalid      = "VALIDATE_FAILED"
	codeUnauthorized = "UNAUTHORIZED"
	codeForbidden    = "FORBIDDEN"
	codeNotFound     = "NOT_FOUND"
	codeMethod       = "METHOD_NOT_ALLOWED"
	codeTooLarge     = "PAYLOAD_TOO_LARGE"
	codeTooMany      = "TOO_MANY_REQUESTS"
	codeUnavailable  = "SERVICE_UNAVAILABLE"
)

// fault is one entry of an error body.
type fault struct {
	Code    string  `json:"code"`
	Message string  `json:"message"`
	Detail  *detail `json:"detail,omitempty"`
}

// detail names the field that was refused.
type detail struct {
	Field string `json:"field"`
}

type errorBody struct {
	Errors []fault `json:"errors"`
}

// refusal is an answer that no kind of error stands for.
type refusal struct {
	status int
	code   string
	msg    string
	after  time.Duration // when to try again, 0 for no word of it
}

// Error returns the message.
func (r *refusal) Error() string { return r.msg }

// errNotOffered refuses a path that this API does not have.
var errNotOffered = &refusal{status: http.StatusNotFound, code: codeNotFound, msg: "no such path"}

// errUnauthorized refuses whoever did not prove who they are. It does not say what was wrong.
var errUnauthorized = &refusal{status: http.StatusUnauthorized, code: codeUnauthorized, msg: "the access token is missing, unknown or expired"}

// kinds says what each kind of error is on this wire; the rest is 500.
var kinds = map[rating.Kind]struct {
	status int
	code   string
}{
	rating.Invalid:         {http.StatusBadRequest, codeInvalid},
	rating.Range:           {http.StatusBadRequest, codeInvalid},
	rating.Conflict:        {http.StatusBadRequest, codeInvalid},
	rating.Unsupported:     {http.StatusBadRequest, codeInvalid},
	rating.NotFound:        {http.StatusNotFound, codeNotFound},
	rating.Unauthenticated: {http.StatusUnauthorized, codeUnauthorized},
	rating.Forbidden:       {http.StatusForbidden, codeForbidden},
	rating.Limit:           {http.StatusTooManyRequests, codeTooMany},
}

// protocol says what fiber's own refusals are on this wire.
var protocol = map[int]string{
	http.StatusNotFound:              codeNotFound,
	http.StatusMethodNotAllowed:      codeMethod,
	http.StatusRequestEntityTooLarge: codeTooLarge,
	http.StatusTooManyRequests:       codeTooMany,
	http.StatusServiceUnavailable:    codeUnavailable,
}

// fail answers with err in this API's form. It is the fiber error handler of every mount.
func (a *API) fail(c *fiber.Ctx, err error) error {
	status, faults := a.faults(c, err)
	switch status {
	case http.StatusUnauthorized:
		c.Set(fiber.HeaderWWWAuthenticate, "Bearer")
	case http.StatusTooManyRequests:
		var r *refusal
		if errors.As(err, &r) && r.after > 0 {
			c.Set(fiber.HeaderRetryAfter, strconv.Itoa(int(math.Ceil(r.after.Seconds()))))
		}
	}
	return c.Status(status).JSON(errorBody{faults})
}

func (a *API) faults(c *fiber.Ctx, err error) (int, []fault) {
	var r *refusal
	if errors.As(err, &r) {
		return r.status, []fault{{Code: r.code, Message: r.msg}}
	}
	var f *fiber.Error
	if errors.As(err, &f) && (f.Code < http.StatusInternalServerError || f.Code == http.StatusServiceUnavailable) {
		code, known := protocol[f.Code]
		if !known {
			code = codeInvalid
		}
		return f.Code, []fault{{Code: code, Message: strings.ToLower(http.StatusText(f.Code))}}
	}
	var several rating.Errors
	if !errors.As(err, &several) {
		var e *rating.Error
		if errors.As(err, &e) {
			several = rating.Errors{e}
		}
	}
	k, known := kinds[rating.KindOf(err)]
	if len(several) == 0 || !known {
		a.o.Log.Error("a PortSIP request failed", "method", c.Method(), "path", c.Path(), "err", err)
		return http.StatusInternalServerError, []fault{{Code: codeUnknown, Message: "internal error"}}
	}
	faults := make([]fault, len(several))
	for i, e := range several {
		faults[i] = fault{Code: k.code, Message: e.Error()}
		if k.code == codeInvalid && e.Field != "" {
			faults[i].Detail = &detail{e.Field}
		}
	}
	return k.status, faults
}
