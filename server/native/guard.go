package native

import (
	"bytes"
	"encoding/json"
	"strconv"

	"billd/rating"
	"billd/server/ops"

	"github.com/gofiber/fiber/v2"
)

// showGuard answers what the fraud guard watches: of the account in the path, or of all.
func (a *API) showGuard(c *fiber.Ctx) error {
	v, err := ops.GuardOf(c.UserContext(), a.Env, c.Params("id"))
	if err != nil {
		return err
	}
	return c.JSON(v)
}

// putGuard replaces the rules.
func (a *API) putGuard(c *fiber.Ctx) error {
	g, err := ops.ParseGuard(c.Body())
	if err != nil {
		return err
	}
	return a.replaceGuard(c, g)
}

// deleteGuard takes all rules away: an account has those for all then.
func (a *API) deleteGuard(c *fiber.Ctx) error { return a.replaceGuard(c, rating.Guard{}) }

func (a *API) replaceGuard(c *fiber.Ctx, g rating.Guard) error {
	v, err := ops.ReplaceGuard(c.UserContext(), a.Env, c.Params("id"), g)
	if err != nil {
		return err
	}
	return c.JSON(v)
}

// unblock lifts what blocks the account.
func (a *API) unblock(c *fiber.Ctx) error {
	ended, err := ops.Unblock(c.UserContext(), a.Env, c.Params("id"))
	if err != nil {
		return err
	}
	return c.JSON(fiber.Map{"lifted": ended})
}

// listAlarms walks alarms by number, those of ?account= and, with ?blocking=1, those that block now.
func (a *API) listAlarms(c *fiber.Ctx) error {
	after, n, err := page(c)
	if err != nil {
		return err
	}
	args := ops.GuardArgs{Account: c.Query("account")}
	switch blocking := c.Query("blocking"); blocking {
	case "", "0", "false":
	case "1", "true":
		args.Blocking = true
	default:
		return rating.Broken("blocking", "inclusion", "", "blocking %q: want 1 or 0", clip(blocking))
	}
	items, err := ops.ListAlarms(c.UserContext(), a.Env, args, after+1, n)
	if err != nil {
		return err
	}
	next := strconv.FormatUint(after, 10)
	if len(items) > 0 {
		next = items[len(items)-1].ID
	}
	return c.JSON(fiber.Map{"items": items, "next": next})
}

// putGuardPrefixes replaces the high-risk prefixes, null by those that a store begins with.
func (a *API) putGuardPrefixes(c *fiber.Ctx) error {
	var body struct {
		Prefixes *[]string `json:"prefixes"`
	}
	d := json.NewDecoder(bytes.NewReader(c.Body()))
	d.DisallowUnknownFields()
	if err := d.Decode(&body); err != nil {
		return rating.Broken("body", "json", "", `the body is not a list: want {"prefixes":["881","882"]}, null for those that a store begins with`)
	}
	var list []string
	if body.Prefixes != nil {
		list = append([]string{}, *body.Prefixes...)
	}
	list, err := ops.ReplaceGuardPrefixes(c.UserContext(), a.Env, list)
	if err != nil {
		return err
	}
	return c.JSON(fiber.Map{"prefixes": list})
}
