package native

import (
	"bytes"
	"encoding/json"
	"strconv"

	"billd/rating"
	"billd/server/ops"

	"github.com/gofiber/fiber/v2"
)

// showSettings answers every setting's value under its name.
func (a *API) showSettings(c *fiber.Ctx) error { return c.JSON(ops.SettingValues(a.DB.Settings())) }

// patchSettings changes the settings that are given, all of them or none.
func (a *API) patchSettings(c *fiber.Ctx) error {
	d := json.NewDecoder(bytes.NewReader(c.Body()))
	d.UseNumber()
	var given map[string]any
	if err := d.Decode(&given); err != nil || given == nil {
		return rating.Broken("body", "json", "", "the body is not an object of settings and their values")
	}
	values := map[string]string{}
	for name, v := range given {
		switch v := v.(type) {
		case string:
			values[name] = v
		case json.Number:
			values[name] = v.String()
		case bool:
			values[name] = strconv.FormatBool(v)
		default:
			return rating.Broken(name, "type", "", "%s: want a string, a number or a boolean", clip(name))
		}
	}
	s, err := ops.ChangeSettings(c.UserContext(), a.Env, values)
	if err != nil {
		return err
	}
	return c.JSON(ops.SettingValues(s))
}
