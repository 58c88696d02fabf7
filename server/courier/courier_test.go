package courier

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"net/url"
	"strings"
	"testing"
	"time"

	"billd/server/mailtest"
)

var moment = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func letter() *Letter {
	return &Letter{ID: "0198-abc", To: "anna@example.net", Subject: "Rachunek 7 – Łódź, Ελλάδα, Київ", Text: "Zażółć\n.\nкінець\n", At: moment,
		Attached: &Attachment{Name: "invoice-7.pdf", Type: "application/pdf", Body: []byte("%PDF-1.3 \x00\xff body")}}
}

func serverOf(s *mailtest.Server) Server {
	return Server{Host: s.Host, Port: s.Port, From: "billing@example.org"}
}

// outcome spells what came of a delivery.
func outcome(err error) string {
	var f *Failure
	switch {
	case err == nil:
		return "delivered"
	case !errors.As(err, &f):
		return "no Failure: " + err.Error()
	case f.Final:
		return "final: " + f.Error()
	case f.Unreachable:
		return "unreachable: " + f.Error()
	}
	return "later: " + f.Error()
}

func TestALetterArrivesAsItWasWritten(t *testing.T) {
	s := mailtest.Start(t, nil)
	c := New(Options{})
	for range 2 {
		if err := c.Mail(t.Context(), serverOf(s), letter()); err != nil {
			t.Fatal(err)
		}
	}
	got := s.Letters()
	if len(got) != 2 || got[0].Data != got[1].Data {
		t.Fatalf("%d letters, want two that are the same byte for byte", len(got))
	}
	if got[0].From != "billing@example.org" || got[0].To != "anna@example.net" {
		t.Errorf("envelope = %s to %s", got[0].From, got[0].To)
	}
	m, err := mail.ReadMessage(strings.NewReader(got[0].Data))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"Message-Id": "<0198-abc@example.org>", "From": "<billing@example.org>", "To": "<anna@example.net>", "Auto-Submitted": "auto-generated", "Date": "Sat, 21 Nov 2026 12:00:00 +0000"} {
		if got := m.Header.Get(name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	if got, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject")); err != nil || got != letter().Subject {
		t.Errorf("subject = %q, %v; want %q", got, err, letter().Subject)
	}
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	text, err := parts.NextPart()
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(text); err != nil || strings.ReplaceAll(string(b), "\r\n", "\n") != letter().Text {
		t.Errorf("text = %q, %v; want %q", b, err, letter().Text)
	}
	file, err := parts.NextRawPart()
	if err != nil {
		t.Fatal(err)
	}
	if file.FileName() != "invoice-7.pdf" || !strings.HasPrefix(file.Header.Get("Content-Type"), "application/pdf") {
		t.Errorf("attachment = %v", file.Header)
	}
}

func TestWhatAMailServerSays(t *testing.T) {
	for _, tt := range []struct {
		name    string
		answers mailtest.Answers
		want    string
		letters int
	}{
		{"busy", mailtest.Answers{"HELLO": "421 4.3.2 too busy"}, `unreachable: dial failed: 421 "4.3.2 too busy"`, 0},
		{"not now for this recipient", mailtest.Answers{"RCPT": "450 4.2.1 mailbox busy"}, `later: sending SMTP RCPT TO command: 450 "4.2.1 mailbox busy"`, 0},
		{"no such recipient", mailtest.Answers{"RCPT": "550 5.1.1 no such user"}, `final: sending SMTP RCPT TO command: 550 "5.1.1 no such user"`, 0},
		{"a sender that may not", mailtest.Answers{"MAIL": "553 5.7.1 not yours"}, `later: sending SMTP MAIL FROM command: 553 "5.7.1 not yours"`, 0},
		{"a letter that is refused", mailtest.Answers{"TEXT": "554 5.6.0 spam"}, `final: closing SMTP DATA writer: 554 "5.6.0 spam"`, 0},
		{"a full disk", mailtest.Answers{"TEXT": "452 4.3.1 full"}, `later: closing SMTP DATA writer: 452 "4.3.1 full"`, 0},
		{"hangs up", mailtest.Answers{"RCPT": "drop"}, "unreachable: ", 0},
		{"takes the letter and then fails", mailtest.Answers{"RSET": "421 bye", "QUIT": "drop"}, "delivered", 1},
		{"takes the letter and hangs up", mailtest.Answers{"TEXT": "drop"}, "unreachable: ", 1},
		{"says nothing", mailtest.Answers{"HELLO": "hang"}, "unreachable: no answer within 300ms", 0},
		{"stops in the middle", mailtest.Answers{"DATA": "hang"}, "unreachable: no answer within 300ms", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := mailtest.Start(t, tt.answers)
			got := outcome(New(Options{Timeout: 300 * time.Millisecond}).Mail(t.Context(), serverOf(s), letter()))
			if !strings.HasPrefix(got, tt.want) || strings.HasSuffix(tt.want, "s") && got != tt.want {
				t.Errorf("outcome = %q, want %q", got, tt.want)
			}
			if n := len(s.Letters()); n != tt.letters {
				t.Errorf("%d letters taken, want %d", n, tt.letters)
			}
		})
	}
}

func TestNobodyListens(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := ln.Addr().(*net.TCPAddr).Port
	ln.Close()
	c := New(Options{})
	if got := outcome(c.Mail(t.Context(), Server{Host: "127.0.0.1", Port: port, From: "a@example.org"}, letter())); !strings.HasPrefix(got, "unreachable: ") || !strings.Contains(got, "refused") {
		t.Errorf("mail: %s, want unreachable, refused", got)
	}
	if got := outcome(c.Send(t.Context(), &Request{URL: "http://" + ln.Addr().String(), Method: "POST"})); !strings.HasPrefix(got, "unreachable: ") || !strings.Contains(got, "refused") {
		t.Errorf("request: %s, want unreachable, refused", got)
	}
}

func TestPasswordsAndTLS(t *testing.T) {
	signed := mailtest.Options{User: "billing", Password: "secret"}
	with := func(change func(*mailtest.Options)) mailtest.Options {
		o := signed
		change(&o)
		return o
	}
	for _, tt := range []struct {
		name    string
		o       mailtest.Options
		trusted bool
		pass    string
		want    string
		secured bool
	}{
		{"TLS where it is offered", mailtest.Options{TLS: true}, true, "", "delivered", true},
		{"a certificate that nobody vouches for", mailtest.Options{TLS: true}, false, "", "unreachable: ", false},
		{"a password over TLS", with(func(o *mailtest.Options) { o.TLS = true }), true, "secret", "delivered", true},
		{"a password in the clear to this machine", signed, true, "secret", "delivered", false},
		{"a wrong password", signed, true, "wrong", `unreachable: dial failed: SMTP AUTH failed: 535 "5.7.8 wrong user or password"`, false},
		{"no password where one is wanted", signed, true, "", `later: sending SMTP MAIL FROM command: 530 "5.7.0 sign in first"`, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := mailtest.StartWith(t, tt.o)
			o := Options{}
			if tt.trusted {
				o.TLS = &tls.Config{RootCAs: s.Trust}
			}
			to := serverOf(s)
			if tt.pass != "" {
				to.User, to.Password = "billing", tt.pass
			}
			got := outcome(New(o).Mail(t.Context(), to, letter()))
			if !strings.HasPrefix(got, tt.want) {
				t.Errorf("outcome = %q, want %q", got, tt.want)
			}
			if list := s.Letters(); len(list) == 1 && list[0].Secured != tt.secured {
				t.Errorf("secured = %t, want %t", list[0].Secured, tt.secured)
			}
		})
	}
}

func TestTLSFromTheBeginning(t *testing.T) {
	s := mailtest.StartWith(t, mailtest.Options{Implicit: true})
	trust := &tls.Config{RootCAs: s.Trust, ServerName: s.Host}
	// port 465 is not ours to listen on: the dialer is told of it and the address leads to the test's
	dial := dialer(t.Context(), Server{Host: s.Host, Port: submissionsPort}, trust)
	conn, err := dial(t.Context(), "tcp", net.JoinHostPort(s.Host, itoa(s.Port)))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, secured := conn.(*tls.Conn); !secured {
		t.Errorf("connection is a %T, want TLS", conn)
	}
	hello := make([]byte, 3)
	if _, err := io.ReadFull(conn, hello); err != nil || string(hello) != "220" {
		t.Errorf("greeting = %q, %v; want 220", hello, err)
	}
}

func itoa(n int) string { return strings.TrimPrefix((&net.TCPAddr{Port: n}).String(), ":") }

func TestALetterThatCannotBeWritten(t *testing.T) {
	s := mailtest.Start(t, nil)
	l := letter()
	l.To = "nobody at all"
	if got := outcome(New(Options{}).Mail(t.Context(), serverOf(s), l)); !strings.HasPrefix(got, `final: recipient "nobody at all": `) {
		t.Errorf("outcome = %q, want it final", got)
	}
	l.To = "anna@example.net\r\nBcc: eve@example.net"
	if got := outcome(New(Options{}).Mail(t.Context(), serverOf(s), l)); !strings.HasPrefix(got, "final: ") {
		t.Errorf("outcome = %q, want it final", got)
	}
	l = letter()
	l.Subject = "x\r\nBcc: eve@example.net"
	if err := New(Options{}).Mail(t.Context(), serverOf(s), l); err != nil {
		t.Fatal(err)
	}
	if list := s.Letters(); len(list) != 1 || strings.Contains(list[0].Data, "\nBcc:") {
		t.Errorf("a subject opened a header of its own: %+v", list)
	}
}

func TestStoppingHangsUp(t *testing.T) {
	s := mailtest.Start(t, mailtest.Answers{"MAIL": "hang"})
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	began := time.Now()
	if err := New(Options{}).Mail(ctx, serverOf(s), letter()); err == nil {
		t.Error("delivered, want an error")
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("stopped after %s, want at once", took)
	}
}

// seen is what a web server was sent.
type seen struct {
	method, path, query, body, kind, key, agent string
}

func TestWhatAWebServerSays(t *testing.T) {
	for _, tt := range []struct {
		name   string
		status int
		head   string // of Location
		body   string
		want   string
	}{
		{"ok", 200, "", "fine", "delivered"},
		{"nothing to say", 204, "", "", "delivered"},
		{"not found", 404, "", "no\x1b[31m such\n page", "later: answered 404 Not Found: no [31m such page"},
		{"gone", 410, "", "", "final: answered 410 Gone"},
		{"too many", 429, "", "", "later: answered 429 Too Many Requests"},
		{"broken", 500, "", strings.Repeat("x", 1000), "later: answered 500 Internal Server Error: " + strings.Repeat("x", maxAnswer)},
		{"elsewhere", 302, "http://169.254.169.254/", "", `final: answered 302 Found to "http://169.254.169.254/": redirects are not followed`},
		{"elsewhere for good", 308, "/other", "", `final: answered 308 Permanent Redirect to "/other": redirects are not followed`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			asked := 0
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked++
				w.Header().Set("Location", tt.head)
				w.WriteHeader(tt.status)
				io.WriteString(w, tt.body)
			}))
			defer s.Close()
			if got := outcome(New(Options{}).Send(t.Context(), &Request{URL: s.URL + "/hook", Method: "POST", Body: []byte(`{}`)})); got != tt.want {
				t.Errorf("outcome = %q, want %q", got, tt.want)
			}
			if asked != 1 {
				t.Errorf("asked %d times, want once", asked)
			}
		})
	}
}

func TestARequestIsSentAsItsMethodSays(t *testing.T) {
	var got seen
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = seen{r.Method, r.URL.Path, r.URL.RawQuery, string(body), r.Header.Get("Content-Type"), r.Header.Get("Idempotency-Key"), r.Header.Get("User-Agent")}
	}))
	defer s.Close()
	c := New(Options{Agent: "billd/test"})
	if err := c.Send(t.Context(), &Request{ID: "u", URL: s.URL + "/a?x=1", Method: "POST", Body: []byte(`{"a":"b"}`)}); err != nil {
		t.Fatal(err)
	}
	if want := (seen{"POST", "/a", "x=1", `{"a":"b"}`, "application/json", "u", "billd/test"}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if err := c.Send(t.Context(), &Request{ID: "u", URL: s.URL + "/a?x=1", Method: "GET", Body: []byte(`{"export_id":"7","status":"Completed"}`)}); err != nil {
		t.Fatal(err)
	}
	if want := (seen{"GET", "/a", "export_id=7&status=Completed&x=1", "export_id=7&status=Completed", "application/x-www-form-urlencoded", "u", "billd/test"}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestRequestsThatCannotBeMade(t *testing.T) {
	for _, address := range []string{"", "example.com", "ftp://example.com/", "http://", "file:///etc/passwd", "http://a b/", "javascript:alert(1)"} {
		if got := outcome(New(Options{}).Send(t.Context(), &Request{URL: address, Method: "POST"})); !strings.HasPrefix(got, "final: ") {
			t.Errorf("%q: %s, want it final", address, got)
		}
	}
	if got := outcome(New(Options{}).Send(t.Context(), &Request{URL: "http://127.0.0.1:1/", Method: "POST", Body: make([]byte, maxRequestBody+1)})); !strings.HasPrefix(got, "final: the body has") {
		t.Errorf("a large body: %s, want it final", got)
	}
	if got := outcome(New(Options{}).Send(t.Context(), &Request{URL: "http://127.0.0.1:1/", Method: "GET", Body: []byte(`{"a":{}}`)})); !strings.HasPrefix(got, "final: the body cannot be sent as a form") {
		t.Errorf("a form of objects: %s, want it final", got)
	}
}

func TestASlowWebServerHasAnEnd(t *testing.T) {
	stop := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-stop:
		case <-r.Context().Done():
		}
	}))
	defer s.Close()
	defer close(stop)
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := outcome(New(Options{Timeout: 100 * time.Millisecond}).Send(t.Context(), &Request{URL: u.String(), Method: "POST"})), "unreachable: no answer within 100ms"; got != want {
		t.Errorf("outcome = %q, want %q", got, want)
	}
}
