package cdrformat

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"billd/rating"
)

// attributes reads what a test says of a packet: standard attributes by number, others as vendor:number.
func attributes(t testing.TB, lines string) []RadiusAttribute {
	t.Helper()
	var list []RadiusAttribute
	for line := range strings.Lines(lines) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !ok {
			continue
		}
		var a RadiusAttribute
		if vendor, typ, ok := strings.Cut(name, ":"); ok {
			a.Vendor, name = uint32(atoi(vendor)), typ
		}
		a.Type, a.Value = uint8(atoi(name)), value
		if n, ok := strings.CutPrefix(value, "#"); ok {
			a.Value = number32(uint32(atoi(n)))
		} else if ip, ok := strings.CutPrefix(value, "@"); ok {
			p := strings.Split(ip, ".")
			a.Value = string([]byte{byte(atoi(p[0])), byte(atoi(p[1])), byte(atoi(p[2])), byte(atoi(p[3]))})
		}
		list = append(list, a)
	}
	return list
}

func number32(n uint32) string {
	return string([]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
}

// heard is when the tests' packets come in: 2026-11-21T14:35:00Z.
var heard = time.Date(2026, 11, 21, 14, 35, 0, 0, time.UTC)

func heardOf(t testing.TB, lines string) *RadiusTold {
	p := NewRadiusPacket(attributes(t, lines))
	at := p.At
	if at.IsZero() {
		at = heard.Add(-p.Delay)
	}
	return &RadiusTold{p, at}
}

const ciscoStop = `
1 acme
4 @192.0.2.1
30 442079460000
31 4930123456
40 #2
44 00000A1F
46 #61
41 #3
9:24 h323-conf-id=3C5AEAB9 95C80008 0 2D1E
9:26 h323-call-origin=originate
9:27 h323-call-type=VoIP
9:25 h323-setup-time=*14:32:05.123 UTC Sat Nov 21 2026
9:28 h323-connect-time=*14:32:10.123 UTC Sat Nov 21 2026
9:29 h323-disconnect-time=.14:33:11.023 UTC Sat Nov 21 2026
9:30 h323-disconnect-cause=10
9:23 h323-remote-address=198.51.100.7`

const ciscoRead = "0: 4930123456>442079460000 account=acme 2026-11-21T14:32:05.123Z 2026-11-21T14:32:10.123Z 2026-11-21T14:33:11.023Z 61 true 3C5AEAB995C8000802D1E/00000A1F 192.0.2.250 - - gw"

const digiumStop = `
1 SIP/1001-0000001
40 #2
44 1795271525.7
22736:101 acme
22736:102 4930123456
22736:103 442079460000
22736:105 "Ann" <1001>
22736:110 2026-11-21 14:32:05 +0000
22736:111 2026-11-21 14:32:10 +0000
22736:112 2026-11-21 14:33:11 +0000
22736:113 #66
22736:114 #61
22736:115 ANSWERED
22736:117 1795271525.7`

func TestRadiusRecordsBecomeCalls(t *testing.T) {
	change := func(in string, pairs ...string) string { return strings.NewReplacer(pairs...).Replace(in) }
	without := func(in, line string) string {
		var kept []string
		for l := range strings.Lines(in) {
			if !strings.HasPrefix(l, line+" ") {
				kept = append(kept, l)
			}
		}
		return strings.Join(kept, "")
	}
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, in string
		o        RadiusOptions
		want     string
	}{
		{"a gateway's originated leg", ciscoStop, RadiusOptions{}, ciscoRead},
		{"values without their names", change(ciscoStop, "h323-setup-time=", "", "h323-connect-time=", "", "h323-disconnect-time=", "", "h323-conf-id=", "", "h323-call-origin=", ""), RadiusOptions{}, ciscoRead},
		{"Quintum numbers alike", strings.ReplaceAll(ciscoStop, "\n9:", "\n6618:"), RadiusOptions{}, ciscoRead},
		{"in AV pairs", change(ciscoStop, "9:24", "9:1", "9:25", "9:1", "9:26", "9:1", "9:28", "9:1", "9:29", "9:1"), RadiusOptions{}, ciscoRead},
		{"the other leg is passed over", change(ciscoStop, "originate", "answer"), RadiusOptions{}, "0- the answer leg of a call of which the other is charged"},
		{"and charged where it is asked for, by where it came from", change(ciscoStop, "originate", "answer"), RadiusOptions{Leg: LegAnswer}, strings.Replace(ciscoRead, "192.0.2.250", "198.51.100.7", 1)},
		{"both legs", change(ciscoStop, "originate", "answer"), RadiusOptions{Leg: LegBoth}, strings.Replace(ciscoRead, "192.0.2.250", "198.51.100.7", 1)},
		{"nobody answered: both times are one", change(ciscoStop, "*14:32:10.123", ".14:33:11.023", "#61", "#0"), RadiusOptions{},
			"0: 4930123456>442079460000 account=acme 2026-11-21T14:32:05.123Z - 2026-11-21T14:33:11.023Z 0 false 3C5AEAB995C8000802D1E/00000A1F 192.0.2.250 - - gw"},
		{"a zone by letters, which the NAS is in", change(ciscoStop, "UTC", "CET", "14:3", "15:3"), RadiusOptions{Zone: berlin}, ciscoRead},
		{"no zone in the stamp", change(ciscoStop, "UTC ", "", "14:3", "15:3"), RadiusOptions{Zone: berlin}, ciscoRead},
		{"an offset", change(ciscoStop, "UTC", "+0300", "14:3", "17:3"), RadiusOptions{}, ciscoRead},
		{"a zone by letters that could be many", change(ciscoStop, "UTC", "CST"), RadiusOptions{},
			`0! h323-setup-time "*14:32:05.123 CST Sat Nov 21 2026": want a time in UTC, or the zone that CST is: billd nas set NAME --zone Europe/Berlin whole 2 3C5AEAB995C8000802D1E 00000A1F 192.0.2.1`},
		{"lengths that contradict each other", change(ciscoStop, "#61", "#610"), RadiusOptions{}, "0! Acct-Session-Time is 610 s, from h323-connect-time to h323-disconnect-time are 60 s"},
		{"no stamps, but the time of the event", without(without(without(ciscoStop, "9:25"), "9:28"), "9:29") + "\n55 #1795271591", RadiusOptions{},
			"0: 4930123456>442079460000 account=acme 2026-11-21T14:32:10Z 2026-11-21T14:32:10Z 2026-11-21T14:33:11Z 61 true 3C5AEAB995C8000802D1E/00000A1F 192.0.2.250 - - gw"},
		{"no times at all: when it was heard, less the delay", without(without(without(ciscoStop, "9:25"), "9:28"), "9:29"), RadiusOptions{},
			"0: 4930123456>442079460000 account=acme 2026-11-21T14:33:56Z 2026-11-21T14:33:56Z 2026-11-21T14:34:57Z 61 true 3C5AEAB995C8000802D1E/00000A1F 192.0.2.250 - - gw whole 2 3C5AEAB995C8000802D1E 00000A1F 192.0.2.1"},
		{"somebody else pays", ciscoStop, RadiusOptions{Account: "trunk"}, strings.Replace(ciscoRead, "account=acme", "account=trunk", 1)},
		{"rules say who pays", ciscoStop, RadiusOptions{Rules: true}, strings.Replace(ciscoRead, " account=acme", "", 1)},
		{"Asterisk", digiumStop, RadiusOptions{}, "0: 4930123456>442079460000 account=acme 2026-11-21T14:32:05Z 2026-11-21T14:32:10Z 2026-11-21T14:33:11Z 61 true 1795271525.7#c80249e73d535d37 192.0.2.250 ANSWERED - gw"},
		{"Asterisk in a zone of its own", change(digiumStop, "14:", "15:", " +0000", " +0100"), RadiusOptions{}, "0: 4930123456>442079460000 account=acme 2026-11-21T14:32:05Z 2026-11-21T14:32:10Z 2026-11-21T14:33:11Z 61 true 1795271525.7#"},
		{"Asterisk, nobody answered", without(change(digiumStop, "ANSWERED", "NO ANSWER", "#61", "#0"), "22736:111"), RadiusOptions{}, "0: 4930123456>442079460000 account=acme 2026-11-21T14:32:05Z - 2026-11-21T14:33:11Z 0 false 1795271525.7#"},
		{"a call by standard attributes", "1 acme\n30 +442079460000\n31 4930123456\n40 #2\n44 17\n46 #61\n55 #1795271591", RadiusOptions{},
			"0: 4930123456>442079460000 account=acme 2026-11-21T14:32:10Z 2026-11-21T14:32:10Z 2026-11-21T14:33:11Z 61 true 192.0.2.250/17 192.0.2.250 - - gw"},
		{"nothing tells the call from the next", "1 acme\n30 442079460000\n40 #2\n46 #61", RadiusOptions{}, "0! the record has no Acct-Session-Id: nothing tells it from the next one"},
		{"a proxy's Start", sipStart, RadiusOptions{}, "0: 4930123456>442079460000 account=acme 2026-11-21T14:32:10Z 2026-11-21T14:32:10Z - - true a84b4c76e66710/ta/tb 203.0.113.9 - - gw half a84b4c76e66710/ta/tb"},
		{"its Stop", sipStop, RadiusOptions{}, "0: > - - - - - - - - - gw half a84b4c76e66710/ta/tb ends 1795271591"},
		{"the callee hangs up", change(sipStop, "104 tb", "104 ta", "105 ta", "105 tb", "1 acme", "1 other"), RadiusOptions{}, "0: > - - - - - - - - - gw half a84b4c76e66710/ta/tb ends 1795271591"},
		{"a Start without its time: when it was heard", without(sipStart, "55"), RadiusOptions{}, "0: 4930123456>442079460000 account=acme 2026-11-21T14:35:00Z 2026-11-21T14:35:00Z - - true a84b4c76e66710/ta/tb 203.0.113.9 - - gw half a84b4c76e66710/ta/tb"},
		{"a Start of nothing", without(sipStart, "44"), RadiusOptions{}, "0! the record has no Acct-Session-Id"},
		{"a gateway's Start", change(ciscoStop, "40 #2", "40 #1"), RadiusOptions{}, "0- no end of a call"},
		{"an attempt that failed", change(sipStart, "40 #1", "40 #15", "102 #200", "102 #486"), RadiusOptions{},
			"0: 4930123456>442079460000 account=acme 2026-11-21T14:32:10Z - 2026-11-21T14:32:10Z 0 false a84b4c76e66710 203.0.113.9 - 486 gw"},
		{"an INVITE that was asked for a password", change(sipStart, "40 #1", "40 #15", "102 #200", "102 #407"), RadiusOptions{}, "0- an INVITE that was asked for a password"},
		{"a CANCEL", change(sipStop, "101 #8", "101 #2"), RadiusOptions{}, "0- a CANCEL: that the INVITE failed is told apart"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := tt.o
			o.Source, o.Address = "gw", "192.0.2.250"
			var call rating.Call
			var rec Record
			RadiusCall(heardOf(t, tt.in), o, &call, &rec)
			if got := spellRecord(&call, &rec) + spellHalf(&rec); !strings.HasPrefix(got, tt.want) || len(got) > len(tt.want) && !strings.HasSuffix(tt.want, "#") {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

const sipStart = `
40 #1
6 #15
102 #200
101 #1
55 #1795271530
105 ta
104 tb
44 a84b4c76e66710
1 acme
30 sip:442079460000@example.org
31 sip:4930123456@example.org
108 @203.0.113.9`

const sipStop = `
40 #2
6 #15
102 #200
101 #8
55 #1795271591
105 ta
104 tb
44 a84b4c76e66710
1 acme`

// spellHalf says which half of a call a record is.
func spellHalf(rec *Record) string {
	switch h := rec.Half; {
	case h == nil:
		return ""
	case h.Whole:
		return " whole " + h.Key
	case h.End != 0:
		return fmt.Sprintf(" half %s ends %d", h.Key, h.End/1_000_000)
	default:
		return " half " + h.Key
	}
}

func TestRadiusPacketsAreToldApart(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		want     RadiusKind
		timed    bool
		id       string
	}{
		{"a gateway", ciscoStop, RadiusCisco, true, "3C5AEAB995C8000802D1E"},
		{"a gateway that counts octets as well", ciscoStop + "\n42 #100\n43 #100", RadiusCisco, true, "3C5AEAB995C8000802D1E"},
		{"a gateway without an end", strings.Replace(ciscoStop, "9:29", "9:99", 1), RadiusCisco, false, "3C5AEAB995C8000802D1E"},
		{"a router of Cisco's that says nothing of calls", "1 bob\n40 #2\n44 1\n42 #5\n9:1 connect-progress=Call Up", RadiusData, false, "1"},
		{"Asterisk", digiumStop, RadiusDigium, true, "1795271525.7"},
		{"a proxy", sipStart, RadiusSIP, true, "a84b4c76e66710"},
		{"standard attributes", "30 442079460000\n46 #5\n44 9", RadiusPlain, false, "9"},
		{"broadband", "1 bob\n8 @10.0.0.9\n44 s1\n42 #5\n43 #6", RadiusData, false, "s1"},
		{"a radio", "1 bob\n30 00-11-22-33-44-55:guests\n44 s1\n43 #6", RadiusData, false, "s1"},
		{"a radio at the start of a session", "1 bob\n30 00-11-22-33-44-55:guests\n44 s1\n6 #2", RadiusData, false, "s1"},
		{"an operator's login", "1 root\n6 #7\n44 s1", RadiusOther, false, "s1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := NewRadiusPacket(attributes(t, tt.in))
			if p.Kind != tt.want || p.Timed(nil) != tt.timed || p.CallID() != tt.id {
				t.Errorf("got kind %d, timed %v, id %s, want %d, %v, %s", p.Kind, p.Timed(nil), p.CallID(), tt.want, tt.timed, tt.id)
			}
		})
	}
}

// TestAnUnreadableRecordIsTheSameWhenItIsSentAgain is what keeps it in suspense once.
func TestAnUnreadableRecordIsTheSameWhenItIsSentAgain(t *testing.T) {
	bad := strings.Replace(ciscoStop, "#61", "#610", 1)
	var first, again Record
	var call rating.Call
	RadiusCall(heardOf(t, bad), RadiusOptions{Source: "gw"}, &call, &first)
	RadiusCall(heardOf(t, strings.Replace(bad, "41 #3", "41 #60", 1)), RadiusOptions{Source: "gw"}, &call, &again)
	if first.Bad == "" || !reflect.DeepEqual(first, again) {
		t.Errorf("got %+v, then %+v", first, again)
	}
	if !strings.Contains(first.Raw, `"call_id":"3C5AEAB995C8000802D1E/00000A1F"`) || !strings.Contains(first.Raw, `Acct-Session-Time = 610`) {
		t.Errorf("kept %s, want its id and its attributes", first.Raw)
	}
}

func FuzzRadiusCall(f *testing.F) {
	pack := func(lines string) []byte {
		var b []byte
		for _, a := range attributes(f, lines) {
			b = append(b, byte(a.Vendor>>8), byte(a.Vendor), a.Type, byte(len(a.Value)))
			b = append(b, a.Value...)
		}
		return b
	}
	for _, s := range []string{ciscoStop, digiumStop, sipStart, sipStop, "30 442079460000\n46 #5\n44 9"} {
		f.Add(pack(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var list []RadiusAttribute
		for len(b) >= 4 && len(b) >= 4+int(b[3]) {
			list = append(list, RadiusAttribute{uint32(b[0])<<8 | uint32(b[1]), b[2], string(b[4 : 4+int(b[3])])})
			b = b[4+int(b[3]):]
		}
		p := NewRadiusPacket(list)
		at := p.At
		if at.IsZero() {
			at = heard
		}
		var call, again rating.Call
		var rec, other Record
		o := RadiusOptions{Source: "gw", Address: "192.0.2.1", Leg: LegBoth}
		RadiusCall(&RadiusTold{p, at}, o, &call, &rec)
		RadiusCall(&RadiusTold{p, at}, o, &again, &other)
		if !reflect.DeepEqual(rec, other) || call.Content() != again.Content() {
			t.Fatalf("read twice: %+v and %+v", rec, other)
		}
		switch h := rec.Half; {
		case rec.Bad != "" || rec.Skipped != "":
		case h != nil && !h.Whole && (h.Key == "" || h.Kept == "" || h.End != 0 == call.Has(rating.CDRTimeStart) || call.Has(rating.CDRDuration)):
			t.Fatalf("half a call: %s %+v", spellRecord(&call, &rec), h)
		case (h == nil || h.Whole) && (!call.Has(rating.CDRTimeStart) || call.CallID() == "" || call.Int(rating.CDRDuration) < 0):
			t.Fatalf("a call without start, id or length: %s", spellRecord(&call, &rec))
		}
	})
}
