package native

import (
	"bytes"
	"encoding/json"

	"billd/rating"
	"billd/storage"

	"github.com/gofiber/fiber/v2"
)

// accountPatch is what may be changed of an account here; the dialects change the rest.
type accountPatch struct {
	RatePlan *uint64 `json:"rateplan_id"` // null: rate plan default
}

// patchAccount changes the rate plan that an account is charged by.
func (a *API) patchAccount(c *fiber.Ctx) error {
	var patch accountPatch
	d := json.NewDecoder(bytes.NewReader(c.Body()))
	d.DisallowUnknownFields()
	if err := d.Decode(&patch); err != nil {
		return rating.Broken("body", "json", "", `the body is not what can be changed: want {"rateplan_id": number}`)
	}
	var doc accountDocument
	err := a.DB.Update(c.UserContext(), func(tx *storage.Tx) error {
		acc, err := tx.AccountByRef(c.Params("id"))
		if err != nil {
			return err
		}
		changed := *acc
		changed.RatePlan = 0
		if patch.RatePlan != nil && *patch.RatePlan != 0 {
			if _, err := tx.Plans.Get(*patch.RatePlan); err != nil {
				return err
			}
			changed.RatePlan = *patch.RatePlan
		}
		if err := tx.SaveAccount(&changed); err != nil {
			return err
		}
		doc, err = accountView(tx, &changed)
		return err
	})
	if err != nil {
		return err
	}
	return c.JSON(doc)
}
