package cdrformat

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"
)

// told is one call as every sample of the corpus tells it: what a damage changes.
type told struct {
	n                  int // the last digit of the called number, by which a record is known again
	id, name           string
	start, answer, end time.Time
	duration, billsec  string // "" for none
}

// soundCall is the n-th call of a file: 15 seconds, 10 of them talk.
func soundCall(n int) told {
	start := time.Date(2026, 1, 5, 10, n, 0, 0, time.UTC)
	return told{n, fmt.Sprintf("id-%d", n), "Zoë Ångström", start, start.Add(5 * time.Second), start.Add(15 * time.Second), "15", "10"}
}

func (c told) dst() string { return fmt.Sprintf("44207946000%d", c.n) }

// sample is a source format: how it writes a call, and what stands before the first one and behind the last.
type sample struct {
	name       string
	o          Options
	head, tail string
	between    string // records, when they do not end with their line
	endless    bool   // the last line may have no end, and nobody knows what would have followed
	row        func(told) string
}

func stampOf(t time.Time) string { return t.Format("2006-01-02 15:04:05") }

func freeswitchSample(c told) string {
	return fmt.Sprintf(`{"core-uuid":"c0","variables":{"direction":"inbound","uuid":"%s","accountcode":"north","start_uepoch":"%d","answer_uepoch":"%d","end_uepoch":"%d","duration":"%s","billsec":"%s","hangup_cause":"NORMAL_CLEARING"},"callflow":[{"caller_profile":{"caller_id_name":"%s","caller_id_number":"1001","destination_number":"%s"}}]}`,
		c.id, c.start.UnixMicro(), c.answer.UnixMicro(), c.end.UnixMicro(), c.duration, c.billsec, c.name, c.dst())
}

// asteriskSample is a row of Master.csv with the columns that are behind the sixteenth.
func asteriskSample(more string) func(told) string {
	return func(c told) string {
		return fmt.Sprintf(`"north","1001","%s","internal","""%s"" <1001>","SIP/a-1","SIP/b-2","Dial","SIP/b,60","%s","%s","%s",%s,%s,"ANSWERED","DOCUMENTATION"`,
			c.dst(), c.name, stampOf(c.start), stampOf(c.answer), stampOf(c.end), c.duration, c.billsec) + strings.NewReplacer("ID", c.id, "N", fmt.Sprint(10+c.n)).Replace(more) + "\n"
	}
}

// corpus are the source formats.
func corpus() []sample {
	xml := func(c told) string {
		return fmt.Sprintf("<cdr core-uuid=\"c0\"><variables><uuid>%s</uuid><direction>inbound</direction><accountcode>north</accountcode><start_uepoch>%d</start_uepoch><answer_uepoch>%d</answer_uepoch><end_uepoch>%d</end_uepoch><billsec>%s</billsec></variables>"+
			"<callflow><caller_profile><caller_id_name>%s</caller_id_name><caller_id_number>1001</caller_id_number><destination_number>%s</destination_number></caller_profile></callflow></cdr>\n",
			c.id, c.start.UnixMicro(), c.answer.UnixMicro(), c.end.UnixMicro(), c.billsec, c.name, c.dst())
	}
	line := func(fn func(told) string) func(told) string {
		return func(c told) string { return fn(c) + "\n" }
	}
	kamailio := func(c told) string {
		return fmt.Sprintf(`{"start_time":"%s","end_time":"%s","duration":"%s.0","callid":"%s","caller":"sip:1001@h","callee":"sip:%s@h","src_name":"%s"}`+"\n", stampOf(c.answer), stampOf(c.end), c.billsec, c.id, c.dst(), c.name)
	}
	acc := func(c told) string {
		row := "%s\tb\ta\t%s\t200\tOK\t%s\t%s\t1001\t" + c.name + "\n"
		return fmt.Sprintf(strings.Replace(row, "b\ta", "a\tb", 1)+row, "INVITE", c.id, stampOf(c.answer), c.dst(), "BYE", c.id, stampOf(c.end), c.dst())
	}
	opensips := func(c told) string {
		return fmt.Sprintf(`{"jsonrpc":"2.0","method":"E_ACC_CDR","params":{"method":"INVITE","from_tag":"a","to_tag":"b","callid":"%s","sip_code":"200","sip_reason":"OK","time":%d,"duration":%s,"ms_duration":9200,"setuptime":%d,"created":%d,"caller":"1001","callee":"%s","x":"%s"}}`+"\n",
			c.id, c.answer.Unix(), c.billsec, int(c.answer.Sub(c.start).Seconds()), c.start.Unix(), c.dst(), c.name)
	}
	generic := map[string]string{"ID": "call_id", "FROM": "src", "TO": "dst", "AT": "time_start", "ANSWER": "time_connect", "UNTIL": "time_end", "SECS": "duration"}
	list := []sample{
		{name: "freeswitch json", o: Options{Format: FreeSWITCHJSON}, row: line(freeswitchSample)},
		{name: "freeswitch json, url-encoded", o: Options{Format: FreeSWITCHJSON}, row: line(func(c told) string { return url.QueryEscape(freeswitchSample(c)) })},
		{name: "freeswitch json, a form", o: Options{Format: FreeSWITCHJSON}, row: line(func(c told) string { return "cdr=" + url.QueryEscape(freeswitchSample(c)) })},
		{name: "freeswitch json, base64", o: Options{Format: FreeSWITCHJSON}, row: line(func(c told) string { return "cdr=" + base64.StdEncoding.EncodeToString([]byte(freeswitchSample(c))) })},
		{name: "freeswitch xml", o: Options{Format: FreeSWITCHXML}, row: xml},
		{name: "freeswitch csv", o: Options{Format: FreeSWITCHCSV}, row: func(c told) string {
			return fmt.Sprintf(`"%s","1001","%s","default","%s","%s","%s","%s","%s","NORMAL_CLEARING","%s","","north","PCMU","PCMU"`+"\n", c.name, c.dst(), stampOf(c.start), stampOf(c.answer), stampOf(c.end), c.duration, c.billsec, c.id)
		}},
		{name: "freeswitch csv, asterisk", o: Options{Format: FreeSWITCHCSVAsterisk}, row: func(c told) string {
			return fmt.Sprintf(`"north","1001","%s","default",""%s" <1001>","c1","c2","bridge","x","%s","%s","%s","%s","%s","NORMAL_CLEARING","3","%s",""`+"\n", c.dst(), c.name, stampOf(c.start), stampOf(c.answer), stampOf(c.end), c.duration, c.billsec, c.id)
		}},
		{name: "freeswitch csv, sql", o: Options{Format: FreeSWITCHCSVSQL}, row: func(c told) string {
			return fmt.Sprintf(`INSERT INTO cdr VALUES ("%s","1001","%s","default","%s","%s","%s","%s","%s","NORMAL_CLEARING","%s","", "north");`+"\n", c.name, c.dst(), stampOf(c.start), stampOf(c.answer), stampOf(c.end), c.duration, c.billsec, c.id)
		}},
		{name: "freeswitch csv, opencdrrate", o: Options{Format: FreeSWITCHCSVOpenCDRRate}, row: func(c told) string {
			return fmt.Sprintf(`"%s","","inbound","1001","%s","%s","%s","%s","north","","192.0.2.7","%s","gw1"`+"\n", c.id, c.dst(), stampOf(c.answer), stampOf(c.end), c.billsec, c.name)
		}},
		{name: "asterisk, 16 columns", o: Options{Format: AsteriskCSV}, row: asteriskSample("")},
		{name: "asterisk, 17 columns, the unique id", o: Options{Format: AsteriskCSVUniqueID}, row: asteriskSample(`,"ID"`)},
		{name: "asterisk, 17 columns, the user field", o: Options{Format: AsteriskCSVUserField}, row: asteriskSample(`,"user"`)},
		{name: "asterisk, 18 columns", o: Options{Format: AsteriskCSV}, row: asteriskSample(`,"ID",""`)},
		{name: "asterisk, 19 columns", o: Options{Format: AsteriskCSV}, row: asteriskSample(`,"peer","ID",N`)},
		{name: "asterisk, 20 columns, the unique id", o: Options{Format: AsteriskCSVUniqueID}, row: asteriskSample(`,"ID","peer","ID",N`)},
		{name: "asterisk, 20 columns, the user field", o: Options{Format: AsteriskCSVUserField}, row: asteriskSample(`,"user","peer","ID",N`)},
		{name: "asterisk, 21 columns", o: Options{Format: AsteriskCSV}, row: asteriskSample(`,"ID","","peer","ID",N`)},
		{name: "asterisk custom", o: Options{Format: AsteriskCustom}, row: func(c told) string {
			return fmt.Sprintf(`"""%s"" <1001>","1001","%s","internal","c","d","Dial","x","%s","%s","%s","%s","%s","ANSWERED","DOCUMENTATION","north","%s","",%d`+"\n", c.name, c.dst(), stampOf(c.start), stampOf(c.answer), stampOf(c.end), c.duration, c.billsec, c.id, 10+c.n)
		}},
		{name: "asterisk's table", endless: true, o: Options{Format: AsteriskTable}, head: "calldate,clid,src,dst,duration,billsec,disposition,uniqueid,sequence\n", row: func(c told) string {
			return fmt.Sprintf("%s,\"%s\" <1001>,1001,%s,%s,%s,ANSWERED,%s,%d\n", stampOf(c.start), c.name, c.dst(), c.duration, c.billsec, c.id, 10+c.n)
		}},
		{name: "asterisk json", o: Options{Format: AsteriskJSON}, row: func(c told) string {
			return fmt.Sprintf(`{"accountcode":"north","clid":"%s","src":"1001","dst":"%s","start":"%s","answer":"%s","end":"%s","duration":%s,"billsec":%s,"disposition":"ANSWERED","uniqueid":"%s","sequence":7}`+"\n", c.name, c.dst(), stampOf(c.start), stampOf(c.answer), stampOf(c.end), c.duration, c.billsec, c.id)
		}},
		{name: "kamailio acc_cdrs", o: Options{Format: Kamailio}, row: kamailio},
		{name: "kamailio acc", o: Options{Format: Kamailio}, head: "method\tfrom_tag\tto_tag\tcallid\tsip_code\tsip_reason\ttime\tdst_user\tsrc_user\tname\n", row: acc},
		{name: "kamailio acc_json", o: Options{Format: Kamailio}, row: func(c told) string {
			row := `{"method":"%s","from_tag":"%s","to_tag":"%s","callid":"%s","sip_code":"200","sip_reason":"OK","time":%d,"src_user":"1001","dst_user":"%s","name":"%s"}` + "\n"
			return fmt.Sprintf(row+row, "INVITE", "a", "b", c.id, c.answer.Unix(), c.dst(), c.name, "BYE", "b", "a", c.id, c.end.Unix(), c.dst(), c.name)
		}},
		{name: "opensips", o: Options{Format: OpenSIPS}, row: opensips},
		{name: "csv of billd's columns", endless: true, o: Options{Format: CSV}, head: "time_start,time_connect,time_end,duration,success,account,src,src_name_in,call_id,dst\n", row: func(c told) string {
			return fmt.Sprintf("%s,%s,%s,%s,true,north,1001,\"%s\",%s,\"%s\"\n", stampOf(c.start), stampOf(c.answer), stampOf(c.end), c.billsec, c.name, c.id, c.dst())
		}},
		{name: "json of billd's columns", o: Options{Format: JSON}, row: func(c told) string {
			return fmt.Sprintf(`{"time_start":"%s","time_connect":"%s","time_end":"%s","duration":%s,"success":true,"account":"north","src":"1001","src_name_in":"%s","call_id":"%s","dst":"%s"}`+"\n", stampOf(c.start), stampOf(c.answer), stampOf(c.end), c.billsec, c.name, c.id, c.dst())
		}},
		{name: "csv with a map", endless: true, o: Options{Format: CSV, Map: generic}, head: "ID;FROM;AT;ANSWER;UNTIL;SECS;NAME;TO\n", row: func(c told) string {
			return fmt.Sprintf("%s;1001;%s;%s;%s;%s;%s;\"%s\"\n", c.id, stampOf(c.start), stampOf(c.answer), stampOf(c.end), c.billsec, c.name, c.dst())
		}},
		{name: "json with a map", o: Options{Format: JSON, Map: generic}, row: func(c told) string {
			return fmt.Sprintf(`{"ID":"%s","FROM":"1001","AT":"%s","ANSWER":"%s","UNTIL":"%s","SECS":%s,"NAME":"%s","TO":"%s"}`+"\n", c.id, stampOf(c.start), stampOf(c.answer), stampOf(c.end), c.billsec, c.name, c.dst())
		}},
		{name: "a list of json", o: Options{Format: JSON}, head: "[", tail: "]\n", between: ",\n", row: func(c told) string {
			return fmt.Sprintf(`{"time_start":"%s","time_connect":"%s","time_end":"%s","duration":%s,"success":true,"account":"north","src":"1001","src_name_in":"%s","call_id":"%s","dst":"%s"}`, stampOf(c.start), stampOf(c.answer), stampOf(c.end), c.billsec, c.name, c.id, c.dst())
		}},
	}
	return list
}

// file is a file of the format with these records.
func (s *sample) file(records ...string) string {
	return s.head + strings.Join(records, s.between) + s.tail
}

// sound is what the n-th call's record is read as, without its line.
func (s *sample) sound(t *testing.T, n int) string {
	t.Helper()
	got, err := readCalls(t, strings.NewReader(s.file(s.row(soundCall(n)))), s.o)
	if err != nil || len(got) != 1 || !strings.Contains(got[0], ">"+soundCall(n).dst()) {
		t.Fatalf("a sound record is read as %q, %v", got, err)
	}
	_, text, _ := strings.Cut(got[0], ": ")
	return text
}

// damaged reads a file with a damaged record between the sound ones 1 and 3, checks that those are read as ever, and
// returns what became of the damaged one: the reasons, and whether it is read as what it was.
func (s *sample) damaged(t *testing.T, record string) (why []string, same bool) {
	t.Helper()
	in := s.file(s.row(soundCall(1)), record, s.row(soundCall(3)))
	got, err := readCalls(t, strings.NewReader(in), s.o)
	if err != nil {
		t.Errorf("the file cannot be read on: %v", err)
	}
	want := map[string]int{s.sound(t, 1): 1, s.sound(t, 3): 1}
	was := s.sound(t, 2)
	for _, one := range got {
		if line, reason, bad := strings.Cut(one, "! "); bad && !strings.Contains(line, ":") {
			if line == "0" || strings.TrimSpace(reason) == "" {
				t.Errorf("line %s: %q is no reason", line, reason)
			}
			why = append(why, reason)
			continue
		}
		_, text, sound := strings.Cut(one, ": ")
		switch {
		case !sound: // passed over
		case want[text] > 0:
			want[text]--
		case text == was, strings.Contains(text, "#") && strings.HasPrefix(text, was[:40]): // an id that is a digest of the record
			same = true
		default:
			t.Errorf("read as another call: %s\nwas %s", text, was)
		}
	}
	for text, n := range want {
		if n > 0 {
			t.Errorf("a sound record is lost: %s\ngot %q", text, got)
		}
	}
	return why, same
}

// TestRecordsCutShortAreNeverReadAsOtherCalls cuts a record at each tenth and inside a character, in the middle of a file
// and at its end, there behind each column too.
func TestRecordsCutShortAreNeverReadAsOtherCalls(t *testing.T) {
	for _, s := range corpus() {
		t.Run(s.name, func(t *testing.T) {
			whole := strings.TrimSuffix(s.row(soundCall(2)), "\n")
			cuts := []int{strings.Index(whole, "Zo") + 3} // ë is two bytes
			for n := 1; n < 10; n++ {
				cuts = append(cuts, len(whole)*n/10)
			}
			if s.between == "" {
				for _, at := range cuts {
					for strings.IndexByte("\",\n", whole[at-1]) >= 0 { // a row of fewer columns is one too where the next line is whole
						at++
					}
					if why, same := s.damaged(t, whole[:at]+"\n"); len(why) == 0 && !same {
						t.Errorf("cut to %q without a word", whole[:at])
					}
				}
			}
			for at := range len(whole) {
				if c := whole[at]; c == ',' || c == '\t' || c == ';' {
					cuts = append(cuts, at, at+1)
				}
			}
			was := s.sound(t, 2)
			for _, at := range append(cuts, len(whole)-1) {
				cut := whole[:at]
				got, err := readCalls(t, strings.NewReader(s.head+s.row(soundCall(1))+s.between+cut), s.o)
				if len(got) == 0 || !strings.HasSuffix(got[0], s.sound(t, 1)) {
					t.Errorf("the record before the cut is lost: %q, %v", got, err)
					continue
				}
				for _, one := range got[1:] {
					if !strings.Contains(one, "! ") && !strings.HasSuffix(one, was) && !s.endless {
						t.Errorf("cut to %q at the end of the file, it is read as %s", cut, one)
					}
				}
				if len(got) == 1 && err == nil {
					t.Errorf("cut to %q at the end of the file without a word", cut)
				}
			}
		})
	}
}
