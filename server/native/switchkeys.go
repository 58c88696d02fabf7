package native

import (
	"billd/server/ops"

	"github.com/gofiber/fiber/v2"
)

// listSwitches answers who has a switch's key, without the keys.
func (a *API) listSwitches(c *fiber.Ctx) error {
	list, err := ops.ListSwitches(c.UserContext(), a.Env)
	if err != nil {
		return err
	}
	return c.JSON(fiber.Map{"switches": list})
}

// keyBody is what a new key is made with.
type keyBody struct {
	Name     string    `json:"name"`
	Networks *[]string `json:"networks"`
	Seconds  int64     `json:"ttl_seconds"`
}

func (a *API) addSwitch(c *fiber.Ctx) error { return a.giveKey(c, "") }

func (a *API) renewSwitch(c *fiber.Ctx) error {
	name, err := profileName(c)
	if err != nil {
		return err
	}
	return a.giveKey(c, name)
}

// giveKey answers a key: another one of the switch named, or the first one of a switch that the body names.
func (a *API) giveKey(c *fiber.Ctx, name string) error {
	var b keyBody
	if len(c.Body()) > 0 || name == "" {
		if err := strictBody(c, &b); err != nil {
			return err
		}
	}
	args := ops.SwitchArgs{Name: b.Name, Networks: b.Networks, Seconds: b.Seconds}
	if name != "" {
		args.Name = name
	}
	key, err := ops.GiveKey(c.UserContext(), a.Env, args, name == "")
	if err != nil {
		return err
	}
	return c.JSON(key)
}

func (a *API) deleteSwitch(c *fiber.Ctx) error {
	name, err := profileName(c)
	if err != nil {
		return err
	}
	if err := ops.DeleteSwitch(c.UserContext(), a.Env, name); err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}
