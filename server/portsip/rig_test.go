package portsip

import (
	"context"
	"encoding/json"
	"flag"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"billd/rating"
	"billd/server/auth"
	"billd/storage"
	"billd/storage/bolt"
)

var update = flag.Bool("update", false, "write the transcripts anew")

// noon is the instant at which test stores stand.
var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

const password = "correct horse"

// rig is the API on a fresh store behind a real socket.
type rig struct {
	t        testing.TB
	db       *storage.DB
	tokens   *auth.Tokens
	base     string
	clock    atomic.Pointer[time.Time]
	operator string // a token
	admin    string // of Northfield's administrator
	user     string // of Northfield's plain user
	tenant   *rating.Account
	child    *rating.Account // an extension user of Northfield
}

func newRig(t testing.TB) *rig {
	t.Helper()
	r := &rig{t: t}
	r.at(noon)
	engine, err := bolt.Open(filepath.Join(t.TempDir(), "billd.db"), bolt.Options{Buckets: storage.BucketNames(), FillPercent: storage.FillPercents()})
	must(t, err)
	r.db, err = storage.Open(context.Background(), engine, storage.Options{Now: func() time.Time { return *r.clock.Load() }})
	must(t, err)
	t.Cleanup(func() { r.db.Close() })
	secrets, err := auth.OpenSecrets(t.TempDir())
	must(t, err)
	r.tokens, err = auth.NewTokens(auth.Config{Secrets: secrets, Now: r.db.Now, Revocations: auth.NewMemoryRevocations(r.db.Now, nil),
		Epochs: func(auth.Principal) (uint64, error) { return 0, nil }})
	must(t, err)
	passwords := auth.NewPasswords(auth.FastParams())
	r.people(passwords)
	api := New(Options{DB: r.db, Tokens: r.tokens, Passwords: passwords, Throttle: auth.NewThrottle(r.db.Now)})
	app := fiber.New(fiber.Config{Immutable: true, CaseSensitive: true, UnescapePath: true, ReadBufferSize: 32 << 10, StreamRequestBody: true,
		DisableStartupMessage: true, BodyLimit: 8_000_000})
	api.Mount(app)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	done := make(chan error, 1)
	go func() { done <- app.Listener(ln) }()
	t.Cleanup(func() {
		must(t, app.ShutdownWithTimeout(5*time.Second))
		must(t, <-done)
	})
	r.base = "http://" + ln.Addr().String()
	return r
}

// at sets the clock.
func (r *rig) at(t time.Time) { r.clock.Store(&t) }

// people makes an operator, a tenant with an administrator and a plain user, and an extension user.
func (r *rig) people(passwords *auth.Passwords) {
	hash, err := passwords.Hash(context.Background(), password)
	must(r.t, err)
	op := &storage.Operator{Login: "anna", Password: hash}
	boss := &storage.User{Username: "Boss", Password: hash, Admin: true}
	user := &storage.User{Username: "101", Password: hash}
	gone := &storage.User{Username: "102", Password: hash, Disabled: true}
	must(r.t, r.db.Update(context.Background(), func(tx *storage.Tx) error {
		must(r.t, tx.Operators.Put(op))
		r.tenant = &rating.Account{Name: "Northfield", Contractor: 1, Realm: "north.example"}
		must(r.t, tx.CreateAccount(r.tenant))
		r.child = &rating.Account{Name: "Desk 7", Contractor: 1, Parent: r.tenant.ID, Realm: "desk7.north.example"}
		must(r.t, tx.CreateAccount(r.child))
		for _, u := range []*storage.User{boss, user, gone} {
			u.Account, u.UUID = r.tenant.ID, rating.NewUUID(noon)
			must(r.t, tx.Users.Put(u))
		}
		return nil
	}))
	token := func(kind auth.Kind, id uint64, account rating.AccountID) string {
		pair, err := r.tokens.PortSIP(auth.Principal{Kind: kind, ID: id, AccountID: uint64(account)}, 0)
		must(r.t, err)
		return pair.Access.Text
	}
	r.operator = token(auth.KindOperator, op.ID, rating.MasterAccount)
	r.admin = token(auth.KindPortSIPUser, boss.ID, r.tenant.ID)
	r.user = token(auth.KindPortSIPUser, user.ID, r.tenant.ID)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// answer is a response whose body was read.
type answer struct {
	*http.Response
	body string
}

// send makes a request with a token, "" for none.
func (r *rig) send(token, method, path, body string) answer {
	r.t.Helper()
	req := newRequest(r.t, method, r.base+path, body)
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	return r.do(req)
}

func (r *rig) do(req *http.Request) answer {
	r.t.Helper()
	res, err := http.DefaultTransport.RoundTrip(req)
	must(r.t, err)
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	must(r.t, err)
	return answer{res, string(b)}
}

func (r *rig) get(path string) answer { return r.send(r.operator, "GET", path, "") }

func (r *rig) post(path, body string) answer { return r.send(r.operator, "POST", path, body) }

// want checks an answer's status, and its form when it is an error.
func (a answer) want(t testing.TB, status int, code string) {
	t.Helper()
	if a.StatusCode != status {
		t.Errorf("status = %d (%s), want %d", a.StatusCode, a.body, status)
		return
	}
	if status < 400 {
		return
	}
	if got := a.Header.Get("Content-Type"); got != "application/json" {
		t.Errorf("Content-Type = %q, want application/json", got)
	}
	var body errorBody
	if err := json.Unmarshal([]byte(a.body), &body); err != nil || len(body.Errors) == 0 || body.Errors[0].Message == "" {
		t.Fatalf("body = %s, want errors", a.body)
	}
	if body.Errors[0].Code != code {
		t.Errorf("code = %s (%s), want %s", body.Errors[0].Code, a.body, code)
	}
}

// rate is a whole create body with some members replaced: {"prefix":"44"} and so on; null drops one.
func rate(changes string) string {
	m := map[string]json.RawMessage{}
	for _, s := range []string{`{"prefix":"44","type":"LOCAL","free_seconds":0,"grace_period":0,"interval_1":60,"interval_n":60,
		"connect_fee":0,"postcall_surcharge":0,"price_1":0.05,"price_n":0.05}`, changes} {
		if s == "" {
			continue
		}
		if err := json.Unmarshal([]byte(s), &m); err != nil {
			panic(s)
		}
	}
	b, err := json.Marshal(m)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// create makes a rate and returns its id.
func (r *rig) create(changes string) string {
	r.t.Helper()
	a := r.post("/api/call_rates", rate(changes))
	a.want(r.t, 200, "")
	return a.member(r.t, "id")
}

// member returns a member of a JSON object: a string's text, anything else as written.
func (a answer) member(t testing.TB, name string) string {
	t.Helper()
	var m map[string]json.RawMessage
	if err := json.Unmarshal([]byte(a.body), &m); err != nil {
		t.Fatalf("body = %q, want an object", a.body)
	}
	var s *string
	if json.Unmarshal(m[name], &s) == nil && s != nil {
		return *s
	}
	return string(m[name])
}

// prefixes returns the prefixes of a list's items and its count.
func (a answer) prefixes(t testing.TB) (string, int) {
	t.Helper()
	a.want(t, 200, "")
	var l struct {
		Count int
		Items []struct{ Prefix string }
	}
	must(t, json.Unmarshal([]byte(a.body), &l))
	var p []string
	for _, i := range l.Items {
		p = append(p, i.Prefix)
	}
	return strings.Join(p, " "), l.Count
}

func newRequest(t testing.TB, method, url, body string) *http.Request {
	t.Helper()
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	must(t, err)
	return req
}
