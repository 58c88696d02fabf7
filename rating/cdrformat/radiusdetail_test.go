package cdrformat

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"
)

// detailsOf reads a whole detail file.
func detailsOf(t testing.TB, in io.Reader, zone *time.Location) (all []Detail) {
	t.Helper()
	r := NewDetailReader(in, zone)
	for {
		var d Detail
		err := r.Read(&d)
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, d)
	}
}

func TestADetailFileIsReadAsThePacketsThatMadeIt(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	const plain = "\tAcct-Status-Type = Stop\n\tCalled-Station-Id = \"4420\"\n\tAcct-Session-Id = \"a\"\n"
	for _, tt := range []struct{ name, text, want string }{
		{"as FreeRADIUS writes it", "Tue Sep 13 16:24:27 2011\n" + plain + "\tAcct-Session-Time = 61\n\tTimestamp = 1554226681\n\n",
			"1 2019-04-02T17:38:01Z - [Acct-Status-Type = 2,Called-Station-Id = \"4420\",Acct-Session-Id = \"a\",Acct-Session-Time = 61]"},
		{"its first line where there is no Timestamp, in the zone", "Tue Sep 13 16:24:27 2011\n" + plain,
			"1 2011-09-13T14:24:27Z - [Acct-Status-Type = 2,Called-Station-Id = \"4420\",Acct-Session-Id = \"a\"]"},
		{"another first line, values without quotes, CRLF", "\r\nMon, 16 Apr 2012 09:30:51.513\r\n\tNAS-IP-Address = 192.0.2.1\r\n\tAcct-Status-Type = Interim-Update\r\n\tAcct-Output-Gigawords = 2\r\n\tFramed-Protocol = GPRS PDP Context\r\n",
			"2 2012-04-16T07:30:51.513Z - [NAS-IP-Address = 3221225985,Acct-Status-Type = 3,Acct-Output-Gigawords = 2,Framed-Protocol = 7]"},
		{"who sent it", "Tue Sep 13 16:24:27 2011\n\tPacket-Src-IP-Address = 192.0.2.9\n" + plain, "1 2011-09-13T14:24:27Z 192.0.2.9 [Acct-Status-Type = 2,Called-Station-Id = \"4420\",Acct-Session-Id = \"a\"]"},
		{"times that say their zone", "x1\n" + plain + "\tEvent-Timestamp = \"Jul  2 2019 17:38:01 CEST\"\n", "1 0001-01-01T00:00:00Z - [Acct-Status-Type = 2,Called-Station-Id = \"4420\",Acct-Session-Id = \"a\",Event-Timestamp = 1562081881]"},
		{"vendors' attributes, escapes, tags and what nobody knows", "1\n" + plain + "\tCisco-AVPair += \"h323-conf-id=\\\"1 2\\\\\\101\"\n\th323-call-origin = \"originate\"\n\tTunnel-Type:0 = VLAN\n\tAttr-26.9.25 = 0x31\n\tMy-Own = x\n\tEvent-Timestamp = 1554226681\n",
			"1 0001-01-01T00:00:00Z - [Acct-Status-Type = 2,Called-Station-Id = \"4420\",Acct-Session-Id = \"a\",Vendor-9-1 = \"h323-conf-id=\\\"1 2\\\\A\",Vendor-9-26 = \"originate\",Vendor-9-25 = \"1\",Event-Timestamp = 1554226681]"},
		{"a proxy's by the names that FreeRADIUS has for them", "1\n\tAcct-Status-Type = Failed\n\tService-Type = IAPP-Register\n\tError-Cause = 2\n\tEAP-Key-Name = 0x00000191\n\tDigest-Realm = \"t\"\n\tDigest-Nonce = \"f\"\n\tEvent-Timestamp = 1554226681\n",
			"1 0001-01-01T00:00:00Z - [Acct-Status-Type = 15,Service-Type = 15,Sip-Method = 2,Sip-Response-Code = 401,Sip-To-Tag = \"t\",Sip-From-Tag = \"f\",Event-Timestamp = 1554226681]"},
		{"no blank line between two", "1\n\tAcct-Status-Type = Start\n\tEvent-Timestamp = 1554226681\n2\n\tAcct-Status-Type = Alive\n\tEvent-Timestamp = 1554226681",
			"1 0001-01-01T00:00:00Z - [Acct-Status-Type = 1,Event-Timestamp = 1554226681]; 4 0001-01-01T00:00:00Z - [Acct-Status-Type = 3,Event-Timestamp = 1554226681]"},
		{"letters that are several zones", "1\n\tAcct-Status-Type = Start\n\tEvent-Timestamp = \"Jul  2 2019 17:38:01 CST\"\n",
			`1 line 3: Event-Timestamp "Jul  2 2019 17:38:01 CST": want a time in UTC, seconds since 1970, or in the zone that --zone names`},
		{"no time at all", "once\n\tAcct-Status-Type = Start\n", "1 neither Event-Timestamp nor Timestamp nor a line that says when it was"},
		{"no status", "Tue Sep 13 16:24:27 2011\n\tUser-Name = \"bob\"\n", "1 no Acct-Status-Type: it is no accounting record"},
		{"a status that is none", "1\n\tAcct-Status-Type = Begin\n", `1 line 2: Acct-Status-Type "Begin": want a number of 32 bits, or the name of one`},
		{"a counter that is none", "1\n\tAcct-Status-Type = Stop\n\tAcct-Input-Octets = 4294967296\n", `1 line 3: Acct-Input-Octets "4294967296": want a number of 32 bits, or the name of one`},
		{"what is no attribute", "1\n\tAcct-Status-Type\n\n2\n\tAcct-Status-Type = Start\n\tEvent-Timestamp = 1554226681\n", "1 line 2 is no attribute: want Name = value; 4 0001-01-01T00:00:00Z - [Acct-Status-Type = 1,Event-Timestamp = 1554226681]"},
		{"a value that no packet holds", "1\n\tAcct-Status-Type = Start\n\tUser-Name = \"" + strings.Repeat("x", 254) + "\"\n\tEvent-Timestamp = 1554226681\n", "1 line 3: User-Name is longer than an attribute of RADIUS, 253 bytes"},
		{"a line without end", "1\n\tUser-Name = " + strings.Repeat("x", 1<<20) + "\n\n3\n\tAcct-Status-Type = Start\n\tEvent-Timestamp = 1554226681\n",
			"1 line 2 is longer than 4096 bytes; 4 0001-01-01T00:00:00Z - [Acct-Status-Type = 1,Event-Timestamp = 1554226681]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, d := range detailsOf(t, strings.NewReader(tt.text), berlin) {
				s := fmt.Sprintf("%d %s", d.Line, d.Bad)
				if d.Bad == "" {
					from := d.Sender
					if from == "" {
						from = "-"
					}
					s = fmt.Sprintf("%d %s %s [%s]", d.Line, d.Heard.Format(time.RFC3339Nano), from, strings.ReplaceAll(strings.TrimSpace(d.Packet.String()), "\n", ","))
				}
				got = append(got, s)
			}
			if all := strings.Join(got, "; "); all != tt.want {
				t.Errorf("read\n%s\nwant\n%s", all, tt.want)
			}
		})
	}
}

func TestADetailFileIsKnownByItsBeginning(t *testing.T) {
	for head, want := range map[string]bool{
		"Tue Sep 13 16:24:27 2011\n\tUser-Name = \"bob\"\n": true, "\r\nMon, 16 Apr 2012 09:30:51.513\r\n\tNAS-IP-Address = 127.0.0.1\r\n": true,
		"a,b\n1,2\n": false, "{\"a\":1}\n\t\"b\" = 2\n": false, "": false, "2026\n": false, "acctsessionid=1\n\tx = 2\n": false,
	} {
		if got := IsDetail(head); got != want {
			t.Errorf("IsDetail(%q) = %t, want %t", head, got, want)
		}
	}
}

func TestPublishedDetailFiles(t *testing.T) {
	read := func(name string) []Detail {
		f, err := os.Open("../../../shared/data/" + name)
		if errors.Is(err, os.ErrNotExist) {
			t.Skip("the collection of published files is not here")
		}
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		return detailsOf(t, f, nil)
	}
	status, sessions, causes := map[uint32]int{}, map[string]bool{}, map[string]int{}
	var seconds, in, out uint64
	for _, d := range read("radius-detail-ggsn.log") {
		p := &d.Packet
		if d.Bad != "" || p.Kind != RadiusData || p.Text(radiusUserName) != "" {
			t.Fatalf("line %d: kind %d, user %q, %s; want a session of nobody", d.Line, p.Kind, p.Text(radiusUserName), d.Bad)
		}
		status[p.Status]++
		sessions[p.Text(radiusSession)] = true
		if p.Status == RadiusStop {
			for to, typ := range map[*uint64]uint8{&seconds: radiusSessionTime, &in: radiusOctetsIn, &out: radiusOctetsOut} {
				n, _ := p.number(typ)
				*to += uint64(n)
			}
			n, _ := p.number(radiusCause)
			causes[RadiusCause(n)]++
		}
	}
	got := fmt.Sprint(status[RadiusStart], status[RadiusInterim], status[RadiusStop], len(sessions), seconds, in, out, causes)
	if want := "46 129 46 218 525329 2282282 6813370 map[NAS-Request:1 Session-Timeout:9 User-Request:36]"; got != want {
		t.Errorf("counted %s, want %s", got, want)
	}
	one := read("radius-detail-one.txt")
	if len(one) != 1 || one[0].Bad != "" || one[0].Packet.Status != RadiusStart || one[0].Packet.Kind != RadiusOther || one[0].Heard.Unix() != 1554226681 {
		t.Errorf("read %+v, want one Start of 1554226681 that says nothing of a call or a session", one)
	}
}

// FuzzDetail checks that no file makes the reader panic or go on for ever, and that what it read could
// stand in a packet.
func FuzzDetail(f *testing.F) {
	f.Add("Tue Sep 13 16:24:27 2011\n\tUser-Name = \"bob\"\n\tAcct-Status-Type = Stop\n\tEvent-Timestamp = 1554226681\n\tFramed-IPv6-Prefix = 2001:db8::/64\n")
	f.Add("\n1\n\tVendor-9-Attr-24 = 0xzz\n\tAttr-26.9.1 = 0x00\n2\n x := '\\0'\n")
	f.Fuzz(func(t *testing.T, text string) {
		for n, d := range detailsOf(t, strings.NewReader(text), nil) {
			if n > len(text) {
				t.Fatalf("%d records of %d bytes", n, len(text))
			}
			if len(d.Raw) > MaxRecord {
				t.Fatalf("line %d: kept %d bytes", d.Line, len(d.Raw))
			}
			if d.Bad != "" {
				continue
			}
			for _, a := range d.Packet.Attributes {
				if len(a.Value) > maxRadiusValue {
					t.Fatalf("line %d: a value of %d bytes", d.Line, len(a.Value))
				}
			}
		}
	})
}
