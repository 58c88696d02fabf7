package native

import (
	"billd/server/ops"

	"github.com/gofiber/fiber/v2"
)

// listNAS answers who may speak RADIUS, without secrets, and the latest senders that may not.
func (a *API) listNAS(c *fiber.Ctx) error {
	list, err := ops.ListNAS(c.UserContext(), a.Env)
	if err != nil {
		return err
	}
	return c.JSON(list)
}
