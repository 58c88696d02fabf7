package control

import (
	"context"
	"encoding/json"
	"io"
	"sync"
	"time"
	"unicode/utf8"
)

const (
	// maxFrame bounds the text of one frame, in bytes before it is written as JSON.
	maxFrame = 64 << 10
	// flushEvery is how long output may wait for more to go with it.
	flushEvery = 100 * time.Millisecond
	// aliveEvery is how often an answer with nothing to say says so: a write is how a gone client shows.
	aliveEvery = time.Second
)

// frame is one line of an answer. At most one member is set.
type frame struct {
	Out      string    `json:"out,omitempty"`
	Out64    []byte    `json:"out64,omitempty"`
	Err      string    `json:"err,omitempty"`
	Err64    []byte    `json:"err64,omitempty"`
	Aside    []byte    `json:"aside,omitempty"`
	Progress *progress `json:"progress,omitempty"`
	Exit     *int      `json:"exit,omitempty"`
}

type progress struct {
	Done  int64  `json:"done"`
	Total int64  `json:"total"`
	What  string `json:"what"`
}

// stream says which of a command's outputs bytes belong to.
type stream uint8

const (
	toOut stream = iota
	toErr
	toAside
)

func textFrame(to stream, p []byte) frame {
	text := utf8.Valid(p)
	switch {
	case to == toAside:
		return frame{Aside: p}
	case to == toOut && text:
		return frame{Out: string(p)}
	case to == toOut:
		return frame{Out64: p}
	case text:
		return frame{Err: string(p)}
	default:
		return frame{Err64: p}
	}
}

// frames writes an answer. Output waits up to flushEvery to leave in larger frames; their order
// is kept. The first failed write cancels the command.
type frames struct {
	enc    *json.Encoder
	flush  func() error
	cancel context.CancelCauseFunc

	mu      sync.Mutex
	to      stream
	pending []byte
	report  *progress
	wrote   time.Time
	err     error
}

func newFrames(w io.Writer, flush func() error, cancel context.CancelCauseFunc) *frames {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return &frames{enc: enc, flush: flush, cancel: cancel, wrote: time.Now()}
}

// keep flushes and shows life until ctx is done.
func (f *frames) keep(ctx context.Context) {
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			f.tick(now)
		}
	}
}

func (f *frames) tick(now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.pending) == 0 && f.report == nil {
		if now.Sub(f.wrote) >= aliveEvery {
			f.send(frame{})
			f.push()
		}
		return
	}
	f.drain()
	f.push()
}

// writer returns the writer of one stream.
func (f *frames) writer(to stream) io.Writer { return streamWriter{f, to} }

type streamWriter struct {
	f  *frames
	to stream
}

func (w streamWriter) Write(p []byte) (int, error) {
	f := w.f
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.to != w.to {
		f.drain()
		f.to = w.to
	}
	n := len(p)
	for len(p) > 0 && f.err == nil {
		take := min(len(p), maxFrame-len(f.pending))
		f.pending = append(f.pending, p[:take]...)
		p = p[take:]
		if len(f.pending) == maxFrame {
			f.sendText(wholeRunes(f.pending))
		}
	}
	if f.err != nil {
		return 0, f.err
	}
	return n, nil
}

// wholeRunes is the length of p without a rune that its end cuts.
func wholeRunes(p []byte) int {
	for cut := len(p) - 1; cut >= 0 && cut >= len(p)-utf8.UTFMax; cut-- {
		if utf8.RuneStart(p[cut]) {
			if utf8.FullRune(p[cut:]) {
				return len(p)
			}
			return cut
		}
	}
	return len(p)
}

// progress keeps the latest report until the next tick.
func (f *frames) progress(done, total int64, what string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.report = &progress{Done: done, Total: total, What: what}
}

// exit writes what waits and the last frame.
func (f *frames) exit(code int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.drain()
	f.send(frame{Exit: &code})
	f.push()
}

func (f *frames) drain() {
	if f.report != nil {
		f.send(frame{Progress: f.report})
		f.report = nil
	}
	f.sendText(len(f.pending))
}

func (f *frames) sendText(n int) {
	if n == 0 {
		return
	}
	f.send(textFrame(f.to, f.pending[:n]))
	f.pending = append(f.pending[:0], f.pending[n:]...)
}

func (f *frames) send(fr frame) {
	if f.err == nil {
		f.fail(f.enc.Encode(fr))
		f.wrote = time.Now()
	}
}

func (f *frames) push() {
	if f.err == nil {
		f.fail(f.flush())
	}
}

func (f *frames) fail(err error) {
	if err != nil {
		f.err = err
		f.cancel(context.Canceled)
	}
}
