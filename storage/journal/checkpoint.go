package journal

import (
	"context"
	"fmt"

	"billd/storage/kv"
)

// onTime is called by the timer.
func (e *Engine) onTime() {
	if err := e.checkpoint(context.Background()); err != nil && err != errClosed {
		e.timer.Reset(retryTime)
	}
}

// Flush makes the store's file hold everything that was stored before the call.
func (e *Engine) Flush(ctx context.Context) error { return e.checkpoint(ctx) }

// checkpoint writes to the store what has gathered, while Updates go on.
func (e *Engine) checkpoint(ctx context.Context) error {
	if err := lock(ctx, e.applying); err != nil {
		return err
	}
	defer func() { <-e.applying }()
	for {
		if err := e.lockWriter(ctx); err != nil {
			return err
		}
		left := e.head.layers[1] != nil // by one that failed
		e.drain()                       // what could not be made durable is not in the state
		work := e.turnOver()
		<-e.writer
		if !work {
			return nil
		}
		err := e.apply(ctx)
		if err != nil {
			return err
		}
		if err := lock(context.Background(), e.writer); err != nil {
			return err
		}
		e.drain()
		e.settle()
		<-e.writer
		if !left {
			return nil
		}
	}
}

// flush is a checkpoint whose caller holds both locks.
func (e *Engine) flush(ctx context.Context) error {
	for e.turnOver() {
		if err := e.apply(ctx); err != nil {
			return err
		}
		e.settle()
	}
	return nil
}

// turnOver makes what has gathered what is on its way to the store, unless something still is, and
// reports whether there is something to apply. The caller holds both locks.
func (e *Engine) turnOver() bool {
	s := e.state.Load()
	if s.layers[1] != nil {
		return true
	}
	if s.layers[0].rows.Len() == 0 {
		return false
	}
	id, err := newMark()
	if err != nil {
		return false // the next attempt may have luck
	}
	e.segments[0], e.segments[1] = e.segments[1], e.segments[0]
	e.segments[0].start(id, e.segments[1].id)
	e.show(&state{layers: layers{newMemory(), s.layers[0]}, turn: s.turn + 1})
	return true
}

// apply writes what is on its way to the store. The caller holds applying.
func (e *Engine) apply(ctx context.Context) error {
	s, id := e.state.Load(), e.segments[1].id
	err := e.inner.Update(ctx, func(t kv.Txn) error {
		if err := s.layers[1].apply(t); err != nil {
			return err
		}
		return putMark(t, e.o.Mark, id)
	})
	if err != nil {
		err = fmt.Errorf("bringing the store up to date: %w", err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.fault = err
	return err
}

// settle forgets what is in the store now. The caller holds both locks.
func (e *Engine) settle() {
	s := e.state.Load()
	e.show(&state{layers: layers{s.layers[0], nil}, turn: s.turn + 1})
}
