package kazoo

import (
	"fmt"
	"strings"
	"testing"
)

func TestWhoReachesWhom(t *testing.T) {
	s := newServer(t)
	parent, parentToken := s.tenant(s.master, "Parent")
	child, childToken := s.tenant(parent, "Child")
	cousin, cousinToken := s.tenant(s.master, "Cousin")
	for _, tt := range []struct {
		name, token, id string
		want            int
	}{
		{"oneself", childToken, child, 200},
		{"a child", parentToken, child, 200},
		{"a grandchild", s.token, child, 200},
		{"the parent", childToken, parent, 403},
		{"the master", parentToken, s.master, 403},
		{"a sibling", parentToken, cousin, 403},
		{"a cousin's child", cousinToken, child, 403},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, path := range []string{"", "/children", "/services", "/services/summary", "/ledgers", "/cdrs", "/users", "/devices", "/api_key"} {
				if r := s.call("GET", "/v2/accounts/"+tt.id+path, tt.token, ""); r.status != tt.want {
					t.Errorf("GET %s = %d, want %d", path, r.status, tt.want)
				}
			}
		})
	}
}

func TestWhoMayDoWhatWithServices(t *testing.T) {
	s := newServer(t)
	reseller, resellerToken := s.tenant(s.master, "Reseller")
	s.want(201, "PUT", "/v2/accounts/"+reseller+"/reseller", s.token, `{"data":{}}`)
	middle, middleToken := s.tenant(reseller, "Middle")
	leaf, leafToken := s.tenant(middle, "Leaf")
	_ = middle
	for _, tt := range []struct {
		name, token string
		want        int
	}{
		{"the account itself", leafToken, 403},
		{"a parent that is no reseller", middleToken, 403},
		{"the reseller", resellerToken, 200},
		{"the master", s.token, 200},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, call := range []struct{ method, path, body string }{
				{"GET", "manual", ""}, {"POST", "manual", `{"data":{}}`}, {"POST", "overrides", `{"data":{}}`}, {"POST", "reconciliation", ""}, {"POST", "synchronization", ""}, {"POST", "", `{"data":{}}`},
			} {
				if r := s.call(call.method, strings.TrimSuffix("/v2/accounts/"+leaf+"/services/"+call.path, "/"), tt.token, call.body); r.status != tt.want {
					t.Errorf("%s %s = %d %s, want %d", call.method, call.path, r.status, r.raw, tt.want)
				}
			}
			for _, path := range []string{"overrides", "summary", "available", "editable", "audit", "audit_summary", "status"} {
				if r := s.call("GET", "/v2/accounts/"+leaf+"/services/"+path, tt.token, ""); r.status != 200 {
					t.Errorf("GET %s = %d %s, want 200", path, r.status, r.raw)
				}
			}
		})
	}
}

func TestAccountFieldsAreChecked(t *testing.T) {
	s := newServer(t)
	s.tenant(s.master, "Taken")
	for _, tt := range []struct{ name, data, at string }{
		{"no name", `{}`, "name/required"},
		{"an empty name", `{"name":""}`, "name/minLength"},
		{"a long name", `{"name":"` + strings.Repeat("x", 129) + `"}`, "name/maxLength"},
		{"a name of signs", `{"name":"!!!"}`, "name/pattern"},
		{"a name with a zero byte", `{"name":"a\u0000b"}`, "name/pattern"},
		{"a name that is taken", `{"name":"TAKEN."}`, "name/unique"},
		{"a short realm", `{"name":"a","realm":"abc"}`, "realm/minLength"},
		{"a realm with a blank", `{"name":"a","realm":"ab cd"}`, "realm/pattern"},
		{"a time zone nobody knows", `{"name":"a","timezone":"Mars/Olympus"}`, "timezone/enum"},
		{"a path for a time zone", `{"name":"a","timezone":"../../etc/passwd"}`, "timezone/enum"},
		{"enabled that is no boolean", `{"name":"a","enabled":7}`, "enabled/type"},
		{"a top-up that is no number", `{"name":"a","topup":{"amount":"lots"}}`, "topup.amount/type"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := s.call("PUT", "/v2/accounts", s.token, `{"data":`+tt.data+`}`)
			field, code, _ := strings.Cut(tt.at, "/")
			problems, _ := r.doc["data"].(document)
			found, _ := problems[field].(document)
			if r.status != 400 || found[code] == nil {
				t.Errorf("PUT %s = %d %s, want 400 with %s", tt.data, r.status, r.raw, tt.at)
			}
		})
	}
}

func TestKeysThatBilldDoesNotKnowAreKept(t *testing.T) {
	s := newServer(t)
	id := s.want(201, "PUT", "/v2/accounts", s.token, `{"data":{"name":"a","notifications":{"low_balance":{"threshold":5.50}},"big":12345678901234567890,"pvt_secret":1,"is_reseller":true}}`).text("data.id")
	r := s.want(200, "GET", "/v2/accounts/"+id, s.token, "")
	if got, want := r.at("data.notifications.low_balance.threshold")+" "+r.at("data.big")+" "+r.at("data.pvt_secret")+" "+r.at("data.is_reseller"), "5.50 12345678901234567890 absent false"; got != want {
		t.Errorf("kept = %s, want %s", got, want)
	}
	r = s.want(200, "POST", "/v2/accounts/"+id, s.token, `{"data":{"name":"b"}}`)
	if r.at("data.notifications") != "absent" || r.text("data.name") != "b" || r.at("data.realm") == "absent" {
		t.Errorf("POST = %s, want a new name, the old realm and nothing else", r.raw)
	}
}

func TestTheTreeIsListedAndMoved(t *testing.T) {
	s := newServer(t)
	a, aToken := s.tenant(s.master, "a")
	b, bToken := s.tenant(a, "b")
	c, _ := s.tenant(b, "c")
	d, _ := s.tenant(s.master, "d")
	for _, tt := range []struct{ name, path, token, want string }{
		{"children", a + "/children", s.token, "b"},
		{"descendants", a + "/descendants", s.token, "b c"},
		{"descendants are ordered by name", s.master + "/descendants", s.token, "a b c d"},
		{"siblings", a + "/siblings", s.token, "a d"},
		{"siblings out of reach", a + "/siblings", aToken, "a"},
		{"parents", c + "/parents", s.token, "master a b"},
		{"the tree begins at the token's account", c + "/tree", aToken, "a b"},
		{"the tree of oneself", b + "/tree", bToken, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := s.want(200, "GET", "/v2/accounts/"+tt.path, tt.token, "")
			var names []string
			for i := range len(r.doc["data"].([]any)) {
				names = append(names, r.text(fmt.Sprintf("data.%d.name", i)))
			}
			if got := strings.Join(names, " "); got != tt.want {
				t.Errorf("names = %q, want %q", got, tt.want)
			}
		})
	}
	s.want(403, "POST", "/v2/accounts/"+b+"/move", aToken, `{"data":{"to":"`+d+`"}}`)
	s.want(400, "POST", "/v2/accounts/"+a+"/move", s.token, `{"data":{"to":"`+c+`"}}`)
	s.want(200, "POST", "/v2/accounts/"+b+"/move", s.token, `{"data":{"to":"`+d+`"}}`)
	s.want(403, "GET", "/v2/accounts/"+c, aToken, "")
	s.want(500, "DELETE", "/v2/accounts/"+d, s.token, "")
}

func TestListingsComeInPages(t *testing.T) {
	s := newServer(t)
	for i := range 5 {
		s.tenant(s.master, fmt.Sprint("account ", i))
	}
	path, seen := "/v2/accounts/"+s.master+"/children?page_size=2", 0
	for key := ""; ; {
		r := s.want(200, "GET", path+key, s.token, "")
		seen += len(r.doc["data"].([]any))
		next := r.text("next_start_key")
		if next == "absent" {
			break
		}
		key = "&start_key=" + next
	}
	if seen != 5 {
		t.Errorf("pages hold %d accounts, want 5", seen)
	}
	for _, query := range []string{"page_size=0", "page_size=-1", "page_size=many", "start_key=nonsense"} {
		s.want(400, "GET", "/v2/accounts/"+s.master+"/children?"+query, s.token, "")
	}
	if r := s.want(200, "GET", "/v2/accounts/"+s.master+"/children?paginate=false", s.token, ""); r.text("page_size") != "5" {
		t.Errorf("paginate=false = %s, want all 5", r.raw)
	}
}

func TestAnAccountWithMoneyIsNotDeleted(t *testing.T) {
	s := newServer(t)
	id, token := s.tenant(s.master, "Northfield")
	s.want(200, "POST", "/v2/accounts/"+id+"/services/topup", token, `{"data":{"amount":5}}`)
	if r := s.call("DELETE", "/v2/accounts/"+id, s.token, ""); r.status != 409 {
		t.Errorf("DELETE = %d %s, want 409", r.status, r.raw)
	}
	s.want(200, "DELETE", "/v2/accounts/"+id+"/transactions/debit", s.token, `{"data":{"amount":5}}`)
	s.want(200, "DELETE", "/v2/accounts/"+id, s.token, "")
	s.want(401, "GET", "/v2/accounts/"+s.master, token, "") // its tokens end with it
	s.want(201, "PUT", "/v2/accounts", s.token, `{"data":{"name":"Northfield"}}`)
}

func TestANewKeyEndsTheOldOne(t *testing.T) {
	s := newServer(t)
	id, token := s.tenant(s.master, "Northfield")
	old := s.want(200, "GET", "/v2/accounts/"+id+"/api_key", token, "").text("data.api_key")
	key := s.want(201, "PUT", "/v2/accounts/"+id+"/api_key", token, `{"data":{}}`).text("data.api_key")
	s.want(404, "PUT", "/v2/api_auth", "", `{"data":{"api_key":"`+old+`"}}`)
	s.want(201, "PUT", "/v2/api_auth", "", `{"data":{"api_key":"`+key+`"}}`)
	s.want(400, "PUT", "/v2/api_auth", "", `{"data":{"api_key":"`+key+`","more":1}}`)
}
