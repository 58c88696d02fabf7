package ops

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"sync"

	"billd/rating"
	"billd/server/courier"
	"billd/storage"
)

// Bounds of one round of deliveries.
const (
	deliveryBatch = 100 // messages
	deliveryLanes = 8   // servers that are spoken to at the same time
	pruneBatch    = 1000
)

// DeliverOutbox sends every message that is due, outside of any transaction, and returns how many were
// delivered. Messages for one server go one after another; when it cannot be reached, the others for it
// wait as well. What is in the middle of being sent when ctx ends is tried again later.
func DeliverOutbox(ctx context.Context, env *Env) (delivered int, err error) {
	for ctx.Err() == nil {
		due := false
		if err := env.DB.View(ctx, func(tx *storage.Tx) error {
			due = tx.MessageDue()
			return nil
		}); err != nil || !due {
			return delivered, err
		}
		var list []*storage.Message
		if err := env.DB.Update(ctx, func(tx *storage.Tx) (err error) {
			list, err = tx.BeginDeliveries(deliveryBatch)
			return err
		}); err != nil || len(list) == 0 {
			return delivered, err
		}
		n, err := newRound(ctx, env, list).run(ctx)
		if delivered += n; err != nil {
			return delivered, err
		}
	}
	return delivered, nil
}

// round is messages that are sent together, by server.
type round struct {
	env   *Env
	by    *courier.Courier
	ctx   context.Context // what came of a delivery is kept even while the server stops
	lanes map[string][]*delivery

	mu        sync.Mutex
	delivered int
	failed    []error
}

// delivery is a message with how it goes.
type delivery struct {
	*storage.Message
	server courier.Server // of an e-mail
}

// newRound sorts messages by server; those without one are settled at once.
func newRound(ctx context.Context, env *Env, list []*storage.Message) *round {
	r := &round{env: env, by: env.courier(), ctx: context.WithoutCancel(ctx), lanes: map[string][]*delivery{}}
	for _, m := range list {
		d, lane := &delivery{Message: m}, ""
		switch {
		case m.Hook != nil:
			if u, err := url.Parse(m.Hook.URL); err == nil {
				lane = u.Scheme + "://" + u.Host
			}
		case m.Mail != nil:
			if err := r.resolve(d); err != nil {
				r.note(m, &courier.Failure{Err: err})
				continue
			}
			lane = d.server.Host + ":" + strconv.Itoa(d.server.Port) + "/" + d.server.User
		}
		r.lanes[lane] = append(r.lanes[lane], d)
	}
	return r
}

// resolve finds the server that an e-mail leaves by.
func (r *round) resolve(d *delivery) error {
	return r.env.DB.View(r.ctx, func(tx *storage.Tx) error {
		c, err := tx.ServerFor(d.Mail.Contractor)
		if err == nil {
			d.server = courier.Server{Host: c.Host, Port: int(c.Port), From: c.From, User: c.User, Password: c.Password}
		}
		return err
	})
}

// run sends the round's messages and returns when all are settled.
func (r *round) run(ctx context.Context) (int, error) {
	var lanes sync.WaitGroup
	free := make(chan struct{}, deliveryLanes)
	for _, list := range r.lanes {
		free <- struct{}{}
		lanes.Go(func() {
			defer func() { <-free }()
			r.lane(ctx, list)
		})
	}
	lanes.Wait()
	return r.delivered, errors.Join(r.failed...)
}

// lane sends messages to one server. Once it cannot be reached, the others share the first one's fate.
func (r *round) lane(ctx context.Context, list []*delivery) {
	var down error
	for _, d := range list {
		if ctx.Err() != nil {
			return
		}
		err := down
		if down == nil {
			err = r.send(ctx, d)
		}
		if err != nil && ctx.Err() != nil {
			return // whether it arrived is not known: its next attempt is due already
		}
		var f *courier.Failure
		if errors.As(err, &f) && f.Unreachable {
			down = err
		}
		r.note(d.Message, err)
	}
}

// send makes one attempt.
func (r *round) send(ctx context.Context, d *delivery) error {
	if d.Hook != nil {
		return r.by.Send(ctx, &courier.Request{ID: d.UUID.String(), URL: d.Hook.URL, Method: d.Hook.Method, Body: d.Hook.Body})
	}
	l := &courier.Letter{ID: d.UUID.String(), To: d.Mail.To, Subject: d.Mail.Subject, Text: d.Mail.Text, At: d.CreatedAt}
	if d.Mail.Invoice != 0 {
		doc, err := keepPaper(ctx, r.env, d.Mail.Invoice)
		if err != nil {
			return &courier.Failure{Final: rating.KindOf(err) == rating.NotFound, Err: err}
		}
		l.Attached = &courier.Attachment{Name: doc.Name, Type: doc.Type, Body: doc.Body}
	}
	return r.by.Mail(ctx, d.server, l)
}

// note keeps what came of an attempt.
func (r *round) note(m *storage.Message, err error) {
	var f *courier.Failure
	final := errors.As(err, &f) && f.Final
	kept := r.env.DB.Update(r.ctx, func(tx *storage.Tx) error {
		if err == nil {
			return tx.Delivered(m.ID)
		}
		return tx.NotDelivered(m.ID, err.Error(), final)
	})
	r.mu.Lock()
	defer r.mu.Unlock()
	if kept != nil {
		r.failed = append(r.failed, fmt.Errorf("message %d: %w", m.ID, kept))
	} else if err == nil {
		r.delivered++
	}
}

// PruneOutbox deletes messages that were kept long enough and returns how many.
func PruneOutbox(ctx context.Context, env *Env) (pruned int, err error) {
	for ctx.Err() == nil {
		n := 0
		if err := env.DB.Update(ctx, func(tx *storage.Tx) (err error) {
			n, err = tx.PruneMessages(pruneBatch)
			return err
		}); err != nil {
			return pruned, err
		}
		if pruned += n; n < pruneBatch {
			break
		}
	}
	return pruned, nil
}

// thresholdPage is how many accounts one View looks at.
const thresholdPage = 2000

// TellThresholds queues messages for every account whose balance crossed one of its thresholds since
// the last time, and returns how many accounts that were. What fails for one account is reported and
// does not keep another from being told of.
func TellThresholds(ctx context.Context, env *Env) (told int, err error) {
	var failed []error
	for from := rating.AccountID(1); from != 0 && ctx.Err() == nil; {
		var crossed []rating.AccountID
		if err := env.DB.View(ctx, func(tx *storage.Tx) (err error) {
			crossed, from, err = tx.CrossedAccounts(from, thresholdPage)
			return err
		}); err != nil {
			return told, errors.Join(append(failed, err)...)
		}
		for _, id := range crossed {
			now := false
			if err := env.DB.Update(ctx, func(tx *storage.Tx) (err error) {
				now, err = tx.TellThreshold(id)
				return err
			}); err != nil {
				failed = append(failed, fmt.Errorf("account %d: %w", id, err))
			} else if now {
				told++
			}
		}
	}
	return told, errors.Join(failed...)
}
