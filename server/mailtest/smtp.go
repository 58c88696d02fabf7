package mailtest

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"fmt"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// Answers are what the server says instead of what it would, by command: HELLO for the greeting, EHLO,
// MAIL, RCPT, DATA, TEXT for the end of a letter, RSET, QUIT. "hang" says nothing, "drop" hangs up.
type Answers map[string]string

// Options are how a server behaves.
type Options struct {
	Answers        Answers
	TLS            bool   // offers STARTTLS
	Implicit       bool   // speaks TLS from the beginning
	User, Password string // wanted with AUTH PLAIN, unless empty
}

// Letter is one that the server took.
type Letter struct {
	From, To string
	Data     string // as it came, lines ending in \r\n
	Secured  bool
}

// Server is a mail server on 127.0.0.1.
type Server struct {
	Host  string
	Port  int
	Trust *x509.CertPool // holds its certificate

	o       Options
	cert    tls.Certificate
	mu      sync.Mutex
	answers Answers
	letters []Letter
	dialled int
}

// Start runs a server that answers as told until the test ends.
func Start(t testing.TB, answers Answers) *Server { return StartWith(t, Options{Answers: answers}) }

// StartWith runs a server until the test ends.
func StartWith(t testing.TB, o Options) *Server {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{Host: "127.0.0.1", Port: ln.Addr().(*net.TCPAddr).Port, o: o, answers: o.Answers}
	s.certify(t)
	var open sync.WaitGroup
	done := make(chan struct{})
	open.Add(1)
	go func() {
		defer open.Done()
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			open.Add(2)
			over := make(chan struct{})
			go func() {
				defer open.Done()
				defer close(over)
				defer conn.Close()
				s.serve(conn, done)
			}()
			go func() {
				defer open.Done()
				select {
				case <-done:
					conn.Close()
				case <-over:
				}
			}()
		}
	}()
	t.Cleanup(func() {
		ln.Close()
		close(done)
		open.Wait()
	})
	return s
}

// Letters returns what the server took so far.
func (s *Server) Letters() []Letter {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Letter(nil), s.letters...)
}

// Dialled returns how many connections were made.
func (s *Server) Dialled() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dialled
}

// Answer changes how the server behaves from now on.
func (s *Server) Answer(answers Answers) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answers = answers
}

// certify makes a certificate for 127.0.0.1.
func (s *Server) certify(t testing.TB) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mail"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	raw, err := x509.CreateCertificate(rand.Reader, form, form, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	s.cert = tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: key}
	s.Trust = x509.NewCertPool()
	s.Trust.AddCert(leaf)
}

// session is one dialogue.
type session struct {
	s       *Server
	conn    net.Conn
	in      *bufio.Reader
	done    <-chan struct{}
	letter  Letter
	secured bool
	signed  bool
	over    bool
}

func (s *Server) serve(conn net.Conn, done <-chan struct{}) {
	s.mu.Lock()
	s.dialled++
	s.mu.Unlock()
	x := &session{s: s, conn: conn, done: done}
	if s.o.Implicit {
		x.secure()
	}
	x.in = bufio.NewReader(x.conn)
	x.say("HELLO", "220 test ready")
	for !x.over {
		line, err := x.in.ReadString('\n')
		if err != nil {
			return
		}
		x.command(strings.TrimRight(line, "\r\n"))
	}
}

func (x *session) secure() {
	x.conn = tls.Server(x.conn, &tls.Config{Certificates: []tls.Certificate{x.s.cert}})
	x.in, x.secured = bufio.NewReader(x.conn), true
}

// say answers a command and reports whether it went well.
func (x *session) say(command, usual string) bool {
	x.s.mu.Lock()
	said, told := x.s.answers[command]
	x.s.mu.Unlock()
	if !told {
		said = usual
	}
	switch said {
	case "hang":
		<-x.done
		x.over = true
		return false
	case "drop":
		x.over = true
		return false
	}
	fmt.Fprintf(x.conn, "%s\r\n", said)
	return said[0] == '2' || said[0] == '3'
}

func (x *session) command(line string) {
	word, rest, _ := strings.Cut(line, " ")
	switch word = strings.ToUpper(word); word {
	case "EHLO", "HELO":
		offers := "250-test\r\n250-8BITMIME"
		if x.s.o.TLS && !x.secured {
			offers += "\r\n250-STARTTLS"
		}
		if x.s.o.User != "" {
			offers += "\r\n250-AUTH PLAIN LOGIN"
		}
		x.say("EHLO", offers+"\r\n250 ENHANCEDSTATUSCODES")
	case "STARTTLS":
		if x.say("STARTTLS", "220 go on") {
			x.secure()
		}
	case "AUTH":
		said := "535 5.7.8 wrong user or password"
		if _, coded, _ := strings.Cut(rest, " "); coded == base64.StdEncoding.EncodeToString([]byte("\x00"+x.s.o.User+"\x00"+x.s.o.Password)) {
			said, x.signed = "235 welcome", true
		}
		x.say("AUTH", said)
	case "MAIL":
		if x.s.o.User != "" && !x.signed {
			x.say("MAIL", "530 5.7.0 sign in first")
			return
		}
		x.letter = Letter{From: address(rest), Secured: x.secured}
		x.say("MAIL", "250 ok")
	case "RCPT":
		x.letter.To = address(rest)
		x.say("RCPT", "250 ok")
	case "DATA":
		if x.say("DATA", "354 go on") {
			x.take()
		}
	case "QUIT":
		x.say("QUIT", "221 bye")
		x.over = true
	default:
		x.say(word, "250 ok")
	}
}

// take reads a letter up to its lonely full stop. It is taken before the server says so.
func (x *session) take() {
	var data strings.Builder
	for {
		line, err := x.in.ReadString('\n')
		if err != nil {
			x.over = true
			return
		}
		if line == ".\r\n" {
			break
		}
		data.WriteString(strings.TrimPrefix(line, "."))
	}
	x.letter.Data = data.String()
	x.s.mu.Lock()
	said, told := x.s.answers["TEXT"]
	if !told || said == "hang" || said == "drop" || said[0] == '2' {
		x.s.letters = append(x.s.letters, x.letter)
	}
	x.s.mu.Unlock()
	x.say("TEXT", "250 taken")
}

func address(rest string) string {
	_, after, _ := strings.Cut(rest, "<")
	at, _, _ := strings.Cut(after, ">")
	return at
}
