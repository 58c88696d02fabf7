package portsip

import (
	"context"
	"errors"
	"math"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"

	"billd/rating"
	"billd/server/auth"
	"billd/storage"
)

// The vendor's roles that billd gives. Source: contract, section 2.
const (
	roleSystem = "SystemAdmin"
	roleAdmin  = "Admin"
	roleUser   = "StandardUser"
)

// session is a request's bearer: who, for which account, with what rights.
type session struct {
	token   string
	claims  *auth.Claims
	account rating.AccountID // the tenant, or the extension user's own
	role    string
	admin   bool // holds Billing.FullAccess
}

// context returns the request's context with its principal, for the audit trail.
func (s *session) context(c *fiber.Ctx) context.Context {
	return storage.As(c.UserContext(), s.claims.Principal.String())
}

// authenticate returns the session of the request's token. Fails with errUnauthorized.
func (a *API) authenticate(c *fiber.Ctx) (*session, error) {
	token := auth.Bearer(c.Get(fiber.HeaderAuthorization))
	claims, err := a.o.Tokens.Verify(token, auth.PortSIP)
	if rating.KindOf(err) == rating.Unauthenticated && err != nil {
		return nil, errUnauthorized
	} else if err != nil {
		return nil, err
	}
	return a.sessionOf(c.UserContext(), token, claims)
}

// sessionOf looks up whom a token speaks for. Whoever is gone or switched off has no session.
func (a *API) sessionOf(ctx context.Context, token string, claims *auth.Claims) (*session, error) {
	p := claims.Principal
	s := &session{token: token, claims: claims, account: rating.AccountID(p.AccountID), role: roleSystem, admin: true}
	if s.account == 0 {
		s.account = rating.MasterAccount
	}
	err := a.o.DB.View(ctx, func(tx *storage.Tx) error {
		account, err := tx.OpenAccount(s.account)
		if err != nil || p.Kind != auth.KindPortSIPUser {
			return err
		}
		u, err := tx.Users.Get(p.ID)
		if err != nil {
			return err
		}
		if u.Disabled || account.Disabled || u.Account != s.account {
			return errUnauthorized
		}
		s.admin, s.role = u.Admin, roleUser
		if u.Admin {
			s.role = roleAdmin
		}
		return nil
	})
	if err != nil && rating.KindOf(err) == rating.NotFound {
		err = errUnauthorized
	}
	return s, err
}

// whoAmI answers GET /api/auth/user.
func (a *API) whoAmI(c *fiber.Ctx, s *session) error {
	return c.JSON(struct {
		Role     string `json:"role"`
		Verified bool   `json:"password_verified"`
		Reset    bool   `json:"password_force_reset"`
	}{s.role, true, false})
}

// readSession answers GET /api/login.
func (a *API) readSession(c *fiber.Ctx, s *session) error {
	return c.JSON(struct {
		Token     string `json:"access_token"`
		ExpiresAt string `json:"expires_at"`
		ExpiresIn int64  `json:"expires_in"`
		Role      string `json:"role"`
	}{s.token, formatTime(s.claims.ExpiresAt), a.secondsTo(s.claims.ExpiresAt), s.role})
}

// secondsTo returns how long it is to t. A token's end is cut to the second, which does not count.
func (a *API) secondsTo(t time.Time) int64 {
	return int64(math.Ceil(t.Sub(a.o.DB.Now()).Seconds()))
}

// signOut answers POST /api/auth/sign_out and /api/login/oauth/revoke: both tokens of the sign-in end.
func (a *API) signOut(c *fiber.Ctx, s *session) error {
	return a.o.Tokens.RevokeSession(s.claims)
}

// logOut answers POST /api/logout.
func (a *API) logOut(c *fiber.Ctx, s *session) error {
	if err := a.o.Tokens.RevokeSession(s.claims); err != nil {
		return err
	}
	return c.SendStatus(http.StatusNoContent)
}

// sendTokens answers with the four fields of a sign-in.
func (a *API) sendTokens(c *fiber.Ctx, p auth.Pair) error {
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.JSON(struct {
		Type      string `json:"token_type"`
		Access    string `json:"access_token"`
		Refresh   string `json:"refresh_token"`
		ExpiresIn int64  `json:"expires_in"`
	}{"Bearer", p.Access.Text, p.Refresh.Text, a.secondsTo(p.Access.ExpiresAt)})
}

// errWrongRefresh refuses a refresh token; it does not say why.
var errWrongRefresh = &refusal{status: http.StatusUnauthorized, code: codeUnauthorized, msg: "the refresh token is unknown, used or expired"}

// renew ends the session of a refresh token and begins another. Fails with errWrongRefresh.
func (a *API) renew(ctx context.Context, token string) (auth.Pair, error) {
	a.refreshes.Lock()
	defer a.refreshes.Unlock()
	claims, err := a.o.Tokens.VerifyRefresh(token)
	if rating.KindOf(err) == rating.Unauthenticated && err != nil {
		return auth.Pair{}, errWrongRefresh
	} else if err != nil {
		return auth.Pair{}, err
	}
	if _, err := a.sessionOf(ctx, token, claims); refused(err) {
		return auth.Pair{}, errWrongRefresh
	} else if err != nil {
		return auth.Pair{}, err
	}
	if err := a.o.Tokens.RevokeSession(claims); err != nil {
		return auth.Pair{}, err
	}
	return a.o.Tokens.PortSIP(claims.Principal, 0)
}

// refused reports whether err turns a caller away for who they are, and not for a fault of billd's.
func refused(err error) bool {
	var r *refusal
	return errors.As(err, &r) && r.status == http.StatusUnauthorized
}
