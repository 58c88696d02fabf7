package kazoo

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"

	"billd/server/auth"
	"billd/storage"
)

// Options is what New needs. Log may be nil; the rest is required.
type Options struct {
	DB        *storage.DB
	Tokens    *auth.Tokens
	Secrets   *auth.Secrets
	Passwords *auth.Passwords
	Throttle  *auth.Throttle
	Log       *slog.Logger
}

// API serves the Kazoo dialect. It may be used by many goroutines.
type API struct {
	db        *storage.DB
	tokens    *auth.Tokens
	secrets   *auth.Secrets
	passwords *auth.Passwords
	throttle  *auth.Throttle
	log       *slog.Logger
	routes    *node
	nodeName  string        // what answers call this server
	newID     func() string // of a request that brings none
}

// New returns the API over an open store.
func New(o Options) *API {
	a := &API{db: o.DB, tokens: o.Tokens, secrets: o.Secrets, passwords: o.Passwords, throttle: o.Throttle, log: o.Log,
		nodeName: base64.RawURLEncoding.EncodeToString(randomBytes(10)),
		newID:    func() string { return hex.EncodeToString(randomBytes(16)) }}
	if a.log == nil {
		a.log = slog.New(slog.DiscardHandler)
	}
	a.routes = buildRoutes(a.table())
	return a
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	if _, err := rand.Read(b); err != nil {
		panic("kazoo: no randomness: " + err.Error())
	}
	return b
}

// Mount serves /v2 on app, and says of /v1 that it is gone.
func (a *API) Mount(app *fiber.App) {
	for prefix, handle := range map[string]fiber.Handler{"/v2": a.handle, "/v1": a.gone} {
		sub := fiber.New(fiber.Config{ErrorHandler: a.onError, DisableStartupMessage: true})
		sub.All("/*", handle)
		app.Mount(prefix, sub)
	}
}

func (a *API) gone(c *fiber.Ctx) error {
	return a.fail(c, newExchange(a, c), refuse(http.StatusGone, "gone", "version 1 of the API is gone, use /v2"))
}

// onError answers what reached no handler: fiber's own refusals, and panics that recover caught.
func (a *API) onError(c *fiber.Ctx, err error) error {
	var f *fiber.Error
	if errors.As(err, &f) {
		switch {
		case f.Code == http.StatusRequestEntityTooLarge:
			return a.fail(c, newExchange(a, c), tooLarge())
		case f.Code == http.StatusServiceUnavailable:
			return a.fail(c, newExchange(a, c), refuse(f.Code, "datastore_unavailable", f.Message))
		case f.Code < http.StatusInternalServerError:
			return a.fail(c, newExchange(a, c), refuse(f.Code, "bad_request", "bad request"))
		}
	}
	return a.fail(c, newExchange(a, c), err)
}

// gregorian is the distance of Kazoo's epoch, the year 0, from 1970.
const gregorian = 62167219200

// seconds returns t as Kazoo writes instants.
func seconds(t time.Time) int64 { return t.Unix() + gregorian }

// instant reads what seconds writes.
func instant(s int64) time.Time { return time.Unix(s-gregorian, 0).UTC() }
