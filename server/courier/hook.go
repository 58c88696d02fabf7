package courier

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"unicode"
)

// Bounds of what is sent to and read from a web server.
const (
	maxRequestBody = 256 << 10
	maxAnswer      = 300 // bytes of an answer's body that an operator is shown
	maxAnswerHead  = 64 << 10
)

// Request is a message to a web server.
type Request struct {
	ID     string // stays the same however often it is sent: the header Idempotency-Key
	URL    string // http or https
	Method string // POST sends Body as JSON; GET its members, which are texts, as a form, in the query and the body
	Body   []byte // a JSON object
}

// newClient makes a client that follows no redirect: where a request goes is what an operator said.
func newClient(o Options) *http.Client {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.TLSClientConfig, t.MaxResponseHeaderBytes, t.MaxIdleConnsPerHost = o.TLS.Clone(), maxAnswerHead, 1
	return &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// Send makes a request. Every answer other than 2xx is a *Failure; 410 is for good, and so are a
// redirect and an address that is none.
func (c *Courier) Send(ctx context.Context, r *Request) error {
	ctx, cancel := context.WithTimeout(ctx, c.o.Timeout)
	defer cancel()
	req, err := build(ctx, r)
	if err != nil {
		return &Failure{Final: true, Err: err}
	}
	req.Header.Set("Idempotency-Key", r.ID)
	req.Header.Set("User-Agent", c.o.Agent)
	res, err := c.http.Do(req)
	if err != nil {
		if e, ok := err.(*url.Error); ok {
			err = e.Err // without method and address, which operators see beside it
		}
		return &Failure{Unreachable: true, Err: stopped(ctx, err, c.o.Timeout)}
	}
	defer res.Body.Close()
	said, _ := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	switch {
	case res.StatusCode/100 == 2:
		return nil
	case res.StatusCode/100 == 3:
		return &Failure{Final: true, Err: fmt.Errorf("answered %s to %q: redirects are not followed", res.Status, res.Header.Get("Location"))}
	}
	return &Failure{Final: res.StatusCode == http.StatusGone, Err: fmt.Errorf("answered %s%s", res.Status, quoted(said))}
}

// build makes the request that r describes.
func build(ctx context.Context, r *Request) (*http.Request, error) {
	u, err := url.Parse(r.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return nil, fmt.Errorf("%.100q is not an http or https address", r.URL)
	}
	if len(r.Body) > maxRequestBody {
		return nil, fmt.Errorf("the body has %d bytes, want at most %d", len(r.Body), maxRequestBody)
	}
	body, kind := r.Body, "application/json"
	if r.Method == http.MethodGet {
		var fields map[string]string
		if err := json.Unmarshal(r.Body, &fields); err != nil {
			return nil, fmt.Errorf("the body cannot be sent as a form: %w", err)
		}
		form := u.Query()
		sent := url.Values{}
		for name, value := range fields {
			form.Set(name, value)
			sent.Set(name, value)
		}
		u.RawQuery = form.Encode()
		body, kind = []byte(sent.Encode()), "application/x-www-form-urlencoded"
	}
	req, err := http.NewRequestWithContext(ctx, r.Method, u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", kind)
	return req, nil
}

// quoted shows the beginning of an answer, on one line.
func quoted(said []byte) string {
	text := strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(string(said), " "))
	if text = strings.Join(strings.Fields(text), " "); text == "" {
		return ""
	}
	return ": " + text
}
