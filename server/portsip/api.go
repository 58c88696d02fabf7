package portsip

import (
	"log/slog"
	"strings"
	"sync"

	"github.com/gofiber/fiber/v2"

	"billd/rating"
	"billd/server/auth"
	"billd/storage"
)

// Options is what the API needs. Log may be nil; the rest is required.
type Options struct {
	DB        *storage.DB
	Tokens    *auth.Tokens
	Passwords *auth.Passwords
	Throttle  *auth.Throttle
	Log       *slog.Logger
}

// API answers PortSIP's billing paths.
type API struct {
	o         Options
	rateCount rateCount
	refreshes sync.Mutex // a refresh token is used once
}

// New returns the API on o.
func New(o Options) *API {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &API{o: o}
}

// access says who may use a path.
type access uint8

const (
	open     access = iota // anybody: what leads to a token
	signedIn               // any token
	billing                // an administrator: Billing.FullAccess
)

// handler answers one verb of a path; the session is nil where access is open.
type handler func(*fiber.Ctx, *session) error

// route is one path and what its verbs do.
type route struct {
	path      string
	access    access
	get, post handler
	shadows   bool // a later path would take its other verbs
}

// mount is a path below which every request is this API's, and who learns there that it is not offered.
type mount struct {
	path   string
	access access
}

// mounts are narrow because /api is Yeti's and the native API's too. Call reports are here to be
// refused in this API's form.
var mounts = [...]mount{
	{"/api/call_rates", billing},
	{"/api/auth", open},
	{"/api/login", open},
	{"/api/logout", signedIn},
	{"/api/tenant", billing},
	{"/api/user", signedIn},
	{"/api/users", billing},
	{"/api/cdrs", billing},
	{"/api/calllogs", signedIn},
	{"/api/call_reports", billing},
	{"/api/completed_call_reports", billing},
}

// routes are the paths offered. Earlier ones win: export over {id}.
func (a *API) routes() []route {
	return []route{
		{path: "/api/call_rates", access: billing, get: a.listRates, post: a.createRate},
		{path: "/api/call_rates/export", access: billing, get: a.exportRates, shadows: true},
		{path: "/api/call_rates/:id", access: billing, get: a.readRate, post: a.updateRate},
		{path: "/api/call_rates/:id/destroy", access: billing, post: a.destroyRate},

		{path: "/api/auth/sign_in", access: open, post: a.signIn},
		{path: "/api/auth/refresh_token", access: open, post: a.refresh},
		{path: "/api/auth/sign_out", access: signedIn, post: a.signOut},
		{path: "/api/auth/user", access: signedIn, get: a.whoAmI},
		{path: "/api/login", access: signedIn, get: a.readSession}, // 22.0 and 22.1
		{path: "/api/login", access: open, post: a.signIn},
		{path: "/api/logout", access: signedIn, post: a.logOut},
		{path: "/api/login/oauth/token", access: open, post: a.grant},
		{path: "/api/login/oauth/revoke", access: signedIn, post: a.signOut},

		{path: "/api/tenant", access: billing, get: a.readTenant},
		{path: "/api/tenant/billing", access: billing, get: a.readBilling, post: a.saveBilling},
		{path: "/api/tenant/balance", access: billing, get: a.tenantBalance, post: a.rechargeTenant},
		{path: "/api/user/balance", access: signedIn, get: a.tenantBalance},
		{path: "/api/users/:id/balance", access: billing, get: a.userBalance, post: a.rechargeUser},

		{path: "/api/cdrs", access: billing, get: a.listCalls},
		{path: "/api/cdrs/:id", access: billing, get: a.readCall},
		{path: "/api/user/cdrs", access: signedIn, get: a.listOwnCalls},
		{path: "/api/user/cdrs/:id", access: signedIn, get: a.readOwnCall},
		{path: "/api/calllogs", access: signedIn, get: a.listCalls},
		{path: "/api/calllogs/:id", access: signedIn, get: a.readCallLog},
	}
}

// Mount puts the API on app. Whatever goes wrong below its mounts, in fiber too, is answered in this
// API's form.
func (a *API) Mount(app *fiber.App) {
	for _, m := range mounts {
		app.Mount(m.path, fiber.New(fiber.Config{ErrorHandler: a.fail}))
	}
	for _, r := range a.routes() {
		if r.get != nil {
			app.Get(r.path, a.serve(r.access, r.get)) // and HEAD
		}
		if r.post != nil {
			app.Post(r.path, a.serve(r.access, r.post))
		}
		if r.shadows {
			app.Use(r.path, func(c *fiber.Ctx) error {
				if c.Path() != r.path {
					return c.Next()
				}
				return a.serve(r.access, refusing(r))(c)
			})
		}
	}
	for _, m := range mounts {
		app.Use(m.path, a.otherwise(m))
	}
}

// serve lets h answer whoever has the access, in the order of section 1.1: 401, 403, then the rest.
func (a *API) serve(need access, h handler) fiber.Handler {
	return func(c *fiber.Ctx) error {
		s, err := a.admit(c, need)
		if err == nil {
			err = h(c, s)
		}
		if err != nil {
			return a.fail(c, err)
		}
		return nil
	}
}

// admit returns the session of a request to a path that needs an access; nil where it is open.
func (a *API) admit(c *fiber.Ctx, need access) (*session, error) {
	if need == open {
		return nil, nil
	}
	s, err := a.authenticate(c)
	if err != nil {
		return nil, err
	}
	if need == billing && !s.admin {
		return nil, rating.Errorf(rating.Forbidden, "", "this needs the permission Billing.FullAccess")
	}
	return s, nil
}

// otherwise answers what no route took: 405 on a path that is offered with other verbs, else 404.
func (a *API) otherwise(m mount) fiber.Handler {
	routes := a.routes()
	return func(c *fiber.Ctx) error {
		path := c.Path()
		if rest := strings.TrimPrefix(path, m.path); rest != "" && rest[0] != '/' {
			return c.Next() // fiber takes /api/users for a path below /api/user
		}
		var offered []route
		for _, r := range routes {
			fits := fiber.RoutePatternMatch(path, r.path, fiber.Config{CaseSensitive: true})
			if fits && (offered == nil || offered[0].path == r.path) {
				offered = append(offered, r)
			}
		}
		if offered == nil {
			return a.serve(m.access, func(*fiber.Ctx, *session) error { return errNotOffered })(c)
		}
		return a.serve(offered[0].access, refusing(offered...))(c)
	}
}

// refusing answers a verb that the routes of one path do not have.
func refusing(routes ...route) handler {
	var allow []string
	for _, r := range routes {
		if r.get != nil {
			allow = append(allow, fiber.MethodGet)
		}
		if r.post != nil {
			allow = append(allow, fiber.MethodPost)
		}
	}
	return func(c *fiber.Ctx, _ *session) error {
		c.Set(fiber.HeaderAllow, strings.Join(allow, ", "))
		return fiber.ErrMethodNotAllowed
	}
}
