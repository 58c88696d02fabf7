package native

import (
	"bytes"
	"encoding/json"
	"net/url"

	"billd/rating"
	"billd/server/ops"

	"github.com/gofiber/fiber/v2"
)

// undoImport puts a deck back to what it was before its last import.
func (a *API) undoImport(c *fiber.Ctx) error {
	args := ops.UndoImportArgs{Deck: c.Query("deck")}
	var err error
	if args.DryRun, err = onOff("dry_run", c.Query("dry_run")); err != nil {
		return err
	}
	report, err := ops.UndoImport(c.UserContext(), a.Env, args, func(int64, int64, string) {})
	if err != nil {
		return err
	}
	return c.JSON(report)
}

// onOff reads an option that is on or off.
func onOff(name, s string) (bool, error) {
	switch s {
	case "", "0", "false":
		return false, nil
	case "1", "true":
		return true, nil
	}
	return false, rating.Broken(name, "inclusion", "", "%s %q: want 1 or 0", name, clip(s))
}

// listProfiles answers the saved ways to import price lists.
func (a *API) listProfiles(c *fiber.Ctx) error {
	list, err := ops.ImportProfiles(c.UserContext(), a.Env)
	if err != nil {
		return err
	}
	return c.JSON(fiber.Map{"profiles": list})
}

// profileName returns the name in the path.
func profileName(c *fiber.Ctx) (string, error) {
	name, err := url.PathUnescape(c.Params("name"))
	if err != nil {
		return "", rating.Broken("name", "format", "", "profile name %q: not a path", clip(c.Params("name")))
	}
	return name, nil
}

func (a *API) showProfile(c *fiber.Ctx) error {
	name, err := profileName(c)
	if err != nil {
		return err
	}
	p, err := ops.ImportProfile(c.UserContext(), a.Env, name)
	if err != nil {
		return err
	}
	return c.JSON(p)
}

// profileBody is what a profile says; its members are the options of an import.
type profileBody struct {
	Deck         string            `json:"deck"`
	Mode         string            `json:"mode"`
	Currency     string            `json:"currency"`
	Preset       string            `json:"preset"`
	Vendor       string            `json:"vendor"`
	Sheet        string            `json:"sheet"`
	Delimiter    string            `json:"delimiter"`
	Decimal      string            `json:"decimal"`
	Dates        string            `json:"dates"`
	Timezone     string            `json:"timezone"`
	Prepend      string            `json:"prepend"`
	Strip        []string          `json:"strip"`
	Jurisdiction string            `json:"jurisdiction"`
	Increment    string            `json:"increment"`
	Columns      map[string]string `json:"columns"`
}

// saveProfile keeps a profile under the name in the path, in place of the one that is there.
func (a *API) saveProfile(c *fiber.Ctx) error {
	name, err := profileName(c)
	if err != nil {
		return err
	}
	var b profileBody
	d := json.NewDecoder(bytes.NewReader(c.Body()))
	d.DisallowUnknownFields()
	if err := d.Decode(&b); err != nil {
		return rating.Broken("body", "json", "", "the body is not a profile: %s", clip(err.Error()))
	}
	p, err := ops.SaveImportProfile(c.UserContext(), a.Env, name, ops.ImportRatesArgs{
		Deck: b.Deck, Mode: b.Mode, Currency: b.Currency, Preset: b.Preset, Vendor: b.Vendor, Sheet: b.Sheet, Delimiter: b.Delimiter,
		Decimal: b.Decimal, Dates: b.Dates, Timezone: b.Timezone, Prepend: b.Prepend, Strip: b.Strip, Jurisdiction: b.Jurisdiction,
		Increment: b.Increment, Columns: b.Columns,
	})
	if err != nil {
		return err
	}
	return c.JSON(p)
}

func (a *API) deleteProfile(c *fiber.Ctx) error {
	name, err := profileName(c)
	if err != nil {
		return err
	}
	if err := ops.DeleteImportProfile(c.UserContext(), a.Env, name); err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}
