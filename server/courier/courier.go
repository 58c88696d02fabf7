package courier

import (
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"time"
)

// defaultTimeout ends a delivery that makes no progress, and every delivery as a whole.
const defaultTimeout = 30 * time.Second

// Options are how a Courier goes about it; all may be zero.
type Options struct {
	Agent   string        // how it names itself to web servers
	Timeout time.Duration // of one delivery; 0 is 30 seconds
	TLS     *tls.Config   // whom to trust; nil: whom the machine trusts
}

// Courier delivers. It may be used by many at once.
type Courier struct {
	o    Options
	http *http.Client
}

// New makes a Courier.
func New(o Options) *Courier {
	if o.Timeout == 0 {
		o.Timeout = defaultTimeout
	}
	return &Courier{o: o, http: newClient(o)}
}

// Failure says why a delivery failed.
type Failure struct {
	Final       bool  // trying again is of no use
	Unreachable bool  // the server itself: what else is for it would fail as well
	Err         error // the reason, for operators
}

// Error returns the reason.
func (f *Failure) Error() string { return f.Err.Error() }

// Unwrap returns the reason.
func (f *Failure) Unwrap() error { return f.Err }

// stopped turns the end of a delivery's time into its own words. A connection's time may end a moment
// before the context's, with an error that says less.
func stopped(ctx context.Context, err error, timeout time.Duration) error {
	if d, ok := ctx.Deadline(); ok && time.Until(d) < timeout/20 {
		return errors.New("no answer within " + timeout.String())
	}
	return err
}
