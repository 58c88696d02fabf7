package native

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"mime/multipart"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"billd/server/auth"
	"billd/server/ops"
	"billd/storage"

	"github.com/gofiber/fiber/v2"
)

// ratesRig is the API on a real socket over a fresh store.
type ratesRig struct {
	base, token string
	env         *ops.Env
}

func newRatesRig(t *testing.T) *ratesRig {
	t.Helper()
	dir := t.TempDir()
	db, err := ops.OpenStore(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	access, err := ops.OpenAccess(t.Context(), dir, db)
	if err != nil {
		t.Fatal(err)
	}
	token, err := access.Tokens.Native(auth.Principal{Kind: auth.KindNative, AccountID: 1}, 0)
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	queue := storage.NewIngest(db)
	app := fiber.New(fiber.Config{StreamRequestBody: true, DisablePreParseMultipartForm: true, DisableStartupMessage: true, Immutable: true})
	env := &ops.Env{DB: db, Dir: dir, Log: log, Access: access, Queue: queue, Auths: storage.NewAuthQueue(db)}
	New(Options{DB: db, Queue: queue, Access: access, Log: log, Env: env}).Mount(app)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- app.Listener(ln) }()
	t.Cleanup(func() {
		app.Shutdown()
		<-done
		queue.Stop()
		env.Auths.Stop()
		db.Close()
	})
	return &ratesRig{"http://" + ln.Addr().String() + Base, token.Text, env}
}

// do sends a request and decodes the answer into v.
func (r *ratesRig) do(t *testing.T, method, path, kind string, body io.Reader, v any) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, r.base+path, body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+r.token)
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, v); err != nil {
		t.Fatalf("%s %s: %d, %q: %v", method, path, resp.StatusCode, b, err)
	}
	return resp.StatusCode
}

type ratesAnswer struct {
	ops.RatesReport
	Problem problem `json:"error"`
}

func TestImportRatesOverHTTP(t *testing.T) {
	rig := newRatesRig(t)
	const deck = "Prefix,Rate,Increment\n44,0.01,60/60\n1,abc,1/1\n"
	form := func(file string, fields map[string]string) (string, io.Reader) {
		var b bytes.Buffer
		w := multipart.NewWriter(&b)
		part, err := w.CreateFormFile("file", `C:\decks\march.csv`)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(part, file)
		for k, v := range fields { // behind the file, as curl -F file=@… -F deck=… sends them
			w.WriteField(k, v)
		}
		w.Close()
		return w.FormDataContentType(), &b
	}
	for _, tt := range []struct {
		name, path, kind string
		body             io.Reader
		status           int
		want             ops.RatesReport
	}{
		{"a raw body on trial", "/import/rates?dry_run=1", "text/csv", strings.NewReader(deck), 200, ops.RatesReport{File: "upload", Deck: "default", DryRun: true, Read: 2, Added: 1, Rejected: 1}},
		{"a raw body", "/import/rates?file=a.csv", "text/csv", strings.NewReader(deck), 200, ops.RatesReport{File: "a.csv", Deck: "default", Applied: true, Read: 2, Added: 1, Rejected: 1}},
		{"again", "/import/rates", "", strings.NewReader(deck), 200, ops.RatesReport{File: "upload", Deck: "default", Read: 2, Same: 1, Rejected: 1}},
		{"nothing that can be", "/import/rates", "text/csv", strings.NewReader("Prefix,Rate\n44,abc\n"), 422, ops.RatesReport{File: "upload", Deck: "default", Read: 1, Rejected: 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got ops.RatesReport
			status := rig.do(t, http.MethodPost, tt.path, tt.kind, tt.body, &got)
			if status != tt.status || got.File != tt.want.File || got.Deck != tt.want.Deck || got.DryRun != tt.want.DryRun || got.Applied != tt.want.Applied || got.Counts() != tt.want.Counts() {
				t.Errorf("%d %+v, want %d %+v", status, got, tt.status, tt.want)
			}
		})
	}
	t.Run("a form", func(t *testing.T) {
		var got ops.RatesReport
		kind, body := form("Prefix;Rate\n49;0,02\n", map[string]string{"deck": "carrier", "currency": "USD", "preset": "kazoo", "vendor": "master"})
		if status := rig.do(t, http.MethodPost, "/import/rates", kind, body, &got); status != 200 || got.File != "march.csv" || got.Deck != "carrier" ||
			!got.Applied || got.Added != 1 || got.Currency != "USD" || got.Preset != "kazoo" || got.Vendor != 1 {
			t.Errorf("%d %+v, want deck carrier of vendor 1 in USD", status, got)
		}
	})
	for _, tt := range []struct{ name, path, kind, body, want string }{
		{"a file that is no price list", "/import/rates", "text/csv", "a,b\nc,d\n", "upload: no prefix column and no price per minute; headers seen: a, b"},
		{"an empty body", "/import/rates", "text/csv", "", "upload: the file is empty"},
		{"a form that is none", "/import/rates", "multipart/form-data; boundary=x", "nope", "the body is not a multipart form"},
		{"a mode that is none", "/import/rates?mode=add", "text/csv", deck, `mode "add": want replace or merge`},
		{"a trial that is neither", "/import/rates?dry_run=perhaps", "text/csv", deck, `dry_run "perhaps": want 1 or 0`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got ratesAnswer
			if status := rig.do(t, http.MethodPost, tt.path, tt.kind, strings.NewReader(tt.body), &got); status != 400 || got.Problem.Message != tt.want {
				t.Errorf("%d %+v, want 400 %s", status, got.Problem, tt.want)
			}
		})
	}
}

func TestExplainOverHTTP(t *testing.T) {
	rig := newRatesRig(t)
	var report ops.RatesReport
	rig.do(t, http.MethodPost, "/import/rates", "text/csv", strings.NewReader("Prefix,Rate,Increment\n44,0.01,60/60\n"), &report)
	var e ops.Explanation
	query := url.Values{"number": {"442079460000"}, "seconds": {"61"}, "account": {"1"}}
	if status := rig.do(t, http.MethodGet, "/explain?"+query.Encode(), "", nil, &e); status != 200 || e.Gross.String() != "0.02" || e.Prefix != "44" || e.RateID != 1 || e.Billed != 120 || len(e.Steps) == 0 {
		t.Errorf("%d %+v, want 0.02 for prefix 44", status, e)
	}
	for _, tt := range []struct {
		name, query string
		status      int
		want        string
	}{
		{"no match", "number=999&seconds=1&at=2026-01-01", 404, "no rate matches 999 at 2026-01-01T00:00:00Z; searched: deck default"},
		{"no number", "seconds=1", 400, `number "": want a number without blanks`},
		{"no seconds", "number=44", 400, `seconds "": want 0 to 2147483647`},
		{"an instant that is none", "number=44&seconds=1&at=now", 400, `at "now": want a date or a moment, as 2026-01-31 or 2026-01-31T12:00:00Z`},
		{"a deck that is none", "number=44&seconds=1&deck=x", 404, "deck x does not exist"},
		{"two places to look", "number=44&seconds=1&deck=x&account=1", 400, "account and deck: want one of them"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got ratesAnswer
			if status := rig.do(t, http.MethodGet, "/explain?"+tt.query, "", nil, &got); status != tt.status || got.Problem.Message != tt.want {
				t.Errorf("%d %q, want %d %q", status, got.Problem.Message, tt.status, tt.want)
			}
		})
	}
}
