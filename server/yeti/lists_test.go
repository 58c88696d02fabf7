package yeti

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"billd/rating"
	"billd/storage"
)

// listed returns the ids of a list and its total count, as "3,1 of 2".
func (a answer) listed(t testing.TB) string {
	t.Helper()
	var doc struct {
		Data []struct {
			ID string `json:"id"`
		} `json:"data"`
		Meta struct {
			Total *int64 `json:"total-count"`
		} `json:"meta"`
		Errors []struct {
			Code string `json:"code"`
		} `json:"errors"`
	}
	if err := json.Unmarshal([]byte(a.body), &doc); err != nil {
		return a.Status
	}
	if len(doc.Errors) > 0 {
		return "error " + doc.Errors[0].Code
	}
	var ids []string
	for _, d := range doc.Data {
		ids = append(ids, d.ID)
	}
	return fmt.Sprintf("%s of %d", strings.Join(ids, ","), *doc.Meta.Total)
}

// named puts ids in the places of ~a, ~b …
func named(s string, ids []string) string {
	for i, id := range ids {
		s = strings.ReplaceAll(s, "~"+string(rune('a'+i)), id)
	}
	return s
}

var brackets = strings.NewReplacer("[", "%5B", "]", "%5D")

func TestListsOfCallsAreFilteredByColumnsAccountsAndTimes(t *testing.T) {
	r := newRig(t)
	con := r.contractor("Northfield")
	one, two := r.account(con, "one", ""), r.account(con, "two", "")
	country := r.country("PL")
	given := "0a1b2c3d-0000-4000-8000-000000000007"
	start := testClock.Add(-3 * time.Hour)
	call := func(account, vendor string, at time.Duration, seconds int64, price, dialled string) string {
		return r.history(account, vendor, start.Add(at), func(c *rating.Call) {
			c.SetInt(rating.CDRDuration, seconds)
			c.SetBool(rating.CDRSuccess, seconds > 0)
			r.must(c.Parse(rating.CDRCustomerPrice, price))
			c.SetText(rating.CDRDstPrefixRouting, dialled)
			c.SetText(rating.CDRUUID, given)
			given = "" // the first only
			c.SetText(rating.CDRLocalTag, "Tag-"+dialled)
			if strings.HasPrefix(dialled, "48") {
				c.SetInt(rating.CDRDstCountryID, int64(number(t, country)))
			}
		})
	}
	ids := []string{
		call(one, "", 0, 30, "0.5", "48221"),
		call(one, two, time.Minute, 0, "0", "48222"),
		call(two, "", 2*time.Minute, 90, "1.25", "49301"),
		call(two, one, 2*time.Minute+1500*time.Microsecond, 61, "0.000001", "49302"),
	}
	for _, tt := range []struct{ name, query, want string }{
		{"newest first", "", "~d,~c,~b,~a of 4"},
		{"oldest first", "sort=time-start", "~a,~b,~c,~d of 4"},
		{"a page of two", "page[size]=2&page[number]=2", "~b,~a of 4"},
		{"by id", "sort=id&page[size]=1&page[number]=3", "~c of 4"},
		{"by price", "sort=-customer-price,id", "~c,~a,~d,~b of 4"},
		{"of an account that paid", "filter[customer_acc_id_eq]=" + one, "~b,~a of 2"},
		{"of accounts that terminated", "filter[vendor_acc_id_in]=" + one + "," + two, "~d,~b of 2"},
		{"of one that paid and another that terminated", "filter[customer_acc_id_eq]=" + two + "&filter[vendor_acc_id_eq]=" + one, "~d of 1"},
		{"of nobody", "filter[customer_acc_id_eq]=999", " of 0"},
		{"from a moment", "filter[time_start_gteq]=2026-11-21T09:01:00.123Z", "~d,~c,~b of 3"},
		{"after a moment", "filter[time-start-gt]=2026-11-21T09:02:00.123Z", "~d of 1"},
		{"up to a moment", "filter[time_start_lteq]=2026-11-21T09:01:00.123Z", "~b,~a of 2"},
		{"before a date", "filter[time_start_lt]=2026-11-21", " of 0"},
		{"from beyond all time", "filter[time_start_gteq]=9000-01-01", " of 0"},
		{"before the beginning", "filter[time_start_lt]=1900-01-01", " of 0"},
		{"within a millisecond", "filter[time_start_eq]=2026-11-21T09:02:00.1245Z", "~d of 1"},
		{"duration above a fraction", "filter[duration_gt]=60.5", "~d,~c of 2"},
		{"price in a list", "filter[customer_price_in]=0.5,1.250", "~c,~a of 2"},
		{"price that no call can have", "filter[customer_price_eq]=0.0000001", " of 0"},
		{"price not", "filter[customer_price_not_eq]=0.5", "~d,~c,~b of 3"},
		{"failed", "filter[success_eq]=false", "~b of 1"},
		{"last attempts, which is what is not said", "filter[is_last_cdr_eq]=true", "~d,~c,~b,~a of 4"},
		{"no other attempts", "filter[is_last_cdr_eq]=false", " of 0"},
		{"number contains all of", "filter[dst_prefix_routing_contains]=22,48", "~b,~a of 2"},
		{"text in any case", "filter[local_tag_start]=tag-48", "~b,~a of 2"},
		{"text ends", "filter[local_tag_end]=2", "~d,~b of 2"},
		{"text exactly", "filter[local_tag_eq]=tag-48221", " of 0"},
		{"country by code", "filter[dst_country_iso_eq]=PL", "~b,~a of 2"},
		{"country by number", "filter[dst_country_id_eq]=" + country, "~b,~a of 2"},
		{"unknown country", "filter[dst_country_iso_eq]=XX", "error 107"},
		{"ids", "filter[id]=~c,~a,~a,77", "~c,~a of 2"},
		{"ids of an account", "filter[id]=~c,~a&filter[customer_acc_id_eq]=" + one, "~a of 1"},
		{"unknown filter", "filter[nope_eq]=1", "error 102"},
		{"uuid", "filter[uuid_eq]=" + strings.Trim(r.attribute("/cdrs/"+ids[2], "uuid"), `"`), "~c of 1"},
		{"uuid of none", "filter[uuid_eq]=00000000-0000-0000-0000-000000000001", " of 0"},
		{"no uuid", "filter[uuid_eq]=x", " of 0"},
		{"a uuid that the call was given", "filter[uuid_eq]=0a1B2c3d-0000-4000-8000-000000000007", "~a of 1"},
		{"uuids of numbers", "filter[uuid_in]=" + strings.Trim(r.attribute("/cdrs/"+ids[2], "uuid"), `"`) + "," + strings.Trim(r.attribute("/cdrs/"+ids[3], "uuid"), `"`) + ",x", "~d,~c of 2"},
		{"uuids of a number and a given one", "filter[uuid_in]=" + strings.Trim(r.attribute("/cdrs/"+ids[2], "uuid"), `"`) + ",0a1b2c3d-0000-4000-8000-000000000007", "~c,~a of 2"},
		{"another uuid", "filter[uuid_not_eq]=" + strings.ToUpper(strings.Trim(r.attribute("/cdrs/"+ids[2], "uuid"), `"`)), "~d,~b,~a of 3"},
		{"a uuid in capitals", "filter[uuid_eq]=" + strings.ToUpper(strings.Trim(r.attribute("/cdrs/"+ids[2], "uuid"), `"`)), "~c of 1"},
		{"a uuid but the one it was given", "filter[uuid_not_eq]=0a1b2c3d-0000-4000-8000-000000000007", "~d,~c,~b of 3"},
		{"none of two uuids", "filter[uuid_not_in]=" + strings.Trim(r.attribute("/cdrs/"+ids[2], "uuid"), `"`) + ",0a1b2c3d-0000-4000-8000-000000000007", "~d,~b of 2"},
		{"a uuid that is no uuid", "filter[uuid_not_eq]=x", "~d,~c,~b,~a of 4"},
		{"calls on no invoice have no number", "filter[customer_invoice_id_not_eq]=7", " of 0"},
		{"invoice that is none", "filter[customer_invoice_id_eq]=7", " of 0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got, want := r.admin("GET", "/cdrs?"+brackets.Replace(named(tt.query, ids)), "").listed(t), named(tt.want, ids); got != want {
				t.Errorf("%s = %s, want %s", tt.query, got, want)
			}
		})
	}
}

func TestMetadataIsAllThatAClientWritesOfACall(t *testing.T) {
	r := newRig(t)
	id := r.history(r.account(r.contractor("Northfield"), "Northfield", ""), "", testClock.Add(-time.Hour), nil)
	patch := func(attrs string) answer {
		return r.admin("PATCH", "/cdrs/"+id, `{"data":{"type":"cdrs","id":"`+id+`","attributes":{`+attrs+`}}}`)
	}
	if a := patch(`"metadata":{ "ticket": [1, 2] }`); a.StatusCode != 200 || !strings.Contains(a.body, `"metadata":{"ticket":[1,2]}`) {
		t.Errorf("PATCH = %d %s", a.StatusCode, a.body)
	}
	if a := r.admin("GET", "/cdrs/"+id, ""); !strings.Contains(a.body, `"metadata":{"ticket":[1,2]}`) {
		t.Errorf("GET = %s", a.body)
	}
	if got, want := patch(`"duration":1`).details(), "duration is not allowed."; !strings.Contains(got, want) {
		t.Errorf("writing a column = %s, want %s", got, want)
	}
	if got, want := patch(`"metadata":"`+strings.Repeat("x", 4096)+`"`).details(), "metadata - is too long (maximum is 4096 bytes)"; got != want {
		t.Errorf("too much = %s, want %s", got, want)
	}
	if a := patch(`"metadata":null`); !strings.Contains(a.body, `"metadata":null`) {
		t.Errorf("null = %s", a.body)
	}
	if a := r.admin("GET", "/cdrs/"+id+"/recording", ""); a.StatusCode != 404 || a.body != "" {
		t.Errorf("recording = %d %q, want an empty 404", a.StatusCode, a.body)
	}
	clean(t, r.db)
}

// clean fails the test for every fault that check finds.
func clean(t testing.TB, db *storage.DB) {
	t.Helper()
	if err := db.Check(t.Context(), true, func(fault string) { t.Errorf("check: %s", fault) }); err != nil {
		t.Fatal(err)
	}
}

const destinationDoc = `{"data":{"type":"destinations","attributes":{%s},"relationships":{"rate-group":{"data":{"type":"rate-groups","id":"%s"}}}}}`

func TestWhatADestinationShowsCanBeWrittenBackUnchanged(t *testing.T) {
	r := newRig(t)
	var id rating.RateID
	r.update(func(tx *storage.Tx) error {
		rate := &rating.Rate{Deck: rating.DefaultDeck, Prefix: "4420", Name: "London", Label: rating.Local, Terms: rating.Terms{
			First: rating.Step{Seconds: 60, Price: 10_000_001}, Next: rating.Step{Seconds: 6, Price: 333_333_333}, Grace: 3, FreeSeconds: 5}}
		err := tx.Rates.Put(rate)
		id = rate.ID
		return err
	})
	path := "/destinations/" + decimal(id)
	doc := r.admin("GET", path, "").body
	var shown struct {
		Data struct {
			Attributes json.RawMessage `json:"attributes"`
		} `json:"data"`
	}
	r.must(json.Unmarshal([]byte(doc), &shown))
	want := `{"enabled":true,"next-rate":"0.333333333","connect-fee":"0.0","initial-interval":60,"next-interval":6,"dp-margin-fixed":"0.0","dp-margin-percent":"1.0",` +
		`"initial-rate":"0.010000001","asr-limit":0.0,"acd-limit":0.0,"short-calls-limit":0.0,"prefix":"4420","reject-calls":false,"use-dp-intervals":false,` +
		`"valid-from":"1970-01-01T00:00:00.000Z","valid-till":"9999-12-31T23:59:59.000Z","external-id":null,"routing-tag-ids":[],"dst-number-min-length":0,` +
		`"dst-number-max-length":100,"reverse-billing":false,"profit-control-mode-id":null,"rate-policy-id":1,"routing-tag-mode-id":0}`
	if got := string(shown.Data.Attributes); got != want {
		t.Errorf("attributes\n got %s\nwant %s", got, want)
	}
	read := func() (rate rating.Rate) {
		t.Helper()
		r.must(r.db.View(t.Context(), func(tx *storage.Tx) error {
			v, err := tx.Rates.Get(uint64(id))
			rate = *v
			return err
		}))
		return rate
	}
	before := fmt.Sprintf("%+v", read())
	a := r.admin("PATCH", path, `{"data":{"type":"destinations","id":"`+decimal(id)+`","attributes":`+string(shown.Data.Attributes)+`}}`)
	if a.StatusCode != 200 || a.body != doc {
		t.Errorf("PATCH = %d %s, want the same document", a.StatusCode, a.body)
	}
	if after := fmt.Sprintf("%+v", read()); after != before {
		t.Errorf("stored\n got %s\nwant %s", after, before)
	}
	a = r.admin("PATCH", path, `{"data":{"type":"destinations","id":"`+decimal(id)+`","attributes":{"next-rate":"0.5","valid-till":"2030-01-01","enabled":false}}}`)
	if a.StatusCode != 200 {
		t.Fatalf("PATCH = %d %s", a.StatusCode, a.body)
	}
	if got := read(); got.Terms.Next.Price != 500_000_000 || !got.Disabled || got.Terms.Grace != 3 || got.Label != rating.Local || got.Till.Year() != 2030 {
		t.Errorf("after a change: %+v, want what no attribute shows kept", got)
	}
}

func TestRulesOfDestinations(t *testing.T) {
	r := newRig(t)
	group := r.create("/rate-groups", `{"data":{"type":"rate-groups","attributes":{"name":"retail"}}}`)
	const prices = `"initial-rate":1,"next-rate":1`
	for _, tt := range []struct{ name, attrs, want string }{
		{"prices are required", ``, "next-rate - can't be blank; next-rate - is not a number; initial-rate - can't be blank; initial-rate - is not a number"},
		{"a price is a number", `"initial-rate":"x","next-rate":1`, "initial-rate - is not a number"},
		{"a prefix has no blanks", prices + `,"prefix":"48 2"`, "prefix - is invalid"},
		{"an interval lasts", prices + `,"next-interval":0`, "next-interval - must be greater than 0"},
		{"an interval is whole", prices + `,"initial-interval":1.5`, "initial-interval - must be an integer"},
		{"a policy is one of four", prices + `,"rate-policy-id":9`, "rate-policy-id - is not included in the list"},
		{"profit control is off or per call", prices + `,"profit-control-mode-id":3`, "profit-control-mode-id - is not included in the list"},
		{"a length is at most 100", prices + `,"dst-number-max-length":101`, "dst-number-max-length - must be less than or equal to 100"},
		{"tags are matched in two ways", prices + `,"routing-tag-mode-id":2`, "routing-tag-mode-id - is not included in the list"},
		{"a price has an end", `"initial-rate":"1000000001","next-rate":1`, "initial-rate - first_price 1000000001.0: want -1000000000 to 1000000000"},
		{"a validity is not backwards", prices + `,"valid-from":"2030-01-01","valid-till":"2029-01-01"`, "valid-till - valid till 2029-01-01T00:00:00Z: before valid from 2030-01-01T00:00:00Z"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := r.admin("POST", "/destinations", fmt.Sprintf(destinationDoc, tt.attrs, group)).details(); got != tt.want {
				t.Errorf("details = %s, want %s", got, tt.want)
			}
		})
	}
	if got, want := r.admin("POST", "/destinations", `{"data":{"type":"destinations","attributes":{`+prices+`}}}`).details(), "rate-group - must exist"; got != want {
		t.Errorf("without a rate group = %s, want %s", got, want)
	}
	made := r.create("/destinations", fmt.Sprintf(destinationDoc, prices, group))
	for name, want := range map[string]string{"valid-from": `"2026-11-21T12:00:00.123Z"`, "valid-till": `"2031-11-21T12:00:00.123Z"`, "prefix": `""`, "enabled": `true`, "initial-interval": `1`, "dp-margin-percent": `"1.0"`} {
		if a := r.admin("GET", "/destinations/"+made, ""); !strings.Contains(a.body, `"`+name+`":`+want) {
			t.Errorf("default of %s is not %s: %s", name, want, a.body)
		}
	}
}

func TestListsOfDestinationsAreFilteredByDeckPlanAndPrefix(t *testing.T) {
	r := newRig(t)
	plan := r.create("/rateplans", `{"data":{"type":"rateplans","attributes":{"name":"standard"}}}`)
	group := r.create("/rate-groups", `{"data":{"type":"rate-groups","attributes":{"name":"retail"},"relationships":{"rateplans":{"data":[{"type":"rateplans","id":"`+plan+`"}]}}}}`)
	other := r.create("/rate-groups", `{"data":{"type":"rate-groups","attributes":{"name":"wholesale"}}}`)
	country := r.country("PL")
	var ids []string
	for _, d := range []struct{ prefix, price, group string }{{"4822", "1", group}, {"48", "3", group}, {"48", "2", other}, {"VIP-a", "4", other}} {
		ids = append(ids, r.create("/destinations", fmt.Sprintf(destinationDoc, `"prefix":"`+d.prefix+`","initial-rate":1,"next-rate":`+d.price, d.group)))
	}
	r.update(func(tx *storage.Tx) error { // a vendor's rates are dialpeers, an import's not there yet
		deck := &rating.Deck{Name: "vendor", Currency: tx.Settings().Currency, Preset: rating.PresetYeti, Vendor: 1}
		if err := tx.Decks.Put(deck); err != nil {
			return err
		}
		terms := rating.Terms{First: rating.Step{Seconds: 1}, Next: rating.Step{Seconds: 1}}
		if err := tx.Rates.Put(&rating.Rate{Deck: deck.ID, Prefix: "48", Terms: terms}); err != nil {
			return err
		}
		named, err := tx.Rates.Get(number(t, ids[3]))
		if err != nil {
			return err
		}
		named.Extra.ISO = "de"
		return tx.Rates.Put(named)
	})
	for _, tt := range []struct{ name, query, want string }{
		{"in order of number", "", "~a,~b,~c,~d of 4"},
		{"a page", "page[size]=3&page[number]=2", "~d of 4"},
		{"of a deck", "filter[rate_group_id]=" + group, "~a,~b of 2"},
		{"of a deck and a prefix", "filter[rate_group_id]=" + other + "&filter[prefix]=48", "~c of 1"},
		{"of prefixes", "filter[prefix]=48,4822,48", "~a,~b,~c of 3"},
		{"prefix begins", "filter[prefix_start]=48&sort=-next-rate", "~b,~c,~a of 3"},
		{"prefix begins in any case", "filter[prefix_start]=vip", "~d of 1"},
		{"prefix contains", "filter[prefix_cont]=22", "~a of 1"},
		{"of a plan", "filter[rateplan_id_eq]=" + plan, "~a,~b of 2"},
		{"of a plan that does not exist", "filter[rateplan_id_eq]=99", " of 0"},
		{"of a country", "filter[country_id_eq]=" + country, "~a,~b,~c of 3"},
		{"of countries, one by the code that its file named", "filter[country_id_eq]=" + country + "," + r.country("DE"), "~a,~b,~c,~d of 4"},
		{"of a country without rates", "filter[country_id_eq]=" + r.country("FR"), " of 0"},
		{"by price", "filter[next_rate_gteq]=2&filter[next_rate_lt]=4", "~b,~c of 2"},
		{"by uuid of none", "filter[uuid_eq]=00000000-0000-0000-0000-000000000001", " of 0"},
		{"by country's name", "sort=country.name,id", "~d,~a,~b,~c of 4"},
		{"by network's name, the unknown last", "sort=network.name,id", "~b,~c,~a,~d of 4"},
		{"by the type of the network, the unknown first", "sort=-network-type.sorting-priority,id", "~d,~a,~b,~c of 4"},
		{"that do not end", "filter[valid_till_gt]=2027-01-01", "~a,~b,~c,~d of 4"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got, want := r.admin("GET", "/destinations?"+brackets.Replace(named(tt.query, ids)), "").listed(t), named(tt.want, ids); got != want {
				t.Errorf("%s = %s, want %s", tt.query, got, want)
			}
		})
	}
	if got, want := r.admin("GET", "/destinations/"+ids[1]+"?include=country,rate-group", "").body, `"name":"Poland"`; !strings.Contains(got, want) {
		t.Errorf("include = %s, want %s in it", got, want)
	}
}
