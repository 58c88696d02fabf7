package ui

import (
	"context"
	"errors"
	"net/http"

	"billd/rating"

	"github.com/gofiber/fiber/v2"
)

// statuses turns a kind of refusal into a status; only here.
var statuses = map[rating.Kind]int{
	rating.Internal: 500, rating.Invalid: 400, rating.NotFound: 404, rating.Conflict: 409, rating.Unauthenticated: 401,
	rating.Forbidden: 403, rating.Limit: 429, rating.Range: 400, rating.Unsupported: 415,
}

// problem is what the error page says.
type problem struct {
	Status int
	Text   string
}

// fail answers an error as a page. What is billd's own fault says nothing of its cause.
func (u *UI) fail(c *fiber.Ctx, s *session, err error) error {
	p := u.describe(c, err)
	c.Status(p.Status)
	return u.render(c, s, "error", page{Title: http.StatusText(p.Status), Data: p})
}

func (u *UI) describe(c *fiber.Ctx, err error) problem {
	var f *fiber.Error
	if errors.As(err, &f) {
		return problem{f.Code, ""}
	}
	if errors.Is(err, context.Canceled) {
		return problem{fiber.StatusServiceUnavailable, "The request ended before its answer was ready."}
	}
	kind := rating.KindOf(err)
	if kind == rating.Internal {
		u.Log.Error("page failed", "method", c.Method(), "path", c.Path(), "err", err)
		return problem{fiber.StatusInternalServerError, "billd could not make this page; its log says why."}
	}
	return problem{statuses[kind], sentence(err.Error())}
}
