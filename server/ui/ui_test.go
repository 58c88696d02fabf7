package ui_test

import (
	"context"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"billd/rating"
	"billd/server/auth"
	"billd/storage"
)

// newestCall returns the id of an answered call of the store.
func newestCall(t testing.TB, r *rig) (id rating.CDRID) {
	t.Helper()
	for _, c := range r.calls(t, storage.CallQuery{}, 50) {
		if c.Bool(rating.CDRSuccess) {
			return c.ID
		}
	}
	t.Fatal("no answered call among the newest")
	return 0
}

func (r *rig) calls(t testing.TB, q storage.CallQuery, limit int) (calls []*rating.CDR) {
	t.Helper()
	err := r.db.View(context.Background(), func(tx *storage.Tx) (err error) {
		calls, _, err = tx.NewestCalls(context.Background(), q, limit)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return calls
}

// paths are all pages that a store with data has.
func paths(t testing.TB, r *rig) []string {
	return []string{"/", "/accounts", "/accounts?q=baltic&closed=1", "/accounts/1", "/accounts/2", "/accounts/4", "/rates", "/rates?deck=1", "/rates?number=447700900123",
		"/cdrs", "/cdrs?account=4&number=44&from=2020-01-01&till=2100-01-01", fmt.Sprintf("/cdrs/%d", newestCall(t, r)), "/suspense", "/suspense?reason=no_rate", "/data", "/data?account=2&user=x&from=2026-01-01&till=2026-01-31",
		"/invoices", "/invoices?account=4", "/invoices/1"}
}

func TestEveryPageAsksForASession(t *testing.T) {
	r := demoRig(t)
	b := r.browser(t)
	for _, path := range paths(t, r) {
		res, _ := b.get(path)
		want := "/login?next=" + url.QueryEscape(path)
		if path == "/" {
			want = "/login"
		}
		if got := res.Header.Get("Location"); res.StatusCode != http.StatusSeeOther || got != want {
			t.Errorf("%s without a session = %d to %q, want 303 to %q", path, res.StatusCode, got, want)
		}
	}
	if res, _ := b.post("/logout", nil); res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != "/login" {
		t.Errorf("log out without a session = %d to %q, want 303 to /login", res.StatusCode, res.Header.Get("Location"))
	}
}

func TestLoginTakesTheRightPasswordOnly(t *testing.T) {
	r := newRig(t)
	r.addOperator(t)
	for _, tt := range []struct {
		name, login, password string
		status                int
	}{
		{"the right password", testLogin, testPassword, http.StatusSeeOther},
		{"a wrong password", testLogin, "wrong horse", http.StatusUnauthorized},
		{"no password", testLogin, "", http.StatusUnauthorized},
		{"an unknown login", "nobody", testPassword, http.StatusUnauthorized},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := r.browser(t)
			res, body := b.post("/login", url.Values{"form": {b.formToken("/login")}, "login": {tt.login}, "password": {tt.password}})
			if res.StatusCode != tt.status {
				t.Fatalf("status = %d, want %d", res.StatusCode, tt.status)
			}
			home, _ := b.get("/")
			if in := home.StatusCode == http.StatusOK; in != (tt.status == http.StatusSeeOther) {
				t.Errorf("afterwards / = %d", home.StatusCode)
			}
			if tt.status == http.StatusUnauthorized {
				wants(t, body, "Login or password is wrong.", `value="`+tt.login+`"`)
			}
		})
	}
}

func TestTheSessionCookieIsOutOfReach(t *testing.T) {
	r := newRig(t)
	r.addOperator(t)
	res, _ := r.browser(t).login(testPassword)
	for _, c := range res.Cookies() {
		if c.Name != "billd_session" {
			continue
		}
		if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/" || c.Secure {
			t.Errorf("cookie over http = %s, want HttpOnly, SameSite=Strict, Path=/ and not Secure", c.Raw)
		}
		if left := time.Until(c.Expires); left < 11*time.Hour || left > 13*time.Hour {
			t.Errorf("cookie ends in %s, want 12 h", left)
		}
		return
	}
	t.Error("no session cookie was set")
}

func TestLoginLeadsBackWithinTheSite(t *testing.T) {
	r := newRig(t)
	r.addOperator(t)
	for _, tt := range []struct{ name, next, want string }{
		{"a page", "/cdrs?account=4", "/cdrs?account=4"},
		{"another site", "https://evil.example/", "/"},
		{"another site without scheme", "//evil.example/", "/"},
		{"another site with a backslash", `/\evil.example`, "/"},
		{"a split header", "/a\r\nSet-Cookie: x=1", "/"},
		{"nowhere", "", "/"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := r.browser(t)
			res, _ := b.post("/login", url.Values{"form": {b.formToken("/login")}, "login": {testLogin}, "password": {testPassword}, "next": {tt.next}})
			if got := res.Header.Get("Location"); got != tt.want {
				t.Errorf("next %q leads to %q, want %q", tt.next, got, tt.want)
			}
		})
	}
}

func TestAFormFromElsewhereIsRefused(t *testing.T) {
	r := newRig(t)
	r.addOperator(t)
	in := r.loggedIn(t)
	other := r.loggedIn(t)
	for _, tt := range []struct {
		name, path string
		b          *browser
		form       url.Values
	}{
		{"login without a token", "/login", r.browser(t), url.Values{"login": {testLogin}, "password": {testPassword}}},
		{"login with another browser's token", "/login", r.browser(t), url.Values{"form": {r.browser(t).formToken("/login")}, "login": {testLogin}, "password": {testPassword}}},
		{"logout without a token", "/logout", in, nil},
		{"logout with another session's token", "/logout", in, url.Values{"form": {other.formToken("/")}}},
		{"setup without a token", "/setup", r.browser(t), url.Values{"login": {"eve"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if res, body := tt.b.post(tt.path, tt.form); res.StatusCode != http.StatusForbidden || !strings.Contains(body, "form is too old") {
				t.Errorf("POST %s = %d, want 403: %s", tt.path, res.StatusCode, head(body))
			}
		})
	}
	if res, _ := in.get("/"); res.StatusCode != http.StatusOK {
		t.Errorf("afterwards / = %d, want 200", res.StatusCode)
	}
	if res, _ := in.post("/logout", url.Values{"form": {strings.Repeat("x", 20<<10)}}); res.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("a form of 20 kB = %d, want 413", res.StatusCode)
	}
}

func TestGuessingIsSlowedDown(t *testing.T) {
	r := newRig(t)
	r.addOperator(t)
	b := r.browser(t)
	for range 10 {
		if res, _ := b.login("wrong horse"); res.StatusCode != http.StatusUnauthorized {
			t.Fatalf("a wrong password = %d, want 401", res.StatusCode)
		}
	}
	res, body := b.login(testPassword)
	if res.StatusCode != http.StatusTooManyRequests || res.Header.Get("Retry-After") == "" {
		t.Errorf("the 11th try = %d, Retry-After %q, want 429 and seconds", res.StatusCode, res.Header.Get("Retry-After"))
	}
	wants(t, body, "Too many failed logins.")
}

func TestLogoutEndsTheSessionForGood(t *testing.T) {
	r := newRig(t)
	r.addOperator(t)
	b := r.loggedIn(t)
	site, err := url.Parse(r.URL)
	if err != nil {
		t.Fatal(err)
	}
	kept := b.http.Jar.Cookies(site)
	if res, _ := b.post("/logout", url.Values{"form": {b.formToken("/")}}); res.StatusCode != http.StatusSeeOther {
		t.Fatalf("log out = %d, want 303", res.StatusCode)
	}
	thief := r.browser(t)
	thief.http.Jar.SetCookies(site, kept)
	if res, _ := thief.get("/"); res.StatusCode != http.StatusSeeOther {
		t.Errorf("/ with the ended session's cookie = %d, want 303", res.StatusCode)
	}
}

func TestOtherTokensOpenNoPage(t *testing.T) {
	r := demoRig(t)
	site, err := url.Parse(r.URL)
	if err != nil {
		t.Fatal(err)
	}
	native, err := r.access.Tokens.Native(auth.Principal{Kind: auth.KindNative, AccountID: 4}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	admin, err := r.access.Tokens.Admin(1, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	for name, token := range map[string]string{"a switch's": native.Text, "an admin API": admin.Text, "a broken": "x.y.z"} {
		b := r.browser(t)
		b.http.Jar.SetCookies(site, []*http.Cookie{{Name: "billd_session", Value: token}})
		if res, _ := b.get("/"); res.StatusCode != http.StatusSeeOther {
			t.Errorf("/ with %s token = %d, want 303", name, res.StatusCode)
		}
	}
	gone := r.loggedIn(t)
	r.update(t, func(tx *storage.Tx) error { return tx.Operators.Delete(1) })
	r.access.Tokens.Forget()
	if res, _ := gone.get("/"); res.StatusCode != http.StatusSeeOther {
		t.Errorf("/ of a deleted operator = %d, want 303", res.StatusCode)
	}
}

func TestSetupMakesTheFirstOperatorOnce(t *testing.T) {
	r := newRig(t)
	b := r.browser(t)
	_, body := b.get("/login")
	wants(t, body, "billd admin create LOGIN")
	token, _ := r.access.Setup.Issue()
	if res, _ := b.get("/setup?token=wrong"); res.StatusCode != http.StatusForbidden {
		t.Errorf("a wrong link = %d, want 403", res.StatusCode)
	}
	path := "/setup?token=" + url.QueryEscape(token)
	form := func(login, password, repeat string) url.Values {
		return url.Values{"form": {b.formToken("/login")}, "token": {token}, "login": {login}, "password": {password}, "repeat": {repeat}}
	}
	for _, tt := range []struct{ name, login, password, repeat, says string }{
		{"a short password", "anna", "short", "short", "at least 8"},
		{"two passwords", "anna", testPassword, testPassword + "!", "differ"},
		{"no login", "", testPassword, testPassword, "without blanks"},
	} {
		res, body := b.post("/setup", form(tt.login, tt.password, tt.repeat))
		if res.StatusCode != http.StatusBadRequest || !strings.Contains(body, tt.says) {
			t.Errorf("%s = %d, want 400 with %q: %s", tt.name, res.StatusCode, tt.says, head(body))
		}
	}
	if res, _ := b.get(path); res.StatusCode != http.StatusOK {
		t.Fatalf("the link after mistakes = %d, want 200", res.StatusCode)
	}
	if res, body := b.post("/setup", form("anna", testPassword, testPassword)); res.StatusCode != http.StatusSeeOther {
		t.Fatalf("setup = %d, want 303: %s", res.StatusCode, body)
	}
	if res, _ := b.get("/"); res.StatusCode != http.StatusOK {
		t.Errorf("/ right after setup = %d, want 200", res.StatusCode)
	}
	if res, _ := r.browser(t).get(path); res.StatusCode != http.StatusForbidden {
		t.Errorf("the used link = %d, want 403", res.StatusCode)
	}
}

func TestASetupLinkEndsWithTheFirstOperator(t *testing.T) {
	r := newRig(t)
	token, _ := r.access.Setup.Issue()
	r.addOperator(t)
	b := r.browser(t)
	res, body := b.post("/setup", url.Values{"form": {b.formToken("/login")}, "token": {token}, "login": {"eve"}, "password": {testPassword}, "repeat": {testPassword}})
	if res.StatusCode != http.StatusConflict {
		t.Errorf("setup beside an operator = %d, want 409: %s", res.StatusCode, head(body))
	}
}

// inline matches what the policy would refuse: a script or style in the page itself.
var inline = regexp.MustCompile(`(?i)<style|\sstyle=|\son[a-z]+=|<script(?: type="module")?>|javascript:`)

func TestEveryPageIsShielded(t *testing.T) {
	r := demoRig(t)
	b := r.loggedIn(t)
	for _, path := range append(paths(t, r), "/accounts/999", "/cdrs/x", "/cdrs?before=x") {
		res, body := b.get(path)
		csp := res.Header.Get("Content-Security-Policy")
		for _, rule := range []string{"default-src 'none'", "style-src 'self'", "script-src 'self'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"} {
			if !strings.Contains(csp, rule) {
				t.Errorf("%s: policy %q lacks %q", path, csp, rule)
			}
		}
		for header, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"} {
			if got := res.Header.Get(header); got != want {
				t.Errorf("%s: %s = %q, want %q", path, header, got, want)
			}
		}
		if m := inline.FindString(body); m != "" {
			t.Errorf("%s has %q inline", path, m)
		}
		if strings.Contains(body, "ZgotmplZ") || strings.Contains(body, "%!") || strings.Contains(body, "<no value>") {
			t.Errorf("%s has a template's complaint", path)
		}
	}
}

func TestWhatOthersWroteIsEscaped(t *testing.T) {
	const evil = `<script>alert(1)</script>"'><img src=x onerror=alert(1)>`
	r := newRig(t)
	r.addOperator(t)
	r.update(t, func(tx *storage.Tx) error {
		if err := tx.CreateAccount(&rating.Account{Name: evil, Contractor: 1}); err != nil {
			return err
		}
		return tx.Rates.Put(&rating.Rate{Deck: rating.DefaultDeck, Prefix: "44", Name: evil,
			Terms: rating.Terms{First: rating.Step{Seconds: 60}, Next: rating.Step{Seconds: 60}}})
	})
	r.update(t, func(tx *storage.Tx) error {
		for i, account := range []string{evil, "nobody " + evil} {
			var c rating.Call
			c.SetTime(rating.CDRTimeStart, tx.Now().Add(-time.Hour))
			c.SetText(rating.CDRCallID, fmt.Sprint(evil, i))
			c.SetText(rating.CDRDstPrefixRouting, "44"+evil)
			c.SetText(rating.CDRSrcPrefixRouting, evil)
			c.SetInt(rating.CDRDuration, 5)
			c.AccountRef = account
			if _, err := tx.Charge(&c); err != nil {
				return err
			}
		}
		return nil
	})
	b := r.loggedIn(t)
	for _, path := range []string{"/", "/accounts", "/accounts/2", "/accounts?q=" + url.QueryEscape(evil), "/cdrs", "/cdrs?account=" + url.QueryEscape(evil), "/suspense",
		"/rates?deck=1", "/rates?number=44" + url.QueryEscape(evil), fmt.Sprintf("/cdrs/%d", newestCall(t, r)), "/invoices?account=" + url.QueryEscape(evil)} {
		_, body := b.get(path)
		if strings.Contains(body, "<script>") || strings.Contains(body, "<img") {
			t.Errorf("%s prints the name as markup", path)
		}
		if !strings.Contains(body, html.EscapeString("<script>alert(1)")) {
			t.Errorf("%s does not show the name at all: %s", path, head(body))
		}
	}
}

func TestOtherPathsStayWithTheirSurfaces(t *testing.T) {
	r := newRig(t)
	for _, path := range []string{"/api/v1/nothing", "/v2/accounts", "/nothing", "/accounts/1/more"} {
		if _, body := r.browser(t).get(path); body != "other surface" {
			t.Errorf("%s answers %q, want the other surface's refusal", path, head(body))
		}
	}
}

func TestStaticFilesAreKeptForEver(t *testing.T) {
	r := newRig(t)
	b := r.browser(t)
	_, body := b.get("/login")
	m := regexp.MustCompile(`/static/[0-9a-f]+/`).FindString(body)
	for _, path := range []string{"/static/old/app.css", m + "app.exe", m + "nothing.css", m + "..%2Fdoc.go"} {
		if res, _ := b.get(path); res.StatusCode != http.StatusNotFound {
			t.Errorf("%s = %d, want 404", path, res.StatusCode)
		}
	}
	for name, mediaType := range map[string]string{"app.css": "text/css; charset=utf-8", "app.js": "text/javascript; charset=utf-8",
		"keys.js": "text/javascript; charset=utf-8", "icon.svg": "image/svg+xml"} {
		res, body := b.get(m + name)
		if res.StatusCode != http.StatusOK || body == "" || res.Header.Get("Content-Type") != mediaType || !strings.Contains(res.Header.Get("Cache-Control"), "immutable") {
			t.Errorf("%s = %d, %q, %q", name, res.StatusCode, res.Header.Get("Content-Type"), res.Header.Get("Cache-Control"))
		}
	}
}

func TestAnOperatorUsesTheConsoleFromItsNetworksOnly(t *testing.T) {
	r := newRig(t)
	r.addOperator(t)
	b := r.loggedIn(t)
	allow := func(networks ...string) {
		r.update(t, func(tx *storage.Tx) error {
			o, err := tx.Operators.Get(1)
			if err != nil {
				return err
			}
			o.AllowedIPs = networks
			return tx.Operators.Put(o)
		})
	}
	allow("192.0.2.0/24")
	if res, _ := b.get("/accounts"); res.StatusCode != http.StatusSeeOther {
		t.Errorf("a session of before = %d, want 303 to the login", res.StatusCode)
	}
	if res, body := r.browser(t).login(testPassword); res.StatusCode != http.StatusUnauthorized || !strings.Contains(body, "may not be used from your address") {
		t.Errorf("login = %d %s, want 401 and why", res.StatusCode, head(body))
	}
	allow("127.0.0.1")
	if res, _ := b.get("/accounts"); res.StatusCode != http.StatusOK {
		t.Errorf("from an address that is allowed = %d, want 200", res.StatusCode)
	}
}
