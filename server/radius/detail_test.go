package radius

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"billd/server/ops"
	"billd/storage"
)

// take runs an import of a detail file inside the server and returns what it printed.
func (r *rig) take(exit int, op, args, file string) string {
	r.t.Helper()
	var out, errs bytes.Buffer
	for _, c := range ops.Commands() {
		if c.Name == op {
			if got := c.Do(r.t.Context(), r.env, json.RawMessage(args), &ops.IO{In: strings.NewReader(file), Out: &out, Err: &errs}); got != exit {
				r.t.Fatalf("%s %s: exit %d, want %d: %s%s", op, args, got, exit, out.String(), errs.String())
			}
			return out.String() + errs.String()
		}
	}
	r.t.Fatalf("no command %s", op)
	return ""
}

// detail spells a record as FreeRADIUS does that heard it at an instant.
func detail(heard int64, attrs ...string) string {
	return time.Unix(heard, 0).UTC().Format(time.ANSIC) + "\n\tPacket-Src-IP-Address = 127.0.0.1\n\t" + strings.Join(attrs, "\n\t") + fmt.Sprintf("\n\tTimestamp = %d\n\n", heard)
}

func TestACallOfAPacketAndOfADetailFileIsChargedOnce(t *testing.T) {
	at := time.Now().Add(-2 * time.Hour).Unix()
	stop := []string{"Acct-Status-Type = Stop", `User-Name = "acme"`, `Called-Station-Id = "442079460000"`, `Acct-Session-Id = "a1"`, "Acct-Session-Time = 61"}
	packet := tlv(40, 2, 1, "acme", 30, "442079460000", 44, "a1", 46, 61)
	for _, tt := range []struct {
		name   string
		packet []byte
		file   string
	}{
		{"with an Event-Timestamp", append(bytes.Clone(packet), tlv(55, int(at))...), detail(at+3, append(stop, fmt.Sprintf("Event-Timestamp = \"%s UTC\"", time.Unix(at, 0).UTC().Format("Jan _2 2006 15:04:05")))...)},
		{"without", packet, detail(time.Now().Unix(), stop...)},
		{"of a gateway", tlv(40, 2, 1, "acme", 30, "442079460000", 44, "a1", 46, 61, 9<<8|24, "h323-conf-id=AB CD", 9<<8|26, "h323-call-origin=originate", 55, int(at)),
			detail(at, append(stop, `h323-conf-id = "h323-conf-id=AB CD"`, `h323-call-origin = "h323-call-origin=originate"`, fmt.Sprintf("Event-Timestamp = %d", at))...)},
	} {
		for _, first := range []string{"packet", "file"} {
			t.Run(tt.name+", the "+first+" first", func(t *testing.T) {
				r := newRig(t)
				if first == "packet" {
					r.ask(accounting, tt.packet)
				}
				r.take(ops.ExitOK, "import-cdrs", `{"input":{"name":"detail"}}`, tt.file)
				if first == "file" {
					r.ask(accounting, tt.packet)
				}
				out := r.take(ops.ExitOK, "import-cdrs", `{"format":"radius-detail","nas":"gw","json":true}`, tt.file+tt.file)
				if !strings.Contains(out, `"rated": 0`) {
					t.Errorf("given again: %s", out)
				}
				if balance, calls, held := r.balance(); balance != "-0.12" || calls != 1 || held != 0 {
					t.Errorf("balance %s, %d calls, %d held, want -0.12 for one", balance, calls, held)
				}
				r.sound()
			})
		}
	}
}

func TestAProxysCallIsJoinedOfAPacketAndADetailFile(t *testing.T) {
	r := newRig(t)
	at := time.Now().Add(-time.Hour).Unix()
	r.ask(accounting, tlv(40, 1, 1, "acme", 30, "442079460000", 44, "call@x", 6, 15, 101, 1, 104, "to", 105, "from", 55, int(at)))
	file := detail(at+61, "Acct-Status-Type = Stop", "Service-Type = IAPP-Register", `User-Name = "acme"`, `Acct-Session-Id = "call@x"`, "Error-Cause = 8", `Digest-Realm = "from"`, `Digest-Nonce = "to"`, fmt.Sprintf("Event-Timestamp = %d", at+61))
	for range 2 {
		r.take(ops.ExitOK, "import-cdrs", `{}`, file)
	}
	if balance, calls, held := r.balance(); balance != "-0.12" || calls != 1 || held != 0 {
		t.Errorf("balance %s, %d calls, %d held, want -0.12 for 61 s", balance, calls, held)
	}
	r.sound()
}

func TestASessionOfPacketsAndOfADetailFileIsCountedOnce(t *testing.T) {
	r := newRig(t, func(n *storage.NAS) { n.Swapped = true })
	at := time.Now().Add(-time.Hour).Unix()
	r.ask(accounting, tlv(1, "bob", 44, "s1", 40, 1, 42, 0, 43, 0, 55, int(at), 4, "\x7f\x00\x00\x01"))
	r.ask(accounting, tlv(1, "bob", 44, "s1", 40, 3, 46, 600, 42, 1000, 43, 2000, 55, int(at)+600, 4, "\x7f\x00\x00\x01"))
	record := func(status string, seconds, in, out int64) string {
		return detail(at+seconds, `User-Name = "bob"`, `Acct-Session-Id = "s1"`, "Acct-Status-Type = "+status, "NAS-IP-Address = 127.0.0.1", fmt.Sprintf("Acct-Session-Time = %d", seconds),
			fmt.Sprintf("Acct-Input-Octets = %d", in), fmt.Sprintf("Acct-Output-Octets = %d", out), fmt.Sprintf("Event-Timestamp = %d", at+seconds))
	}
	call := detail(at, "Acct-Status-Type = Stop", `Called-Station-Id = "4420"`, `Acct-Session-Id = "c"`, "Acct-Session-Time = 1")
	login := detail(at, "Acct-Status-Type = Stop", "Service-Type = Login-User", `Acct-Session-Id = "l"`)
	file := record("Start", 0, 0, 0) + call + login + record("Interim-Update", 600, 1000, 2000) + record("Stop", 1200, 5000, 7000)
	out := r.take(ops.ExitOK, "data-import", `{"json":true}`, file)
	if !strings.Contains(out, `"records": 3`) || !strings.Contains(out, `"duplicates": 2`) || !strings.Contains(out, `"skipped": 2`) ||
		!strings.Contains(out, "1 passed over: of calls, which billd import-cdrs takes") || !strings.Contains(out, "1 passed over: that say nothing of a call or a session") {
		t.Errorf("the file after the packets: %s", out)
	}
	r.ask(accounting, tlv(1, "bob", 44, "s1", 40, 2, 46, 1200, 42, 5000, 43, 7000, 55, int(at)+1200, 4, "\x7f\x00\x00\x01"))
	var got []storage.DataSession
	err := r.View(t.Context(), func(tx *storage.Tx) error {
		return tx.DataSessions.Each(0, func(s *storage.DataSession) (bool, error) {
			got = append(got, *s)
			return true, nil
		})
	})
	if err != nil || len(got) != 1 || got[0].Open() || got[0].Used.Up != 7000 || got[0].Used.Down != 5000 {
		t.Errorf("sessions %+v, %v, want one that used 7000 up, as the NAS has directions swapped, and 5000 down", got, err)
	}
	r.sound()
}

func TestWhoseADetailFileIs(t *testing.T) {
	r := newRig(t)
	at := time.Now().Add(-time.Hour).Unix()
	file := strings.ReplaceAll(detail(at, `User-Name = "bob"`, `Acct-Session-Id = "s1"`, "Acct-Status-Type = Start", "NAS-IP-Address = 192.0.2.1", "Acct-Input-Octets = 0"), "\tPacket-Src-IP-Address = 127.0.0.1\n", "")
	call := detail(at, "Packet-Src-IP-Address = 192.0.2.1", "Acct-Status-Type = Stop", `Called-Station-Id = "4420"`, `Acct-Session-Id = "c"`, "Acct-Session-Time = 1")
	for _, tt := range []struct {
		name, op, args, file string
		exit                 int
		want                 string
	}{
		{"a stranger's session", "data-import", `{}`, file, ops.ExitPartly, "line 1: 192.0.2.1 is no NAS: say whose records these are, --nas NAME, or --source NAME"},
		{"a stranger's call", "import-cdrs", `{}`, call, ops.ExitPartly, "1 passed over: of no known NAS: say whose they are, --nas NAME, or --source NAME"},
		{"a NAS that is none", "data-import", `{"nas":"x"}`, file, ops.ExitUsage, "NAS x does not exist"},
		{"a zone that is none", "data-import", `{"nas":"gw","zone":"X"}`, file, ops.ExitUsage, `zone X: want the name of a time zone`},
		{"a session without a user", "data-import", `{"source":"ggsn"}`, strings.Replace(file, "\tUser-Name = \"bob\"\n", "", 1), ops.ExitPartly, "bad_record: user: none"},
		{"prices", "import-cdrs", `{"rated":true}`, call, ops.ExitUsage, "a detail file has no prices: take --rated away"},
		{"a format that is none", "data-import", `{"format":"x"}`, file, ops.ExitUsage, "want auto or radius-detail"},
		{"a NAS of another file", "data-import", `{"nas":"gw"}`, "source,session,user\n", ops.ExitUsage, "--nas says who sent the packets of a detail file, and this is none"},
		{"a NAS of another file of calls", "import-cdrs", `{"nas":"gw"}`, "src,dst\n", ops.ExitUsage, "--nas says who sent the packets of a detail file, and this is none"},
		{"what cannot be read is held", "import-cdrs", `{"source":"gw"}`, "1\n\tAcct-Status-Type = Begin\n", ops.ExitPartly, "bad_record: line 1: line 2: Acct-Status-Type"},
		{"behind the NAS that passed it on", "data-import", `{"nas":"gw"}`, file, ops.ExitOK, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r.t = t
			if got := r.take(tt.exit, tt.op, tt.args, tt.file); !strings.Contains(strings.ReplaceAll(got, `"X"`, "X"), tt.want) {
				t.Errorf("said %s, want %s", got, tt.want)
			}
		})
	}
	r.t = t
	err := r.View(t.Context(), func(tx *storage.Tx) error {
		return tx.DataSessions.Each(0, func(s *storage.DataSession) (bool, error) {
			if s.Source != "gw/192.0.2.1" {
				t.Errorf("the session is of %s, want gw/192.0.2.1 as by packet", s.Source)
			}
			return true, nil
		})
	})
	if err != nil {
		t.Error(err)
	}
	r.sound()
}
