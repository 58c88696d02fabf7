package radius

import (
	"cmp"
	"context"
	"strconv"
	"strings"
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
		_, err := tx.EndRadiusCalls(j.nas.ID, machine(j, p))
		return err
	})
}

// options say how the calls of a NAS are read; source is what they come from.
func options(n *storage.NAS, source, address string) cdrformat.RadiusOptions {
	o := cdrformat.RadiusOptions{Source: source, Account: n.Account, Rules: n.Rules, Address: address}
	o.Leg, _ = cdrformat.ParseRadiusLeg(n.Leg) // judged when it was saved
	if n.Zone != "" {
		if zone, err := time.LoadLocation(n.Zone); err == nil {
			o.Zone = zone
		}
	}
	return o
}

// call charges the call that a packet ends, alone or with what was told when it began.
func (s *Server) call(ctx context.Context, j *job, p *cdrformat.RadiusPacket, at time.Time) error {
	o := options(j.nas, j.nas.CallSource(), j.from.Addr().String())
	half := &cdrformat.RadiusHalf{Packet: *p, At: at}
	stop := p.Status == cdrformat.RadiusStop || p.Status == cdrformat.RadiusFailed
	joined := p.Kind == cdrformat.RadiusSIP && (p.Status == cdrformat.RadiusStart || p.Status == cdrformat.RadiusStop)
	if !stop && !joined {
		return nil // the Stop tells all
	}
	if !joined && p.Timed(o.Zone) || p.Dialog() == "" && joined || p.Cancelled() {
		return s.charge(ctx, nil, half, o)
	}
	heard := storage.RadiusCall{NAS: j.nas.ID, Source: o.Source, Session: session(p, joined), Address: o.Address, Machine: machine(j, p), Whole: !joined}
	var known *storage.RadiusCall
	err := s.env.Auths.Do(ctx, func(tx *storage.Tx) (err error) {
		known, err = tx.HearRadiusCall(heard, stop, storage.RadiusPart{At: at, Body: j.p.body()})
		return err
	})
	if err != nil || !known.Told() {
		return err
	}
	start, end := halves(known)
	o.Source = known.Source
	return s.charge(ctx, start, end, o)
}

// session names a call among those of its NAS.
func session(p *cdrformat.RadiusPacket, joined bool) string {
	name := "dialog " + p.Dialog()
	if !joined {
		name = strconv.Itoa(int(p.Status)) + " " + p.CallID() + " " + p.Text(attrSession) + " " + p.NAS()
	}
	return strings.ReplaceAll(name, "\x00", "?")
}

// halves reads what was kept of a call.
func halves(c *storage.RadiusCall) (start, stop *cdrformat.RadiusHalf) {
	read := func(part *storage.RadiusPart) *cdrformat.RadiusHalf {
		if part == nil {
			return nil
		}
		return &cdrformat.RadiusHalf{Packet: cdrformat.NewRadiusPacket(unpack(part.Body)), At: part.At}
	}
	return read(c.Start), read(c.Stop)
}

// charge sends a call through the ingest queue. What cannot be charged is held there with its reason.
func (s *Server) charge(ctx context.Context, start, stop *cdrformat.RadiusHalf, o cdrformat.RadiusOptions) error {
	call, rec := &rating.Call{}, cdrformat.Record{}
	cdrformat.RadiusCall(start, stop, o, call, &rec)
	record := storage.Record{Call: call}
	switch {
	case rec.Skipped != "":
		return nil
	case rec.Bad != "":
		record = storage.Record{Raw: rec.Raw, Detail: rec.Bad, Source: o.Source}
	}
	_, err := s.env.Queue.Submit(ctx, []storage.Record{record})
	return err
}

// session takes in a record of a broadband session, or of the restart of what has them.
func (s *Server) session(ctx context.Context, j *job, p *cdrformat.RadiusPacket, at time.Time) error {
	r := dataRecord(j, p, at)
	return s.env.Auths.Do(ctx, func(tx *storage.Tx) error {
		_, err := tx.RecordData(&r)
		return err
	})
}
