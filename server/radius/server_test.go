package radius

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"billd/rating"
	"billd/server/ops"
	"billd/storage"
)

// stopOf is the Stop of a gateway's call of 61 seconds, which costs 0.12.
func stopOf(conference string, more ...any) []byte {
	return tlv(append([]any{1, "acme", 30, "442079460000", 31, "4930123456", 40, 2, 44, "0A1F", 46, 61,
		9<<8 | 24, "h323-conf-id=" + conference, 9<<8 | 26, "h323-call-origin=originate",
		9<<8 | 25, "h323-setup-time=*14:32:05.123 UTC Sat Nov 21 2026", 9<<8 | 28, "h323-connect-time=*14:32:10.123 UTC Sat Nov 21 2026",
		9<<8 | 29, "h323-disconnect-time=*14:33:11.023 UTC Sat Nov 21 2026", 9<<8 | 30, "h323-disconnect-cause=10"}, more...)...)
}

func (r *rig) want(balance string, calls, held int) {
	r.t.Helper()
	if b, n, h := r.balance(); b != balance || n != calls || h != held {
		r.t.Errorf("balance %s, %d calls, %d held, want %s, %d, %d", b, n, h, balance, calls, held)
	}
}

func TestACallIsChargedOnceHoweverOftenItIsSent(t *testing.T) {
	r := newRig(t)
	conn := r.dial(accounting)
	first := request(codeAccountingRequest, 1, secret, stopOf("A 1", 33, "proxy 1", 33, "proxy 2"), false)
	answer := exchange(t, conn, first, 10*time.Second)
	p, err := parse(answer)
	if err != nil || p.code() != codeAccountingResponse || len(p.attrs) != 2 || p.attrs[0].Value != "proxy 1" || p.attrs[1].Value != "proxy 2" {
		t.Fatalf("answer %x, %v, want a response with the Proxy-States as they came", answer, err)
	}
	if again := exchange(t, conn, first, 10*time.Second); string(again) != string(answer) {
		t.Errorf("sent again it is answered %x, want %x", again, answer)
	}
	r.ask(accounting, stopOf("A 1", 41, 30)) // another packet about it, half a minute late
	r.want("-0.12", 1, 0)
	r.ask(accounting, stopOf("B 2"))
	r.want("-0.24", 2, 0)
	r.ask(accounting, stopOf("C 3", 46, 610)) // the first Acct-Session-Time counts
	r.want("-0.36", 3, 0)
	sockets := r.server.Sockets()
	if n, again := sockets[accounting].Count(Answered), sockets[accounting].Count(Repeated); n != 4 || again != 1 {
		t.Errorf("%d answered and %d repeated, want 4 and 1", n, again)
	}
	r.sound()
}

func TestWhatCannotBeChargedIsHeldOnceAndAnswered(t *testing.T) {
	r := newRig(t)
	for range 2 {
		r.ask(accounting, []byte(strings.Replace(string(stopOf("A 1")), "Sat Nov 21 2026", "Sat Nov 99 2026", 1)))
		r.ask(accounting, []byte(strings.Replace(string(stopOf("B 2")), "acme", "acmx", 1)))
	}
	r.want("0.0", 0, 2)
	r.sound()
}

func TestPacketsThatSayNothingOfACallAreAnswered(t *testing.T) {
	r := newRig(t)
	for _, attrs := range [][]byte{
		nil,                                                                                     // no attribute at all
		tlv(40, 1, 44, "1", 30, "442079460000"), tlv(40, 3, 44, "1", 30, "442079460000", 46, 5), // a call has begun, and goes on
		tlv(40, 2, 44, "1", 6, 7, 1, "root"), // an operator's login
	} {
		r.ask(accounting, attrs)
	}
	r.want("0.0", 0, 0)
}

// sip is a packet of a proxy's about the dialog d.
func sip(status int, d string, at time.Time, more ...any) []byte {
	method, code := 1, 200
	if status == 2 {
		method = 8
	}
	return tlv(append([]any{40, status, 6, 15, 101, method, 102, code, 55, int(at.Unix()), 105, "ta", 104, "tb", 44, d, 1, "acme", 30, "sip:442079460000@example.org", 31, "sip:4930@example.org"}, more...)...)
}

func TestStartAndStopOfAProxyAreOneCallInAnyOrder(t *testing.T) {
	r := newRig(t)
	at := time.Now().Add(-10 * time.Minute)
	r.ask(accounting, sip(1, "one", at))
	r.want("0.0", 0, 0)
	r.ask(accounting, sip(2, "one", at.Add(61*time.Second)))
	r.want("-0.12", 1, 0)
	r.ask(accounting, sip(2, "two", at.Add(61*time.Second))) // the Stop overtakes
	r.want("-0.12", 1, 0)
	r.ask(accounting, sip(1, "two", at))
	r.want("-0.24", 2, 0)
	for range 2 { // all is sent again
		r.ask(accounting, sip(1, "one", at, 41, 9))
		r.ask(accounting, sip(2, "one", at.Add(61*time.Second), 41, 9))
	}
	r.want("-0.24", 2, 0)
	r.ask(accounting, sip(15, "three", at))
	r.want("-0.24", 3, 0)
	r.sound()
}

func TestACallWithoutTimesIsTheSameWhenItIsSentAgain(t *testing.T) {
	r := newRig(t)
	plain := []any{1, "acme", 30, "442079460000", 40, 2, 44, "77", 46, 61}
	r.ask(accounting, tlv(plain...))
	time.Sleep(1100 * time.Millisecond) // a NAS that waits does not count the second exactly
	r.ask(accounting, tlv(append(plain, 41, 3)...))
	r.want("-0.12", 1, 0)
	start := []any{40, 1, 6, 15, 101, 1, 105, "ta", 104, "tb", 44, "d", 1, "acme", 30, "442079460000"}
	r.ask(accounting, tlv(start...))
	r.ask(accounting, tlv(append(start, 41, 1)...))
	r.want("-0.12", 1, 0)
	r.sound()
}

func TestHalfACallIsHeldWhenItsOtherHalfDoesNotCome(t *testing.T) {
	r := newRig(t)
	at := time.Now().Add(-time.Hour)
	r.ask(accounting, sip(1, "begun", at))
	r.ask(accounting, sip(2, "ended", at))
	r.ask(accounting, sip(1, "whole", at))
	r.ask(accounting, sip(2, "whole", at.Add(61*time.Second)))
	if n, err := r.EndDialogs(t.Context()); n != 0 || err != nil {
		t.Fatalf("%d ended, %v before anything is due", n, err)
	}
	r.ask(accounting, tlv(40, 7, 44, "0")) // the proxy was restarted: nothing more will come
	if n, err := r.EndDialogs(t.Context()); n != 2 || err != nil {
		t.Fatalf("%d ended, %v, want the two halves", n, err)
	}
	r.want("-0.12", 1, 2)
	var why []string
	err := r.View(t.Context(), func(tx *storage.Tx) error {
		return tx.Suspense.Each(0, func(s *storage.Suspended) (bool, error) {
			why = append(why, s.Detail)
			return true, nil
		})
	})
	if want := "[answered, and its BYE did not come: when it ended is not known a BYE whose INVITE did not come: when the call was answered is not known]"; err != nil || fmt.Sprint(why) != want {
		t.Errorf("held because %v, %v, want %s", why, err, want)
	}
	r.sound()
}

// TestAHeldCallThatIsDroppedStaysAway has its proxy send again what it told, as one does that heard no answer.
func TestAHeldCallThatIsDroppedStaysAway(t *testing.T) {
	r := newRig(t)
	at := time.Now().Add(-time.Hour)
	for _, call := range []func() []byte{
		func() []byte { return sip(2, "one", at.Add(time.Minute), 1, "nobody") },
		func() []byte { return tlv(1, "nobody", 30, "442079460000", 40, 2, 44, "77", 46, 61) },
	} {
		r.ask(accounting, []byte(strings.ReplaceAll(string(sip(1, "one", at)), "acme", "acmx")))
		r.ask(accounting, call())
	}
	r.want("0.0", 0, 2)
	if err := r.DropSuspense(t.Context(), storage.SuspenseFilter{}, func([]rating.Verdict) {}); err != nil {
		t.Fatal(err)
	}
	r.ask(accounting, sip(2, "one", at.Add(time.Minute), 41, 9))
	r.ask(accounting, tlv(1, "nobody", 30, "442079460000", 40, 2, 44, "77", 46, 61, 41, 9))
	if _, err := r.EndDialogs(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.want("0.0", 0, 0)
	r.sound()
}

func TestWhoIsNoNASOrHasAnotherSecretHearsNothing(t *testing.T) {
	r := newRig(t)
	quiet := func(socket int, packet []byte) {
		t.Helper()
		if answer := exchange(t, r.dial(socket), packet, 200*time.Millisecond); answer != nil {
			t.Errorf("answered: %x", answer)
		}
	}
	quiet(accounting, request(codeAccountingRequest, 1, "wrong-secret", stopOf("A 1"), false))
	quiet(accounting, request(codeAccessRequest, 1, secret, stopOf("A 1"), true))
	quiet(accounting, []byte("GET / HTTP/1.1\r\n\r\n and some more of it"))
	quiet(access, request(codeAccessRequest, 1, secret, tlv(1, "acme", 30, "442079460000"), false))
	quiet(access, request(codeAccessRequest, 1, "wrong-secret", tlv(1, "acme", 30, "442079460000"), true))
	if err := ops.DeleteNAS(t.Context(), r.env, "gw"); err != nil {
		t.Fatal(err)
	}
	quiet(accounting, request(codeAccountingRequest, 1, secret, stopOf("A 1"), false))
	for _, tt := range []struct {
		socket  int
		outcome Outcome
	}{{accounting, BadSecret}, {accounting, WrongCode}, {accounting, Malformed}, {access, Unsigned}, {access, BadSecret}, {accounting, Unknown}} {
		if n := r.server.Sockets()[tt.socket].Count(tt.outcome); n != 1 {
			t.Errorf("socket %d: %d packets %s, want 1", tt.socket, n, tt.outcome)
		}
	}
	list, err := ops.ListNAS(t.Context(), r.env)
	if err != nil || len(list.Strangers) != 1 || list.Strangers[0].Address != "127.0.0.1" || list.Strangers[0].Packets != 1 {
		t.Errorf("strangers %+v, %v, want 127.0.0.1 with one packet", list, err)
	}
	r.want("0.0", 0, 0)
}

func TestWithoutACommitThereIsNoAnswer(t *testing.T) {
	r := newRig(t)
	r.env.Queue.Stop()
	if answer := exchange(t, r.dial(accounting), request(codeAccountingRequest, 1, secret, stopOf("A 1"), false), 300*time.Millisecond); answer != nil {
		t.Errorf("answered: %x", answer)
	}
	if n := r.server.Sockets()[accounting].Count(NotStored); n != 1 {
		t.Errorf("%d packets not stored, want 1", n)
	}
}

func TestAccessIsGrantedReservedAndSettled(t *testing.T) {
	r := newRig(t)
	ask := tlv(1, "acme", 30, "442079460000", 31, "4930123456", 9<<8|24, "h323-conf-id=A 1")
	p := r.ask(access, ask)
	if p.code() != codeAccessAccept || p.text(attrSessionTimeout) == "" {
		t.Fatalf("answer %x, want an accept with Session-Timeout", p.raw)
	}
	// 10 to the floor, 0.06 a minute: 166 minutes, of which the account's calls may last 7200 s
	seconds := p.text(attrSessionTimeout)
	for typ, want := range map[uint8]string{ciscoReturnCode: "h323-return-code=0", ciscoCreditTime: "h323-credit-time=7200", ciscoCreditAmount: "h323-credit-amount=10.00", ciscoCurrency: "h323-currency=EUR"} {
		if got := p.cisco(typ); got != want {
			t.Errorf("attribute %d = %q, want %q (Session-Timeout %x)", typ, got, want, seconds)
		}
	}
	open := func() (n int) {
		r.View(t.Context(), func(tx *storage.Tx) error { n = tx.OpenReservations(); return nil })
		return n
	}
	if r.ask(access, ask); open() != 1 {
		t.Errorf("%d reservations after it was asked twice, want 1", open())
	}
	r.ask(accounting, stopOf("A 1"))
	if open() != 0 {
		t.Errorf("%d reservations after the Stop, want 0", open())
	}
	r.want("-0.12", 1, 0)
	r.sound()
}

func TestAccessIsRefusedWithTheReason(t *testing.T) {
	r := newRig(t)
	err := r.Update(t.Context(), func(tx *storage.Tx) error {
		none := int64(0)
		for _, a := range []rating.Account{
			{Name: "poor", MinBalance: "0"}, {Name: "off", Disabled: true}, {Name: "busy", OriginationCapacity: &none},
		} {
			a.Contractor, a.Currency = 1, rating.Currency{'E', 'U', 'R'}
			if err := tx.CreateAccount(&a); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, user, number, code, message string }{
		{"no money", "poor", "442079460000", "12", "account 3: balance 0.0, reserved 0.0, floor 0.0"},
		{"no rate", "acme", "882079460000", "9", ""},
		{"nobody of that name", "nobody", "442079460000", "1", ""},
		{"switched off", "off", "442079460000", "7", "account 4 is switched off"},
		{"as many calls as it may", "busy", "442079460000", "3", "account 5 has its 0 calls"},
		{"a number with a blank", "acme", "44 20", "11", ""},
		{"no number, no money", "poor", "", "12", "the account has no credit left"},
		{"no number, nobody", "nobody", "", "1", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			attrs := tlv(1, tt.user, 44, tt.name)
			if tt.number != "" {
				attrs = append(attrs, tlv(30, tt.number)...)
			}
			p := r.ask(access, attrs)
			if got := p.cisco(ciscoReturnCode); p.code() != codeAccessReject || got != "h323-return-code="+tt.code {
				t.Errorf("code %d, %s, want a reject with %s", p.code(), got, tt.code)
			}
			if got := p.text(attrReplyMessage); got == "" || tt.message != "" && got != tt.message {
				t.Errorf("Reply-Message %q, want %q", got, tt.message)
			}
		})
	}
	p := r.ask(access, tlv(1, "acme")) // the account alone, before the number is asked for
	if p.code() != codeAccessAccept || p.cisco(ciscoCreditAmount) != "h323-credit-amount=10.00" || p.text(attrSessionTimeout) != "" {
		t.Errorf("answer %x, want an accept with the credit and no time", p.raw)
	}
	r.sound()
}

func TestANASMayAskForAPassword(t *testing.T) {
	r := newRig(t, func(n *storage.NAS) { n.Password = "arctangent" })
	attrs := tlv(1, "acme", 30, "442079460000", 44, "1")
	if p := r.ask(access, attrs); p.code() != codeAccessReject || p.cisco(ciscoReturnCode) != "h323-return-code=2" {
		t.Errorf("without a password: %x, want a reject", p.raw)
	}
	challenge := "0123456789abcdef"
	chap := md5Of("\x07arctangent" + challenge)
	if p := r.ask(access, append(attrs, tlv(3, "\x07"+chap, 60, challenge)...)); p.code() != codeAccessAccept {
		t.Errorf("with it: %x, want an accept", p.raw)
	}
}

func TestAServerAsksWhetherWeAreAlive(t *testing.T) {
	r := newRig(t)
	for socket, want := range []byte{codeAccountingResponse, codeAccessAccept} {
		sent := request(codeStatusServer, 9, secret, nil, true)
		answer := exchange(t, r.dial(socket), sent, 10*time.Second)
		if answer == nil {
			t.Fatal("no answer")
		}
		if p := r.verify(sent, answer); p.code() != want {
			t.Errorf("socket %d answers %d, want %d", socket, p.code(), want)
		}
	}
}

func TestASessionsOctetsAreJoinedWithTheirGigawords(t *testing.T) {
	r := newRig(t, func(n *storage.NAS) { n.Swapped = true })
	at := int(time.Now().Add(-time.Hour).Unix())
	session := func(status, seconds, in, out, giga int) []byte {
		return tlv(1, "bob", 44, "s1", 40, status, 46, seconds, 42, in, 43, out, 53, giga, 55, at+seconds, 8, "\x0a\x00\x00\x09", 31, "00-11-22-33-44-55")
	}
	r.ask(accounting, session(1, 0, 0, 0, 0))
	r.ask(accounting, session(3, 600, 1000, 2000, 0))
	r.ask(accounting, session(3, 600, 1000, 2000, 0))
	r.ask(accounting, session(2, 1200, 5000, 7, 1))
	var got []storage.DataSession
	err := r.View(t.Context(), func(tx *storage.Tx) error {
		return tx.DataSessions.Each(0, func(s *storage.DataSession) (bool, error) {
			got = append(got, *s)
			return true, nil
		})
	})
	if err != nil || len(got) != 1 || got[0].User != "bob" || got[0].Address != "10.0.0.9" || got[0].Calling != "00-11-22-33-44-55" || got[0].Open() {
		t.Fatalf("sessions %+v, %v, want bob's, which is over", got, err)
	}
	// the NAS has its directions the other way round: output is what bob sent
	if u := got[0].Used; u.Up != 1<<32+7 || u.Down != 5000 {
		t.Errorf("used %+v, want %d up and 5000 down", u, uint64(1<<32+7))
	}
	r.ask(accounting, tlv(40, 7, 44, "0"))
	r.sound()
}

// TestAFloodDoesNotStopCharging sends rubbish, packets of another secret and packets of strangers as fast as
// it can while a NAS has its calls charged; what is dropped it sends again.
func TestAFloodDoesNotStopCharging(t *testing.T) {
	r := newRig(t)
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	for _, packet := range [][]byte{
		[]byte("no packet at all, but many of them"), request(codeAccountingRequest, 1, "wrong-secret", stopOf("F 1"), false),
		request(codeAccountingRequest, 2, secret, stopOf("F 2"), false), // authentic, and always the same
	} {
		conn := r.dial(accounting)
		all.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				conn.Write(packet)
				if n%64 == 0 { // about as much as one machine reads
					time.Sleep(time.Millisecond)
				}
			}
		})
	}
	const calls = 50
	conn, retries := r.dial(accounting), 0
	for n := range calls {
		packet := request(codeAccountingRequest, byte(n), secret, stopOf(fmt.Sprintf("%X 1", n)), true)
		for exchange(t, conn, packet, 50*time.Millisecond) == nil {
			if retries++; retries > 50*calls {
				t.Fatalf("call %d is not answered", n)
			}
		}
	}
	cancel()
	all.Wait()
	var dropped int64
	for _, o := range []Outcome{Malformed, BadSecret, Full, UnderWay, Repeated} {
		dropped += r.server.Sockets()[accounting].Count(o)
	}
	t.Logf("%d calls charged, %d sent again, beside %d other packets", calls, retries, dropped)
	if dropped == 0 {
		t.Error("nothing was dropped: there was no flood")
	}
	r.want("-6.12", calls+1, 0) // the authentic one of the flood is a call, once
	r.sound()
}

func TestStrangersAreRememberedWithinBounds(t *testing.T) {
	r := newRig(t)
	s := r.env.Senders
	for i := range 1000 {
		s.Stranger(netip.AddrFrom4([4]byte{198, 51, byte(i >> 8), byte(i)}), "access", time.Unix(int64(i), 0))
	}
	list := s.Strangers()
	if len(list) != 64 || list[0].Address != "198.51.3.231" || list[63].Address != "198.51.3.168" {
		t.Errorf("%d strangers from %s to %s, want the last 64", len(list), list[0].Address, list[len(list)-1].Address)
	}
}

func TestAnAddressThatIsTakenSaysWhatToDo(t *testing.T) {
	r := newRig(t)
	taken := r.server.Sockets()[accounting].Addr().String()
	_, err := Listen(Options{Env: r.env, Accounting: taken})
	if want := "cannot listen for RADIUS accounting on " + taken + ": bind: address already in use; another RADIUS server may have the port: stop it, or name another address with --radius-acct"; err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

// BenchmarkAccounting has NAS send Stops of different calls over loopback, each waiting for its answer.
func BenchmarkAccounting(b *testing.B) {
	for _, clients := range []int{1, 32, 128} {
		b.Run(fmt.Sprintf("%d ports", clients), func(b *testing.B) {
			r := newRig(b)
			conns := make([]*net.UDPConn, clients)
			for i := range conns {
				conns[i] = r.dial(accounting)
			}
			b.ReportAllocs()
			b.ResetTimer()
			var all sync.WaitGroup
			for i, conn := range conns {
				all.Go(func() {
					for n := i; n < b.N; n += clients {
						packet := request(codeAccountingRequest, byte(n/clients), secret, stopOf(fmt.Sprintf("%X 1", n)), false)
						for exchange(b, conn, packet, 2*time.Second) == nil {
						}
					}
				})
			}
			all.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "packets/s")
		})
	}
}
