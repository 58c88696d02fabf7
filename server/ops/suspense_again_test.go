package ops

import (
	"strings"
	"testing"
)

// TestARetryReadsByTheProfileOfNow imports files by profiles that do not fit them, corrects the profiles and tries again.
func TestARetryReadsByTheProfileOfNow(t *testing.T) {
	for _, tt := range []struct{ name, profile, file, why, set, then string }{
		{"the format", `"format":["asterisk-csv-uniqueid"]`,
			`"north","1001","4420","internal","c","SIP/a-1","SIP/b-2","Dial","x","2026-01-05 10:00:00","2026-01-05 10:00:05","2026-01-05 10:00:15",15,10,"ANSWERED","DOCUMENTATION","1.1",""` + "\n",
			"18 columns: want 17 or 20", `"format":["asterisk-csv"]`, ""},
		{"the order of dates, of a table", `"format":["asterisk-table"]`, "calldate,src,dst,duration,billsec,disposition,uniqueid,accountcode\n04/09/17 12:39,114,4420,8,6,ANSWERED,1.1,north\n",
			"the order of day, month and year", `"dates":["dmy"]`, ""},
		{"the order of dates, of a list with a map", `"format":["csv"],"map":["WHEN=time_start","TO=dst","WHO=account","SECS=duration"]`, "WHEN;TO;WHO;SECS\n04/09/17 12:39;4420;north;6\n",
			"the order of day, month and year", `"dates":["dmy"]`, ""},
		{"the columns, of JSON", `"format":["json"]`, `{"call_id":"1","account":"north","dst":"4420","time_start":"2026-01-05T10:00:00Z","duration":"6.5"}` + "\n",
			"want a whole number", `"map":["x=gateway"]`, ""},
		{"what is a call", `"format":["asterisk-csv"]`,
			`"north","1001","4420","test","c","SIP/a-1","SIP/b-2","Dial","x","2026-01-05 10:00:00","2026-01-05 10:00:05","2026-01-05 10:00:15",15,x,"ANSWERED","DOCUMENTATION","1.1",""` + "\n",
			`billsec "x": want seconds`, `"skip":["dcontext=test"]`, "by the profile of source pbx now no call to charge: "},
		{"nothing that helps", `"format":["asterisk-csv"]`, "one,two\n", "2 columns: want 16, 18, 19 or 21", `"format":["asterisk-custom"]`, "2 columns: want 19"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newStation(t)
			s.run(ExitOK, "import-accounts", `{}`, "name,contractor\nnorth,North\n")
			s.run(ExitOK, "import-rates", `{"input":{"name":"deck.csv"}}`, "44,0.06\n")
			s.run(ExitOK, "source-add", `{"name":"pbx","set":{`+tt.profile+`}}`, "")
			s.run(ExitPartly, "import-cdrs", `{"source":"pbx"}`, tt.file)
			held := s.show("1")
			if held.Reason != "bad_record" || !strings.Contains(held.Detail, tt.why) {
				t.Fatalf("held for %s: %s, want %s", held.Reason, held.Detail, tt.why)
			}
			if s.run(ExitPartly, "suspense-retry", `{"id":1}`, ""); s.show("1").Detail != held.Detail || s.show("1").Attempts != 0 {
				t.Errorf("tried by the same profile it is %+v, want it as it was", s.show("1"))
			}
			s.run(ExitOK, "source-set", `{"name":"pbx","set":{`+tt.set+`}}`, "")
			if tt.then != "" {
				if s.run(ExitPartly, "suspense-retry", `{"id":1}`, ""); !strings.HasPrefix(s.show("1").Detail, tt.then) || s.show("1").Raw == "" {
					t.Errorf("still held as %+v, want %s", s.show("1"), tt.then)
				}
				return
			}
			if out := s.run(ExitOK, "suspense-retry", `{"id":1,"json":true}`, ""); !strings.Contains(out, `"rated": 1`) {
				t.Errorf("retry = %s, want 1 rated", out)
			}
			if out := s.run(ExitOK, "import-cdrs", `{"source":"pbx","json":true}`, tt.file); !strings.Contains(out, `"duplicates": 1`) {
				t.Errorf("the file again = %s, want 1 duplicate", out)
			}
			if got := s.balances(); strings.Join(got, "|") != "master 0.0|north -0.06" {
				t.Errorf("balances = %q, want 0.06 paid by north once", got)
			}
		})
	}
}

// TestAReadableRecordKeepsItsReasonOfNow reads a record again that then has nobody to pay.
func TestAReadableRecordKeepsItsReasonOfNow(t *testing.T) {
	s := newStation(t)
	s.run(ExitOK, "import-rates", `{"input":{"name":"deck.csv"}}`, "44,0.06\n")
	s.run(ExitOK, "source-add", `{"name":"pbx","set":{"format":["csv"],"map":["WHEN=time_start"]}}`, "")
	s.run(ExitPartly, "import-cdrs", `{"source":"pbx"}`, "WHEN,dst,account,duration\n04/09/17 12:39,4420,north,6\n")
	s.run(ExitOK, "source-set", `{"name":"pbx","set":{"dates":["dmy"]}}`, "")
	s.run(ExitPartly, "suspense-retry", `{}`, "")
	if got := s.show("1"); got.Reason != "no_account" || got.Dst != "4420" || got.Account != "north" || got.Raw != "" || got.TimeStart == nil {
		t.Errorf("held as %+v, want north's call to 4420, no_account", got)
	}
	s.run(ExitOK, "import-accounts", `{}`, "name,contractor\nnorth,North\n")
	s.run(ExitOK, "suspense-retry", `{}`, "")
	if got := s.balances(); strings.Join(got, "|") != "master 0.0|north -0.06" {
		t.Errorf("balances = %q, want 0.06 paid by north", got)
	}
}
