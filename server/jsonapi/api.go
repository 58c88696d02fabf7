package jsonapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"billd/rating"
	"billd/storage"
)

// MediaType is the only one that documents have.
const MediaType = "application/vnd.api+json"

// maxBody bounds a request document; Yeti's largest, with every list attribute full, is far below.
const maxBody = 1 << 20

// Config is what an API is made of.
type Config struct {
	DB        *storage.DB
	Base      string // path of the API, without a slash at its end: "/api/rest/admin"
	Resources []Declared
	Routes    []Route
	// Authenticate says who asks. Its error is the answer: Problems or Blank.
	Authenticate func(c *fiber.Ctx) (Caller, error)
	// ReadOnly leaves out every write below /relationships/.
	ReadOnly bool
	Log      *slog.Logger // of faults; nil is slog.Default
}

// Route is an endpoint beside the resources. It asks for a caller as they do.
type Route struct {
	Method string
	Path   string // below the base, without a slash in front; "files/*" is everything below files
	Serve  func(r *Request, c *fiber.Ctx) error
}

// API serves resources below one path.
type API struct {
	Config
	types map[string]*resource // by the name on the wire
	paths map[string]*resource // by the first segment, or "accounts/:id/balance"
}

// New resolves the names by which resources refer to one another.
// Fails if a name is unknown, or declared twice.
func New(cfg Config) (*API, error) {
	api := &API{Config: cfg, types: map[string]*resource{}, paths: map[string]*resource{}}
	if api.Log == nil {
		api.Log = slog.Default()
	}
	for _, declared := range cfg.Resources {
		d, err := declared.erase()
		if err != nil {
			return nil, err
		}
		if api.types[d.typ] != nil {
			return nil, fmt.Errorf("jsonapi: %s is declared twice", d.typ)
		}
		api.types[d.typ] = d
		for _, path := range d.paths {
			if api.paths[path] != nil {
				return nil, fmt.Errorf("jsonapi: path %s is declared twice", path)
			}
			api.paths[path] = d
		}
	}
	for _, d := range api.types {
		for _, rl := range d.rels {
			if known := api.types[rl.typ] != nil; known == rl.opts.absent {
				return nil, fmt.Errorf("jsonapi: %s.%s: type %s served: %t, declared absent: %t", d.typ, rl.name, rl.typ, known, rl.opts.absent)
			}
		}
	}
	return api, nil
}

// call is one request on its way through the checks.
type call struct {
	api  *API
	c    *fiber.Ctx
	ctx  context.Context
	who  Caller
	d    *resource
	id   string
	rl   *rel
	path string // below the base, as sent
}

// Serve answers one request below the base.
func (api *API) Serve(c *fiber.Ctx) error {
	return Framed(func(c *fiber.Ctx) error {
		if err := api.serve(c); err != nil {
			api.refuse(c, err)
		}
		return nil
	})(c)
}

// Framed sets what every answer of the dialect carries around what answers, documents or not.
func Framed(answer fiber.Handler) fiber.Handler {
	return func(c *fiber.Ctx) error {
		start := time.Now()
		headers(c)
		err := answer(c)
		c.Set("X-Runtime", strconv.FormatFloat(time.Since(start).Seconds(), 'f', 6, 64))
		return err
	}
}

func headers(c *fiber.Ctx) {
	c.Set("X-Frame-Options", "SAMEORIGIN")
	c.Set("X-Xss-Protection", "0")
	c.Set("X-Content-Type-Options", "nosniff")
	c.Set("X-Permitted-Cross-Domain-Policies", "none")
	c.Set("Referrer-Policy", "strict-origin-when-cross-origin")
	c.Set("X-Request-Id", requestID(c.Get("X-Request-Id")))
}

// requestID keeps the id that a client sent, cleaned, or makes one.
func requestID(sent string) string {
	id := strings.Map(func(r rune) rune {
		if r == '-' || r == '@' || r == '.' || r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return -1
	}, sent)
	if id = id[:min(len(id), 255)]; id != "" {
		return id
	}
	return rating.NewUUID(time.Now()).String()
}

// refuse writes the answer to a request that err ended.
func (api *API) refuse(c *fiber.Ctx, err error) {
	c.Set("Cache-Control", "no-cache")
	var blank Blank
	if errors.As(err, &blank) {
		c.Status(int(blank)).Set("Content-Type", "text/html; charset=UTF-8")
		c.Response().ResetBody()
		return
	}
	ps := asProblems(err)
	if ps[0].Status >= 500 {
		api.Log.Error("request failed", "method", c.Method(), "path", c.Path(), "error", err)
	}
	c.Status(ps[0].Status).Response().SetBodyRaw(ps.append(nil))
	c.Set("Content-Type", MediaType)
}

// ErrorHandler answers what fiber refuses before Serve is reached, and panics that were caught.
func (api *API) ErrorHandler(c *fiber.Ctx, err error) error {
	var fe *fiber.Error
	switch {
	case !errors.As(err, &fe):
		api.refuse(c, err)
	case fe.Code == fiber.StatusNotFound || fe.Code == fiber.StatusMethodNotAllowed:
		api.refuse(c, NoRoute)
	default:
		api.refuse(c, problem(fe.Code, strconv.Itoa(fe.Code), fe.Message, fe.Message))
	}
	return nil
}

func (api *API) serve(c *fiber.Ctx) error {
	k := &call{api: api, c: c}
	handle := k.route(c.Method(), strings.TrimPrefix(string(c.Request().URI().PathOriginal()), api.Base))
	if handle == nil {
		return NoRoute
	}
	var err error
	if k.who, err = api.Authenticate(c); err != nil {
		return err
	}
	k.ctx = storage.As(c.UserContext(), k.who.Name)
	return handle(k)
}

// base returns the start of every link.
func (k *call) base() string { return k.c.BaseURL() + k.api.Base }

// view runs fn on one state of the store.
func (k *call) view(fn func(*Request) error) error {
	return k.api.DB.View(k.ctx, func(tx *storage.Tx) error {
		return fn(&Request{Context: k.ctx, Tx: tx, Scope: k.who.Scope})
	})
}

// change runs fn in one transaction that is kept when fn and all computed values succeed.
func (k *call) change(fn func(*Request) error) error {
	err := k.api.DB.Update(k.ctx, func(tx *storage.Tx) error {
		r := &Request{Context: k.ctx, Tx: tx, Scope: k.who.Scope}
		if err := fn(r); err != nil {
			return err
		}
		return r.err
	})
	if err == nil && k.d.done != nil {
		k.d.done()
	}
	return err
}
