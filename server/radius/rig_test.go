package radius

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5"
	"log/slog"
	"net"
	"testing"
	"time"

	"billd/rating"
	"billd/server/ops"
	"billd/storage"
)

const secret = "testing123"

// rig is a server on a store of its own, with an account, a rate of 0.06 a minute to 44, and a NAS at loopback.
type rig struct {
	*storage.DB
	t      testing.TB
	env    *ops.Env
	server *Server
	next   byte // identifier
}

func newRig(t testing.TB, change ...func(*storage.NAS)) *rig {
	t.Helper()
	dir := t.TempDir()
	db, err := ops.OpenStore(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	err = db.Update(t.Context(), func(tx *storage.Tx) error {
		if err := tx.CreateAccount(&rating.Account{Name: "acme", Contractor: 1, Currency: rating.Currency{'E', 'U', 'R'}, MinBalance: "-10"}); err != nil {
			return err
		}
		step := rating.Step{Seconds: 60, Price: 60_000_000}
		if err := tx.Rates.Put(&rating.Rate{Deck: rating.DefaultDeck, Prefix: "44", Terms: rating.Terms{First: step, Next: step}}); err != nil {
			return err
		}
		n := &storage.NAS{Name: "gw", Network: "127.0.0.1", Secret: secret}
		for _, fn := range change {
			fn(n)
		}
		return tx.SaveNAS(n)
	})
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{DB: db, t: t}
	queue, auths := storage.NewIngest(db), storage.NewAuthQueue(db)
	t.Cleanup(queue.Stop)
	t.Cleanup(auths.Stop)
	r.env = &ops.Env{DB: db, Dir: dir, Version: "test", Log: slog.New(slog.DiscardHandler), Queue: queue, Auths: auths, Senders: ops.NewSenders()}
	r.server, err = Listen(Options{Env: r.env, Accounting: "127.0.0.1:0", Access: "127.0.0.1:0", Log: r.env.Log})
	if err != nil {
		t.Fatal(err)
	}
	r.server.Serve(t.Context())
	t.Cleanup(r.server.Stop)
	return r
}

// dial opens a port of the NAS's to one of the sockets.
func (r *rig) dial(socket int) *net.UDPConn {
	r.t.Helper()
	conn, err := net.DialUDP("udp", nil, r.server.Sockets()[socket].Addr().(*net.UDPAddr))
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { conn.Close() })
	return conn
}

const (
	accounting = 0
	access     = 1
)

// exchange sends a packet and returns its answer, nil if none comes in time.
func exchange(t testing.TB, conn *net.UDPConn, packet []byte, patience time.Duration) []byte {
	t.Helper()
	if _, err := conn.Write(packet); err != nil {
		t.Fatal(err)
	}
	conn.SetReadDeadline(time.Now().Add(patience))
	for b := make([]byte, maxPacket); ; {
		n, err := conn.Read(b)
		if err != nil {
			return nil
		}
		if n >= headLength && len(packet) > 1 && b[1] == packet[1] { // not a late answer to another
			return b[:n]
		}
	}
}

// ask sends a request and returns the answer, of which it has seen that it is authentic.
func (r *rig) ask(socket int, attrs []byte) *packet {
	r.t.Helper()
	r.next++
	code := byte(codeAccountingRequest)
	if socket == access {
		code = codeAccessRequest
	}
	sent := request(code, r.next, secret, attrs, true)
	answer := exchange(r.t, r.dial(socket), sent, 10*time.Second)
	if answer == nil {
		r.t.Fatal("no answer")
	}
	return r.verify(sent, answer)
}

// verify reads an answer as a NAS does that trusts nobody.
func (r *rig) verify(sent, answer []byte) *packet {
	r.t.Helper()
	b := bytes.Clone(answer)
	copy(b[4:headLength], sent[4:headLength])
	seal(b, []byte(secret))
	if !bytes.Equal(b, answer) || answer[1] != sent[1] {
		r.t.Fatalf("the answer's authenticator is wrong: %x", answer)
	}
	p, err := parse(answer)
	if err != nil {
		r.t.Fatal(err)
	}
	if p.signed != headLength+2 {
		r.t.Fatalf("Message-Authenticator stands at %d, want it first", p.signed)
	}
	copy(b[4:headLength], sent[4:headLength])
	copy(b[p.signed:], make([]byte, md5.Size))
	h := hmac.New(md5.New, []byte(secret))
	h.Write(b)
	if !hmac.Equal(h.Sum(nil), answer[p.signed:p.signed+md5.Size]) {
		r.t.Fatalf("the answer's Message-Authenticator is wrong: %x", answer)
	}
	return p
}

// cisco returns an attribute of vendor 9 of an answer.
func (p *packet) cisco(typ uint8) string {
	for _, a := range p.attrs {
		if a.Vendor == vendorCisco && a.Type == typ {
			return a.Value
		}
	}
	return ""
}

// balance returns what acme has, and how many calls there are and how many wait in suspense.
func (r *rig) balance() (balance string, calls, held int) {
	r.t.Helper()
	err := r.View(r.t.Context(), func(tx *storage.Tx) error {
		a, err := tx.AccountByRef("acme")
		if err != nil {
			return err
		}
		m, err := tx.AccountBalance(a)
		balance, held = m.String(), tx.Suspense.Count()
		return err
	})
	if err != nil {
		r.t.Fatal(err)
	}
	n := r.Outcomes()
	return balance, int(n[rating.OutcomeRated] + n[rating.OutcomeFree]), held
}

// sound runs the check.
func (r *rig) sound() {
	r.t.Helper()
	if err := r.Check(r.t.Context(), false, func(fault string) { r.t.Errorf("check: %s", fault) }); err != nil {
		r.t.Fatal(err)
	}
}

func md5Of(s string) string {
	sum := md5.Sum([]byte(s))
	return string(sum[:])
}
