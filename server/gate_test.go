package server

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// visitor is a connection of a gate's test.
type visitor struct {
	net.Conn
	from   string
	closed atomic.Bool
}

func (v *visitor) RemoteAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(v.from + ":1"))
}
func (v *visitor) Close() error { v.closed.Store(true); return nil }

// arrivals is a listener of given connections and errors.
type arrivals struct {
	net.Listener
	next []any
}

func (a *arrivals) Accept() (net.Conn, error) {
	if len(a.next) == 0 {
		return nil, io.EOF
	}
	next := a.next[0]
	a.next = a.next[1:]
	if err, ok := next.(error); ok {
		return nil, err
	}
	return next.(net.Conn), nil
}

func TestWhoHasSaidNothingForLongestMakesRoom(t *testing.T) {
	var visitors []*visitor
	list := &arrivals{}
	for i := range 9 {
		v := &visitor{from: fmt.Sprintf("192.0.2.%d", i)}
		visitors, list.next = append(visitors, v), append(list.next, v)
	}
	g := newGate(list, 4, slog.New(slog.DiscardHandler))
	var guests []*guest
	enter := func() {
		t.Helper()
		c, err := g.Accept()
		if err != nil {
			t.Fatal(err)
		}
		guests = append(guests, c.(*guest))
	}
	want := func(name, closed string) {
		t.Helper()
		got := ""
		for i, v := range visitors {
			if v.closed.Load() {
				got += fmt.Sprint(i)
			}
		}
		if got != closed {
			t.Errorf("%s: %s are closed, want %s", name, got, closed)
		}
	}
	for range 4 {
		enter()
	}
	want("there is room", "")
	guests[0].working() // 0 is at work, 1 has finished a request, 2 and 3 have said nothing
	guests[1].working()
	guests[1].waits()
	enter()
	want("the oldest that has said nothing", "2")
	enter()
	enter()
	want("the next ones", "234")
	guests[5].working()
	guests[6].working()
	enter()
	want("all others are at work", "1234")
	if guests[1].working() {
		t.Error("one that was turned out may work")
	}
	guests[7].working()
	enter()
	want("all are at work", "1234")
	guests[0].waits()
	guests[0].Close()
	guests[0].Close()
	if now, out := g.counts(); now != 4 || out != 4 {
		t.Errorf("%d connections, %d turned out, want 4 and 4", now, out)
	}
	for _, c := range guests {
		c.Close()
	}
	if now, _ := g.counts(); now != 0 || g.strangers.Len()+g.regulars.Len()+len(g.from) != 0 {
		t.Errorf("%d connections are left", now)
	}
}

func TestOneAddressHasItsShareOfStrangers(t *testing.T) {
	list := &arrivals{}
	var mine []*visitor
	for i := range 20 {
		v := &visitor{from: "[2001:db8::" + fmt.Sprint(i) + "]"} // one customer's
		mine, list.next = append(mine, v), append(list.next, v)
	}
	other := &visitor{from: "192.0.2.1"}
	list.next = append([]any{other}, list.next...)
	g := newGate(list, 40, slog.New(slog.DiscardHandler))
	for range 21 {
		if _, err := g.Accept(); err != nil {
			t.Fatal(err)
		}
	}
	if now, _ := g.counts(); now != 11 || other.closed.Load() || !mine[9].closed.Load() || mine[10].closed.Load() {
		t.Errorf("%d connections, want one and ten of the other address", now)
	}
}

func TestAProcessWithoutFilesMakesRoomAndGoesOn(t *testing.T) {
	first, last := &visitor{from: "192.0.2.1"}, &visitor{from: "192.0.2.2"}
	full := &net.OpError{Op: "accept", Err: syscall.EMFILE}
	g := newGate(&arrivals{next: []any{first, full, full, last}}, 4, slog.New(slog.DiscardHandler))
	for range 2 {
		if _, err := g.Accept(); err != nil {
			t.Fatal(err)
		}
	}
	if !first.closed.Load() || last.closed.Load() {
		t.Error("want the first turned out and the last let in")
	}
	if _, err := g.Accept(); !errors.Is(err, io.EOF) {
		t.Errorf("%v, want the listener's end", err)
	}
}

// slowClients are connections that never have anything to say, or say it a byte at a time.
type slowClients struct {
	addr  string
	conns []net.Conn
	again atomic.Int64 // how often one that was turned out came again
}

// beginnings are what slow clients begin with. All but the last never finish a request.
var beginnings = []string{
	"",
	"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: ",
	"POST /api/v1/cdrs/freeswitch HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n{",
	"POST /api/v1/cdrs/asterisk HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n",
	"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
}

func (s *slowClients) dial(i int) {
	conn, err := net.DialTimeout("tcp", s.addr, 10*time.Second)
	if err != nil {
		return // the next round tries again
	}
	io.WriteString(conn, beginnings[i%len(beginnings)]) // one that is turned out shows in the next round
	s.conns[i] = conn
}

// round has every client send a byte, but those that send nothing; who was turned out comes again.
func (s *slowClients) round(ctx context.Context) {
	for i, conn := range s.conns {
		if ctx.Err() != nil {
			return
		}
		if i%64 == 0 {
			time.Sleep(time.Millisecond) // the clients share a machine with the server
		}
		switch {
		case conn == nil:
			s.dial(i)
			continue
		case i%len(beginnings) == 0 || i%len(beginnings) == len(beginnings)-1:
			continue
		}
		if _, err := conn.Write([]byte("x")); err != nil {
			conn.Close()
			s.again.Add(1)
			s.dial(i)
		}
	}
}

// TestSlowClientsDoNotStopCharging has thousands of connections that dribble, stall and idle, while a switch posts calls
// on new connections and on a kept one.
func TestSlowClientsDoNotStopCharging(t *testing.T) {
	clients := min(10_000, openFiles()-min(mostGuests, openFiles()/2)-300) // the server's ends of them are in this process too
	if testing.Short() {
		clients = min(clients, 500)
	}
	if clients < 100 {
		t.Skipf("%d files may be open: too few for a crowd", openFiles())
	}
	s := serve(t, Options{})
	slow := &slowClients{addr: strings.TrimPrefix(s.url, "http://"), conns: make([]net.Conn, clients)}
	for i := range slow.conns {
		slow.dial(i)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	all.Go(func() {
		for ctx.Err() == nil {
			slow.round(ctx)
		}
	})
	const calls = 200
	kept := &http.Client{Transport: &http.Transport{}}
	fresh := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	var took []time.Duration
	retries := 0
	for n := range calls {
		body := sources[0].row(leg{fmt.Sprintf("slow-%d", n), time.Unix(1_767_607_200, 0), time.Unix(1_767_607_205, 0), time.Unix(1_767_607_215, 0), "10"})
		began := time.Now()
		for client := []*http.Client{kept, fresh}[n%2]; ; retries++ {
			if status := s.try(client, "/cdrs/freeswitch", body); status == 200 {
				break
			}
			if time.Since(began) > time.Minute {
				t.Fatalf("call %d is not charged", n)
			}
		}
		took = append(took, time.Since(began))
	}
	cancel()
	all.Wait()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	for _, conn := range slow.conns {
		if conn != nil {
			conn.Close()
		}
	}
	kept.CloseIdleConnections()
	slices.Sort(took)
	t.Logf("%d slow clients, %d of them came again; %d calls charged, %d posts sent again; median %s, 99 of 100 within %s, longest %s; %d MB of heap and stacks",
		clients, slow.again.Load(), calls, retries, took[calls/2], took[calls*99/100], took[calls-1], (m.HeapInuse+m.StackInuse)>>20)
	if took[calls-1] > 20*time.Second {
		t.Errorf("the longest took %s, want less than 20 s", took[calls-1])
	}
	if used := (m.HeapInuse + m.StackInuse) >> 20; used > 800 {
		t.Errorf("%d MB of heap and stacks, want less than 800", used)
	}
	if balance, charged, held := s.ended(); charged != calls || held != 0 || balance != "-12.0" {
		t.Errorf("balance %s, %d calls, %d held, want -12.0, %d and 0", balance, charged, held, calls)
	}
}

// try posts a body and returns the status, 0 when there is no answer.
func (s *running) try(client *http.Client, path, body string) int {
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.url+"/api/v1"+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.token)
	resp, err := client.Do(req)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, bufio.NewReader(resp.Body)) // the kept connection is for the next one
	return resp.StatusCode
}
