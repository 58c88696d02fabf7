package yeti

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"billd/rating"
	"billd/storage"
)

func TestACustomersCallsAreItsOwnLastAttemptsOfTheDay(t *testing.T) {
	r := newRig(t)
	con, carrier := r.contractor("Northfield"), r.contractor("Carrier")
	one, two, vendor := r.account(con, "one", ""), r.account(con, "two", ""), r.account(carrier, "carrier", "")
	uuid := func(id string) string { return strings.Trim(r.attribute("/accounts/"+id, "uuid"), `"`) }
	attempt := func(last bool, n int64) func(*rating.Call) {
		return func(c *rating.Call) { c.SetBool(rating.CDRIsLastCDR, last); c.SetInt(rating.CDRRoutingAttempt, n) }
	}
	ids := []string{
		r.history(one, vendor, testClock.Add(-25*time.Hour), nil),
		r.history(one, vendor, testClock.Add(-2*time.Hour), attempt(false, 1)),
		r.history(one, vendor, testClock.Add(-2*time.Hour+time.Second), attempt(true, 2)),
		r.history(two, "", testClock.Add(-time.Hour), nil),
		r.history(vendor, one, testClock.Add(-time.Minute), nil),
	}
	all, limited, seller := r.customer(con, ""), r.customer(con, two), r.customer(carrier, "")
	for _, tt := range []struct{ name, token, path, want string }{
		{"of a day", all, "/cdrs", "~d,~c of 2"},
		{"of two days", all, "/cdrs?filter[time_start_gteq]=2026-11-20", "~d,~c,~a of 3"},
		{"before an hour, still of a day", all, "/cdrs?filter[time_start_lt]=2026-11-21T10:30:00Z", "~c of 1"},
		{"of an account", all, "/cdrs?filter[account_id_eq]=" + uuid(one), "~c of 1"},
		{"not of an account", all, "/cdrs?filter[account_id_not_eq]=" + uuid(one), "~d of 1"},
		{"of a foreign account", all, "/cdrs?filter[account_id_eq]=" + uuid(vendor), " of 0"},
		{"of the accounts allowed", limited, "/cdrs", "~d of 1"},
		{"incoming are every attempt", seller, "/incoming-cdrs?sort=id", "~b,~c of 2"},
		{"incoming of a customer that terminates too", all, "/incoming-cdrs", "~e of 1"},
		{"incoming of an account that does not", limited, "/incoming-cdrs", " of 0"},
		{"by number", seller, "/incoming-cdrs?filter[id_eq]=" + ids[1], "~b of 1"},
		{"by price without VAT, which is not shown", all, "/cdrs?filter[customer_price_no_vat_gt]=1", " of 0"},
		{"by part of the address a call went to", seller, "/incoming-cdrs?filter[sign_term_ip_cont]=9", " of 0"},
		{"by what is not there", all, "/cdrs?filter[vendor_price_gt]=1", "error 102"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got, want := r.own(tt.token, brackets.Replace(tt.path)).listed(t), named(tt.want, ids); got != want {
				t.Errorf("%s = %s, want %s", tt.path, got, want)
			}
		})
	}
	for _, tt := range []struct {
		name, token, path string
		want              int
	}{
		{"one older than a day is shown", all, "/cdrs/" + ids[0], 200},
		{"an earlier attempt is not", all, "/cdrs/" + ids[1], 404},
		{"one of an account that is not allowed is not", limited, "/cdrs/" + ids[2], 404},
		{"another's is not", seller, "/cdrs/" + ids[2], 404},
		{"what is no number is refused", all, "/cdrs/x", 400},
		{"a write is no route", all, "/cdrs/" + ids[2] + "/recording", 404},
		{"a protocol's record is none", all, "/cdrs/" + ids[2] + "/auth-orig-transport-protocol", 200},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := r.own(tt.token, tt.path).StatusCode; got != tt.want {
				t.Errorf("GET %s = %d, want %d", tt.path, got, tt.want)
			}
		})
	}
	for _, tt := range []struct{ name, token, path, want string }{
		{"no recording of a call", all, "/cdrs/" + ids[2] + "/rec", ""},
		{"nor of one terminated", seller, "/incoming-cdrs/" + ids[1] + "/rec", ""},
		{"of another's call", seller, "/cdrs/" + ids[2] + "/rec", notFound(ids[2])},
		{"of no call", all, "/incoming-cdrs/1/rec", notFound("1")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if a := r.own(tt.token, tt.path); a.StatusCode != 404 || a.body != tt.want {
				t.Errorf("GET %s = %d %s, want 404 %s", tt.path, a.StatusCode, a.body, tt.want)
			}
		})
	}
}

// notFound is the document that says that no record goes by id.
func notFound(id string) string {
	return `{"errors":[{"title":"Record not found","detail":"The record identified by ` + id + ` could not be found.","code":"404","status":"404"}]}`
}

func TestACustomerSeesTheRatesOfItsPlanOnly(t *testing.T) {
	r := newRig(t)
	con, stranger := r.contractor("Northfield"), r.contractor("Stranger")
	acc := r.account(con, "one", "")
	r.account(stranger, "two", "")
	plan := r.create("/rateplans", `{"data":{"type":"rateplans","attributes":{"name":"standard"}}}`)
	group := r.create("/rate-groups", `{"data":{"type":"rate-groups","attributes":{"name":"retail"},"relationships":{"rateplans":{"data":[{"type":"rateplans","id":"`+plan+`"}]}}}}`)
	for _, prefix := range []string{"48", "4822", "44"} {
		r.create("/destinations", fmt.Sprintf(destinationDoc, `"prefix":"`+prefix+`","initial-rate":"0.5","next-rate":"0.25","initial-interval":60`, group))
	}
	r.create("/destinations", fmt.Sprintf(destinationDoc, `"prefix":"48","initial-rate":1,"next-rate":1`, "1"))
	var planUUID, rateUUID string
	r.update(func(tx *storage.Tx) error {
		a, err := tx.Accounts.Get(number(t, acc))
		if err != nil {
			return err
		}
		p, err := tx.Plans.Get(number(t, plan))
		if err != nil {
			return err
		}
		rate, err := tx.Rates.Get(2)
		if err != nil {
			return err
		}
		planUUID, rateUUID, a.RatePlan = p.UUID.String(), tx.RateUUID(rate).String(), p.ID
		return tx.SaveAccount(a)
	})
	token, other := r.customer(con, ""), r.customer(stranger, "")
	prefixes := func(token, query string) string {
		t.Helper()
		var all []string
		for _, part := range strings.Split(r.own(token, "/rates?"+brackets.Replace(query)).body, `"prefix":"`)[1:] {
			all = append(all, part[:strings.IndexByte(part, '"')])
		}
		return strings.Join(all, ",")
	}
	for _, tt := range []struct{ name, token, query, want string }{
		{"by prefix", token, "", "44,48,4822"},
		{"a page", token, "page[size]=2&page[number]=2", "4822"},
		{"that begin", token, "filter[prefix_start]=48&sort=-prefix", "4822,48"},
		{"of the plan", token, "filter[rateplan_id_eq]=" + planUUID, "44,48,4822"},
		{"of another plan", token, "filter[rateplan_id_eq]=" + rateUUID, ""},
		{"by id (quirk Q11)", token, "filter[id]=" + rateUUID, "4822"},
		{"of the plan that everybody falls back to", other, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := prefixes(tt.token, tt.query); got != tt.want {
				t.Errorf("rates?%s = %s, want %s", tt.query, got, tt.want)
			}
		})
	}
	if got, want := r.own(token, "/rateplans").listed(t), planUUID+" of 1"; got != want {
		t.Errorf("rateplans = %s, want %s", got, want)
	}
	if got, want := r.own(other, "/rateplans/"+planUUID).StatusCode, 404; got != want {
		t.Errorf("a foreign rateplan = %d, want %d", got, want)
	}
	if got, want := r.own(other, "/rates/"+rateUUID).StatusCode, 404; got != want {
		t.Errorf("a foreign rate = %d, want %d", got, want)
	}
	check := func(token, attrs string) answer {
		return r.do("POST", CustomerBase+"/check-rate", `{"data":{"type":"check-rates","attributes":{`+attrs+`}}}`, map[string]string{"Authorization": token})
	}
	want := `"rates":[{"prefix":"4822","initial_rate":"0.5","initial_interval":60,"next_rate":"0.25","next_interval":1,"connect_fee":"0.0","reject_calls":false,` +
		`"valid_from":"2026-11-21T12:00:00.123Z","valid_till":"2031-11-21T12:00:00.123Z","network_prefix_id":14822,"routing_tag_names":[],"id":"` + rateUUID + `"}]`
	if a := check(token, `"rateplan-id":"`+planUUID+`","number":"48221234567"`); a.StatusCode != 201 || !strings.Contains(a.body, want) {
		t.Errorf("check-rate = %d %s, want %s in it", a.StatusCode, a.body, want)
	}
	r.update(func(*storage.Tx) error { // no writer waits for it, and it for none
		answered := make(chan answer, 1)
		go func() { answered <- check(token, `"rateplan-id":"`+planUUID+`","number":"48"`) }()
		select {
		case a := <-answered:
			if a.StatusCode != 201 {
				t.Errorf("beside a writer = %d %s", a.StatusCode, a.body)
			}
		case <-time.After(10 * time.Second):
			t.Error("check-rate waits for a writer")
		}
		return nil
	})
	if a := check(token, `"rateplan-id":"`+planUUID+`","number":"1"`); !strings.Contains(a.body, `"rates":[]`) {
		t.Errorf("a number without a rate = %s, want no rates", a.body)
	}
	if got, want := check(other, `"rateplan-id":"`+planUUID+`","number":"48"`).details(), "rateplan-id - Rateplan not found"; got != want {
		t.Errorf("a foreign plan (quirk Q10) = %s, want %s", got, want)
	}
	if a := check(token, ``); a.StatusCode != 201 || !strings.Contains(a.body, `"rateplan-id":null,"number":null,"rates":null`) {
		t.Errorf("nothing asked = %d %s, want nulls", a.StatusCode, a.body)
	}
	if a := r.own(token, "/profiles"); !strings.HasPrefix(a.body, `{"data":{"id":"1","type":"profiles","attributes":{"account":true,"outgoing-rateplans":true,`) || !strings.HasSuffix(a.body, `"payments-cryptomus":false,"services":true,"transactions":true}}}`) {
		t.Errorf("profiles = %s", a.body)
	}
}

func TestACustomersAccountsAreNamedByUUID(t *testing.T) {
	r := newRig(t)
	con := r.contractor("Northfield")
	one := r.account(con, "one", `,"min-balance":-5`)
	r.account(r.contractor("Stranger"), "two", "")
	uuid := strings.Trim(r.attribute("/accounts/"+one, "uuid"), `"`)
	token := r.customer(con, "")
	want := `{"data":[{"id":"` + uuid + `","type":"accounts","links":{"self":"` + r.base + CustomerBase + `/accounts/` + uuid + `"},"attributes":{"name":"one","balance":"0.0","min-balance":"-5.0",` +
		`"max-balance":"0.0","destination-rate-limit":null,"origination-capacity":null,"termination-capacity":null,"total-capacity":null}}],"meta":{"total-count":1},`
	if got := r.own(token, "/accounts?"+brackets.Replace("filter[min_balance_lt]=0&filter[uuid_eq]="+uuid)).body; !strings.HasPrefix(got, want) {
		t.Errorf("accounts = %s, want %s…", got, want)
	}
	if got := r.own(token, "/accounts/"+uuid).StatusCode; got != 200 {
		t.Errorf("show = %d, want 200", got)
	}
	if got := r.own(token, "/accounts/1").StatusCode; got != 404 {
		t.Errorf("a number = %d, want 404", got)
	}
	a := r.do("POST", CustomerBase+"/accounts", `{}`, map[string]string{"Authorization": token})
	if a.StatusCode != 404 {
		t.Errorf("a write = %d, want 404", a.StatusCode)
	}
}
