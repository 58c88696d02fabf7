package kazoo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/recover"

	"billd/rating"
	"billd/server/auth"
	"billd/storage"
	"billd/storage/bolt"
)

// testClock is when tests begin: a Saturday noon, UTC.
var testClock = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// clock is a clock that tests move.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// server is the API on a socket, over a store of its own.
type server struct {
	t      testing.TB
	clock  *clock
	db     *storage.DB
	api    *API
	base   string
	token  string // the master's
	master string // its account id
}

func newServer(t testing.TB) *server {
	t.Helper()
	s := &server{t: t, clock: &clock{t: testClock}}
	dir := t.TempDir()
	e, err := bolt.Open(filepath.Join(dir, "billd.db"), bolt.Options{Buckets: storage.BucketNames(), FillPercent: storage.FillPercents()})
	if err != nil {
		t.Fatal(err)
	}
	if s.db, err = storage.Open(context.Background(), e, storage.Options{Now: s.clock.now}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.db.Close() })
	secrets, err := auth.OpenSecrets(dir)
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := auth.NewTokens(auth.Config{Secrets: secrets, Epochs: s.epoch, Revocations: auth.NewMemoryRevocations(s.clock.now, nil), Now: s.clock.now})
	if err != nil {
		t.Fatal(err)
	}
	s.api = New(Options{DB: s.db, Tokens: tokens, Secrets: secrets, Passwords: auth.NewPasswords(auth.FastParams()), Throttle: auth.NewThrottle(s.clock.now)})
	s.api.nodeName = "node"
	app := fiber.New(fiber.Config{Immutable: true, UnescapePath: true, CaseSensitive: true, BodyLimit: maxBody, StreamRequestBody: true, DisableStartupMessage: true})
	app.Use(recover.New())
	s.api.Mount(app)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- app.Listener(ln) }()
	t.Cleanup(func() {
		app.Shutdown()
		<-done
	})
	s.base = "http://" + ln.Addr().String()
	master := s.account(rating.MasterAccount)
	s.master = master.UUID.Hex()
	token, err := tokens.Kazoo(auth.KazooIdentity{AccountID: s.master, Method: auth.KazooAPIAuth}, 0)
	if err != nil {
		t.Fatal(err)
	}
	s.token = token.Text
	return s
}

// epoch is what the server asks the store for before it trusts a token.
func (s *server) epoch(p auth.Principal) (epoch uint64, err error) {
	err = s.db.View(context.Background(), func(tx *storage.Tx) error {
		id, err := rating.ParseUUID(p.UUID)
		if err != nil {
			return err
		}
		if p.Kind == auth.KindAPIKey {
			_, err = tx.AccountByUUID(id)
			return err
		}
		u, err := tx.UserByUUID(id)
		if err == nil {
			epoch = auth.Epoch(u.TokensAfter)
		}
		return err
	})
	return epoch, err
}

func (s *server) account(id rating.AccountID) (a *rating.Account) {
	s.t.Helper()
	err := s.db.View(context.Background(), func(tx *storage.Tx) (err error) {
		a, err = tx.OpenAccount(id)
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return a
}

// reply is an answer taken apart.
type reply struct {
	status int
	header http.Header
	raw    []byte
	doc    document
}

// call sends a request: body is JSON text, "" for none; headers are pairs.
func (s *server) call(method, path, token, body string, headers ...string) reply {
	s.t.Helper()
	var r io.Reader
	if body != "" {
		r = strings.NewReader(body)
	}
	req, err := http.NewRequest(method, s.base+path, r)
	if err != nil {
		s.t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("X-Auth-Token", token)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	out := reply{status: res.StatusCode, header: res.Header, raw: raw}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	d.Decode(&out.doc)
	return out
}

// want sends a request and fails the test when the status is another.
func (s *server) want(status int, method, path, token, body string, headers ...string) reply {
	s.t.Helper()
	r := s.call(method, path, token, body, headers...)
	if r.status != status {
		s.t.Fatalf("%s %s %s = %d %s, want %d", method, path, body, r.status, r.raw, status)
	}
	return r
}

// at returns the JSON text of a value inside the answer: "data.items.0.name".
func (r reply) at(path string) string {
	var v any = r.doc
	for _, key := range strings.Split(path, ".") {
		switch c := v.(type) {
		case document:
			v = c[key]
		case []any:
			var i int
			if _, err := fmt.Sscan(key, &i); err != nil || i >= len(c) {
				return "absent"
			}
			v = c[i]
		default:
			return "absent"
		}
	}
	if v == nil {
		return "absent"
	}
	b, err := encodeJSON(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// text is at without the quotes.
func (r reply) text(path string) string { return strings.Trim(r.at(path), `"`) }

// tenant makes an account under parent and returns its id and a token of it.
func (s *server) tenant(parent, name string) (id, token string) {
	s.t.Helper()
	id = s.want(201, "PUT", "/v2/accounts/"+parent, s.token, `{"data":{"name":"`+name+`"}}`).text("data.id")
	key := s.want(200, "GET", "/v2/accounts/"+id+"/api_key", s.token, "").text("data.api_key")
	return id, s.want(201, "PUT", "/v2/api_auth", "", `{"data":{"api_key":"`+key+`"}}`).text("auth_token")
}
