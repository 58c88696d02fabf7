package ops

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"billd/server/courier"
	"billd/server/mailtest"
	"billd/storage"
	"billd/storage/bolt"
	"billd/storage/kv"
)

// post is a store with an outbox, a clock that is moved by hand and short timeouts.
type post struct {
	*station
	path  string
	mu    sync.Mutex
	clock time.Time
}

func newPost(t *testing.T) *post {
	t.Helper()
	p := &post{station: &station{t: t}, path: filepath.Join(t.TempDir(), "billd.db"), clock: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)}
	p.open()
	t.Cleanup(func() {
		var faults []string
		if err := p.env.DB.Check(context.Background(), true, func(f string) { faults = append(faults, f) }); err != nil || len(faults) > 0 {
			t.Errorf("check: %v, %q", err, faults)
		}
		p.env.DB.Close()
	})
	return p
}

// open opens the store, as after a crash.
func (p *post) open() {
	p.t.Helper()
	engine, err := bolt.Open(p.path, bolt.Options{Buckets: storage.BucketNames(), FillPercent: storage.FillPercents()})
	if err != nil {
		p.t.Fatal(err)
	}
	db, err := storage.Open(p.t.Context(), engine, storage.Options{Now: func() time.Time {
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.clock
	}})
	if err != nil {
		p.t.Fatal(err)
	}
	p.env = &Env{DB: db, Version: "test", Courier: courier.New(courier.Options{Agent: "billd/test", Timeout: 300 * time.Millisecond})}
}

func (p *post) wait(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clock = p.clock.Add(d)
}

func (p *post) update(fn func(*storage.Tx) error) {
	p.t.Helper()
	if err := p.env.DB.Update(p.t.Context(), fn); err != nil {
		p.t.Fatal(err)
	}
}

// mailServer names a server as the global one.
func (p *post) mailServer(host string, port int) {
	p.t.Helper()
	p.update(func(tx *storage.Tx) error {
		return tx.SMTPConnections.Put(&storage.SMTPConnection{ID: 1, Name: "out", Host: host, Port: int64(port), From: "billing@example.org", Global: true})
	})
}

// queue stores messages: mails to addresses with an @, requests to the rest.
func (p *post) queue(targets ...string) {
	p.t.Helper()
	p.update(func(tx *storage.Tx) error {
		for i, to := range targets {
			m := &storage.Message{Key: fmt.Sprint("test ", i, to), Event: "test"}
			if strings.Contains(to, "@") {
				m.Mail = &storage.Mail{To: to, Subject: "Żółw", Text: "text\n"}
			} else {
				m.Hook = &storage.Hook{URL: to, Method: "POST", Body: []byte(`{"a":1}`)}
			}
			if err := tx.Queue(m); err != nil {
				return err
			}
		}
		return nil
	})
}

func (p *post) deliver(want int) {
	p.t.Helper()
	if n, err := DeliverOutbox(p.t.Context(), p.env); err != nil || n != want {
		p.t.Errorf("delivered %d, %v; want %d", n, err, want)
	}
}

func (p *post) messages() []OutboxMessage {
	p.t.Helper()
	list, err := ListOutbox(p.t.Context(), p.env, "", 0, 0)
	if err != nil {
		p.t.Fatal(err)
	}
	return list
}

// hooked is a web server that keeps what it is sent.
type hooked struct {
	*httptest.Server
	mu     sync.Mutex
	keys   []string // of Idempotency-Key
	bodies []string
}

func newHooked(t *testing.T, answer http.HandlerFunc) *hooked {
	h := &hooked{}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		h.mu.Lock()
		h.keys, h.bodies = append(h.keys, r.Header.Get("Idempotency-Key")), append(h.bodies, string(body))
		h.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(h.Close)
	return h
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

func TestMailAndRequestsGoOutOnce(t *testing.T) {
	p, web := newPost(t), newHooked(t, status(200))
	mail := mailtest.Start(t, nil)
	p.mailServer(mail.Host, mail.Port)
	p.queue("anna@example.net", web.URL+"/hook", "bob@example.net")
	p.deliver(3)
	p.deliver(0)
	letters := mail.Letters()
	if len(letters) != 2 || len(web.bodies) != 1 || web.bodies[0] != `{"a":1}` {
		t.Fatalf("%d letters and requests %q, want 2 and one", len(letters), web.bodies)
	}
	for i, m := range p.messages() {
		if m.State != "sent" || m.Attempts != 1 || m.Error != "" || m.DoneAt == nil {
			t.Errorf("message %d = %+v, want it sent", i, m)
		}
		if m.Kind == "webhook" && web.keys[0] != m.UUID {
			t.Errorf("Idempotency-Key = %s, want %s", web.keys[0], m.UUID)
		}
		if m.Kind == "mail" && !slices.ContainsFunc(letters, func(l mailtest.Letter) bool {
			return l.To == m.To && strings.Contains(l.Data, "Message-ID: <"+m.UUID+"@example.org>")
		}) {
			t.Errorf("no letter to %s with Message-ID %s", m.To, m.UUID)
		}
	}
}

func TestDeliveriesThatFail(t *testing.T) {
	closed := httptest.NewServer(status(200))
	closed.Close()
	hang := make(chan struct{})
	t.Cleanup(func() { close(hang) })
	for _, tt := range []struct {
		name    string
		answers mailtest.Answers // of the mail server
		to      string           // "" for a mail
		web     http.HandlerFunc
		state   string
		error   string
	}{
		{"mailbox busy", mailtest.Answers{"RCPT": "450 4.2.1 busy"}, "", nil, "waiting", `450 "4.2.1 busy"`},
		{"no such mailbox", mailtest.Answers{"RCPT": "550 5.1.1 unknown"}, "", nil, "failed", `550 "5.1.1 unknown"`},
		{"mail server that hangs", mailtest.Answers{"DATA": "hang"}, "", nil, "waiting", "no answer within 300ms"},
		{"web server with a fault", nil, "web", status(500), "waiting", "answered 500 Internal Server Error"},
		{"page that is not there", nil, "web", status(404), "waiting", "answered 404 Not Found"},
		{"page that is gone", nil, "web", status(410), "failed", "answered 410 Gone"},
		{"web server that hangs", nil, "web", func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-hang:
			case <-r.Context().Done():
			}
		}, "waiting", "no answer within 300ms"},
		{"nobody listens", nil, closed.URL, nil, "waiting", "refused"},
		{"no address", nil, "not an address", nil, "failed", "is not an http or https address"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newPost(t)
			to := tt.to
			switch to {
			case "":
				s := mailtest.Start(t, tt.answers)
				p.mailServer(s.Host, s.Port)
				to = "anna@example.net"
			case "web":
				to = newHooked(t, tt.web).URL
			}
			p.queue(to)
			p.deliver(0)
			m := p.messages()[0]
			if m.State != tt.state || m.Attempts != 1 || !strings.Contains(m.Error, tt.error) {
				t.Errorf("message is %s after %d attempts with %q, want %s after 1 with %q", m.State, m.Attempts, m.Error, tt.state, tt.error)
			}
		})
	}
}

func TestAFailureIsTriedAgainLaterAndLater(t *testing.T) {
	p := newPost(t)
	down := true
	web := newHooked(t, func(w http.ResponseWriter, _ *http.Request) {
		if down {
			w.WriteHeader(503)
		}
	})
	p.queue(web.URL)
	for attempt := 1; attempt <= 4; attempt++ {
		p.deliver(0)
		p.deliver(0) // not before its time
		if len(web.keys) != attempt {
			t.Fatalf("%d attempts, want %d", len(web.keys), attempt)
		}
		p.wait(storage.RetryDelay(attempt))
	}
	down = false
	p.deliver(1)
	if m := p.messages()[0]; m.State != "sent" || m.Attempts != 5 || m.Error != "" {
		t.Errorf("message = %+v, want it sent at the fifth attempt", m)
	}
	if slices.Sort(web.keys); len(slices.Compact(web.keys)) != 1 {
		t.Errorf("keys of one message = %q, want one", web.keys)
	}
}

func TestWithoutAMailServerAMailWaitsAndSaysWhy(t *testing.T) {
	p := newPost(t)
	p.queue("anna@example.net")
	p.deliver(0)
	if m := p.messages()[0]; m.State != "waiting" || !strings.Contains(m.Error, "names no SMTP connection and none is global") {
		t.Errorf("message = %+v, want it waiting for a server", m)
	}
	s := mailtest.Start(t, nil)
	p.mailServer(s.Host, s.Port)
	p.run(ExitOK, "outbox-retry", `{"id":1}`, "")
	p.deliver(1)
}

// A process that dies between sending and noting so sends again, under the same name.
func TestKilledBetweenSendingAndNoting(t *testing.T) {
	p := newPost(t)
	web := newHooked(t, func(http.ResponseWriter, *http.Request) {})
	dying := newHooked(t, func(http.ResponseWriter, *http.Request) { p.env.DB.Close() })
	p.queue(dying.URL)
	if n, err := DeliverOutbox(t.Context(), p.env); n != 0 || err == nil {
		t.Fatalf("delivered %d, %v; want an error of the store", n, err)
	}
	p.open()
	if m := p.messages()[0]; m.State != "waiting" || m.Attempts != 1 {
		t.Fatalf("message after the crash = %+v, want it waiting after one attempt", m)
	}
	p.update(func(tx *storage.Tx) error { // the same receiver, well again
		m, err := tx.Messages.Get(1)
		if err != nil {
			return err
		}
		m.Hook.URL = web.URL
		return tx.Messages.Put(m)
	})
	p.deliver(0)
	p.wait(storage.RetryDelay(1))
	p.deliver(1)
	p.wait(time.Hour)
	p.deliver(0)
	if len(dying.keys) != 1 || len(web.keys) != 1 || dying.keys[0] != web.keys[0] {
		t.Errorf("keys = %q and %q, want the same one twice", dying.keys, web.keys)
	}
}

func TestTheAnswerToALetterIsLost(t *testing.T) {
	p := newPost(t)
	s := mailtest.Start(t, mailtest.Answers{"TEXT": "drop"})
	p.mailServer(s.Host, s.Port)
	p.queue("anna@example.net")
	p.deliver(0)
	s.Answer(nil)
	p.wait(time.Minute)
	p.deliver(1)
	if l := s.Letters(); len(l) != 2 || l[0].Data != l[1].Data {
		t.Errorf("%d letters, want two that a receiver can tell to be one", len(l))
	}
}

func TestOneDeadServerHoldsUpNobody(t *testing.T) {
	p, web := newPost(t), newHooked(t, status(200))
	dead := mailtest.Start(t, mailtest.Answers{"HELLO": "421 4.3.2 closed"})
	p.mailServer(dead.Host, dead.Port)
	targets := []string{}
	for i := range 120 { // more than a round
		targets = append(targets, fmt.Sprintf("customer%d@example.net", i))
	}
	p.queue(append(targets, web.URL)...)
	p.deliver(1)
	if n := dead.Dialled(); n != 2 {
		t.Errorf("the dead server was called %d times, want once a round", n)
	}
	for _, m := range p.messages() {
		if m.Kind == "mail" && (m.State != "waiting" || m.Attempts != 1 || !strings.Contains(m.Error, "421")) {
			t.Errorf("message %s = %s after %d attempts, %q", m.ID, m.State, m.Attempts, m.Error)
		}
	}
}

func TestStoppingLeavesAMessageForLater(t *testing.T) {
	p := newPost(t)
	p.env.Courier = courier.New(courier.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	stop := newHooked(t, func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	p.queue(stop.URL, stop.URL+"/second")
	if n, err := DeliverOutbox(ctx, p.env); n != 0 || err != nil {
		t.Errorf("delivered %d, %v; want none and no error", n, err)
	}
	for _, m := range p.messages() {
		if m.State != "waiting" || m.Attempts != 1 || m.Error != "" {
			t.Errorf("message = %+v, want it waiting", m)
		}
	}
}

func TestOperatorsCommandsOnTheOutbox(t *testing.T) {
	p := newPost(t)
	gone := newHooked(t, status(410))
	p.queue(gone.URL, gone.URL+"/2", "anna@example.net", "bob@example.net")
	p.deliver(0)
	for _, tt := range []struct {
		exit             int
		name, args, want string
	}{
		{ExitOK, "outbox-list", `{"state":"failed"}`, "answered 410 Gone"},
		{ExitOK, "outbox-list", `{"json":true,"state":"sent"}`, "[]\n"},
		{ExitFailed, "outbox-list", `{"state":"lost"}`, ""},
		{ExitOK, "outbox-show", `{"id":1}`, "1 of 15"},
		{ExitOK, "outbox-show", `{"id":1,"json":true}`, `"body": {`},
		{ExitOK, "outbox-show", `{"id":3}`, "Żółw"},
		{ExitFailed, "outbox-show", `{"id":9}`, ""},
		{ExitUsage, "outbox-drop", `{}`, ""},
		{ExitOK, "outbox-retry", `{}`, "2 messages due\n"},
		{ExitOK, "outbox-drop", `{"id":1,"json":true}`, "{\n  \"dropped\": 1\n}\n"},
		{ExitOK, "outbox-retry", `{"state":"dropped"}`, "1 messages due\n"},
		{ExitOK, "outbox-drop", `{"all":true}`, "4 messages dropped\n"},
		{ExitFailed, "outbox-retry", `{"state":"sent"}`, ""},
		{ExitFailed, "outbox-retry", `{"id":9}`, ""},
		{ExitOK, "outbox-retry", `{"id":2}`, "1 messages due\n"},
	} {
		if got := p.run(tt.exit, tt.name, tt.args, ""); tt.want != "" && !strings.Contains(got, tt.want) {
			t.Errorf("%s %s printed %q, want %q", tt.name, tt.args, got, tt.want)
		}
	}
	gone.Config.Handler = status(200)
	p.deliver(1)
	p.run(ExitFailed, "outbox-drop", `{"id":2}`, "")
	p.wait(storage.MessageKept + time.Hour)
	if n, err := PruneOutbox(t.Context(), p.env); n != 4 || err != nil {
		t.Errorf("pruned %d, %v; want 4", n, err)
	}
}

func TestThresholdsAreToldByMail(t *testing.T) {
	p := newPost(t)
	s := mailtest.Start(t, nil)
	p.mailServer(s.Host, s.Port)
	p.run(ExitOK, "import-accounts", `{}`, "name,contractor,balance,low_threshold\nNorthfield,North,5,10\nHarbour,Harbour,50,10\n")
	p.update(func(tx *storage.Tx) error {
		if err := tx.Contacts.Put(&storage.Contact{Contractor: 2, Email: "anna@north.example"}); err != nil {
			return err
		}
		a, err := tx.Accounts.Get(2)
		if err != nil {
			return err
		}
		a.LowThreshold, a.NotifyContacts = "10.0", []int64{1}
		return tx.SaveAccount(a)
	})
	for range 3 {
		if _, err := TellThresholds(t.Context(), p.env); err != nil {
			t.Fatal(err)
		}
		p.wait(time.Minute)
	}
	p.deliver(1)
	l := s.Letters()
	if len(l) != 1 || l[0].To != "anna@north.example" || !strings.Contains(l[0].Data, "Subject: Account with id 2 low balance\r\n") || !strings.Contains(l[0].Data, "Balance: 5.0 EUR") {
		t.Errorf("letters = %+v, want one", l)
	}
}

// broken plants an invoice that an account's index names and that does not exist.
func (p *post) broken(account uint64) (mend func()) {
	b := kv.Bucket(slices.Index(storage.BucketNames(), "invoice.account"))
	key := kv.Key(nil).U64(account).Milli(p.clock.AddDate(0, -1, 0)).U64(999)
	p.update(func(tx *storage.Tx) error { return tx.Txn.Put(b, key, nil) })
	return func() { p.update(func(tx *storage.Tx) error { return tx.Txn.Delete(b, key) }) }
}

func TestOneAccountsErrorDoesNotKeepOthersFromTheirInvoices(t *testing.T) {
	p := newPost(t)
	p.run(ExitOK, "import-accounts", `{}`, "name,contractor,invoice_period\nfirst,A,1\nsecond,B,1\nthird,C,1\n")
	p.wait(48 * time.Hour)
	mend := p.broken(3)
	made, err := RunDueInvoices(t.Context(), p.env)
	if err == nil || !strings.Contains(err.Error(), "account 3: ") || strings.Contains(err.Error(), "account 2: ") {
		t.Errorf("error = %v, want one about account 3 only", err)
	}
	if made != 4 {
		t.Errorf("made %d invoices, want two each of the two sound accounts", made)
	}
	mend()
	if made, err = RunDueInvoices(t.Context(), p.env); made != 2 || err != nil {
		t.Errorf("made %d, %v; want the two that were missing", made, err)
	}
	var list []InvoiceView
	if err := json.Unmarshal([]byte(p.run(ExitOK, "invoice-list", `{"json":true}`, "")), &list); err != nil {
		t.Fatal(err)
	}
	for _, v := range list {
		if v.State != "Pending" {
			t.Errorf("invoice %s is %s, want it filled", v.ID, v.State)
		}
	}
}
