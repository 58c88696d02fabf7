package yeti

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"billd/server/auth"
)

// details lists the details of an errors document, or the whole of another answer.
func (a answer) details() string {
	var doc struct {
		Errors []struct {
			Detail string `json:"detail"`
			Source struct {
				Pointer string `json:"pointer"`
			} `json:"source"`
		} `json:"errors"`
	}
	if json.Unmarshal([]byte(a.body), &doc) != nil || len(doc.Errors) == 0 {
		return a.Status + " " + a.body
	}
	var all []string
	for _, e := range doc.Errors {
		where := e.Source.Pointer[strings.LastIndexByte(e.Source.Pointer, '/')+1:]
		if !strings.HasPrefix(e.Detail, where+" - ") {
			where += ": "
		} else {
			where = ""
		}
		all = append(all, where+e.Detail)
	}
	return strings.Join(all, "; ")
}

func TestRulesOfRecords(t *testing.T) {
	r := newRig(t)
	c := r.contractor("Northfield")
	a := r.account(c, "main", `,"external-id":7`)
	for _, tt := range []struct{ name, method, path, doc, want string }{
		{"an account without anything", "POST", "/accounts", `{"type":"accounts","attributes":{}}`, "contractor - must exist; name - can't be blank"},
		{"an account of a contractor who is not there", "POST", "/accounts", `{"type":"accounts","attributes":{"name":"n"},"relationships":{"contractor":{"data":{"type":"contractors","id":99}}}}`, "contractor - must exist"},
		{"an account whose name and external id are taken", "POST", "/accounts", `{"type":"accounts","attributes":{"name":"main","external-id":7},"relationships":{"contractor":{"data":{"type":"contractors","id":` + c + `}}}}`, "name - has already been taken; external-id - has already been taken"},
		{"limits that cross", "PATCH", "/accounts/" + a, `{"type":"accounts","id":"` + a + `","attributes":{"min-balance":10}}`, "max-balance - must be greater than or equal to 10.0"},
		{"limits that are null", "PATCH", "/accounts/" + a, `{"type":"accounts","id":"` + a + `","attributes":{"min-balance":null,"max-balance":null}}`, "min-balance - can't be blank; max-balance - can't be blank; max-balance - is not a number"},
		{"numbers that are not filled in", "PATCH", "/accounts/" + a, `{"type":"accounts","id":"` + a + `","attributes":{"name":"","min-balance":"","balance-low-threshold":" ","vat":""}}`, "name - can't be blank; min-balance - can't be blank; vat - can't be blank; vat - is not a number"},
		{"a contractor without anything", "POST", "/contractors", `{"type":"contractors","attributes":{}}`, "vendor - Must be customer and/or vendor; customer - Must be customer and/or vendor; name - can't be blank"},
		{"a contractor who has accounts", "DELETE", "/contractors/" + c, ``, "data: Cannot delete record because dependent accounts exist"},
		{"a contact without anything", "POST", "/contacts", `{"type":"contacts","attributes":{}}`, "email - can't be blank"},
		{"a contact of a contractor who is not there", "POST", "/contacts", `{"type":"contacts","attributes":{"email":"a@example.org"},"relationships":{"contractor":{"data":{"type":"contractors","id":99}}}}`, "contractor - must exist"},
		{"a payment without anything", "POST", "/payments", `{"type":"payments","attributes":{}}`, "account - must exist; amount - is not a number"},
		{"a payment of nothing", "POST", "/payments", `{"type":"payments","attributes":{"amount":"0.00"},"relationships":{"account":{"data":{"type":"accounts","id":` + a + `}}}}`, "amount - must be other than 0"},
		{"an access without anything", "POST", "/api-accesses", `{"type":"api-accesses","attributes":{}}`, "customer - must exist; login - can't be blank; password - can't be blank"},
		{"an access to somebody else's account", "POST", "/api-accesses", `{"type":"api-accesses","attributes":{"login":"l","password":"x","customer-id":` + c + `,"account-ids":[1],"allowed-ips":["10.0.0.300"]}}`, "allowed-ips - Allowed IP is not valid; data: Account should be connected with selected Customer"},
		{"a profit control mode that is not there", "POST", "/rateplans", `{"type":"rateplans","attributes":{"name":"p","profit-control-mode-id":3}}`, "profit-control-mode-id - is not included in the list"},
		{"a rate group that a plan lists", "DELETE", "/rate-groups/1", ``, "data: Rate Group used in Rate Plan configuration. You must unlink it first"},
		{"a rate group that is not there", "POST", "/rateplans", `{"type":"rateplans","attributes":{"name":"p"},"relationships":{"rate-groups":{"data":[{"type":"rate-groups","id":99}]}}}`, "rate-groups - must exist"},
		{"a balance that is no number", "PUT", "/accounts/7/balance", `{"type":"balances","id":7,"attributes":{"balance":"x"}}`, "balance - is not a number"},
		{"a balance that is null", "PUT", "/accounts/7/balance", `{"type":"balances","id":7,"attributes":{"balance":null}}`, "balance - is not a number"},
		{"a mail server without anything", "POST", "/smtp-connections", `{"type":"smtp-connections","attributes":{"from-address":"x"}}`, "name - can't be blank; host - can't be blank; from-address - is invalid"},
		{"linkage to nothing where something must be", "DELETE", "/accounts/" + a + "/relationships/contractor", ``, "contractor - must exist"},
		{"linkage cannot be added to a to-one", "POST", "/accounts/" + a + "/relationships/contractor", `{"type":"contractors","id":1}`, "404 Not Found "},
		{"payments cannot be deleted", "DELETE", "/payments/1", ``, "404 Not Found "},
		{"a balance cannot be read alone", "GET", "/accounts/7/balance", ``, "404 Not Found "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			doc := tt.doc
			if doc != "" {
				doc = `{"data":` + doc + `}`
			}
			if got := r.admin(tt.method, tt.path, doc).details(); got != tt.want {
				t.Errorf("%s %s %s\n got %s\nwant %s", tt.method, tt.path, doc, got, tt.want)
			}
		})
	}
}

// attribute reads one attribute of the record at path.
func (r *rig) attribute(path, name string) string {
	r.t.Helper()
	a := r.admin("GET", path, "")
	var doc struct {
		Data struct {
			Attributes map[string]json.RawMessage `json:"attributes"`
		} `json:"data"`
	}
	if err := json.Unmarshal([]byte(a.body), &doc); err != nil {
		r.t.Fatalf("%s: %v: %s", path, err, a.body)
	}
	return string(doc.Data.Attributes[name])
}

func TestMoneyMovesTheBalance(t *testing.T) {
	r := newRig(t)
	a := r.account(r.contractor("Northfield"), "main", `,"external-id":7`)
	steps := []struct{ name, method, path, doc, want string }{
		{"a payment adds", "POST", "/payments", `{"type":"payments","attributes":{"amount":"12.5"},"relationships":{"account":{"data":{"type":"accounts","id":` + a + `}}}}`, `"12.5"`},
		{"a correction adds", "PATCH", "/accounts/" + a + "/balance-correction", `{"type":"balance-correction","id":` + a + `,"attributes":{"correction":"-2.25"}}`, `"10.25"`},
		{"a correction that cannot be read changes nothing", "PATCH", "/accounts/" + a + "/balance-correction", `{"type":"balance-correction","id":` + a + `,"attributes":{"correction":"x"}}`, `"10.25"`},
		{"a balance replaces", "PUT", "/accounts/7/balance", `{"type":"balances","id":"7","attributes":{"balance":-21}}`, `"-21.0"`},
	}
	for _, s := range steps {
		if res := r.admin(s.method, s.path, `{"data":`+s.doc+`}`); res.StatusCode/100 != 2 {
			t.Fatalf("%s: %s %s", s.name, res.Status, res.body)
		}
		if got := r.attribute("/accounts/"+a, "balance"); got != s.want {
			t.Errorf("%s: balance = %s, want %s", s.name, got, s.want)
		}
	}
	if got := r.admin("DELETE", "/accounts/"+a, "").StatusCode; got != 422 {
		t.Errorf("deleting an account that owes = %d, want 422", got)
	}
}

func TestAContactOfNobodyIsTakenButNotShown(t *testing.T) {
	r := newRig(t)
	c := r.contractor("Northfield")
	shown := r.create("/contacts", `{"data":{"type":"contacts","attributes":{"email":"a@example.org"},"relationships":{"contractor":{"data":{"type":"contractors","id":`+c+`}}}}}`)
	hidden := r.create("/contacts", `{"data":{"type":"contacts","attributes":{"email":"b@example.org"}}}`)
	if res := r.admin("GET", "/contacts/"+hidden, ""); res.StatusCode != 404 {
		t.Errorf("GET = %s %s, want 404", res.Status, res.body)
	}
	if res := r.admin("GET", "/contacts", ""); !strings.Contains(string(res.body), `"id":"`+shown+`"`) || !strings.Contains(string(res.body), `"total-count":1`) {
		t.Errorf("list = %s, want contact %s alone", res.body, shown)
	}
	r.sound()
}

func TestDeletingAContactTakesItOutOfAccounts(t *testing.T) {
	r := newRig(t)
	c := r.contractor("Northfield")
	p := r.create("/contacts", `{"data":{"type":"contacts","attributes":{"email":"a@example.org"},"relationships":{"contractor":{"data":{"type":"contractors","id":`+c+`}}}}}`)
	a := r.account(c, "main", `,"send-invoices-to":[`+p+`,5]`)
	if res := r.admin("DELETE", "/contacts/"+p, ""); res.StatusCode != 204 {
		t.Fatalf("delete = %s", res.Status)
	}
	if got, want := r.attribute("/accounts/"+a, "send-invoices-to"), "[5]"; got != want {
		t.Errorf("send-invoices-to = %s, want %s", got, want)
	}
}

func TestAContractorGoesOnceItsAccountsAreClosed(t *testing.T) {
	r := newRig(t)
	c := r.contractor("Northfield")
	a := r.account(c, "main", "")
	for _, path := range []string{"/accounts/" + a, "/contractors/" + c} {
		if res := r.admin("DELETE", path, ""); res.StatusCode != 204 {
			t.Errorf("DELETE %s = %s %s", path, res.Status, res.body)
		}
	}
	clean(t, r.db)
}

func TestATimeZoneIsOneSegment(t *testing.T) {
	r := newRig(t)
	for _, path := range []string{"/timezones/Europe%2FKyiv", "/timezones/Europe%2FKyiv/", "/timezones/Europe%2FKyiv.json"} {
		if got, want := r.admin("GET", path, "").body, `{"data":{"id":"Europe/Kyiv","type":"timezones","attributes":{"name":"Europe/Kyiv"}}}`; got != want {
			t.Errorf("%s = %s, want %s", path, got, want)
		}
	}
	for _, name := range zoneNames {
		if _, err := time.LoadLocation(name); err != nil {
			t.Errorf("%v", err)
		}
	}
}

func TestTokensOpenTheirOwnAPIUntilThePasswordChanges(t *testing.T) {
	r := newRig(t)
	id := r.create("/api-accesses", `{"data":{"type":"api-accesses","attributes":{"customer-id":1,"login":"north","password":"`+testPassword+`"}}}`)
	signIn := func(password string) answer {
		return r.do("POST", CustomerBase+"/auth", `{"auth":{"login":"north","password":"`+password+`"}}`, map[string]string{"Content-Type": "application/json", "Authorization": ""})
	}
	var got struct {
		JWT string `json:"jwt"`
	}
	r.must(json.Unmarshal([]byte(signIn(testPassword).body), &got))
	session := func(h map[string]string) int { return r.do("GET", CustomerBase+"/auth", "", h).StatusCode }
	for _, tt := range []struct {
		name string
		head map[string]string
		want int
	}{
		{"the token", map[string]string{"Authorization": "Bearer " + got.JWT}, 200},
		{"the cookie", map[string]string{"Authorization": "", "Cookie": auth.SessionCookie + "=" + got.JWT}, 200},
		{"a bad header beside a good cookie", map[string]string{"Authorization": "x", "Cookie": auth.SessionCookie + "=" + got.JWT}, 401},
		{"an operator's token", map[string]string{"Authorization": r.token}, 401},
	} {
		if n := session(tt.head); n != tt.want {
			t.Errorf("%s = %d, want %d", tt.name, n, tt.want)
		}
	}
	if n := r.do("GET", AdminBase+"/accounts", "", map[string]string{"Authorization": got.JWT}); n.StatusCode != 401 || n.body != "" {
		t.Errorf("a customer's token on the admin API = %d %q, want an empty 401", n.StatusCode, n.body)
	}
	r.wait(time.Second)
	if res := r.admin("PATCH", "/api-accesses/"+id, `{"data":{"type":"api-accesses","id":`+id+`,"attributes":{"password":"another one"}}}`); res.StatusCode != 200 || strings.Contains(res.body, "password") {
		t.Fatalf("a new password = %s %s", res.Status, res.body)
	}
	if n := session(map[string]string{"Authorization": got.JWT}); n != 401 {
		t.Errorf("the old token = %d, want 401", n)
	}
	if n := signIn(testPassword).StatusCode; n != 401 {
		t.Errorf("the old password = %d, want 401", n)
	}
	if n := signIn("another one").StatusCode; n != 201 {
		t.Errorf("the new password = %d, want 201", n)
	}
}

func TestGuessingIsSlowedDown(t *testing.T) {
	r := newRig(t)
	guess := func() answer {
		return r.do("POST", AdminBase+"/auth", `{"auth":{"username":"admin","password":"guess"}}`, map[string]string{"Content-Type": "application/json"})
	}
	for range 10 {
		if n := guess().StatusCode; n != 401 {
			t.Fatalf("a wrong password = %d, want 401", n)
		}
	}
	if a := guess(); a.StatusCode != 429 || a.Header.Get("Retry-After") == "" {
		t.Errorf("the eleventh = %d, Retry-After %q, want 429 and a time", a.StatusCode, a.Header.Get("Retry-After"))
	}
}
