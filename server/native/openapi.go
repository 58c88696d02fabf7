package native

import "github.com/gofiber/fiber/v2"

func (a *API) openAPI(c *fiber.Ctx) error { return fiber.ErrNotFound }
