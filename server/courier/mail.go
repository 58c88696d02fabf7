package courier

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/wneessen/go-mail"
)

// submissionsPort is where TLS begins with the connection. Source: RFC 8314. On every other port it
// begins with STARTTLS, where the server offers that.
const submissionsPort = 465

// Server is a mail server that takes mail from us.
type Server struct {
	Host string
	Port int
	From string // the sender's address
	// User and Password sign in; an empty User does not. A password is sent in the clear to this machine
	// only: elsewhere the server must offer TLS or a method that hides it.
	User, Password string
}

// Letter is an e-mail to one address.
type Letter struct {
	ID       string // stays the same however often it is sent: the part of Message-ID before the @
	To       string
	Subject  string
	Text     string
	At       time.Time
	Attached *Attachment // nil for none
}

// Attachment is a file that goes with a letter.
type Attachment struct {
	Name, Type string
	Body       []byte
}

// Mail hands a letter to a server. The error is a *Failure. A server that took the letter and then
// failed has it: that is no error.
func (c *Courier) Mail(ctx context.Context, s Server, l *Letter) error {
	msg, err := compose(s, l)
	if err != nil {
		return &Failure{Final: true, Err: err}
	}
	ctx, cancel := context.WithTimeout(ctx, c.o.Timeout)
	defer cancel()
	client, err := c.client(ctx, s)
	if err != nil {
		return &Failure{Unreachable: true, Err: err}
	}
	err = client.DialAndSendWithContext(ctx, msg)
	if err == nil || msg.IsDelivered() {
		return nil
	}
	return refusal(stopped(ctx, err, c.o.Timeout))
}

// compose writes the letter. Its text depends on the letter and the server's sender alone.
func compose(s Server, l *Letter) (*mail.Msg, error) {
	m := mail.NewMsg(mail.WithNoDefaultUserAgent())
	if err := m.From(s.From); err != nil {
		return nil, fmt.Errorf("sender %q: %w", s.From, err)
	}
	if err := m.To(l.To); err != nil {
		return nil, fmt.Errorf("recipient %q: %w", l.To, err)
	}
	_, domain, _ := strings.Cut(s.From, "@")
	m.SetMessageIDWithValue(l.ID + "@" + domain)
	m.SetDateWithValue(l.At)
	m.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: nobody's holiday notice is wanted
	m.Subject(l.Subject)
	m.SetBodyString(mail.TypeTextPlain, l.Text)
	m.SetBoundary("billd-" + l.ID)
	if a := l.Attached; a != nil {
		m.AttachReadSeeker(a.Name, bytes.NewReader(a.Body), mail.WithFileContentType(mail.ContentType(a.Type)))
	}
	return m, nil
}

// client makes the connection's terms: TLS wherever it is to be had, and no password in the clear.
func (c *Courier) client(ctx context.Context, s Server) (*mail.Client, error) {
	trust := c.o.TLS.Clone()
	if trust == nil {
		trust = &tls.Config{}
	}
	trust.ServerName, trust.MinVersion = s.Host, tls.VersionTLS12
	patience := c.o.Timeout + time.Second // the delivery's context ends first, and says why
	options := []mail.Option{mail.WithPort(s.Port), mail.WithTimeout(patience), mail.WithTLSConfig(trust), mail.WithTLSPolicy(mail.TLSOpportunistic),
		mail.WithoutNoop(), mail.WithDialContextFunc(dialer(ctx, s, trust))}
	if s.User != "" {
		methods := []mail.SMTPAuthType{mail.SMTPAuthSCRAMSHA256, mail.SMTPAuthSCRAMSHA1, mail.SMTPAuthCramMD5}
		if loopback(s.Host) {
			methods = append(methods, mail.SMTPAuthPlainNoEnc, mail.SMTPAuthLoginNoEnc)
		}
		options = append(options, mail.WithUsername(s.User), mail.WithPassword(s.Password), mail.WithOpportunisticSMTPAuth(methods...))
	}
	return mail.NewClient(s.Host, options...)
}

// dialer connects, and hangs up when the delivery's context ends: the dialogue itself looks at none.
func dialer(delivery context.Context, s Server, trust *tls.Config) mail.DialContextFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		context.AfterFunc(delivery, func() { conn.Close() })
		if s.Port != submissionsPort {
			return conn, nil
		}
		secured := tls.Client(conn, trust)
		if err := secured.HandshakeContext(ctx); err != nil {
			conn.Close()
			return nil, err
		}
		return secured, nil
	}
}

// loopback reports whether a host is this machine.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// refusal reads what the server said: a 5xx to recipient or content is for good, everything else may
// be otherwise later, and what is not about this letter is about the server.
func refusal(err error) *Failure {
	f := &Failure{Err: err}
	var said *mail.SendError
	if !errors.As(err, &said) || said.ErrorCode() == 0 {
		f.Unreachable = true
		return f
	}
	text, _, _ := strings.Cut(said.Error(), ", affected recipient(s)")
	text, _, _ = strings.Cut(text, ", affected message ID")
	f.Err = errors.New(text)
	if said.ErrorCode() >= 500 {
		switch said.Reason {
		case mail.ErrSMTPRcptTo, mail.ErrSMTPData, mail.ErrSMTPDataClose:
			f.Final = true
		}
	}
	return f
}
