package kazoo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"billd/rating"
	"billd/server/auth"
	"billd/storage"
)

// exchange is one request on its way down the pipeline, and what its answer needs to know.
type exchange struct {
	api       *API
	ctx       context.Context
	now       time.Time
	requestID string
	method    string
	path      string // as sent
	client    string // address
	segments  []string
	params    map[string]string
	query     url.Values
	media     string // content type, lower case, without parameters
	boundary  string
	accept    string
	upload    func() ([]byte, error) // the body of an upload, read when asked for

	root document // the whole envelope, empty when no JSON was sent
	data any      // its data

	token   string
	carrier string // how the token was sent
	claims  *auth.Claims
	me      *rating.Account // whom the token speaks for
	account *rating.Account // of the path
	// above are the target's ancestors, its parent first; only with account.
	above []*rating.Account
}

// clock is the store's, and the machine's while a server has yet to open its store.
func (a *API) clock() time.Time {
	if a.db == nil {
		return time.Now().UTC()
	}
	return a.db.Now()
}

func newExchange(a *API, c *fiber.Ctx) *exchange {
	x := &exchange{api: a, now: a.clock(), ctx: c.UserContext(), method: c.Method(), client: c.IP(), accept: c.Get(fiber.HeaderAccept),
		path: string(bytes.Clone(c.Request().URI().PathOriginal())), params: map[string]string{}, root: document{}, data: nil}
	x.requestID = requestID(c.Get("X-Request-ID"))
	if x.requestID == "" {
		x.requestID = a.newID()
	}
	x.query, _ = url.ParseQuery(string(c.Request().URI().QueryString())) // what does not parse was not sent
	return x
}

// maxRequestID bounds the id that a client may give its request.
const maxRequestID = 128

// requestID returns a client's id when it can go into a header again, else "".
func requestID(s string) string {
	if len(s) > maxRequestID || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return ""
	}
	return strings.Clone(s)
}

// isJSON reports whether the body is read as JSON: the types that say so, and none at all.
func (x *exchange) isJSON() bool {
	return x.media == "" || x.media == "application/json" || x.media == "application/x-json"
}

// curlForm is what curl calls the body of -d when nobody says otherwise, as in every example of Kazoo's
// documentation; a body that begins as an object is one.
const curlForm = "application/x-www-form-urlencoded"

// isUpload reports whether the body is a file.
func (x *exchange) isUpload() bool {
	return x.media == "text/csv" || x.media == "text/comma-separated-values" || x.media == "multipart/form-data"
}

// read takes the request apart: media type, body, envelope, token. It fails with what is to be
// reported before anything else.
func (x *exchange) read(c *fiber.Ctx) error {
	if err := x.readMedia(c.Get(fiber.HeaderContentType)); err != nil {
		return err
	}
	x.upload = func() ([]byte, error) { return body(c, maxUpload) }
	if !x.isUpload() {
		raw, err := body(c, maxBody)
		if err != nil {
			return err
		}
		if said := bytes.TrimSpace(raw); x.media == curlForm && (len(said) == 0 || said[0] == '{') {
			x.media = "application/json"
		}
		if x.isJSON() && len(bytes.TrimSpace(raw)) > 0 {
			if err := x.envelope(raw); err != nil {
				return err
			}
		}
	}
	if x.method == http.MethodPost {
		verb, _ := x.root["verb"].(string)
		switch verb = strings.ToUpper(firstOf(verb, x.query.Get("verb"))); verb {
		case http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodGet:
			x.method = verb
		}
	}
	inBody, _ := x.root["auth_token"].(string)
	carriers := auth.KazooCarriers{XAuthToken: c.Get("X-Auth-Token"), Query: x.query.Get("auth_token"), Envelope: inBody, Authorization: c.Get(fiber.HeaderAuthorization)}
	x.token, x.carrier = strings.Clone(carriers.Token()), "x-auth-token"
	if strings.TrimSpace(carriers.XAuthToken+carriers.Query+carriers.Envelope) == "" {
		x.carrier = "oauth"
	}
	return nil
}

func firstOf(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

// object returns data as an object; what is not there is empty. Fails with 400 when it is an array.
func (x *exchange) object() (document, error) {
	switch d := x.data.(type) {
	case document:
		return d, nil
	case nil:
		return document{}, nil
	}
	return nil, invalid("data", "type", "Value did not match type object", "target", "object")
}

// setting returns a request parameter as text, looked up in data, the query and the envelope.
func (x *exchange) setting(name string) string {
	if d, ok := x.data.(document); ok {
		if s, ok := plain(d[name]); ok {
			return s
		}
	}
	if x.query.Has(name) {
		return x.query.Get(name)
	}
	s, _ := plain(x.root[name])
	return s
}

// plain returns the text of a JSON scalar.
func plain(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case bool:
		return strconv.FormatBool(v), true
	}
	return "", false
}

// flag reports whether a request parameter is true.
func (x *exchange) flag(name string) bool { return x.setting(name) == "true" }

// rootFlag reports whether a parameter is true at the envelope's root, where alone it counts.
func (x *exchange) rootFlag(name string) bool { s, _ := plain(x.root[name]); return s == "true" }

// master reports whether the operator's own account acts.
func (x *exchange) master() bool { return x.me != nil && x.me.ID == rating.MasterAccount }

// sells reports whether the acting account is the target's reseller, or the master.
func (x *exchange) sells() bool {
	return x.master() || x.account != nil && storage.Seller(x.account, x.above).ID == x.me.ID
}

// context names who acts, for the audit trail.
func (x *exchange) context() context.Context {
	if x.claims == nil {
		return x.ctx
	}
	return storage.As(x.ctx, x.claims.Principal.String())
}

// view and update run a handler's one transaction.
func (x *exchange) view(fn func(*storage.Tx) error) error { return x.api.db.View(x.context(), fn) }

func (x *exchange) update(fn func(*storage.Tx) error) error {
	return x.api.db.Update(x.context(), func(tx *storage.Tx) error {
		tx.ActingFor(x.actor)
		return fn(tx)
	})
}

// fail answers a refusal or a fault.
func (a *API) fail(c *fiber.Ctx, x *exchange, err error) error {
	f, known := asFailure(err)
	if !known {
		a.log.Error("kazoo request failed", "method", x.method, "path", x.path, "request_id", x.requestID, "error", errors.Unwrap(err), "reason", err)
	}
	return a.sendFailure(c, x, f)
}
