package ui

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"strings"
	"time"

	"billd/rating"
	"billd/server/auth"
	"billd/storage"

	"github.com/gofiber/fiber/v2"
)

const (
	sessionCookie = "billd_session"
	formCookie    = "billd_form" // before there is a session, forms are bound to this
	sessionTTL    = 12 * time.Hour
	maxForm       = 16 << 10 // bytes of a posted form; ours have a login and two passwords
)

// session is who looks at a page: an operator, or a browser that may become one.
type session struct {
	ID     uint64 // operator, 0 for nobody
	Login  string
	Form   string
	token  string
	claims *auth.Claims
}

// handler makes one page for a session.
type handler func(c *fiber.Ctx, s *session) error

// open serves a page to everybody. Forms are bound to a cookie that the first page sets.
func (u *UI) open(h handler) fiber.Handler {
	return func(c *fiber.Ctx) error {
		s := &session{}
		seed := c.Cookies(formCookie)
		if len(seed) != formSeedLen {
			seed = newFormSeed()
			u.setCookie(c, formCookie, seed, time.Time{})
		}
		s.Form = u.formToken(seed)
		return u.answer(c, s, h)
	}
}

// signedIn serves a page to operators and sends everybody else to log in.
func (u *UI) signedIn(h handler) fiber.Handler {
	return func(c *fiber.Ctx) error {
		s, err := u.session(c)
		if err != nil && rating.KindOf(err) != rating.Unauthenticated {
			return u.fail(c, &session{}, err)
		}
		if err != nil {
			return u.toLogin(c)
		}
		c.SetUserContext(storage.As(c.UserContext(), s.claims.Principal.String()+" "+s.Login))
		return u.answer(c, s, h)
	}
}

// answer checks a posted form's token, runs the page and turns its error into a page.
func (u *UI) answer(c *fiber.Ctx, s *session, h handler) error {
	err := error(nil)
	if c.Method() == fiber.MethodPost {
		err = checkForm(c, s)
	}
	if err == nil {
		err = h(c, s)
	}
	if err != nil {
		return u.fail(c, s, err)
	}
	return nil
}

func checkForm(c *fiber.Ctx, s *session) error {
	if len(c.Body()) > maxForm {
		return fiber.ErrRequestEntityTooLarge
	}
	if !hmac.Equal([]byte(c.FormValue("form")), []byte(s.Form)) {
		return rating.Errorf(rating.Forbidden, "form", "this form is too old or did not come from this page: go back, load the page again and repeat")
	}
	return nil
}

// session returns whose token the cookie holds. A switch's native token opens no console.
func (u *UI) session(c *fiber.Ctx) (*session, error) {
	token := c.Cookies(sessionCookie)
	claims, err := u.Access.Tokens.Verify(token, auth.Native)
	if err != nil {
		return nil, err
	}
	if claims.Principal.Kind != auth.KindOperator {
		return nil, rating.Errorf(rating.Unauthenticated, "token", "not an operator's token")
	}
	s := &session{ID: claims.Principal.ID, token: token, claims: claims, Form: u.formToken(token)}
	err = u.DB.View(c.UserContext(), func(tx *storage.Tx) error {
		o, err := tx.Operators.Get(s.ID)
		if rating.KindOf(err) == rating.NotFound && err != nil {
			return rating.Errorf(rating.Unauthenticated, "token", "the operator is gone")
		}
		if err != nil {
			return err
		}
		if !storage.Admits(o.AllowedIPs, c.IP()) {
			return rating.Errorf(rating.Unauthenticated, "token", "the operator may not act from this address")
		}
		s.Login = o.Login
		return nil
	})
	return s, err
}

// begin signs an operator in.
func (u *UI) begin(c *fiber.Ctx, operator uint64) error {
	t, err := u.Access.Tokens.Native(auth.Principal{Kind: auth.KindOperator, ID: operator}, sessionTTL)
	if err != nil {
		return err
	}
	u.setCookie(c, sessionCookie, t.Text, t.ExpiresAt)
	return nil
}

// setCookie sets a cookie for this site only, out of reach of scripts. A zero expiry ends with the browser.
func (u *UI) setCookie(c *fiber.Ctx, name, value string, expires time.Time) {
	c.Cookie(&fiber.Cookie{Name: name, Value: value, Path: "/", Expires: expires, HTTPOnly: true,
		SameSite: fiber.CookieSameSiteStrictMode, Secure: c.Protocol() == "https"})
}

// formToken is what a page's forms send back: only who knows this process's key can make it.
func (u *UI) formToken(bound string) string {
	m := hmac.New(sha256.New, u.key[:])
	m.Write([]byte(bound))
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

const formSeedLen = 22 // 16 bytes in base64

func newFormSeed() string {
	var b [16]byte
	rand.Read(b[:]) // never fails, by its documentation
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// toLogin sends a browser to the login page, which sends it back.
func (u *UI) toLogin(c *fiber.Ctx) error {
	to := "/login"
	if c.Method() == fiber.MethodGet && c.OriginalURL() != "/" {
		to += "?next=" + url.QueryEscape(c.OriginalURL())
	}
	return u.redirect(c, to)
}

// redirect answers a browser with another page's address.
func (u *UI) redirect(c *fiber.Ctx, to string) error {
	protect(c)
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.Redirect(to, fiber.StatusSeeOther)
}

// localPath returns path if it is one of this site, else "/": a login must not lead elsewhere.
func localPath(path string) string {
	if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.ContainsAny(path, "\\\r\n\t") {
		return "/"
	}
	return path
}
