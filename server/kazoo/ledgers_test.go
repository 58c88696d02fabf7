package kazoo

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"billd/rating"
	"billd/storage"
)

// booked makes an account with three calls, a top-up, a credit and a debit, an hour apart, in that order.
func booked(s *server) (id, token string) {
	id, token = s.tenant(s.master, "Northfield")
	s.want(201, "PUT", "/v2/rates", s.token, `{"data":{"prefix":44,"rate_cost":0.06}}`)
	for i := range 3 {
		var c rating.Call
		c.SetTime(rating.CDRTimeStart, s.clock.now().Add(-30*time.Minute))
		c.SetInt(rating.CDRDuration, 61)
		c.SetText(rating.CDRCallID, fmt.Sprint("call-", i))
		c.SetText(rating.CDRDstPrefixRouting, "442071838750")
		c.SetInt(rating.CDRCustomerAccID, 2)
		if _, err := s.db.ChargeNow(s.t.Context(), []storage.Record{{Call: &c}}); err != nil {
			s.t.Fatal(err)
		}
		s.clock.move(10 * time.Minute)
	}
	at := "/v2/accounts/" + id
	s.want(200, "POST", at+"/services/topup", token, `{"data":{"amount":20}}`)
	s.clock.move(10 * time.Minute)
	s.want(201, "PUT", at+"/ledgers/credit", s.token, `{"data":{"amount":3,"source":{"service":"adjustments","id":"c1"},"usage":{"type":"labour","quantity":"2","unit":"job"}}}`)
	s.clock.move(10 * time.Minute)
	s.want(201, "PUT", at+"/ledgers/debit", s.token, `{"data":{"amount":1.5,"source":{"service":"per-minute-voip","id":"d1"},"usage":{"type":"voice","quantity":60,"unit":"sec"}}}`)
	return id, token
}

func TestLedgersAreListedBothWaysInPages(t *testing.T) {
	s := newServer(t)
	id, token := booked(s)
	at := "/v2/accounts/" + id + "/ledgers/per-minute-voip?page_size=3"
	sources := func(r reply) (out string) {
		for i := 0; r.at(fmt.Sprint("data.", i)) != "absent"; i++ {
			out += " " + r.text(fmt.Sprintf("data.%d.source.id", i))
		}
		return out
	}
	for order, want := range map[string]string{"": " d1 call-2 call-1| call-0", "&ascending=true": " call-0 call-1 call-2| d1", "&descending=false": " call-0 call-1 call-2| d1"} {
		first := s.want(200, "GET", at+order, token, "")
		rest := s.want(200, "GET", at+order+"&start_key="+first.text("next_start_key"), token, "")
		if got := sources(first) + "|" + sources(rest); got != want || rest.at("next_start_key") != "absent" {
			t.Errorf("pages %s = %s, want %s", order, got, want)
		}
	}
	for _, bad := range []string{"start_key=k61", "start_key=x", "created_to=x"} {
		s.want(400, "GET", at+"&"+bad, token, "")
	}
	rows := s.want(200, "GET", "/v2/accounts/"+id+"/ledgers/per-minute-voip?paginate=false", token, "", "Accept", "text/csv").sheetOf(t)
	if got, want := strings.Join(rows[1][1:8], ","), "-1.5,,per-minute-voip,d1,voice,60,sec"; len(rows) != 5 || got != want {
		t.Errorf("CSV = %v, want four rows, the first %s", rows, want)
	}
}

func TestLedgersAreAddedUpByService(t *testing.T) {
	s := newServer(t)
	id, token := booked(s)
	at := "/v2/accounts/" + id + "/ledgers"
	if got, want := s.want(200, "GET", at, token, "").at("data"), `{"adjustments":{"amount":3,"usage":{"quantity":2,"type":"labour","unit":"job"}},`+
		`"payments":{"amount":20},"per-minute-voip":{"amount":-1.86,"usage":{"quantity":420,"type":"voice","unit":"sec"}}}`; got != want {
		t.Errorf("sums = %s\nwant %s", got, want)
	}
	rows := s.want(200, "GET", at, token, "", "Accept", "text/csv").sheetOf(t)
	if got, want := fmt.Sprint(rows), "[[service amount usage.type usage.quantity usage.unit] [adjustments 3 labour 2 job] [payments 20   ] [per-minute-voip -1.86 voice 420 sec]]"; got != want {
		t.Errorf("CSV = %s, want %s", got, want)
	}
	noon := seconds(testClock)
	for query, want := range map[string]string{
		"": "21.14", fmt.Sprintf("?created_from=%d&created_to=%d", noon+1800, noon+1800): "20", fmt.Sprintf("?created_from=%d", noon+1801): "1.5",
	} {
		if got := s.want(200, "GET", at+"/total"+query, token, "").text("data.amount"); got != want {
			t.Errorf("total%s = %s, want %s", query, got, want)
		}
	}
	month := s.want(200, "GET", at+"/summary/202611", token, "")
	if got, want := month.text("data.breakdown.0.total")+" "+month.text("data.breakdown.0.account.name")+" "+month.text("data.summary.payments.amount"), "21.14 Northfield 20"; got != want {
		t.Errorf("the month = %s, want %s", month.raw, want)
	}
	for _, bad := range []string{"202613", "2026", "x"} {
		s.want(404, "GET", at+"/summary/"+bad, token, "")
	}
	// the next month opens with what the last one left
	s.clock.move(time.Date(2026, 12, 2, 0, 0, 0, 0, time.UTC).Sub(s.clock.now()))
	s.token = s.masterToken()
	r := s.want(200, "GET", at+"/rollovers", s.token, "")
	if got, want := r.text("data.0.amount")+" "+r.text("data.0.source.id")+" "+r.text("page_size"), "21.14 202611 1"; got != want {
		t.Errorf("rollovers = %s, want %s", r.raw, want)
	}
	one := s.want(200, "GET", at+"/rollovers/"+r.text("data.0.id"), s.token, "")
	if one.text("data.period.start") != fmt.Sprint(seconds(time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC))) {
		t.Errorf("rollover = %s, want the period of November", one.raw)
	}
	if got := s.want(200, "GET", at+"/total", s.token, "").text("data.amount"); got != "21.14" {
		t.Errorf("total = %s: a rollover moves nothing", got)
	}
}

func TestTransactionsAreListedBothWaysInPages(t *testing.T) {
	s := newServer(t)
	id, token := booked(s)
	at := "/v2/accounts/" + id + "/transactions"
	s.clock.move(time.Minute)
	s.want(201, "PUT", at+"/sale", s.token, `{"data":{"amount":7,"order_id":"o-1","metadata":{"a":1}}}`)
	s.clock.move(time.Minute)
	s.want(201, "PUT", at+"/refund", s.token, `{"data":{"amount":2}}`)
	for order, want := range map[string]string{"": "2 7 1.5|3 20", "&ascending=true": "20 3 1.5|7 2"} {
		first := s.want(200, "GET", at+"?page_size=3"+order, token, "")
		rest := s.want(200, "GET", at+"?page_size=3"+order+"&start_key="+first.text("next_start_key"), token, "")
		if got := first.ids("amount") + "|" + rest.ids("amount"); got != want || rest.at("next_start_key") != "absent" {
			t.Errorf("pages %s = %s, want %s", order, got, want)
		}
	}
	r := s.want(200, "GET", at, token, "")
	if got := r.ids("type"); got != "debit credit debit credit credit" {
		t.Errorf("types = %s, want a refund, a sale, a debit, a credit and a top-up", got)
	}
	if got, want := r.at("data.1.metadata"), `{"a":1,"auth_account_id":"`+s.master+`","order_id":"o-1"}`; got != want {
		t.Errorf("metadata = %s, want %s", got, want)
	}
	one := s.want(200, "GET", at+"/"+r.text("data.1.id"), token, "")
	if one.at("data") != r.at("data.1") {
		t.Errorf("one = %s, want the row of the list", one.raw)
	}
	s.want(404, "GET", at+"/202611-"+strings.Repeat("0", 32), token, "")
	s.want(400, "GET", at+"?start_key=x", token, "")
	for _, path := range []string{"/sale", "/refund"} {
		if r := s.want(400, "PUT", at+path, s.token, `{"data":{}}`); r.at("data.amount.required") == "absent" {
			t.Errorf("%s of nothing = %s, want amount.required", path, r.raw)
		}
	}
	if r := s.want(200, "GET", at+"/subscriptions", token, ""); r.at("data") != "[]" {
		t.Errorf("subscriptions = %s, want none", r.raw)
	}
	if got := s.want(200, "GET", at+"/current_balance", token, "").text("data.balance"); got != "26.14" {
		t.Errorf("balance = %s, want 26.14", got)
	}
	s.sound()
}

func TestCallsAreShownInEveryForm(t *testing.T) {
	s := newServer(t)
	id, token := booked(s)
	at := "/v2/accounts/" + id + "/cdrs"
	rows := s.want(200, "GET", at, token, "", "Accept", "text/csv").sheetOf(t)
	if len(rows) != 4 || rows[0][1] != "call_id" || rows[1][1] != "call-2" || rows[1][16] != "0.12" {
		t.Errorf("CSV = %v, want three calls at 0.12, the newest first", rows)
	}
	if got, want := s.want(200, "GET", at+"/summary", token, "").at("data"), `{"billing_seconds":360,"call_count":3,"cost":0.36,"duration_seconds":183}`; got != want {
		t.Errorf("summary = %s, want %s", got, want)
	}
	one := s.want(200, "GET", at, token, "").text("data.0.id")
	if legs := s.want(200, "GET", at+"/legs/"+one, token, ""); legs.ids("id") != one {
		t.Errorf("legs = %s, want the call", legs.raw)
	}
	if r := s.want(200, "GET", at+"/interaction", token, ""); r.text("page_size") != "3" {
		t.Errorf("interaction = %s, want three calls", r.raw)
	}
	row := s.want(200, "GET", at+"/"+one, token, "").doc["data"].(document)
	for _, key := range strings.Fields("id call_id timestamp unix_timestamp iso_8601 datetime rfc_1036 direction from to caller_id_name caller_id_number callee_id_name " +
		"callee_id_number dialed_number calling_from duration_seconds billing_seconds hangup_cause cost rate rate_name reseller_cost reseller_call_type " +
		"authorizing_id owner_id bridge_id other_leg_call_id request interaction_id media_recordings") {
		if _, sent := row[key]; !sent {
			t.Errorf("a call has no %s", key)
		}
	}
	for _, bad := range []string{one[:22], "202610" + one[6:], "x", "202611-zzzzzzzzzzzzzzzz"} {
		s.want(404, "GET", at+"/"+bad, token, "")
		s.want(404, "GET", at+"/legs/"+bad, token, "")
	}
	s.want(400, "GET", at+"?created_from=1&created_to=9999999", token, "")
}
