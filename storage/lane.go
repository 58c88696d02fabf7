package storage

import (
	"context"
	"sync"
)

// lane is where pieces of work wait for the writers that commit them.
type lane[W any] struct {
	queue chan W
	stop  chan struct{}
	once  sync.Once
	ended chan struct{} // the writers are gone: what is still queued is not done
}

// newLane starts a lane's writers: each calls commit with a piece of work, one at a time. Stop ends them.
func newLane[W any](commit func(W)) *lane[W] {
	l := &lane[W]{queue: make(chan W, maxQueued), stop: make(chan struct{}), ended: make(chan struct{})}
	var all sync.WaitGroup
	for range writers {
		all.Go(func() { l.write(commit) })
	}
	go func() {
		all.Wait()
		close(l.ended)
	}()
	return l
}

// Stop finishes what is queued and ends the writers. Later work is refused.
func (l *lane[W]) Stop() {
	l.once.Do(func() { close(l.stop) })
	<-l.ended
}

// put queues a piece of work and returns when ready is closed. It returns ErrBusy when the work was not
// done and will not be, and the context's error when the caller did not wait for it.
func (l *lane[W]) put(ctx context.Context, w W, ready <-chan struct{}) error {
	select {
	case <-l.stop:
		return ErrBusy
	case l.queue <- w:
	}
	select {
	case <-ready:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-l.ended:
	}
	// It may have slipped in when the writers had looked for the last time.
	select {
	case <-ready:
		return nil
	default:
		return ErrBusy
	}
}

// next takes a piece of work if one waits.
func (l *lane[W]) next() (w W, ok bool) {
	select {
	case w = <-l.queue:
		return w, true
	default:
		return w, false
	}
}

func (l *lane[W]) write(commit func(W)) {
	for {
		select {
		case w := <-l.queue:
			commit(w)
		case <-l.stop:
			for w, ok := l.next(); ok; w, ok = l.next() {
				commit(w)
			}
			return
		}
	}
}
