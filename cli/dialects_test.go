package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// tenantServer is the real binary, serving, and a client of its dialects.
type tenantServer struct {
	*killed
	url   string
	kazoo string // the master's token
}

// serveTenant starts a server over a new store.
func serveTenant(t *testing.T) *tenantServer {
	t.Helper()
	if testing.Short() {
		t.Skip("builds billd and runs it")
	}
	s := &tenantServer{killed: &killed{t: t, bin: buildBilld(t), dir: t.TempDir()}}
	cmd, url := s.start()
	s.url = url
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		cmd.Wait()
	})
	s.kazoo = s.billd("token", "kazoo")
	return s
}

// send sends a request and returns the JSON of the answer; it fails the test at another status.
func (s *tenantServer) send(status int, method, path, body string, headers ...string) map[string]any {
	s.t.Helper()
	req, err := http.NewRequest(method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != status {
		s.t.Fatalf("%s %s %s = %d %s, %v, want %d", method, path, body, res.StatusCode, raw, err, status)
	}
	var doc map[string]any
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	d.Decode(&doc)
	return doc
}

// tell sends a request to the Kazoo dialect as the master.
func (s *tenantServer) tell(status int, method, path, body string) map[string]any {
	s.t.Helper()
	return s.send(status, method, "/v2"+path, body, "X-Auth-Token", s.kazoo, "Content-Type", "application/json")
}

// reach returns the text of a value at a path of keys and numbers.
func reach(doc any, path string) string {
	for _, key := range strings.Split(path, ".") {
		switch v := doc.(type) {
		case map[string]any:
			doc = v[key]
		case []any:
			i, _ := strconv.Atoi(key)
			if i >= len(v) {
				return "absent"
			}
			doc = v[i]
		}
	}
	return fmt.Sprint(doc)
}

// TestOneAccountThroughThreeDialects makes an account in Kazoo, puts it on a rate plan of Yeti's,
// charges it for a call, tops it up in PortSIP and invoices it; each dialect then shows one balance.
func TestOneAccountThroughThreeDialects(t *testing.T) {
	s := serveTenant(t)
	id := reach(s.tell(201, "PUT", "/accounts", `{"data":{"name":"Lakeview Voice","timezone":"UTC"}}`), "data.id")
	admin := exec.CommandContext(t.Context(), s.bin, "admin", "create", "anna", "--password-stdin", "--dir", s.dir)
	admin.Stdin = strings.NewReader("correct horse\n")
	if out, err := admin.CombinedOutput(); err != nil {
		t.Fatalf("admin create: %v: %s", err, out)
	}
	const api = "/api/rest/admin"
	token := reach(s.send(201, "POST", api+"/auth", `{"auth":{"username":"anna","password":"correct horse"}}`, "Content-Type", "application/json"), "jwt")
	yeti := func(status int, method, path, body string) map[string]any {
		t.Helper()
		return s.send(status, method, api+path, body, "Authorization", token, "Content-Type", "application/vnd.api+json", "Accept", "application/vnd.api+json")
	}
	group := reach(yeti(201, "POST", "/rate-groups", `{"data":{"type":"rate-groups","attributes":{"name":"retail"}}}`), "data.id")
	plan := reach(yeti(201, "POST", "/rateplans", `{"data":{"type":"rateplans","attributes":{"name":"retail","profit-control-mode-id":1},`+
		`"relationships":{"rate-groups":{"data":[{"type":"rate-groups","id":"`+group+`"}]}}}}`), "data.id")
	s.tell(201, "PUT", "/rates?ratedeck_id=retail", `{"data":{"prefix":44,"rate_cost":0.3,"rate_minimum":60,"rate_increment":60}}`)
	account := reach(yeti(200, "GET", "/accounts?filter[name]=Lakeview%20Voice", ""), "data.0.id")
	if got := reach(yeti(200, "GET", "/accounts/"+account, ""), "data.attributes.uuid"); strings.ReplaceAll(got, "-", "") != id {
		t.Errorf("Yeti's account %s has uuid %s, want Kazoo's %s", account, got, id)
	}
	bearer := func(token string) []string {
		return []string{"Authorization", "Bearer " + token, "Content-Type", "application/json"}
	}
	native := bearer(s.billd("token", "native"))
	s.send(200, "PATCH", "/api/v1/accounts/"+account, `{"rateplan_id":`+plan+`}`, native...)
	start := time.Now().UTC().AddDate(0, -1, 0)
	call := `{"call_id":"a","account":"` + id + `","dst":"442071838750","time_start":"` + start.Format(time.RFC3339) + `","duration":90}`
	if doc := s.send(200, "POST", "/api/v1/cdrs", call, native...); !strings.Contains(fmt.Sprint(doc), "price:0.6") {
		t.Errorf("the call = %v, want two minutes at 0.3", doc)
	}
	portsip := bearer(s.billd("token", "portsip", "--account", id))
	s.send(200, "POST", "/api/tenant/balance", `{"balance":5}`, portsip...)
	first := time.Date(start.Year(), start.Month(), 1, 0, 0, 0, 0, time.UTC)
	invoice := s.billd("invoice", "run", "--json", "--account", id, "--from", first.Format(time.DateOnly), "--to", first.AddDate(0, 1, 0).Format(time.DateOnly))
	var doc map[string]any
	if err := json.Unmarshal([]byte(invoice), &doc); err != nil || reach(doc, "amount_spent") != "0.6" || reach(doc, "originated_calls") != "1" {
		t.Errorf("invoice = %s, %v, want 0.6 for one call", invoice, err)
	}
	for dialect, got := range map[string]string{
		"Kazoo":   reach(s.tell(200, "GET", "/accounts/"+id+"/transactions/current_balance", ""), "data.balance"),
		"Yeti":    reach(yeti(200, "GET", "/accounts/"+account, ""), "data.attributes.balance"),
		"PortSIP": reach(s.send(200, "GET", "/api/tenant/balance", "", portsip...), "balance"),
	} {
		if got != "4.4" {
			t.Errorf("balance in %s = %s, want 5 - 0.6", dialect, got)
		}
	}
	usage := s.tell(200, "GET", fmt.Sprintf("/accounts/%s/ledgers?created_from=%d&created_to=%d", id, start.Unix()+62167219200-60, start.Unix()+62167219200+60), "")
	if got := reach(usage, "data.per-minute-voip.amount"); got != "-0.6" {
		t.Errorf("the call in Kazoo's ledger = %v, want -0.6", usage)
	}
	if out := s.billd("check"); !strings.Contains(out, "sound") {
		t.Errorf("check = %s, want no fault", out)
	}
}

// TestTheSeedsCurlLinesRun runs the lines of the reference as they are written, with server, token and
// ids filled in.
func TestTheSeedsCurlLinesRun(t *testing.T) {
	files, _ := filepath.Glob("../../shared/seeds/003_*.txt")
	if len(files) == 0 {
		t.Skip("the reference is not beside the project")
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	s := serveTenant(t)
	id := reach(s.tell(201, "PUT", "/accounts", `{"data":{"name":"Lakeview Voice"}}`), "data.id")
	master := reach(s.tell(200, "GET", "/accounts/"+id, ""), "data.reseller_id")
	plan := reach(s.tell(201, "PUT", "/accounts/"+master+"/service_planner", `{"data":{"name":"Gold","plan":{"devices":{"_all":{"rate":2}}}}}`), "data.id")
	s.tell(201, "PUT", "/accounts/"+id+"/devices", `{"data":{"name":"d"}}`)
	s.tell(200, "POST", "/accounts/"+id+"/services/"+plan, "")
	audit := reach(s.tell(200, "GET", "/accounts/"+id+"/services/audit", ""), "data.0.id")
	fill := strings.NewReplacer("{AUTH_TOKEN}", s.kazoo, "http://{SERVER}:8000", s.url, "{ACCOUNT_ID}", id, "{BILLING_ID}", master,
		"{AUDIT_ID}", audit, "{SOURCE_SERVICE}", "devices", "{PLAN_ID}", plan)
	lines := curlLines(string(text))
	if len(lines) < 22 {
		t.Fatalf("the reference has %d curl lines, want 22 at least", len(lines))
	}
	for _, line := range lines {
		args := words(fill.Replace(line))
		want := 200
		if strings.HasSuffix(args[len(args)-1], "/topup") {
			want = 400 // the reference's line has no amount
		}
		if status, body := runCurl(t, args[1:]); status != want {
			t.Errorf("%s\n= %d %s, want %d", line, status, body, want)
		}
	}
}

// curlLines returns the commands of a page: from curl to the end of what its lines continue.
func curlLines(page string) (lines []string) {
	var b strings.Builder
	for _, l := range strings.Split(page, "\n") {
		if b.Len() == 0 && !strings.HasPrefix(l, "curl ") {
			continue
		}
		b.WriteString(l + "\n")
		if strings.HasPrefix(strings.TrimSpace(l), "http://") {
			lines = append(lines, b.String())
			b.Reset()
		}
	}
	return lines
}

// words splits a command as a shell does, but for its operators: the reference does not quote its URLs.
func words(line string) (out []string) {
	var b strings.Builder
	quote, inside := rune(0), false
	line = strings.ReplaceAll(line, "\\\n", " ")
	for _, r := range line {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '\'' || r == '"'):
			quote, inside = r, true
		case quote == 0 && (r == ' ' || r == '\n'):
			if inside {
				out = append(out, b.String())
				b.Reset()
			}
			inside = false
		default:
			b.WriteRune(r)
			inside = true
		}
	}
	return out
}

// runCurl runs curl with arguments, or does as it would where there is none.
func runCurl(t *testing.T, args []string) (status int, body string) {
	t.Helper()
	if curl, err := exec.LookPath("curl"); err == nil {
		var out bytes.Buffer
		cmd := exec.CommandContext(t.Context(), curl, append([]string{"-s", "-w", "\n%{http_code}"}, args...)...)
		cmd.Stdout = &out
		if err := cmd.Run(); err != nil {
			t.Fatalf("curl %v: %v", args, err)
		}
		i := strings.LastIndexByte(out.String(), '\n')
		status, _ = strconv.Atoi(out.String()[i+1:])
		return status, out.String()[:i]
	}
	method, data, media := "GET", "", ""
	header := http.Header{}
	for i := 0; i < len(args); i++ {
		switch args[i] {
		case "-X":
			method = args[i+1]
			i++
		case "-H":
			name, value, _ := strings.Cut(args[i+1], ": ")
			header.Set(name, value)
			i++
		case "-d":
			data, media = args[i+1], "application/x-www-form-urlencoded"
			i++
		}
	}
	req, err := http.NewRequest(method, args[len(args)-1], strings.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if req.Header = header; media != "" && header.Get("Content-Type") == "" {
		header.Set("Content-Type", media)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(raw)
}
