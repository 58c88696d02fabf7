package kazoo

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"billd/rating"
)

// A store that does not answer is a fault in the envelope that names nothing of it.
func TestStoreFaultIsAnUnspecifiedFault(t *testing.T) {
	s := newServer(t)
	s.db.Close()
	for _, path := range []string{"/v2/accounts/" + s.master + "/services", "/v2/accounts/" + s.master, "/v2/rates"} {
		r := s.call("GET", path, s.token, "")
		if r.status != http.StatusInternalServerError || r.text("error") != "500" || r.text("status") != "error" ||
			r.text("message") != "unspecified_fault" || r.text("data.message") != "unspecified fault" {
			t.Errorf("GET %s = %d %s", path, r.status, r.raw)
		}
		if strings.Contains(string(r.raw), "closed") || strings.Contains(string(r.raw), "store") {
			t.Errorf("GET %s tells of the store: %s", path, r.raw)
		}
	}
}

// What only time heals is a datastore's word and 503.
func TestBusyStoreIs503(t *testing.T) {
	for _, tt := range []struct {
		err  error
		word string
	}{
		{fmt.Errorf("reading: %w", context.DeadlineExceeded), "datastore_unavailable"},
		{rating.Errorf(rating.Limit, "queue", "too many"), "datastore_busy"},
	} {
		f, known := asFailure(tt.err)
		if !known || f.status != http.StatusServiceUnavailable || f.message != tt.word {
			t.Errorf("%v = %+v, %v, want 503 %s", tt.err, f, known, tt.word)
		}
	}
}
