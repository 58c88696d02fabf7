package kazoo

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"billd/rating"
	"billd/storage"
)

func TestAPlanThatIsABombIsRefused(t *testing.T) {
	s := newServer(t)
	at := "/v2/accounts/" + s.master + "/service_planner"
	p := s.plan(s.master, `{"name":"Gold","plan":{"devices":{"_all":{"rate":1}}}}`)
	deep := strings.Repeat(`{"a":`, maxDepth) + "1" + strings.Repeat("}", maxDepth)
	var many strings.Builder
	for i := range maxNodes {
		fmt.Fprintf(&many, `"%d":1,`, i)
	}
	for _, tt := range []struct {
		name, method, path, body string
		status                   int
	}{
		{"10 MB", "PUT", at, `{"data":{"name":"a","plan":{},"x":"` + strings.Repeat("x", 10<<20) + `"}}`, 413},
		{"too deep", "PUT", at, `{"data":{"name":"a","plan":` + deep + `}}`, 400},
		{"too deep to merge", "PATCH", at + "/" + p, `{"data":{"plan":` + deep + `}}`, 400},
		{"too many keys", "PUT", at, `{"data":{"name":"a","plan":{},"x":{` + many.String() + `"z":1}}}`, 400},
		{"too large to keep", "PUT", at, `{"data":{"name":"a","plan":{},"x":"` + strings.Repeat("x", maxDocument) + `"}}`, 400},
		{"too large to merge", "PATCH", at + "/" + p, `{"data":{"x":"` + strings.Repeat("x", maxDocument-20) + `"}}`, 400},
		{"overrides too large", "POST", "/v2/accounts/" + s.master + "/services/overrides", `{"data":{"x":"` + strings.Repeat("x", maxDocument) + `"}}`, 400},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if r := s.call(tt.method, tt.path, s.token, tt.body); r.status != tt.status || r.text("status") != "error" {
				t.Errorf("%s = %d %.300s, want %d", tt.method, r.status, r.raw, tt.status)
			}
		})
	}
	if r := s.want(200, "GET", at+"/"+p, s.token, ""); r.at("data") != `{"id":"`+p+`","name":"Gold","plan":{"devices":{"_all":{"rate":1}}}}` {
		t.Errorf("the plan after refusals = %s", r.raw)
	}
}

func TestAnEmptyObjectReplaces(t *testing.T) {
	s := newServer(t)
	id, _ := s.tenant(s.master, "Northfield")
	at := "/v2/accounts/" + id + "/services/overrides"
	s.want(200, "POST", at, s.token, `{"data":{"plan":{"users":{"user":{"rate":1}},"devices":{"fax":{"rate":2}}},"limits":{"a":1}}}`)
	r := s.want(200, "PATCH", at, s.token, `{"data":{"plan":{"users":{},"devices":{"fax":{"minimum":3}}},"limits":null}}`)
	if got, want := r.at("data"), `{"plan":{"devices":{"fax":{"minimum":3,"rate":2}},"users":{}}}`; got != want {
		t.Errorf("overrides = %s, want %s", got, want)
	}
}

func TestCallsAreListedBothWays(t *testing.T) {
	s := newServer(t)
	s.tenant(s.master, "Northfield")
	id := s.account(2).UUID.Hex()
	s.want(201, "PUT", "/v2/rates", s.token, `{"data":{"prefix":44,"rate_cost":0.06}}`)
	var records []storage.Record
	for i := range 4 {
		var c rating.Call
		c.SetTime(rating.CDRTimeStart, testClock.Add(-time.Duration(4-i)*time.Hour))
		c.SetInt(rating.CDRDuration, 60)
		c.SetText(rating.CDRCallID, fmt.Sprint("c", i))
		c.SetText(rating.CDRDstPrefixRouting, fmt.Sprint("44207183875", i%2))
		c.SetInt(rating.CDRCustomerAccID, 2)
		records = append(records, storage.Record{Call: &c})
	}
	if _, err := s.db.ChargeNow(t.Context(), records); err != nil {
		t.Fatal(err)
	}
	at := "/v2/accounts/" + id + "/cdrs?"
	for query, want := range map[string]string{
		"": "c3 c2 c1 c0", "ascending=true": "c0 c1 c2 c3", "descending=false": "c0 c1 c2 c3",
		"filter_to=442071838750": "c2 c0", "filter_not_to=442071838750&ascending=true": "c1 c3", "has_key=nothing": "",
		fmt.Sprint("created_from=", seconds(testClock.Add(-3*time.Hour)), "&created_to=", seconds(testClock.Add(-2*time.Hour))): "c2 c1",
	} {
		if got := s.want(200, "GET", at+query, s.token, "").ids("call_id"); got != want {
			t.Errorf("%s = %q, want %q", query, got, want)
		}
	}
	for _, order := range []string{"ascending=true", "ascending=false"} {
		var got []string
		next := ""
		for {
			r := s.want(200, "GET", at+order+"&page_size=3"+next, s.token, "")
			got = append(got, r.ids("call_id"))
			if r.at("next_start_key") == "absent" {
				break
			}
			next = "&start_key=" + r.text("next_start_key")
		}
		want := map[string]string{"ascending=true": "c0 c1 c2|c3", "ascending=false": "c3 c2 c1|c0"}[order]
		if strings.Join(got, "|") != want {
			t.Errorf("pages %s = %q, want %q", order, strings.Join(got, "|"), want)
		}
	}
}
