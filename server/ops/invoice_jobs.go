package ops

import (
	"context"
	"errors"
	"fmt"

	"billd/rating"
	"billd/storage"
)

// RunDueInvoices makes every automatic invoice whose period and longest call are over, period after
// period where several were missed, and fills them. It returns how many it made. What fails for one
// account is reported and does not keep another from its invoice.
func RunDueInvoices(ctx context.Context, env *Env) (made int, err error) {
	var due []rating.AccountID
	if err := env.DB.View(ctx, func(tx *storage.Tx) (err error) {
		due, err = tx.DueInvoices()
		return err
	}); err != nil {
		return 0, err
	}
	var failed []error
	for _, id := range due {
		n, err := runAccount(ctx, env, id)
		if made += n; err != nil {
			failed = append(failed, fmt.Errorf("account %d: %w", id, err))
		}
		if ctx.Err() != nil {
			return made, errors.Join(failed...)
		}
	}
	if _, err := FillInvoices(ctx, env); err != nil {
		failed = append(failed, err)
	}
	return made, errors.Join(failed...)
}

// runAccount makes what is due of one account.
func runAccount(ctx context.Context, env *Env, id rating.AccountID) (made int, err error) {
	for {
		inv, due, err := env.DB.RunInvoice(ctx, id)
		if err != nil || !due {
			return made, err
		}
		if inv != nil {
			made++
		}
	}
}

// FillInvoices fills every invoice that waits in state New. It returns how many it filled.
func FillInvoices(ctx context.Context, env *Env) (filled int, err error) {
	list, err := env.DB.FillNew(ctx)
	return len(list), err
}
