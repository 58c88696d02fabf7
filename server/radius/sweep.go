package radius

import (
	"context"

	"billd/rating/cdrformat"
	"billd/server/ops"
	"billd/storage"
)

// sweepBatch is how many calls one round looks at.
const sweepBatch = 500

// Sweep settles calls that were told in parts and are due: one whose other part did not come is held with
// the reason, one that was charged is forgotten. It returns how many they were, and charges nothing twice.
func Sweep(ctx context.Context, env *ops.Env) (n int, err error) {
	for ctx.Err() == nil {
		var due []*storage.RadiusCall
		err := env.DB.View(ctx, func(tx *storage.Tx) (err error) {
			due, err = tx.DueRadiusCalls(sweepBatch)
			return err
		})
		if err != nil || len(due) == 0 {
			return n, err
		}
		s := &Server{env: env}
		for _, c := range due {
			if err := s.settle(ctx, c); err != nil {
				return n, err
			}
		}
		n += len(due)
	}
	if n > 0 {
		return n, env.DB.CountRadiusCalls(context.WithoutCancel(ctx))
	}
	return n, ctx.Err()
}

// settle ends one call.
func (s *Server) settle(ctx context.Context, c *storage.RadiusCall) error {
	start, stop := halves(c)
	var o cdrformat.RadiusOptions
	err := s.env.DB.View(ctx, func(tx *storage.Tx) error {
		n := &storage.NAS{} // it may be gone
		if tx.NAS.Has(c.NAS) {
			var err error
			if n, err = tx.NAS.Get(c.NAS); err != nil {
				return err
			}
		}
		o = options(n, c.Source, c.Address)
		return nil
	})
	if err != nil {
		return err
	}
	if c.Told() { // its NAS may have given up before it was answered
		if err := s.charge(ctx, start, stop, o); err != nil {
			return err
		}
	}
	return s.env.DB.Update(ctx, func(tx *storage.Tx) error {
		now, err := tx.RadiusCalls.Get(c.ID)
		if err != nil || !now.DueAt.Equal(c.DueAt) { // its other part has just come
			return err
		}
		if !c.Told() {
			var rec cdrformat.Record
			cdrformat.RadiusLost(start, stop, o, &rec)
			if _, err := tx.HoldRaw(c.Source, rec.Raw, rec.Bad); err != nil {
				return err
			}
		}
		return tx.ForgetRadiusCall(c.ID)
	})
}
