package kazoo

import (
	"encoding/csv"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"
)

// sheetOf reads a CSV answer.
func (r reply) sheetOf(t *testing.T) [][]string {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(string(r.raw))).ReadAll()
	if err != nil || r.header.Get("Content-Type") != "text/csv" {
		t.Fatalf("answer = %s %s (%v), want CSV", r.header.Get("Content-Type"), r.raw, err)
	}
	return rows
}

// audited makes an account on a plan of handsets and audits it on three days: 2 handsets on the first, 5
// and then 4 on the second, 4 still on the third but of another price.
func audited(s *server) (id, token string) {
	id, token = s.tenant(s.master, "Northfield")
	at := "/v2/accounts/" + id + "/services/"
	p := s.plan(s.master, `{"name":"Phones","plan":{"devices":{"sip_device":{"rate":5,"as":"handset"}}}}`)
	s.want(200, "POST", at+p, s.token, "")
	for _, step := range []struct {
		after time.Duration
		n     int
	}{{time.Second, 2}, {24 * time.Hour, 5}, {time.Minute, 4}} {
		s.clock.move(step.after)
		s.token = s.masterToken()
		s.want(200, "POST", at+"manual", s.token, fmt.Sprintf(`{"data":{"devices":{"sip_device":%d}}}`, step.n))
	}
	s.clock.move(24 * time.Hour)
	s.token = s.masterToken()
	s.want(200, "POST", at+"overrides", s.token, `{"data":{"plan":{"devices":{"sip_device":{"rate":6}}}}}`)
	key := s.account(2).APIKey
	return id, s.want(201, "PUT", "/v2/api_auth", "", `{"data":{"api_key":"`+key+`"}}`).text("auth_token")
}

func TestAuditsAreListedBothWaysInPages(t *testing.T) {
	s := newServer(t)
	id, token := audited(s)
	at := "/v2/accounts/" + id + "/services/audit"
	all := s.want(200, "GET", at, token, "")
	newest := strings.Fields(all.ids("id"))
	if len(newest) != 4 || all.text("page_size") != "4" || all.at("next_start_key") != "absent" {
		t.Fatalf("audits = %s, want four on one page", all.raw)
	}
	if got, want := all.at("data.3"), `{"id":"`+newest[3]+`","status":"completed","summary":{"recurring":10,"today":0},"type":["manual"]}`; got != want {
		t.Errorf("oldest row = %s, want %s", got, want)
	}
	for _, order := range []string{"", "ascending=true&", "descending=false&"} {
		var got []string
		next := ""
		for {
			r := s.want(200, "GET", at+"?"+order+"page_size=3"+next, token, "")
			got = append(got, strings.Fields(r.ids("id"))...)
			if r.at("next_start_key") == "absent" {
				break
			}
			next = "&start_key=" + r.text("next_start_key")
		}
		want := strings.Join(newest, " ")
		if order != "" {
			want = newest[3] + " " + newest[2] + " " + newest[1] + " " + newest[0]
		}
		if strings.Join(got, " ") != want {
			t.Errorf("pages %s = %v, want %s", order, got, want)
		}
	}
	day := seconds(testClock.Truncate(24*time.Hour).AddDate(0, 0, 1))
	if r := s.want(200, "GET", fmt.Sprintf("%s?created_from=%d&created_to=%d", at, day, day+86399), token, ""); r.text("page_size") != "2" {
		t.Errorf("audits of the second day = %s, want two", r.raw)
	}
	rows := s.want(200, "GET", at, token, "", "Accept", "text/csv").sheetOf(t)
	if got, want := strings.Join(rows[0], ",")+" "+strings.Join(rows[4], ","), "id,status,type,summary.today,summary.recurring "+newest[3]+",completed,manual,0,10"; got != want || len(rows) != 5 {
		t.Errorf("CSV = %v, want %s", rows, want)
	}
	for _, bad := range []string{"start_key=zzz", "start_key=k7a7a", "page_size=0", "page_size=x", "created_from=x"} {
		s.want(400, "GET", at+"?"+bad, token, "")
	}
}

func TestAnAuditIsShownWhole(t *testing.T) {
	s := newServer(t)
	id, _ := s.tenant(s.master, "Northfield")
	other, _ := s.tenant(s.master, "Southfield")
	s.want(201, "PUT", "/v2/accounts/"+s.master+"/users", s.token, `{"data":{"first_name":"Ines","last_name":"Ruiz","username":"ines","password":"correct horse"}}`)
	login := s.want(201, "PUT", "/v2/user_auth", "", `{"data":{"credentials":"`+md5Hex("ines:correct horse")+`","account_name":"master"}}`).text("auth_token")
	at := "/v2/accounts/" + id + "/services/"
	p := s.plan(s.master, `{"name":"Phones","plan":{"devices":{"sip_device":{"rate":5,"activation_charge":2}}}}`)
	s.want(200, "POST", at+p, s.token, "")
	s.want(200, "POST", at+"manual", login, `{"data":{"devices":{"sip_device":3}}}`, "X-Request-ID", "req-1")
	audit := s.want(200, "GET", at+"audit", s.token, "").text("data.0.id")
	if !regexp.MustCompile(`^202611-[0-9a-f]{32}$`).MatchString(audit) {
		t.Errorf("id = %s, want the month and 32 hex digits", audit)
	}
	r := s.want(200, "GET", at+"audit/"+audit, s.token, "")
	for path, want := range map[string]string{
		"id": `"` + audit + `"`, "status": `"completed"`,
		"audit.crossbar_request": "true", "audit.authentication.type": `"x-auth-token"`, "audit.authentication.account_id": `"` + s.master + `"`,
		"audit.agent.type": `"user"`, "audit.agent.first_name": `"Ines"`, "audit.agent.full_name": `"Ines Ruiz"`, "audit.agent.account_id": `"` + s.master + `"`,
		"audit.request.id": `"req-1"`, "audit.request.client_ip": `"0.0.0.0"`, "audit.request.method": `"POST"`, "audit.request.path": `"` + at + `manual"`,
		"audit.account": `{"id":"` + id + `","name":"Northfield"}`, "audit.changes": `{"account_id":"` + id + `","account_name":"Northfield","type":["manual"]}`,
		"invoice.summary": `{"recurring":15,"today":6}`, "invoice.items.0.changes": `{"difference":{"billable":3,"quantity":3},"type":"modified"}`,
		"invoice.activation_charges.0.total": "6", "invoice.taxes": "[]", "invoice.bookkeeper.type": `"default"`,
		"bookkeeper.id": `"default_bookkeeper"`, "bookkeeper.vendor_id": `"` + s.master + `"`, "bookkeeper.results": "[]",
	} {
		if got := r.at("data." + path); got != want && path != "audit.request.client_ip" {
			t.Errorf("%s = %s, want %s", path, got, want)
		}
	}
	if r.text("revision") == "absent" || r.at("data.audit.request.client_ip") == "absent" {
		t.Errorf("audit = %s, want a revision and the client's address", r.raw)
	}
	for _, bad := range []string{"202611-" + strings.Repeat("0", 32), "202610" + audit[6:], audit[7:], "x", "202611-" + strings.Repeat("g", 32), strings.ToUpper(audit) + "0"} {
		if r := s.want(404, "GET", at+"audit/"+bad, s.token, ""); r.text("message") != "bad_identifier" || r.text("data.cause") != bad {
			t.Errorf("GET %s = %s, want bad_identifier with its cause", bad, r.raw)
		}
	}
	s.want(404, "GET", "/v2/accounts/"+other+"/services/audit/"+audit, s.token, "")
	// what keys did has no agent
	s.want(200, "POST", at+"manual", "", `{"data":{"devices":{"sip_device":4}}}`, "Authorization", "Bearer "+s.token)
	key := s.want(200, "GET", at+"audit/"+s.want(200, "GET", at+"audit", s.token, "").text("data.0.id"), s.token, "")
	if got := key.at("data.audit.agent") + key.text("data.audit.authentication.type"); got != "absentoauth" {
		t.Errorf("audit = %s, want no agent and oauth", key.raw)
	}
}

func TestAuditsAreSummedByDay(t *testing.T) {
	s := newServer(t)
	id, token := audited(s)
	at := "/v2/accounts/" + id
	// usage that a client books, and that it takes back, counts without sign
	body := `{"data":{"amount":2,"source":{"service":"per-minute-voip","id":"%s"},"usage":{"type":"voice","quantity":%d,"unit":"sec"}}}`
	s.want(201, "PUT", at+"/ledgers/debit", s.token, fmt.Sprintf(body, "a", 300))
	s.clock.move(time.Minute)
	s.want(201, "PUT", at+"/ledgers/credit", s.token, fmt.Sprintf(body, "b", 60))
	stamp := func(day int, after time.Duration) int64 { return seconds(testClock.AddDate(0, 0, day).Add(after)) }
	second := fmt.Sprintf(`{"2026-11-22":{"addition":3,"last_timestamp":%d,"quantity":4,"removal":1,"sum_quantity":false}}`, stamp(1, time.Minute+time.Second))
	first := fmt.Sprintf(`{"2026-11-21":{"addition":2,"last_timestamp":%d,"quantity":2,"removal":0,"sum_quantity":false}}`, stamp(0, time.Second))
	usage := fmt.Sprintf(`[{"2026-11-23":{"last_timestamp":%d,"quantity":360,"sum_quantity":true,"unit":"sec"}}]`, stamp(2, 2*time.Minute+time.Second))
	for _, tt := range []struct{ name, path, want string }{
		{"all, oldest day first", "audit_summary", `{"handset":[` + first + `,` + second + `],"per-minute-voip":` + usage + `}`},
		{"the spelling of 5.x", "audit/summary", `{"handset":[` + first + `,` + second + `],"per-minute-voip":` + usage + `}`},
		{"one, newest day first", "audit_summary/handset", `[` + second + `,` + first + `]`},
		{"one in the spelling of 5.x", "audit/summary/handset", `[` + second + `,` + first + `]`},
		{"usage", "audit_summary/per-minute-voip", usage},
		{"a name nobody has", "audit_summary/sip_device", `[]`},
		{"before anything was", "audit_summary?created_to=63000000000", `{}`},
		{"a day alone, both ends included", fmt.Sprintf("audit_summary?created_from=%d&created_to=%d", stamp(0, time.Second), stamp(0, time.Second)), `{"handset":[` + first + `]}`},
		{"a year, when its end is given", fmt.Sprintf("audit_summary/handset?created_from=%d&created_to=%d", stamp(0, 0)-31_000_000, stamp(0, 2*time.Second)), `[` + first + `]`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := s.want(200, "GET", at+"/services/"+tt.path, token, "").at("data"); got != tt.want {
				t.Errorf("%s = %s\nwant %s", tt.path, got, tt.want)
			}
		})
	}
	for _, tt := range []struct {
		name, query, cause string
	}{
		{"two months, without an end", fmt.Sprintf("created_from=%d", stamp(-60, 0)), fmt.Sprint(stamp(-60, 0))},
		{"a second more than a year", fmt.Sprintf("created_from=%d&created_to=%d", stamp(0, 0)-31_536_001, stamp(0, 0)), fmt.Sprint(stamp(0, 0) - 31_536_001)},
		{"backwards", fmt.Sprintf("created_from=%d&created_to=%d", stamp(0, 0), stamp(0, 0)-1), fmt.Sprint(stamp(0, 0))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if r := s.want(400, "GET", at+"/services/audit_summary?"+tt.query, token, ""); r.text("data.created_from.date_range.cause") != tt.cause {
				t.Errorf("400 = %s, want date_range with cause %s", r.raw, tt.cause)
			}
		})
	}
	rows := s.want(200, "GET", at+"/services/audit_summary", token, "", "Accept", "text/csv").sheetOf(t)
	if got, want := strings.Join(rows[2], ",")+" "+strings.Join(rows[3], ","), fmt.Sprintf("handset,2026-11-22,3,1,4,,%d,false per-minute-voip,2026-11-23,0,0,360,sec,%d,true", stamp(1, time.Minute+time.Second), stamp(2, 2*time.Minute+time.Second)); got != want {
		t.Errorf("CSV = %s, want %s", got, want)
	}
	if rows := s.want(200, "GET", at+"/services/audit_summary/handset", token, "", "Accept", "text/csv").sheetOf(t); len(rows) != 3 {
		t.Errorf("CSV of one = %v, want two days", rows)
	}
}

// Pushing invoices again writes an audit each, which no day counts; what leaves the billable units alone
// is audited and counts on no day either.
func TestWhatIsAuditedAndWhatIsNot(t *testing.T) {
	s := newServer(t)
	id, token := s.tenant(s.master, "Northfield")
	at := "/v2/accounts/" + id
	p := s.plan(s.master, `{"name":"Phones","plan":{"devices":{"sip_device":{"rate":5,"minimum":3}}}}`)
	n := 0
	for _, tt := range []struct {
		name, method, path, body string
		more                     int    // audits that it makes
		kind                     string // of the newest
	}{
		{"a plan that bills a minimum", "POST", "/services/" + p, "", 1, "absent"},
		{"the same plan again", "POST", "/services/" + p, "", 0, ""},
		{"units below the minimum", "POST", "/services/manual", `{"data":{"devices":{"sip_device":2}}}`, 1, `["manual"]`},
		{"the same units again", "POST", "/services/manual", `{"data":{"devices":{"sip_device":2}}}`, 0, ""},
		{"an object of a category that no plan prices", "PUT", "/users", `{"data":{"first_name":"a","last_name":"b"}}`, 0, ""},
		{"an object behind a manual quantity", "PUT", "/devices", `{"data":{"name":"d"}}`, 0, ""},
		{"reconciliation without drift", "POST", "/services/reconciliation", "", 0, ""},
		{"synchronization", "POST", "/services/synchronization", `{"data":{}}`, 1, "absent"},
		{"the plan gone", "DELETE", "/services/" + p, "", 1, "absent"},
		{"synchronization without a plan", "POST", "/services/synchronization", "", 0, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status := 200
			if tt.method == "PUT" {
				status = 201
			}
			s.want(status, tt.method, at+tt.path, s.token, tt.body)
			r := s.want(200, "GET", at+"/services/audit", token, "")
			if n += tt.more; r.text("page_size") != fmt.Sprint(n) || tt.more > 0 && r.at("data.0.type") != tt.kind {
				t.Errorf("audits = %s, want %d, the newest of type %s", r.raw, n, tt.kind)
			}
		})
	}
	r := s.want(200, "GET", at+"/services/audit_summary/sip_device", token, "")
	if got := r.text("data.0.2026-11-21.addition") + r.text("data.0.2026-11-21.removal") + r.text("data.0.2026-11-21.quantity"); got != "330" {
		t.Errorf("day = %s, want 3 added, 3 removed, none left", r.raw)
	}
	s.sound()
}
