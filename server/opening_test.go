package server

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestTheWaitingDoorAnswersInEachSurfacesForm asks a server whose store is still opening, then lets it be
// opened: the same address answers from then on, and nobody who asked in between was turned away.
func TestTheWaitingDoorAnswersInEachSurfacesForm(t *testing.T) {
	s := &Server{o: Options{Dir: t.TempDir(), HTTP: "127.0.0.1:0"}, started: time.Now()}
	door, err := newWaitingDoor(s)
	if err != nil {
		t.Fatal(err)
	}
	url := "http://" + door.Addr().String()
	for _, tt := range []struct {
		method, path string
		status       int
		want         string // a part of the body
	}{
		{"GET", "/healthz", 200, "ok"},
		{"GET", "/readyz", 503, "opening the store"},
		{"GET", "/metrics", 503, `"status":503`},
		{"GET", "/", 503, `"status":503`},
		{"POST", "/api/v1/cdrs", 503, `{"error":{"code":"http_503"`},
		{"GET", "/api/rest/admin/accounts", 503, `"errors":[{"title":"billd is opening its store: try again in a moment"`},
		{"GET", "/api/rest/customer/v1/accounts", 503, `"status":"503"`},
		{"GET", "/v2/accounts", 503, `"error":"503"`},
		{"GET", "/api/call_rates", 503, `{"errors":[{"code":"SERVICE_UNAVAILABLE"`},
	} {
		req, err := http.NewRequestWithContext(t.Context(), tt.method, url+tt.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		if resp.StatusCode != tt.status || !strings.Contains(string(body), tt.want) || !resp.Close {
			t.Errorf("%s %s = %d %s, closed %t, want %d with %s, closed", tt.method, tt.path, resp.StatusCode, body, resp.Close, tt.status, tt.want)
		}
		if again := resp.Header.Get("Retry-After"); (again != "") != (tt.status == 503) {
			t.Errorf("%s %s: Retry-After %q", tt.method, tt.path, again)
		}
		if strings.HasPrefix(string(body), "{") && !json.Valid(body) {
			t.Errorf("%s %s: %s is not JSON", tt.method, tt.path, body)
		}
	}
	ln := door.handOver()
	answered := make(chan int, 1)
	go func() { // waits in the address's queue
		resp, err := http.Get(url + "/healthz")
		if err != nil {
			answered <- 0
			return
		}
		resp.Body.Close()
		answered <- resp.StatusCode
	}()
	behind := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })}
	go behind.Serve(ln)
	if got := <-answered; got != http.StatusTeapot {
		t.Errorf("behind the door: %d, want the server's own answer", got)
	}
	behind.Shutdown(context.Background())
}
