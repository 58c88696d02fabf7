package yeti

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"billd/rating"
	"billd/server/auth"
	"billd/storage"
	"billd/storage/bolt"
)

// testClock is where every test begins.
var testClock = time.Date(2026, 11, 21, 12, 0, 0, 123_000_000, time.UTC)

const testPassword = "S3cret-pass"

// rig is a server on a real socket with a fresh store and one operator, admin.
type rig struct {
	t     testing.TB
	db    *storage.DB
	api   *API
	base  string // http://127.0.0.1:port
	token string // of the operator

	mu    sync.Mutex
	clock time.Time
}

func newRig(t testing.TB) *rig {
	t.Helper()
	return newRigIn(t, t.TempDir())
}

// newRigIn serves the store in a directory, a fresh one if there is none.
func newRigIn(t testing.TB, dir string) *rig {
	t.Helper()
	r := &rig{t: t, clock: testClock}
	engine, err := bolt.Open(filepath.Join(dir, "billd.db"), bolt.Options{Buckets: storage.BucketNames(), FillPercent: storage.FillPercents()})
	r.must(err)
	r.db, err = storage.Open(context.Background(), engine, storage.Options{Now: r.now})
	r.must(err)
	t.Cleanup(func() { r.db.Close() })
	secrets, err := auth.OpenSecrets(dir)
	r.must(err)
	tokens, err := auth.NewTokens(auth.Config{Secrets: secrets, Epochs: r.epoch, Now: r.now, Revocations: auth.NewMemoryRevocations(r.now, nil)})
	r.must(err)
	passwords := auth.NewPasswords(auth.FastParams())
	hash, err := passwords.Hash(context.Background(), testPassword)
	r.must(err)
	r.must(r.db.Update(context.Background(), func(tx *storage.Tx) error {
		if _, err := tx.Operators.Get(1); err == nil {
			return nil
		}
		return tx.Operators.Put(&storage.Operator{Login: "admin", Password: hash, CreatedAt: tx.Now()})
	}))
	r.api, err = New(Options{DB: r.db, Tokens: tokens, Passwords: passwords, Throttle: auth.NewThrottle(r.now), Log: slog.New(slog.NewTextHandler(testLog{t}, nil))})
	r.must(err)
	app := fiber.New(fiber.Config{Immutable: true, UnescapePath: true, ReadBufferSize: 32 << 10, CaseSensitive: true, StreamRequestBody: true, DisableStartupMessage: true})
	r.api.Mount(app)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	r.must(err)
	served := make(chan error, 1)
	go func() { served <- app.Listener(ln) }()
	t.Cleanup(func() {
		r.must(app.ShutdownWithTimeout(5 * time.Second))
		r.must(<-served)
	})
	r.base = "http://" + ln.Addr().String()
	token, err := tokens.Admin(1, 0)
	r.must(err)
	r.token = token.Text
	return r
}

type testLog struct{ t testing.TB }

func (l testLog) Write(b []byte) (int, error) {
	l.t.Logf("%s", b)
	return len(b), nil
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) now() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.clock
}

func (r *rig) wait(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.clock = r.clock.Add(d)
}

// epoch is what the server's own wiring answers: the row's tokens-after time.
func (r *rig) epoch(p auth.Principal) (n uint64, err error) {
	err = r.db.View(context.Background(), func(tx *storage.Tx) error {
		switch p.Kind {
		case auth.KindOperator:
			o, err := tx.Operators.Get(p.ID)
			if err == nil {
				n = auth.Epoch(o.TokensAfter)
			}
			return err
		case auth.KindAPIAccess:
			a, err := tx.Accesses.Get(p.ID)
			if err == nil {
				n = auth.Epoch(a.TokensAfter)
			}
			return err
		case auth.KindCustomer:
			_, err := tx.Contractors.Get(p.ID)
			return err
		}
		return rating.Errorf(rating.NotFound, "principal", "%s: unknown here", p)
	})
	return n, err
}

// answer is a response with its body read.
type answer struct {
	*http.Response
	body string
}

// do sends one request with the operator's token and JSON:API headers, unless header says otherwise;
// an empty value there leaves one out.
func (r *rig) do(method, path, body string, header map[string]string) answer {
	r.t.Helper()
	req, err := http.NewRequest(method, r.base+path, strings.NewReader(body))
	r.must(err)
	req.Header.Set("Accept", "application/vnd.api+json")
	req.Header.Set("Content-Type", "application/vnd.api+json")
	req.Header.Set("Authorization", r.token)
	for k, v := range header {
		if req.Header.Del(k); v != "" {
			req.Header.Set(k, v)
		}
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	r.must(err)
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	r.must(err)
	return answer{res, string(b)}
}

// admin sends a request below the admin API.
func (r *rig) admin(method, path, body string) answer {
	r.t.Helper()
	return r.do(method, AdminBase+path, body, nil)
}

// create posts a record and returns its id.
func (r *rig) create(path, doc string) string {
	r.t.Helper()
	a := r.admin("POST", path, doc)
	if a.StatusCode != 201 {
		r.t.Fatalf("POST %s = %d %s", path, a.StatusCode, a.body)
	}
	var got struct {
		Data struct {
			ID string `json:"id"`
		} `json:"data"`
	}
	r.must(json.Unmarshal([]byte(a.body), &got))
	return got.Data.ID
}

func (r *rig) contractor(name string) string {
	r.t.Helper()
	return r.create("/contractors", `{"data":{"type":"contractors","attributes":{"name":"`+name+`","enabled":true,"vendor":true,"customer":true}}}`)
}

// account makes an account; attrs is further members of attributes, such as `,"vat":20`.
func (r *rig) account(contractor, name, attrs string) string {
	r.t.Helper()
	return r.create("/accounts", accountDoc(contractor, name, attrs))
}

func accountDoc(contractor, name, attrs string) string {
	return `{"data":{"type":"accounts","attributes":{"name":"` + name + `"` + attrs + `},"relationships":{"contractor":{"data":{"type":"contractors","id":"` + contractor + `"}}}}}`
}
