package cdrformat

import (
	"strings"
	"testing"

	"billd/rating"
)

const condTable = "calldate,src,dst,userfield,dcontext,channel,duration,billsec,disposition\n" +
	"2026-01-05 10:00:00,1001,44,north,from-internal,PJSIP/phone-0000001a,15,10,ANSWERED\n" +
	"2026-01-05 10:00:00,1002,44,south,from-trunk,PJSIP/carrier-one-0000001b,15,10,ANSWERED\n"

func conditions(t *testing.T, list ...string) (cs []Condition) {
	t.Helper()
	for _, s := range list {
		c, err := ParseCondition(s)
		if err != nil {
			t.Fatal(err)
		}
		if c.String() != s {
			t.Errorf("condition %q is written %q", s, c)
		}
		cs = append(cs, c)
	}
	return cs
}

// TestConditionsSiftRecords reads two records of Asterisk, and the same of FreeSWITCH as JSON and XML.
func TestConditionsSiftRecords(t *testing.T) {
	for _, tt := range []struct {
		name string
		in   string
		o    Options
		want string
	}{
		{"a field that is equal", condTable, Options{Format: AsteriskTable, Only: conditions(t, "dcontext=from-internal")}, "1001 phone|- not dcontext=from-internal"},
		{"one of several values", condTable, Options{Format: AsteriskTable, Only: conditions(t, "dcontext=x|from-trunk")}, "- not dcontext=x|from-trunk|1002 carrier-one"},
		{"what is passed over", condTable, Options{Format: AsteriskTable, Skip: conditions(t, "channel^=PJSIP/carrier")}, "1001 phone|- channel^=PJSIP/carrier"},
		{"what is not", condTable, Options{Format: AsteriskTable, Skip: conditions(t, "userfield!=south")}, "- userfield!=south|1002 carrier-one"},
		{"a field that is not there is empty", condTable, Options{Format: AsteriskTable, Skip: conditions(t, "nothing=")}, "- nothing=|- nothing="},
		{"what came in", condTable, Options{Format: AsteriskTable, Inbound: conditions(t, "dcontext=from-trunk")}, "1001 phone|1002 carrier-one inbound"},
		{"another field is the account", condTable, Options{Format: AsteriskTable, Map: map[string]string{"userfield": "account"}}, "1001 phone account=north|1002 carrier-one account=south"},
		{"a field that is passed over", condTable, Options{Format: AsteriskTable, Map: map[string]string{"channel": "-"}}, "1001 |1002 "},
		{"a column of a row without a header", astRow, Options{Format: AsteriskCSV, Map: map[string]string{"dcontext": "account", "lastdata": "gateway"}, Only: conditions(t, "lastapp=Dial")}, "1001 SIP/out/44,60 account=internal"},
		{"a variable of FreeSWITCH", fsJSON, Options{Format: FreeSWITCHJSON, Map: map[string]string{"sip_from_user": "account"}, Only: conditions(t, "direction=inbound")}, "441  account=1001"},
		{"a variable in XML", fsXML, Options{Format: FreeSWITCHXML, Skip: conditions(t, "direction=inbound")}, "- direction=inbound"},
		{"a column of billd's own", "time_start,dst,kind\n2026-01-05T10:00:00Z,44,a\n2026-01-05T10:00:00Z,44,b\n", Options{Format: CSV, Only: conditions(t, "kind=b")}, "- not kind=b| "},
		{"a column of a map", `{"at":"2026-01-05T10:00:00Z","to":"44","way":"in"}`, Options{Format: JSON, Map: map[string]string{"at": "time_start", "to": "dst"}, Inbound: conditions(t, "way=in")}, "  inbound"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := NewReader(strings.NewReader(tt.in), tt.o)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for {
				text, err := siftedRecord(r)
				if err != nil {
					break
				}
				got = append(got, text)
			}
			if all := strings.Join(got, "|"); all != tt.want {
				t.Errorf("got %q, want %q", all, tt.want)
			}
		})
	}
}

func TestConditionsThatCannotBe(t *testing.T) {
	for _, s := range []string{"", "a", "=b", "a^=", "!=b", strings.Repeat("a", 2000) + "=b"} {
		if c, err := ParseCondition(s); err == nil {
			t.Errorf("ParseCondition(%.20q) = %v, want it refused", s, c)
		}
	}
}

// siftedRecord reads one record: caller, gateway, account, direction, or why it is passed over.
func siftedRecord(r *Reader) (string, error) {
	var call rating.Call
	var rec Record
	if err := r.Read(&call, &rec); err != nil {
		return "", err
	}
	if rec.Skipped != "" || rec.Bad != "" {
		return "- " + rec.Skipped + rec.Bad, nil
	}
	text := call.Text(rating.CDRSrcPrefixRouting) + " " + call.Gateway
	if call.AccountRef != "" && (len(r.o.Map) > 0) {
		text += " account=" + call.AccountRef
	}
	if call.Inbound {
		text += " inbound"
	}
	return text, nil
}
