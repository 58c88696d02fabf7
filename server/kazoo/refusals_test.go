package kazoo

import (
	"strings"
	"testing"
)

// Each row sends a document that breaks one rule: the answer names the field by its path, the rule by its
// code, and what was wanted and got where there is such (contract 1.5).
func TestBrokenFieldsAreNamed(t *testing.T) {
	s := newServer(t)
	id, _ := s.tenant(s.master, "Northfield")
	s.tenant(s.master, "Taken")
	p := s.plan(s.master, `{"name":"Gold","plan":{"users":{"user":{"rate":1}}}}`)
	at := "/v2/accounts/" + id
	s.want(201, "PUT", at+"/users", s.token, `{"data":{"first_name":"a","last_name":"b","username":"ines","password":"correct horse"}}`)
	item := func(text string) string { return `{"name":"a","plan":{"users":{"user":` + text + `}}}` }
	planner, long := "/v2/accounts/"+s.master+"/service_planner", strings.Repeat("x", 129)
	for _, tt := range []struct{ name, method, path, data, field, code, target, value string }{
		{"an account without a name", "PUT", at, `{}`, "name", "required", "absent", "absent"},
		{"an account with an empty name", "PUT", at, `{"name":""}`, "name", "minLength", "1", `""`},
		{"an account with a long name", "PUT", at, `{"name":"` + long + `"}`, "name", "maxLength", "128", `"` + long[:100] + `…"`},
		{"a name that is taken", "PUT", at, `{"name":"ta-ken"}`, "name", "unique", "absent", "absent"},
		{"a short realm", "PUT", at, `{"name":"a","realm":"abc"}`, "realm", "minLength", "4", `"abc"`},
		{"enabled that is a number", "PATCH", at, `{"enabled":7}`, "enabled", "type", `"boolean"`, "7"},
		{"a top-up that is a word", "PATCH", at, `{"topup":{"threshold":"low"}}`, "topup.threshold", "type", `"number"`, `"low"`},
		{"a top-up that is a list", "PATCH", at, `{"topup":[]}`, "topup", "type", `"object"`, "[]"},
		{"a user without a name", "PUT", at + "/users", `{"first_name":"a"}`, "last_name", "required", "absent", "absent"},
		{"a user of unknown rank", "PUT", at + "/users", `{"first_name":"a","last_name":"b","priv_level":"root"}`, "priv_level", "enum", `["user","admin"]`, `"root"`},
		{"a username that is taken", "PUT", at + "/users", `{"first_name":"a","last_name":"b","username":"INES"}`, "username", "unique", "absent", "absent"},
		{"a device without a name", "PUT", at + "/devices", `{}`, "name", "required", "absent", "absent"},
		{"a device whose sip is text", "PUT", at + "/devices", `{"name":"a","sip":"x"}`, "sip", "type", `"object"`, `"x"`},
		{"a count of half a thing", "PUT", at + "/devices", `{"name":"a","billing":{"fax":1.5}}`, "billing.fax", "type", `"integer"`, "1.5"},
		{"fewer trunks than none", "POST", at + "/limits", `{"inbound_trunks":-4}`, "inbound_trunks", "minimum", "0", "-4"},
		{"trunks of a word", "POST", at + "/limits", `{"twoway_trunks":"many"}`, "twoway_trunks", "type", `"integer"`, `"many"`},
		{"trunks of half", "POST", at + "/limits", `{"burst_trunks":2.5}`, "burst_trunks", "type", `"integer"`, "2.5"},
		{"manual quantities of a number", "POST", at + "/services/manual", `{"devices":7}`, "devices", "type", `"object"`, "7"},
		{"a manual quantity below 0", "PATCH", at + "/services/manual", `{"devices":{"fax":-1}}`, "devices.fax", "minimum", "0", "-1"},
		{"a manual quantity beyond use", "POST", at + "/services/manual", `{"devices":{"fax":1e10}}`, "devices.fax", "maximum", "1000000000", "1e10"},
		{"a plan without a name", "PUT", planner, `{"plan":{}}`, "name", "required", "absent", "absent"},
		{"a plan without prices", "PUT", planner, `{"name":"a"}`, "plan", "required", "absent", "absent"},
		{"prices that are a list", "PUT", planner, `{"name":"a","plan":[]}`, "plan", "type", `"object"`, "[]"},
		{"a rate that is a word", "PUT", planner, item(`{"rate":"dear"}`), "plan.users.user.rate", "type", `"number"`, `"dear"`},
		{"a rate below 0", "PATCH", planner + "/" + p, item(`{"rate":-1}`), "plan.users.user.rate", "minimum", "0", "-1"},
		{"a rate beyond use", "PUT", planner, item(`{"flat_rate":1e300}`), "plan.users.user.flat_rate", "maximum", "1000000000", "1e300"},
		{"a tier of no quantity", "PUT", planner, item(`{"rates":{"many":1}}`), "plan.users.user.rates.many", "type", `"integer"`, "1"},
		{"a minimum of half a unit", "PUT", planner, item(`{"minimum":1.5}`), "plan.users.user.minimum", "type", `"integer"`, "1.5"},
		{"cascade that is a number", "PUT", planner, item(`{"cascade":1}`), "plan.users.user.cascade", "type", `"boolean"`, "1"},
		{"overrides that cannot be priced", "PATCH", at + "/services/overrides", `{"plan":{"users":{"user":{"step":-2}}}}`, "plan.users.user.step", "minimum", "0", "-2"},
		{"overrides of a plan that cannot be priced", "POST", at + "/services/" + p, `{"overrides":{"plan":{"users":{"user":{"rate":[]}}}}}`, "plan.users.user.rate", "type", `"number"`, "[]"},
		{"overrides in bulk that cannot be priced", "POST", at + "/services", `{"overrides":{"plan":{"users":{"user":{"rate":{}}}}}}`, "plan.users.user.rate", "type", `"number"`, "{}"},
		{"a quote that cannot be priced", "POST", at + "/services/quote", `{"overrides":{"plan":{"users":{"user":{"rate":true}}}}}`, "plan.users.user.rate", "type", `"number"`, "true"},
		{"plans that are no list", "POST", at + "/services", `{"add":"x"}`, "add", "type", `"array"`, "absent"},
		{"plans to be taken off that are no list", "POST", at + "/services", `{"delete":"x"}`, "delete", "type", `"array"`, `"x"`},
		{"overrides that are a list", "POST", at + "/services", `{"overrides":[]}`, "overrides", "type", `"object"`, "[]"},
		{"a top-up of nothing", "POST", at + "/services/topup", `{}`, "amount", "required", "absent", "absent"},
		{"a top-up of 0", "POST", at + "/services/topup", `{"amount":0}`, "amount", "required", "absent", "absent"},
		{"a top-up below 0", "POST", at + "/services/topup", `{"amount":-5}`, "amount", "required", "absent", "absent"},
		{"a top-up below a unit", "POST", at + "/services/topup", `{"amount":0.00009}`, "amount", "required", "absent", "absent"},
		{"a standing that is not said", "POST", at + "/services/status", `{}`, "in_good_standing", "required", "absent", "absent"},
		{"a ledger of less than 1", "PUT", at + "/ledgers/credit", `{"amount":0.5,"source":{"service":"a","id":"b"},"usage":{"type":"a","quantity":1,"unit":"b"}}`, "amount", "minimum", "1", "0.5"},
		{"a source without an id", "PUT", at + "/ledgers/debit", `{"amount":5,"source":{"service":"a"},"usage":{"type":"a","quantity":1,"unit":"b"}}`, "source.id", "required", "absent", "absent"},
		{"usage of half a thing", "PUT", at + "/ledgers/debit", `{"amount":5,"source":{"service":"a","id":"b"},"usage":{"type":"a","quantity":0.5,"unit":"b"}}`, "usage.quantity", "type", `"integer"`, "0.5"},
		{"a credit of nothing", "PUT", at + "/transactions/credit", `{}`, "amount", "required", "absent", "absent"},
		{"a credit of 0", "PUT", at + "/transactions/credit", `{"amount":0}`, "amount", "minimum", "0", "0"},
		{"a debit below 0", "DELETE", at + "/transactions/debit", `{"amount":-3}`, "amount", "minimum", "0", "-3"},
		{"a rate without a price", "PUT", "/v2/rates", `{"prefix":1}`, "rate_cost", "required", "absent", "absent"},
		{"a weight beyond 100", "PUT", "/v2/rates", `{"prefix":1,"rate_cost":1,"weight":101}`, "weight", "maximum", "100", "101"},
		{"a weight of 0", "PUT", "/v2/rates", `{"prefix":1,"rate_cost":1,"weight":0}`, "weight", "minimum", "1", "0"},
		{"routes that are text", "PUT", "/v2/rates", `{"prefix":1,"rate_cost":1,"routes":"x"}`, "routes", "type", `"array"`, `"x"`},
		{"a login without credentials", "PUT", "/v2/user_auth", `{"account_name":"taken"}`, "credentials", "required", "absent", "absent"},
		{"a login of an unknown method", "PUT", "/v2/user_auth", `{"credentials":"a","account_name":"taken","method":"sha256"}`, "method", "enum", `["md5","sha"]`, `"sha256"`},
		{"a login that names two places", "PUT", "/v2/user_auth", `{"credentials":"a","account_name":"taken","account_realm":"abcd"}`, "account_name", "required", "absent", "absent"},
		{"a short key", "PUT", "/v2/api_auth", `{"api_key":"abc"}`, "api_key", "minLength", "64", `"abc"`},
		{"a key and more", "PUT", "/v2/api_auth", `{"api_key":"` + strings.Repeat("a", 64) + `","x":1}`, "x", "additionalProperties", "absent", "absent"},
		{"a move to nowhere", "POST", at + "/move", `{}`, "to", "required", "absent", "absent"},
		{"an unknown action", "PUT", "/v2/auth", `{"action":"x"}`, "action", "enum", `["refresh_token"]`, `"x"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := s.call(tt.method, tt.path, s.token, `{"data":`+tt.data+`}`)
			fields, _ := r.doc["data"].(document)
			codes, _ := fields[tt.field].(document)
			details, _ := codes[tt.code].(document)
			one := reply{doc: document{"details": details}}
			if r.status != 400 || r.text("error") != "400" || one.text("details.message") == "absent" || !strings.HasPrefix(r.text("message"), "validation ") {
				t.Fatalf("%s %s = %d %s, want 400 with %s.%s", tt.method, tt.data, r.status, r.raw, tt.field, tt.code)
			}
			if got, want := one.at("details.target")+" "+one.at("details.value"), tt.target+" "+tt.value; got != want {
				t.Errorf("target and value = %s, want %s", got, want)
			}
		})
	}
	s.sound()
}

// What is named by an id that nothing has is answered 404 with the id as its cause, below every noun.
func TestIdsThatNothingHas(t *testing.T) {
	s := newServer(t)
	id, _ := s.tenant(s.master, "Northfield")
	const gone = "00000000000000000000000000000abc"
	for _, path := range []string{"", "/devices/" + gone, "/users/" + gone, "/vmboxes/" + gone, "/faxboxes/" + gone, "/conferences/" + gone, "/port_requests/" + gone,
		"/services/audit/" + gone, "/ledgers/payments/" + gone, "/transactions/" + gone, "/cdrs/" + gone, "/service_plans/" + gone, "/service_plans/available/" + gone, "/tasks/" + gone} {
		at := "/v2/accounts/" + id + path
		if path == "" {
			at = "/v2/accounts/" + gone
		}
		if r := s.want(404, "GET", at, s.token, ""); r.text("message") != "bad_identifier" || r.text("data.cause") != gone || r.text("data.message") == "absent" {
			t.Errorf("GET %s = %s, want bad_identifier with its cause", path, r.raw)
		}
	}
	for _, call := range []struct{ method, path string }{{"POST", "/services/"}, {"DELETE", "/services/"}, {"POST", "/service_plans/"}, {"DELETE", "/service_plans/"},
		{"PATCH", "/devices/"}, {"DELETE", "/devices/"}, {"DELETE", "/users/"}} {
		if r := s.want(404, call.method, "/v2/accounts/"+id+call.path+gone, s.token, `{"data":{}}`); r.text("message") != "bad_identifier" || r.text("data.cause") != gone {
			t.Errorf("%s %s = %s, want bad_identifier", call.method, call.path, r.raw)
		}
	}
	if r := s.want(404, "GET", "/v2/accounts/nonsense", s.token, ""); r.text("message") != "bad identifier" {
		t.Errorf("a malformed id = %s, want bad identifier", r.raw)
	}
	key := strings.Repeat("a", 64)
	if r := s.want(404, "PUT", "/v2/api_auth", "", `{"data":{"api_key":"`+key+`"}}`); r.text("message") != "bad identifier" || r.at("data") != `["`+key+`"]` {
		t.Errorf("an unknown key = %s, want bad identifier and the key", r.raw)
	}
}

// No path but those of the table answers, and each answers 405 with what it takes to all other verbs,
// login or none.
func TestEveryPathRefusesOtherVerbs(t *testing.T) {
	s := newServer(t)
	verbs := map[string]map[string]bool{}
	for _, r := range s.api.table() {
		if verbs[r.path] == nil {
			verbs[r.path] = map[string]bool{}
		}
		verbs[r.path][r.method] = true
	}
	for path, takes := range verbs {
		at := "/v2/" + strings.NewReplacer(":account", s.master, ":", "").Replace(path)
		for _, verb := range []string{"GET", "PUT", "POST", "PATCH", "DELETE"} {
			if takes[verb] {
				continue
			}
			for _, token := range []string{"", s.token} {
				r := s.call(verb, at, token, "")
				if r.status != 405 || r.text("message") != "invalid_method" || r.text("data.message") != "method not allowed" {
					t.Errorf("%s %s = %d %s, want 405", verb, path, r.status, r.raw)
				}
				for method := range takes {
					if !strings.Contains(r.header.Get("Allow"), method) {
						t.Errorf("%s %s allows %s, want %s in it", verb, path, r.header.Get("Allow"), method)
					}
				}
			}
		}
	}
}

// Without a token every endpoint but the logins answers 401, before it looks at what is sent.
func TestEveryEndpointWantsALogin(t *testing.T) {
	s := newServer(t)
	for _, r := range s.api.table() {
		at := "/v2/" + strings.NewReplacer(":account", s.master, ":", "").Replace(r.path)
		for token, word := range map[string]string{"": "invalid_credentials", "junk": "invalid credentials"} {
			if token == "" && r.who == anyone {
				continue
			}
			if a := s.call(r.method, at, token, `{"data":{}}`); a.status != 401 || a.text("message") != word || a.text("error") != "401" {
				t.Errorf("%s %s with %q = %d %s, want 401 %s", r.method, r.path, token, a.status, a.raw, word)
			}
		}
	}
}

// What others may not do is refused by every endpoint: a customer's token below the privilege of the
// row, and an account's neighbour everywhere.
func TestEveryEndpointKeepsToItsPrivilege(t *testing.T) {
	s := newServer(t)
	seller, _ := s.tenant(s.master, "Seller")
	s.want(201, "PUT", "/v2/accounts/"+seller+"/reseller", s.token, `{"data":{}}`)
	id, token := s.tenant(seller, "Customer")
	_, neighbour := s.tenant(seller, "Neighbour")
	for _, r := range s.api.table() {
		at := "/v2/" + strings.NewReplacer(":account", id, ":", "").Replace(r.path)
		if r.who == reseller || r.who == master {
			if a := s.call(r.method, at, token, ""); a.status != 403 || a.text("message") != "forbidden" || a.text("data.message") != "forbidden" {
				t.Errorf("%s %s by a customer = %d %s, want 403", r.method, r.path, a.status, a.raw)
			}
		}
		if strings.Contains(r.path, ":account") && r.who != anyone {
			if a := s.call(r.method, at, neighbour, ""); a.status != 403 {
				t.Errorf("%s %s by a neighbour = %d %s, want 403", r.method, r.path, a.status, a.raw)
			}
		}
	}
}
