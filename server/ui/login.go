package ui

import (
	"math"
	"strconv"

	"billd/rating"
	"billd/server/auth"
	"billd/server/ops"
	"billd/storage"

	"github.com/gofiber/fiber/v2"
)

// entry is the login and the setup page.
type entry struct {
	Login, Next, Token string
	Problem            string
	NoOperator         bool // nobody can log in yet
}

func (u *UI) loginForm(c *fiber.Ctx, s *session) error {
	next := localPath(c.Query("next"))
	if _, err := u.session(c); err == nil {
		return u.redirect(c, next)
	}
	return u.showLogin(c, s, fiber.StatusOK, entry{Next: next})
}

func (u *UI) showLogin(c *fiber.Ctx, s *session, status int, e entry) error {
	n, err := u.operators(c)
	if err != nil {
		return err
	}
	e.NoOperator = n == 0
	c.Status(status)
	return u.render(c, s, "login", page{Title: "Log in", Data: e})
}

func (u *UI) operators(c *fiber.Ctx) (n int, err error) {
	err = u.DB.View(c.UserContext(), func(tx *storage.Tx) error {
		n = tx.Operators.Count()
		return nil
	})
	return n, err
}

// login checks a password under the same throttle as the admin API: guesses at one login count together.
func (u *UI) login(c *fiber.Ctx, s *session) error {
	e := entry{Login: c.FormValue("login"), Next: localPath(c.FormValue("next"))}
	key := "admin/" + e.Login
	if wait := u.Access.Throttle.Wait(key, c.IP()); wait > 0 {
		c.Set(fiber.HeaderRetryAfter, strconv.Itoa(int(math.Ceil(wait.Seconds()))))
		e.Problem = "Too many failed logins. Try again in " + strconv.Itoa(int(math.Ceil(wait.Seconds()))) + " seconds."
		return u.showLogin(c, s, fiber.StatusTooManyRequests, e)
	}
	var operator storage.Operator
	err := u.DB.View(c.UserContext(), func(tx *storage.Tx) error {
		o, err := tx.OperatorByLogin(e.Login)
		if err == nil {
			operator = *o
		} else if rating.KindOf(err) == rating.NotFound {
			err = nil // an unknown login takes as long as a wrong password
		}
		return err
	})
	if err != nil {
		return err
	}
	right, err := u.Access.Passwords.Verify(c.UserContext(), operator.Password, c.FormValue("password"))
	if err != nil {
		return err
	}
	if right && !storage.Admits(operator.AllowedIPs, c.IP()) {
		e.Problem = "This login may not be used from your address."
		return u.showLogin(c, s, fiber.StatusUnauthorized, e)
	}
	if !right {
		u.Access.Throttle.Failed(key, c.IP())
		e.Problem = "Login or password is wrong."
		return u.showLogin(c, s, fiber.StatusUnauthorized, e)
	}
	u.Access.Throttle.Succeeded(key)
	if err := u.begin(c, operator.ID); err != nil {
		return err
	}
	return u.redirect(c, e.Next)
}

func (u *UI) logout(c *fiber.Ctx, s *session) error {
	if err := u.Access.Tokens.RevokeSession(s.claims); err != nil {
		return err
	}
	u.setCookie(c, sessionCookie, "", u.DB.Now().AddDate(-1, 0, 0))
	return u.redirect(c, "/login")
}

// errSetupOver answers a setup link that cannot be used any more.
var errSetupOver = rating.Errorf(rating.Forbidden, "token",
	"this setup link is used, over or wrong: start billd again for a new one, or run billd admin create LOGIN")

func (u *UI) setupForm(c *fiber.Ctx, s *session) error {
	token := c.Query("token")
	if !u.Access.Setup.Valid(token) {
		return errSetupOver
	}
	return u.render(c, s, "setup", page{Title: "Set up billd", Data: entry{Token: token}})
}

// setup makes the first operator, once, and signs it in.
func (u *UI) setup(c *fiber.Ctx, s *session) error {
	e := entry{Token: c.FormValue("token"), Login: c.FormValue("login")}
	if !u.Access.Setup.Valid(e.Token) {
		return errSetupOver
	}
	password := c.FormValue("password")
	err := auth.CheckPassword(password)
	if err == nil && password != c.FormValue("repeat") {
		err = rating.Broken("repeat", "same", "", "the two passwords differ")
	}
	if err == nil {
		err = u.Access.Setup.Use(e.Token, func() error { return u.firstOperator(c, e.Login, password) })
	}
	switch kind := rating.KindOf(err); {
	case err == nil:
	case kind == rating.Invalid:
		e.Problem = sentence(err.Error())
		c.Status(fiber.StatusBadRequest)
		return u.render(c, s, "setup", page{Title: "Set up billd", Data: e})
	case kind == rating.Unauthenticated:
		return errSetupOver
	default:
		return err
	}
	var id uint64
	err = u.DB.View(c.UserContext(), func(tx *storage.Tx) error {
		o, err := tx.OperatorByLogin(e.Login)
		if err == nil {
			id = o.ID
		}
		return err
	})
	if err != nil {
		return err
	}
	if err := u.begin(c, id); err != nil {
		return err
	}
	return u.redirect(c, "/")
}

// firstOperator refuses once somebody can log in: the link is for an installation that has nobody.
func (u *UI) firstOperator(c *fiber.Ctx, login, password string) error {
	n, err := u.operators(c)
	if err != nil {
		return err
	}
	if n > 0 {
		return rating.Errorf(rating.Conflict, "login", "there is an operator already: log in, or run billd admin create LOGIN")
	}
	env := *u.Env
	env.Actor = "setup link"
	return ops.CreateOperator(c.UserContext(), &env, login, password)
}
