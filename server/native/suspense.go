package native

import (
	"bytes"
	"encoding/json"
	"io"
	"strconv"

	"billd/rating"
	"billd/server/ops"
	"billd/storage"

	"github.com/gofiber/fiber/v2"
)

// listSuspense walks held calls by number, those that ?reason=, ?account=, ?from= and ?to= pick; ?counts=1
// adds how many there are of each reason.
func (a *API) listSuspense(c *fiber.Ctx) error {
	after, n, err := page(c)
	if err != nil {
		return err
	}
	f, err := ops.SuspenseArgs{Reason: c.Query("reason"), Account: c.Query("account"), From: c.Query("from"), To: c.Query("to")}.Filter()
	if err != nil {
		return err
	}
	items, err := ops.ListSuspense(c.UserContext(), a.Env, f, after+1, n)
	if err != nil {
		return err
	}
	answer := fiber.Map{"items": items, "next": nextOf(items, func(v *ops.HeldCDR) string { return v.ID }, after)}
	switch counts := c.Query("counts"); counts {
	case "", "0", "false":
	case "1", "true":
		if answer["reasons"], err = ops.CountSuspense(c.UserContext(), a.Env, f); err != nil {
			return err
		}
	default:
		return rating.Broken("counts", "inclusion", "", "counts %q: want 1 or 0", clip(counts))
	}
	return c.JSON(answer)
}

// gaps answers what is missing of the records of ?source= between ?from= and ?to=.
func (a *API) gaps(c *fiber.Ctx) error {
	report, err := ops.Gaps(c.UserContext(), a.Env, ops.GapsArgs{Source: c.Query("source"), From: c.Query("from"), To: c.Query("to")}, func(int) {})
	if err != nil {
		return err
	}
	return c.JSON(report)
}

// showSuspense answers one held call with all its columns.
func (a *API) showSuspense(c *fiber.Ctx) error {
	n, err := id(c, "held call")
	if err != nil {
		return err
	}
	var h ops.HeldCDR
	err = a.DB.View(c.UserContext(), func(tx *storage.Tx) error {
		s, err := tx.Suspense.Get(n)
		if err != nil {
			return err
		}
		h, err = ops.NewHeldCDR(s, true)
		return err
	})
	if err != nil {
		return err
	}
	return c.JSON(h)
}

// patchSuspense corrects columns of a held record, null takes one away, and answers it as it then is.
func (a *API) patchSuspense(c *fiber.Ctx) error {
	n, err := id(c, "held call")
	if err != nil {
		return err
	}
	var body map[string]json.RawMessage
	if err := json.Unmarshal(c.Body(), &body); err != nil || len(body) == 0 {
		return rating.Broken("body", "json", "", `the body is not what can be changed: want {"column": value, …}`)
	}
	set := make(map[string]string, len(body))
	for name, raw := range body {
		text := string(bytes.TrimSpace(raw))
		if text == "null" {
			text = ""
		} else if text[0] == '"' {
			if err := json.Unmarshal(raw, &text); err != nil {
				return rating.Broken(name, "json", "", "%s: not JSON text", clip(name))
			}
		}
		set[name] = text
	}
	h, err := ops.EditSuspense(c.UserContext(), a.Env, n, set)
	if err != nil {
		return err
	}
	return c.JSON(h)
}

// retryArgs pick held calls; an empty body is all of them.
type retryArgs struct {
	ID      json.Number `json:"id"`
	Reason  string      `json:"reason"`
	Account string      `json:"account"`
	From    string      `json:"from"`
	To      string      `json:"to"`
}

// retrySuspense tries held calls again and answers what became of them.
func (a *API) retrySuspense(c *fiber.Ctx) error {
	var args retryArgs
	d := json.NewDecoder(bytes.NewReader(c.Body()))
	d.DisallowUnknownFields() // a filter that is passed over would try too many
	if err := d.Decode(&args); err != nil && err != io.EOF {
		return rating.Broken("body", "json", "", `the body is not what picks held calls: want {"id":…} or any of reason, account, from and to`)
	}
	var number uint64
	if args.ID != "" {
		var err error
		if number, err = strconv.ParseUint(args.ID.String(), 10, 63); err != nil || number == 0 {
			return rating.Broken("id", "format", "", "id %q: want a held call's number", clip(args.ID.String()))
		}
	}
	f, err := ops.SuspenseArgs{ID: number, Reason: args.Reason, Account: args.Account, From: args.From, To: args.To}.Filter()
	if err != nil {
		return err
	}
	sum, err := ops.RetrySuspense(c.UserContext(), a.Env, f, func(int) {})
	if err != nil {
		return err
	}
	return c.JSON(sum)
}
