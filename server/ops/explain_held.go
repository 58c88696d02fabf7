package ops

import (
	"context"

	"billd/rating"
	"billd/storage"
)

// ExplainedHeld is a record in suspense, and how it would be read and charged now.
type ExplainedHeld struct {
	*storage.Suspended
	How *ExplainedCDR // nil for a record that could not be read
}

// ExplainHeld tells how a record in suspense is read, who would pay for it by which rule, and what charging
// makes of it now. Nothing is stored. Fails with NotFound.
func ExplainHeld(ctx context.Context, env *Env, id uint64) (h *ExplainedHeld, err error) {
	err = env.DB.View(ctx, func(tx *storage.Tx) error {
		held, err := tx.Suspense.Get(id)
		if err != nil {
			return err
		}
		h = &ExplainedHeld{Suspended: held}
		var call rating.Call
		if ok, err := held.Read(&call); err != nil || !ok {
			return err
		}
		h.How = &ExplainedCDR{}
		return h.How.try(tx, &call)
	})
	return h, err
}
