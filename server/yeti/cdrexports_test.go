package yeti

import (
	"compress/gzip"
	"fmt"
	"io"
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
		{"there is an end", AdminBase, exportDoc(`"fields":["id"],"filters":{"time_start_gteq":"2026-11-01"}`, ""), "filters - requires time_start_lteq or time_start_lt"},
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
