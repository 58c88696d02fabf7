package kazoo

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"

	"billd/rating"
	"billd/server/auth"
	"billd/storage"
)

// handle takes a request down the pipeline. The order of the steps is what clients rely on.
// Source: contract 1.2.
func (a *API) handle(c *fiber.Ctx) error {
	x := newExchange(a, c)
	if c.Method() == http.MethodOptions {
		headers(c, x)
		return c.SendStatus(http.StatusNoContent)
	}
	ans, err := a.run(c, x)
	if err != nil {
		return a.fail(c, x, err)
	}
	return a.send(c, x, ans)
}

func (a *API) run(c *fiber.Ctx, x *exchange) (*answer, error) {
	if err := x.read(c); err != nil { // 1: body and envelope
		return nil, err
	}
	if err := x.login(); err != nil { // 2: a token that is of no use
		return nil, err
	}
	ep, err := a.find(x) // 3: path and method
	if err != nil {
		return nil, err
	}
	if err := x.target(); err != nil { // 4: the account of the path
		return nil, err
	}
	if ep.who != anyone && x.claims == nil { // 5: no token at all
		return nil, missingToken()
	}
	if err := x.mayReach(ep.who); err != nil { // 6: hierarchy and privilege
		return nil, err
	}
	if err := x.mediaTypes(ep); err != nil { // 7, 8: what is sent and what is wanted
		return nil, err
	}
	if ep.who == reseller && !x.sells() { // 9: the finer rule
		return nil, forbidden()
	}
	return ep.run(x)
}

// login verifies the token that was sent, and finds whom it speaks for.
func (x *exchange) login() error {
	if x.token == "" {
		return nil
	}
	claims, err := x.api.tokens.Verify(x.token, auth.Kazoo)
	if err != nil {
		return err
	}
	id, err := rating.ParseUUID(claims.Kazoo.AccountID)
	if err != nil {
		return badToken()
	}
	x.claims = claims
	err = x.view(func(tx *storage.Tx) error {
		x.me, err = tx.AccountByUUID(id)
		return err
	})
	if rating.KindOf(err) == rating.NotFound {
		x.claims = nil
		return badToken()
	}
	return err
}

// find looks the path and the method up in the table.
func (a *API) find(x *exchange) (*endpoint, error) {
	trimmed := strings.Trim(strings.TrimPrefix(x.path, "/v2"), "/")
	for _, raw := range strings.Split(trimmed, "/") {
		s, err := url.PathUnescape(raw)
		if err != nil {
			return nil, noSuchNoun()
		}
		x.segments = append(x.segments, s)
	}
	n := a.routes.find(x.segments, x.params)
	if n == nil {
		return nil, noSuchNoun()
	}
	method := x.method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	ep := n.verbs[method]
	if ep == nil {
		return nil, wrongMethod(n.allow())
	}
	return ep, nil
}

// target loads the account that the path names.
func (x *exchange) target() error {
	id, ok := x.params["account"]
	if !ok {
		return nil
	}
	u, ok := hexID(id)
	if !ok {
		return malformedID(id)
	}
	err := x.view(func(tx *storage.Tx) (err error) {
		if x.account, err = tx.AccountByUUID(u); err != nil {
			return err
		}
		x.above, err = tx.Ancestors(x.account.ID)
		return err
	})
	if rating.KindOf(err) == rating.NotFound {
		return unknownID(id)
	}
	return err
}

// hexID reads an id as Kazoo writes it, 32 lower-case hex digits.
func hexID(id string) (rating.UUID, bool) {
	if len(id) != 32 || strings.Trim(id, "0123456789abcdef") != "" {
		return rating.UUID{}, false
	}
	u, err := rating.ParseUUID(id)
	return u, err == nil
}

// mayReach applies the hierarchy: an account reaches itself and what is below it.
func (x *exchange) mayReach(who privilege) error {
	if who == anyone {
		return nil
	}
	if x.me.Disabled {
		return disabled("account")
	}
	if x.account != nil && !reaches(x.me, x.account, x.above) || who == master && !x.master() {
		return forbidden()
	}
	return nil
}

func reaches(from, to *rating.Account, above []*rating.Account) bool {
	if from.ID == to.ID {
		return true
	}
	for _, a := range above {
		if a.ID == from.ID {
			return true
		}
	}
	return false
}

// mediaTypes checks what the body is and what the answer may be.
func (x *exchange) mediaTypes(ep *endpoint) error {
	if x.method != http.MethodGet && x.method != http.MethodDelete && x.method != http.MethodHead && !x.isJSON() && !(ep.upload && x.isUpload()) {
		return refuse(http.StatusUnsupportedMediaType, "unsupported_media_type", "unsupported media type")
	}
	if x.accepts("application/json") || ep.csv && x.accepts("text/csv") {
		return nil
	}
	return refuse(http.StatusNotAcceptable, "not_acceptable", "not acceptable")
}

// accepts reports whether the client takes a media type.
func (x *exchange) accepts(media string) bool {
	want := firstOf(x.setting("accept"), x.accept)
	if want == "" {
		return true
	}
	family, _, _ := strings.Cut(media, "/")
	for _, part := range strings.Split(want, ",") {
		name, params, _ := strings.Cut(part, ";")
		if q := strings.ReplaceAll(params, " ", ""); strings.HasPrefix(q, "q=0") && strings.Trim(q[2:], "0.") == "" {
			continue
		}
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "*/*", "*", family + "/*", media, media[strings.Index(media, "/")+1:]:
			return true
		case "application/x-json":
			if media == "application/json" {
				return true
			}
		}
	}
	return false
}

// wantsCSV reports whether the answer is to be CSV: it is asked for and JSON is not.
func (x *exchange) wantsCSV() bool { return !x.accepts("application/json") && x.accepts("text/csv") }
