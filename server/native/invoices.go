package native

import (
	"encoding/json"

	"billd/rating"
	"billd/server/ops"

	"github.com/gofiber/fiber/v2"
)

// importInvoices takes finished invoices of another system with their lines, all or none; one that
// says fill is made from billd's own calls instead.
func (a *API) importInvoices(c *fiber.Ctx) error {
	var body struct {
		Invoices []map[string]json.RawMessage `json:"invoices"`
	}
	if err := json.Unmarshal(c.Body(), &body); err != nil || body.Invoices == nil {
		return rating.Broken("invoices", "type", "", `want {"invoices":[{…}]}`)
	}
	for i, f := range body.Invoices {
		if f == nil {
			return rating.Broken("invoices", "type", "", "invoice %d is not an object", i+1)
		}
	}
	items, err := ops.ImportInvoices(c.UserContext(), a.Env, body.Invoices)
	if err != nil {
		return err
	}
	return c.JSON(fiber.Map{"items": items})
}
