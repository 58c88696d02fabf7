package kazoo

import (
	"strings"
	"testing"
)

func TestServicesAreSpokenOfAsIn42(t *testing.T) {
	s := newServer(t)
	id, token := s.tenant(s.master, "Northfield")
	p := s.plan(s.master, `{"name":"Gold","description":"seats","plan":{"devices":{"sip_device":{"rate":2.5,"discounts":{"single":{"rate":1}}}}}}`)
	q := s.plan(s.master, `{"name":"Silver","plan":{}}`)
	at := "/v2/accounts/" + id + "/service_plans"
	s.want(403, "POST", at, token, `{"data":{"add":["`+p+`"]}}`)
	s.want(200, "POST", at, s.token, `{"data":{"add":["`+p+`","`+q+`"],"delete":["`+q+`x"]}}`)
	s.want(201, "PUT", "/v2/accounts/"+id+"/devices", s.token, `{"data":{"name":"d"}}`)
	if r := s.want(200, "GET", at, token, ""); r.at("data.0") != `{"description":"seats","id":"`+p+`","name":"Gold"}` || r.text("page_size") != "2" {
		t.Errorf("assigned = %s", r.raw)
	}
	r := s.want(200, "GET", at+"/current", token, "")
	if got, want := r.at("data.items"), `{"devices":{"sip_device":{"activation_charge":0,"category":"devices","cumulative_discount":0,"cumulative_discount_rate":0,"item":"sip_device","name":"devices/sip_device","quantity":1,"rate":2.5,"single_discount":true,"single_discount_rate":1}}}`; got != want {
		t.Errorf("items = %s, want %s", got, want)
	}
	for key, want := range map[string]string{"billing_id": `"` + id + `"`, "reseller": "false", "reseller_id": `"` + s.master + `"`, "dirty": "false",
		"in_good_standing": "true", "account_quantities": `{"devices":{"sip_device":1}}`, "cascade_quantities": "{}"} {
		if got := r.at("data." + key); got != want {
			t.Errorf("current %s = %s, want %s", key, got, want)
		}
	}
	if r := s.want(200, "GET", at+"/"+p, token, ""); r.text("data.name") != "Gold" {
		t.Errorf("one = %s", r.raw)
	}
	s.want(404, "GET", at+"/00000000000000000000000000000abc", token, "")
	if r := s.want(200, "GET", at+"/available/"+q, token, ""); r.text("data.name") != "Silver" {
		t.Errorf("available = %s", r.raw)
	}
	if r := s.want(200, "GET", at+"/available", token, ""); r.ids("name") != "Gold Silver" {
		t.Errorf("available = %s", r.raw)
	}
	s.want(200, "GET", "/v2/service_plans/editable", token, "")
	s.want(403, "POST", at+"/override", token, `{"data":{"overrides":{}}}`)
	r = s.want(200, "POST", at+"/override", s.token, `{"data":{"overrides":{"`+p+`":{"devices":{"sip_device":{"rate":7}}}}}}`)
	if r.text("data.devices.sip_device.rate") != "7" {
		t.Errorf("override = %s", r.raw)
	}
	s.want(404, "POST", at+"/override", s.token, `{"data":{"overrides":{"`+id+`":{}}}}`)
	if r := s.want(200, "GET", "/v2/accounts/"+id+"/services/summary", token, ""); r.text("data.invoices.0.summary.recurring") != "6" {
		t.Errorf("summary = %s, want 7 - 1", r.raw)
	}
	s.want(200, "DELETE", at+"/"+q, s.token, "")
	s.want(200, "POST", at+"/"+q, s.token, `{"data":{"id":"`+q+`"}}`)
	for _, verb := range []string{"reconciliation", "synchronization"} {
		s.want(403, "POST", at+"/"+verb, token, "")
		s.want(200, "POST", at+"/"+verb, s.token, "")
	}
	if r := s.want(200, "GET", at, token, "", "Accept", "text/csv"); !strings.HasPrefix(string(r.raw), "id,name,description,category\n"+p) {
		t.Errorf("CSV = %s", r.raw)
	}
}
