package native

import (
	"encoding/json"
	"strconv"

	"billd/rating"
	"billd/server/ops"

	"github.com/gofiber/fiber/v2"
)

// listOutbox walks messages by number, those in ?state= or all.
func (a *API) listOutbox(c *fiber.Ctx) error {
	return listed(c, func(v *ops.OutboxMessage) string { return v.ID }, func(from uint64, n int) ([]ops.OutboxMessage, error) {
		return ops.ListOutbox(c.UserContext(), a.Env, c.Query("state"), from, n)
	})
}

// showOutbox answers with one message and what it says.
func (a *API) showOutbox(c *fiber.Ctx) error {
	id, err := messageNumber(c.Params("id"))
	if err != nil {
		return err
	}
	m, err := ops.ShowOutbox(c.UserContext(), a.Env, id)
	if err != nil {
		return err
	}
	return c.JSON(m)
}

// outboxArgs pick messages.
type outboxArgs struct {
	ID    json.Number `json:"id"`
	State string      `json:"state"`
	All   bool        `json:"all"`
}

// retryOutbox makes messages due now; an empty body is all that failed.
func (a *API) retryOutbox(c *fiber.Ctx) error {
	args, id, err := readOutboxArgs(c)
	if err != nil {
		return err
	}
	n, err := ops.RetryOutbox(c.UserContext(), a.Env, id, args.State)
	if err != nil {
		return err
	}
	return c.JSON(fiber.Map{"due": n})
}

// dropOutbox gives messages up; all that wait or failed only when the body says so.
func (a *API) dropOutbox(c *fiber.Ctx) error {
	args, id, err := readOutboxArgs(c)
	if err != nil {
		return err
	}
	if id == 0 && args.State == "" && !args.All {
		return rating.Broken("body", "required", "", `want {"id":…}, {"state":…} or {"all":true}`)
	}
	n, err := ops.DropOutbox(c.UserContext(), a.Env, id, args.State)
	if err != nil {
		return err
	}
	return c.JSON(fiber.Map{"dropped": n})
}

func readOutboxArgs(c *fiber.Ctx) (args outboxArgs, id uint64, err error) {
	if body := c.Body(); len(body) > 0 {
		if err := json.Unmarshal(body, &args); err != nil {
			return args, 0, rating.Broken("body", "json", "", `the body is not JSON: want {"id":…} or {"state":…}`)
		}
	}
	if args.ID != "" {
		id, err = messageNumber(args.ID.String())
	}
	return args, id, err
}

func messageNumber(text string) (uint64, error) {
	id, err := strconv.ParseUint(text, 10, 63)
	if err != nil || id == 0 {
		return 0, rating.Broken("id", "format", "", "id %q: want a message's number", clip(text))
	}
	return id, nil
}
