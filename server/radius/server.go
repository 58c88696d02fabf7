package radius

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"billd/server/ops"
	"billd/storage"
)

// Limits of a socket.
const (
	workers   = 128     // packets that are worked on at once; they wait for one commit together
	queued    = 1024    // packets that wait for a worker
	readSpace = 4 << 20 // bytes that the kernel may hold for us
)

// Outcome says what became of a packet.
type Outcome uint8

// The outcomes. All but Answered and Repeated are drops: the sender hears nothing and tries again.
const (
	Answered  Outcome = iota
	Repeated          // sent again, and answered as before
	Unknown           // from an address that is no NAS's
	Malformed         // no RADIUS packet
	BadSecret         // not made with the NAS's secret
	Unsigned          // an Access-Request without Message-Authenticator from a NAS that must send one
	WrongCode         // a request that this socket does not answer
	UnderWay          // sent again while the first is worked on
	Full              // as many packets wait as may
	NotStored         // the store could not take it in time
	Fault             // billd failed
	numOutcomes
)

// String returns the outcome's word.
func (o Outcome) String() string {
	return [...]string{"answered", "repeated", "unknown_nas", "malformed", "bad_secret", "unsigned", "wrong_code", "under_way", "queue_full", "not_stored", "fault"}[o]
}

// Outcomes lists them all.
func Outcomes() (all []Outcome) {
	for o := range numOutcomes {
		all = append(all, o)
	}
	return all
}

// Options say where to listen: host:port, "" for not at all.
type Options struct {
	Env                *ops.Env
	Accounting, Access string
	Log                *slog.Logger
	Now                func() time.Time // the clock; time.Now when nil
}

// Server is the sockets that are listened on.
type Server struct {
	env     *ops.Env
	log     *slog.Logger
	now     func() time.Time
	sockets []*Socket
}

// Socket is one address and what came in there.
type Socket struct {
	Name   string // accounting or access
	server *Server
	conn   *net.UDPConn
	work   chan job
	recent *recent
	counts [numOutcomes]atomic.Int64
	bytes  atomic.Int64
	done   sync.WaitGroup
}

type job struct {
	p     *packet
	nas   *storage.NAS
	from  netip.AddrPort
	print fingerprint
	heard time.Time
}

// Listen takes the addresses. Nothing is read before Serve.
func Listen(o Options) (*Server, error) {
	s := &Server{env: o.Env, log: o.Log, now: o.Now}
	if s.now == nil {
		s.now = time.Now
	}
	for _, at := range [...]struct{ name, flag, address string }{{"accounting", "radius-acct", o.Accounting}, {"access", "radius-auth", o.Access}} {
		if at.address == "" {
			continue
		}
		conn, err := listen(at.address)
		if err != nil {
			s.close()
			return nil, fmt.Errorf("cannot listen for RADIUS %s on %s: %w; another RADIUS server may have the port: stop it, or name another address with --%s", at.name, at.address, err, at.flag)
		}
		conn.SetReadBuffer(readSpace) // the kernel may allow less: then a burst is sent again
		s.sockets = append(s.sockets, &Socket{Name: at.name, server: s, conn: conn, work: make(chan job, queued), recent: newRecent()})
	}
	return s, nil
}

func listen(address string) (*net.UDPConn, error) {
	a, err := net.ResolveUDPAddr("udp", address)
	if err != nil {
		return nil, err
	}
	conn, err := net.ListenUDP("udp", a)
	if err != nil && errors.Unwrap(err) != nil {
		err = errors.Unwrap(err)
	}
	return conn, err
}

func (s *Server) close() {
	for _, k := range s.sockets {
		k.conn.Close()
	}
}

// Sockets returns what is listened on; of no server that is nothing.
func (s *Server) Sockets() []*Socket {
	if s == nil {
		return nil
	}
	return s.sockets
}

// Addr returns the socket's address.
func (k *Socket) Addr() net.Addr { return k.conn.LocalAddr() }

// Count returns how many packets had an outcome.
func (k *Socket) Count(o Outcome) int64 { return k.counts[o].Load() }

// Bytes returns how many bytes came in.
func (k *Socket) Bytes() int64 { return k.bytes.Load() }

// Serve begins to answer; Stop ends it.
func (s *Server) Serve(ctx context.Context) {
	for _, k := range s.sockets {
		k.done.Go(func() {
			defer close(k.work)
			k.read(ctx)
		})
		for range workers {
			k.done.Go(func() {
				for j := range k.work {
					k.do(ctx, j)
				}
			})
		}
	}
}

// Stop reads no more, finishes and answers what came in, and closes the sockets.
func (s *Server) Stop() {
	for _, k := range s.sockets {
		k.conn.SetReadDeadline(time.Unix(1, 0))
	}
	for _, k := range s.sockets {
		k.done.Wait()
	}
	s.close()
}

// read takes in datagrams until the socket is closed.
func (k *Socket) read(ctx context.Context) {
	buf := make([]byte, maxPacket)
	for {
		n, from, err := k.conn.ReadFromUDPAddrPort(buf)
		if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // such as a port that is not there: of a packet that was sent, not of this socket
			continue
		}
		k.bytes.Add(int64(n))
		if o := k.admit(ctx, buf[:n], netip.AddrPortFrom(from.Addr().Unmap(), from.Port())); o < numOutcomes {
			k.counts[o].Add(1)
		}
	}
}

// admit puts a datagram into the queue, or answers one that was answered before (both: numOutcomes), or says
// why it is dropped.
func (k *Socket) admit(ctx context.Context, b []byte, from netip.AddrPort) Outcome {
	seen, now := k.server.env.Senders, k.server.now()
	nas, err := k.server.env.DB.NASAt(ctx, from.Addr())
	if err != nil {
		return NotStored
	}
	if nas == nil {
		seen.Stranger(from.Addr(), k.Name, now)
		return Unknown
	}
	p, err := parse(append([]byte(nil), b...))
	if err != nil {
		return Malformed
	}
	switch accounting := k.Name == "accounting"; {
	case p.code() == codeStatusServer && p.signed == 0:
		return Unsigned
	case p.code() == codeStatusServer, accounting && p.code() == codeAccountingRequest, !accounting && p.code() == codeAccessRequest:
	default:
		return WrongCode
	}
	if !p.authentic([]byte(nas.Secret)) {
		seen.Heard(nas.ID, now, true)
		return BadSecret
	}
	if p.code() == codeAccessRequest && p.signed == 0 && !nas.Unsigned {
		seen.Heard(nas.ID, now, true)
		return Unsigned
	}
	seen.Heard(nas.ID, now, false)
	j := job{p: p, nas: nas, from: from, print: k.recent.print(p, from), heard: now}
	if answer, known := k.recent.begin(j.print, now); known {
		if answer == nil {
			return UnderWay
		}
		k.counts[Repeated].Add(1)
		k.send(answer, from)
		return numOutcomes
	}
	select {
	case k.work <- j:
		return numOutcomes
	default:
		k.recent.end(j.print, nil, now)
		return Full
	}
}

// do works on a packet and answers it.
func (k *Socket) do(ctx context.Context, j job) {
	answer, o := k.answer(ctx, &j)
	k.recent.end(j.print, answer, k.server.now())
	k.counts[o].Add(1) // first: who has the answer finds it counted
	if answer != nil {
		k.send(answer, j.from)
	}
}

// answer keeps a panic from ending the process.
func (k *Socket) answer(ctx context.Context, j *job) (answer []byte, o Outcome) {
	defer func() {
		if p := recover(); p != nil {
			k.server.log.Error("a RADIUS packet panicked", "nas", j.nas.Name, "panic", p, "stack", string(debug.Stack()))
			answer, o = nil, Fault
		}
	}()
	ctx = storage.As(ctx, "radius "+j.nas.Name)
	var r *reply
	var err error
	switch j.p.code() {
	case codeStatusServer:
		if r = (&reply{code: codeAccessAccept}); k.Name == "accounting" {
			r.code = codeAccountingResponse
		}
	case codeAccountingRequest:
		r, err = k.server.account(ctx, j)
	default:
		r, err = k.server.access(ctx, j)
	}
	if err != nil {
		k.server.log.Warn("a RADIUS packet is not answered", "nas", j.nas.Name, "err", err)
		return nil, NotStored
	}
	return j.p.answer(r, []byte(j.nas.Secret)), Answered
}

func (k *Socket) send(answer []byte, to netip.AddrPort) {
	if _, err := k.conn.WriteToUDPAddrPort(answer, to); err != nil && !errors.Is(err, net.ErrClosed) {
		k.server.log.Warn("a RADIUS answer was not sent", "to", to.String(), "err", err)
	}
}
