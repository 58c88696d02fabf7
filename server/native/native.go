package native

import (
	"errors"
	"log/slog"
	"strconv"

	"billd/rating"
	"billd/server/auth"
	"billd/server/ops"
	"billd/storage"

	"github.com/gofiber/fiber/v2"
)

// Options are what the API works with.
type Options struct {
	DB     *storage.DB
	Queue  *storage.Ingest
	Access *ops.Access
	Env    *ops.Env
	Log    *slog.Logger
}

// API serves /api/v1.
type API struct {
	Options
	routes []route
}

// route is one operation: what fiber is told and what the OpenAPI document says.
type route struct {
	method, path string
	handle       fiber.Handler
	switches     bool // it is a switch's work, which its key opens too
}

// New makes the API.
func New(o Options) *API {
	a := &API{Options: o}
	a.routes = a.table()
	return a
}

// Base is where the API lives.
const Base = "/api/v1"

// Mount hangs the API on app.
func (a *API) Mount(app *fiber.App) {
	sub := fiber.New(fiber.Config{ErrorHandler: a.fail, CaseSensitive: true, Immutable: true, UnescapePath: true})
	sub.Get("/openapi.json", a.openAPI)
	sub.Use(a.authenticate)
	for _, r := range a.routes {
		sub.Add(r.method, r.path, a.admit(r), r.handle)
	}
	app.Mount(Base, sub)
}

// principalLocal is where authenticate leaves who acts.
const principalLocal = "principal"

func (a *API) authenticate(c *fiber.Ctx) error {
	token := auth.Bearer(c.Get(fiber.HeaderAuthorization))
	if token == "" { // what a switch can be told: a name, which is not looked at, and a password
		token = auth.BasicPassword(c.Get(fiber.HeaderAuthorization))
	}
	if token == "" {
		return rating.Errorf(rating.Unauthenticated, "token", "an Authorization: Bearer token is required")
	}
	claims, err := a.Access.Tokens.Verify(token, auth.Admin, auth.Native)
	if err != nil {
		return err
	}
	c.Locals(principalLocal, claims.Principal)
	c.SetUserContext(storage.As(c.UserContext(), claims.Principal.String()))
	return c.Next()
}

// admit keeps operators and switches to the addresses that they may act from, and switches to their work.
func (a *API) admit(r route) fiber.Handler {
	return func(c *fiber.Ctx) error {
		p := c.Locals(principalLocal).(auth.Principal)
		switch p.Kind {
		case auth.KindSwitch:
			s, err := a.DB.SwitchByID(c.UserContext(), p.ID)
			if rating.KindOf(err) == rating.NotFound && err != nil {
				return rating.Errorf(rating.Unauthenticated, "token", "the switch is gone")
			}
			if err != nil {
				return err
			}
			if r.switches {
				err = from(c, s.Networks, "the key of switch "+s.Name)
			} else {
				err = rating.Errorf(rating.Forbidden, "token", "the key of switch %s opens what a switch does and not this; an operator's token does, see billd token native", s.Name)
			}
			a.Env.Senders.HeardSwitch(s.ID, a.DB.Now(), err != nil)
			if err != nil {
				return err
			}
			p.Name = s.Name
			c.SetUserContext(storage.As(c.UserContext(), p.String()))
		case auth.KindOperator:
			if err := a.operatorFrom(c, p.ID); err != nil {
				return err
			}
		}
		return c.Next()
	}
}

// operatorFrom keeps an operator to the addresses that billd admin allow says.
func (a *API) operatorFrom(c *fiber.Ctx, id uint64) error {
	return a.DB.View(c.UserContext(), func(tx *storage.Tx) error {
		o, err := tx.Operators.Get(id)
		if rating.KindOf(err) == rating.NotFound && err != nil {
			return rating.Errorf(rating.Unauthenticated, "token", "the operator is gone")
		}
		if err != nil {
			return err
		}
		return from(c, o.AllowedIPs, "operator "+o.Login)
	})
}

// from refuses who does not speak from one of networks; none are all.
func from(c *fiber.Ctx, networks []string, who string) error {
	if storage.Admits(networks, c.IP()) {
		return nil
	}
	return rating.Errorf(rating.Forbidden, "token", "%s may not act from %s", who, c.IP())
}

// statuses turns a kind of refusal into a status; only here.
var statuses = map[rating.Kind]int{
	rating.Internal: 500, rating.Invalid: 400, rating.NotFound: 404, rating.Conflict: 409, rating.Unauthenticated: 401,
	rating.Forbidden: 403, rating.Limit: 429, rating.Range: 422, rating.Unsupported: 415,
}

// problem is the error body.
type problem struct {
	Code    string `json:"code"`
	Field   string `json:"field,omitempty"`
	Message string `json:"message"`
}

// fail answers an error in the API's own form. What is not the client's fault says nothing of its cause.
func (a *API) fail(c *fiber.Ctx, err error) error {
	status, p := a.describe(c, err)
	switch status {
	case fiber.StatusServiceUnavailable:
		c.Set(fiber.HeaderRetryAfter, "1")
	case fiber.StatusUnauthorized: // some clients show what they have only when they are asked for it
		c.Set(fiber.HeaderWWWAuthenticate, `Basic realm="billd"`)
	}
	return c.Status(status).JSON(fiber.Map{"error": p})
}

func (a *API) describe(c *fiber.Ctx, err error) (int, problem) {
	var f *fiber.Error
	if errors.As(err, &f) {
		return f.Code, problem{Code: "http_" + strconv.Itoa(f.Code), Message: httpText(f.Code)}
	}
	if errors.Is(err, storage.ErrBusy) {
		return fiber.StatusServiceUnavailable, problem{Code: "busy", Message: err.Error()}
	}
	var wrong *ops.UsageError
	if errors.As(err, &wrong) {
		return fiber.StatusBadRequest, problem{Code: rating.Invalid.String(), Message: err.Error()}
	}
	var e *rating.Error
	var es rating.Errors
	switch {
	case errors.As(err, &e):
	case errors.As(err, &es) && len(es) > 0:
		e = es[0]
	default:
		e = &rating.Error{Kind: rating.Internal}
	}
	if e.Kind == rating.Internal {
		a.Log.Error("request failed", "method", c.Method(), "path", c.Path(), "err", err)
		return fiber.StatusInternalServerError, problem{Code: "internal", Message: "billd could not do this; its log says why"}
	}
	return statuses[e.Kind], problem{Code: e.Kind.String(), Field: e.Field, Message: e.Error()}
}

func httpText(code int) string {
	if e := fiber.NewError(code); e.Message != "" {
		return e.Message
	}
	return "error"
}
