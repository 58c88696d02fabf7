package ops

import (
	"context"

	"billd/rating"
	"billd/storage"
)

// RunDueInvoices makes every automatic invoice whose period and longest call are over, period after
// period where several were missed, and fills them. It returns how many it made.
func RunDueInvoices(ctx context.Context, env *Env) (made int, err error) {
	var due []rating.AccountID
	err = env.DB.View(ctx, func(tx *storage.Tx) (err error) {
		due, err = tx.DueInvoices()
		return err
	})
	for _, id := range due {
		for err == nil {
			var inv *rating.Invoice
			var more bool
			if inv, more, err = env.DB.RunInvoice(ctx, id); !more {
				break
			}
			if inv != nil {
				made++
			}
		}
		if err != nil {
			return made, err
		}
	}
	_, err = FillInvoices(ctx, env)
	return made, err
}

// FillInvoices fills every invoice that waits in state New. It returns how many it filled.
func FillInvoices(ctx context.Context, env *Env) (filled int, err error) {
	list, err := env.DB.FillNew(ctx)
	return len(list), err
}
