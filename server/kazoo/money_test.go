package kazoo

import (
	"context"
	"fmt"
	"testing"
	"time"

	"billd/rating"
	"billd/storage"
)

const adjustment = `"source":{"service":"adjustments","id":"%s"},"usage":{"type":"labour","quantity":1,"unit":"job"},"period":{"start":63879926400}`

func TestLedgersAreCheckedBeforeTheyAreBooked(t *testing.T) {
	s := newServer(t)
	id, token := s.tenant(s.master, "Northfield")
	good := fmt.Sprintf(adjustment, "x")
	for _, tt := range []struct {
		name, body string
		status     int
		at         string
	}{
		{"nothing", `{}`, 400, "data.amount.required"},
		{"no source", `{"amount":1,"usage":{"type":"a","quantity":1,"unit":"b"}}`, 400, "data.source.required"},
		{"no usage", `{"amount":1,"source":{"service":"a","id":"b"}}`, 400, "data.usage.required"},
		{"below a dollar", `{"amount":0.99,` + good + `}`, 400, "data.amount.minimum"},
		{"below nothing", `{"amount":-5,` + good + `}`, 400, "data.amount.minimum"},
		{"no number", `{"amount":"lots",` + good + `}`, 400, "data.amount.type"},
		{"more than an amount can be", `{"amount":1e13,` + good + `}`, 400, "data.amount.maximum"},
		{"an exponent without end", `{"amount":1e999999999,` + good + `}`, 400, "data.amount.maximum"},
		{"text that is a number", `{"amount":"5",` + good + `}`, 201, "data.id"},
		{"the same again", `{"amount":7,` + good + `}`, 409, "message"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := s.call("PUT", "/v2/accounts/"+id+"/ledgers/credit", s.token, `{"data":`+tt.body+`}`)
			if r.status != tt.status || r.at(tt.at) == "absent" {
				t.Errorf("credit = %d %s, want %d with %s", r.status, r.raw, tt.status, tt.at)
			}
		})
	}
	s.want(403, "PUT", "/v2/accounts/"+id+"/ledgers/credit", token, `{"data":{"amount":5,`+fmt.Sprintf(adjustment, "y")+`}}`)
	if r := s.want(200, "GET", "/v2/accounts/"+id+"/ledgers/total", token, ""); r.text("data.amount") != "5" {
		t.Errorf("total = %s, want 5", r.raw)
	}
	if r := s.want(200, "GET", "/v2/accounts/"+id+"/transactions/current_balance", token, ""); r.text("data.balance") != "5" {
		t.Errorf("balance = %s, want 5", r.raw)
	}
}

func TestAmountsKeepTheirDigits(t *testing.T) {
	s := newServer(t)
	id, _ := s.tenant(s.master, "Northfield")
	for i, amount := range []string{"1.1", "2.2", "3.3", "123456789.123456"} {
		s.want(201, "PUT", "/v2/accounts/"+id+"/ledgers/credit", s.token, `{"data":{"amount":`+amount+`,`+fmt.Sprintf(adjustment, fmt.Sprint(i))+`}}`)
	}
	if got, want := s.want(200, "GET", "/v2/accounts/"+id+"/ledgers/total", s.token, "").text("data.amount"), "123456795.723456"; got != want {
		t.Errorf("total = %s, want %s", got, want)
	}
}

// A call that was charged is in the ledgers, in the CDRs and in the balance.
func TestACallIsInTheLedgersView(t *testing.T) {
	s := newServer(t)
	id, token := s.tenant(s.master, "Northfield")
	ctx := context.Background()
	err := s.db.Update(ctx, func(tx *storage.Tx) error {
		return tx.Rates.Put(&rating.Rate{Deck: rating.DefaultDeck, Prefix: "44", Terms: rating.Terms{First: rating.Step{Seconds: 60, Price: 10_000_000}, Next: rating.Step{Seconds: 60, Price: 10_000_000}}})
	})
	if err != nil {
		t.Fatal(err)
	}
	q := storage.NewIngest(s.db)
	defer q.Stop()
	var records []storage.Record
	for i := range 3 {
		var c rating.Call
		c.SetTime(rating.CDRTimeStart, testClock.Add(-time.Duration(i+1)*time.Hour))
		c.SetInt(rating.CDRDuration, 61)
		c.SetText(rating.CDRCallID, fmt.Sprint("call-", i))
		c.SetText(rating.CDRDstPrefixRouting, "442071838750")
		c.AccountRef = "Northfield"
		records = append(records, storage.Record{Call: &c})
	}
	if _, err := q.Submit(ctx, records); err != nil {
		t.Fatal(err)
	}
	at := "/v2/accounts/" + id
	r := s.want(200, "GET", at+"/ledgers", token, "")
	if got, want := r.at("data.per-minute-voip"), `{"amount":-0.06,"usage":{"quantity":360,"type":"voice","unit":"sec"}}`; got != want {
		t.Errorf("per-minute-voip = %s, want %s", got, want)
	}
	if got := s.want(200, "GET", at+"/ledgers/total", token, "").text("data.amount"); got != "-0.06" {
		t.Errorf("total = %s, want -0.06", got)
	}
	first := s.want(200, "GET", at+"/ledgers/per-minute-voip?page_size=2", token, "")
	rest := s.want(200, "GET", at+"/ledgers/per-minute-voip?page_size=2&start_key="+first.text("next_start_key"), token, "")
	if got := first.text("data.0.source.id") + " " + first.text("data.1.source.id") + " " + rest.text("data.0.source.id") + " " + rest.at("next_start_key"); got != "call-0 call-1 call-2 absent" {
		t.Errorf("pages = %s, want the newest first", got)
	}
	one := s.want(200, "GET", at+"/ledgers/per-minute-voip/"+first.text("data.0.id"), token, "")
	if one.text("data.amount") != "-0.02" {
		t.Errorf("one = %s, want -0.02", one.raw)
	}
	s.want(404, "GET", at+"/ledgers/adjustments/"+first.text("data.0.id"), token, "")
	other, otherToken := s.tenant(s.master, "Southfield")
	s.want(404, "GET", "/v2/accounts/"+other+"/ledgers/per-minute-voip/"+first.text("data.0.id"), otherToken, "")
	calls := s.want(200, "GET", at+"/cdrs?page_size=2", token, "")
	if got := calls.text("data.0.call_id") + " " + calls.text("data.0.billing_seconds") + " " + calls.text("data.0.cost") + " " + calls.text("page_size"); got != "call-0 120 0.02 2" {
		t.Errorf("cdrs = %s, want call-0 120 0.02 2", got)
	}
	last := s.want(200, "GET", at+"/cdrs?page_size=2&start_key="+calls.text("next_start_key"), token, "")
	if got := last.text("data.0.call_id") + " " + last.at("next_start_key"); got != "call-2 absent" {
		t.Errorf("the last page = %s, want call-2", got)
	}
	s.want(200, "GET", at+"/cdrs/"+calls.text("data.0.id"), token, "")
	s.want(404, "GET", "/v2/accounts/"+other+"/cdrs/"+calls.text("data.0.id"), otherToken, "")
	if r := s.want(200, "GET", at+"/services/audit_summary/per-minute-voip", token, ""); r.text("data.0.2026-11-21.quantity") != "360" {
		t.Errorf("audit_summary = %s, want 360 s on the day", r.raw)
	}
}

func TestRangesAreChecked(t *testing.T) {
	s := newServer(t)
	path := "/v2/accounts/" + s.master + "/ledgers"
	now := seconds(testClock)
	for _, tt := range []struct {
		name, query string
		want        int
	}{
		{"none", "", 200},
		{"a month and an hour", fmt.Sprintf("created_from=%d&created_to=%d", now-2_682_000, now), 200},
		{"a second more", fmt.Sprintf("created_from=%d&created_to=%d", now-2_682_001, now), 400},
		{"backwards", fmt.Sprintf("created_from=%d&created_to=%d", now, now-1), 400},
		{"no number", "created_from=yesterday", 400},
		{"beyond time", "created_to=99999999999999999999", 400},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if r := s.call("GET", path+"?"+tt.query, s.token, ""); r.status != tt.want {
				t.Errorf("status = %d %s, want %d", r.status, r.raw, tt.want)
			}
		})
	}
}

func TestTransactionsMoveTheBalance(t *testing.T) {
	s := newServer(t)
	id, token := s.tenant(s.master, "Northfield")
	at := "/v2/accounts/" + id + "/transactions"
	for _, tt := range []struct {
		name, method, path, body string
		status                   int
		at, want                 string
	}{
		{"a credit without an amount", "PUT", "/credit", `{}`, 400, "data.amount.required.message", "Amount is required"},
		{"a credit of nothing", "PUT", "/credit", `{"amount":0}`, 400, "data.amount.minimum.target", "0"},
		{"a credit", "PUT", "/credit", `{"amount":10}`, 201, "data.code", "3001"},
		{"a debit", "DELETE", "/debit", `{"amount":2.5}`, 200, "data.reason", "admin_discretion"},
		{"a sale", "PUT", "/sale", `{"amount":1}`, 201, "data.type", "credit"},
		{"a refund", "PUT", "/refund", `{"amount":0.5,"order_id":"o-1"}`, 201, "data.metadata.order_id", "o-1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := s.call(tt.method, at+tt.path, s.token, `{"data":`+tt.body+`}`)
			if r.status != tt.status || r.text(tt.at) != tt.want {
				t.Errorf("%s = %d %s, want %d with %s = %s", tt.path, r.status, r.raw, tt.status, tt.at, tt.want)
			}
		})
	}
	s.want(403, "PUT", at+"/credit", token, `{"data":{"amount":10}}`)
	if got := s.want(200, "GET", at+"/current_balance", token, "").text("data.balance"); got != "8" {
		t.Errorf("balance = %s, want 8", got)
	}
	list := s.want(200, "GET", at, token, "")
	if len(list.doc["data"].([]any)) != 4 {
		t.Errorf("transactions = %s, want 4", list.raw)
	}
	s.want(200, "GET", at+"/"+list.text("data.0.id"), token, "")
	s.want(404, "GET", at+"/202601-0", token, "")
}
