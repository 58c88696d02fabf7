package journal

import (
	"context"
	"fmt"

	"billd/storage/kv"
)

// staged is what an Update wrote, on its way to the disk. Updates go on from one another while they are
// staged; Views see what is durable.
type staged struct {
	rec   []byte
	state *state        // with it
	done  chan struct{} // closed when it is durable, or lost
	err   error
}

// Update runs fn and makes what it wrote durable, or nothing of it if fn fails or panics.
//
// ctx ends the wait for other writers; once fn has started it is not asked again. fn runs a second time
// if it writes more than the journal takes. After a write or sync that failed all further Updates fail,
// since nobody knows what is on the disk.
func (e *Engine) Update(ctx context.Context, fn func(kv.Txn) error) error {
	wait, err := e.Stage(ctx, fn)
	if err != nil {
		return err
	}
	return wait()
}

// Stage is Update up to the sync: the next one begins while this one's is under way, and one sync
// serves all that are staged by then.
func (e *Engine) Stage(ctx context.Context, fn func(kv.Txn) error) (wait func() error, err error) {
	s, large, err := e.stage(ctx, fn)
	switch {
	case large:
		return durable, e.Bulk(ctx, fn)
	case err != nil:
		return nil, err
	case s == nil:
		return durable, nil
	}
	return func() error { return e.wait(s) }, nil
}

func durable() error { return nil }

// stage returns what must be durable before anybody is told what fn found or wrote, nil for nothing.
func (e *Engine) stage(ctx context.Context, fn func(kv.Txn) error) (s *staged, large bool, err error) {
	if err := e.lockWithRoom(ctx); err != nil {
		return nil, false, err
	}
	defer func() { <-e.writer }()
	if err := e.broken(); err != nil {
		return nil, false, err
	}
	head := e.head
	t := &txn{layers: layers{{rows: head.layers[0].rows.Copy(), size: head.layers[0].size}, head.layers[1]}, writable: true}
	t.rec = make([]byte, recordHeader, e.last+e.last/4+1024)
	err = e.inner.View(ctx, func(base kv.Txn) error {
		t.base = base
		return fn(t)
	})
	if t.large || err != nil {
		return nil, t.large, err
	}
	if t.writes == 0 {
		return e.newest, false, nil // it may have seen what is not durable yet
	}
	e.last = len(t.rec)
	if err := e.segments[0].reserve(len(t.rec)); err != nil {
		return nil, false, fmt.Errorf("journal: %w", err)
	}
	t.layers[0].size += int64(len(t.rec))
	s = &staged{rec: t.rec, state: &state{layers: t.layers, turn: head.turn}, done: make(chan struct{})}
	e.head, e.newest = s.state, s
	e.mu.Lock()
	e.queue = append(e.queue, s)
	e.mu.Unlock()
	switch before := head.layers[0].size; {
	case t.layers[0].size >= gatherSize && before < gatherSize:
		e.timer.Reset(0)
	case before == 0:
		e.timer.Reset(gatherTime)
	}
	return s, false, nil
}

// wait returns when s is durable. Whoever comes first syncs for all that are staged then.
func (e *Engine) wait(s *staged) error {
	select {
	case <-s.done:
		return s.err
	default:
	}
	select {
	case <-s.done:
	case e.syncing <- struct{}{}:
		e.sync()
		<-e.syncing
		<-s.done
	}
	return s.err
}

// drain makes all that is staged durable. The caller holds writer.
func (e *Engine) drain() error {
	e.syncing <- struct{}{}
	defer func() { <-e.syncing }()
	e.sync()
	return e.broken()
}

// broken returns why nothing more can be written, nil while it can.
func (e *Engine) broken() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.failed
}

// sync writes what is staged as one record, so that a crash leaves all of it or nothing, and shows it.
// The caller holds syncing.
func (e *Engine) sync() {
	e.mu.Lock()
	group, err := e.queue, e.failed
	e.queue = nil
	e.mu.Unlock()
	if len(group) == 0 {
		return
	}
	if err == nil {
		if err = e.segments[0].append(e.join(group)); err != nil {
			err = fmt.Errorf("store takes no more writes until it is opened again: journal: %w", err)
			e.mu.Lock()
			e.failed = err
			e.mu.Unlock()
		} else {
			e.state.Store(group[len(group)-1].state)
			e.commits.Add(int64(len(group)))
		}
	}
	for _, s := range group {
		s.err = err
		close(s.done)
	}
}

// join returns a group's record.
func (e *Engine) join(group []*staged) []byte {
	if len(group) == 1 {
		return group[0].rec
	}
	e.joined = append(e.joined[:0], group[0].rec...)
	for _, s := range group[1:] {
		e.joined = append(e.joined, s.rec[recordHeader:]...)
	}
	return e.joined
}

// show makes s what Views see and Updates go on from. Nothing is staged then.
func (e *Engine) show(s *state) {
	e.state.Store(s)
	e.head = s
}
