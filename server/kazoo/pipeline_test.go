package kazoo

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

var rewrite = flag.Bool("update", false, "rewrite the transcripts in testdata")

// Each row breaks two rules at least: the one that is to be reported stands first in contract 1.2.
func TestTheFirstRuleThatIsBrokenIsReported(t *testing.T) {
	s := newServer(t)
	id, token := s.tenant(s.master, "Northfield")
	other, _ := s.tenant(s.master, "Southfield")
	const gone = "00000000000000000000000000000abc"
	for _, tt := range []struct {
		name, method, path, token, body string
		headers                         []string
		status                          int
		message                         string
	}{
		{"bad JSON before a bad token", "PUT", "/v2/accounts", "junk", `{"data":`, nil, 400, "validation error"},
		{"no data before a bad token", "PUT", "/v2/accounts", "junk", `{"name":"x"}`, nil, 400, "invalid request envelope"},
		{"an array for an envelope", "PUT", "/v2/accounts", "", `[]`, nil, 400, "invalid request envelope"},
		{"a text for data", "PUT", "/v2/accounts", "", `{"data":"x"}`, nil, 400, "invalid request envelope"},
		{"too large before anything", "PUT", "/v2/accounts", "", `{"data":"` + strings.Repeat("x", maxBody) + `"}`, nil, 413, "request_entity_too_large"},
		{"a bad token before a wrong method", "DELETE", "/v2/accounts/" + id + "/services", "junk", "", nil, 401, "invalid credentials"},
		{"a wrong method before no token", "DELETE", "/v2/accounts/" + id + "/services", "", "", nil, 405, "invalid_method"},
		{"a wrong method before a bad id", "DELETE", "/v2/accounts/nonsense/services", "", "", nil, 405, "invalid_method"},
		{"no such noun", "GET", "/v2/nonsense", "", "", nil, 404, "not_found"},
		{"nothing below a noun", "GET", "/v2/accounts/" + id + "/services/summary/more", "", "", nil, 404, "not_found"},
		{"a malformed id before no token", "GET", "/v2/accounts/" + strings.ToUpper(id), "", "", nil, 404, "bad identifier"},
		{"an unknown id before no token", "GET", "/v2/accounts/" + gone, "", "", nil, 404, "bad_identifier"},
		{"no token before reach", "GET", "/v2/accounts/" + other, "", "", nil, 401, "invalid_credentials"},
		{"reach before the content type", "POST", "/v2/accounts/" + other + "/services/manual", token, `{"data":{}}`, []string{"Content-Type", "image/png"}, 403, "forbidden"},
		{"the content type before the reseller's rule", "POST", "/v2/accounts/" + id + "/services/manual", token, `x`, []string{"Content-Type", "image/png"}, 415, "unsupported_media_type"},
		{"the content type before Accept", "POST", "/v2/accounts/" + id + "/services/manual", token, `x`, []string{"Content-Type", "image/png", "Accept", "image/png"}, 415, "unsupported_media_type"},
		{"Accept before the reseller's rule", "GET", "/v2/accounts/" + id + "/services/manual", token, "", []string{"Accept", "image/png"}, 406, "not_acceptable"},
		{"CSV only where there is CSV", "GET", "/v2/accounts/" + id, token, "", []string{"Accept", "text/csv"}, 406, "not_acceptable"},
		{"the reseller's rule before the payload", "POST", "/v2/accounts/" + id + "/services/manual", token, `{"data":{"devices":7}}`, nil, 403, "forbidden"},
		{"the payload", "POST", "/v2/accounts/" + id + "/services/manual", s.token, `{"data":{"devices":7}}`, nil, 400, "validation failed"},
		{"version 1", "GET", "/v1/accounts", "", "", nil, 410, "gone"},
		{"a form is no JSON", "POST", "/v2/accounts/" + id + "/services/manual", s.token, `a=b`, []string{"Content-Type", "application/x-www-form-urlencoded"}, 415, "unsupported_media_type"},
		{"a form that is JSON", "POST", "/v2/accounts/" + id + "/services/manual", s.token, `{"data":{"devices":7}}`, []string{"Content-Type", "application/x-www-form-urlencoded"}, 400, "validation failed"},
		{"a compressed body", "PUT", "/v2/accounts", s.token, "x", []string{"Content-Encoding", "gzip"}, 415, "unsupported_media_type"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := s.call(tt.method, tt.path, tt.token, tt.body, tt.headers...)
			if r.status != tt.status || r.text("message") != tt.message || r.text("error") != fmt.Sprint(tt.status) || r.text("status") != "error" || r.at("data") == "absent" {
				t.Errorf("%s %s = %d %s, want %d %s", tt.method, tt.path, r.status, r.raw, tt.status, tt.message)
			}
			if got := r.header.Get("Access-Control-Allow-Origin"); got != "*" {
				t.Errorf("Access-Control-Allow-Origin = %q, want *", got)
			}
		})
	}
}

func TestTheTokenIsTakenFromFourPlaces(t *testing.T) {
	s := newServer(t)
	path := "/v2/accounts/" + s.master
	for _, tt := range []struct {
		name string
		call func() reply
	}{
		{"header", func() reply { return s.call("GET", path, s.token, "") }},
		{"query", func() reply { return s.call("GET", path+"?auth_token="+s.token, "", "") }},
		{"bearer", func() reply { return s.call("GET", path, "", "", "Authorization", "Bearer "+s.token) }},
		{"envelope", func() reply { return s.call("PATCH", path, "", `{"data":{},"auth_token":"`+s.token+`"}`) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if r := tt.call(); r.status != 200 {
				t.Errorf("status = %d %s, want 200", r.status, r.raw)
			}
		})
	}
}

func TestAPostMayCarryAnotherVerb(t *testing.T) {
	s := newServer(t)
	r := s.want(201, "POST", "/v2/accounts/"+s.master, s.token, `{"data":{"name":"Tunnelled"},"verb":"put"}`)
	s.want(200, "POST", "/v2/accounts/"+r.text("data.id")+"?verb=DELETE", s.token, `{"data":{}}`)
	s.want(404, "GET", "/v2/accounts/"+r.text("data.id"), s.token, "")
}

func TestARequestIDIsEchoed(t *testing.T) {
	s := newServer(t)
	for _, tt := range []struct{ name, sent, want string }{
		{"as sent", "abc-1", "^abc-1$"},
		{"made when none is", "", "^[0-9a-f]{32}$"},
		{"made when it is too long", strings.Repeat("x", 200), "^[0-9a-f]{32}$"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := s.call("GET", "/v2/nothing", "", "", "X-Request-ID", tt.sent)
			if got := r.text("request_id"); !regexp.MustCompile(tt.want).MatchString(got) || got != r.header.Get("X-Request-Id") {
				t.Errorf("request_id = %q, header %q, want %s in both", got, r.header.Get("X-Request-Id"), tt.want)
			}
		})
	}
}

func TestABrowserMayAskFirst(t *testing.T) {
	s := newServer(t)
	r := s.call("OPTIONS", "/v2/accounts/"+s.master+"/services", "", "")
	if r.status != http.StatusNoContent || !strings.Contains(r.header.Get("Access-Control-Allow-Headers"), "X-Auth-Token") {
		t.Errorf("OPTIONS = %d %v, want 204 with X-Auth-Token among the headers", r.status, r.header)
	}
}

func TestNoBodyBreaksTheServer(t *testing.T) {
	s := newServer(t)
	id, _ := s.tenant(s.master, "Northfield")
	bodies := []string{`null`, `{"data":null}`, `{"data":[]}`, `{"data":{"name":{}}}`, `{"data":{"name":["x"],"realm":7,"timezone":{},"enabled":"maybe","topup":[]}}`,
		`{"data":` + strings.Repeat("[", 50) + strings.Repeat("]", 50) + `}`, `{"data":` + strings.Repeat(`{"a":`, 9000) + `1` + strings.Repeat("}", 9000) + `}`,
		`{"data":{"name":"\u0000"}}`, "\xff\xfe", `{"data":{"amount":1e999999999,"source":{"service":"a","id":"b"},"usage":{"type":"a","quantity":1,"unit":"b"}}}`,
		`{"data":{"add":[{}],"plans":7,"delete":{},"overrides":[]}}`, `{"data":{"prefix":{},"rate_cost":[],"routes":["("],"direction":[1]}}`, `{} {}`}
	for _, route := range s.api.table() {
		path := "/v2/" + strings.NewReplacer(":account", id, ":user", id, ":plan", id, ":object", id, ":rate", "US-1", ":service", "x", ":id", "x",
			":number", "5551234567", ":audit", "202601-1", ":source", "x", ":cdr", "x", ":month", "x", ":transaction", "x", ":token", "x").Replace(route.path)
		if route.method == "DELETE" && (strings.HasSuffix(path, id) || strings.HasSuffix(path, "token_auth")) {
			continue
		}
		for _, body := range bodies {
			r := s.call(route.method, path, s.token, body)
			if r.status >= 500 && r.text("message") == "unspecified_fault" {
				t.Errorf("%s %s %.80s = %d %s, want no fault", route.method, path, body, r.status, r.raw)
			}
		}
	}
}

// A transcript is a request and its whole answer; what differs from run to run is named.
func TestEnvelopesAreWrittenAsKazooWritesThem(t *testing.T) {
	s := newServer(t)
	key := s.account(1).APIKey
	n := 0
	s.api.newID = func() string { n++; return fmt.Sprintf("%032d", n) }
	var b strings.Builder
	names := map[string]string{}
	hide := func(text string) string {
		text = regexp.MustCompile(`eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+`).ReplaceAllString(text, "{token}")
		text = strings.ReplaceAll(text, key, "{api_key}")
		text = regexp.MustCompile(`"1-[0-9a-f]{32}"`).ReplaceAllString(text, `"{revision}"`)
		text = regexp.MustCompile(`[0-9a-f]{8}\.sip\.local`).ReplaceAllString(text, "{realm}")
		return regexp.MustCompile(`\b[0-9a-f]{32}\b`).ReplaceAllStringFunc(text, func(id string) string {
			if strings.HasPrefix(id, "000000000000") {
				return id
			}
			if names[id] == "" {
				names[id] = fmt.Sprintf("{id%d}", len(names)+1)
			}
			return names[id]
		})
	}
	record := func(method, path, token, body string, headers ...string) reply {
		r := s.call(method, path, token, body, headers...)
		fmt.Fprintf(&b, "%s %s\n%s\n%d\n", method, hide(path), hide(body), r.status)
		for _, h := range []string{"Content-Type", "X-Request-Id", "Access-Control-Allow-Origin", "Cache-Control", "Allow"} {
			if v := r.header.Get(h); v != "" {
				fmt.Fprintf(&b, "%s: %s\n", h, v)
			}
		}
		fmt.Fprintf(&b, "%s\n\n", hide(string(r.raw)))
		s.clock.move(time.Second)
		return r
	}
	record("PUT", "/v2/api_auth", "", `{"data":{"api_key":"`+key+`"}}`)
	record("GET", "/v2/accounts/"+s.master, "", "")
	record("DELETE", "/v2/accounts/"+s.master+"/services", "", "")
	id := record("PUT", "/v2/accounts", s.token, `{"data":{"name":"Lakeview Voice","custom":1.50}}`).text("data.id")
	record("PUT", "/v2/accounts", s.token, `{"data":{"name":"lakeview-VOICE"}}`)
	record("PUT", "/v2/accounts", s.token, `{"data":{}}`)
	record("GET", "/v2/accounts/"+s.master+"/children", s.token, "")
	record("GET", "/v2/accounts/"+id+"/services", s.token, "")
	record("GET", "/v2/accounts/"+id+"/services/summary", s.token, "")
	record("PUT", "/v2/accounts/"+id+"/ledgers/credit", s.token, `{"data":{"amount":12.50,"description":"April installation","source":{"service":"adjustments","id":"wo-1182"},`+
		`"usage":{"type":"labour","quantity":1,"unit":"job"},"period":{"start":63879926400,"end":63880012800},"metadata":{"ticket":"1182"}}}`)
	record("GET", "/v2/accounts/"+id+"/ledgers", s.token, "")
	record("GET", "/v2/accounts/"+id+"/ledgers/adjustments", s.token, "", "Accept", "text/csv")
	got := b.String()
	const file = "testdata/envelopes.http"
	if *rewrite {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("transcript differs from %s; -update rewrites it:\n%s", file, got)
	}
}
