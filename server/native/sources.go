package native

import (
	"bytes"
	"encoding/json"

	"billd/rating"
	"billd/server/ops"

	"github.com/gofiber/fiber/v2"
)

// explainCDR answers how a stored call was matched and priced.
func (a *API) explainCDR(c *fiber.Ctx) error {
	n, err := id(c, "cdr")
	if err != nil {
		return err
	}
	e, err := ops.ExplainStored(c.UserContext(), a.Env, rating.CDRID(n))
	if err != nil {
		return err
	}
	return c.JSON(e)
}

// listSources answers every source profile.
func (a *API) listSources(c *fiber.Ctx) error {
	all, err := ops.Sources(c.UserContext(), a.Env)
	if err != nil {
		return err
	}
	return c.JSON(fiber.Map{"sources": all})
}

func (a *API) showSource(c *fiber.Ctx) error {
	name, err := profileName(c)
	if err != nil {
		return err
	}
	p, err := ops.Source(c.UserContext(), a.Env, name)
	if err != nil {
		return err
	}
	return c.JSON(p)
}

// sourceBody is what a source profile says; what it leaves out is empty.
type sourceBody struct {
	Format  string            `json:"format"`
	Zone    string            `json:"zone"`
	Dates   string            `json:"dates"`
	Legs    string            `json:"legs"`
	Columns []string          `json:"columns"`
	Map     map[string]string `json:"map"`
	Only    []string          `json:"only"`
	Skip    []string          `json:"skip"`
	Inbound []string          `json:"inbound"`
	Called  []string          `json:"called"`
	Caller  []string          `json:"caller"`
	Pay     []string          `json:"pay"`
}

// saveSource keeps a profile under the name in the path, in place of the one that is there.
func (a *API) saveSource(c *fiber.Ctx) error {
	name, err := profileName(c)
	if err != nil {
		return err
	}
	var b sourceBody
	if err := strictBody(c, &b); err != nil {
		return err
	}
	p, err := ops.SaveSource(c.UserContext(), a.Env, ops.SourceProfile{Name: name, Format: b.Format, Zone: b.Zone, Dates: b.Dates, Legs: b.Legs,
		Columns: b.Columns, Map: b.Map, Only: b.Only, Skip: b.Skip, Inbound: b.Inbound, Called: b.Called, Caller: b.Caller, Pay: b.Pay})
	if err != nil {
		return err
	}
	return c.JSON(p)
}

// strictBody decodes a body of which every member must be known.
func strictBody(c *fiber.Ctx, into any) error {
	d := json.NewDecoder(bytes.NewReader(c.Body()))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return rating.Broken("body", "json", "", "the body is not what is wanted here: %s", clip(err.Error()))
	}
	return nil
}

func (a *API) deleteSource(c *fiber.Ctx) error {
	name, err := profileName(c)
	if err != nil {
		return err
	}
	if err := ops.DeleteSource(c.UserContext(), a.Env, name); err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}

// testBody is a call as a switch tells it.
type testBody struct {
	Number  string `json:"number"`
	Caller  string `json:"caller"`
	Account string `json:"account"`
	IP      string `json:"ip"`
	Gateway string `json:"gateway"`
	Inbound bool   `json:"inbound"`
	Seconds int    `json:"seconds"`
	At      string `json:"at"`
}

// testSource answers what a source's rules make of a call. Nothing is stored.
func (a *API) testSource(c *fiber.Ctx) error {
	name, err := profileName(c)
	if err != nil {
		return err
	}
	var b testBody
	if err := strictBody(c, &b); err != nil {
		return err
	}
	e, err := ops.TestSource(c.UserContext(), a.Env, ops.TestSourceArgs{Name: name, Number: b.Number, Caller: b.Caller, Account: b.Account,
		IP: b.IP, Gateway: b.Gateway, Inbound: b.Inbound, Seconds: b.Seconds, At: b.At})
	if err != nil {
		return err
	}
	return c.JSON(e)
}
