package yeti

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func tokenDoc(customer, attrs, rels string) string {
	return `{"data":{"type":"customer-tokens","attributes":{` + attrs + `},"relationships":{"customer":{"data":{"type":"contractors","id":"` + customer + `"}}` + rels + `}}}`
}

// dynamic asks for a customer's token.
func (r *rig) dynamic(doc string) string {
	r.t.Helper()
	a := r.admin("POST", "/customer-tokens", doc)
	var got struct {
		Data struct {
			Attributes struct {
				Token string `json:"token"`
			} `json:"attributes"`
		} `json:"data"`
	}
	if r.must(json.Unmarshal([]byte(a.body), &got)); a.StatusCode != 201 || got.Data.Attributes.Token == "" {
		r.t.Fatalf("customer token = %d %s", a.StatusCode, a.body)
	}
	return got.Data.Attributes.Token
}

func TestRulesOfCustomerTokens(t *testing.T) {
	r := newRig(t)
	con, other := r.contractor("Northfield"), r.contractor("Other")
	foreign := r.account(other, "foreign", "")
	for _, tt := range []struct{ name, doc, want string }{
		{"nothing", `{"data":{"type":"customer-tokens"}}`, "customer - can't be blank"},
		{"a customer who is not there, and wrong attributes", tokenDoc("99", `"allowed-ips":["x"],"customer-portal-access-profile-id":2`, ""), "customer - can't be blank; allowed-ips - Allowed IP is not valid; customer-portal-access-profile - can't be blank"},
		{"another customer's account", tokenDoc(con, "", `,"accounts":{"data":[{"type":"accounts","id":"`+foreign+`"}]}`), "data: Account should be connected with selected Customer"},
		{"an attribute that is not written", tokenDoc(con, `"token":"x"`, ""), ": token is not allowed."},
		{"an attribute of January", tokenDoc(con, `"allow-listen-recording":true`, ""), ": allow-listen-recording is not allowed."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := r.admin("POST", "/customer-tokens", tt.doc).details(); got != tt.want {
				t.Errorf("details\n got %s\nwant %s", got, tt.want)
			}
		})
	}
	for _, line := range []string{"GET /customer-tokens", "GET /customer-tokens/" + con, "DELETE /customer-tokens/" + con, "GET /customer-tokens/" + con + "/customer"} {
		method, path, _ := strings.Cut(line, " ")
		if a := r.admin(method, path, ""); a.StatusCode != 404 || a.body != "" {
			t.Errorf("%s = %d %q, want an empty 404", line, a.StatusCode, a.body)
		}
	}
}

func TestADynamicTokenCarriesItsOwnRules(t *testing.T) {
	r := newRig(t)
	con := r.contractor("Northfield")
	r.account(con, "one", "")
	two := r.account(con, "two", "")
	r.account(r.contractor("Stranger"), "theirs", "")
	names := func(token string) string {
		t.Helper()
		a := r.own(token, "/accounts?sort=name&"+brackets.Replace("fields[accounts]=name"))
		if a.StatusCode != 200 {
			return a.details()
		}
		var all []string
		for _, part := range strings.Split(a.body, `"name":"`)[1:] {
			all = append(all, part[:strings.IndexByte(part, '"')])
		}
		return strings.Join(all, ",")
	}
	const refused = ": Authorization token expired or incorrect."
	all := r.dynamic(tokenDoc(con, "", ""))
	for _, tt := range []struct{ name, token, want string }{
		{"all accounts of the customer", all, "one,two"},
		{"some accounts", r.dynamic(tokenDoc(con, "", `,"accounts":{"data":[{"type":"accounts","id":"`+two+`"},{"type":"accounts","id":"`+two+`"}]}`)), "two"},
		{"from an address that is allowed", r.dynamic(tokenDoc(con, `"allowed-ips":["10.0.0.0/8","127.0.0.1"]`, "")), "one,two"},
		{"from an address that is not", r.dynamic(tokenDoc(con, `"allowed-ips":["10.0.0.0/8"]`, "")), refused},
		{"with what a switch reads", r.dynamic(tokenDoc(con, "", `,"provision-gateway":{"data":{"type":"gateways","id":"5"}},"allow-outgoing-numberlists":{"data":[{"type":"numberlists","id":"3"}]}`)), "one,two"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := names(tt.token); got != tt.want {
				t.Errorf("accounts = %s, want %s", got, tt.want)
			}
		})
	}
	if got := r.do("GET", AdminBase+"/accounts", "", map[string]string{"Authorization": all}); got.StatusCode != 401 || got.body != "" {
		t.Errorf("on the admin API = %d %q, want an empty 401", got.StatusCode, got.body)
	}
	r.wait(11 * time.Minute)
	if got := names(all); got != refused {
		t.Errorf("after ten minutes = %s, want %s", got, refused)
	}
}

func TestTranscriptOfCustomerTokens(t *testing.T) {
	r := newRig(t)
	con := r.contractor("Northfield")
	const base = "/api/rest/admin/customer-tokens"
	r.transcript("customer-tokens.http", []exchange{
		{"create", "POST " + base + " HTTP/1.1", "", tokenDoc(con, `"allowed-ips":["127.0.0.1"]`, "")},
		{"a customer is named", "POST " + base + " HTTP/1.1", "", `{"data":{"type":"customer-tokens","attributes":{}}}`},
		{"there is no list", "GET " + base + " HTTP/1.1", "", ""},
	})
}

func TestTranscriptOfInvoiceTemplates(t *testing.T) {
	r := newRig(t)
	con := r.contractor("Northfield")
	r.account(con, "one", "")
	const base = "/api/rest/admin/invoice-template"
	doc := func(attrs string) string { return `{"data":{"type":"invoice-templates","attributes":{` + attrs + `}}}` }
	r.transcript("invoice-templates.http", []exchange{
		{"create", "POST " + base + " HTTP/1.1", "", doc(`"name":"plain","filename":"plain.odt"`)},
		{"a name and a document are wanted", "POST " + base + " HTTP/1.1", "", doc(``)},
		{"names are not shared", "POST " + base + " HTTP/1.1", "", doc(`"name":"plain","filename":"plain.pdf"`)},
		{"list", "GET " + base + "?filter[name_cont]=PL&filter[filename_end]=.odt&sort=-filename HTTP/1.1", "", ""},
		{"show, at the path that links say (quirk Q1)", "GET " + base + "s/1 HTTP/1.1", "", ""},
		{"update", "PATCH " + base + "/1 HTTP/1.1", "", `{"data":{"type":"invoice-templates","id":"1","attributes":{"filename":"new.odt"}}}`},
		{"an account names it", "PATCH /api/rest/admin/accounts/2?include=invoice-template&fields[accounts]=invoice-template HTTP/1.1", "", `{"data":{"type":"accounts","id":"2","relationships":{"invoice-template":{"data":{"type":"invoice-templates","id":"1"}}}}}`},
		{"accounts that name it", "GET /api/rest/admin/accounts?filter[invoice_template.id]=1&fields[accounts]=name HTTP/1.1", "", ""},
		{"one that is not there may be named", "PATCH /api/rest/admin/accounts/2/relationships/invoice-template HTTP/1.1", "", `{"data":{"type":"invoice-templates","id":"99"}}`},
		{"and leads nowhere", "GET /api/rest/admin/accounts/2/invoice-template HTTP/1.1", "", ""},
		{"delete", "DELETE " + base + "/1 HTTP/1.1", "", ""},
		{"what is deleted is not there", "GET " + base + "/1 HTTP/1.1", "", ""},
	})
}
