package ui_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// chromium opens a headless browser, or skips where none is installed.
func chromium(t *testing.T) context.Context {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		t.Skip("no chromium is installed: .ci/run provides one, or apt-get install chromium")
	}
	o := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.UserDataDir(t.TempDir()), chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	t.Cleanup(cancel)
	ctx, end := chromedp.NewExecAllocator(ctx, o...)
	t.Cleanup(end)
	ctx, stop := chromedp.NewContext(ctx)
	t.Cleanup(func() {
		if err := chromedp.Cancel(ctx); err != nil {
			t.Errorf("close the browser: %v", err)
		}
		stop()
	})
	do(t, ctx, chromedp.Navigate("about:blank"))
	return ctx
}

func do(t *testing.T, ctx context.Context, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.Fatal(err)
	}
}

func ask[T any](t *testing.T, ctx context.Context, a chromedp.Action[T]) T {
	t.Helper()
	v, err := chromedp.Run(ctx, a)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// complaints fails the test for what pages wrote to the console: a script or a style that the policy
// refused, a script's error. The browser's own note of an answer of 4xx is none. The returned func ends it.
func complaints(t *testing.T, ctx context.Context) (end func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(ctx)
	messages := chromedp.Console(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for m, err := range messages {
			if err != nil {
				return
			}
			if !strings.Contains(m.Text, "the server responded with a status of 4") {
				t.Errorf("console: %s (%s)", m, m.URL)
			}
		}
	}()
	return func() { cancel(); <-done }
}

// logIn fills in the login page as a person does.
func logIn(t *testing.T, ctx context.Context, r *rig) {
	t.Helper()
	do(t, ctx, chromedp.Navigate(r.URL+"/"),
		chromedp.SendKeys(chromedp.CSS(`input[name=login]`), testLogin),
		chromedp.SendKeys(chromedp.CSS(`input[name=password]`), testPassword+"\n"),
		chromedp.WaitVisible(chromedp.CSS(`.cards`)))
}

// screen is a size and colour that every page is made for.
type screen struct {
	name          string
	width, height int64
	scheme        string
}

var screens = []screen{
	{"desk-light", 1280, 900, "light"},
	{"desk-dark", 1280, 900, "dark"},
	{"phone-light", 390, 844, "light"},
	{"phone-dark", 390, 844, "dark"},
}

func (s screen) use(t *testing.T, ctx context.Context) {
	t.Helper()
	do(t, ctx, chromedp.EmulateViewport(s.width, s.height))
	_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: s.scheme}}})
	if err != nil {
		t.Fatal(err)
	}
}

// TestPagesFitEveryScreen opens each page on each screen; BILLD_SHOTS=DIR keeps a picture of each.
func TestPagesFitEveryScreen(t *testing.T) {
	ctx := chromium(t)
	r := demoRig(t)
	end := complaints(t, ctx)
	look(t, ctx, r.URL, "login", "/login")
	logIn(t, ctx, r)
	look(t, ctx, r.URL, "dashboard", "/")
	look(t, ctx, r.URL, "accounts", "/accounts")
	look(t, ctx, r.URL, "account", "/accounts/4")
	look(t, ctx, r.URL, "vendor", "/accounts/2")
	look(t, ctx, r.URL, "rates", "/rates")
	look(t, ctx, r.URL, "explain", "/rates?number=%2B44+7700+900123&seconds=95&account=Northfield+Dental")
	look(t, ctx, r.URL, "deck", "/rates?deck=1&prefix=4")
	look(t, ctx, r.URL, "cdrs", "/cdrs?account=Baltic+Freight")
	look(t, ctx, r.URL, "cdr", fmt.Sprintf("/cdrs/%d", newestCall(t, r)))
	look(t, ctx, r.URL, "suspense", "/suspense")
	r.watch(t)
	look(t, ctx, r.URL, "guard", "/guard")
	look(t, ctx, r.URL, "how", fmt.Sprintf("/cdrs/%d/explain", newestCall(t, r)))
	look(t, ctx, r.URL, "held", r.holds(t))
	r.knocks(t)
	look(t, ctx, r.URL, "radius", "/radius")
	look(t, ctx, r.URL, "reservations", "/reservations")
	r.keys(t)
	look(t, ctx, r.URL, "switches", "/switches")
	look(t, ctx, r.URL, "invoices", "/invoices")
	look(t, ctx, r.URL, "invoice", "/invoices/1")
	look(t, ctx, r.URL, "missing", "/accounts/999")
	end()
}

// look opens a page on every screen and fails if it has to be moved sideways.
func look(t *testing.T, ctx context.Context, url, name, path string) {
	t.Helper()
	shots := os.Getenv("BILLD_SHOTS")
	for _, s := range screens {
		s.use(t, ctx)
		do(t, ctx, chromedp.Navigate(url+path), chromedp.WaitVisible(chromedp.CSS(`h1`)))
		if width := ask(t, ctx, chromedp.Evaluate[int64](`document.documentElement.scrollWidth`)); width > s.width {
			t.Errorf("%s is %d wide on %s, want at most %d", path, width, s.name, s.width)
		}
		if shots == "" {
			continue
		}
		png := ask(t, ctx, chromedp.FullScreenshot(100))
		if err := os.WriteFile(filepath.Join(shots, s.name+"-"+name+".png"), png, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// press is a key whose character the page takes: KeyEvent would type it all the same.
func press(t *testing.T, ctx context.Context, key string) {
	t.Helper()
	for _, kind := range []input.DispatchKeyEventType{input.DispatchKeyEventTypeRawKeyDown, input.DispatchKeyEventTypeKeyUp} {
		if _, err := chromedp.Call(ctx, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: kind, Key: key}); err != nil {
			t.Fatal(err)
		}
	}
}

// TestTheConsoleIsDrivenByKeys goes from page to page without a pointer.
func TestTheConsoleIsDrivenByKeys(t *testing.T) {
	ctx := chromium(t)
	r := demoRig(t)
	end := complaints(t, ctx)
	logIn(t, ctx, r)
	// scripts have run once they show the button for help
	ready := chromedp.WaitVisible(chromedp.CSS(`[data-help]`))
	do(t, ctx, ready, chromedp.KeyEvent("ga"), chromedp.WaitVisible(chromedp.CSS(`input[name=q]`)), ready)
	press(t, ctx, "/")
	do(t, ctx, chromedp.KeyEvent("baltic\n"), chromedp.WaitNotPresent(chromedp.CSS(`tr[data-href="/accounts/4"]`)), ready)
	do(t, ctx, chromedp.KeyEvent("j"), chromedp.KeyEvent("\n"), chromedp.WaitVisible(chromedp.CSS(`#statement`)), ready)
	if got := ask(t, ctx, chromedp.Title()); got != "Baltic Freight · billd" {
		t.Errorf("title = %q, want the account's page", got)
	}
	do(t, ctx, chromedp.KeyEvent("?"), chromedp.WaitVisible(chromedp.CSS(`#keys`)), chromedp.KeyEvent("\n"), chromedp.WaitNotVisible(chromedp.CSS(`#keys`)))
	do(t, ctx, chromedp.Click(chromedp.CSS(`tr[data-href^="/cdrs/"] td:nth-child(3)`)), chromedp.WaitVisible(chromedp.CSS(`.steps, .hint`)))
	if got := ask(t, ctx, chromedp.Location()); !strings.Contains(got, "/cdrs/") {
		t.Errorf("a click in a row leads to %s, want the call", got)
	}
	do(t, ctx, chromedp.Click(chromedp.CSS(`.who button`)), chromedp.WaitVisible(chromedp.CSS(`input[name=password]`)))
	do(t, ctx, chromedp.Navigate(r.URL+"/accounts"))
	if got := ask(t, ctx, chromedp.Location()); !strings.HasPrefix(got, r.URL+"/login") {
		t.Errorf("after logging out /accounts is %s, want the login page", got)
	}
	end()
}

// TestSetupInABrowser follows the link that serve prints.
func TestSetupInABrowser(t *testing.T) {
	ctx := chromium(t)
	r := newRig(t)
	end := complaints(t, ctx)
	token, _ := r.access.Setup.Issue()
	look(t, ctx, r.URL, "setup", "/setup?token="+token)
	do(t, ctx, chromedp.SendKeys(chromedp.CSS(`input[name=login]`), testLogin),
		chromedp.SendKeys(chromedp.CSS(`input[name=password]`), testPassword),
		chromedp.SendKeys(chromedp.CSS(`input[name=repeat]`), testPassword+"\n"),
		chromedp.WaitVisible(chromedp.CSS(`.cards`)))
	look(t, ctx, r.URL, "empty", "/")
	end()
}
