package ui

import (
	"strconv"

	"billd/rating"
	"billd/server/ops"

	"github.com/gofiber/fiber/v2"
)

// howPage is how a record was read and charged, or would be.
type howPage struct {
	Call rating.CDRID // the stored call, 0 for a record in suspense
	Held *ops.ExplainedHeld
	How  *ops.ExplainedCDR // nil for a record that could not be read
	Ago  string
	Text string // why it is held, in words
}

// explainedCall answers with how a stored call was read and charged.
func (u *UI) explainedCall(c *fiber.Ctx, s *session) error {
	id, err := rowID(c, "cdr")
	if err != nil {
		return err
	}
	how, err := ops.ExplainStored(c.UserContext(), u.Env, rating.CDRID(id))
	if err != nil {
		return err
	}
	return u.render(c, s, "how", page{Title: "How CDR " + strconv.FormatUint(id, 10) + " was charged", Nav: "cdrs", Data: howPage{Call: rating.CDRID(id), How: how}})
}

// explainedHeld answers with how a record in suspense is read, and what keeps it there.
func (u *UI) explainedHeld(c *fiber.Ctx, s *session) error {
	id, err := rowID(c, "suspended call")
	if err != nil {
		return err
	}
	held, err := ops.ExplainHeld(c.UserContext(), u.Env, id)
	if err != nil {
		return err
	}
	p := howPage{Held: held, How: held.How, Ago: talkSince(u.DB.Now(), held.At), Text: reasonText(held.Reason)}
	return u.render(c, s, "how", page{Title: "Suspended call " + strconv.FormatUint(id, 10), Nav: "suspense", Data: p})
}
