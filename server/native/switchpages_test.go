package native

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"billd/rating"
	"billd/server/ops"
	"billd/storage"
)

// shellBlock is a command of a page.
var shellBlock = regexp.MustCompile("(?s)```sh\n(.*?)```")

// TestTheCommandsOfTheSwitchPagesWork runs every curl of docs/switches but the endless one: each page's questions
// are allowed, its records charged, and nothing stays reserved.
func TestTheCommandsOfTheSwitchPagesWork(t *testing.T) {
	for _, tool := range []string{"bash", "curl"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed: %v", tool, err)
		}
	}
	for _, tt := range []struct{ page, want string }{
		{"README.md", "allowed=1;reason=;max_seconds=300;reservation=1;amount=0.3;currency=EUR\nallowed=1;reason=;max_seconds=600;"},
		{"freeswitch.md", `"status":"rated","reason":null,"price":"0.12"`},
		{"asterisk.md", `"status":"rated","reason":null,"price":"0.12"`},
		{"kamailio.md", `"status":"rated","reason":null,"price":"0.12"`},
	} {
		t.Run(tt.page, func(t *testing.T) {
			rig := newRatesRig(t)
			var imported any
			if status := rig.do(t, "POST", "/import/rates", "text/csv", strings.NewReader("prefix,price\n44,0.06\n"), &imported); status != 200 {
				t.Fatalf("rates: status %d", status)
			}
			acme := &rating.Account{Name: "acme", Contractor: 1}
			err := rig.env.DB.Update(t.Context(), func(tx *storage.Tx) error {
				if err := tx.CreateAccount(acme); err != nil {
					return err
				}
				return tx.SetBalance(acme, 10_000_000, "")
			})
			if err != nil {
				t.Fatal(err)
			}
			out := rig.runPage(t, tt.page)
			if !strings.Contains(out, "allowed=1;") || !strings.Contains(out, tt.want) {
				t.Errorf("the page's commands answer %s\nwant a part %s", out, tt.want)
			}
			left, err := ops.ListReservations(t.Context(), rig.env, "acme", "", 1, 10)
			if err != nil || len(left) != 0 {
				t.Errorf("reserved after it: %v, %v, want nothing", left, err)
			}
		})
	}
}

// runPage runs the curls of a page and returns what they print.
func (r *ratesRig) runPage(t *testing.T, page string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "switches", page))
	if err != nil {
		t.Fatal(err)
	}
	script := "set -e\nbilld() { if [ \"$1 $2\" = \"token native\" ]; then echo " + r.token + "; fi; }\n"
	for _, block := range shellBlock.FindAllStringSubmatch(string(text), -1) {
		if strings.Contains(block[1], "curl") && !strings.Contains(block[1], "tail ") {
			script += block[1]
		}
	}
	script = strings.ReplaceAll(strings.ReplaceAll(script, "http://127.0.0.1:8090/api/v1", r.base), "$(cat billd.token)", r.key(t, "POST", "/switches", `{"name":"fs1"}`))
	cmd := exec.CommandContext(t.Context(), "bash", "-c", script)
	cmd.Dir = t.TempDir()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return string(out)
}

// inDialplan are what stands in asterisk.md's dialplan where a call's own values come.
var inDialplan = strings.NewReplacer("${URIENCODE(${CHANNEL(accountcode)})}", "acme", "${EXTEN}", "442079460000", "${URIENCODE(${CALLERID(num)})}", "4930123456", "${URIENCODE(${UNIQUEID})}", "1767607200.9")

// TestTheDialplanOfTheAsteriskPageAsks asks what the page's dialplan asks, at its address and by its names, and reads
// the answer as it does.
func TestTheDialplanOfTheAsteriskPageAsks(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "switches", "asterisk.md"))
	if err != nil {
		t.Fatal(err)
	}
	body := regexp.MustCompile(`Set\(BODY=(.*)\)\n`).FindSubmatch(text)
	address := regexp.MustCompile(`CURL\((http://127\.0\.0\.1:8090/api/v1[^,]*),\$\{BODY\}`).FindSubmatch(text)
	user := regexp.MustCompile(`CURLOPT\(userpwd\)=(\w+):TOKEN`).FindSubmatch(text)
	part := regexp.MustCompile(`CUT\(ANSWER,\\;,(\d)\)`).FindSubmatch(text)
	if body == nil || address == nil || user == nil || part == nil {
		t.Fatal("the dialplan of the page has no CURL of a BODY, userpwd or CUT")
	}
	form := inDialplan.Replace(string(body[1]))
	if strings.Contains(form, "$") {
		t.Fatalf("the test has no value for %s", form)
	}
	rig := newRatesRig(t)
	var imported any
	if status := rig.do(t, "POST", "/import/rates", "text/csv", strings.NewReader("prefix,price\n44,0.06\n"), &imported); status != 200 {
		t.Fatalf("rates: status %d", status)
	}
	err = rig.env.DB.Update(t.Context(), func(tx *storage.Tx) error {
		acme := &rating.Account{Name: "acme", Contractor: 1}
		if err := tx.CreateAccount(acme); err != nil {
			return err
		}
		return tx.SetBalance(acme, 10_000_000, "")
	})
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), "POST", strings.Replace(string(address[1]), "http://127.0.0.1:8090/api/v1", rig.base, 1), strings.NewReader(form))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded") // as func_curl does
	req.SetBasicAuth(string(user[1]), rig.key(t, "POST", "/switches", `{"name":"fs1"}`))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Split(string(answer), ";")
	n, _ := strconv.Atoi(string(part[1]))
	if n < 1 || len(fields) < n || !strings.HasPrefix(string(answer), "allowed=1;") || !strings.HasPrefix(fields[n-1], "max_seconds=") {
		t.Fatalf("the answer is %d %q, want allowed=1 and its part %d max_seconds", res.StatusCode, answer, n)
	}
	held, err := ops.ListReservations(t.Context(), rig.env, "acme", "", 1, 10)
	if err != nil || len(held) != 1 {
		t.Fatalf("reserved: %v, %v, want one", held, err)
	}
	for _, want := range []string{"442079460000", "4930123456", "1767607200.9"} { // each name of the form is known
		if told, err := json.Marshal(held[0]); err != nil || !strings.Contains(string(told), want) {
			t.Errorf("the reservation says %s, %v, want %s in it", told, err, want)
		}
	}
}
