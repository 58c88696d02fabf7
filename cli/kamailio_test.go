package cli

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestKamailioAsItsPageSays has sipp call sipp through a real Kamailio that runs the blocks of docs/switches/kamailio.md: it
// asks before the call, and delivers the record as the dialog's or as those of its transactions.
func TestKamailioAsItsPageSays(t *testing.T) {
	program, sipp := needs(t, "kamailio", "kamailio"), needs(t, "sipp", "sip-tester")
	modules, _ := filepath.Glob("/usr/lib/*/kamailio/modules/http_client.so")
	if len(modules) == 0 {
		t.Skip("needs http_client.so, of Debian's package kamailio-utils-modules")
	}
	page, err := os.ReadFile(filepath.Join("..", "docs", "switches", "kamailio.md"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)\n```\n(.*?)\n```\n").FindAllStringSubmatch(string(page), -1)
	if len(blocks) != 3 {
		t.Fatalf("the page has %d blocks of configuration, want 3: ask, dialogs, transactions", len(blocks))
	}
	ask, dialogs, transactions := blocks[0][1], blocks[1][1], blocks[2][1]
	failed := dialogs[strings.Index(dialogs, "event_route[dialog:failed]"):]
	for _, tt := range []struct{ name, config, invite, bye string }{
		{"the record of the dialog", ask + "\n" + dialogs, "", ""},
		{"INVITE and BYE apart", ask + "\n" + failed + "\n" + transactions, `$avp(account) = $au; $avp(number) = $rU; t_on_reply("BILLD_ANSWER");`, "route(BILLD_BYE);"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newRadiusSite(t)
			s.start()
			token := s.billd("switch", "add", "pbx")
			dir, port, callee := t.TempDir(), freePort(t), freePort(t)
			config := strings.NewReplacer("LISTEN", fmt.Sprintf("127.0.0.1:%d", port), "MODULES", filepath.Dir(modules[0]), "CALLEE", fmt.Sprintf("127.0.0.1:%d", callee),
				"PAGE", tt.config, "INVITE_TOO", tt.invite, "BYE_TOO", tt.bye).Replace(kamailioPageConfig)
			config = strings.NewReplacer("TOKEN", token, "127.0.0.1:8090", strings.TrimPrefix(s.base, "http://"), `"connection_timeout", 3`, `"connection_timeout", 30`).Replace(config)
			if err := os.WriteFile(filepath.Join(dir, "kamailio.cfg"), []byte(config), 0o600); err != nil {
				t.Fatal(err)
			}
			var log strings.Builder
			stopProxy := begin(t, dir, &log, program, "-f", filepath.Join(dir, "kamailio.cfg"), "-DD", "-E", "-w", dir, "-Y", dir, "-P", filepath.Join(dir, "pid"))
			if err := os.WriteFile(filepath.Join(dir, "uas.xml"), []byte(sippCallee), 0o600); err != nil {
				t.Fatal(err)
			}
			stopCallee := begin(t, dir, &strings.Builder{}, sipp, "-sf", "uas.xml", "-i", "127.0.0.1", "-p", fmt.Sprint(callee), "-nostdin")
			call := func(number, scenario string) {
				t.Helper()
				if err := os.WriteFile(filepath.Join(dir, "uac.xml"), []byte(scenario), 0o600); err != nil {
					t.Fatal(err)
				}
				cmd := exec.CommandContext(t.Context(), sipp, "-sf", "uac.xml", "-m", "1", "-s", number, "-au", "acme", "-ap", "secret", "-i", "127.0.0.1", "-p", fmt.Sprint(freePort(t)),
					"-nostdin", "-timeout", "60s", "-timeout_error", fmt.Sprintf("127.0.0.1:%d", port))
				cmd.Dir = dir
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Errorf("the call to %s: %v\n%s", number, err, out[max(0, len(out)-4000):])
				}
			}
			call("442079460000", strings.NewReplacer("ANSWER", sippAnswered).Replace(sippCaller))
			for until := time.Now().Add(30 * time.Second); s.billd("reservations", "list", "--json") != "[]"; time.Sleep(50 * time.Millisecond) {
				if time.Now().After(until) {
					t.Fatalf("the record has not settled the reservation; Kamailio says\n%s", log.String())
				}
			}
			call("882079460000", strings.NewReplacer("ANSWER", sippRefused).Replace(sippCaller))
			stopProxy()
			stopCallee()
			if list := s.billd("cdr", "waiting", "--json"); list != "[]" {
				t.Errorf("waiting: %s, want nothing", list)
			}
			if balance, calls := s.stop(); balance != "-0.06" || calls != 1 {
				t.Errorf("balance %s, %d calls, want -0.06 and one; Kamailio says\n%s", balance, calls, log.String())
			}
		})
	}
}

// begin runs a program until the function that it returns is called, or the test ends.
func begin(t *testing.T, dir string, log *strings.Builder, program string, args ...string) (stop func()) {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := false
	stop = func() {
		if !ended {
			ended = true
			cmd.Process.Signal(syscall.SIGTERM)
			defer time.AfterFunc(10*time.Second, func() { cmd.Process.Kill() }).Stop()
			cmd.Wait()
		}
	}
	t.Cleanup(stop)
	return stop
}

const kamailioPageConfig = `#!KAMAILIO
debug=1
log_stderror=yes
fork=yes
children=2
disable_tcp=yes
auto_aliases=no
listen=udp:LISTEN
mpath="MODULES/"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "xlog.so"
loadmodule "siputils.so"
loadmodule "textops.so"
loadmodule "auth.so"
modparam("rr", "append_fromtag", 1)
PAGE
request_route {
    if (has_totag()) {
        if (loose_route()) {
            if (is_method("BYE")) { xlog("L_DBG", "a BYE\n"); BYE_TOO }
            t_relay();
            exit;
        }
        if (is_method("ACK") && t_check_trans()) t_relay();
        exit;
    }
    if (is_method("CANCEL")) { if (t_check_trans()) t_relay(); exit; }
    if (!is_method("INVITE")) { exit; }
    if (!pv_proxy_authenticate("$fd", "secret", "0")) { proxy_challenge("$fd", "0"); exit; }
    if (!t_newtran()) { exit; }
    record_route();
    route(BILLD);
    INVITE_TOO
    $du = "sip:CALLEE";
    t_relay();
    exit;
}
`

const sippCaller = `<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="caller">
<send retrans="500"><![CDATA[
INVITE sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:4930123456@[remote_ip]>;tag=[pid]caller[call_number]
To: <sip:[service]@[remote_ip]>
Call-ID: [call_id]
CSeq: 1 INVITE
Contact: <sip:caller@[local_ip]:[local_port]>
Max-Forwards: 70
Content-Length: 0

]]></send>
<recv response="407" auth="true"></recv>
<send><![CDATA[
ACK sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:4930123456@[remote_ip]>;tag=[pid]caller[call_number]
To: <sip:[service]@[remote_ip]>[peer_tag_param]
Call-ID: [call_id]
CSeq: 1 ACK
Max-Forwards: 70
Content-Length: 0

]]></send>
<send retrans="500"><![CDATA[
INVITE sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:4930123456@[remote_ip]>;tag=[pid]caller[call_number]
To: <sip:[service]@[remote_ip]>
Call-ID: [call_id]
CSeq: 2 INVITE
Contact: <sip:caller@[local_ip]:[local_port]>
[authentication]
Max-Forwards: 70
Content-Length: 0

]]></send>
<recv response="100" optional="true"></recv>
ANSWER
</scenario>
`

const sippAnswered = `<recv response="180" optional="true"></recv>
<recv response="200" rrs="true"></recv>
<send><![CDATA[
ACK [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
[routes]
From: <sip:4930123456@[remote_ip]>;tag=[pid]caller[call_number]
To: <sip:[service]@[remote_ip]>[peer_tag_param]
Call-ID: [call_id]
CSeq: 2 ACK
Max-Forwards: 70
Content-Length: 0

]]></send>
<pause milliseconds="2500"/>
<send retrans="500"><![CDATA[
BYE [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
[routes]
From: <sip:4930123456@[remote_ip]>;tag=[pid]caller[call_number]
To: <sip:[service]@[remote_ip]>[peer_tag_param]
Call-ID: [call_id]
CSeq: 3 BYE
Max-Forwards: 70
Content-Length: 0

]]></send>
<recv response="200"></recv>
`

const sippRefused = `<recv response="402"></recv>
<send><![CDATA[
ACK sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:4930123456@[remote_ip]>;tag=[pid]caller[call_number]
To: <sip:[service]@[remote_ip]>[peer_tag_param]
Call-ID: [call_id]
CSeq: 2 ACK
Max-Forwards: 70
Content-Length: 0

]]></send>
`

const sippCallee = `<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="callee">
<recv request="INVITE"></recv>
<send retrans="500"><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:];tag=[pid]callee[call_number]
[last_Call-ID:]
[last_CSeq:]
[last_Record-Route:]
Contact: <sip:callee@[local_ip]:[local_port]>
Content-Length: 0

]]></send>
<recv request="ACK"></recv>
<recv request="BYE"></recv>
<send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>
</scenario>
`
