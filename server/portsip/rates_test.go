package portsip

import (
	"context"
	"encoding/csv"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"billd/rating"
	"billd/storage"
)

func TestStatusesOfCallRates(t *testing.T) {
	r := newRig(t)
	id := r.create(`{"prefix":"44","description":"UK"}`)
	padded := strings.ReplaceAll(encodeID(1878156644691742720), "=", "%3D")
	for _, tt := range []struct {
		name, token, method, path, body string
		status                          int
		code                            string
	}{
		{"list", r.operator, "GET", "/api/call_rates", "", 200, ""},
		{"retrieve", r.operator, "GET", "/api/call_rates/" + id, "", 200, ""},
		{"an administrator may", r.admin, "GET", "/api/call_rates/" + id, "", 200, ""},
		{"export wins over an id", r.operator, "GET", "/api/call_rates/export", "", 200, ""},
		{"an empty update", r.operator, "POST", "/api/call_rates/" + id, "{}", 200, ""},
		{"HEAD is GET", r.operator, "HEAD", "/api/call_rates", "", 200, ""},
		{"no token", "", "GET", "/api/call_rates", "", 401, codeUnauthorized},
		{"an unknown token", "x.y.z", "GET", "/api/call_rates", "", 401, codeUnauthorized},
		{"no token comes before no such path", "", "GET", "/api/call_rates/a/b/c", "", 401, codeUnauthorized},
		{"no token comes before the verb", "", "DELETE", "/api/call_rates", "", 401, codeUnauthorized},
		{"a plain user", r.user, "GET", "/api/call_rates", "", 403, codeForbidden},
		{"no permission comes before the verb", r.user, "PUT", "/api/call_rates", "", 403, codeForbidden},
		{"no permission comes before no such path", r.user, "GET", "/api/call_rates/a/b/c", "", 403, codeForbidden},
		{"no such path", r.operator, "GET", "/api/call_rates/a/b/c", "", 404, codeNotFound},
		{"DELETE", r.operator, "DELETE", "/api/call_rates/" + id, "", 405, codeMethod},
		{"PUT", r.operator, "PUT", "/api/call_rates/" + id, "{}", 405, codeMethod},
		{"PATCH", r.operator, "PATCH", "/api/call_rates", "{}", 405, codeMethod},
		{"destroy is a POST", r.operator, "GET", "/api/call_rates/" + id + "/destroy", "", 405, codeMethod},
		{"export is a GET", r.operator, "POST", "/api/call_rates/export", "{}", 405, codeMethod},
		{"the verb comes before the id", r.operator, "DELETE", "/api/call_rates/abc", "", 405, codeMethod},
		{"a malformed id", r.operator, "GET", "/api/call_rates/abc", "", 400, codeInvalid},
		{"a malformed id comes before the body", r.operator, "POST", "/api/call_rates/%21%21", "nonsense", 400, codeInvalid},
		{"a malformed id to destroy", r.operator, "POST", "/api/call_rates/abc/destroy", "", 400, codeInvalid},
		{"an unknown id", r.operator, "GET", "/api/call_rates/" + encodeID(idBase+99), "", 404, codeNotFound},
		{"an unknown id, escaped", r.operator, "GET", "/api/call_rates/" + padded, "", 404, codeNotFound},
		{"a number below all ids", r.operator, "GET", "/api/call_rates/Nw==", "", 404, codeNotFound},
		{"an unknown id comes before the body", r.operator, "POST", "/api/call_rates/" + encodeID(idBase+99), "nonsense", 404, codeNotFound},
		{"an unknown id to destroy", r.operator, "POST", "/api/call_rates/" + encodeID(idBase+99) + "/destroy", "", 404, codeNotFound},
		{"no JSON", r.operator, "POST", "/api/call_rates/" + id, "nonsense", 400, codeInvalid},
		{"no object", r.operator, "POST", "/api/call_rates", "[]", 400, codeInvalid},
		{"null", r.operator, "POST", "/api/call_rates", "null", 400, codeInvalid},
		{"nothing", r.operator, "POST", "/api/call_rates", "", 400, codeInvalid},
		{"two values", r.operator, "POST", "/api/call_rates", rate("") + rate(""), 400, codeInvalid},
		{"bytes that are no text", r.operator, "POST", "/api/call_rates", strings.Replace(rate(""), "LOCAL", "\xff", 1), 400, codeInvalid},
		{"a duplicate", r.operator, "POST", "/api/call_rates", rate(`{"prefix":"44"}`), 400, codeInvalid},
		{"a body beyond its limit", r.operator, "POST", "/api/call_rates", rate(`{"description":"` + strings.Repeat("x", maxBody) + `"}`), 413, codeTooLarge},
		{"call reports are not offered", r.operator, "POST", "/api/call_reports", "{}", 404, codeNotFound},
		{"nor finished ones", r.operator, "GET", "/api/completed_call_reports/1", "", 404, codeNotFound},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := r.send(tt.token, tt.method, tt.path, tt.body)
			if tt.method != "HEAD" {
				a.want(t, tt.status, tt.code)
			} else if a.StatusCode != tt.status || a.body != "" {
				t.Errorf("HEAD = %d %q, want %d and no body", a.StatusCode, a.body, tt.status)
			}
			if tt.status == 405 && a.Header.Get("Allow") == "" {
				t.Error("405 without Allow")
			}
		})
	}
}

func TestAuthorizationForms(t *testing.T) {
	r := newRig(t)
	for _, tt := range []struct {
		name, header string
		status       int
	}{
		{"bearer", "Bearer " + r.operator, 200},
		{"the scheme's case does not matter", "bearer " + r.operator, 200},
		{"a bare token", r.operator, 401},
		{"another scheme", "Basic " + r.operator, 401},
		{"no token", "Bearer", 401},
		{"an empty token", "Bearer ", 401},
		{"a changed token", "Bearer " + r.operator + "x", 401},
	} {
		t.Run(tt.name, func(t *testing.T) {
			req := newRequest(t, "GET", r.base+"/api/call_rates", "")
			req.Header.Set("Authorization", tt.header)
			r.do(req).want(t, tt.status, codeUnauthorized)
		})
	}
	t.Run("a token of another surface", func(t *testing.T) {
		admin, err := r.tokens.Admin(1, 0)
		must(t, err)
		r.send(admin.Text, "GET", "/api/call_rates", "").want(t, 401, codeUnauthorized)
	})
}

func TestRateFields(t *testing.T) {
	long := strings.Repeat("é", 64)
	for _, tt := range []struct{ name, changes, field, want string }{
		{"whole prices", `{"price_1":1}`, "price_1", "1"},
		{"five decimals", `{"price_n":0.12345}`, "price_n", "0.12345"},
		{"more are rounded half away", `{"connect_fee":0.000605}`, "connect_fee", "0.00061"},
		{"a float's noise", `{"postcall_surcharge":0.30000000000000004}`, "postcall_surcharge", "0.3"},
		{"exponents", `{"price_1":1e-05}`, "price_1", "0.00001"},
		{"whole seconds with a point", `{"interval_1":60.0}`, "interval_1", "60"},
		{"whole seconds with an exponent", `{"interval_1":6e1}`, "interval_1", "60"},
		{"int32 to its end", `{"free_seconds":2147483647}`, "free_seconds", "2147483647"},
		{"64 characters of two bytes", `{"prefix":"` + long + `"}`, "prefix", long},
		{"signs", `{"prefix":"#"}`, "prefix", "#"},
		{"a plus is kept", `{"prefix":"+44"}`, "prefix", "+44"},
		{"no description is null", `{}`, "description", "null"},
		{"null is none", `{"description":null}`, "description", "null"},
		{"a blank one reads as null", `{"description":""}`, "description", "null"},
		{"1024 characters", `{"description":"` + strings.Repeat("ü", 1024) + `"}`, "description", strings.Repeat("ü", 1024)},
		{"unknown keys are ignored", `{"Prefix":5,"colour":[1]}`, "prefix", "44"},
		{"an id is ignored", `{"id":"x"}`, "prefix", "44"},
		{"the largest surcharge", `{"postcall_surcharge":1000}`, "postcall_surcharge", "1000"},
		{"the largest price", `{"price_1":1000000000}`, "price_1", "1000000000"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t)
			id := r.create(tt.changes)
			if got := r.get("/api/call_rates/"+id).member(t, tt.field); got != tt.want {
				t.Errorf("%s of %s = %s, want %s", tt.field, tt.changes, got, tt.want)
			}
		})
	}
}

func TestRateFieldsRefused(t *testing.T) {
	r := newRig(t)
	id := r.create(`{"prefix":"1","description":"keep me"}`)
	before := r.get("/api/call_rates/" + id).body
	for _, tt := range []struct{ name, field, value string }{
		{"a prefix that is a number", "prefix", "44"},
		{"an empty prefix", "prefix", `""`},
		{"a prefix of 65 characters", "prefix", `"` + strings.Repeat("1", 65) + `"`},
		{"a prefix with a blank", "prefix", `"4 4"`},
		{"a null prefix", "prefix", "null"},
		{"a type in small letters", "type", `"local"`},
		{"an unknown type", "type", `"SATELLITE"`},
		{"a type that is a number", "type", "1"},
		{"seconds as text", "interval_1", `"60"`},
		{"half seconds", "interval_1", "60.5"},
		{"almost whole seconds", "interval_1", "60.00000001"},
		{"true seconds", "interval_1", "true"},
		{"an array", "interval_1", "[60]"},
		{"an object", "interval_1", "{}"},
		{"null", "interval_1", "null"},
		{"no first step", "interval_1", "0"},
		{"no next step", "interval_n", "0"},
		{"seconds below 0", "free_seconds", "-1"},
		{"grace below 0", "grace_period", "-1"},
		{"beyond int32", "interval_n", "2147483648"},
		{"far beyond", "grace_period", "1e300"},
		{"a price as text", "price_1", `"0.1"`},
		{"a price below 0", "price_n", "-0.00001"},
		{"a true price", "price_n", "true"},
		{"a null price", "connect_fee", "null"},
		{"a price beyond the limit", "price_1", "1000000000.00001"},
		{"a price beyond everything", "price_1", "1e999999999999"},
		{"a surcharge beyond the limit", "postcall_surcharge", "1000.00001"},
		{"a description that is a number", "description", "5"},
		{"a description of 1025 characters", "description", `"` + strings.Repeat("ü", 1025) + `"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := r.post("/api/call_rates", rate(`{"`+tt.field+`":`+tt.value+`}`))
			a.want(t, 400, codeInvalid)
			if !strings.Contains(a.body, `"detail":{"field":"`+tt.field+`"}`) {
				t.Errorf("body = %s, want it to name %s", a.body, tt.field)
			}
			// one bad field among good ones leaves all as they were
			r.post("/api/call_rates/"+id, `{"price_1":9,"description":null,"prefix":"2","`+tt.field+`":`+tt.value+`}`).want(t, 400, codeInvalid)
		})
	}
	for i := range rateFields {
		if f := &rateFields[i]; !f.optional {
			t.Run("a create without "+f.name, func(t *testing.T) {
				body := strings.Replace(rate(""), `"`+f.name+`":`, `"no_`+f.name+`":`, 1)
				r.post("/api/call_rates", body).want(t, 400, codeInvalid)
			})
		}
	}
	if got := r.get("/api/call_rates/" + id).body; got != before {
		t.Errorf("rate = %s, want it unchanged: %s", got, before)
	}
	if got, n := r.get("/api/call_rates").prefixes(t); n != 1 {
		t.Errorf("rates = %s, want only the first", got)
	}
}

func TestSeveralRefusalsComeTogether(t *testing.T) {
	a := newRig(t).post("/api/call_rates", `{"prefix":5,"interval_1":0}`)
	a.want(t, 400, codeInvalid)
	if n := strings.Count(a.body, codeInvalid); n != 10 {
		t.Errorf("%d errors in %s, want 8 missing fields and 2 wrong ones", n, a.body)
	}
}

func TestPrefixesAreUnique(t *testing.T) {
	r := newRig(t)
	first := r.create(`{"prefix":"44"}`)
	r.create(`{"prefix":"447"}`) // nested prefixes live side by side
	second := r.create(`{"prefix":"4"}`)
	r.post("/api/call_rates/"+second, `{"prefix":"44","price_1":3}`).want(t, 400, codeInvalid)
	if got := r.get("/api/call_rates/"+second).member(t, "price_1"); got != "0.05" {
		t.Errorf("price_1 after a refused update = %s, want 0.05", got)
	}
	r.post("/api/call_rates/"+first, `{"prefix":"44","price_1":0.7}`).want(t, 200, "")
	r.post("/api/call_rates/"+first+"/destroy", "").want(t, 204, "")
	r.get("/api/call_rates/"+first).want(t, 404, codeNotFound)
	r.post("/api/call_rates/"+second, `{"prefix":"44"}`).want(t, 200, "")
	if again := r.create(`{"prefix":"4"}`); again == first {
		t.Errorf("a new rate has the id of a destroyed one: %s", again)
	}
}

func TestUpdateTouchesOnlyWhatItNames(t *testing.T) {
	r := newRig(t)
	id := r.create(`{"prefix":"44","type":"NATIONAL","description":"keep me","connect_fee":0.25}`)
	a := r.post("/api/call_rates/"+id, `{"price_n":0.22222,"id":"ignored"}`)
	a.want(t, 200, "")
	if a.body != "" {
		t.Errorf("body = %q, want none", a.body)
	}
	want := `{"id":"` + id + `","prefix":"44","type":"NATIONAL","free_seconds":0,"grace_period":0,"interval_1":60,"interval_n":60,` +
		`"connect_fee":0.25,"postcall_surcharge":0,"price_1":0.05,"price_n":0.22222,"description":"keep me"}`
	if got := r.get("/api/call_rates/" + id).body; got != want {
		t.Errorf("rate = %s\nwant   %s", got, want)
	}
	r.post("/api/call_rates/"+id, `{"description":null}`).want(t, 200, "")
	if got := r.get("/api/call_rates/"+id).member(t, "description"); got != "null" {
		t.Errorf("description = %s, want null", got)
	}
}

func TestWritingBackWhatIsShownKeepsEveryDecimal(t *testing.T) {
	r := newRig(t)
	kept := rating.Rate{Deck: rating.DefaultDeck, Prefix: "44", Name: "UK", KazooID: "GB-1", MinLen: 4, Weight: 7, Label: rating.Mobile,
		Terms: rating.Terms{ConnectFee: 123_456, First: rating.Step{Seconds: 60, Price: 123_456_789}, Next: rating.Step{Seconds: 6, Price: 1},
			Surcharge: 7, MinCost: 5}, Extra: rating.RateExtra{Description: "Kazoo's", ISO: "GB"}}
	must(t, r.db.Update(context.Background(), func(tx *storage.Tx) error { return tx.Rates.Put(&kept) }))
	id := rateID(&kept)
	shown := r.get("/api/call_rates/" + id)
	if got := shown.member(t, "price_1"); got != "0.12346" {
		t.Fatalf("price_1 = %s, want 0.12346", got)
	}
	r.post("/api/call_rates/"+id, shown.body).want(t, 200, "")
	r.post("/api/call_rates/"+id, `{"price_n":0.5}`).want(t, 200, "")
	want := kept
	want.Terms.Next.Price = 500_000_000
	must(t, r.db.View(context.Background(), func(tx *storage.Tx) error {
		got, err := tx.Rates.Get(uint64(kept.ID))
		if err == nil && fmt.Sprint(*got) != fmt.Sprint(want) {
			t.Errorf("rate = %+v\nwant   %+v", *got, want)
		}
		return err
	}))
}

func TestOnlyRatesInForceAreShown(t *testing.T) {
	r := newRig(t)
	put := func(rate rating.Rate) string {
		rate.Deck = max(rate.Deck, rating.DefaultDeck)
		rate.Terms.First.Seconds, rate.Terms.Next.Seconds = 60, 60
		must(t, r.db.Update(context.Background(), func(tx *storage.Tx) error { return tx.Rates.Put(&rate) }))
		return rateID(&rate)
	}
	var other rating.Deck
	must(t, r.db.Update(context.Background(), func(tx *storage.Tx) error {
		other = rating.Deck{Name: "other", Preset: rating.PresetYeti}
		return tx.Decks.Put(&other)
	}))
	hidden := []string{
		put(rating.Rate{Prefix: "1", Till: noon}),
		put(rating.Rate{Prefix: "2", From: noon.Add(40 * time.Minute)}),
		put(rating.Rate{Prefix: "3", Disabled: true}),
		put(rating.Rate{Prefix: "4", Direction: rating.Inbound}),
		put(rating.Rate{Prefix: "5", Deck: other.ID}),
		put(rating.Rate{Prefix: "6", Gen: 9}),
	}
	put(rating.Rate{Prefix: "7", From: noon, Till: noon.Add(30 * time.Minute)})
	put(rating.Rate{Prefix: "8", Blocked: true})
	for _, query := range []string{"", "?orderby=prefix", "?filter=prefix%20ge%20%271%27", "?orderby=prefix%20desc"} {
		if _, n := r.get("/api/call_rates" + query).prefixes(t); n != 2 {
			t.Errorf("%q counts %d rates, want 2", query, n)
		}
	}
	for _, id := range hidden {
		r.get("/api/call_rates/"+id).want(t, 404, codeNotFound)
		r.post("/api/call_rates/"+id, "{}").want(t, 404, codeNotFound)
	}
	r.create(`{"prefix":"1"}`) // an ended rate does not hold its prefix
	r.at(noon.Add(45 * time.Minute))
	if got, n := r.get("/api/call_rates").prefixes(t); got != "2 8 1" || n != 3 {
		t.Errorf("later %s, %d, want 2 8 1, 3", got, n)
	}
}

func TestLists(t *testing.T) {
	r := newRig(t)
	for i, prefix := range []string{"39", "310", "32", "4", "33"} {
		r.create(fmt.Sprintf(`{"prefix":"%s","price_1":%d,"interval_1":%d}`, prefix, i%3, 100-i))
	}
	r.create(`{"prefix":"9","description":"Zanzibar mobile"}`)
	for _, tt := range []struct {
		name, query, want string
		count             int
	}{
		{"in order of creation", "", "39 310 32 4 33 9", 6},
		{"top", "top=2", "39 310", 6},
		{"skip is an offset", "top=2&skip=4", "33 9", 6},
		{"past the end", "skip=6", "", 6},
		{"far past the end, in another order", "skip=2000000000&orderby=price_1", "", 6},
		{"aliases", "$top=1&$skip=1", "310", 6},
		{"aliases of all", "$filter=startswith(prefix,'3')&$search=3&$orderby=prefix%20desc", "39 33 32 310", 4},
		{"text sorts as text", "orderby=prefix", "310 32 33 39 4 9", 6},
		{"downwards", "orderby=prefix%20desc", "9 4 39 33 32 310", 6},
		{"asc may be said", "orderby=prefix%20asc&top=1&skip=1", "32", 6},
		{"numbers sort as numbers, ties by id", "orderby=price_1", "39 4 9 310 33 32", 6},
		{"several fields", "orderby=price_1%20desc,prefix", "32 310 33 9 39 4", 6},
		{"null first", "orderby=description,prefix&top=1", "310", 6},
		{"null last downwards", "orderby=description%20desc&top=1", "9", 6},
		{"connect_fee sorts too", "orderby=connect_fee,interval_1", "9 33 4 32 310 39", 6},
		{"filter pages", "filter=startswith(prefix,'3')&top=2&skip=1", "310 32", 4},
		{"filter and order", "filter=startswith(prefix,'3')&orderby=prefix&top=2&skip=2", "33 39", 4},
		{"filter by equality", "filter=prefix%20eq%20'32'", "32", 1},
		{"filter of a longer prefix", "filter=startswith(prefix,'3')%20and%20startswith(prefix,'31')", "310", 1},
		{"search", "search=ZANZIBAR", "9", 1},
		{"search or", "search=zanzibar%20or%2032", "32 9", 2},
		{"search and filter", "search=zanzibar&filter=prefix%20eq%20'32'", "", 0},
		{"count is ignored", "count=false&top=1", "39", 6},
		{"unknown keys are ignored", "colour=red&top=1", "39", 6},
		{"blank filter, search and orderby", "filter=&search=&orderby=&top=1", "39", 6},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, n := r.get("/api/call_rates?" + strings.ReplaceAll(tt.query, "'", "%27")).prefixes(t)
			if got != tt.want || n != tt.count {
				t.Errorf("%s = %q of %d, want %q of %d", tt.query, got, n, tt.want, tt.count)
			}
		})
	}
	for _, tt := range []struct{ name, query string }{
		{"top 0", "top=0"}, {"top 101", "top=101"}, {"top below 0", "top=-1"}, {"no number", "top=ten"}, {"half a page", "top=1.5"}, {"empty top", "top="},
		{"skip below 0", "skip=-1"}, {"skip without number", "skip=x"}, {"skip beyond int32", "skip=2147483648"},
		{"an unknown field", "orderby=colour"}, {"an unknown direction", "orderby=prefix%20up"}, {"three words", "orderby=prefix%20asc%20asc"}, {"an empty field", "orderby=prefix,,type"},
		{"a bad filter", "filter=prefix"}, {"a bad alias", "$top=0"}, {"too much to look for", "search=" + strings.Repeat("x", 9000)},
		{"too many fields", "orderby=" + strings.Repeat("prefix,", 20) + "prefix"},
	} {
		t.Run(tt.name, func(t *testing.T) { r.get("/api/call_rates?"+tt.query).want(t, 400, codeInvalid) })
	}
	t.Run("connect_fee is not in lists", func(t *testing.T) {
		if a := r.get("/api/call_rates?top=1"); strings.Contains(a.body, "connect_fee") {
			t.Errorf("list = %s, want no connect_fee", a.body)
		}
	})
	t.Run("a long filter fits", func(t *testing.T) {
		filter := strings.Repeat("prefix eq 'x' or ", 400) + "prefix eq '32'"
		if got, _ := r.get("/api/call_rates?filter=" + url.QueryEscape(filter)).prefixes(t); got != "32" {
			t.Errorf("found %q, want 32", got)
		}
	})
}

func TestTheCountFollowsEveryChange(t *testing.T) {
	r := newRig(t)
	count := func(want int) {
		t.Helper()
		for range 2 { // the second answer comes from memory
			if _, n := r.get("/api/call_rates?top=1").prefixes(t); n != want {
				t.Errorf("count = %d, want %d", n, want)
			}
		}
	}
	count(0)
	id := r.create(`{"prefix":"1"}`)
	count(1)
	r.create(`{"prefix":"2"}`)
	count(2)
	r.post("/api/call_rates/"+id, `{"price_1":1}`).want(t, 200, "")
	count(2)
	r.post("/api/call_rates/"+id+"/destroy", "").want(t, 204, "")
	count(1)
}

func TestExport(t *testing.T) {
	r := newRig(t)
	r.create(`{"prefix":"+44","type":"MOBILE","connect_fee":0.5,"price_n":0.00001,"description":"a \"quoted\", long\nname"}`)
	const more = exportPage + 5 // past one page
	must(t, r.db.Update(context.Background(), func(tx *storage.Tx) error {
		for i := range more {
			must(t, tx.Rates.Put(&rating.Rate{Deck: rating.DefaultDeck, Prefix: fmt.Sprint(5000 + i), Terms: rating.Terms{First: rating.Step{Seconds: 1}, Next: rating.Step{Seconds: 1}}}))
		}
		return nil
	}))
	a := r.get("/api/call_rates/export")
	a.want(t, 200, "")
	if got, want := a.Header.Get("Content-Disposition"), `attachment; filename="call_rates.csv"`; got != want {
		t.Errorf("Content-Disposition = %s, want %s", got, want)
	}
	if got := a.Header.Get("Content-Type"); got != "application/octet-stream" {
		t.Errorf("Content-Type = %s, want application/octet-stream", got)
	}
	rows, err := csv.NewReader(strings.NewReader(a.body)).ReadAll()
	must(t, err)
	if len(rows) != more+2 {
		t.Errorf("%d lines, want %d", len(rows), more+2)
	}
	for i, want := range []string{
		"prefix type free_seconds grace_period interval_1 interval_n connect_fee postcall_surcharge price_1 price_n description",
		"+44 MOBILE 0 0 60 60 0.5 0 0.05 0.00001 a \"quoted\", long\nname",
		"5000 INTERNATIONAL 0 0 1 1 0 0 0 0 ",
	} {
		if got := strings.Join(rows[i], " "); got != want {
			t.Errorf("line %d = %q, want %q", i, got, want)
		}
	}
}

func TestAnOrderReachesOnlySoDeep(t *testing.T) {
	q := &listQuery[rating.Rate]{columns: rateColumns, skip: maxSorted, top: 10}
	q.order, _ = parseOrder("price_1", rateColumns)
	s := newSorter(q)
	for i := range maxSorted + 20 {
		s.add(uint64(i+1), &rating.Rate{ID: rating.RateID(i + 1)})
	}
	if _, err := s.page(); rating.KindOf(err) != rating.Invalid {
		t.Errorf("page at %d = %v, want Invalid", q.skip, err)
	}
	q.skip = maxSorted - 10
	s = newSorter(q)
	for i := range maxSorted + 20 {
		r := rating.Rate{ID: rating.RateID(i + 1)}
		r.Terms.First.Price = rating.Price(-i) * 1_000_000
		s.add(uint64(r.ID), &r)
	}
	ids, err := s.page()
	if want := uint64(30); err != nil || len(ids) != 10 || ids[0] != want {
		t.Errorf("page = %v, %v, want ten from %d", ids, err, want)
	}
}
