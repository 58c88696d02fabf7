package dataformat

import (
	"strings"
	"testing"
	"time"

	"billd/rating"
)

// read returns the records of a text and the lines that are none.
func read(t *testing.T, text string, o Options) (records []rating.DataRecord, wrong []int) {
	t.Helper()
	err := Each(strings.NewReader(text), o, func(line int, list []rating.DataRecord, err error) error {
		if err != nil {
			wrong = append(wrong, line)
		}
		records = append(records, list...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return records, wrong
}

func instant(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return t
}

func TestRecordsAreReadFromEveryForm(t *testing.T) {
	kyiv, err := time.LoadLocation("Europe/Kyiv")
	if err != nil {
		t.Fatal(err)
	}
	own := rating.DataRecord{Source: "bras1", Session: "s1", User: "anna", Status: rating.DataInterim, At: instant("2026-11-21T14:32:10Z"), Input: 5, Output: 1<<32 + 7, Seconds: 600, Address: "10.0.0.1"}
	start := rating.DataRecord{Source: "192.0.2.1", Session: "s1", User: "anna@isp", Status: rating.DataStart, At: instant("2026-11-21T10:00:00Z"), Calling: "00-0C-29"}
	stop := start
	stop.Status, stop.At, stop.Input, stop.Output, stop.Seconds, stop.Cause = rating.DataStop, instant("2026-11-21T11:00:00Z"), 10, 6_000_000_000, 3600, "User-Request"
	for _, tt := range []struct {
		name, text string
		o          Options
		want       []rating.DataRecord
	}{
		{"billd's own JSON", `{"source":"bras1","session":"s1","user":"anna","status":"interim","time":"2026-11-21T14:32:10Z","input_octets":5,"output_octets":4294967303,"seconds":600,"framed_ip":"10.0.0.1"}`, Options{}, []rating.DataRecord{own}},
		{"what rlm_rest posts, over several lines", `{
  "Acct-Session-Id": {"type":"string","value":["s1"]}, "User-Name": {"type":"string","value":["anna"]},
  "Acct-Status-Type": {"type":"integer","value":["Interim-Update"]}, "NAS-Identifier": {"type":"string","value":["bras1"]}, "NAS-IP-Address": {"type":"ipaddr","value":["192.0.2.1"]},
  "Acct-Input-Octets": {"type":"integer","value":[5]}, "Acct-Output-Octets": {"type":"integer","value":[7]}, "Acct-Output-Gigawords": {"type":"integer","value":[1]},
  "Acct-Session-Time": {"type":"integer","value":[600]}, "Framed-IP-Address": {"type":"ipaddr","value":["10.0.0.1"]}, "Event-Timestamp": {"type":"date","value":["Nov 21 2026 14:32:10 UTC"]}
}`, Options{}, []rating.DataRecord{own}},
		{"plain attributes in a list", `[{"Acct-Session-Id":"s1","User-Name":"anna","Acct-Status-Type":3,"NAS-Identifier":"bras1","Acct-Input-Octets":"5","Acct-Output-Octets":7,"Acct-Output-Gigawords":1,"Acct-Session-Time":600,"Framed-IP-Address":"10.0.0.1","Event-Timestamp":1795271530}]`, Options{}, []rating.DataRecord{own}},
		{"rows of radacct", "radacctid,acctsessionid,acctuniqueid,username,realm,nasipaddress,acctstarttime,acctupdatetime,acctstoptime,acctsessiontime,acctinputoctets,acctoutputoctets,callingstationid,acctterminatecause\n" +
			"1,s1,u1,anna@isp,,192.0.2.1,2026-11-21 12:00:00,NULL,2026-11-21 13:00:00,3600,10,6000000000,00-0C-29,User-Request\n", Options{Zone: kyiv}, []rating.DataRecord{start, stop}},
		{"a time from its arrival", `{"source":"bras1","session":"s1","user":"anna","status":"3","acct-delay-time":10,"input_octets":5,"output_octets":4294967303,"seconds":600,"framed_ip":"10.0.0.1"}`, Options{Now: instant("2026-11-21T14:32:20Z")}, []rating.DataRecord{own}},
		{"a source that is said", `{"source":"other","session":"s1","user":"anna","status":"alive","time":"2026-11-21 16:32:10","input_octets":5,"output_octets":4294967303,"seconds":600,"framed_ip":"10.0.0.1"}`, Options{Source: "bras1", Zone: kyiv}, []rating.DataRecord{own}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, wrong := read(t, tt.text, tt.o)
			if len(wrong) > 0 || len(got) != len(tt.want) {
				t.Fatalf("%d records, lines %v wrong, want %d: %+v", len(got), wrong, len(tt.want), got)
			}
			for i, want := range tt.want {
				if got[i] != want {
					t.Errorf("record %d is\n%+v, want\n%+v", i, got[i], want)
				}
			}
		})
	}
}

func TestDamageLosesNoOtherRecord(t *testing.T) {
	good := `{"source":"n","session":"s","user":"u","status":"stop","time":"2026-11-21T14:32:10Z"}`
	for _, tt := range []struct {
		name, text string
		records    int
		damaged    int // of them
		wrong      int // lines
	}{
		{"a line that is no JSON", good + "\n{broken}\n" + good, 2, 0, 1},
		{"a line of 3 MiB", good + "\n{\"user\":\"" + strings.Repeat("x", 3<<20) + "\"}\n" + good, 2, 0, 1},
		{"an object that does not end", good + "\n{\"a\":\n", 1, 0, 1},
		{"a negative counter", `{"source":"n","session":"s","user":"u","status":"stop","time":"2026-11-21T14:32:10Z","input_octets":-5}`, 1, 1, 0},
		{"a status that is none", `{"source":"n","session":"s","user":"u","status":"went","time":"2026-11-21T14:32:10Z"}`, 1, 1, 0},
		{"no time", `{"source":"n","session":"s","user":"u","status":"stop"}`, 1, 1, 0},
		{"a time in a zone that several places have", `{"source":"n","session":"s","user":"u","status":"stop","time":"Nov 21 2026 14:32:10 CST"}`, 1, 1, 0},
		{"gigawords beside 64 bits", `{"source":"n","session":"s","user":"u","status":"stop","time":"2026-11-21T14:32:10Z","acct_input_octets":99999999999,"acct_input_gigawords":1}`, 1, 1, 0},
		{"a row too short", "acctsessionid,username,nasipaddress,acctstarttime\ns,u,n,2026-11-21 14:32:10\ns,u\n\"\n", 1, 0, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			records, wrong := read(t, tt.text, Options{})
			damaged := 0
			for _, r := range records {
				if r.Damage != "" {
					damaged++
				}
			}
			if len(records) != tt.records || damaged != tt.damaged || len(wrong) != tt.wrong {
				t.Errorf("%d records, %d damaged, lines %v wrong, want %d, %d and %d of them", len(records), damaged, wrong, tt.records, tt.damaged, tt.wrong)
			}
		})
	}
	for name, text := range map[string]string{"nothing": " \n", "binary": "\x00\x01\x02\nxx", "a list that breaks": `[{"a":1},`, "other columns": "a,b,c\n1,2,3\n"} {
		if err := Each(strings.NewReader(text), Options{}, func(int, []rating.DataRecord, error) error { return nil }); rating.KindOf(err) != rating.Invalid {
			t.Errorf("%s: %v, want Invalid", name, err)
		}
	}
}

func FuzzEach(f *testing.F) {
	f.Add(`{"source":"n","session":"s","user":"u","status":"stop","time":"2026-11-21T14:32:10Z"}`)
	f.Add("acctsessionid,username,nasipaddress,acctstarttime\ns,u,n,2026-11-21 14:32:10\n")
	f.Add(`[{"User-Name":{"type":"string","value":["bob"]}},7]`)
	f.Fuzz(func(t *testing.T, text string) {
		last := 0
		err := Each(strings.NewReader(text), Options{}, func(line int, list []rating.DataRecord, err error) error {
			if line < last || err == nil && len(list) == 0 {
				t.Errorf("line %d after %d, %d records, %v", line, last, len(list), err)
			}
			last = line
			return nil
		})
		if err != nil && rating.KindOf(err) != rating.Invalid {
			t.Errorf("%v, want Invalid", err)
		}
	})
}
