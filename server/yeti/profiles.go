package yeti

import (
	"strings"

	"github.com/gofiber/fiber/v2"

	"billd/server/jsonapi"
)

// profileFlags are what a portal is advised to show, in the order of the wire; those after "-" are off.
// Source: contract 4.4.
const profileFlags = `account outgoing-rateplans outgoing-cdrs outgoing-cdr-exports outgoing-statistics
	outgoing-statistics-active-calls outgoing-statistics-acd outgoing-statistics-asr outgoing-statistics-failed-calls
	outgoing-statistics-successful-calls outgoing-statistics-total-calls outgoing-statistics-total-duration
	outgoing-statistics-total-price outgoing-statistics-acd-value outgoing-statistics-asr-value
	outgoing-statistics-failed-calls-value outgoing-statistics-successful-calls-value outgoing-statistics-total-calls-value
	outgoing-statistics-total-duration-value outgoing-statistics-total-price-value outgoing-active-calls outgoing-numberlists
	incoming-cdrs incoming-statistics incoming-statistics-active-calls incoming-statistics-acd incoming-statistics-asr
	incoming-statistics-failed-calls incoming-statistics-successful-calls incoming-statistics-total-calls
	incoming-statistics-total-duration incoming-statistics-total-price incoming-statistics-acd-value
	incoming-statistics-asr-value incoming-statistics-failed-calls-value incoming-statistics-successful-calls-value
	incoming-statistics-total-calls-value incoming-statistics-total-duration-value incoming-statistics-total-price-value
	invoices payments -payments-cryptomus services transactions`

// profileDocument is the same for every customer: advice for a portal, which the API does not enforce.
var profileDocument = func() string {
	var b strings.Builder
	b.WriteString(`{"data":{"id":"1","type":"profiles","attributes":{`)
	for i, flag := range strings.Fields(profileFlags) {
		if i > 0 {
			b.WriteByte(',')
		}
		name, off := strings.CutPrefix(flag, "-")
		b.WriteString(`"` + name + `":`)
		if off {
			b.WriteString("false")
		} else {
			b.WriteString("true")
		}
	}
	b.WriteString(`}}}`)
	return b.String()
}()

// showProfile answers GET /profiles, a record without an id in its path.
func showProfile(_ *jsonapi.Request, c *fiber.Ctx) error {
	c.Set("Content-Type", jsonapi.MediaType)
	c.Set("Vary", "Accept")
	c.Set("Cache-Control", "max-age=0, private, must-revalidate")
	return c.Status(fiber.StatusOK).SendString(profileDocument)
}

// customerRoutes are the customer API's endpoints beside its resources.
var customerRoutes = []jsonapi.Route{{Method: fiber.MethodGet, Path: "profiles", Serve: showProfile}}
