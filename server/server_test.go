package server

import (
	"context"
	"io"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"billd/server/auth"
	"billd/server/ops"
	"billd/server/radius"
	"billd/storage"
)

func TestRoutesListEverySurface(t *testing.T) {
	routes, err := Routes()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []Route{
		{"GET", "/healthz"}, {"GET", "/metrics"}, {"POST", "/api/v1/cdrs"}, {"GET", "/api/call_rates"}, {"GET", "/"},
		{"POST", "/api/rest/admin/accounts"}, {"GET", "/api/rest/customer/v1/incoming-cdrs"}, {"PUT", "/v2/user_auth"},
	} {
		if !slices.Contains(routes, want) {
			t.Errorf("routes lack %s %s", want.Method, want.Path)
		}
	}
}

// banner is where serve prints; it tells the address.
type banner struct{ url chan string }

var bannerURL = regexp.MustCompile(`http://[0-9.:]+`)

func (b *banner) Write(p []byte) (int, error) {
	if url := bannerURL.Find(p); url != nil {
		select {
		case b.url <- string(url):
		default:
		}
	}
	return len(p), nil
}

func TestServeAnswersAndStopsInOrder(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	dir, b, done := t.TempDir(), &banner{make(chan string, 1)}, make(chan error, 1)
	go func() {
		done <- Run(ctx, Options{Dir: dir, HTTP: "127.0.0.1:0", Version: "test", Banner: b, Commands: ops.Commands(), RadiusAccounting: "127.0.0.1:0"})
	}()
	var url string
	select {
	case url = <-b.url:
	case err := <-done:
		t.Fatalf("serve ended: %v", err)
	case <-time.After(time.Minute):
		t.Fatal("serve prints no address")
	}
	for _, tt := range []struct {
		path, want string
		status     int
	}{
		{"/healthz", "ok", 200},
		{"/readyz", "ready", 200},
		{"/metrics", "billd_calls_total", 200},
		{"/metrics", `billd_radius_packets_total{outcome="answered",socket="accounting"} 0`, 200},
		{"/nothing", "not found", 404},
		{"/api/v1/cdrs", "unauthenticated", 401},
		{"/api/call_rates", "UNAUTHORIZED", 401},
		{"/v2/accounts", "invalid_method", 405},
		{"/api/rest/customer/v1/accounts", "Authorization failed", 401},
	} {
		resp, err := http.Get(url + tt.path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		if resp.StatusCode != tt.status || !strings.Contains(string(body), tt.want) {
			t.Errorf("GET %s = %d %q, want %d with %q", tt.path, resp.StatusCode, body, tt.status, tt.want)
		}
	}
	cancel()
	select {
	case err := <-done:
		if err != nil {
			t.Errorf("serve ended with %v, want nil", err)
		}
	case <-time.After(time.Minute):
		t.Fatal("serve does not stop")
	}
	if _, err := ops.OpenStore(t.Context(), dir); err != nil {
		t.Errorf("the store is not free after serve ended: %v", err)
	}
}

func TestARequestLargerThanTheLimitIsRefusedInTheSurfacesForm(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	b, done := &banner{make(chan string, 1)}, make(chan error, 1)
	go func() {
		done <- Run(ctx, Options{Dir: t.TempDir(), HTTP: "127.0.0.1:0", Version: "test", Banner: b})
	}()
	url := <-b.url
	resp, err := http.Post(url+"/api/v1/cdrs", "application/json", io.LimitReader(zeros{}, bodyLimit+1))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != 413 || !strings.Contains(string(body), `"error":{"code":"http_413"`) {
		t.Errorf("answer = %d %q, want 413 in the native API's form", resp.StatusCode, body)
	}
	cancel()
	<-done
}

// While accounts may credit themselves serve says so, and how to end it; once that is off it is silent.
func TestServeSaysThatAccountsMayCreditThemselves(t *testing.T) {
	dir := t.TempDir()
	for _, tt := range []struct {
		name, setting string
		want          bool
	}{{"by default", "", true}, {"switched off", "false", false}, {"and on again", "true", true}} {
		t.Run(tt.name, func(t *testing.T) {
			db, err := ops.OpenStore(t.Context(), dir)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			if tt.setting != "" {
				err := db.Update(t.Context(), func(tx *storage.Tx) error {
					_, err := tx.ChangeSettings(map[string]string{"topup.self_service": tt.setting})
					return err
				})
				if err != nil {
					t.Fatal(err)
				}
			}
			var said strings.Builder
			s := &Server{o: Options{Banner: &said, Dir: dir}, db: db, radius: &radius.Server{}, env: &ops.Env{DB: db, Access: &ops.Access{Setup: &auth.Setup{Now: time.Now}}}}
			if err := s.greet(t.Context(), &net.TCPAddr{}); err != nil {
				t.Fatal(err)
			}
			if got := strings.Contains(said.String(), "billd settings set topup.self_service false"); got != tt.want {
				t.Errorf("serve says %q, a note in it: %v, want %v", said.String(), got, tt.want)
			}
		})
	}
}

// zeros is an endless body.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }
