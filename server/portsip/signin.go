package portsip

import (
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"billd/rating"
	"billd/server/auth"
	"billd/storage"
)

// Bounds of a sign-in. Source: contract, section 2.
const (
	maxUsername = 64
	maxDomain   = 280
	maxToken    = 16 << 10
)

// errWrongLogin does not say which part was wrong.
var errWrongLogin = &refusal{status: http.StatusUnauthorized, code: codeUnauthorized, msg: "wrong user name, password or domain"}

// credentials are what a sign-in brings. Without a domain it is an operator's.
type credentials struct{ username, password, domain string }

// signIn answers POST /api/auth/sign_in and POST /api/login.
func (a *API) signIn(c *fiber.Ctx, _ *session) error {
	o, err := readObject(c)
	if err != nil {
		return err
	}
	var es rating.Errors
	var cr credentials
	for _, f := range []struct {
		name        string
		least, most int
		to          *string
	}{
		{"username", 1, maxUsername, &cr.username},
		{"password", 1, auth.MaxPassword, &cr.password},
		{"domain", 1, maxDomain, &cr.domain},
	} {
		if f.name == "domain" && (!o.has("domain") || o.isNull("domain")) {
			continue
		}
		var err *rating.Error
		if *f.to, err = o.text(f.name, f.least, f.most); err != nil {
			es = append(es, err)
		}
	}
	if qr, ok := option(c, "qr"); ok && qr != "true" && qr != "false" {
		es = append(es, wrongType("qr", "true or false"))
	}
	if err := es.Err(); err != nil {
		return err
	}
	pair, err := a.logIn(c, cr)
	if err != nil {
		return err
	}
	return a.sendTokens(c, pair)
}

// logIn checks credentials and begins a session. Fails with errWrongLogin, or 429 when it was tried
// too often.
func (a *API) logIn(c *fiber.Ctx, cr credentials) (auth.Pair, error) {
	login, address := "portsip/"+strings.ToLower(cr.domain+"/"+cr.username), c.IP()
	if wait := a.o.Throttle.Wait(login, address); wait > 0 {
		return auth.Pair{}, &refusal{status: http.StatusTooManyRequests, code: codeTooMany, msg: "too many failed sign-ins, try again later", after: wait}
	}
	var p auth.Principal
	var hash string
	err := a.o.DB.View(c.UserContext(), func(tx *storage.Tx) (err error) {
		p, hash, err = lookUp(tx, cr, address)
		return err
	})
	if err != nil && rating.KindOf(err) != rating.NotFound {
		return auth.Pair{}, err
	}
	ok, err := a.o.Passwords.Verify(c.UserContext(), hash, cr.password)
	if err != nil {
		return auth.Pair{}, err
	}
	if !ok {
		a.o.Throttle.Failed(login, address)
		return auth.Pair{}, errWrongLogin
	}
	a.o.Throttle.Succeeded(login)
	return a.o.Tokens.PortSIP(p, 0)
}

// lookUp finds whom credentials name and the hash of their password. Whoever may not sign in is
// NotFound, so that nobody can tell.
func lookUp(tx *storage.Tx, cr credentials, address string) (p auth.Principal, hash string, err error) {
	if cr.domain == "" {
		o, err := tx.OperatorByLogin(cr.username)
		if err != nil {
			return p, "", err
		}
		if !storage.Admits(o.AllowedIPs, address) {
			return p, "", rating.Errorf(rating.NotFound, "operator", "operator %d may not act from this address", o.ID)
		}
		return auth.Principal{Kind: auth.KindOperator, ID: o.ID, AccountID: uint64(rating.MasterAccount)}, o.Password, nil
	}
	account, err := tx.AccountByRealm(cr.domain)
	if err != nil {
		return p, "", err
	}
	u, err := tx.UserNamed(account.ID, cr.username)
	if err != nil {
		return p, "", err
	}
	if u.Disabled || account.Disabled {
		return p, "", rating.Errorf(rating.NotFound, "user", "user %d is switched off", u.ID)
	}
	return auth.Principal{Kind: auth.KindPortSIPUser, ID: u.ID, AccountID: uint64(account.ID)}, u.Password, nil
}

// refresh answers POST /api/auth/refresh_token.
func (a *API) refresh(c *fiber.Ctx, _ *session) error {
	o, err := readObject(c)
	if err != nil {
		return err
	}
	token, broken := o.text("refresh_token", 1, maxToken)
	if broken != nil {
		return broken
	}
	pair, err := a.renew(c.UserContext(), token)
	if err != nil {
		return err
	}
	return a.sendTokens(c, pair)
}

// grant answers POST /api/login/oauth/token, a form. Its refusals are 400 whatever the reason.
// scope and client_id are the same for everybody and are not looked at.
func (a *API) grant(c *fiber.Ctx, _ *session) error {
	b, err := readBody(c)
	if err != nil {
		return err
	}
	form, err := url.ParseQuery(string(b))
	if err != nil || !utf8.Valid(b) {
		return rating.Broken("body", "format", "", "body: want a form")
	}
	var pair auth.Pair
	code := codeUnauthorized
	switch form.Get("grant_type") {
	case "password":
		cr := credentials{form.Get("username"), form.Get("password"), form.Get("domain")}
		var es rating.Errors
		if n := utf8.RuneCountInString(cr.username); n < 1 || n > maxUsername {
			es = append(es, rating.Broken("username", "length", "", "username: want 1 to %d characters", maxUsername))
		}
		if cr.password == "" {
			es = append(es, required("password"))
		}
		if utf8.RuneCountInString(cr.domain) > maxDomain {
			es = append(es, rating.Broken("domain", "maxLength", "", "domain: want at most %d characters", maxDomain))
		}
		if err := es.Err(); err != nil {
			return err
		}
		pair, err = a.logIn(c, cr)
	case "refresh_token":
		code = codeUnknown
		pair, err = a.renew(c.UserContext(), form.Get("refresh_token"))
	default:
		return rating.Broken("grant_type", "enum", "", "grant_type: want password or refresh_token")
	}
	if refused(err) {
		return &refusal{status: http.StatusBadRequest, code: code, msg: err.Error()}
	}
	if err != nil {
		return err
	}
	return a.sendTokens(c, pair)
}
