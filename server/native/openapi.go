package native

import (
	_ "embed"

	"github.com/gofiber/fiber/v2"
)

// document describes the API in OpenAPI 3.1. A test holds it against the routes and live answers.
//
//go:embed openapi.json
var document []byte

func (a *API) openAPI(c *fiber.Ctx) error {
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	return c.Send(document)
}
