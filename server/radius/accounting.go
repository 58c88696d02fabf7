package radius

import (
	"cmp"
	"context"
	"strconv"
	"time"

	"billd/rating"
	"billd/rating/cdrformat"
	"billd/storage"
)

// account stores what an Accounting-Request says. An error means that it is not stored.
func (s *Server) account(ctx context.Context, j *job) (*reply, error) {
	p := cdrformat.NewRadiusPacket(j.p.attrs)
	at := p.At
	if at.IsZero() {
		at = j.heard.Add(-p.Delay).UTC()
	}
	var err error
	switch {
	case p.Status == cdrformat.RadiusOn || p.Status == cdrformat.RadiusOff:
		err = s.restart(ctx, j, &p, at)
	case p.Kind == cdrformat.RadiusData:
		err = s.session(ctx, j, &p, at)
	case p.Kind.Voice():
		err = s.call(ctx, j, &p, at)
	}
	return &reply{code: codeAccountingResponse}, err
}

// machine returns what speaks: the sender, or the machine that it passes packets on for.
func machine(j *job, p *cdrformat.RadiusPacket) string {
	return cmp.Or(p.NAS(), j.from.Addr().String())
}

// restart ends what a machine had begun before it was switched off.
func (s *Server) restart(ctx context.Context, j *job, p *cdrformat.RadiusPacket, at time.Time) error {
	if err := s.session(ctx, j, p, at); err != nil {
		return err
	}
	return s.env.DB.Update(ctx, func(tx *storage.Tx) error {
		_, err := tx.EndDialogsOf(scope(j.nas), machine(j, p))
		return err
	})
}

// options say how the calls of a NAS are read: in its zone, else in that of the source that it names. The other rules
// of a source are charging's.
func (s *Server) options(n *storage.NAS, address string) cdrformat.RadiusOptions {
	o := cdrformat.RadiusOptions{Source: n.CallSource(), Account: n.Account, Rules: n.Rules, Address: address}
	o.Leg, _ = cdrformat.ParseRadiusLeg(n.Leg) // judged when it was saved
	name := n.Zone
	if source := s.env.DB.Catalog().Source(o.Source); name == "" && source != nil {
		name = source.Zone
	}
	if name != "" {
		if zone, err := time.LoadLocation(name); err == nil { // judged likewise
			o.Zone = zone
		}
	}
	return o
}

// call charges the call that a packet ends, alone or with what was told when it began. What cannot be charged is held
// with its reason; both are the store's, in one transaction.
func (s *Server) call(ctx context.Context, j *job, p *cdrformat.RadiusPacket, at time.Time) error {
	o := s.options(j.nas, j.from.Addr().String())
	call, rec := &rating.Call{}, cdrformat.Record{}
	cdrformat.RadiusCall(&cdrformat.RadiusTold{Packet: *p, At: at}, o, call, &rec)
	if rec.Skipped != "" {
		return nil
	}
	record := storage.Record{Call: call, Half: rec.Half}
	if rec.Bad != "" {
		record = storage.Record{Raw: rec.Raw, Detail: rec.Bad, Source: o.Source, Half: rec.Half}
	}
	if h := record.Half; h != nil {
		h.Scope, h.Machine = scope(j.nas), machine(j, p)
	}
	_, err := s.env.Queue.Submit(ctx, []storage.Record{record})
	return err
}

// scope names a NAS as what gives its calls their keys.
func scope(n *storage.NAS) string { return "nas/" + strconv.FormatUint(n.ID, 10) }

// session takes in a record of a broadband session, or of the restart of what has them.
func (s *Server) session(ctx context.Context, j *job, p *cdrformat.RadiusPacket, at time.Time) error {
	r := dataRecord(j, p, at)
	return s.env.Auths.Do(ctx, func(tx *storage.Tx) error {
		_, err := tx.RecordData(&r)
		return err
	})
}
