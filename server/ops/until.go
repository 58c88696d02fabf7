package ops

import (
	"context"
	"io"
)

// untilBuffer is how much of an input is read ahead, in bytes.
const untilBuffer = 64 << 10

// UntilDone returns a reader of r that fails with ctx's cause as soon as ctx is done, even while r
// waits for a terminal or a pipe. Such a wait cannot be ended: it keeps one goroutine, and the byte
// it waits for, until r answers or the process ends. Use from one goroutine.
func UntilDone(ctx context.Context, r io.Reader) io.Reader {
	return &untilDone{ctx: ctx, r: r, buf: make([]byte, untilBuffer), reads: make(chan read, 1)}
}

type untilDone struct {
	ctx   context.Context
	r     io.Reader
	buf   []byte
	rest  []byte
	err   error
	reads chan read
}

type read struct {
	n   int
	err error
}

func (u *untilDone) Read(p []byte) (int, error) {
	if u.ctx.Err() != nil {
		return 0, context.Cause(u.ctx)
	}
	if len(u.rest) == 0 && u.err == nil {
		go func() {
			n, err := u.r.Read(u.buf)
			u.reads <- read{n, err}
		}()
		select {
		case <-u.ctx.Done():
			u.err = context.Cause(u.ctx)
		case got := <-u.reads:
			u.rest, u.err = u.buf[:got.n], got.err
		}
	}
	if len(u.rest) == 0 {
		return 0, u.err
	}
	n := copy(p, u.rest)
	u.rest = u.rest[n:]
	return n, nil
}
