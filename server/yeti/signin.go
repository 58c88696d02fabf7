package yeti

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"billd/rating"
	"billd/server/auth"
	"billd/server/jsonapi"
	"billd/storage"
)

// maxSignIn bounds the body of a sign-in.
const maxSignIn = 16 << 10

// credentials is the auth object of a sign-in.
type credentials struct {
	Username   string `json:"username"`
	Login      string `json:"login"`
	Password   string `json:"password"`
	CookieAuth any    `json:"cookie_auth"`
}

// signIn reads the auth object as JSON or a form; false when there is none.
func signIn(c *fiber.Ctx) (in credentials, ok bool) {
	body := c.Request().Body()
	if len(body) > maxSignIn {
		return in, false
	}
	media, _, _ := strings.Cut(c.Get("Content-Type"), ";")
	if strings.EqualFold(strings.TrimSpace(media), fiber.MIMEApplicationForm) {
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return in, false
		}
		in = credentials{Username: form.Get("auth[username]"), Login: form.Get("auth[login]"), Password: form.Get("auth[password]")}
		if v := form.Get("auth[cookie_auth]"); v != "" {
			in.CookieAuth = v
		}
		return in, in != credentials{}
	}
	var doc struct {
		Auth json.RawMessage `json:"auth"`
	}
	if json.Unmarshal(body, &doc) != nil {
		return in, false
	}
	if trimmed := bytes.TrimSpace(doc.Auth); len(trimmed) < 2 || trimmed[0] != '{' || len(bytes.TrimSpace(trimmed[1:len(trimmed)-1])) == 0 {
		return in, false
	}
	// A field of another type than text is a wrong credential, not a malformed request.
	_ = json.Unmarshal(doc.Auth, &in)
	return in, true
}

const plainJSON = "application/json; charset=utf-8"

// authError answers a failed sign-in with the dialect's errors in plain JSON.
func authError(c *fiber.Ctx, status int, title, detail string) error {
	text := strconv.Itoa(status)
	body, err := json.Marshal(map[string]any{"errors": []any{struct {
		Title  string `json:"title"`
		Detail string `json:"detail"`
		Code   string `json:"code"`
		Status string `json:"status"`
	}{title, detail, text, text}}})
	if err != nil {
		return err
	}
	c.Set("Content-Type", plainJSON)
	c.Set("Cache-Control", "no-cache")
	return c.Status(status).Send(body)
}

func wrongPassword(c *fiber.Ctx) error {
	return authError(c, fiber.StatusUnauthorized, "Authentication failed", "Incorrect login or password.")
}

// verify checks a password under the throttle. ok is false when the answer was already written.
func (a *API) verify(c *fiber.Ctx, who, hash, password string) (ok bool, err error) {
	if wait := a.o.Throttle.Wait(who, c.IP()); wait > 0 {
		c.Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
		return false, authError(c, fiber.StatusTooManyRequests, "Too Many Requests", "Too many failed logins, try again later.")
	}
	right, err := a.o.Passwords.Verify(c.UserContext(), hash, password)
	if rating.KindOf(err) == rating.Limit && err != nil {
		c.Set("Retry-After", "1")
		return false, authError(c, fiber.StatusTooManyRequests, "Too Many Requests", "Too many logins at once, try again later.")
	}
	if err != nil {
		return false, err
	}
	if !right {
		a.o.Throttle.Failed(who, c.IP())
		return false, wrongPassword(c)
	}
	a.o.Throttle.Succeeded(who)
	return true, nil
}

// signInAdmin answers POST /auth of the admin API.
func (a *API) signInAdmin(c *fiber.Ctx) error {
	in, ok := signIn(c)
	if !ok {
		return c.Status(fiber.StatusBadRequest).Send(nil)
	}
	var row storage.Operator
	err := a.o.DB.View(c.UserContext(), func(tx *storage.Tx) error {
		found, err := tx.OperatorByLogin(in.Username)
		if err == nil {
			row = *found
		}
		return ignoreMissing(err)
	})
	if err != nil {
		return err
	}
	if ok, err := a.verify(c, "admin/"+in.Username, row.Password, in.Password); !ok || err != nil {
		return err
	}
	if !storage.Admits(row.AllowedIPs, c.IP()) {
		return authError(c, fiber.StatusUnauthorized, "Authentication failed", "Your IP address is not allowed.")
	}
	token, err := a.o.Tokens.Admin(row.ID, a.o.TokenTTL)
	if err != nil {
		return err
	}
	return sendToken(c, token)
}

func sendToken(c *fiber.Ctx, token auth.Token) error {
	c.Set("Content-Type", plainJSON)
	c.Set("Cache-Control", "no-store")
	return c.Status(fiber.StatusCreated).SendString(`{"jwt":"` + token.Text + `"}`)
}

func ignoreMissing(err error) error {
	var e *rating.Error
	if errors.As(err, &e) && e.Kind == rating.NotFound {
		return nil
	}
	return err
}

// signInCustomer answers POST /auth of the customer API: with a token, or with a cookie.
func (a *API) signInCustomer(c *fiber.Ctx) error {
	in, ok := signIn(c)
	if !ok {
		return c.Status(fiber.StatusBadRequest).Send(nil)
	}
	var row storage.Access
	err := a.o.DB.View(c.UserContext(), func(tx *storage.Tx) error {
		found, err := tx.AccessByLogin(in.Login)
		if err == nil {
			row = *found
		}
		return ignoreMissing(err)
	})
	if err != nil {
		return err
	}
	hash := row.Password
	if row.ID != 0 && !storage.Admits(row.AllowedIPs, c.IP()) {
		hash = "" // takes as long and says no
	}
	if ok, err := a.verify(c, "customer/"+in.Login, hash, in.Password); !ok || err != nil {
		return err
	}
	if in.CookieAuth != nil && in.CookieAuth != false && in.CookieAuth != "false" {
		if err := a.giveCookie(c, row.ID); err != nil {
			return err
		}
		return c.Status(fiber.StatusCreated).Send(nil)
	}
	token, err := a.o.Tokens.Customer(row.ID, a.o.TokenTTL)
	if err != nil {
		return err
	}
	return sendToken(c, token)
}

// giveCookie issues a session cookie.
func (a *API) giveCookie(c *fiber.Ctx, access uint64) error {
	token, err := a.o.Tokens.Customer(access, a.o.TokenTTL)
	if err == nil {
		setCookie(c, token.Text, token.ExpiresAt)
	}
	return err
}

func setCookie(c *fiber.Ctx, value string, expires time.Time) {
	c.Response().Header.Add("Set-Cookie", auth.SessionCookie+"="+value+"; path=/; expires="+
		expires.UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT")+"; HttpOnly; SameSite=Lax")
}

// showSignIn answers GET /auth: what the session may do.
func (a *API) showSignIn(c *fiber.Ctx) error {
	_, err := a.authenticateCustomer(c)
	var ps jsonapi.Problems
	if errors.As(err, &ps) {
		return authError(c, ps[0].Status, ps[0].Title, ps[0].Detail)
	}
	if err != nil {
		return err
	}
	c.Set("Content-Type", plainJSON)
	c.Set("Cache-Control", "max-age=0, private, must-revalidate")
	return c.SendString(`{"allow-rec":false}`)
}

// signOutCustomer answers DELETE /auth, authorised or not.
func (a *API) signOutCustomer(c *fiber.Ctx) error {
	setCookie(c, "logout", time.Unix(0, 0))
	return c.SendStatus(fiber.StatusNoContent)
}
