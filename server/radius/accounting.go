package radius

import (
	"context"

	"billd/rating/cdrformat"
	"billd/server/ops"
	"billd/storage"
)

// account stores what an Accounting-Request says. An error means that it is not stored.
func (s *Server) account(ctx context.Context, j *job) (*reply, error) {
	r := ops.NewRadiusRecord(j.nas, j.from.Addr().String(), j.heard, cdrformat.NewRadiusPacket(j.p.attrs))
	var err error
	switch {
	case r.Restart():
		err = s.restart(ctx, r)
	case r.Packet.Kind == cdrformat.RadiusData:
		err = s.session(ctx, r)
	case r.Packet.Kind.Voice():
		err = s.call(ctx, r)
	}
	return &reply{code: codeAccountingResponse}, err
}

// restart ends what a machine had begun before it was switched off.
func (s *Server) restart(ctx context.Context, r *ops.RadiusRecord) error {
	if err := s.session(ctx, r); err != nil {
		return err
	}
	return s.env.DB.Update(ctx, func(tx *storage.Tx) error {
		_, err := tx.EndDialogsOf(r.Scope(), r.Machine())
		return err
	})
}

// call charges the call that a packet ends, alone or with what was told when it began. What cannot be charged is held
// with its reason; both are the store's, in one transaction.
func (s *Server) call(ctx context.Context, r *ops.RadiusRecord) error {
	record, skipped := r.Call(s.env)
	if skipped != "" {
		return nil
	}
	_, err := s.env.Queue.Submit(ctx, []storage.Record{record})
	return err
}

// session takes in a record of a broadband session, or of the restart of what has them.
func (s *Server) session(ctx context.Context, r *ops.RadiusRecord) error {
	d := r.Data()
	return s.env.Auths.Do(ctx, func(tx *storage.Tx) error {
		_, err := tx.RecordData(&d)
		return err
	})
}
