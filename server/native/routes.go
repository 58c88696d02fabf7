package native

import "github.com/gofiber/fiber/v2"

// table is every operation behind the token.
func (a *API) table() []route {
	return []route{
		{fiber.MethodPost, "/cdrs", a.postCDRs},
		{fiber.MethodPost, "/import/cdrs", a.importCDRs},
	}
}
