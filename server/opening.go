package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"billd/server/ops"

	"github.com/gofiber/fiber/v2"
)

// patience is how long the store may take to open before the door opens without it. The file of an older
// billd that crashed is read whole once, up to 20 seconds a gigabyte; an orchestrator that asks /healthz must
// not take that for death.
const patience = 250 * time.Millisecond

// tryAgain is what an answer that waits for the store says in Retry-After, in seconds.
const tryAgain = "2"

// open opens the store. When that takes longer than patience, the address is listened on already: /healthz is
// up, /readyz and everything else say to come back. The listener is nil if nobody had to wait.
func (s *Server) open(ctx context.Context) (net.Listener, error) {
	opened := make(chan error, 1)
	go func() {
		var err error
		s.db, err = ops.OpenStore(ctx, s.o.Dir)
		opened <- err
	}()
	select {
	case err := <-opened:
		return nil, err
	case <-time.After(patience):
	}
	door, err := newWaitingDoor(s)
	if err != nil {
		s.o.Log.Warn("the store takes its time to open, and nobody can be told", "err", err)
		return nil, <-opened
	}
	s.o.Log.Info("the store takes its time to open: it was not closed in order, and is read as a whole")
	err = <-opened
	ln := door.handOver()
	if err != nil {
		ln.Close()
		return nil, err
	}
	return ln, nil
}

// waitingDoor answers on the server's address while the store opens.
type waitingDoor struct {
	ln     *net.TCPListener
	shut   atomic.Bool
	served chan error
}

func newWaitingDoor(s *Server) (*waitingDoor, error) {
	ln, err := listen(s.o.HTTP)
	if err != nil {
		return nil, err
	}
	waiting := &Server{o: s.o, env: &ops.Env{Access: &ops.Access{}}, metrics: &metrics{}}
	app, err := waiting.newApp(s.notYet)
	if err != nil {
		ln.Close()
		return nil, err
	}
	d := &waitingDoor{ln: ln, served: make(chan error, 1)}
	go func() { d.served <- app.Listener(d) }()
	return d, nil
}

// notYet answers every request while the store opens, each surface in its own form.
func (s *Server) notYet(c *fiber.Ctx) error {
	c.Set(fiber.HeaderConnection, "close") // the server behind the door has its own connections
	if c.Path() == "/healthz" {
		return c.SendString("ok\n")
	}
	c.Set(fiber.HeaderRetryAfter, tryAgain)
	if c.Path() == "/readyz" {
		size := int64(0)
		if at, err := os.Stat(filepath.Join(s.o.Dir, ops.StoreName)); err == nil {
			size = at.Size()
		}
		return c.Status(http.StatusServiceUnavailable).SendString(fmt.Sprintf("opening the store, %d MB, for %d s\n", size>>20, int(time.Since(s.started).Seconds())))
	}
	return fiber.NewError(http.StatusServiceUnavailable, "billd is opening its store: try again in a moment")
}

// Accept waits for the next connection until the door is handed over.
func (d *waitingDoor) Accept() (net.Conn, error) {
	conn, err := d.ln.Accept()
	if err != nil && d.shut.Load() {
		return nil, io.EOF
	}
	return conn, err
}

// Close ends Accept and leaves the address listened on.
func (d *waitingDoor) Close() error {
	d.shut.Store(true)
	return d.ln.SetDeadline(time.Unix(1, 0))
}

// Addr returns the address.
func (d *waitingDoor) Addr() net.Addr { return d.ln.Addr() }

// handOver ends the answering and returns the listener. Who connects meanwhile waits in its queue.
func (d *waitingDoor) handOver() net.Listener {
	d.Close()
	<-d.served
	d.ln.SetDeadline(time.Time{})
	return d.ln
}

func listen(address string) (*net.TCPListener, error) {
	ln, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s: %w", address, errors.Unwrap(err))
	}
	return ln.(*net.TCPListener), nil
}
