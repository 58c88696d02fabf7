package yeti

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite testdata/*.http")

// exchange is one request of a transcript. head is further header lines; a body makes it carry one.
type exchange struct {
	name, line, head, body string
}

// masks replace what differs from run to run.
var masks = []struct {
	find *regexp.Regexp
	with string
}{
	{regexp.MustCompile(`(?m)^(Date|X-Request-Id|X-Runtime): .*\r$`), "$1: *\r"},
	{regexp.MustCompile(`"jwt":"[^"]*"`), `"jwt":"*"`},
	{regexp.MustCompile(`"token":"[^"]*"`), `"token":"*"`},
	{regexp.MustCompile(`Etag: [^\r]*(\r\n(?:[^\r]+\r\n)*\r\n\{"data":\{"id":"[0-9]+","type":"customer-tokens")`), "Etag: *$1"}, // of the token
	{regexp.MustCompile(`(_session=)ey[^;]*`), "${1}*"},
}

// transcript plays requests on a raw connection and compares the whole conversation with a file.
func (r *rig) transcript(file string, exchanges []exchange) {
	t := r.t
	t.Helper()
	var got bytes.Buffer
	for _, x := range exchanges {
		head := x.line + "\r\nHost: example.org\r\n"
		if !strings.Contains(x.head, "Accept:") {
			head += "Accept: application/vnd.api+json\r\n"
		}
		if !strings.Contains(x.head, "Content-Type:") {
			head += "Content-Type: application/vnd.api+json\r\n"
		}
		head += x.head
		shown := head
		if !strings.Contains(x.head, "Authorization:") {
			head += "Authorization: " + r.token + "\r\n"
			shown += "Authorization: (token)\r\n"
		}
		rest := fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(x.body), x.body)
		fmt.Fprintf(&got, "### %s\n\n%s\n\n--- answer\n\n%s\n\n\n", x.name, shown+rest, r.exchange(x.line, head+rest))
	}
	text := got.String()
	for _, m := range masks {
		text = m.find.ReplaceAllString(text, m.with)
	}
	text = strings.ReplaceAll(text, "\r\n", "\n")
	path := filepath.Join("testdata", file)
	if *update {
		r.must(os.WriteFile(path, []byte(text), 0o644))
		return
	}
	want, err := os.ReadFile(path)
	r.must(err)
	if text != string(want) {
		t.Errorf("%s differs; run with -update and look at the diff\n--- got\n%s\n--- want\n%s", path, text, want)
	}
}

// exchange sends raw bytes and returns the raw answer.
func (r *rig) exchange(line, raw string) string {
	r.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(r.base, "http://"))
	r.must(err)
	defer conn.Close()
	_, err = conn.Write([]byte(raw))
	r.must(err)
	method, _, _ := strings.Cut(line, " ")
	res, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	r.must(err)
	dump, err := httputil.DumpResponse(res, true)
	r.must(err)
	return string(dump)
}

const seedAccount = `{"data":{"type":"accounts","attributes":{"name":"name","min-balance":1,"max-balance":10,"vat":11,"origination-capacity":100,"termination-capacity":110,"total-capacity":100,"balance-low-threshold":90,"balance-high-threshold":95,"send-balance-notifications-to":[1],"timezone":"Europe/Kyiv","uuid":"fd868b74-e7d8-11f0-bf40-0a63caf27539"},"relationships":{"contractor":{"data":{"type":"contractors","id":2}}}}}`

func TestTranscriptOfAccounts(t *testing.T) {
	r := newRig(t)
	r.contractor("Northfield Telecom")
	r.transcript("accounts.http", []exchange{
		{"create as in the seed document", "POST /api/rest/admin/accounts HTTP/1.1", "", seedAccount},
		{"show with an included contractor and chosen fields", "GET /api/rest/admin/accounts/2?include=contractor&fields[accounts]=name,contractor&fields[contractors]=name HTTP/1.1", "", ""},
		{"the same document again is not sent", "GET /api/rest/admin/accounts/2?fields[accounts]=name HTTP/1.1", "If-None-Match: \"dd\", W/\"" + r.etag("/api/rest/admin/accounts/2?fields[accounts]=name") + "\"\r\n", ""},
		{"list a page by name, descending", "GET /api/rest/admin/accounts?sort=-name&page[size]=1&fields[accounts]=name,balance HTTP/1.1", "", ""},
		{"an update names its record", "PATCH /api/rest/admin/accounts/2 HTTP/1.1", "", `{"data":{"type":"accounts","attributes":{}}}`},
		{"every rule that a document breaks is reported", "PATCH /api/rest/admin/accounts/2 HTTP/1.1", "", `{"data":{"type":"accounts","id":"2","attributes":{"name":" ","max-balance":0.5,"vat":null,"balance-low-threshold":"95","timezone":""},"relationships":{"contractor":{"data":null}}}}`},
		{"an update changes what it names", "PATCH /api/rest/admin/accounts/2?fields[accounts]=external-id HTTP/1.1", "", `{"data":{"type":"accounts","id":2,"attributes":{"external-id":"7"}}}`},
		{"set the balance by the external id", "PUT /api/rest/admin/accounts/7/balance HTTP/1.1", "", `{"data":{"type":"balances","id":"7","attributes":{"balance":"21"}}}`},
		{"linkage", "GET /api/rest/admin/accounts/2/relationships/contractor HTTP/1.1", "", ""},
		{"correct the balance", "PATCH /api/rest/admin/accounts/2/balance-correction HTTP/1.1", "", `{"data":{"type":"balance-correction","id":"2","attributes":{"correction":-21}}}`},
		{"delete an account whose balance is settled", "DELETE /api/rest/admin/accounts/2 HTTP/1.1", "", ""},
		{"what is deleted is not there", "GET /api/rest/admin/accounts/2 HTTP/1.1", "", ""},
	})
}

// etag asks example.org's server for the tag that a record of the seed document will have: it makes
// the account in a store of its own.
func (r *rig) etag(path string) string {
	other := newRig(r.t)
	other.contractor("Northfield Telecom")
	other.create("/accounts", seedAccount)
	a := other.exchange("GET", "GET "+path+" HTTP/1.1\r\nHost: example.org\r\nAuthorization: "+other.token+"\r\n\r\n")
	_, tag, _ := strings.Cut(a, `Etag: W/"`)
	tag, _, _ = strings.Cut(tag, `"`)
	return tag
}

func TestTranscriptOfRefusals(t *testing.T) {
	r := newRig(t)
	const contractors = "/api/rest/admin/contractors"
	r.transcript("refusals.http", []exchange{
		{"nobody", "GET " + contractors + " HTTP/1.1", "Authorization: \r\n", ""},
		{"a route that does not exist", "GET /api/rest/admin/no-such-things HTTP/1.1", "", ""},
		{"the wrong media type", "POST " + contractors + " HTTP/1.1", "Content-Type: application/json\r\n", `{}`},
		{"an Accept that nothing answers", "GET " + contractors + " HTTP/1.1", "Accept: application/json\r\n", ""},
		{"JSON that does not parse", "POST " + contractors + " HTTP/1.1", "", `{"data":`},
		{"JSON that is no object", "POST " + contractors + " HTTP/1.1", "", `[1]`},
		{"no body", "POST " + contractors + " HTTP/1.1", "", ``},
		{"data that is no object", "POST " + contractors + " HTTP/1.1", "", `{"data":"x"}`},
		{"no type", "POST " + contractors + " HTTP/1.1", "", `{"data":{"attributes":{}}}`},
		{"an id in a create", "POST " + contractors + " HTTP/1.1", "", `{"data":{"type":"contractors","id":"3"}}`},
		{"an id that is not the path's", "PATCH " + contractors + "/1 HTTP/1.1", "", `{"data":{"type":"contractors","id":"99"}}`},
		{"a record that is not there", "GET " + contractors + "/999 HTTP/1.1", "", ""},
	})
}

func TestTranscriptOfSignIn(t *testing.T) {
	r := newRig(t)
	r.create("/api-accesses", `{"data":{"type":"api-accesses","attributes":{"customer-id":1,"login":"north","password":"`+testPassword+`"}}}`)
	const plain = "Content-Type: application/json\r\nAccept: application/json\r\nAuthorization: \r\n"
	r.transcript("sign-in.http", []exchange{
		{"an operator", "POST /api/rest/admin/auth HTTP/1.1", plain, `{"auth":{"username":"admin","password":"` + testPassword + `"}}`},
		{"a wrong password", "POST /api/rest/admin/auth HTTP/1.1", plain, `{"auth":{"username":"admin","password":"x"}}`},
		{"no credentials", "POST /api/rest/admin/auth HTTP/1.1", plain, `{"auth":{}}`},
		{"a customer", "POST /api/rest/customer/v1/auth HTTP/1.1", plain, `{"auth":{"login":"north","password":"` + testPassword + `"}}`},
		{"a customer who wants a cookie", "POST /api/rest/customer/v1/auth HTTP/1.1", plain, `{"auth":{"login":"north","password":"` + testPassword + `","cookie_auth":true}}`},
		{"whether somebody is signed in, nobody being so", "GET /api/rest/customer/v1/auth HTTP/1.1", plain, ""},
		{"sign out", "DELETE /api/rest/customer/v1/auth HTTP/1.1", plain, ""},
	})
}
