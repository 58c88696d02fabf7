package ops

import (
	"context"
	"errors"
	"slices"

	"billd/storage"
)

// renewBatch is how many services are renewed in one transaction.
const renewBatch = 100

// RenewServices renews every service whose paid period is over, period after period where several were
// missed, and suspends those that the balance does not allow. It returns how many periods it renewed.
// What fails for one service does not keep another from its renewal.
func RenewServices(ctx context.Context, env *Env) (renewed int, err error) {
	var due []uint64
	err = env.DB.View(ctx, func(tx *storage.Tx) (err error) {
		due, err = tx.DueServices()
		return err
	})
	for err == nil && len(due) > 0 {
		var again []uint64
		var failed []error
		for batch := range slices.Chunk(due, renewBatch) {
			more, err := renew(ctx, env, batch)
			for i := 0; err != nil && i < len(batch) && ctx.Err() == nil; i++ {
				one, e := renew(ctx, env, batch[i:i+1])
				if e != nil {
					failed = append(failed, e)
				}
				more = append(more, one...)
			}
			again = append(again, more...)
		}
		renewed += len(again)
		due, err = again, errors.Join(append(failed, ctx.Err())...)
	}
	return renewed, err
}

// renew renews services for a period each and returns those that were.
func renew(ctx context.Context, env *Env, ids []uint64) (renewed []uint64, err error) {
	err = env.DB.Update(ctx, func(tx *storage.Tx) error {
		renewed = nil
		for _, id := range ids {
			ok, err := tx.RenewYetiService(id)
			if err != nil {
				return err
			}
			if ok {
				renewed = append(renewed, id)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return renewed, nil
}

// Bounds of the scheduled rates. Source of the first: Yeti, contract 6.10.
const (
	nextRatesPerRun   = 50_000
	nextRatesPerWrite = 1_000
)

// ApplyNextRates writes the scheduled changes of rates whose time has come, the earliest first. It
// returns how many it wrote.
func ApplyNextRates(ctx context.Context, env *Env) (applied int, err error) {
	for applied < nextRatesPerRun {
		due := false
		if err = env.DB.View(ctx, func(tx *storage.Tx) error {
			due = tx.NextRateDue()
			return nil
		}); err != nil || !due {
			return applied, err
		}
		n := 0
		if err = env.DB.Update(ctx, func(tx *storage.Tx) (err error) {
			n, err = tx.ApplyNextRates(nextRatesPerWrite)
			return err
		}); err != nil || n == 0 {
			return applied, err
		}
		applied += n
	}
	return applied, nil
}
