package yeti

import (
	"strings"
	"testing"

	"billd/rating"
	"billd/storage"
)

func authDoc(customer, account, plan, attrs string, more ...string) string {
	return linked("customers-auths", attrs, append([]string{"customer:contractors:" + customer, "account:accounts:" + account, "rateplan:rateplans:" + plan}, more...)...)
}

func TestRulesOfCustomersAuths(t *testing.T) {
	r := newRig(t)
	con, other := r.contractor("Northfield"), r.contractor("Other")
	vendor, _ := r.carrier("Carrier")
	acc := r.account(con, "one", "")
	plan := r.create("/rateplans", `{"data":{"type":"rateplans","attributes":{"name":"standard"}}}`)
	id := r.create("/customers-auths", authDoc(con, acc, plan, `"name":"gw","external-id":7`))
	r.create("/customers-auths", authDoc(con, acc, plan, `"name":"typed","external-id":7,"external-type":"pbx"`))
	many := `"` + strings.Repeat(`1","`, 1000) + `2"`
	for _, tt := range []struct{ name, doc, want string }{
		{"nothing", `{"data":{"type":"customers-auths","attributes":{}}}`, "customer - must exist; account - must exist; rateplan - must exist; name - can't be blank"},
		{"records that are not there", authDoc("99", "99", "99", `"name":"x"`), "customer - must exist; account - must exist; rateplan - must exist"},
		{"somebody who is no customer", authDoc(vendor, acc, plan, `"name":"x"`), "customer - must exist"},
		{"another customer's account", authDoc(other, acc, plan, `"name":"x"`), "account - belongs to different customer"},
		{"what is taken", authDoc(con, acc, plan, `"name":"gw","external-id":7`), "name - has already been taken; external-id - has already been taken"},
		{"what is taken with a type", authDoc(con, acc, plan, `"name":"x","external-id":7,"external-type":"pbx"`), "external-id - has already been taken"},
		{"a type of no id", authDoc(con, acc, plan, `"name":"x","external-type":"pbx"`), "external-type - requires external_id"},
		{"no address", authDoc(con, acc, plan, `"name":"x","ip":[]`), "ip - can't be blank"},
		{"no address, null", authDoc(con, acc, plan, `"name":"x","ip":null`), "ip - can't be blank"},
		{"an address that is none", authDoc(con, acc, plan, `"name":"x","ip":["10.0.0.1","10.0.0.300"]`), "ip - is not valid"},
		{"blanks", authDoc(con, acc, plan, `"name":"x","ip":["10.0.0.1 "],"src-prefix":["4 8"],"dst-prefix":["4\t8"]`), "ip - spaces are not allowed; src-prefix - spaces are not allowed; dst-prefix - spaces are not allowed"},
		{"twice the same", authDoc(con, acc, plan, `"name":"x","dst-prefix":["48","48"]`), "dst-prefix - can't contain duplicated values"},
		{"too many", authDoc(con, acc, plan, `"name":"x","src-prefix":[`+many+`]`), "src-prefix - is too long (maximum is 1000 elements)"},
		{"bounds", authDoc(con, acc, plan, `"name":"x","capacity":32768,"cps-limit":0`), "capacity - must be less than or equal to 32767; cps-limit - must be greater than or equal to 0.01"},
		{"an attribute that is none", authDoc(con, acc, plan, `"name":"x","src-rewrite-rule":"x"`), ": src-rewrite-rule is not allowed."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := r.admin("POST", "/customers-auths", tt.doc).details(); got != tt.want {
				t.Errorf("details\n got %s\nwant %s", got, tt.want)
			}
		})
	}
	for name, want := range map[string]string{"enabled": "true", "ip": `["127.0.0.0/8"]`, "src-prefix": `[""]`, "dst-prefix": `[""]`, "check-account-balance": "true", "reject-calls": "false",
		"capacity": "null", "cps-limit": "null", "allow-receive-rate-limit": "false", "send-billing-information": "false", "external-id": "7", "external-type": "null"} {
		if a := r.admin("GET", "/customers-auths/"+id, ""); !strings.Contains(a.body, `"`+name+`":`+want+`,`) && !strings.Contains(a.body, `"`+name+`":`+want+`}`) {
			t.Errorf("default of %s is not %s: %s", name, want, a.body)
		}
	}
	// What a customers-auth names stays.
	for _, tt := range []struct{ name, method, path, doc, want string }{
		{"the account", "DELETE", "/accounts/" + acc, "", "data: Cannot delete record because dependent customers auths exist"},
		{"the contractor", "DELETE", "/contractors/" + con, "", "data: Cannot delete record because dependent customers auths exist"},
		{"the rate plan", "DELETE", "/rateplans/" + plan, "", "data: Cannot delete record because dependent customers auths exist"},
		{"the contractor's being a customer", "PATCH", "/contractors/" + con, `{"data":{"type":"contractors","id":` + con + `,"attributes":{"customer":false}}}`, "customer - Can't be disabled when contractor used at Customer auth"},
		{"a contractor with accounts only", "DELETE", "/contractors/" + vendor, "", "data: Cannot delete record because dependent accounts exist"},
		{"a contractor without accounts", "DELETE", "/contractors/" + other, "", "204 No Content "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := r.admin(tt.method, tt.path, tt.doc).details(); got != tt.want {
				t.Errorf("%s %s = %s, want %s", tt.method, tt.path, got, tt.want)
			}
		})
	}
	r.sound()
}

func TestListsOfCustomersAuths(t *testing.T) {
	r := newRig(t)
	con := r.contractor("Northfield")
	acc, second := r.account(con, "one", ""), r.account(con, "two", "")
	plan := r.create("/rateplans", `{"data":{"type":"rateplans","attributes":{"name":"standard"}}}`)
	ids := []string{
		r.create("/customers-auths", authDoc(con, acc, plan, `"name":"B","ip":"10.0.0.1, 10.0.1.0/24","cps-limit":2.5,"external-id":9`, "gateway:gateways:12", "routing-plan:routing-plans:4", "radius-auth-profile:radius-auth-profiles:5")),
		r.create("/customers-auths", authDoc(con, second, "1", `"name":"a","enabled":false,"capacity":5,"external-id":3,"external-type":"pbx","dst-prefix":["48","49"]`)),
		r.create("/customers-auths", authDoc(con, second, plan, `"name":"c","check-account-balance":false,"reject-calls":true`)),
	}
	for _, tt := range []struct{ name, query, want string }{
		{"in order of number", "", "~a,~b,~c of 3"},
		{"a page by name", "sort=name&page[size]=1&page[number]=2", "~b of 3"},
		{"by external id, null last", "sort=external-id", "~b,~a,~c of 3"},
		{"by names", "filter[name]=B,c", "~a,~c of 2"},
		{"by a part of the name", "filter[name_cont]=b", "~a of 1"},
		{"of an account", "filter[account.id]=" + second, "~b,~c of 2"},
		{"of accounts", "filter[account.id]=" + acc + "," + second, "~a,~b,~c of 3"},
		{"of a plan", "filter[rateplan.id]=" + plan, "~a,~c of 2"},
		{"of a customer", "filter[customer.id]=" + con, "~a,~b,~c of 3"},
		{"of a gateway", "filter[gateway.id]=12", "~a of 1"},
		{"of a routing plan", "filter[routing-plan.id]=4", "~a of 1"},
		{"of a profile that is none", "filter[radius_auth_profile.id]=6", " of 0"},
		{"off", "filter[enabled_eq]=false", "~b of 1"},
		{"that refuse", "filter[reject_calls_eq]=true", "~c of 1"},
		{"that ask for the balance", "filter[check_account_balance_eq]=true", "~a,~b of 2"},
		{"by capacity", "filter[capacity_gteq]=5", "~b of 1"},
		{"by calls per second", "filter[cps_limit_lt]=3", "~a of 1"},
		{"by external id and type", "filter[external_id_lt]=9&filter[external_type_eq]=pbx", "~b of 1"},
		{"lists have no operators", "filter[ip_eq]=10.0.0.1", "error 102"},
		{"lists do not sort", "sort=dst-prefix", "error 114"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got, want := r.admin("GET", "/customers-auths?"+brackets.Replace(named(tt.query, ids)), "").listed(t), named(tt.want, ids); got != want {
				t.Errorf("%s = %s, want %s", tt.query, got, want)
			}
		})
	}
	a := r.admin("GET", "/customers-auths/"+ids[0]+"?include=customer,account,rateplan&"+brackets.Replace("fields[customers-auths]=ip&fields[customer]=name"), "")
	if got, want := a.details(), ": customer is not a valid resource."; got != want {
		t.Errorf("fields of a type that is none = %s, want %s", got, want)
	}
	a = r.admin("GET", "/customers-auths/"+ids[0]+"?include=customer,account,rateplan&"+brackets.Replace("fields[customers-auths]=ip"), "")
	for _, want := range []string{`"attributes":{"ip":["10.0.0.1","10.0.1.0/24"]}`, `"type":"contractors"`, `"type":"accounts"`, `"type":"rateplans"`} {
		if !strings.Contains(a.body, want) {
			t.Errorf("show with includes lacks %s: %s", want, a.body)
		}
	}
	if a := r.admin("PATCH", "/customers-auths/"+ids[1]+"/relationships/rateplan", `{"data":{"type":"rateplans","id":`+plan+`}}`); a.StatusCode != 204 {
		t.Errorf("another plan = %d %s, want 204", a.StatusCode, a.body)
	}
	if got, want := r.admin("DELETE", "/customers-auths/"+ids[1]+"/relationships/rateplan", "").details(), "rateplan - must exist"; got != want {
		t.Errorf("no plan = %s, want %s", got, want)
	}
}

func TestACustomersAuthTellsWhoPaysAndByWhichPlan(t *testing.T) {
	r := newRig(t)
	con := r.contractor("Northfield")
	acc := r.account(con, "one", "")
	plan := r.create("/rateplans", `{"data":{"type":"rateplans","attributes":{"name":"standard"}}}`)
	group := r.create("/rate-groups", `{"data":{"type":"rate-groups","attributes":{"name":"retail"},"relationships":{"rateplans":{"data":[{"type":"rateplans","id":"`+plan+`"}]}}}}`)
	r.create("/destinations", linked("destinations", `"prefix":"48","initial-rate":"0.3","next-rate":"0.3"`, "rate-group:rate-groups:"+group))
	token := r.customer(con, "")
	if got, want := r.own(token, "/rateplans").listed(t), " of 0"; got != want {
		t.Errorf("rate plans of a customer without customers-auths = %s, want %s", got, want)
	}
	id := r.create("/customers-auths", authDoc(con, acc, plan, `"name":"gw","ip":["192.0.2.0/24"],"dst-prefix":["48"]`))
	call := r.dialled("48221", func(c *rating.Call) {
		c.SetText(rating.CDRAuthOrigIP, "192.0.2.7")
		c.SetText(rating.CDRSrcPrefixRouting, "4420")
	})
	for name, want := range map[string]string{"customer-price": `"0.3"`, "destination-prefix": `"48"`} {
		if got := r.attribute("/cdrs/"+call, name); got != want {
			t.Errorf("%s = %s, want %s", name, got, want)
		}
	}
	for rel, want := range map[string]string{"customer-auth": `{"data":{"type":"customers-auths","id":"` + id + `"}`, "customer-acc": `{"data":{"type":"accounts","id":"` + acc + `"}`,
		"customer": `{"data":{"type":"contractors","id":"` + con + `"}`, "rateplan": `{"data":{"type":"rateplans","id":"` + plan + `"}`} {
		if got := r.admin("GET", "/cdrs/"+call+"/relationships/"+rel, "").body; !strings.HasPrefix(got, want) {
			t.Errorf("%s = %s, want %s…", rel, got, want)
		}
	}
	if got, want := r.admin("GET", "/cdrs/"+call+"/customer-auth", "").body, `{"data":{"id":"`+id+`","type":"customers-auths"`; !strings.HasPrefix(got, want) {
		t.Errorf("the call's customers-auth = %s, want %s…", got, want)
	}
	if got, want := r.attribute("/accounts/"+acc, "balance"), `"-0.3"`; got != want {
		t.Errorf("balance = %s, want %s", got, want)
	}
	// The customer sees the plan that its calls are charged by, and its rates.
	uuid := ""
	r.must(r.db.View(t.Context(), func(tx *storage.Tx) error {
		p, err := tx.Plans.Get(number(t, plan))
		uuid = p.UUID.String()
		return err
	}))
	account := strings.Trim(r.attribute("/accounts/"+acc, "uuid"), `"`)
	for path, want := range map[string]string{"/rateplans": uuid + " of 1", "/rates?filter[account_id_eq]=" + uuid: " of 0"} {
		if got := r.own(token, brackets.Replace(path)).listed(t); got != want {
			t.Errorf("%s = %s, want %s", path, got, want)
		}
	}
	if got := r.own(token, brackets.Replace("/rates?filter[account_id_eq]="+account)).body; !strings.Contains(got, `"prefix":"48"`) || !strings.Contains(got, `"total-count":1}`) {
		t.Errorf("rates of the account = %s, want the plan's one", got)
	}
	if got, want := r.own(r.customer(r.contractor("Stranger"), ""), "/rateplans").listed(t), " of 0"; got != want {
		t.Errorf("rate plans of a stranger = %s, want %s", got, want)
	}
	if a := r.admin("DELETE", "/customers-auths/"+id, ""); a.StatusCode != 204 {
		t.Fatalf("delete = %d %s", a.StatusCode, a.body)
	}
	if got, want := r.admin("GET", "/cdrs/"+call+"/customer-auth", "").body, `{"data":null}`; got != want {
		t.Errorf("the call's customers-auth after it is gone = %s, want %s", got, want)
	}
	r.sound()
}

func TestTranscriptOfCustomersAuths(t *testing.T) {
	r := newRig(t)
	con := r.contractor("Northfield")
	acc := r.account(con, "one", "")
	const base = "/api/rest/admin/customers-auths"
	r.transcript("customers-auths.http", []exchange{
		{"create", "POST " + base + " HTTP/1.1", "", authDoc(con, acc, "1", `"name":"gw","ip":["192.0.2.0/24","2001:db8::1"],"dst-prefix":["48"],"cps-limit":2,"external-id":9`, "gateway:gateways:12", "routing-plan:routing-plans:4")},
		{"show", "GET " + base + "/1?include=account&fields[accounts]=name HTTP/1.1", "", ""},
		{"list", "GET " + base + "?filter[name]=gw&page[size]=1&fields[customers-auths]=name,ip HTTP/1.1", "", ""},
		{"every rule that a document breaks is reported", "PATCH " + base + "/1 HTTP/1.1", "", `{"data":{"type":"customers-auths","id":"1","attributes":{"name":"","ip":["x"],"external-id":null,"external-type":"pbx"},"relationships":{"account":{"data":{"type":"accounts","id":"1"}},"rateplan":{"data":null}}}}`},
		{"an update changes what it names", "PATCH " + base + "/1?fields[customers-auths]=enabled,src-prefix HTTP/1.1", "", `{"data":{"type":"customers-auths","id":"1","attributes":{"enabled":false,"src-prefix":"44,45"}}}`},
		{"an account that calls are charged to stays", "DELETE /api/rest/admin/accounts/" + acc + " HTTP/1.1", "", ""},
		{"delete", "DELETE " + base + "/1 HTTP/1.1", "", ""},
		{"what is deleted is not there", "GET " + base + "/1 HTTP/1.1", "", ""},
	})
}
