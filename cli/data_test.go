package cli

import (
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"
)

const radacct = "acctsessionid,username,nasipaddress,acctstarttime,acctstoptime,acctsessiontime,acctinputoctets,acctoutputoctets\n" +
	"s1,anna@isp,192.0.2.1,2026-03-05 10:00:00,2026-03-05 14:00:00,14400,500000000,3100000000\n" +
	"s2,bob@isp,192.0.2.1,2026-03-06 10:00:00,2026-03-06 11:00:00,3600,0,1000000000\n" +
	"s3,anna@isp,192.0.2.1,2026-03-07 10:00:00,2026-03-07 10:00:10,10,0,900000000000\n"

func TestDataThroughBothDoors(t *testing.T) {
	steps := []struct {
		name, in string
		args     []string
		exit     int
		out      []string // parts of what is printed, blanks folded
	}{
		{"an account", "name,vat\nNorthfield,20\n", []string{"import-accounts", "-"}, 0, nil},
		{"a plan", "", []string{"data", "plan", "add", "home", "--allowance", "1GB", "--overage", "0.50"}, 0,
			[]string{"1 home total 1 GB a month included, then 0.5 EUR a started GB 1 GB = 1 000 000 000 bytes"}},
		{"a plan twice", "", []string{"data", "plan", "add", "Home", "--price", "1"}, 1, []string{"already taken"}},
		{"a plan without a price", "", []string{"data", "plan", "add", "free"}, 1, []string{"want one, or an allowance"}},
		{"a binary plan", "", []string{"data", "plan", "add", "metered", "--unit", "gib", "--price", "0.4"}, 0, []string{"1 GiB = 1 073 741 824 bytes"}},
		{"the plans", "", []string{"data", "plan", "list"}, 0, []string{"1 home", "2 metered"}},
		{"a price explained", "", []string{"data", "plan", "explain", "home", "3.6GB"}, 0, []string{"3 started GB beyond it at 0.5 EUR a GB 1.5", "net 1.5"}},
		{"an amount that is none", "", []string{"data", "plan", "explain", "home", "much"}, 1, []string{"want MB, GB"}},
		{"sessions of a file", radacct, []string{"data", "import", "-", "--source", "bras1"}, 3, []string{"6 3 0 0 2 1 0 4.100 GB 0.500 GB 0.0", "too_fast"}},
		{"the same file again", radacct, []string{"data", "import", "-", "--source", "bras1"}, 3, []string{"6 0 5 0 0 1 0 0.000 GB 0.000 GB 0.0"}},
		{"usage of nobody", "", []string{"data", "unassigned"}, 0, []string{"anna@isp 3.100 GB 0.500 GB", "bob@isp 1.000 GB"}},
		{"a subscription", "", []string{"data", "subscription", "add", "Northfield", "anna@isp", "home"}, 0, []string{"1 2 anna@isp home", "3100000000 bytes down and 500000000 up"}},
		{"a subscription of nobody", "", []string{"data", "subscription", "add", "Southfield", "x", "home"}, 1, nil},
		{"subscriptions", "", []string{"data", "subscription", "list", "--account", "Northfield"}, 0, []string{"anna@isp"}},
		{"usage", "", []string{"data", "usage", "--from", "2026-03-01", "--to", "2026-03-31"}, 0,
			[]string{"1 2 anna@isp home 2026-03-01 3.100 GB 0.500 GB 3.600 GB 1 GB (360 %) 4 1.5 0.3 EUR", "1 anna@isp 2026-03-05 3.100 GB 0.500 GB"}},
		{"sessions", "", []string{"data", "sessions", "--user", "anna@isp"}, 0, []string{"bras1 s1 anna@isp 2026-03-05T10:00:00Z 2026-03-05T14:00:00Z 2026-03-05T14:00:00Z"}},
		{"what is held", "", []string{"data", "held", "list"}, 0, []string{"1 too_fast 2 bras1 s3 anna@isp stop"}},
		{"a retry", "", []string{"data", "held", "retry"}, 3, []string{"1 0 1"}},
		{"a drop wants to know what", "", []string{"data", "held", "drop"}, 2, nil},
		{"a drop", "", []string{"data", "held", "drop", "1"}, 0, []string{"1 dropped"}},
		{"a plan in use", "", []string{"data", "plan", "delete", "home"}, 1, []string{"proves its charges"}},
		{"a plan that nobody was on", "", []string{"data", "plan", "delete", "metered"}, 0, nil},
		{"an invoice", "", []string{"invoice", "run", "--account", "2", "--from", "2026-03-01", "--to", "2026-04-01"}, 0, []string{"1.8 0.0 EUR"}},
		{"its lines", "", []string{"invoice", "show", "1"}, 0, []string{"service 1 1.8 Data anna@isp, home from 2026-03-01",
			"anna@isp home 2026-03-05 3.100 GB 0.500 GB 3.600 GB of 1 GB 3 1.8 1 GB a month included, then 0.5 EUR a started GB; 1 GB = 1 000 000 000 bytes"}},
		{"its paper", "", []string{"invoice", "pdf", "1", "-"}, 0, []string{"%PDF"}},
		{"the plans as a file", "", []string{"data", "export", "plans"}, 0, []string{"billd/1,1,home,EUR,GB,0.0,1000000000,0.5,total,month"}},
		{"plans of a file", "name,price,allowance,overage\nhome,,1GB,0.5\nhome,,2GB,0.5\nlarge,,10GB,0.4\nodd,x,,\n", []string{"data", "plan", "import", "-"}, 3, []string{"4 1 1 2", "says otherwise", "want an amount"}},
		{"subscriptions of a file", "account,user,plan\nNorthfield,anna@isp,home\nNorthfield,bob@isp,large\nnobody,x,home\n", []string{"data", "subscription", "import", "-"}, 3, []string{"3 1 1 1"}},
		{"the subscriptions as a file", "", []string{"data", "export", "subscriptions", "--format", "json"}, 0, []string{`"user":"bob@isp","plan":"large"`}},
		{"the sessions as a file", "", []string{"data", "export", "sessions"}, 0, []string{"bras1,s1,anna@isp,2026-03-05T10:00:00Z"}},
		{"the days as a file", "", []string{"data", "export", "usage"}, 0, []string{"anna@isp,home,2026-03-05,500000000,3100000000"}},
		{"another file", "", []string{"data", "export", "money"}, 2, nil},
		{"an end", "", []string{"data", "subscription", "end", "1"}, 0, nil},
		{"an end before its usage", "", []string{"data", "subscription", "end", "1", "--till", "2026-03-05T16:00:00Z"}, 1, []string{"cannot end before"}},
		{"check", "", []string{"check"}, 0, []string{"the store is sound"}},
	}
	dirs := map[string]string{"direct": t.TempDir(), "server": t.TempDir()}
	serveAll(t, dirs["server"])
	for door, dir := range dirs {
		t.Run(door, func(t *testing.T) {
			for _, s := range steps {
				got := run(s.in, append(s.args, "--dir", dir)...)
				text := columns.ReplaceAllString(got.out+got.errw, " ")
				if got.exit != s.exit {
					t.Errorf("%s: exit %d, want %d: %s", s.name, got.exit, s.exit, text)
				}
				for _, part := range s.out {
					if !strings.Contains(text, part) {
						t.Errorf("%s: %s, want %q in it", s.name, text, part)
					}
				}
			}
		})
	}
}

// TestKillWhileDataIsRecorded posts interims to the real binary and kills it at random moments. Whatever was
// acknowledged or not, all of it delivered again after the next start is counted and charged once.
func TestKillWhileDataIsRecorded(t *testing.T) {
	if testing.Short() {
		t.Skip("builds billd and kills it several times")
	}
	k := &killed{t: t, bin: buildBilld(t), dir: t.TempDir(), acked: map[int]killItem{}}
	k.setUp()
	k.billd("data", "plan", "add", "home", "--price", "0.5")
	k.billd("data", "subscription", "add", "Northfield", "anna", "home", "--from", "2026-01-01")
	const interims, megabyte = 400, 1_000_000
	post := func(url string, n int) error {
		at := time.Date(2026, 1, 5, 0, 0, n, 0, time.UTC).Format(time.RFC3339)
		body := fmt.Sprintf(`{"source":"nas","session":"s%d","user":"anna","status":"interim","time":%q,"seconds":%d,"output_octets":%d}`, n%5, at, n, (n+1)*10*megabyte)
		req, err := http.NewRequest(http.MethodPost, url+"/api/v1/data-sessions", strings.NewReader(body))
		if err != nil {
			return err
		}
		req.Header.Set("Authorization", "Bearer "+k.token)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		answer, err := io.ReadAll(resp.Body)
		if err == nil && (resp.StatusCode != http.StatusOK || strings.Contains(string(answer), `"status":"held"`)) {
			t.Errorf("interim %d: %s, %.300s", n, resp.Status, answer)
		}
		return err
	}
	done := 0
	for _, upTo := range []int{130, 290, interims} {
		cmd, url := k.start()
		k.token = k.billd("token", "native")
		for n := range done { // what was sent before, delivered again
			if err := post(url, n); err != nil {
				t.Fatal(err)
			}
		}
		if upTo < interims {
			time.AfterFunc(30*time.Millisecond, func() { cmd.Process.Kill() })
		}
		for n := done; n < upTo; n++ {
			if err := post(url, n); err != nil {
				break // killed: it was stored or not
			}
			done = n + 1
		}
		if upTo == interims {
			k.judgeData(cmd, interims)
			return
		}
		cmd.Process.Kill()
		cmd.Wait()
	}
}

// judgeData compares usage with what was sent: each of five sessions' last total, 10 MB for each interim.
func (k *killed) judgeData(cmd *exec.Cmd, interims int) {
	k.t.Helper()
	want := 0
	for n := interims - 5; n < interims; n++ {
		want += (n + 1) * 10
	}
	usage := columns.ReplaceAllString(k.billd("data", "usage", "--from", "2026-01-01", "--to", "2026-01-31"), " ")
	if part := fmt.Sprintf("anna home 2026-01-01 %d.%03d GB 0.000 GB", want/1000, want%1000); !strings.Contains(usage, part) {
		k.t.Errorf("usage is %s, want %q in it", usage, part)
	}
	if got := k.billd("check"); got != "the store is sound" {
		k.t.Errorf("billd check = %q", got)
	}
	cmd.Process.Kill()
	cmd.Wait()
}
