package kazoo

import (
	"bytes"
	"context"
	"fmt"
	"mime/multipart"
	"strings"
	"testing"
)

func TestATaskImportsRates(t *testing.T) {
	s := newServer(t)
	_, token := s.tenant(s.master, "Northfield")
	at := "/v2/tasks?category=rates&action=import"
	csv := []string{"Content-Type", "text/csv"}
	s.want(403, "PUT", at, token, "prefix,rate_cost\n44,1\n", csv...)
	for _, tt := range []struct {
		name, path, body string
		status           int
		want             string
	}{
		{"no action", "/v2/tasks?category=rates", "prefix,rate_cost\n44,1\n", 400, `"action":{"required"`},
		{"a category nobody has", "/v2/tasks?category=cakes&action=import", "x\n1\n", 404, `"cause":"cakes"`},
		{"an action nobody has", "/v2/tasks?category=rates&action=eat", "x\n1\n", 404, `"cause":"eat"`},
		{"nothing", at, "", 400, `"csv":{"format"`},
		{"a header alone", at, "prefix,rate_cost\n", 400, `"csv":{"format"`},
		{"a column that lacks", at, "prefix\n44\n", 400, "rate_cost"},
		{"a column that means nothing", at, "prefix,rate_cost,colour\n44,1,red\n", 400, "colour"},
		{"rows of different lengths", at, "prefix,rate_cost\n44\n", 400, `"csv":{"format"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if r := s.call("PUT", tt.path, s.token, tt.body, csv...); r.status != tt.status || !strings.Contains(string(r.raw), tt.want) {
				t.Errorf("PUT = %d %s, want %d with %s", r.status, r.raw, tt.status, tt.want)
			}
		})
	}
	s.want(201, "PUT", "/v2/rates", s.token, `{"data":{"prefix":44,"rate_cost":9,"iso_country_code":"GB","rate_surcharge":0.5}}`)
	r := s.want(201, "PUT", at+"&file_name=r.csv", s.token, "prefix,rate_cost,iso_country_code,direction,routes\n44,0.25,GB,,\n1503,0.1,,inbound,\nnope,1,,,\n33,-1,FR,,\n49,0.3,DE,inbound;outbound,^\\+49;^49\n", csv...)
	id := r.text("data._read_only.id")
	if got := r.text("data._read_only.status") + " " + r.text("data._read_only.total_count") + " " + r.text("data._read_only.file_name"); got != "pending 5 r.csv" {
		t.Errorf("task = %s", r.raw)
	}
	s.want(404, "GET", "/v2/tasks/"+id+"/output", s.token, "", "Accept", "text/csv")
	r = s.want(200, "PATCH", "/v2/tasks/"+id, s.token, "")
	if got := r.text("data._read_only.status") + " " + r.text("data._read_only.success_count") + " " + r.text("data._read_only.failure_count"); got != "partial 3 2" {
		t.Errorf("done = %s", r.raw)
	}
	out := s.want(200, "GET", "/v2/tasks/"+id+"/output", s.token, "", "Accept", "text/csv")
	if got, want := string(out.raw), "prefix,rate_cost,iso_country_code,direction,routes,error\n44,0.25,GB,,,\n1503,0.1,,inbound,,\nnope,1,,,,prefix: type\n33,-1,FR,,,rate_cost: minimum\n49,0.3,DE,inbound;outbound,^\\+49;^49,\n"; got != want {
		t.Errorf("output = %q, want %q", got, want)
	}
	if got := out.header.Get("Content-Disposition"); got != `attachment; filename="rates_import_`+id+`_out.csv"` {
		t.Errorf("file name = %s", got)
	}
	if r := s.want(200, "GET", "/v2/tasks/"+id+"?csv_name=in.csv", s.token, "", "Accept", "text/csv"); !strings.HasPrefix(string(r.raw), "prefix,rate_cost,iso") {
		t.Errorf("input = %s", r.raw)
	}
	r = s.want(200, "GET", "/v2/rates/GB-44", s.token, "")
	if got := r.text("data.rate_cost") + " " + r.text("data.rate_surcharge"); got != "0.25 0.5" {
		t.Errorf("changed rate = %s, want another cost and the same surcharge", r.raw)
	}
	r = s.want(200, "GET", "/v2/rates/XX-1503", s.token, "")
	if got := r.text("data.rate_name") + " " + r.text("data.weight"); got != "inbound_1503 30" {
		t.Errorf("new rate = %s, want a name and a weight made up", r.raw)
	}
	s.want(404, "PATCH", "/v2/tasks/"+id, s.token, "") // it is over
	s.want(404, "PATCH", "/v2/tasks/"+id+"/stop", s.token, "")
	if r := s.want(200, "GET", "/v2/accounts/"+s.master+"/tasks", s.token, ""); r.ids("id") != id || r.ids("status") != "partial" {
		t.Errorf("list = %s", r.raw)
	}
	s.want(403, "DELETE", "/v2/tasks/"+id, token, "")
	s.want(404, "GET", "/v2/tasks/"+id, token, "") // another's
	s.want(200, "DELETE", "/v2/tasks/"+id, s.token, "")
	s.want(404, "GET", "/v2/tasks/"+id, s.token, "")
}

func TestATaskTakesJSONAndForms(t *testing.T) {
	s := newServer(t)
	at := "/v2/tasks?category=rates&action=import"
	r := s.want(201, "PUT", at, s.token, `{"data":{"records":[{"prefix":"1503","rate_cost":"0.1"},{"prefix":1504,"rate_cost":0.2,"routes":["^\\+1504"]}],"ratedeck_id":"gold","note":"n"}}`)
	if r.text("data._read_only.total_count") != "2" || r.text("data.note") != "n" {
		t.Errorf("task = %s", r.raw)
	}
	if r := s.want(200, "PATCH", "/v2/tasks/"+r.text("data._read_only.id"), s.token, ""); r.text("data._read_only.status") != "success" {
		t.Errorf("done = %s", r.raw)
	}
	if r := s.want(200, "GET", "/v2/rates/number/15045551234?ratedeck_id=gold", s.token, ""); r.text("data.Base-Cost") != "0.2" {
		t.Errorf("price = %s", r.raw)
	}
	for _, bad := range []string{`{"records":7}`, `{"records":[7]}`, `{"records":[]}`} {
		s.want(400, "PUT", at, s.token, `{"data":`+bad+`}`)
	}
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	part, err := w.CreateFormFile("file", "deck.csv")
	if err != nil {
		t.Fatal(err)
	}
	part.Write([]byte("prefix,rate_cost\n1505,0.3\n"))
	w.Close()
	if r := s.want(201, "PUT", at, s.token, form.String(), "Content-Type", w.FormDataContentType()); r.text("data._read_only.file_name") != "deck.csv" {
		t.Errorf("form = %s", r.raw)
	}
	if r := s.want(200, "GET", "/v2/tasks", "", ""); r.at("data.tasks.rates.import.mandatory") != `["prefix","rate_cost"]` {
		t.Errorf("help = %s", r.raw)
	}
}

func TestLargeTasksRunInTheBackground(t *testing.T) {
	s := newServer(t)
	ctx := context.Background()
	var b strings.Builder
	b.WriteString("prefix,rate_cost\n")
	for i := range smallTask + 1 {
		fmt.Fprintf(&b, "%d,0.1\n", 10_000+i)
	}
	start := func(action, body string) string {
		t.Helper()
		id := s.want(201, "PUT", "/v2/tasks?category=rates&action="+action, s.token, body, "Content-Type", "text/csv").text("data._read_only.id")
		if r := s.want(200, "PATCH", "/v2/tasks/"+id, s.token, ""); r.text("data._read_only.status") != "executing" {
			t.Errorf("%s = %s, want it to go on", action, r.raw)
		}
		return id
	}
	run := func() {
		t.Helper()
		if _, err := RunTasks(ctx, s.db); err != nil {
			t.Fatal(err)
		}
	}
	status := func(id string) string {
		return s.want(200, "GET", "/v2/tasks/"+id, s.token, "").text("data._read_only.status")
	}
	stopped := start("import", b.String())
	s.want(404, "DELETE", "/v2/tasks/"+stopped, s.token, "")
	s.want(200, "PATCH", "/v2/tasks/"+stopped+"/stop", s.token, "")
	run()
	if got := status(stopped); got != "stopped" || s.want(200, "GET", "/v2/rates", s.token, "").text("page_size") != "0" {
		t.Errorf("a stopped import is %s and has written rates", got)
	}
	id := start("import", b.String())
	run()
	if got := status(id); got != "success" {
		t.Errorf("import = %s, want success", got)
	}
	id = start("export", "")
	run()
	out := string(s.want(200, "GET", "/v2/tasks/"+id+"/output", s.token, "", "Accept", "text/csv").raw)
	if n := strings.Count(out, "\n"); n != smallTask+2 || !strings.HasPrefix(out, "prefix,rate_cost,account_id") {
		t.Errorf("export has %d lines, want %d:\n%.200s", n, smallTask+2, out)
	}
	rows := strings.SplitAfterN(out, "\n", 4)
	id = s.want(201, "PUT", "/v2/tasks?category=rates&action=delete", s.token, "prefix,rate_cost\n10000,0.1\n10001,0.2\n99,1\n", "Content-Type", "text/csv").text("data._read_only.id")
	if r := s.want(200, "PATCH", "/v2/tasks/"+id, s.token, ""); r.text("data._read_only.success_count") != "1" || r.text("data._read_only.failure_count") != "2" {
		t.Errorf("delete = %s, want one of three", r.raw)
	}
	s.want(404, "GET", "/v2/rates/XX-10000", s.token, "")
	s.want(200, "GET", "/v2/rates/XX-10001", s.token, "")
	// what was exported can be imported
	id = s.want(201, "PUT", "/v2/tasks?category=rates&action=import", s.token, rows[0]+rows[1]+rows[2], "Content-Type", "text/csv").text("data._read_only.id")
	if r := s.want(200, "PATCH", "/v2/tasks/"+id, s.token, ""); r.text("data._read_only.status") != "success" {
		t.Errorf("import of an export = %s", r.raw)
	}
	if n, err := RunTasks(ctx, s.db); n != 0 || err != nil {
		t.Errorf("RunTasks with nothing to do = %d, %v", n, err)
	}
}

func TestAnUploadIsAllOrNothing(t *testing.T) {
	s := newServer(t)
	csv := []string{"Content-Type", "text/csv"}
	s.want(400, "POST", "/v2/rates?ratedeck_id=gold", s.token, "44,GB,UK,0.1\n33,FR,France,cheap\n", csv...)
	if got := s.want(200, "GET", "/v2/rates/ratedecks", s.token, "").at("data"); got != `["ratedeck"]` {
		t.Errorf("ratedecks = %s, want no trace of the upload", got)
	}
	if r := s.want(202, "POST", "/v2/rates?ratedeck_id=gold", s.token, "44,GB,UK,0.1\n44,GB,UK again,0.2\n", csv...); !strings.Contains(string(r.raw), "2 rates") {
		t.Errorf("upload = %s", r.raw)
	}
	if r := s.want(200, "GET", "/v2/rates/GB-44?ratedeck_id=gold", s.token, ""); r.text("data.rate_cost") != "0.2" {
		t.Errorf("rate = %s, want the later line", r.raw)
	}
}
