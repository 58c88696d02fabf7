package kazoo

import (
	"fmt"
	"testing"
	"time"
)

func (s *server) plan(vendor, doc string) string {
	s.t.Helper()
	return s.want(201, "PUT", "/v2/accounts/"+vendor+"/service_planner", s.token, `{"data":`+doc+`}`).text("data.id")
}

func TestPlansAreWrittenByWhoSellsThem(t *testing.T) {
	s := newServer(t)
	id, token := s.tenant(s.master, "Northfield")
	at := "/v2/accounts/" + s.master + "/service_planner"
	s.want(403, "PUT", "/v2/accounts/"+id+"/service_planner", token, `{"data":{"name":"a","plan":{}}}`)
	s.want(403, "GET", at, token, "")
	for field, body := range map[string]string{"name": `{"plan":{}}`, "plan": `{"name":"a"}`} {
		if r := s.want(400, "PUT", at, s.token, `{"data":`+body+`}`); r.at("data."+field+".required") == "absent" {
			t.Errorf("PUT %s = %s, want %s.required", body, r.raw, field)
		}
	}
	s.want(400, "PUT", at, s.token, `{"data":{"name":"a","plan":{"users":{"user":{"rate":"dear"}}}}}`)
	p := s.plan(s.master, `{"name":"Gold","plan":{"users":{"user":{"rate":1}}}}`)
	s.want(200, "PATCH", at+"/"+p, s.token, `{"data":{"description":"seats"}}`)
	if r := s.want(200, "GET", "/v2/accounts/"+id+"/services/available", token, ""); r.at("data") != `[{"description":"seats","id":"`+p+`","name":"Gold"}]` {
		t.Errorf("available = %s, want Gold", r.raw)
	}
	s.want(200, "DELETE", at+"/"+p, s.token, "")
	s.want(404, "GET", at+"/"+p, s.token, "")
	s.want(404, "POST", "/v2/accounts/"+id+"/services/"+p, s.token, "")
}

func TestOneUnknownPlanChangesNothing(t *testing.T) {
	s := newServer(t)
	id, token := s.tenant(s.master, "Northfield")
	p := s.plan(s.master, `{"name":"Gold","plan":{"users":{"user":{"rate":1}}}}`)
	at := "/v2/accounts/" + id + "/services"
	s.want(404, "POST", at, s.token, `{"data":{"add":["`+p+`","00000000000000000000000000000abc"]}}`)
	if got := s.want(200, "GET", at, token, "").at("data"); got != "{}" {
		t.Errorf("services = %s, want none", got)
	}
	s.want(200, "POST", at, s.token, `{"data":{"add":[{"id":"`+p+`","overrides":{"plan":{"users":{"user":{"rate":2}}}}}]}}`)
	s.want(200, "POST", at, s.token, `{"data":{"overrides":{"plan":{"users":{"user":{"minimum":3}}}}},"merge":true}`)
	r := s.want(200, "GET", at+"/summary", token, "")
	if got := r.text("data.invoices.0.summary.recurring") + " " + r.text("data.billing_cycle.next"); got != fmt.Sprint("6 ", seconds(time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC))) {
		t.Errorf("summary = %s, want 3 at 2, next on 1 December", r.raw)
	}
	s.want(400, "POST", at+"/overrides", s.token, `{"data":{"plan":{"users":{"user":{"rate":{}}}}}}`)
	if got := s.want(200, "POST", at, s.token, `{"data":{"delete":["`+p+`"]}}`).at("data"); got != "{}" {
		t.Errorf("after delete = %s, want none", got)
	}
	s.want(200, "DELETE", at+"/"+p, s.token, "") // not assigned, but there
}

func TestObjectsAreCountedUpTheTree(t *testing.T) {
	s := newServer(t)
	seller, sellerToken := s.tenant(s.master, "Seller")
	s.want(201, "PUT", "/v2/accounts/"+seller+"/reseller", s.token, `{"data":{}}`)
	id, token := s.tenant(seller, "Customer")
	p := s.plan(s.master, `{"name":"Cascade","plan":{"devices":{"_all":{"rate":2,"cascade":true}},"users":{"_all":{"rate":1,"cascade":true}}}}`)
	s.want(200, "POST", "/v2/accounts/"+seller+"/services/"+p, s.token, "")
	cascade := func() string {
		return s.want(200, "GET", "/v2/accounts/"+seller+"/services/summary", s.token, "").at("data.quantities.cascade")
	}
	s.want(402, "PUT", "/v2/accounts/"+id+"/devices", sellerToken, `{"data":{"name":"d"}}`)
	d := s.want(201, "PUT", "/v2/accounts/"+id+"/devices", token, `{"data":{"name":"d"}}`).text("data.id") // its own plan has no devices
	s.want(201, "PUT", "/v2/accounts/"+id+"/users", sellerToken, `{"data":{"first_name":"a","last_name":"b","priv_level":"admin","accept_charges":true}}`)
	if got, want := cascade(), `{"devices":{"sip_device":1},"users":{"admin":1}}`; got != want {
		t.Errorf("cascade = %s, want %s", got, want)
	}
	audits := s.want(200, "GET", "/v2/accounts/"+seller+"/services/audit", sellerToken, "")
	if got := audits.at("data.0.type") + audits.text("page_size"); got != `["cascade"]2` {
		t.Errorf("audits = %s, want two of type cascade", audits.raw)
	}
	one := s.want(200, "GET", "/v2/accounts/"+seller+"/services/audit/"+audits.text("data.0.id"), sellerToken, "")
	if got := one.text("data.audit.changes.account_id"); got != id {
		t.Errorf("change started at %s, want %s", got, id)
	}
	s.want(200, "PATCH", "/v2/accounts/"+id+"/devices/"+d, token, `{"data":{"enabled":false}}`)
	if got, want := cascade(), `{"users":{"admin":1}}`; got != want {
		t.Errorf("cascade without the device = %s, want %s", got, want)
	}
	s.want(402, "PATCH", "/v2/accounts/"+id+"/devices/"+d, sellerToken, `{"data":{"enabled":true}}`)
	s.want(200, "PATCH", "/v2/accounts/"+id+"/devices/"+d+"?accept_charges=true", sellerToken, `{"data":{"enabled":true}}`)
	s.want(200, "POST", "/v2/accounts/"+seller+"/services/reconciliation", s.token, "")
	if got, want := cascade(), `{"devices":{"sip_device":1},"users":{"admin":1}}`; got != want {
		t.Errorf("cascade counted anew = %s, want %s", got, want)
	}
	s.want(200, "DELETE", "/v2/accounts/"+id, s.token, "")
	if got := cascade(); got != "{}" {
		t.Errorf("cascade without the customer = %s, want none", got)
	}
}

func TestAnAccountThatDoesNotPayBuysNoMore(t *testing.T) {
	s := newServer(t)
	id, token := s.tenant(s.master, "Northfield")
	p := s.plan(s.master, `{"name":"Gold","plan":{"devices":{"sip_device":{"rate":2},"fax":{"rate":0}}}}`)
	at := "/v2/accounts/" + id
	s.want(200, "POST", at+"/services/"+p, s.token, "")
	s.want(403, "POST", at+"/services/status", token, `{"data":{"in_good_standing":true}}`)
	s.want(200, "POST", at+"/services/status", s.token, `{"data":{"in_good_standing":false,"reason":"card expired","reason_code":1001}}`)
	if got, want := s.want(200, "GET", at+"/services/status", token, "").at("data"), `{"billing_id":"`+id+`","in_good_standing":false,"reason":"card expired","reason_code":1001}`; got != want {
		t.Errorf("status = %s, want %s", got, want)
	}
	if r := s.want(402, "PUT", at+"/devices", token, `{"data":{"name":"d"},"accept_charges":true}`); r.text("message") != "billing_issue" {
		t.Errorf("PUT = %s, want billing_issue", r.raw)
	}
	s.want(201, "PUT", at+"/devices", token, `{"data":{"name":"d","device_type":"fax"},"accept_charges":true}`) // costs nothing
	if r := s.want(400, "POST", at+"/services", s.token, `{"data":{"billing_id":"nobody"}}`); r.text("message") != "invalid_billing_id" {
		t.Errorf("POST = %s, want invalid_billing_id", r.raw)
	}
	if r := s.want(200, "POST", at+"/services", s.token, `{"data":{"billing_id":"`+s.master+`"}}`); r.text("data.billing_id") != s.master || r.text("data.in_good_standing") != "true" {
		t.Errorf("POST = %s, want the master's standing", r.raw)
	}
	s.want(201, "PUT", at+"/devices", token, `{"data":{"name":"e"},"accept_charges":true}`)
}

func TestAQuoteSaysWhatLeavingRemoves(t *testing.T) {
	s := newServer(t)
	id, token := s.tenant(s.master, "Northfield")
	at := "/v2/accounts/" + id + "/services"
	if got := s.want(200, "POST", at+"/quote", token, `{"data":{}}`).at("data.invoices"); got != "[]" {
		t.Errorf("quote of nothing = %s, want []", got)
	}
	p := s.plan(s.master, `{"name":"Gold","plan":{"users":{"user":{"rate":1}}}}`)
	s.want(200, "POST", at+"/"+p, s.token, "")
	s.want(200, "POST", at+"/manual", s.token, `{"data":{"users":{"user":4}}}`)
	r := s.want(200, "POST", at+"/quote", token, `{"data":{}}`)
	if got := r.text("data.invoices.0.items.0.billable") + " " + r.at("data.invoices.0.items.0.changes"); got != `0 {"difference":{"billable":-4},"type":"modified"}` {
		t.Errorf("quote = %s, want 4 removed", got)
	}
	r = s.want(200, "POST", at+"/quote", token, `{"data":{"plans":["00000000000000000000000000000abc","`+p+`"],"overrides":{"plan":{"users":{"user":{"rate":3}}}}}}`)
	if got := r.text("data.invoices.0.summary.recurring"); got != "12" {
		t.Errorf("quote = %s, want 12", r.raw)
	}
	s.want(400, "POST", at+"/quote", token, `{"data":{"plans":[7]}}`)
	// nothing of a quote stays: no plan, no override, no audit, no charge
	before := []string{s.want(200, "GET", at+"/summary", token, "").at("data"), s.want(200, "GET", at+"/audit", token, "").at("data"), s.want(200, "GET", "/v2/accounts/"+id+"/ledgers/total", token, "").at("data")}
	dear := s.plan(s.master, `{"name":"Dear","plan":{"users":{"user":{"rate":100,"activation_charge":50}}}}`)
	first := s.want(200, "POST", at+"/quote", token, `{"data":{"add":[{"id":"`+dear+`","overrides":{"plan":{"users":{"user":{"minimum":9}}}}}],"delete":["`+p+`"]},"accept_charges":true}`)
	again := s.want(200, "POST", at+"/quote", token, `{"data":{"add":[{"id":"`+dear+`","overrides":{"plan":{"users":{"user":{"minimum":9}}}}}],"delete":["`+p+`"]}}`)
	if got := first.at("data.invoices.0.summary"); got != `{"recurring":900,"today":250}` || again.at("data") != first.at("data") {
		t.Errorf("quote = %s and again %s, want 900 and 250 twice", first.at("data"), again.at("data"))
	}
	for i, path := range []string{at + "/summary", at + "/audit", "/v2/accounts/" + id + "/ledgers/total"} {
		if got := s.want(200, "GET", path, token, "").at("data"); got != before[i] {
			t.Errorf("%s after quotes = %s, want %s", path, got, before[i])
		}
	}
	s.want(200, "POST", at+"/manual", s.token, `{"data":{}}`)
	if got := s.want(200, "GET", at+"/manual", s.token, "").at("data"); got != `{"users":{"user":4}}` {
		t.Errorf("manual after POST {} = %s, want unchanged", got)
	}
}

func TestLimitsCountTrunks(t *testing.T) {
	s := newServer(t)
	id, token := s.tenant(s.master, "Northfield")
	child, childToken := s.tenant(id, "Child")
	s.want(403, "POST", "/v2/accounts/"+child+"/limits", childToken, `{"data":{"inbound_trunks":1}}`)
	if r := s.want(400, "POST", "/v2/accounts/"+id+"/limits", token, `{"data":{"inbound_trunks":-4}}`); r.text("data.inbound_trunks.minimum.target") != "0" || r.text("data.inbound_trunks.minimum.value") != "-4" {
		t.Errorf("POST = %s, want minimum 0", r.raw)
	}
	r := s.want(200, "POST", "/v2/accounts/"+id+"/limits", token, `{"data":{"inbound_trunks":"5","allow_postpay":true}}`)
	if got, want := r.at("data"), `{"allow_postpay":false,"allow_prepay":true,"inbound_trunks":5,"max_postpay_amount":0,"outbound_trunks":0,"twoway_trunks":0}`; got != want {
		t.Errorf("limits = %s, want %s", got, want)
	}
	if got := s.want(200, "GET", "/v2/accounts/"+id+"/services/summary", token, "").at("data.quantities.account"); got != `{"limits":{"inbound_trunks":5}}` {
		t.Errorf("counted = %s, want 5 trunks", got)
	}
}
