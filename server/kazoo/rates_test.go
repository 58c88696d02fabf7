package kazoo

import (
	"bytes"
	"mime/multipart"
	"strings"
	"testing"
)

func TestRatesAreWrittenReadAndEnded(t *testing.T) {
	s := newServer(t)
	_, token := s.tenant(s.master, "Northfield")
	r := s.want(201, "PUT", "/v2/rates", s.token, `{"data":{"prefix":"+44","rate_cost":"0.0123456","iso_country_code":"gb","rate_name":"UK","rate_surcharge":0.25,"rate_nocharge_time":5,"weight":30,"extra":[1]}}`)
	if got, want := r.at("data"), `{"extra":[1],"id":"GB-44","iso_country_code":"GB","prefix":44,"rate_cost":0.0123456,"rate_increment":60,"rate_minimum":60,"rate_name":"UK","rate_nocharge_time":5,"rate_surcharge":0.25,"ratedeck_id":"ratedeck","routes":["^\\+?44.+$"],"weight":30}`; got != want {
		t.Errorf("rate = %s, want %s", got, want)
	}
	s.want(409, "PUT", "/v2/rates", s.token, `{"data":{"prefix":44,"rate_cost":1,"iso_country_code":"GB"}}`)
	s.want(403, "PUT", "/v2/rates", token, `{"data":{"prefix":45,"rate_cost":1}}`)
	s.want(200, "GET", "/v2/rates/GB-44", token, "")
	s.want(404, "GET", "/v2/rates/GB-44?ratedeck_id=other", token, "")
	if r := s.want(200, "PATCH", "/v2/rates/GB-44", s.token, `{"data":{"rate_minimum":30,"rate_nocharge_time":0}}`); r.text("data.rate_cost") != "0.0123456" || r.text("data.rate_minimum") != "30" {
		t.Errorf("PATCH = %s, want another minimum and the same cost", r.raw)
	}
	s.want(201, "PUT", "/v2/rates", s.token, `{"data":{"prefix":4420,"rate_cost":1}}`)
	if r := s.want(200, "GET", "/v2/rates", token, ""); r.text("page_size") != "2" || r.text("data.0.cost") != "0.0123456" {
		t.Errorf("list = %s, want two rows", r.raw)
	}
	if r := s.want(200, "GET", "/v2/rates?prefix=44207", token, ""); r.text("data.1.id") != "XX-4420" || r.text("data.0.id") != "GB-44" {
		t.Errorf("prefix = %s, want both rates", r.raw)
	}
	page := s.want(200, "GET", "/v2/rates?page_size=1", token, "")
	if next := s.want(200, "GET", "/v2/rates?page_size=1&start_key="+page.text("next_start_key"), token, ""); next.text("data.0.id") != "XX-4420" || next.at("next_start_key") != "absent" {
		t.Errorf("second page = %s, want XX-4420", next.raw)
	}
	if r := s.want(200, "DELETE", "/v2/rates/GB-44", s.token, ""); r.text("data._read_only.deleted") != "true" {
		t.Errorf("DELETE = %s, want deleted", r.raw)
	}
	s.want(404, "GET", "/v2/rates/GB-44", token, "")
	s.want(201, "PUT", "/v2/rates", s.token, `{"data":{"prefix":44,"rate_cost":1,"iso_country_code":"GB"}}`)
}

func TestRatesAreChecked(t *testing.T) {
	s := newServer(t)
	for _, tt := range []struct{ name, data, field, code string }{
		{"no prefix", `{"rate_cost":1}`, "prefix", "required"},
		{"no cost", `{"prefix":1}`, "rate_cost", "required"},
		{"a prefix of letters", `{"prefix":"abc","rate_cost":1}`, "prefix", "type"},
		{"a cost below 0", `{"prefix":1,"rate_cost":-1}`, "rate_cost", "minimum"},
		{"a cost beyond a billion", `{"prefix":1,"rate_cost":1e10}`, "rate_cost", "maximum"},
		{"increments of nothing", `{"prefix":1,"rate_cost":1,"rate_increment":0}`, "rate_increment", "minimum"},
		{"a weight over 100", `{"prefix":1,"rate_cost":1,"weight":101}`, "weight", "maximum"},
		{"a route that is no pattern", `{"prefix":1,"rate_cost":1,"routes":["("]}`, "routes", "invalid"},
		{"a direction nobody knows", `{"prefix":1,"rate_cost":1,"direction":["sideways"]}`, "direction", "enum"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := s.call("PUT", "/v2/rates", s.token, `{"data":`+tt.data+`}`)
			if r.status != 400 || r.at("data."+tt.field+"."+tt.code+".message") == "absent" {
				t.Errorf("PUT = %d %s, want 400 with %s.%s", r.status, r.raw, tt.field, tt.code)
			}
		})
	}
}

func TestTheRateOfANumber(t *testing.T) {
	s := newServer(t)
	for _, rate := range []string{
		`{"prefix":1,"rate_cost":0.4,"rate_name":"one"}`,
		`{"prefix":1503,"rate_cost":0.02,"rate_surcharge":0.25,"rate_name":"minute"}`,
		`{"prefix":1504,"rate_cost":0.02,"rate_surcharge":0.25,"rate_minimum":90,"rate_name":"a minute and a half"}`,
		`{"prefix":1505,"rate_cost":0.02,"rate_surcharge":0.25,"rate_minimum":45,"rate_name":"three quarters"}`,
		`{"prefix":1506,"rate_cost":1,"weight":20,"rate_name":"light","rate_suffix":"a"}`,
		`{"prefix":1506,"rate_cost":2,"rate_name":"heavy","rate_suffix":"b"}`,
		`{"prefix":1507,"rate_cost":1,"rate_name":"in","direction":["inbound"]}`,
		`{"prefix":1508,"rate_cost":1,"rate_name":"elsewhere","routes":["^\\+999"]}`,
	} {
		s.want(201, "PUT", "/v2/rates", s.token, `{"data":`+rate+`}`)
	}
	for _, tt := range []struct{ name, number, base, rate string }{
		{"a minute and the surcharge", "15035551234", "0.27", "minute"},
		{"a minute and a half counts one", "5045551234", "0.27", "a minute and a half"},
		{"less than a minute counts none", "%2B15055551234", "0.25", "three quarters"},
		{"the lower weight wins", "15065551234", "1", "light"},
		{"outbound passes over inbound", "15075551234?direction=outbound", "0.4", "one"},
		{"inbound takes it", "15075551234?direction=inbound", "1", "in"},
		{"a route that does not match", "15085551234", "0.4", "one"},
		{"an option nobody has", "15035551234?options=fax", "absent", "absent"},
		{"an international prefix", "01115035551234", "0.27", "minute"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := s.call("GET", "/v2/rates/number/"+tt.number, s.token, "")
			if got, want := r.text("data.Base-Cost")+" "+r.text("data.Rate-Name"), tt.base+" "+tt.rate; got != want {
				t.Errorf("rate = %s (%s), want %s", got, r.raw, want)
			}
		})
	}
	r := s.want(500, "GET", "/v2/rates/number/%2B442071838750", s.token, "")
	if r.text("message") != "No rate found for this number" {
		t.Errorf("message = %s, want no rate", r.raw)
	}
}

func TestRatesAreUploaded(t *testing.T) {
	s := newServer(t)
	const csv = "prefix,iso,description,internal,rate\n+1503,us,Oregon,0.01,0.02\n44,GB,UK,0.1,0.25\n"
	for _, tt := range []struct {
		name, media, body string
		status            int
		message           string
	}{
		{"no file", "text/csv", "", 400, "no file to process"},
		{"JSON", "application/json", `{"data":{}}`, 400, "no file to process"},
		{"a price that is none", "text/csv", "44,GB,UK,cheap\n", 400, "line 1"},
		{"a price below 0", "text/csv", "44,GB,UK,-1\n", 400, "line 1"},
		{"another type", "image/png", "44,GB,UK,1\n", 415, "unsupported"},
		{"a form without a boundary", "multipart/form-data", "44,GB,UK,1\n", 400, "form"},
		{"a header and two rows", "text/csv", csv, 202, "2 rates"},
		{"the same again", "text/comma-separated-values", csv, 202, "2 rates"},
		{"all columns", "text/csv", "33,FR,France,0.01,0.05,0.001,0.1,,6,30,inbound;outbound\n", 202, "1 rates"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := s.call("POST", "/v2/rates?ratedeck_id=gold", s.token, tt.body, "Content-Type", tt.media)
			if r.status != tt.status || !strings.Contains(string(r.raw), tt.message) {
				t.Errorf("POST = %d %s, want %d %s", r.status, r.raw, tt.status, tt.message)
			}
		})
	}
	r := s.want(200, "GET", "/v2/rates/FR-33?ratedeck_id=gold", s.token, "")
	if got, want := r.at("data.rate_surcharge")+" "+r.at("data.rate_cost")+" "+r.at("data.rate_increment")+" "+r.at("data.rate_minimum")+" "+r.at("data.weight")+" "+r.at("data.routes"),
		`0.05 0.1 10 30 20 ["^\\+33(\\d*)$"]`; got != want {
		t.Errorf("row = %s, want %s", got, want)
	}
	if r := s.want(200, "GET", "/v2/rates?ratedeck_id=gold", s.token, ""); r.text("page_size") != "3" {
		t.Errorf("list = %s, want 3 rates", r.raw)
	}
	if got := s.want(200, "GET", "/v2/rates/ratedecks", s.token, "").at("data"); got != `["gold","ratedeck"]` {
		t.Errorf("ratedecks = %s, want both", got)
	}
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	part, err := w.CreateFormFile("file", "rates.csv")
	if err != nil {
		t.Fatal(err)
	}
	part.Write([]byte("49,DE,Germany,0.3\n"))
	w.Close()
	s.want(202, "POST", "/v2/rates?ratedeck_id=gold", s.token, form.String(), "Content-Type", w.FormDataContentType())
	if r := s.want(200, "GET", "/v2/rates/number/%2B4930123456?ratedeck_id=gold", s.token, ""); r.text("data.Base-Cost") != "0.3" {
		t.Errorf("price = %s, want 0.3", r.raw)
	}
}

func TestTheRateOfANumberIsFiltered(t *testing.T) {
	s := newServer(t)
	id, _ := s.tenant(s.master, "Northfield")
	other, _ := s.tenant(s.master, "Southfield")
	for _, rate := range []string{
		`{"prefix":1,"rate_cost":0.4,"rate_name":"one"}`,
		`{"prefix":1503,"rate_cost":1,"rate_name":"cheap","rate_suffix":"a","weight":5}`,
		`{"prefix":1503,"rate_cost":3,"rate_name":"dear","rate_suffix":"b","weight":9}`,
		`{"prefix":1504,"rate_cost":1,"rate_name":"from home","caller_id_numbers":["^\\+1415"]}`,
		`{"prefix":1505,"rate_cost":1,"rate_name":"v2","rate_version":"2"}`,
		`{"prefix":1506,"rate_cost":1,"rate_name":"private","account_id":"` + id + `"}`,
	} {
		s.want(201, "PUT", "/v2/rates", s.token, `{"data":`+rate+`}`)
	}
	for _, tt := range []struct{ name, path, want string }{
		{"the lower weight", "rates/number/15035551234", "cheap"},
		{"the higher cost", "rates/number/15035551234?sort=cost", "dear"},
		{"a caller whom the rate is for", "rates/number/15045551234?caller_id_number=4155550100", "from home"},
		{"another caller", "rates/number/15045551234?caller_id_number=4165550100", "one"},
		{"no caller asked about", "rates/number/15045551234", "from home"},
		{"the version", "rates/number/15055551234?rate_version=2", "v2"},
		{"another version", "rates/number/15055551234?rate_version=3", "absent"},
		{"the account's own rate", "accounts/" + id + "/rates/number/15065551234", "private"},
		{"nobody else's", "accounts/" + other + "/rates/number/15065551234", "one"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if r := s.call("GET", "/v2/"+tt.path, s.token, ""); r.text("data.Rate-Name") != tt.want {
				t.Errorf("rate = %s, want %s", r.raw, tt.want)
			}
		})
	}
	if r := s.call("PUT", "/v2/rates", s.token, `{"data":{"prefix":1,"rate_cost":1,"rate_suffix":"x","caller_id_numbers":["("]}}`); r.status != 400 || r.at("data.caller_id_numbers.invalid") == "absent" {
		t.Errorf("a pattern that is none = %d %s", r.status, r.raw)
	}
}
