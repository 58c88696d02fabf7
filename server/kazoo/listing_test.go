package kazoo

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"
)

// ids returns a value of each row of a listing.
func (r reply) ids(key string) string {
	var out []string
	list, _ := r.doc["data"].([]any)
	for _, row := range list {
		s, _ := plain(row.(document)[key])
		out = append(out, s)
	}
	return strings.Join(out, " ")
}

func TestListingsAreFiltered(t *testing.T) {
	s := newServer(t)
	id, _ := s.tenant(s.master, "Northfield")
	at := "/v2/accounts/" + id + "/devices"
	began := seconds(s.clock.now())
	var first string
	for i, doc := range []string{`{"name":"a","device_type":"fax","sip":{"username":"u1","n":5}}`, `{"name":"b","flags":["x","y"]}`, `{"name":"c","enabled":false,"note":""}`} {
		r := s.want(201, "PUT", at, s.token, `{"data":`+doc+`}`)
		if i == 0 {
			first = r.text("data.id")
		}
		s.clock.move(time.Minute)
	}
	s.want(200, "PATCH", at+"/"+first, s.token, `{"data":{"name":"a2"}}`) // at began + 180
	for _, tt := range []struct{ name, query, want string }{
		{"nothing asked for", "", "a2 b c"},
		{"a value", "filter_device_type=fax", "a2"},
		{"a value below another", "filter_sip.username=u1", "a2"},
		{"a number", "filter_sip.n=5", "a2"},
		{"an element of a list", "filter_flags=y", "b"},
		{"any of several", "filter_name=b&filter_name=c", "b c"},
		{"not a value", "filter_not_device_type=fax", "b c"},
		{"a truth", "filter_enabled=false", "c"},
		{"a key", "has_key=flags", "b"},
		{"no key", "key_missing=flags", "a2 c"},
		{"something in a key", "has_value=note", ""},
		{"nothing in a key", "missing_value=note", "a2 b c"},
		{"all together", "has_key=sip&filter_device_type=sip_device", ""},
		{"made from", fmt.Sprint("created_from=", began+60), "b c"},
		{"made to, included", fmt.Sprint("created_to=", began+60), "a2 b"},
		{"changed from", fmt.Sprint("modified_from=", began+180), "a2"},
		{"changed to: a row that never was counts from its birth", fmt.Sprint("modified_to=", began+119), "b"},
		{"backwards", "descending=true", "c b a2"},
		{"a page", "page_size=1", "a2"},
		{"all on one page", "paginate=false", "a2 b c"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := s.want(200, "GET", at+"?"+tt.query, s.token, "").ids("name"); got != tt.want {
				t.Errorf("names = %q, want %q", got, tt.want)
			}
		})
	}
	for _, tt := range []struct{ name, query, field string }{
		{"a page of nothing", "page_size=0", "page_size.minimum"},
		{"a key that no listing gave", "start_key=zzz", "start_key.invalid"},
		{"a range that runs backwards", "created_from=9&created_to=8", "created_from.date_range"},
		{"an instant that is none", "modified_from=soon", "modified_from.type"},
		{"more filters than anybody needs", strings.Repeat("has_key=a&", maxFilters+1), "filter.maximum"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if r := s.call("GET", at+"?"+tt.query, s.token, ""); r.status != 400 || r.at("data."+tt.field) == "absent" {
				t.Errorf("%s = %d %s, want 400 with %s", tt.query, r.status, r.raw, tt.field)
			}
		})
	}
	if r := s.want(200, "GET", at+"?full_docs=true&filter_name=b", s.token, ""); r.at("data.0.flags") != `["x","y"]` {
		t.Errorf("full_docs = %s, want the whole document", r.raw)
	}
	page := s.want(200, "GET", at+"?page_size=2&descending=true", s.token, "")
	next := s.want(200, "GET", at+"?page_size=2&descending=true&start_key="+page.text("next_start_key"), s.token, "")
	if got := page.ids("name") + " | " + next.ids("name"); got != "c b | a2" || next.at("next_start_key") != "absent" {
		t.Errorf("pages backwards = %s, want c b | a2", got)
	}
}

func TestEveryListingTakesFilters(t *testing.T) {
	s := newServer(t)
	id, _ := s.tenant(s.master, "Northfield")
	s.tenant(id, "Child A")
	s.tenant(id, "Child B")
	at := "/v2/accounts/" + id
	s.want(201, "PUT", at+"/users", s.token, `{"data":{"first_name":"A","last_name":"B","email":"a@b.example"}}`)
	s.want(201, "PUT", at+"/vmboxes", s.token, `{"data":{"name":"v","mailbox":"100"}}`)
	s.want(201, "PUT", "/v2/accounts/"+s.master+"/service_planner", s.token, `{"data":{"name":"Gold","plan":{},"category":"x"}}`)
	s.want(201, "PUT", "/v2/rates", s.token, `{"data":{"prefix":44,"rate_cost":1,"carrier":"c"}}`)
	none := "filter_nothing_has_this=1&"
	for path, some := range map[string]string{
		at + "/children": "filter_name=Child A", at + "/descendants": "filter_reseller_id=" + s.master, "/v2/accounts/" + s.master + "/descendants": "filter_name=Child B",
		at + "/siblings": "filter_name=Northfield", at + "/users": "filter_email=a@b.example", at + "/vmboxes": "filter_mailbox=100",
		at + "/services/available": "filter_category=x", "/v2/accounts/" + s.master + "/service_planner": "filter_category=x", "/v2/rates": "filter_carrier=c",
	} {
		key, value, _ := strings.Cut(some, "=")
		if r := s.want(200, "GET", path+"?"+key+"="+url.QueryEscape(value), s.token, ""); r.at("data.0") == "absent" {
			t.Errorf("%s?%s = %s, want a row", path, some, r.raw)
		}
		if r := s.want(200, "GET", path+"?"+none, s.token, ""); r.at("data.0") != "absent" || r.text("page_size") != "0" {
			t.Errorf("%s?%s = %s, want no row", path, none, r.raw)
		}
	}
}
