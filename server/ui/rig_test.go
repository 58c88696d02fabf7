package ui_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"billd/server/auth"
	"billd/server/ops"
	"billd/server/ui"
	"billd/storage"

	"github.com/gofiber/fiber/v2"
)

const (
	testLogin    = "anna"
	testPassword = "correct horse"
)

// rig is the console of a store of its own on a real socket.
type rig struct {
	URL    string
	db     *storage.DB
	env    *ops.Env
	access *ops.Access
}

// newRig serves an empty store.
func newRig(t testing.TB) *rig {
	t.Helper()
	ctx := context.Background()
	dir := t.TempDir()
	db, err := ops.OpenStore(ctx, dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	access, err := ops.OpenAccess(ctx, dir, db)
	if err != nil {
		t.Fatal(err)
	}
	access.Passwords = auth.NewPasswords(auth.FastParams())
	r := &rig{db: db, access: access, env: &ops.Env{DB: db, Dir: dir, Version: "1.2.3", Log: slog.New(slog.DiscardHandler), Access: access, Senders: ops.NewSenders()}}
	app := fiber.New(fiber.Config{Immutable: true, CaseSensitive: true, UnescapePath: true, DisableStartupMessage: true,
		ErrorHandler: func(c *fiber.Ctx, _ error) error { return c.Status(fiber.StatusNotFound).SendString("other surface") }})
	ui.New(ui.Options{DB: db, Access: access, Env: r.env, Log: r.env.Log}).Mount(app)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := app.Listener(ln); err != nil {
			t.Errorf("serve: %v", err)
		}
	}()
	t.Cleanup(func() {
		if err := app.Shutdown(); err != nil {
			t.Errorf("shutdown: %v", err)
		}
		<-done
	})
	r.URL = "http://" + ln.Addr().String()
	return r
}

// demoRig serves the sample provider, with an operator.
func demoRig(t testing.TB) *rig {
	t.Helper()
	r := newRig(t)
	if err := ops.FillDemo(context.Background(), r.env, io.Discard); err != nil {
		t.Fatal(err)
	}
	r.addOperator(t)
	return r
}

func (r *rig) addOperator(t testing.TB) {
	t.Helper()
	if err := ops.CreateOperator(context.Background(), r.env, testLogin, testPassword); err != nil {
		t.Fatal(err)
	}
}

// update changes the store behind the console's back.
func (r *rig) update(t testing.TB, fn func(tx *storage.Tx) error) {
	t.Helper()
	if err := r.db.Update(context.Background(), fn); err != nil {
		t.Fatal(err)
	}
}

// browser keeps cookies and follows nothing by itself.
type browser struct {
	t    testing.TB
	base string
	http *http.Client
}

func (r *rig) browser(t testing.TB) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t, r.URL, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// loggedIn returns a browser with a session.
func (r *rig) loggedIn(t testing.TB) *browser {
	t.Helper()
	b := r.browser(t)
	if res, _ := b.login(testPassword); res.StatusCode != http.StatusSeeOther {
		t.Fatalf("log in = %d, want 303", res.StatusCode)
	}
	return b
}

func (b *browser) get(path string) (*http.Response, string) {
	b.t.Helper()
	res, err := b.http.Get(b.base + path)
	return b.read(res, err)
}

func (b *browser) post(path string, form url.Values) (*http.Response, string) {
	b.t.Helper()
	res, err := b.http.PostForm(b.base+path, form)
	return b.read(res, err)
}

func (b *browser) read(res *http.Response, err error) (*http.Response, string) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return res, string(body)
}

var formField = regexp.MustCompile(`name="form" value="([^"]+)"`)

// formToken loads a page and returns the token of its forms.
func (b *browser) formToken(path string) string {
	b.t.Helper()
	_, body := b.get(path)
	m := formField.FindStringSubmatch(body)
	if m == nil {
		b.t.Fatalf("%s has no form token: %s", path, head(body))
	}
	return m[1]
}

func (b *browser) login(password string) (*http.Response, string) {
	b.t.Helper()
	return b.post("/login", url.Values{"form": {b.formToken("/login")}, "login": {testLogin}, "password": {password}})
}

func head(s string) string { return s[:min(len(s), 600)] }

// wants fails unless body holds each text.
func wants(t testing.TB, body string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(body, text) {
			t.Errorf("page lacks %q", text)
		}
	}
}
