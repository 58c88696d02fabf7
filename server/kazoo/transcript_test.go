package kazoo

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

// transcript records requests and their whole answers; what differs from run to run is named.
type transcript struct {
	s     *server
	b     strings.Builder
	names map[string]string
	hit   map[string]bool // method and pattern of the routes that were called
}

var (
	tokenText    = regexp.MustCompile(`eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+`)
	revisionText = regexp.MustCompile(`"1-[0-9a-f]{32}"`)
	realmText8   = regexp.MustCompile(`[0-9a-f]{8}\.sip\.local`)
	keyText      = regexp.MustCompile(`\b[0-9a-f]{64}\b`)
	idText       = regexp.MustCompile(`\b[0-9a-f]{32}\b`)
)

// hide names what differs.
func (r *transcript) hide(text string) string {
	text = tokenText.ReplaceAllString(text, "{token}")
	text = keyText.ReplaceAllString(text, "{api_key}")
	text = revisionText.ReplaceAllString(text, `"{revision}"`)
	text = realmText8.ReplaceAllString(text, "{realm}")
	text = regexp.MustCompile(`"(exp|identity_sig)":("[^"]*"|\d+)`).ReplaceAllString(text, `"$1":"{$1}"`)
	return idText.ReplaceAllStringFunc(text, func(id string) string {
		if strings.HasPrefix(id, "000000000000") {
			return id
		}
		if r.names[id] == "" {
			r.names[id] = fmt.Sprintf("{id%d}", len(r.names)+1)
		}
		return r.names[id]
	})
}

// do sends a request as the master and records it.
func (r *transcript) do(method, path, body string, headers ...string) reply {
	r.s.t.Helper()
	params := map[string]string{}
	trimmed, _, _ := strings.Cut(strings.TrimPrefix(path, "/v2/"), "?")
	if n := r.s.api.routes.find(strings.Split(strings.ReplaceAll(trimmed, "%2B", "+"), "/"), params); n != nil {
		for _, row := range r.s.api.table() {
			if row.method == method && n.verbs[method] != nil && matches(row.path, trimmed) {
				r.hit[method+" "+row.path] = true
			}
		}
	}
	a := r.s.call(method, path, r.s.token, body, headers...)
	fmt.Fprintf(&r.b, "%s %s\n", method, r.hide(path))
	if body != "" {
		fmt.Fprintf(&r.b, "%s\n", r.hide(body))
	}
	fmt.Fprintf(&r.b, "%d %s\n%s\n\n", a.status, a.header.Get("Content-Type"), r.hide(string(a.raw)))
	r.s.clock.move(time.Second)
	return a
}

// matches reports whether a path fits a pattern.
func matches(pattern, path string) bool {
	p, s := strings.Split(pattern, "/"), strings.Split(path, "/")
	if len(p) != len(s) {
		return false
	}
	for i := range p {
		if p[i] != s[i] && !strings.HasPrefix(p[i], ":") {
			return false
		}
	}
	return true
}

// Money endpoints have transcripts of their own.
var elsewhere = regexp.MustCompile(`/(ledgers|transactions|services/(topup|audit|synchronization))`)

func TestEveryEndpointAnswersAsRecorded(t *testing.T) {
	s := newServer(t)
	n := 0
	s.api.newID = func() string { n++; return fmt.Sprintf("%032d", n) }
	r := &transcript{s: s, names: map[string]string{}, hit: map[string]bool{}}
	key := s.account(1).APIKey
	r.do("PUT", "/v2/api_auth", `{"data":{"api_key":"`+key+`"}}`)
	id := r.do("PUT", "/v2/accounts", `{"data":{"name":"Lakeview Voice"}}`).text("data.id")
	at := "/v2/accounts/" + id
	child := r.do("PUT", at, `{"data":{"name":"Branch"}}`).text("data.id")
	for _, path := range []string{"", "/children", "/descendants", "/siblings", "/parents", "/tree", "/api_key"} {
		r.do("GET", at+path, "")
	}
	r.do("POST", at, `{"data":{"name":"Lakeview Voice","extra":{"a":1}}}`)
	r.do("PATCH", at, `{"data":{"extra":null,"timezone":"Europe/Berlin"}}`)
	r.do("PUT", at+"/api_key", "")
	r.do("PUT", "/v2/accounts/"+child+"/reseller", `{"data":{}}`)
	r.do("DELETE", "/v2/accounts/"+child+"/reseller", "")
	r.do("POST", "/v2/accounts/"+child+"/move", `{"data":{"to":"`+s.master+`"}}`)
	r.do("PUT", "/v2/accounts/"+child+"/move", `{"data":{"to":"`+id+`"}}`)
	r.do("DELETE", "/v2/accounts/"+child, "")
	// logins
	user := r.do("PUT", at+"/users", `{"data":{"first_name":"Ines","last_name":"Ruiz","username":"ines","password":"correct horse","email":"ines@example.net"}}`).text("data.id")
	r.do("GET", at+"/users", "")
	r.do("GET", at+"/users/"+user, "")
	r.do("PATCH", at+"/users/"+user, `{"data":{"priv_level":"admin"}}`)
	login := r.do("PUT", "/v2/user_auth", `{"data":{"credentials":"`+md5Hex("ines:correct horse")+`","account_name":"lakeview voice"}}`).text("auth_token")
	r.do("GET", "/v2/user_auth/"+login, "")
	r.do("GET", "/v2/token_auth", "")
	r.do("GET", "/v2/auth/tokeninfo?token="+login, "")
	r.do("POST", "/v2/auth/tokeninfo", `{"data":{"token":"`+login+`"}}`)
	r.do("PUT", "/v2/auth", `{"data":{"action":"refresh_token"}}`)
	r.do("PUT", at+"/users/"+user+"/user_auth", `{"data":{"action":"impersonate_user"}}`)
	r.do("POST", at+"/users/"+user, `{"data":{"first_name":"Ines","last_name":"Ruiz"}}`)
	r.do("DELETE", at+"/users/"+user, "")
	// plans and services
	planner := "/v2/accounts/" + s.master + "/service_planner"
	plan := r.do("PUT", planner, `{"data":{"name":"Gold","plan":{"devices":{"_all":{"rate":2.5,"activation_charge":1}}}}}`).text("data.id")
	other := r.do("PUT", planner, `{"data":{"name":"Silver","plan":{}}}`).text("data.id")
	r.do("GET", planner, "")
	r.do("GET", planner+"/"+plan, "")
	r.do("POST", planner+"/"+other, `{"data":{"name":"Silver","plan":{},"category":"voice"}}`)
	r.do("PATCH", planner+"/"+other, `{"data":{"description":"less"}}`)
	for _, family := range []string{"/services", "/service_plans"} {
		r.do("POST", at+family, `{"data":{"add":["`+plan+`"]}}`)
		r.do("GET", at+family, "")
		r.do("POST", at+family+"/"+other, "")
		r.do("DELETE", at+family+"/"+other, "")
		r.do("GET", at+family+"/available", "")
		r.do("GET", at+family+"/editable", "")
		r.do("GET", "/v2"+family+"/editable", "")
		r.do("POST", at+family+"/reconciliation", "")
	}
	r.do("GET", at+"/service_plans/"+plan, "")
	r.do("GET", at+"/service_plans/available/"+other, "")
	r.do("POST", at+"/service_plans/override", `{"data":{"overrides":{"`+plan+`":{"devices":{"_all":{"rate":3}}}}}}`)
	r.do("POST", at+"/service_plans/synchronization", "")
	r.do("GET", at+"/service_plans/current", "")
	for _, verb := range []string{"POST", "PATCH"} {
		r.do(verb, at+"/services/manual", `{"data":{"devices":{"sip_device":5}}}`)
		r.do(verb, at+"/services/overrides", `{"data":{"plan":{"devices":{"_all":{"minimum":2}}}}}`)
	}
	r.do("GET", at+"/services/manual", "")
	r.do("GET", at+"/services/overrides", "")
	r.do("GET", at+"/services/status", "")
	r.do("POST", at+"/services/status", `{"data":{"in_good_standing":false,"reason":"unpaid","reason_code":7}}`)
	r.do("GET", at+"/services/summary", "")
	r.do("GET", at+"/services/summary", "", "Accept", "text/csv")
	r.do("POST", at+"/services/quote", `{"data":{"plans":["`+other+`"]}}`)
	r.do("POST", "/v2/services/quote", `{"data":{"plans":["`+plan+`"]}}`)
	r.do("DELETE", planner+"/"+other, "")
	// countable objects
	for _, noun := range []string{"devices", "vmboxes", "faxboxes", "conferences", "port_requests"} {
		body := `{"data":{"name":"one","numbers":{"+12025559000":{}}}}`
		one := at + "/" + noun + "/" + r.do("PUT", at+"/"+noun, body).text("data.id")
		r.do("GET", at+"/"+noun, "")
		r.do("GET", one, "")
		r.do("POST", one, body)
		r.do("PATCH", one, `{"data":{"name":"two"}}`)
		if noun == "port_requests" {
			for _, state := range []string{"submitted", "rejected", "submitted", "pending", "scheduled", "completed", "canceled"} {
				r.do("PATCH", one+"/"+state, "")
				r.do("GET", at+"/port_requests/"+state, "")
			}
			r.do("GET", at+"/port_requests/unconfirmed", "")
		}
		r.do("DELETE", one, "")
	}
	r.do("POST", at+"/limits", `{"data":{"inbound_trunks":3}}`)
	r.do("GET", at+"/limits", "")
	numbers := at + "/phone_numbers"
	number := numbers + "/%2B14155550100"
	r.do("PUT", number, `{"data":{"cnam":{"display_name":"Lakeview"}}}`)
	r.do("PUT", number+"/activate", "")
	r.do("PUT", number+"/reserve", "")
	r.do("PUT", number+"/port", "")
	r.do("POST", number, `{"data":{"used_by":"callflow"}}`)
	r.do("PATCH", number, `{"data":{"note":"n"}}`)
	r.do("GET", number, "")
	r.do("GET", number+"/identify", "")
	r.do("GET", numbers, "")
	r.do("DELETE", number, "")
	for _, verb := range []string{"PUT", "POST", "PATCH"} {
		r.do(verb, numbers+"/collection", `{"data":{"numbers":["4155550101","x"]}}`)
	}
	r.do("PUT", numbers+"/collection/activate", `{"data":{"numbers":["4155550101"]}}`)
	r.do("POST", numbers+"/check", `{"data":{"numbers":["4155550101","4155550102"]}}`)
	r.do("DELETE", numbers+"/collection", `{"data":{"numbers":["4155550101"]}}`)
	for _, path := range []string{numbers, "/v2/phone_numbers"} {
		r.do("GET", path+"/classifiers", "")
		r.do("GET", path+"/classifiers/4155550100", "")
	}
	r.do("PUT", "/v2/ips", `{"data":{"ip":"192.0.2.1","zone":"east","host":"proxy.example"}}`)
	r.do("GET", "/v2/ips", "")
	for _, path := range []string{"", "/hosts", "/zones"} {
		r.do("GET", at+"/ips"+path, "")
	}
	r.do("POST", at+"/ips", `{"data":["192.0.2.1"]}`)
	r.do("GET", at+"/ips/assigned", "")
	r.do("GET", at+"/ips/192.0.2.1", "")
	r.do("POST", at+"/ips/192.0.2.1", "")
	r.do("DELETE", at+"/ips/192.0.2.1", "")
	r.do("DELETE", "/v2/ips/192.0.2.1", "")
	r.do("PUT", at+"/whitelabel", `{"data":{"domain":"voice.example"}}`)
	r.do("GET", at+"/whitelabel", "")
	r.do("POST", at+"/whitelabel", `{"data":{"domain":"voice.example","company_name":"L"}}`)
	r.do("PATCH", at+"/whitelabel", `{"data":{"company_name":"M"}}`)
	r.do("GET", "/v2/whitelabel/voice.example", "")
	r.do("DELETE", at+"/whitelabel", "")
	// rates, tasks, calls
	r.do("PUT", "/v2/rates", `{"data":{"prefix":1503,"rate_cost":0.02,"rate_surcharge":0.25}}`)
	r.do("POST", "/v2/rates", "44,GB,UK,0.1\n", "Content-Type", "text/csv")
	r.do("GET", "/v2/rates", "")
	r.do("GET", "/v2/rates?prefix=15035551234", "")
	r.do("GET", "/v2/rates/XX-1503", "")
	r.do("POST", "/v2/rates/XX-1503", `{"data":{"prefix":1503,"rate_cost":0.03}}`)
	r.do("PATCH", "/v2/rates/XX-1503", `{"data":{"weight":9}}`)
	r.do("GET", "/v2/rates/ratedecks", "")
	r.do("GET", "/v2/rates/number/5035551234", "")
	r.do("GET", at+"/rates/number/5035551234", "")
	r.do("GET", "/v2/rates/number/12", "")
	r.do("DELETE", "/v2/rates/XX-1503", "")
	for _, tasks := range []string{"/v2/tasks", at + "/tasks"} {
		r.do("GET", tasks, "")
		task := tasks + "/" + r.do("PUT", tasks+"?category=rates&action=import", "prefix,rate_cost\n49,0.3\nx,1\n", "Content-Type", "text/csv").text("data._read_only.id")
		r.do("PATCH", task, "")
		r.do("GET", task, "")
		r.do("PATCH", task+"/stop", "")
		r.do("GET", task+"/input", "", "Accept", "text/csv")
		r.do("GET", task+"/output", "", "Accept", "text/csv")
		r.do("DELETE", task, "")
	}
	r.do("GET", at+"/tasks/help", "")
	for _, path := range []string{"", "/interaction", "/summary", "/legs/202611-0000000000000000", "/202611-0000000000000000"} {
		r.do("GET", at+"/cdrs"+path, "")
	}
	r.do("DELETE", at, "")
	r.do("DELETE", "/v2/token_auth", "")
	for _, row := range s.api.table() {
		if !r.hit[row.method+" "+row.path] && !elsewhere.MatchString("/"+row.path) {
			t.Errorf("%s %s was not called", row.method, row.path)
		}
	}
	got, file := r.b.String(), "testdata/endpoints.http"
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
		a, b := strings.Split(got, "\n"), strings.Split(string(want), "\n")
		for i := range min(len(a), len(b)) {
			if a[i] != b[i] {
				t.Fatalf("line %d of the transcript = %s\nwant %s\n(-update rewrites %s)", i+1, a[i], b[i], file)
			}
		}
		t.Errorf("the transcript has %d lines, want %d (-update rewrites %s)", len(a), len(b), file)
	}
}
