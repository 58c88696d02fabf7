package yeti

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"billd/rating"
	"billd/server/ops"
	"billd/storage"
)

// unzipped is a downloaded export's text.
func (a answer) unzipped(t *testing.T) string {
	t.Helper()
	if a.StatusCode != 200 {
		return a.Status
	}
	z, err := gzip.NewReader(strings.NewReader(a.body))
	if err != nil {
		t.Fatalf("download: %v", err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatalf("download: %v", err)
	}
	return string(b)
}

func exportDoc(attrs, account string) string {
	rel := ""
	if account != "" {
		rel = `,"relationships":{"account":{"data":{"type":"accounts","id":"` + account + `"}}}`
	}
	return `{"data":{"type":"cdr-exports","attributes":{` + attrs + `}` + rel + `}}`
}

func (r *rig) export() int {
	r.t.Helper()
	n, err := ops.RunCDRExports(r.t.Context(), r.env())
	r.must(err)
	return n
}

func TestRulesOfExports(t *testing.T) {
	r := newRig(t)
	con := r.contractor("Northfield")
	acc, foreign := r.account(con, "one", ""), r.account(r.contractor("Stranger"), "two", "")
	uuid := func(id string) string { return strings.Trim(r.attribute("/accounts/"+id, "uuid"), `"`) }
	token := r.customer(con, "")
	const span = `"time_start_gteq":"2026-11-01","time_start_lt":"2026-12-01"`
	for _, tt := range []struct{ name, base, doc, want string }{
		{"everything is required", AdminBase, exportDoc("", ""), "fields - can't be blank; filters - can't be blank"},
		{"columns and conditions exist", AdminBase, exportDoc(`"fields":["id","foo","bar"],"filters":{"foo":1}`, ""), "fields - foo, bar not allowed; filters - foo not allowed"},
		{"there is a beginning", AdminBase, exportDoc(`"fields":["id"],"filters":{"time_start_lt":"2026-11-01"}`, ""), "filters - requires time_start_gteq"},
		{"there is an end", AdminBase, exportDoc(`"fields":["id"],"filters":{"time_start_gteq":"2026-11-01"}`, ""), "filters - requires time_start_lteq"},
		{"both, each said by itself", AdminBase, exportDoc(`"fields":["id"],"filters":{"duration_eq":1}`, ""), "filters - requires time_start_gteq; filters - requires time_start_lteq"},
		{"filters of nothing ask for nothing", AdminBase, exportDoc(`"fields":["id"],"filters":{"duration_eq":null,"vendor_id_in":[]}`, ""), "filters - can't be blank"},
		{"operators are of a column's kind", AdminBase, exportDoc(`"fields":["id"],"filters":{"duration_contains":"1","local_tag_gteq":"1","success_in":[true],"duration_include":1,"customer_auth_external_type_eq":"x"}`, ""),
			"filters - duration_contains, local_tag_gteq, success_in, duration_include, customer_auth_external_type_eq not allowed"},
		{"a list is one", AdminBase, exportDoc(`"fields":["id"],"filters":{`+span+`,"vendor_id_in":1}`, ""), "filters - vendor_id_in is invalid"},
		{"of values that are some", AdminBase, exportDoc(`"fields":["id"],"filters":{`+span+`,"vendor_id_in":[1,"x"]}`, ""), "filters - vendor_id_in is invalid"},
		{"a country exists", AdminBase, exportDoc(`"fields":["id"],"filters":{`+span+`,"dst_country_iso_eq":"QQ"}`, ""), "filters - dst_country_iso_eq is invalid"},
		{"a tag is a number", AdminBase, exportDoc(`"fields":["id"],"filters":{`+span+`,"routing_tag_ids_include":"x"}`, ""), "filters - routing_tag_ids_include is invalid"},
		{"a moment is one", AdminBase, exportDoc(`"fields":["id"],"filters":{"time_start_gteq":"x","time_start_lt":"2026-11-01"}`, ""), "filters - time_start_gteq is invalid"},
		{"a number is one", AdminBase, exportDoc(`"fields":["id"],"filters":{`+span+`,"duration_eq":"x"}`, ""), "filters - duration_eq is invalid"},
		{"filters are an object", AdminBase, exportDoc(`"fields":["id"],"filters":[]`, ""), "filters - is invalid"},
		{"a customer names an account", CustomerBase, exportDoc(`"filters":{`+span+`}`, ""), "account - can't be blank"},
		{"of its own", CustomerBase, exportDoc(`"filters":{`+span+`}`, uuid(foreign)), "account - is invalid"},
		{"the end of what it wants", CustomerBase, exportDoc(`"filters":{"time_start_gteq":"2026-11-01"}`, uuid(acc)), "filters - requires time_start_lt"},
		{"conditions that it may have", CustomerBase, exportDoc(`"filters":{`+span+`,"customer_acc_id_eq":1}`, uuid(acc)), "filters - customer_acc_id_eq not allowed"},
		{"a form of moments", CustomerBase, exportDoc(`"time-format":"x","time-zone-name":"Mars","filters":{`+span+`}`, uuid(acc)), "time-format - is not included in the list: with_timezone, without_timezone, round_to_seconds; time-zone-name - is invalid"},
		{"and nothing else", CustomerBase, exportDoc(`"status":"Completed"`, uuid(acc)), ": status is not allowed."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			head := map[string]string{}
			if tt.base == CustomerBase {
				head["Authorization"] = token
			}
			if got := r.do("POST", tt.base+"/cdr-exports", tt.doc, head).details(); got != tt.want {
				t.Errorf("details = %s, want %s", got, tt.want)
			}
		})
	}
	t.Run("so many wait and no more", func(t *testing.T) {
		doc := exportDoc(`"fields":["id"],"filters":{`+span+`}`, "")
		for range storage.MaxPendingExports {
			r.create("/cdr-exports", doc)
		}
		if got, want := r.admin("POST", "/cdr-exports", doc).details(), "data: too many exports are pending"; got != want {
			t.Errorf("details = %s, want %s", got, want)
		}
	})
}

func TestOperatorsExportCalls(t *testing.T) {
	r := newRig(t)
	acc := r.account(r.contractor("Northfield"), "one", "")
	at := testClock.Add(-time.Hour)
	var ids []string
	for i := range 3 {
		ids = append(ids, r.history(acc, "", at.Add(time.Duration(i)*time.Minute), func(c *rating.Call) {
			c.SetInt(rating.CDRDuration, int64(30*i))
			c.SetText(rating.CDRDstPrefixIn, fmt.Sprintf(`48"%d`, i))
			r.must(c.Parse(rating.CDRCustomerPrice, "1.50"))
		}))
	}
	id := r.create("/cdr-exports", exportDoc(`"fields":["id","time_start","dst_prefix_in","customer_price","local_tag"],"filters":{"time_start_gteq":"2026-11-21","time_start_lteq":"2026-11-22","duration_gteq":30,"dst_prefix_in_contains":"48"}`, ""))
	if got, want := r.attribute("/cdr-exports/"+id, "filters"), `{"time_start_gteq":"2026-11-21T00:00:00.000Z","time_start_lteq":"2026-11-22T00:00:00.000Z","duration_gteq":30,"dst_prefix_in_contains":"48"}`; got != want {
		t.Errorf("filters = %s, want %s", got, want)
	}
	if got, want := r.admin("GET", "/cdr-exports/"+id+"/download", "").StatusCode, 404; got != want {
		t.Errorf("before it is made = %d, want %d", got, want)
	}
	if n := r.export(); n != 1 {
		t.Errorf("%d exports made, want 1", n)
	}
	want := `"ID","Time Start","Dst Prefix In","Customer Price","Local Tag"` + "\n" +
		`"` + ids[2] + `","2026-11-21 11:02:00.123+00:00","48""2","1.5",""` + "\n" +
		`"` + ids[1] + `","2026-11-21 11:01:00.123+00:00","48""1","1.5",""` + "\n"
	if got := r.admin("GET", "/cdr-exports/"+id+"/download", "").unzipped(t); got != want {
		t.Errorf("file\n got %s\nwant %s", got, want)
	}
	r.sound()
	if a := r.admin("DELETE", "/cdr-exports/"+id, ""); a.StatusCode != 204 {
		t.Errorf("delete = %d %s", a.StatusCode, a.body)
	}
	if got, want := r.attribute("/cdr-exports/"+id, "status"), `"Deleted"`; got != want {
		t.Errorf("status = %s, want %s", got, want)
	}
	if got, want := r.admin("GET", "/cdr-exports/"+id+"/download", "").StatusCode, 404; got != want {
		t.Errorf("after it was deleted = %d, want %d", got, want)
	}
	r.sound()
}

func TestCustomersExportTheirCalls(t *testing.T) {
	r := newRig(t)
	con, stranger := r.contractor("Northfield"), r.contractor("Stranger")
	acc, other := r.account(con, "one", ""), r.account(stranger, "two", "")
	at := testClock.Add(-time.Hour)
	r.history(acc, "", at, func(c *rating.Call) { c.SetBool(rating.CDRSuccess, true); c.SetText(rating.CDRDstPrefixIn, "48") })
	r.history(acc, "", at, func(c *rating.Call) { c.SetBool(rating.CDRSuccess, true); c.SetBool(rating.CDRIsLastCDR, false) })
	r.history(other, "", at, nil)
	uuid := strings.Trim(r.attribute("/accounts/"+acc, "uuid"), `"`)
	mine, theirs := r.customer(con, ""), r.customer(stranger, "")
	a := r.do("POST", CustomerBase+"/cdr-exports", exportDoc(`"time-format":"round_to_seconds","time-zone-name":"Europe/Kyiv","filters":{"time_start_gteq":"2026-11-21","time_start_lt":"2026-11-22","success_eq":true}`, uuid), map[string]string{"Authorization": mine})
	if a.StatusCode != 201 {
		t.Fatalf("create = %d %s", a.StatusCode, a.body)
	}
	id := a.Header.Get("Location")[strings.LastIndexByte(a.Header.Get("Location"), '/')+1:]
	self := r.base + CustomerBase + "/cdr-exports/" + id
	want := `{"data":{"id":"` + id + `","type":"cdr-exports","links":{"self":"` + self + `"},"attributes":{"filters":{"time_start_gteq":"2026-11-21T00:00:00.000Z","time_start_lt":"2026-11-22T00:00:00.000Z","success_eq":true},` +
		`"status":"Pending","rows-count":null,"created-at":"2026-11-21T12:00:00.123Z","updated-at":"2026-11-21T12:00:00.123Z","time-format":"round_to_seconds","time-zone-name":"Europe/Kyiv"},` +
		`"relationships":{"account":{"links":{"self":"` + self + `/relationships/account","related":"` + self + `/account"}}}}}`
	if a.body != want {
		t.Errorf("document\n got %s\nwant %s", a.body, want)
	}
	r.export()
	lines := strings.Split(r.own(mine, "/cdr-exports/"+id+"/download").unzipped(t), "\n")
	if len(lines) != 3 || !strings.HasPrefix(lines[0], `"Time Start","Time Connect","Time End","Success"`) || !strings.HasPrefix(lines[1], `"2026-11-21 13:00:00","","","true"`) {
		t.Errorf("file = %q, want a heading and one call", lines)
	}
	for _, tt := range []struct{ name, token, path, want string }{
		{"its own", mine, "/cdr-exports?filter[status_eq]=Completed&filter[rows_count_eq]=1&filter[account_id_eq]=" + uuid, id + " of 1"},
		{"not others'", theirs, "/cdr-exports", " of 0"},
		{"not others' by id", theirs, "/cdr-exports/" + id, "error 404"},
		{"not others' file", theirs, "/cdr-exports/" + id + "/download", "error 404"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := r.own(tt.token, brackets.Replace(tt.path)).listed(t); got != tt.want {
				t.Errorf("%s = %s, want %s", tt.path, got, tt.want)
			}
		})
	}
	r.later(storage.ExportKept + time.Hour)
	if n := r.export(); n != 1 {
		t.Errorf("%d old exports dropped, want 1", n)
	}
	if got, want := r.attribute("/cdr-exports/1", "status"), `"Deleted"`; got != want {
		t.Errorf("an old export is %s, want %s", got, want)
	}
	r.sound()
}

func TestALongExportMissesNoCall(t *testing.T) {
	r := newRig(t)
	acc := number(t, r.account(r.contractor("Northfield"), "one", ""))
	const calls = 12_000 // more than two pages, many in one millisecond
	r.update(func(tx *storage.Tx) error {
		for i := range calls {
			c := &rating.Call{Rated: true}
			c.SetTime(rating.CDRTimeStart, testClock.Add(-time.Hour+time.Duration(i/7)*time.Millisecond))
			c.SetInt(rating.CDRCustomerAccID, int64(acc))
			c.SetText(rating.CDRCallID, fmt.Sprint(i))
			if _, err := tx.Charge(c); err != nil {
				return err
			}
		}
		return nil
	})
	id := r.create("/cdr-exports", exportDoc(`"fields":["call_id"],"filters":{"time_start_gteq":"2026-11-21","time_start_lt":"2026-11-22"}`, ""))
	r.export()
	lines := strings.Split(strings.TrimSpace(r.admin("GET", "/cdr-exports/"+id+"/download", "").unzipped(t)), "\n")
	seen := map[string]bool{}
	for _, l := range lines[1:] {
		seen[l] = true
	}
	if len(lines)-1 != calls || len(seen) != calls {
		t.Errorf("%d lines of %d calls, want %d", len(lines)-1, len(seen), calls)
	}
}

// Source: the filters that Yeti's operators export by, contract 3.22 and 3.18.
func TestEveryFilterOfAnExportFinds(t *testing.T) {
	r := newRig(t)
	con := r.contractor("Northfield")
	acc, vendor := r.account(con, "one", ""), r.account(con, "carrier", "")
	at := testClock.Add(-time.Hour)
	var country, network string
	r.update(func(tx *storage.Tx) error {
		c, n := &storage.Country{Name: "Atlantis", ISO2: "XA"}, &storage.Network{Name: "Poseidon", Type: 3}
		if err := tx.Countries.Put(c); err != nil {
			return err
		}
		if err := tx.Networks.Put(n); err != nil {
			return err
		}
		country, network = decimal(c.ID), decimal(n.ID)
		return tx.Countries.Put(&storage.Country{Name: "Lemuria", ISO2: "XB"})
	})
	r.history(acc, vendor, at, func(c *rating.Call) {
		for name, value := range map[string]string{"customer_id": con, "customer_external_id": "11", "customer_acc_external_id": "12", "vendor_id": con, "vendor_external_id": "13", "vendor_acc_external_id": "14",
			"customer_auth_id": "15", "customer_auth_external_id": "16", "failed_resource_type_id": "17", "src_prefix_in": "111", "dst_prefix_in": "222", "src_prefix_routing": "333", "dst_prefix_routing": "444",
			"src_prefix_out": "555", "dst_prefix_out": "666", "src_country_id": country, "dst_country_id": country, "dst_network_id": network, "routing_tag_ids": "[2,3]", "orig_gw_id": "18", "orig_gw_external_id": "19",
			"term_gw_id": "20", "term_gw_external_id": "21", "duration": "60", "success": "true"} {
			f, ok := rating.CDRFieldNamed(name)
			if !ok {
				t.Fatalf("no column %s", name)
			}
			r.must(c.Parse(f, value))
		}
	})
	r.history(acc, "", at.Add(time.Second), func(c *rating.Call) { c.SetBool(rating.CDRIsLastCDR, false) }) // has nothing of all that
	both, first, second := "Dst Country Name,Atlantis,", "Dst Country Name,Atlantis", "Dst Country Name,"
	for filter, want := range map[string]string{
		`"customer_id_eq":` + con: both, `"customer_external_id_eq":11`: first, `"customer_acc_id_eq":` + acc: both, `"customer_acc_external_id_eq":12`: first, `"vendor_id_eq":` + con: first,
		`"vendor_external_id_eq":13`: first, `"vendor_acc_id_eq":` + vendor: first, `"vendor_acc_external_id_eq":14`: first, `"is_last_cdr_eq":true`: first, `"is_last_cdr_eq":false`: second,
		`"success_eq":true`: first, `"customer_auth_id_eq":15`: first, `"customer_auth_external_id_eq":"16"`: first, `"customer_auth_external_id_in":[16,99]`: first, `"customer_auth_external_id_in":[98,99]`: "Dst Country Name",
		`"failed_resource_type_id_eq":17`: first, `"src_prefix_in_contains":"1"`: first, `"src_prefix_in_eq":"111"`: first, `"dst_prefix_in_contains":"2"`: first, `"dst_prefix_in_eq":"22"`: "Dst Country Name",
		`"src_prefix_routing_contains":"3"`: first, `"dst_prefix_routing_eq":"444"`: first, `"src_prefix_out_eq":"555"`: first, `"dst_prefix_out_contains":"66"`: first, `"src_country_id_eq":` + country: first,
		`"dst_country_iso_eq":"XA"`: first, `"src_country_iso_in":["XA","XB"]`: first, `"dst_country_iso_in":["XB"]`: "Dst Country Name", `"routing_tag_ids_include":3`: first, `"routing_tag_ids_include":4`: "Dst Country Name",
		`"routing_tag_ids_exclude":3`: second, `"routing_tag_ids_exclude":4`: both, `"routing_tag_ids_empty":true`: second, `"routing_tag_ids_empty":false`: first, `"orig_gw_id_eq":18`: first, `"orig_gw_external_id_eq":19`: first,
		`"term_gw_id_eq":20`: first, `"term_gw_external_id_eq":21`: first, `"duration_eq":60`: first, `"duration_gteq":60`: first, `"duration_lteq":59`: second, `"duration_not_eq":60`: second,
		`"dst_prefix_in_not_in":["222"]`: "Dst Country Name", `"dst_prefix_in_in":["1","222"]`: first, `"time_start_lteq":"` + at.Format(time.RFC3339Nano) + `"`: first,
	} {
		span := `"time_start_gteq":"2026-11-21","time_start_lt":"2026-11-22",`
		id := r.create("/cdr-exports", exportDoc(`"fields":["dst_country_name"],"filters":{`+span+filter+`}`, ""))
		r.export()
		got := strings.ReplaceAll(strings.ReplaceAll(strings.TrimSpace(r.admin("GET", "/cdr-exports/"+id+"/download", "").unzipped(t)), `"`, ""), "\n", ",")
		lines := strings.Split(got, ",")
		slices.Sort(lines[1:])
		wanted := strings.Split(want, ",")
		slices.Sort(wanted[1:])
		if !slices.Equal(lines, wanted) {
			t.Errorf("%s finds %q, want %q", filter, lines, wanted)
		}
	}
	r.sound()
}

func TestTheEndOfAnExportIsToldOnce(t *testing.T) {
	r := newRig(t)
	type ping struct{ method, query, body string }
	pings := make(chan ping, 10)
	web := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		pings <- ping{req.Method, req.URL.RawQuery, string(body)}
	}))
	defer web.Close()
	const span = `"filters":{"time_start_gteq":"2026-11-21","time_start_lt":"2026-11-22"}`
	done := r.create("/cdr-exports", exportDoc(`"fields":["id"],`+span+`,"callback-url":"`+web.URL+`/ready"`, ""))
	r.create("/cdr-exports", exportDoc(`"fields":["id"],`+span, "")) // asks for no call
	failing := r.create("/cdr-exports", exportDoc(`"fields":["id"],`+span+`,"callback-url":"`+web.URL+`/ready"`, ""))
	r.update(func(tx *storage.Tx) error {
		e, err := tx.CDRExports.Get(number(t, failing))
		if err != nil {
			return err
		}
		e.Fields = []string{"nothing"}
		return tx.CDRExports.Put(e)
	})
	if n, err := ops.DeliverOutbox(t.Context(), r.env()); n != 0 || err != nil {
		t.Errorf("told of %d exports before they ended, %v", n, err)
	}
	r.export()
	if n, err := ops.DeliverOutbox(t.Context(), r.env()); n != 2 || err != nil {
		t.Errorf("told of %d exports, %v; want 2", n, err)
	}
	r.export()
	if n, err := ops.DeliverOutbox(t.Context(), r.env()); n != 0 || err != nil {
		t.Errorf("told again of %d exports, %v", n, err)
	}
	close(pings)
	got := map[ping]bool{}
	for p := range pings {
		got[p] = true
	}
	for id, status := range map[string]string{done: "Completed", failing: "Failed"} {
		form := "export_id=" + id + "&status=" + status
		if !got[ping{"GET", form, form}] {
			t.Errorf("pings = %v, want GET with %s", got, form)
		}
	}
	r.sound()
}

func TestPapersOfInvoices(t *testing.T) {
	r := newRig(t)
	con := r.contractor("Northfield")
	acc := r.account(con, "one", "")
	id := r.create("/invoices", fmt.Sprintf(invoiceDoc, "2026-09-01", "2026-10-01", acc))
	none := func(when string) {
		t.Helper()
		if a := r.admin("GET", "/invoices/"+id+"/pdf", ""); a.StatusCode != 404 || a.body != "" {
			t.Errorf("%s: paper = %d %.20q, want an empty 404", when, a.StatusCode, a.body)
		}
		if got := r.attribute("/invoices/"+id, "pdf-path"); got != "null" {
			t.Errorf("%s: pdf-path = %s, want null", when, got)
		}
	}
	none("not filled")
	if _, err := r.db.FillNew(t.Context()); err != nil {
		t.Fatal(err)
	}
	none("a draft of an account without a template")
	r.update(func(tx *storage.Tx) error {
		a, err := tx.Accounts.Get(number(t, acc))
		if err != nil {
			return err
		}
		template := int64(1)
		a.InvoiceTemplate = &template
		return tx.Accounts.Put(a)
	})
	draft := r.admin("GET", "/invoices/"+id+"/pdf", "")
	if draft.StatusCode != 200 || !strings.HasPrefix(draft.body, "%PDF") {
		t.Errorf("a draft of an account with a template = %d %.20q", draft.StatusCode, draft.body)
	}
	token := r.customer(con, "")
	var uuid string
	r.update(func(tx *storage.Tx) error {
		inv, err := tx.ApproveInvoice(number(t, id))
		if err == nil {
			uuid = inv.UUID.String()
		}
		return err
	})
	before := r.own(token, "/invoices/"+uuid+"/download")
	if before.StatusCode != 200 || before.Header.Get("Content-Type") != "application/pdf" || before.Header.Get("Content-Disposition") != `attachment; filename="invoice-`+id+`.pdf"` || !strings.HasPrefix(before.body, "%PDF") {
		t.Errorf("download = %d %v %.20q", before.StatusCode, before.Header, before.body)
	}
	if n, err := ops.MakePapers(t.Context(), r.env()); n != 1 || err != nil {
		t.Errorf("made %d papers, %v", n, err)
	}
	if after := r.own(token, "/invoices/"+uuid+"/download"); after.body != before.body {
		t.Error("the kept paper differs from the one that was downloaded before")
	}
	if a := r.admin("GET", "/invoices/"+id+"/pdf", ""); a.body != before.body {
		t.Error("operator and customer get different papers")
	}
	if a := r.own(token, "/invoices/"+uuid); !strings.Contains(a.body, `"has-pdf":true`) {
		t.Errorf("the customer's view = %s", a.body)
	}
	r.sound()
}
