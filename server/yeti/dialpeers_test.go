package yeti

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"billd/rating"
	"billd/server/ops"
	"billd/storage"
)

// linked is a document of a type with attributes and to-one relationships, each "name:type:id".
func linked(typ, attrs string, rels ...string) string {
	var b strings.Builder
	for i, rel := range rels {
		part := strings.SplitN(rel, ":", 3)
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `"%s":{"data":{"type":"%s","id":"%s"}}`, part[0], part[1], part[2])
	}
	return `{"data":{"type":"` + typ + `","attributes":{` + attrs + `},"relationships":{` + b.String() + `}}}`
}

func dialpeerDoc(vendor, account, attrs string, more ...string) string {
	return linked("dialpeers", attrs, append([]string{"vendor:contractors:" + vendor, "account:accounts:" + account}, more...)...)
}

const vendorPrices = `"initial-rate":"0.05","next-rate":"0.04"`

// carrier makes a contractor that sells and buys no more, and an account of it.
func (r *rig) carrier(name string) (contractor, account string) {
	r.t.Helper()
	contractor = r.create("/contractors", `{"data":{"type":"contractors","attributes":{"name":"`+name+`","vendor":true}}}`)
	return contractor, r.account(contractor, name, "")
}

func TestRulesOfDialpeers(t *testing.T) {
	r := newRig(t)
	vendor, acc := r.carrier("Carrier")
	other, foreign := r.carrier("Other")
	buyer := r.create("/contractors", `{"data":{"type":"contractors","attributes":{"name":"Buyer","customer":true}}}`)
	bought := r.account(buyer, "bought", "")
	for _, tt := range []struct{ name, doc, want string }{
		{"nothing", `{"data":{"type":"dialpeers","attributes":{}}}`, "vendor - must exist; account - must exist; next-rate - can't be blank; next-rate - is not a number; initial-rate - can't be blank; initial-rate - is not a number"},
		{"a vendor and an account that are not there", dialpeerDoc("99", "99", vendorPrices), "vendor - must exist; account - must exist"},
		{"somebody who is no vendor", dialpeerDoc(buyer, bought, vendorPrices), "vendor - Is not vendor"},
		{"another vendor's account", dialpeerDoc(vendor, foreign, vendorPrices), "account - must be owned by selected vendor"},
		{"bounds", dialpeerDoc(vendor, acc, vendorPrices+`,"capacity":0,"force-hit-rate":1.5,"initial-interval":0,"next-interval":-1,"dst-number-max-length":101,"lcr-rate-multiplier":"x"`),
			"initial-interval - must be greater than 0; next-interval - must be greater than 0; capacity - must be greater than 0; lcr-rate-multiplier - is not a number; force-hit-rate - must be less than or equal to 1.0; dst-number-max-length - must be less than or equal to 100"},
		{"a prefix with blanks", dialpeerDoc(vendor, acc, vendorPrices+`,"prefix":"4 8"`), "prefix - is invalid"},
		{"a validity backwards", dialpeerDoc(vendor, acc, vendorPrices+`,"valid-from":"2030-01-01","valid-till":"2029-01-01"`), "valid-till - valid till 2029-01-01T00:00:00Z: before valid from 2030-01-01T00:00:00Z"},
		{"two ways out", dialpeerDoc(vendor, acc, vendorPrices, "gateway:gateways:1", "gateway-group:gateway-groups:2"), "data: Specify a gateway_group or a gateway"},
		{"an attribute that is none", dialpeerDoc(vendor, acc, vendorPrices+`,"reject-calls":true`), ": reject-calls is not allowed."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := r.admin("POST", "/dialpeers", tt.doc).details(); got != tt.want {
				t.Errorf("details\n got %s\nwant %s", got, tt.want)
			}
		})
	}
	id := r.create("/dialpeers", dialpeerDoc(vendor, acc, vendorPrices))
	for name, want := range map[string]string{"valid-from": `"2026-11-21T12:00:00.123Z"`, "valid-till": `"2031-11-21T12:00:00.123Z"`, "prefix": `""`, "enabled": `true`,
		"connect-fee": `"0.0"`, "initial-interval": `1`, "next-interval": `1`, "lcr-rate-multiplier": `"1.0"`, "force-hit-rate": `null`, "capacity": `null`, "reverse-billing": `false`, "dst-number-max-length": `100`} {
		if got := r.attribute("/dialpeers/"+id, name); got != want {
			t.Errorf("default of %s = %s, want %s", name, got, want)
		}
	}
	// One side's rates are not found on the other.
	if got := r.admin("GET", "/destinations/"+id, "").StatusCode; got != 404 {
		t.Errorf("a dialpeer as destination = %d, want 404", got)
	}
	d := r.create("/destinations", fmt.Sprintf(destinationDoc, vendorPrices, "1"))
	if got := r.admin("GET", "/dialpeers/"+d, "").StatusCode; got != 404 {
		t.Errorf("a destination as dialpeer = %d, want 404", got)
	}
	// Vendor and account move together.
	patch := func(path, doc string) string { return r.admin("PATCH", path, doc).details() }
	if got, want := patch("/dialpeers/"+id, `{"data":{"type":"dialpeers","id":`+id+`,"attributes":{},"relationships":{"vendor":{"data":{"type":"contractors","id":`+other+`}}}}}`), "account - must be owned by selected vendor"; got != want {
		t.Errorf("another vendor alone = %s, want %s", got, want)
	}
	if got, want := patch("/dialpeers/"+id+"/relationships/account", `{"data":{"type":"accounts","id":`+foreign+`}}`), "account - must be owned by selected vendor"; got != want {
		t.Errorf("another account alone = %s, want %s", got, want)
	}
	if a := r.admin("PATCH", "/dialpeers/"+id, `{"data":{"type":"dialpeers","id":`+id+`,"relationships":{"vendor":{"data":{"type":"contractors","id":`+other+`}},"account":{"data":{"type":"accounts","id":`+foreign+`}}}}}`); a.StatusCode != 200 || !strings.Contains(a.body, `"data":{"type":"accounts","id":"`+foreign+`"}`) {
		t.Errorf("both = %d %s, want the other account", a.StatusCode, a.body)
	}
	for path, want := range map[string]string{"/accounts/" + foreign: "data: Cannot delete record because dependent dialpeers exist", "/accounts/" + acc: "204 No Content "} {
		if got := r.admin("DELETE", path, "").details(); got != want {
			t.Errorf("DELETE %s = %s, want %s", path, got, want)
		}
	}
	r.sound()
}

func TestListsOfDialpeers(t *testing.T) {
	r := newRig(t)
	vendor, acc := r.carrier("Carrier")
	second := r.account(vendor, "second", "")
	r.create("/destinations", fmt.Sprintf(destinationDoc, vendorPrices, "1")) // on no list of dialpeers
	ids := []string{
		r.create("/dialpeers", dialpeerDoc(vendor, acc, vendorPrices+`,"prefix":"48","external-id":7`, "routing-group:routing-groups:3")),
		r.create("/dialpeers", dialpeerDoc(vendor, acc, `"initial-rate":1,"next-rate":2,"prefix":"4822","enabled":false,"capacity":10,"force-hit-rate":0.25`)),
		r.create("/dialpeers", dialpeerDoc(vendor, second, `"initial-rate":3,"next-rate":3,"prefix":"49","lcr-rate-multiplier":"1.5","reverse-billing":true`, "gateway:gateways:12")),
	}
	for _, tt := range []struct{ name, query, want string }{
		{"in order of number", "", "~a,~b,~c of 3"},
		{"a page", "page[size]=2&page[number]=2", "~c of 3"},
		{"by price, descending", "sort=-next-rate", "~c,~b,~a of 3"},
		{"by force hit rate, null last", "sort=force-hit-rate,-id", "~b,~c,~a of 3"},
		{"of prefixes", "filter[prefix]=48,49", "~a,~c of 2"},
		{"prefix begins", "filter[prefix_start]=48", "~a,~b of 2"},
		{"by external id", "filter[external_id]=7,8", "~a of 1"},
		{"of a routing group", "filter[routing_group_id]=3", "~a of 1"},
		{"by price", "filter[next_rate_gteq]=2", "~b,~c of 2"},
		{"by multiplier", "filter[lcr_rate_multiplier_gt]=1", "~c of 1"},
		{"by capacity", "filter[capacity_lt]=11", "~b of 1"},
		{"by force hit rate", "filter[force-hit-rate-eq]=0.25", "~b of 1"},
		{"off", "filter[enabled_eq]=false", "~b of 1"},
		{"reverse", "filter[reverse_billing_eq]=true", "~c of 1"},
		{"still valid", "filter[valid_till_gt]=2030-01-01", "~a,~b,~c of 3"},
		{"ids", "filter[id]=~b,77", "~b of 1"},
		{"a filter of destinations only", "filter[rate_group_id]=1", "error 102"},
		{"a sort of destinations only", "sort=asr-limit", "error 114"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got, want := r.admin("GET", "/dialpeers?"+brackets.Replace(named(tt.query, ids)), "").listed(t), named(tt.want, ids); got != want {
				t.Errorf("%s = %s, want %s", tt.query, got, want)
			}
		})
	}
	a := r.admin("GET", "/dialpeers?include=vendor,account.contractor,gateway&"+brackets.Replace("fields[dialpeers]=prefix,account&fields[accounts]=name&fields[contractors]=name"), "")
	if got, want := strings.Count(a.body, `"attributes":{"name":`), 3; got != want {
		t.Errorf("included %d records, want the vendor and two accounts: %s", got, a.body)
	}
	for path, want := range map[string]string{
		"/dialpeers/" + ids[2] + "/relationships/gateway": `{"data":{"type":"gateways","id":"12"},`,
		"/dialpeers/" + ids[2] + "/gateway":               `{"data":null}`,
		"/dialpeers/" + ids[2] + "/account":               `{"data":{"id":"` + second + `","type":"accounts"`,
		"/dialpeers/" + ids[2] + "/relationships/vendor":  `{"data":{"type":"contractors","id":"` + vendor + `"},`,
	} {
		if got := r.admin("GET", path, "").body; !strings.HasPrefix(got, want) {
			t.Errorf("%s = %s, want %s…", path, got, want)
		}
	}
	if a := r.admin("PATCH", "/dialpeers/"+ids[2]+"/relationships/gateway", `{"data":null}`); a.StatusCode != 204 || !strings.HasPrefix(r.admin("GET", "/dialpeers/"+ids[2]+"/relationships/gateway", "").body, `{"data":null,`) {
		t.Errorf("unlinking a gateway = %d %s", a.StatusCode, a.body)
	}
	// What is shown can be written back.
	doc := r.admin("GET", "/dialpeers/"+ids[1], "").body
	var shown struct {
		Data struct {
			Attributes json.RawMessage `json:"attributes"`
		} `json:"data"`
	}
	r.must(json.Unmarshal([]byte(doc), &shown))
	if a := r.admin("PUT", "/dialpeers/"+ids[1], `{"data":{"type":"dialpeers","id":"`+ids[1]+`","attributes":`+string(shown.Data.Attributes)+`}}`); a.StatusCode != 200 || a.body != doc {
		t.Errorf("PUT = %d %s, want the same document", a.StatusCode, a.body)
	}
	if got, want := r.admin("GET", "/rate-groups", "").listed(t), "1 of 1"; got != want {
		t.Errorf("rate groups = %s, want %s: vendors' decks are none", got, want)
	}
}

// dialled charges an answered minute that begins now and returns its document's id.
func (r *rig) dialled(number string, fill func(c *rating.Call)) string {
	r.t.Helper()
	call := &rating.Call{}
	call.SetTime(rating.CDRTimeStart, r.now())
	call.SetInt(rating.CDRDuration, 60)
	call.SetText(rating.CDRDstPrefixRouting, number)
	fill(call)
	var v rating.Verdict
	r.update(func(tx *storage.Tx) (err error) {
		v, err = tx.Charge(call)
		return err
	})
	if v.ID == 0 {
		r.t.Fatalf("the call was not charged: %+v", v)
	}
	return decimal(v.ID)
}

func TestAVendorIsPaidByItsDialpeers(t *testing.T) {
	r := newRig(t)
	vendor, acc := r.carrier("Carrier")
	buyer := r.account(r.contractor("Northfield"), "buyer", "")
	r.create("/destinations", fmt.Sprintf(destinationDoc, `"prefix":"48","initial-rate":"0.2","next-rate":"0.2"`, "1"))
	short := r.create("/dialpeers", dialpeerDoc(vendor, acc, `"prefix":"48","initial-rate":"0.05","next-rate":"0.05"`))
	long := r.create("/dialpeers", dialpeerDoc(vendor, acc, `"prefix":"4822","initial-rate":"0.1","next-rate":"0.1","connect-fee":"0.01"`))
	r.create("/dialpeers", dialpeerDoc(vendor, acc, `"prefix":"48221","initial-rate":1,"next-rate":1,"enabled":false`))
	id := r.dialled("48221", func(c *rating.Call) {
		c.SetInt(rating.CDRCustomerAccID, int64(number(t, buyer)))
		c.SetInt(rating.CDRVendorAccID, int64(number(t, acc)))
	})
	for name, want := range map[string]string{"vendor-price": `"0.11"`, "customer-price": `"0.2"`, "profit": `"0.09"`, "dialpeer-prefix": `"4822"`, "dialpeer-fee": `"0.01"`, "vendor-duration": `60`} {
		if got := r.attribute("/cdrs/"+id, name); got != want {
			t.Errorf("%s = %s, want %s", name, got, want)
		}
	}
	if got, want := r.admin("GET", "/cdrs/"+id+"/dialpeer", "").body, `{"data":{"id":"`+long+`","type":"dialpeers"`; !strings.HasPrefix(got, want) {
		t.Errorf("the call's dialpeer = %s, want %s…", got, want)
	}
	if got, want := r.attribute("/accounts/"+acc, "balance"), `"0.11"`; got != want {
		t.Errorf("what is owed to the vendor = %s, want %s", got, want)
	}
	if got, want := r.admin("GET", "/cdrs?"+brackets.Replace("filter[dialpeer_id_eq]="+long), "").listed(t), id+" of 1"; got != want {
		t.Errorf("calls of the dialpeer = %s, want %s", got, want)
	}
	if a := r.admin("DELETE", "/dialpeers/"+long, ""); a.StatusCode != 204 {
		t.Fatalf("delete = %d %s", a.StatusCode, a.body)
	}
	again := r.dialled("48221", func(c *rating.Call) {
		c.SetInt(rating.CDRCustomerAccID, int64(number(t, buyer)))
		c.SetInt(rating.CDRVendorAccID, int64(number(t, acc)))
		c.SetText(rating.CDRCallID, "again")
	})
	if got := r.attribute("/cdrs/"+again, "vendor-price"); got != `"0.05"` {
		t.Errorf("after the longer one is gone = %s, want the price of %s", got, short)
	}
	r.sound()
}

func TestAScheduledDialpeerRateIsApplied(t *testing.T) {
	r := newRig(t)
	vendor, acc := r.carrier("Carrier")
	dialpeer := r.create("/dialpeers", dialpeerDoc(vendor, acc, vendorPrices+`,"prefix":"48"`))
	destination := r.create("/destinations", fmt.Sprintf(destinationDoc, vendorPrices, "1"))
	const terms = `"next-rate":"0.25","initial-rate":"0.3","initial-interval":60,"next-interval":6,"connect-fee":"0.01","apply-time":"2026-11-21T13:00:00Z"`
	for _, tt := range []struct{ name, doc, want string }{
		{"a destination is no dialpeer", linked("dialpeer-next-rates", terms, "dialpeer:dialpeers:"+destination), "dialpeer - must exist"},
		{"nothing", `{"data":{"type":"dialpeer-next-rates","attributes":{}}}`, "dialpeer - must exist; next-rate - can't be blank; next-rate - is not a number; initial-rate - can't be blank; initial-rate - is not a number; initial-interval - can't be blank; initial-interval - is not a number; next-interval - can't be blank; next-interval - is not a number; connect-fee - can't be blank; connect-fee - is not a number; apply-time - can't be blank"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := r.admin("POST", "/dialpeer-next-rates", tt.doc).details(); got != tt.want {
				t.Errorf("details\n got %s\nwant %s", got, tt.want)
			}
		})
	}
	n := r.create("/dialpeer-next-rates", linked("dialpeer-next-rates", terms+`,"external-id":7`, "dialpeer:dialpeers:"+dialpeer))
	o := r.create("/destination-next-rates", linked("destination-next-rates", terms, "destination:destinations:"+destination))
	lists := func(when string, paths map[string]string) {
		t.Helper()
		for path, want := range paths {
			if got := r.admin("GET", brackets.Replace(path), "").listed(t); got != want {
				t.Errorf("%s: %s = %s, want %s", when, path, got, want)
			}
		}
	}
	lists("each side has its own", map[string]string{"/dialpeer-next-rates": n + " of 1", "/destination-next-rates": o + " of 1", "/dialpeers/" + dialpeer + "/dialpeer-next-rates": n + " of 1",
		"/dialpeer-next-rates?filter[external_id]=7": n + " of 1", "/dialpeer-next-rates?filter[applied_eq]=true": " of 0", "/dialpeer-next-rates?filter[apply_time_gt]=2027-01-01": " of 0", "/dialpeer-next-rates?sort=-apply-time": n + " of 1"})
	for _, path := range []string{"/dialpeer-next-rates/" + o, "/destination-next-rates/" + n} {
		if got := r.admin("GET", path, "").StatusCode; got != 404 {
			t.Errorf("%s = %d, want 404", path, got)
		}
	}
	r.later(time.Hour)
	if done, err := ops.ApplyNextRates(t.Context(), r.env()); err != nil || done != 2 {
		t.Errorf("applied %d, %v, want 2", done, err)
	}
	if got, want := r.attribute("/dialpeers/"+dialpeer, "initial-rate")+r.attribute("/dialpeers/"+dialpeer, "next-interval")+r.attribute("/dialpeers/"+dialpeer, "connect-fee"), `"0.3"6"0.01"`; got != want {
		t.Errorf("the dialpeer has %s, want %s", got, want)
	}
	lists("afterwards", map[string]string{"/dialpeer-next-rates?filter[applied_eq]=true": n + " of 1"})
	r.admin("DELETE", "/dialpeers/"+dialpeer, "")
	lists("the dialpeer is deleted", map[string]string{"/dialpeer-next-rates": " of 0", "/destination-next-rates": o + " of 1"})
	r.sound()
}

func TestTranscriptOfDialpeers(t *testing.T) {
	r := newRig(t)
	vendor, acc := r.carrier("Carrier")
	const base = "/api/rest/admin/dialpeers"
	r.transcript("dialpeers.http", []exchange{
		{"create", "POST " + base + " HTTP/1.1", "", dialpeerDoc(vendor, acc, vendorPrices+`,"prefix":"48","capacity":10,"force-hit-rate":"0.25","lcr-rate-multiplier":1.5`, "gateway:gateways:12", "routing-group:routing-groups:3")},
		{"show", "GET " + base + "/1?include=vendor&fields[contractors]=name HTTP/1.1", "", ""},
		{"list", "GET " + base + "?page[size]=1&fields[dialpeers]=prefix,gateway HTTP/1.1", "", ""},
		{"every rule that a document breaks is reported", "PATCH " + base + "/1 HTTP/1.1", "", `{"data":{"type":"dialpeers","id":"1","attributes":{"next-rate":null,"next-interval":0},"relationships":{"account":{"data":null}}}}`},
		{"schedule a change", "POST /api/rest/admin/dialpeer-next-rates HTTP/1.1", "", linked("dialpeer-next-rates", `"next-rate":"0.25","initial-rate":"0.3","initial-interval":60,"next-interval":6,"connect-fee":"0.01","apply-time":"2026-11-21T13:00:00Z"`, "dialpeer:dialpeers:1")},
		{"the changes of a dialpeer", "GET " + base + "/1/dialpeer-next-rates HTTP/1.1", "", ""},
		{"linkage of a record that a switch has", "GET " + base + "/1/relationships/gateway HTTP/1.1", "", ""},
		{"a record that a switch has", "GET " + base + "/1/gateway HTTP/1.1", "", ""},
		{"an account that vendors are paid to stays", "DELETE /api/rest/admin/accounts/" + acc + " HTTP/1.1", "", ""},
		{"delete", "DELETE " + base + "/1 HTTP/1.1", "", ""},
		{"what is deleted is not there", "GET " + base + "/1 HTTP/1.1", "", ""},
	})
}
