package native

import (
	"encoding/json"
	"strconv"

	"billd/rating"
	"billd/server/ops"

	"github.com/gofiber/fiber/v2"
)

// listSuspense walks held calls by number, those of ?reason= or all.
func (a *API) listSuspense(c *fiber.Ctx) error {
	after, n, err := page(c)
	if err != nil {
		return err
	}
	items, err := ops.ListSuspense(c.UserContext(), a.Env, c.Query("reason"), after+1, n)
	if err != nil {
		return err
	}
	next := strconv.FormatUint(after, 10)
	if len(items) > 0 {
		next = items[len(items)-1].ID
	}
	return c.JSON(fiber.Map{"items": items, "next": next})
}

// retryArgs pick held calls; an empty body is all of them.
type retryArgs struct {
	ID     json.Number `json:"id"`
	Reason string      `json:"reason"`
}

// retrySuspense tries held calls again and answers what became of them.
func (a *API) retrySuspense(c *fiber.Ctx) error {
	var args retryArgs
	if body := c.Body(); len(body) > 0 {
		if err := json.Unmarshal(body, &args); err != nil {
			return rating.Broken("body", "json", "", `the body is not JSON: want {"id":…} or {"reason":…}`)
		}
	}
	var number uint64
	if args.ID != "" {
		var err error
		if number, err = strconv.ParseUint(args.ID.String(), 10, 63); err != nil || number == 0 {
			return rating.Broken("id", "format", "", "id %q: want a held call's number", clip(args.ID.String()))
		}
	}
	sum, err := ops.RetrySuspense(c.UserContext(), a.Env, number, args.Reason, func(int) {})
	if err != nil {
		return err
	}
	return c.JSON(sum)
}
