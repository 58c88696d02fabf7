package native

import (
	"net/http"
	"strings"
	"testing"

	"billd/server/auth"
	"billd/server/ops"
	"billd/storage"
)

// as sends a request with another token and returns its status and error message.
func (r *ratesRig) as(t *testing.T, token, method, path, body string) (int, string) {
	t.Helper()
	mine := r.token
	defer func() { r.token = mine }()
	r.token = token
	var answer struct{ Error problem }
	return r.do(t, method, path, "application/json", strings.NewReader(body), &answer), answer.Error.Message
}

func (r *ratesRig) key(t *testing.T, method, path, body string) string {
	t.Helper()
	var key struct{ Name, Key string }
	if status := r.do(t, method, path, "application/json", strings.NewReader(body), &key); status != 200 || key.Key == "" || key.Name != "fs1" {
		t.Fatalf("%s %s: status %d, %+v, want a key of fs1", method, path, status, key)
	}
	return key.Key
}

func TestASwitchsKeyOpensASwitchsWorkAndNothingElse(t *testing.T) {
	rig := newRatesRig(t)
	rig.env.Senders = ops.NewSenders()
	key := rig.key(t, "POST", "/switches", `{"name":"fs1"}`)
	work := map[string]bool{}
	for _, path := range strings.Fields("/cdrs /cdrs/freeswitch /cdrs/asterisk /cdrs/kamailio /cdrs/opensips /authorize /reservations/:id/extend /reservations/:id/release /rate /data-sessions") {
		work["POST "+path] = true
	}
	var allowed, refused uint64
	for _, r := range (&API{}).table() {
		status, text := rig.as(t, key, r.method, strings.NewReplacer(":id", "1", ":name", "x").Replace(r.path), "{}")
		if work[r.method+" "+r.path] {
			allowed++
			if status == http.StatusForbidden || status == http.StatusUnauthorized {
				t.Errorf("%s %s: %d %s, want it open to a switch", r.method, r.path, status, text)
			}
			delete(work, r.method+" "+r.path)
			continue
		}
		refused++
		if status != http.StatusForbidden || !strings.HasPrefix(text, "the key of switch fs1 opens what a switch does") {
			t.Errorf("%s %s: %d %s, want 403", r.method, r.path, status, text)
		}
	}
	if len(work) > 0 {
		t.Errorf("no route for %v", work)
	}
	var list struct{ Switches []ops.ShownSwitch }
	if rig.do(t, "GET", "/switches", "", nil, &list); len(list.Switches) != 1 || list.Switches[0].Requests != allowed || list.Switches[0].Refused != refused || list.Switches[0].LastAt.IsZero() {
		t.Errorf("listed as %+v, want %d requests and %d refused", list.Switches, allowed, refused)
	}
}

// TestAClientThatWaitsToBeAskedIsAsked: RFC 9110 has a 401 say how to authenticate.
func TestAClientThatWaitsToBeAskedIsAsked(t *testing.T) {
	rig := newRatesRig(t)
	resp, err := http.Get(rig.base + "/settings")
	if err != nil || resp.Body.Close() != nil {
		t.Fatal(err)
	}
	if got := resp.Header.Get("WWW-Authenticate"); resp.StatusCode != 401 || got != `Basic realm="billd"` {
		t.Errorf("status %d, WWW-Authenticate %q, want 401 that asks for a password", resp.StatusCode, got)
	}
}

func TestASwitchsKeyEndsWhenItIsRenewedOrDeleted(t *testing.T) {
	rig := newRatesRig(t)
	ask := func(key string) int {
		status, _ := rig.as(t, key, "POST", "/authorize", `{"account":"master","number":"4420"}`)
		return status
	}
	first := rig.key(t, "POST", "/switches", `{"name":"fs1","ttl_seconds":3600}`)
	if got := ask(first); got != 200 {
		t.Fatalf("status %d, want 200", got)
	}
	second := rig.key(t, "POST", "/switches/fs1/renew", "")
	if a, b := ask(first), ask(second); a != 401 || b != 200 {
		t.Errorf("after the renewal the keys get %d and %d, want 401 and 200", a, b)
	}
	rig.key(t, "POST", "/switches/fs1/renew", `{"networks":["192.0.2.0/24"]}`)
	third := rig.key(t, "POST", "/switches/fs1/renew", `{}`)
	if status, text := rig.as(t, third, "POST", "/authorize", `{}`); status != 403 || text != "the key of switch fs1 may not act from 127.0.0.1" {
		t.Errorf("from elsewhere: %d %s, want 403", status, text)
	}
	req, _ := http.NewRequestWithContext(t.Context(), "DELETE", rig.base+"/switches/fs1", nil)
	req.Header.Set("Authorization", "Bearer "+rig.token)
	if resp, err := http.DefaultClient.Do(req); err != nil || resp.Body.Close() != nil || resp.StatusCode != 204 {
		t.Fatalf("delete: %v, %v", resp, err)
	}
	if got := ask(third); got != 401 {
		t.Errorf("after the delete the key gets %d, want 401", got)
	}
	for body, want := range map[string]int{`{"name":"a b"}`: 400, `{"name":"x","ttl_seconds":-1}`: 400, `{"name":"x","networks":["here"]}`: 400, `{"name":"x","key":"mine"}`: 400, ``: 400} {
		if status, text := rig.as(t, rig.token, "POST", "/switches", body); status != want {
			t.Errorf("%s: %d %s, want %d", body, status, text, want)
		}
	}
	if status, _ := rig.as(t, rig.token, "POST", "/switches/none/renew", ""); status != 404 {
		t.Errorf("renewing nobody's key: %d, want 404", status)
	}
}

func TestAnOperatorActsOnlyFromTheAddressesAllowed(t *testing.T) {
	rig := newRatesRig(t)
	anna := &storage.Operator{Login: "anna"}
	put := func() error {
		return rig.env.DB.Update(t.Context(), func(tx *storage.Tx) error { return tx.Operators.Put(anna) })
	}
	if err := put(); err != nil {
		t.Fatal(err)
	}
	token, err := rig.env.Access.Tokens.Native(auth.Principal{Kind: auth.KindOperator, ID: anna.ID}, 0)
	if err != nil {
		t.Fatal(err)
	}
	admin, err := rig.env.Access.Tokens.Admin(anna.ID, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		networks []string
		want     int
	}{{nil, 200}, {[]string{"192.0.2.7"}, 403}, {[]string{"127.0.0.0/8"}, 200}} {
		if anna.AllowedIPs = tt.networks; put() != nil {
			t.Fatal("not stored")
		}
		for _, text := range []string{token.Text, admin.Text} {
			if status, message := rig.as(t, text, "GET", "/settings", ""); status != tt.want {
				t.Errorf("from %v: %d %s, want %d", tt.networks, status, message, tt.want)
			}
		}
	}
}
