package cli

import (
	"bufio"
	"context"
	"crypto/md5"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"billd/rating"
	"billd/storage"
)

// radiusSite is the real binary on a store with an account acme, a rate of 0.06 a minute to 44, and a NAS at
// loopback with the secret testing123.
type radiusSite struct {
	t    *testing.T
	bin  string
	dir  string
	more []string // to serve
	cmd  *exec.Cmd

	base               string // http://host:port, of the server that runs
	accounting, access string // host:port
}

func newRadiusSite(t *testing.T) *radiusSite {
	t.Helper()
	s := &radiusSite{t: t, bin: buildBilld(t), dir: t.TempDir()}
	db := hold(t, s.dir)
	err := db.Update(t.Context(), func(tx *storage.Tx) error {
		if err := tx.CreateAccount(&rating.Account{Name: "acme", Contractor: 1, Currency: rating.Currency{'E', 'U', 'R'}, MinBalance: "-10"}); err != nil {
			return err
		}
		step := rating.Step{Seconds: 60, Price: 60_000_000}
		return tx.Rates.Put(&rating.Rate{Deck: rating.DefaultDeck, Prefix: "44", Terms: rating.Terms{First: step, Next: step}})
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	s.billd("nas", "add", "gw", "127.0.0.1", "--secret", "testing123")
	return s
}

// billd runs a command of the binary, beside the server or without one.
func (s *radiusSite) billd(args ...string) string {
	s.t.Helper()
	out, err := exec.CommandContext(s.t.Context(), s.bin, append(args, "--dir", s.dir)...).CombinedOutput()
	if err != nil {
		s.t.Fatalf("billd %v: %v: %s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// start runs the server and finds where it listens.
func (s *radiusSite) start() {
	s.t.Helper()
	args := append([]string{"serve", "--dir", s.dir, "--http", "127.0.0.1:0", "--radius-acct", "127.0.0.1:0", "--radius-auth", "127.0.0.1:0", "--log-level", "error"}, s.more...)
	s.cmd = exec.CommandContext(s.t.Context(), s.bin, args...)
	s.cmd.Stderr = os.Stderr
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.base, s.accounting, s.access = "", "", ""
	web := regexp.MustCompile(`http://127\.0\.0\.1:\d+`)
	address := regexp.MustCompile(`RADIUS (accounting|access) (\S+)/udp`)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if u := web.FindString(lines.Text()); u != "" {
			s.base = u
		}
		if m := address.FindStringSubmatch(lines.Text()); m != nil && m[1] == "accounting" {
			s.accounting = m[2]
		} else if m != nil {
			s.access = m[2]
		}
		if s.base != "" && s.accounting != "" && s.access != "" {
			go io.Copy(io.Discard, out)
			return
		}
	}
	s.cmd.Wait()
	s.t.Fatal("the server ended without saying where it answers RADIUS")
}

// stop ends the server in order and returns what acme has and how many calls there are.
func (s *radiusSite) stop() (balance string, calls int) {
	s.t.Helper()
	if got := s.billd("check"); got != "the store is sound" {
		s.t.Errorf("billd check = %q", got)
	}
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		s.t.Fatal(err)
	}
	if err := s.cmd.Wait(); err != nil {
		s.t.Errorf("billd serve after SIGTERM: %v, want exit 0", err)
	}
	err := hold(s.t, s.dir).View(s.t.Context(), func(tx *storage.Tx) error {
		a, err := tx.AccountByRef("acme")
		if err != nil {
			return err
		}
		m, err := tx.AccountBalance(a)
		if err != nil {
			return err
		}
		balance = m.String()
		if n := tx.Suspense.Count(); n != 0 {
			s.t.Errorf("%d records are held, want none", n)
		}
		return tx.EachLogged(0, func(uint64, rating.CDRID) (bool, error) {
			calls++
			return true, nil
		})
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return balance, calls
}

// stopPacket is an Accounting-Request about the end of call n, of 61 seconds.
func stopPacket(n int, delay byte) []byte {
	b := make([]byte, 20)
	b[0], b[1] = 4, byte(n)
	add := func(typ byte, value string) { b = append(append(b, typ, byte(2+len(value))), value...) }
	add(1, "acme")
	add(30, "442079460000")
	add(40, "\x00\x00\x00\x02")
	add(41, "\x00\x00\x00"+string(delay))
	add(44, fmt.Sprintf("call %d", n))
	add(46, "\x00\x00\x00\x3d")
	add(55, string(binary.BigEndian.AppendUint32(nil, uint32(1_763_640_000+n))))
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	sum := md5.Sum(append(slices.Clone(b), "testing123"...))
	copy(b[4:], sum[:])
	return b
}

// sipPackets are the Start and the Stop by which a proxy tells call n, of 61 seconds; of every other call the Stop comes first.
func sipPackets(n int) [][]byte {
	part := func(status byte, at int) []byte {
		b := make([]byte, 20)
		b[0], b[1] = 4, byte(n)
		add := func(typ byte, value string) { b = append(append(b, typ, byte(2+len(value))), value...) }
		add(1, "acme")
		add(6, "\x00\x00\x00\x0f")
		add(30, "sip:442079460000@127.0.0.1")
		add(40, "\x00\x00\x00"+string(status))
		add(44, fmt.Sprintf("call %d", n))
		add(55, string(binary.BigEndian.AppendUint32(nil, uint32(1_763_640_000+at))))
		add(104, "callee")
		add(105, "caller")
		binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
		sum := md5.Sum(append(slices.Clone(b), "testing123"...))
		copy(b[4:], sum[:])
		return b
	}
	parts := [][]byte{part(1, n), part(2, n+61)}
	if n%4 == 1 {
		slices.Reverse(parts)
	}
	return parts
}

// TestKillTheServerUnderRadius kills the real binary while four NAS send Stops, and Starts and Stops of a proxy, each until it
// is answered: every call is charged once.
func TestKillTheServerUnderRadius(t *testing.T) {
	if testing.Short() {
		t.Skip("builds billd and kills it several times")
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	s := newRadiusSite(t)
	s.start()
	var to atomic.Pointer[string] // a copy: the site's own is written anew while it is read
	first := s.accounting
	to.Store(&first)
	const calls, clients = 400, 4
	var answered, again atomic.Int64
	var all sync.WaitGroup
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	for c := range clients {
		all.Go(func() {
			for n := c; n < calls && ctx.Err() == nil; n += clients {
				packets := [][]byte{nil}
				if n%2 == 1 {
					packets = sipPackets(n)
				}
				for _, packet := range packets {
					for tries := 0; ctx.Err() == nil; tries++ {
						if n%2 == 0 {
							packet = stopPacket(n, byte(min(tries, 9)))
						}
						if told(*to.Load(), packet) {
							break
						}
						again.Add(1)
					}
				}
				answered.Add(1)
			}
		})
	}
	for kill := int64(1); kill <= 3; kill++ {
		for at := kill*calls/4 + random.Int64N(20); answered.Load() < at && ctx.Err() == nil; {
			time.Sleep(time.Duration(100+random.IntN(900)) * time.Microsecond)
		}
		s.cmd.Process.Kill()
		s.cmd.Wait()
		s.start()
		address := s.accounting
		to.Store(&address)
	}
	all.Wait()
	balance, n := s.stop()
	if n != calls || balance != "-48.0" {
		t.Errorf("%d calls, balance %s, want %d and -48.0", n, balance, calls)
	}
	t.Logf("%d packets were sent again", again.Load())
}

// told sends a packet once and reports whether it is answered soon.
func told(address string, packet []byte) bool {
	conn, err := net.Dial("udp", address)
	if err != nil {
		return false
	}
	defer conn.Close()
	conn.Write(packet)
	conn.SetReadDeadline(time.Now().Add(300 * time.Millisecond))
	n, err := conn.Read(make([]byte, 4096))
	return err == nil && n >= 20
}

// needs skips a test without a program of Debian's package.
func needs(t *testing.T, program, debian string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		if _, err = os.Stat("/usr/sbin/" + program); err != nil {
			t.Skipf("needs %s, of Debian's package %s", program, debian)
		}
		path = "/usr/sbin/" + program
	}
	return path
}

// TestRadiusWithRadclient has FreeRADIUS' own client ask and account, with the right secret and a wrong one.
func TestRadiusWithRadclient(t *testing.T) {
	radclient := needs(t, "radclient", "freeradius-utils")
	s := newRadiusSite(t)
	s.start()
	send := func(address, kind, secret, attrs string) (string, error) {
		cmd := exec.CommandContext(t.Context(), radclient, "-x", "-r", "1", "-t", "3", address, kind, secret)
		cmd.Stdin = strings.NewReader(attrs)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	ask := "User-Name = acme\nUser-Password = x\nCalled-Station-Id = 442079460000\nCalling-Station-Id = 4930123456\nAcct-Session-Id = s1\nMessage-Authenticator = 0x00\n"
	out, err := send(s.access, "auth", "testing123", ask)
	for _, want := range []string{"Access-Accept", "h323-return-code = \"h323-return-code=0\"", "h323-credit-time = \"h323-credit-time=", "h323-credit-amount = \"h323-credit-amount=10.00\"", "Session-Timeout = "} {
		if !strings.Contains(out, want) {
			t.Errorf("radclient auth: %v, want %s in\n%s", err, want, out)
		}
	}
	if out, err := send(s.access, "auth", "testing124", ask); err == nil || strings.Contains(out, "Access-Accept") {
		t.Errorf("a wrong secret is answered: %s", out)
	}
	if out, _ := send(s.access, "auth", "testing123", strings.NewReplacer("44207", "88207", "= s1", "= s2").Replace(ask)); !strings.Contains(out, "Access-Reject") || !strings.Contains(out, `Reply-Message = "no rate of account 2 matches`) {
		t.Errorf("no rate: want a reject that says so in\n%s", out)
	}
	at := time.Now().Add(-2 * time.Minute).Unix()
	about := func(status string, seconds int64) string {
		return fmt.Sprintf("Acct-Status-Type = %s\nUser-Name = acme\nCalled-Station-Id = 442079460000\nCalling-Station-Id = 4930123456\nAcct-Session-Id = s1\nAcct-Session-Time = %d\nEvent-Timestamp = %d\n", status, seconds, at+seconds)
	}
	for _, attrs := range []string{about("Start", 0), about("Interim-Update", 30), about("Stop", 61), about("Stop", 61)} {
		if out, err := send(s.accounting, "acct", "testing123", attrs); err != nil || !strings.Contains(out, "Accounting-Response") {
			t.Errorf("radclient acct: %v\n%s", err, out)
		}
	}
	if out, err := send(s.accounting, "acct", "testing124", about("Stop", 61)); err == nil {
		t.Errorf("accounting with a wrong secret is answered: %s", out)
	}
	if out, err := send(s.accounting, "status", "testing123", "Message-Authenticator = 0x00\n"); err != nil || !strings.Contains(out, "Accounting-Response") {
		t.Errorf("radclient status: %v\n%s", err, out)
	}
	if got := s.billd("reservations", "list", "--json"); got != "[]" {
		t.Errorf("reservations after the Stop: %s, want none", got)
	}
	if list := s.billd("nas", "list"); !strings.Contains(list, "gw") || strings.Contains(list, "testing123") {
		t.Errorf("billd nas list shows\n%s", list)
	}
	if balance, calls := s.stop(); balance != "-0.12" || calls != 1 {
		t.Errorf("balance %s, %d calls, want -0.12 and one", balance, calls)
	}
}

// TestRadiusWithKamailio has a real Kamailio proxy a call between two tiny user agents and account it.
func TestRadiusWithKamailio(t *testing.T) {
	program := needs(t, "kamailio", "kamailio")
	modules, _ := filepath.Glob("/usr/lib/*/kamailio/modules/acc_radius.so")
	if len(modules) == 0 {
		t.Skip("needs acc_radius.so, of Debian's package kamailio-radius-modules")
	}
	s := newRadiusSite(t)
	s.start()
	callee, port := newCallee(t), freePort(t)
	proxy := fmt.Sprintf("127.0.0.1:%d", port)
	dir := t.TempDir()
	for name, text := range map[string]string{"dictionary": radiusDictionary, "servers": "127.0.0.1 testing123\n",
		"radius.conf":  fmt.Sprintf("authserver %s\nacctserver %s\nservers %s/servers\ndictionary %s/dictionary\nradius_timeout 2\nradius_retries 3\nbindaddr *\n", s.access, s.accounting, dir, dir),
		"kamailio.cfg": strings.NewReplacer("LISTEN", proxy, "MODULES", filepath.Dir(modules[0]), "DIR", dir, "CALLEE", callee).Replace(kamailioConfig)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var log strings.Builder
	kamailio := exec.Command(program, "-f", filepath.Join(dir, "kamailio.cfg"), "-DD", "-E", "-w", dir, "-Y", dir, "-P", filepath.Join(dir, "pid"))
	kamailio.Stdout, kamailio.Stderr = &log, &log
	if err := kamailio.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- kamailio.Wait() }()
	a := newCaller(t, proxy)
	ok := a.call(3 * time.Second)
	time.Sleep(time.Second) // its accounting of the BYE is on the way
	kamailio.Process.Signal(syscall.SIGTERM)
	<-ended
	if !ok {
		t.Fatalf("the call did not come about; Kamailio says\n%s", log.String())
	}
	balance, calls := s.stop()
	if balance != "-0.06" || calls != 1 {
		t.Errorf("balance %s, %d calls, want -0.06 and one; Kamailio says\n%s", balance, calls, log.String())
	}
}

// freePort is a port that was free a moment ago.
func freePort(t *testing.T) int {
	t.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	return conn.LocalAddr().(*net.UDPAddr).Port
}

// newCallee answers every request but ACK with 200, and returns its address.
func newCallee(t *testing.T) string {
	t.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	address := conn.LocalAddr().String()
	go func() {
		b := make([]byte, 9000)
		for {
			n, from, err := conn.ReadFromUDP(b)
			if err != nil {
				return
			}
			m := string(b[:n])
			if strings.HasPrefix(m, "ACK ") {
				continue
			}
			answer := "SIP/2.0 200 OK\r\n"
			for line := range strings.SplitSeq(m, "\r\n") {
				name, _, _ := strings.Cut(line, ":")
				switch strings.ToLower(name) {
				case "to":
					if !strings.Contains(line, ";tag=") {
						line += ";tag=callee"
					}
					fallthrough
				case "via", "from", "call-id", "cseq", "record-route":
					answer += line + "\r\n"
				}
			}
			conn.WriteToUDP([]byte(answer+"Contact: <sip:"+address+">\r\nContent-Length: 0\r\n\r\n"), from)
		}
	}()
	return address
}

// caller is the user agent that calls.
type caller struct {
	t    *testing.T
	conn net.Conn
	own  string
}

func newCaller(t *testing.T, proxy string) *caller {
	t.Helper()
	conn, err := net.Dial("udp", proxy)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &caller{t, conn, conn.LocalAddr().String()}
}

// send sends a request.
func (c *caller) send(method, uri string, seq int, tag, routes string) {
	fmt.Fprintf(c.conn, "%s %s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%s%d\r\n%sMax-Forwards: 70\r\nFrom: <sip:acme@127.0.0.1>;tag=caller\r\nTo: <sip:442079460000@127.0.0.1>%s\r\n"+
		"Call-ID: call@%s\r\nCSeq: %d %s\r\nContact: <sip:acme@%s>\r\nContent-Length: 0\r\n\r\n", method, uri, c.own, method, seq, routes, tag, c.own, seq, method, c.own)
}

// ask sends a request, again until a final answer comes, which it returns.
func (c *caller) ask(method, uri string, seq int, tag, routes string) string {
	b := make([]byte, 9000)
	for range 20 {
		c.send(method, uri, seq, tag, routes)
		for c.conn.SetReadDeadline(time.Now().Add(500 * time.Millisecond)); ; {
			n, err := c.conn.Read(b)
			if err != nil {
				time.Sleep(50 * time.Millisecond) // nobody may listen yet
				break
			}
			if m := string(b[:n]); !strings.HasPrefix(m, "SIP/2.0 1") && strings.Contains(m, fmt.Sprintf("CSeq: %d %s", seq, method)) {
				return m
			}
		}
	}
	return ""
}

// call makes a call that lasts for a while.
func (c *caller) call(lasts time.Duration) bool {
	m := c.ask("INVITE", "sip:442079460000@127.0.0.1", 1, "", "")
	contact := regexp.MustCompile(`Contact: <(.*)>`).FindStringSubmatch(m)
	tag := regexp.MustCompile(`To:.*(;tag=[^\s;]+)`).FindStringSubmatch(m)
	if !strings.HasPrefix(m, "SIP/2.0 200") || contact == nil || tag == nil {
		return false
	}
	routes := ""
	for _, r := range regexp.MustCompile(`Record-Route: (.*)\r\n`).FindAllStringSubmatch(m, -1) {
		routes = "Route: " + r[1] + "\r\n" + routes
	}
	c.send("ACK", contact[1], 1, tag[1], routes)
	time.Sleep(lasts)
	return strings.HasPrefix(c.ask("BYE", contact[1], 2, tag[1], routes), "SIP/2.0 200")
}

const radiusDictionary = `ATTRIBUTE User-Name 1 string
ATTRIBUTE NAS-IP-Address 4 ipaddr
ATTRIBUTE NAS-Port 5 integer
ATTRIBUTE Service-Type 6 integer
ATTRIBUTE Called-Station-Id 30 string
ATTRIBUTE Calling-Station-Id 31 string
ATTRIBUTE NAS-Identifier 32 string
ATTRIBUTE Acct-Status-Type 40 integer
ATTRIBUTE Acct-Delay-Time 41 integer
ATTRIBUTE Acct-Session-Id 44 string
ATTRIBUTE Event-Timestamp 55 date
ATTRIBUTE Sip-Method 101 integer
ATTRIBUTE Sip-Response-Code 102 integer
ATTRIBUTE Sip-To-Tag 104 string
ATTRIBUTE Sip-From-Tag 105 string
VALUE Acct-Status-Type Start 1
VALUE Acct-Status-Type Stop 2
VALUE Acct-Status-Type Alive 3
VALUE Acct-Status-Type Failed 15
VALUE Service-Type Sip-Session 15
`

const kamailioConfig = `#!KAMAILIO
debug=1
log_stderror=yes
fork=yes
children=2
disable_tcp=yes
auto_aliases=no
listen=udp:LISTEN
mpath="MODULES/"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "siputils.so"
loadmodule "textops.so"
loadmodule "acc.so"
loadmodule "acc_radius.so"
modparam("acc_radius", "radius_config", "DIR/radius.conf")
modparam("acc_radius", "radius_flag", 1)
modparam("acc_radius", "radius_missed_flag", 2)
modparam("acc_radius", "radius_extra", "User-Name=$fU;Calling-Station-Id=$fU;Called-Station-Id=$rU")
request_route {
    if (has_totag()) {
        if (is_method("BYE")) setflag(1);
        if (loose_route()) { t_relay(); exit; }
        if (is_method("ACK") && t_check_trans()) t_relay();
        exit;
    }
    if (is_method("CANCEL")) { if (t_check_trans()) t_relay(); exit; }
    if (is_method("INVITE")) {
        setflag(1);
        setflag(2);
        record_route();
        $du = "sip:CALLEE";
        t_relay();
    }
    exit;
}
`
