package server

import (
	"container/list"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"
)

const (
	mostGuests   = 4096 // connections at once; their buffers take some 50 KB each
	fewestGuests = 64   // however few files the process may open
	addressShare = 4    // one address may have that part of them without a request
)

// gate is a listener that lets everybody in and makes room for them: when there are as many connections as there may
// be, the one goes that has waited longest without having finished a request, or else the one whose last request is
// longest ago. One whose request is being worked on stays. Thousands of clients that send nothing, or a byte now and
// then, thus hold up each other and never a switch that says what it has to say.
type gate struct {
	net.Listener
	log  *slog.Logger
	most int

	mu        sync.Mutex
	all       int                       // connections
	strangers list.List                 // of *guest that have finished no request, the oldest first
	regulars  list.List                 // of *guest that have, the one whose request is longest ago first
	from      map[netip.Addr]*list.List // the strangers by their address
	turnedOut uint64
}

// guest is a connection of a gate.
type guest struct {
	net.Conn
	gate  *gate
	addr  netip.Addr
	known bool          // it has finished a request
	in    *list.Element // of strangers or regulars, nil while a request is worked on or when it is closed
	among *list.Element // of the strangers of its address
	gone  bool
}

// newGate guards a listener; most is how many connections there may be at once.
func newGate(ln net.Listener, most int, log *slog.Logger) *gate {
	return &gate{Listener: ln, log: log, most: most, from: map[netip.Addr]*list.List{}}
}

// Accept waits for the next connection. That the process has no more files is no reason to end: room is made.
func (g *gate) Accept() (net.Conn, error) {
	for wait := time.Millisecond; ; wait = min(2*wait, time.Second) {
		conn, err := g.Listener.Accept()
		if err == nil {
			return g.enter(conn), nil
		}
		if t, ok := errors.AsType[*net.OpError](err); !ok || !t.Temporary() {
			return nil, err
		}
		g.log.Warn("a connection could not be taken", "err", err)
		g.turnOut(max(g.most/16, 1))
		time.Sleep(wait) // whatever is short is so for a moment
	}
}

// enter takes in a connection.
func (g *gate) enter(conn net.Conn) net.Conn {
	c := &guest{Conn: conn, gate: g}
	if at, err := netip.ParseAddrPort(conn.RemoteAddr().String()); err == nil {
		c.addr = at.Addr().Unmap()
		if c.addr.Is6() { // what one customer is given
			if net, err := c.addr.WithZone("").Prefix(64); err == nil {
				c.addr = net.Addr()
			}
		}
	}
	g.mu.Lock()
	var out *guest
	beside := g.from[c.addr]
	if beside == nil {
		beside = &list.List{}
		g.from[c.addr] = beside
	}
	switch {
	case beside.Len() >= max(g.most/addressShare, 1):
		out = beside.Front().Value.(*guest)
	case g.all >= g.most:
		out = g.longest()
	}
	g.leave(out)
	g.all++
	c.in, c.among = g.strangers.PushBack(c), beside.PushBack(c)
	g.mu.Unlock()
	out.end()
	return c
}

// longest is who is to make room, nil when every connection is being worked on.
func (g *gate) longest() *guest {
	for _, l := range [...]*list.List{&g.strangers, &g.regulars} {
		if e := l.Front(); e != nil {
			return e.Value.(*guest)
		}
	}
	return nil
}

// turnOut makes room for n.
func (g *gate) turnOut(n int) {
	for range n {
		g.mu.Lock()
		out := g.longest()
		g.leave(out)
		g.mu.Unlock()
		out.end()
	}
}

// leave takes a connection off the books; the caller ends it.
func (g *gate) leave(c *guest) {
	if c == nil || c.gone {
		return
	}
	c.unlist()
	c.gone = true
	g.all--
	g.turnedOut++
}

// end closes a connection that has left.
func (c *guest) end() {
	if c != nil {
		c.Conn.Close()
	}
}

// unlist takes a connection off the lists of who may be turned out.
func (c *guest) unlist() {
	g := c.gate
	if c.among != nil {
		beside := g.from[c.addr]
		if beside.Remove(c.among); beside.Len() == 0 {
			delete(g.from, c.addr)
		}
		c.among = nil
	}
	if c.in != nil {
		if c.known {
			g.regulars.Remove(c.in)
		} else {
			g.strangers.Remove(c.in)
		}
		c.in = nil
	}
}

// working says that a request of the connection is whole and is worked on. It reports false if there was no more room
// for it: nobody hears the answer.
func (c *guest) working() bool {
	c.gate.mu.Lock()
	defer c.gate.mu.Unlock()
	c.unlist()
	return !c.gone
}

// waits says that the request has an answer.
func (c *guest) waits() {
	c.gate.mu.Lock()
	defer c.gate.mu.Unlock()
	c.unlist()
	if c.known = true; !c.gone {
		c.in = c.gate.regulars.PushBack(c)
	}
}

// Close ends the connection and makes room.
func (c *guest) Close() error {
	c.gate.mu.Lock()
	if !c.gone {
		c.unlist()
		c.gone = true
		c.gate.all--
	}
	c.gate.mu.Unlock()
	return c.Conn.Close()
}

// counts are how many connections there are, and how many had to make room since the start.
func (g *gate) counts() (now int, turnedOut uint64) {
	if g == nil { // nobody is let in yet
		return 0, 0
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.all, g.turnedOut
}

// SetDeadline does nothing to a connection that was turned out, as the next two: the next byte of it says so. fasthttp
// takes an error here for a fault of its own and panics.
func (c *guest) SetDeadline(t time.Time) error { return c.unlessGone(c.Conn.SetDeadline(t)) }

// SetReadDeadline bounds the next reads.
func (c *guest) SetReadDeadline(t time.Time) error { return c.unlessGone(c.Conn.SetReadDeadline(t)) }

// SetWriteDeadline bounds the next writes.
func (c *guest) SetWriteDeadline(t time.Time) error { return c.unlessGone(c.Conn.SetWriteDeadline(t)) }

func (c *guest) unlessGone(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
