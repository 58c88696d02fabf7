package kazoo

import (
	"strings"
	"testing"
)

func TestNumbersHaveClasses(t *testing.T) {
	for number, want := range map[string]string{
		"8005551234": "tollfree_us", "+18335551234": "tollfree_us", "+18815551234": "tollfree_us", "19005551234": "toll_us", "911": "emergency",
		"833": "emergency", "+18765551234": "caribbean", "4155550100": "did_us", "1 (415) 555-0100": "did_us", "+442071838750": "international",
		"00442071838750": "international", "+1155": "unknown", "1234": "unknown",
	} {
		n, ok := normalNumber(number)
		if got := classify(n).name; !ok || got != want {
			t.Errorf("class of %s (%s, %v) = %s, want %s", number, n, ok, got, want)
		}
	}
	for _, bad := range []string{"", "x", "+", strings.Repeat("1", 40), "+44x20"} {
		if n, ok := normalNumber(bad); ok {
			t.Errorf("normalNumber(%q) = %s, want none", bad, n)
		}
	}
}

// counted returns what an account's services count.
func (s *server) counted(id string) string {
	return s.want(200, "GET", "/v2/accounts/"+id+"/services/summary", s.token, "").at("data.quantities.account")
}

func TestNumbersAreCountedByClassCarrierAndFeature(t *testing.T) {
	s := newServer(t)
	id, token := s.tenant(s.master, "Northfield")
	other, _ := s.tenant(s.master, "Southfield")
	at := "/v2/accounts/" + id + "/phone_numbers"
	r := s.want(201, "PUT", at+"/4155550100", s.token, `{"data":{"e911":{"street_address":"1 Main","locality":"X","region":"CA","postal_code":"94000"},"_number":"+1","note":"n"}}`)
	if got := r.text("data.id") + " " + r.text("data.state") + " " + r.at("data.features") + " " + r.text("data.assigned_to") + " " + r.text("data.note"); got != "+14155550100 reserved [\"e911\"] "+id+" n" {
		t.Errorf("number = %s", r.raw)
	}
	s.want(201, "PUT", at+"/%2B18005551234/activate", s.token, `{"data":{}}`)
	s.want(201, "PUT", at+"/%2B14155550199", s.token, `{"data":{"carrier_name":"knm_local"}}`)
	if got, want := s.counted(id), `{"number_carriers":{"knm_inventory":2,"knm_local":1},"number_services":{"e911":1,"local":1},"phone_numbers":{"did_us":1,"tollfree_us":1}}`; got != want {
		t.Errorf("counted %s, want %s", got, want)
	}
	list := s.want(200, "GET", at, token, "")
	if list.text("page_size") != "3" || list.text("data.numbers.+18005551234.state") != "in_service" {
		t.Errorf("list = %s, want three numbers", list.raw)
	}
	if r := s.want(200, "GET", at+"?filter_state=in_service", token, ""); r.text("page_size") != "1" {
		t.Errorf("in service = %s, want one", r.raw)
	}
	if r := s.call("PUT", "/v2/accounts/"+other+"/phone_numbers/%2B14155550100", s.token, ""); r.status != 409 || r.text("message") != "number_exists" || r.text("data.cause") != "+14155550100" {
		t.Errorf("another account's number = %d %s, want 409 number_exists", r.status, r.raw)
	}
	s.want(404, "GET", "/v2/accounts/"+other+"/phone_numbers/%2B14155550100", s.token, "")
	if r := s.want(404, "POST", at+"/%2B14155550111", s.token, `{"data":{}}`); r.text("data.not_found") == "absent" {
		t.Errorf("a number nobody has = %s", r.raw)
	}
	s.want(400, "PUT", at+"/nonsense", s.token, `{"data":{}}`)
	if r := s.want(400, "PUT", at+"/%2B14155550111", s.token, `{"data":{"e911":{"locality":"X"},"cnam":{"display_name":"much too long a name"}}}`); r.at("data.e911.street_address.required") == "absent" && r.at("data.e911\\.street_address") == "absent" && !strings.Contains(string(r.raw), "e911.street_address") {
		t.Errorf("bad features = %s", r.raw)
	}
	s.want(200, "PATCH", at+"/%2B14155550100", s.token, `{"data":{"e911":null,"used_by":"callflow"}}`)
	if r := s.want(200, "GET", at+"/%2B14155550100/identify", token, ""); r.text("data.account_id") != id {
		t.Errorf("identify = %s", r.raw)
	}
	s.want(200, "DELETE", at+"/%2B18005551234", token, "")
	if got, want := s.counted(id), `{"number_carriers":{"knm_inventory":1,"knm_local":1},"number_services":{"local":1},"phone_numbers":{"did_us":1}}`; got != want {
		t.Errorf("counted %s, want %s", got, want)
	}
	s.want(200, "DELETE", "/v2/accounts/"+id, s.token, "")
	s.want(201, "PUT", "/v2/accounts/"+other+"/phone_numbers/%2B14155550100", s.token, "") // free again
}

func TestNumbersComeInCollections(t *testing.T) {
	s := newServer(t)
	id, token := s.tenant(s.master, "Northfield")
	other, _ := s.tenant(s.master, "Southfield")
	p := s.plan(s.master, `{"name":"Numbers","plan":{"phone_numbers":{"did_us":{"rate":1,"activation_charge":2}}}}`)
	s.want(200, "POST", "/v2/accounts/"+id+"/services/"+p, s.token, "")
	s.want(201, "PUT", "/v2/accounts/"+other+"/phone_numbers/4155550103", s.token, "")
	at := "/v2/accounts/" + id + "/phone_numbers/collection"
	body := `"numbers":["4155550101","+14155550102","4155550101","4155550103","junk"]`
	r := s.want(402, "PUT", at, token, `{"data":{`+body+`}}`)
	if got := r.text("data.0.summary.today") + " " + r.text("data.0.items.0.billable"); got != "4 2" {
		t.Errorf("consent = %s, want two numbers activated", r.raw)
	}
	r = s.want(201, "PUT", at, token, `{"data":{`+body+`,"used_by":"x"},"accept_charges":true}`)
	if r.text("data.success.+14155550101.used_by") != "x" || r.text("data.success.+14155550102.state") != "reserved" || r.text("data.error.+14155550103.error") != "number_exists" || r.at("data.error.junk") == "absent" {
		t.Errorf("collection = %s", r.raw)
	}
	r = s.want(201, "PUT", at+"/activate", token, `{"data":{"numbers":["4155550101"]}}`)
	if r.text("data.success.+14155550101.state") != "in_service" {
		t.Errorf("activate = %s", r.raw)
	}
	if r := s.want(200, "POST", "/v2/accounts/"+id+"/phone_numbers/check", token, `{"data":{"numbers":["4155550101","4155550109","y"]}}`); r.at("data") != `{"+14155550101":"error","+14155550109":"success","y":"error"}` {
		t.Errorf("check = %s", r.raw)
	}
	s.want(400, "POST", at, token, `{"data":{"numbers":["4155550108"]}}`)
	s.want(400, "PUT", at, token, `{"data":{"numbers":7}}`)
	r = s.want(200, "DELETE", at, token, `{"data":{"numbers":["4155550101","4155550102","4155550108"]}}`)
	if r.at("data.success.+14155550101") == "absent" || r.at("data.error.+14155550108") == "absent" || s.counted(id) != "{}" {
		t.Errorf("delete = %s, counted %s", r.raw, s.counted(id))
	}
	if r := s.want(200, "GET", "/v2/phone_numbers/classifiers/4158867900", token, ""); r.text("data.name") != "did_us" || r.text("data.e164") != "+14158867900" {
		t.Errorf("classifier = %s", r.raw)
	}
	if r := s.want(200, "GET", "/v2/accounts/"+id+"/phone_numbers/classifiers", token, ""); r.at("data.caribbean.regex") == "absent" {
		t.Errorf("classifiers = %s", r.raw)
	}
}

func TestAUserLogsInByAPhoneNumber(t *testing.T) {
	s := newServer(t)
	id, _ := s.tenant(s.master, "Northfield")
	s.want(201, "PUT", "/v2/accounts/"+id+"/phone_numbers/4155550101", s.token, "")
	s.want(201, "PUT", "/v2/accounts/"+id+"/users", s.token, `{"data":{"first_name":"a","last_name":"b","username":"ines","password":"secret-word"}}`)
	body := func(number string) string {
		return `{"data":{"credentials":"` + md5Hex("ines:secret-word") + `","phone_number":"` + number + `"}}`
	}
	if r := s.want(201, "PUT", "/v2/user_auth", "", body("4155550101")); r.text("data.account_id") != id {
		t.Errorf("login = %s", r.raw)
	}
	s.want(401, "PUT", "/v2/user_auth", "", body("4155550102"))
}

func TestAPortRequestGoesFromStateToState(t *testing.T) {
	s := newServer(t)
	id, token := s.tenant(s.master, "Northfield")
	at := "/v2/accounts/" + id + "/port_requests"
	if r := s.want(400, "PUT", at, token, `{"data":{"name":"x"}}`); r.at("data.numbers.required") == "absent" {
		t.Errorf("no numbers = %s", r.raw)
	}
	s.want(400, "PUT", at, token, `{"data":{"name":"x","numbers":{"nope":{}}}}`)
	r := s.want(201, "PUT", at, token, `{"data":{"name":"x","port_state":"completed","numbers":{"2025559000":{},"2025559001":{}}}}`)
	one := at + "/" + r.text("data.id")
	if r.text("data.port_state") != "unconfirmed" || s.counted(id) != `{"port_request":{"first_unconfirmed":2}}` {
		t.Errorf("request = %s, counted %s", r.raw, s.counted(id))
	}
	if r := s.want(400, "PATCH", one+"/scheduled", s.token, ""); r.at("data.port_state.enum") == "absent" {
		t.Errorf("a move that skips = %s", r.raw)
	}
	s.want(200, "PATCH", one+"/submitted", token, "")
	s.want(403, "PATCH", one+"/rejected", token, "")
	s.want(200, "PATCH", one+"/rejected", s.token, "")
	s.want(200, "PATCH", one+"/submitted", token, "")
	if got := s.counted(id); got != `{"port_request":{"submitted":2}}` {
		t.Errorf("counted %s, want it submitted again", got)
	}
	s.want(200, "POST", one, token, `{"data":{"name":"y","numbers":{"2025559000":{}}}}`)
	if r := s.want(200, "GET", at+"/submitted", token, ""); r.text("data.0.name") != "y" || r.at("data.0.numbers") != `{"+12025559000":{}}` {
		t.Errorf("submitted = %s", r.raw)
	}
	s.want(200, "PATCH", one+"/pending", s.token, "")
	s.want(200, "PATCH", one+"/completed", s.token, "")
	if got, want := s.counted(id), `{"number_carriers":{"knm_inventory":1},"phone_numbers":{"did_us":1},"port_request":{"first_completed":1}}`; got != want {
		t.Errorf("counted %s, want %s", got, want)
	}
	if r := s.want(200, "GET", "/v2/accounts/"+id+"/phone_numbers/2025559000", token, ""); r.text("data.state") != "in_service" {
		t.Errorf("ported number = %s", r.raw)
	}
	s.want(404, "PATCH", one+"/unconfirmed", s.token, "")
}

func TestAddressesAreAssignedAndCounted(t *testing.T) {
	s := newServer(t)
	id, token := s.tenant(s.master, "Northfield")
	other, otherToken := s.tenant(s.master, "Southfield")
	s.want(403, "PUT", "/v2/ips", token, `{"data":{"ip":"192.0.2.1","zone":"z","host":"h"}}`)
	s.want(400, "PUT", "/v2/ips", s.token, `{"data":{"ip":"300.0.2.1","zone":"z","host":"h"}}`)
	s.want(201, "PUT", "/v2/ips", s.token, `{"data":{"ip":"192.0.2.1","zone":"east","host":"h1"}}`)
	s.want(201, "PUT", "/v2/ips", s.token, `{"data":{"ip":"192.0.2.2","zone":"west","host":"h2"}}`)
	s.want(409, "PUT", "/v2/ips", s.token, `{"data":{"ip":"192.0.2.2","zone":"west","host":"h2"}}`)
	at := "/v2/accounts/" + id + "/ips"
	if r := s.want(200, "GET", at+"?zone=east", token, ""); r.at("data") != `[{"ip":"192.0.2.1","zone":"east"}]` {
		t.Errorf("free = %s", r.raw)
	}
	s.want(404, "POST", at, token, `{"data":["192.0.2.1","192.0.2.9"]}`)
	if r := s.want(200, "POST", at, token, `{"data":["192.0.2.1"]}`); r.text("data.0.assigned_to") != id || r.text("data.0.status") != "assigned" {
		t.Errorf("assigned = %s", r.raw)
	}
	s.want(200, "POST", at+"/192.0.2.2", token, `{"data":{}}`)
	if got := s.counted(id); got != `{"ips":{"dedicated":2}}` {
		t.Errorf("counted %s", got)
	}
	s.want(409, "POST", "/v2/accounts/"+other+"/ips/192.0.2.2", otherToken, `{"data":{}}`)
	s.want(404, "GET", "/v2/accounts/"+other+"/ips/192.0.2.2", otherToken, "")
	if r := s.want(200, "GET", at+"/zones", token, ""); r.at("data") != `["east","west"]` {
		t.Errorf("zones = %s", r.raw)
	}
	s.want(409, "DELETE", "/v2/ips/192.0.2.2", s.token, "")
	if r := s.want(200, "DELETE", at+"/192.0.2.2", token, ""); r.text("data.status") != "available" {
		t.Errorf("released = %s", r.raw)
	}
	s.want(200, "DELETE", "/v2/ips/192.0.2.2", s.token, "")
	if r := s.want(200, "GET", at+"/assigned", token, ""); r.ids("ip") != "192.0.2.1" || s.counted(id) != `{"ips":{"dedicated":1}}` {
		t.Errorf("assigned = %s", r.raw)
	}
}

func TestABrandIsOneAccounts(t *testing.T) {
	s := newServer(t)
	id, token := s.tenant(s.master, "Northfield")
	other, _ := s.tenant(s.master, "Southfield")
	at := "/v2/accounts/" + id + "/whitelabel"
	s.want(404, "GET", at, token, "")
	s.want(400, "PUT", at, token, `{"data":{}}`)
	s.want(201, "PUT", at, token, `{"data":{"domain":"Voice.example","company_name":"N"}}`)
	s.want(409, "PUT", at, token, `{"data":{"domain":"voice.example"}}`)
	if r := s.want(400, "PUT", "/v2/accounts/"+other+"/whitelabel", s.token, `{"data":{"domain":"voice.EXAMPLE"}}`); r.at("data.domain.unique") == "absent" {
		t.Errorf("another's domain = %s", r.raw)
	}
	if got := s.counted(id); got != `{"branding":{"whitelabel":1}}` {
		t.Errorf("counted %s", got)
	}
	s.want(200, "PATCH", at, token, `{"data":{"domain":"phones.example"}}`)
	if r := s.want(200, "GET", "/v2/whitelabel/phones.example", "", ""); r.text("data.company_name") != "N" {
		t.Errorf("by domain = %s", r.raw)
	}
	s.want(404, "GET", "/v2/whitelabel/voice.example", "", "")
	s.want(200, "DELETE", at, token, "")
	if got := s.counted(id); got != "{}" {
		t.Errorf("counted %s, want nothing", got)
	}
}

func TestObjectsBringPlansAndBillings(t *testing.T) {
	s := newServer(t)
	id, token := s.tenant(s.master, "Northfield")
	p := s.plan(s.master, `{"name":"Seat","plan":{"devices":{"_all":{"rate":3}},"billing":{"desk":{"rate":10}}}}`)
	foreign := s.plan(id2(s, "Seller"), `{"name":"Foreign","plan":{"devices":{"_all":{"rate":99}}}}`)
	body := `"name":"d","billing":{"desk":2},"service":{"plans":{"` + p + `":{"overrides":{"plan":{"devices":{"_all":{"rate":4}}}}},"` + foreign + `":{},"junk":{}}}`
	s.want(402, "PUT", "/v2/accounts/"+id+"/devices", token, `{"data":{`+body+`}}`)
	d := s.want(201, "PUT", "/v2/accounts/"+id+"/devices", token, `{"data":{`+body+`},"accept_charges":true}`).text("data.id")
	r := s.want(200, "GET", "/v2/accounts/"+id+"/services/summary", token, "")
	if got := r.text("data.invoices.0.summary.recurring") + " " + r.at("data.plans") + " " + r.at("data.invoices.1"); got != "24 {} absent" {
		t.Errorf("summary = %s, want 2 desks at 10 and a device at 4", r.raw)
	}
	s.want(200, "PATCH", "/v2/accounts/"+id+"/devices/"+d, token, `{"data":{"enabled":false}}`)
	if r := s.want(200, "GET", "/v2/accounts/"+id+"/services/summary", token, ""); r.at("data.invoices") != "[]" {
		t.Errorf("with the device off = %s, want no invoice", r.raw)
	}
	s.want(400, "PUT", "/v2/accounts/"+id+"/devices", s.token, `{"data":{"name":"e","service":{"plans":[]}}}`)
}

// id2 makes a reseller and returns its id.
func id2(s *server, name string) string {
	id, _ := s.tenant(s.master, name)
	s.want(201, "PUT", "/v2/accounts/"+id+"/reseller", s.token, `{"data":{}}`)
	return id
}
