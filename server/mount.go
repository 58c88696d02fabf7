package server

import (
	"io"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"billd/server/kazoo"
	"billd/server/native"
	"billd/server/portsip"
	"billd/server/ui"
	"billd/server/yeti"
	"billd/storage"

	"github.com/gofiber/fiber/v2"
)

// mount puts every surface on the app. Mounts are narrow: a Use at /api would also catch /api/rest.
func (s *Server) mount(app *fiber.App) error {
	app.Use(s.guard)
	app.Get("/healthz", func(c *fiber.Ctx) error { return c.SendString("ok\n") })
	app.Get("/readyz", s.ready)
	app.Get("/metrics", s.metrics.handle)
	access := s.env.Access
	native.New(native.Options{DB: s.db, Queue: s.queue, Access: access, Env: s.env, Log: s.o.Log}).Mount(app)
	portsip.New(portsip.Options{DB: s.db, Tokens: access.Tokens, Passwords: access.Passwords, Throttle: access.Throttle, Log: s.o.Log}).Mount(app)
	tree := kazoo.New(kazoo.Options{DB: s.db, Tokens: access.Tokens, Secrets: access.Secrets, Passwords: access.Passwords, Throttle: access.Throttle, Log: s.o.Log})
	tree.Mount(app)
	dialect, err := yeti.New(yeti.Options{DB: s.db, Tokens: access.Tokens, Passwords: access.Passwords, Throttle: access.Throttle, Log: s.o.Log})
	if err != nil {
		return err
	}
	dialect.Mount(app)
	s.listed = nil
	for _, e := range dialect.Endpoints() {
		s.listed = append(s.listed, Route{e.Method, e.Path})
	}
	for _, e := range tree.Endpoints() {
		s.listed = append(s.listed, Route{e[0], e[1]})
	}
	ui.New(ui.Options{DB: s.db, Access: access, Env: s.env, Log: s.o.Log}).Mount(app)
	return nil
}

// guard counts requests and keeps a panic from ending the process: the client gets a plain 500 and the
// log the stack.
func (s *Server) guard(c *fiber.Ctx) (err error) {
	began := time.Now()
	defer func() {
		if p := recover(); p != nil {
			s.o.Log.Error("a request panicked", "method", c.Method(), "path", c.Path(), "panic", p, "stack", string(debug.Stack()))
			err = c.App().ErrorHandler(c, fiber.ErrInternalServerError)
		}
		s.metrics.request(c, time.Since(began))
	}()
	if err := limitBody(c); err != nil {
		return err
	}
	if g, ok := c.Context().Conn().(*guest); ok {
		if !g.working() {
			return fiber.ErrServiceUnavailable
		}
		defer g.waits()
	}
	return c.Next()
}

// uploads are the routes that read their body themselves, after authentication, to limits of their own.
var uploads = []string{native.Base + "/import/", "/v2/rates", "/v2/tasks"}

// smallBody is what memory is taken for on the client's word alone.
const smallBody = 64 << 10

// limitBody reads a request's body up to the limit that every other route has. With streaming on,
// fasthttp itself would let any length through.
func limitBody(c *fiber.Ctx) error {
	stream := c.Context().RequestBodyStream()
	if stream == nil {
		return nil
	}
	for _, path := range uploads {
		if strings.HasPrefix(c.Path(), path) {
			return nil
		}
	}
	length := c.Request().Header.ContentLength()
	if length > bodyLimit {
		return fiber.ErrRequestEntityTooLarge
	}
	if length >= 0 && length <= smallBody {
		body := make([]byte, length)
		if _, err := io.ReadFull(stream, body); err != nil {
			return fiber.ErrBadRequest
		}
		c.Request().SetBodyRaw(body)
		return nil
	}
	body, err := io.ReadAll(io.LimitReader(stream, bodyLimit+1))
	if err != nil {
		return fiber.ErrBadRequest
	}
	if len(body) > bodyLimit {
		return fiber.ErrRequestEntityTooLarge
	}
	c.Request().SetBodyRaw(body)
	return nil
}

// ready says whether billd can do its work: the store answers a read.
func (s *Server) ready(c *fiber.Ctx) error {
	err := s.db.View(c.Context(), func(tx *storage.Tx) error {
		_, err := tx.Accounts.Get(1)
		return err
	})
	if err != nil {
		s.o.Log.Error("not ready", "err", err)
		return c.Status(fiber.StatusServiceUnavailable).SendString("the store does not answer\n")
	}
	return c.SendString("ready\n")
}

// httpText is the lower-case sentence of a status.
func httpText(status int) string {
	if t := http.StatusText(status); t != "" {
		return strings.ToLower(t)
	}
	return "error"
}
