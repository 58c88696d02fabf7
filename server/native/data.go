package native

import (
	"bytes"
	"encoding/json"
	"io"
	"net/url"
	"strconv"

	"billd/rating"
	"billd/rating/dataformat"
	"billd/server/ops"

	"github.com/gofiber/fiber/v2"
)

// postDataSessions takes accounting records of broadband sessions in and answers an item per record, in
// order, once all are durable. Records that name no time are of now.
func (a *API) postDataSessions(c *fiber.Ctx) error {
	o := dataformat.Options{Source: c.Query("source"), Now: a.DB.Now()}
	var records []rating.DataRecord
	err := dataformat.Each(bytes.NewReader(c.Body()), o, func(line int, list []rating.DataRecord, wrong error) error {
		if wrong != nil {
			list = []rating.DataRecord{{Source: o.Source, Damage: "record " + strconv.Itoa(line) + ": " + wrong.Error()}}
		}
		if records = append(records, list...); len(records) > maxRecords {
			return tooMany()
		}
		return nil
	})
	if err != nil {
		return err
	}
	verdicts, err := ops.RecordData(c.UserContext(), a.Env, records)
	if err != nil {
		return err
	}
	items := make([]ops.DataAnswer, len(verdicts))
	counts := fiber.Map{}
	for o := rating.DataOutcome(0); o < rating.NumDataOutcomes; o++ {
		counts[o.String()] = 0
	}
	for i := range verdicts {
		items[i] = ops.NewDataAnswer(&verdicts[i])
		counts[items[i].Status] = counts[items[i].Status].(int) + 1
	}
	return c.JSON(fiber.Map{"items": items, "counts": counts})
}

// listDataSessions walks sessions by number; ?user= and ?open=1 pick.
func (a *API) listDataSessions(c *fiber.Ctx) error {
	open, err := flag(c, "open")
	if err != nil {
		return err
	}
	args := ops.DataUsageArgs{User: c.Query("user"), Open: open}
	return listed(c, func(s *ops.DataSessionView) string { return s.ID }, func(from uint64, n int) ([]ops.DataSessionView, error) {
		return ops.DataSessions(c.UserContext(), a.Env, args, from, n)
	})
}

// flag reads a query parameter that is on or off.
func flag(c *fiber.Ctx, name string) (bool, error) {
	switch text := c.Query(name); text {
	case "", "0", "false":
		return false, nil
	case "1", "true":
		return true, nil
	default:
		return false, rating.Broken(name, "inclusion", "", "%s %q: want 1 or 0", name, clip(text))
	}
}

// dataUsage answers what subscriptions used, by period and day.
func (a *API) dataUsage(c *fiber.Ctx) error {
	v, err := ops.DataUsage(c.UserContext(), a.Env, ops.DataUsageArgs{Account: c.Query("account"), User: c.Query("user"), From: c.Query("from"), To: c.Query("to")})
	if err != nil {
		return err
	}
	return c.JSON(v)
}

// unassignedData answers what users without a subscription used.
func (a *API) unassignedData(c *fiber.Ctx) error {
	list, err := ops.UnassignedData(c.UserContext(), a.Env)
	if err != nil {
		return err
	}
	return c.JSON(fiber.Map{"items": list})
}

func (a *API) listDataPlans(c *fiber.Ctx) error {
	list, err := ops.DataPlans(c.UserContext(), a.Env)
	if err != nil {
		return err
	}
	return c.JSON(fiber.Map{"items": list})
}

// strict reads a body into v and refuses members that v does not have; an empty body is all of v's zeros.
func strict(c *fiber.Ctx, v any) error {
	d := json.NewDecoder(bytes.NewReader(c.Body()))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil && err != io.EOF {
		return rating.Broken("body", "json", "", "the body is not what is wanted here: %s", clip(err.Error()))
	}
	return nil
}

func (a *API) addDataPlan(c *fiber.Ctx) error {
	var b struct {
		Name      string `json:"name"`
		Currency  string `json:"currency"`
		Unit      string `json:"unit"`
		Price     string `json:"price"`
		Allowance string `json:"allowance"`
		Overage   string `json:"overage"`
		Count     string `json:"count"`
		Period    string `json:"period"`
	}
	if err := strict(c, &b); err != nil {
		return err
	}
	p, err := ops.AddDataPlan(c.UserContext(), a.Env, ops.DataPlanArgs{Name: b.Name, Currency: b.Currency, Unit: b.Unit, Price: b.Price,
		Allowance: b.Allowance, Overage: b.Overage, Count: b.Count, Period: b.Period})
	if err != nil {
		return err
	}
	return c.Status(fiber.StatusCreated).JSON(p)
}

// planName returns the plan's name in the path.
func planName(c *fiber.Ctx) (string, error) {
	name, err := url.PathUnescape(c.Params("name"))
	if err != nil {
		return "", rating.Broken("name", "format", "", "plan name %q: not a path", clip(c.Params("name")))
	}
	return name, nil
}

func (a *API) deleteDataPlan(c *fiber.Ctx) error {
	name, err := planName(c)
	if err != nil {
		return err
	}
	if err := ops.DeleteDataPlan(c.UserContext(), a.Env, name); err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}

// explainDataPlan prices ?used=, such as 130GB, in one period of a plan.
func (a *API) explainDataPlan(c *fiber.Ctx) error {
	name, err := planName(c)
	if err != nil {
		return err
	}
	e, err := ops.ExplainData(c.UserContext(), a.Env, name, c.Query("used"))
	if err != nil {
		return err
	}
	return c.JSON(e)
}

// listDataSubscriptions walks subscriptions by number, those of ?account= alone.
func (a *API) listDataSubscriptions(c *fiber.Ctx) error {
	return listed(c, func(s *ops.DataSubscriptionView) string { return s.ID }, func(from uint64, n int) ([]ops.DataSubscriptionView, error) {
		return ops.DataSubscriptions(c.UserContext(), a.Env, c.Query("account"), from, n)
	})
}

func (a *API) addDataSubscription(c *fiber.Ctx) error {
	var b struct {
		Account string      `json:"account"`
		User    string      `json:"user"`
		Plan    string      `json:"plan"`
		Service json.Number `json:"service_id"`
		From    string      `json:"from"`
		Till    string      `json:"till"`
	}
	if err := strict(c, &b); err != nil {
		return err
	}
	args := ops.DataSubscriptionArgs{Account: b.Account, User: b.User, Plan: b.Plan, From: b.From, Till: b.Till}
	if b.Service != "" {
		n, err := strconv.ParseUint(b.Service.String(), 10, 63)
		if err != nil {
			return rating.Broken("service_id", "format", "", "service_id %q: want a number", clip(b.Service.String()))
		}
		args.Service = n
	}
	v, err := ops.AddDataSubscription(c.UserContext(), a.Env, args)
	if err != nil {
		return err
	}
	return c.Status(fiber.StatusCreated).JSON(v)
}

// endDataSubscription ends a subscription now, or at the body's till.
func (a *API) endDataSubscription(c *fiber.Ctx) error {
	n, err := id(c, "subscription")
	if err != nil {
		return err
	}
	var b struct {
		Till string `json:"till"`
	}
	if err := strict(c, &b); err != nil {
		return err
	}
	v, err := ops.EndDataSubscription(c.UserContext(), a.Env, ops.DataSubscriptionArgs{ID: n, Till: b.Till})
	if err != nil {
		return err
	}
	return c.JSON(v)
}

// listHeldData walks held records by number; ?reason= and ?user= pick.
func (a *API) listHeldData(c *fiber.Ctx) error {
	args := ops.HeldDataArgs{Reason: c.Query("reason"), User: c.Query("user")}
	return listed(c, func(h *ops.HeldDataView) string { return h.ID }, func(from uint64, n int) ([]ops.HeldDataView, error) {
		return ops.HeldData(c.UserContext(), a.Env, args, from, n)
	})
}

// heldDataArgs pick held records; none of them picks all.
type heldDataArgs struct {
	ID     json.Number `json:"id"`
	Reason string      `json:"reason"`
	User   string      `json:"user"`
	Accept bool        `json:"accept"`
	All    bool        `json:"all"`
}

func (b heldDataArgs) args() (ops.HeldDataArgs, error) {
	args := ops.HeldDataArgs{Reason: b.Reason, User: b.User, Accept: b.Accept}
	if b.ID == "" {
		return args, nil
	}
	n, err := strconv.ParseUint(b.ID.String(), 10, 63)
	if err != nil || n == 0 {
		return args, rating.Broken("id", "format", "", "id %q: want a held record's number", clip(b.ID.String()))
	}
	args.ID = n
	return args, nil
}

// retryHeldData takes held records in again.
func (a *API) retryHeldData(c *fiber.Ctx) error {
	var b heldDataArgs
	if err := strict(c, &b); err != nil {
		return err
	}
	args, err := b.args()
	if err != nil {
		return err
	}
	sum, err := ops.RetryHeldData(c.UserContext(), a.Env, args)
	if err != nil {
		return err
	}
	return c.JSON(sum)
}

// dropHeldData gives held records up; all of them only when the body says so.
func (a *API) dropHeldData(c *fiber.Ctx) error {
	var b heldDataArgs
	if err := strict(c, &b); err != nil {
		return err
	}
	args, err := b.args()
	if err != nil {
		return err
	}
	if args == (ops.HeldDataArgs{Accept: b.Accept}) && !b.All {
		return rating.Broken("id", "required", "", `say which: want id, reason, user, or "all":true`)
	}
	n, err := ops.DropHeldData(c.UserContext(), a.Env, args)
	if err != nil {
		return err
	}
	return c.JSON(fiber.Map{"dropped": n})
}
