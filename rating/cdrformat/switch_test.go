package cdrformat

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/url"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"billd/rating"
)

// readCalls reads a whole file: each record as its columns, as why it was skipped, or as why it is unreadable.
func readCalls(t testing.TB, in io.Reader, o Options) (records []string, err error) {
	t.Helper()
	r, err := NewReader(in, o)
	if err != nil {
		return nil, err
	}
	var call rating.Call
	var rec Record
	for {
		if err := r.Read(&call, &rec); err == io.EOF {
			return records, nil
		} else if err != nil {
			return records, err
		}
		records = append(records, spellRecord(&call, &rec))
	}
}

func spellRecord(call *rating.Call, rec *Record) string {
	switch {
	case rec.Bad != "":
		return fmt.Sprintf("%d! %s", rec.Line, rec.Bad)
	case rec.Skipped != "":
		return fmt.Sprintf("%d- %s", rec.Line, rec.Skipped)
	}
	b := fmt.Sprintf("%d: %s>%s", rec.Line, call.Text(rating.CDRSrcPrefixRouting), call.Text(rating.CDRDstPrefixRouting))
	if call.AccountRef != "" {
		b += " account=" + call.AccountRef
	}
	for _, f := range []rating.CDRField{rating.CDRTimeStart, rating.CDRTimeConnect, rating.CDRTimeEnd, rating.CDRDuration, rating.CDRSuccess, rating.CDRCallID, rating.CDRAuthOrigIP, rating.CDRInternalDisconnectReason, rating.CDRLegaDisconnectCode, rating.CDRSource} {
		b += " " + call.Format(f)
		if !call.Has(f) {
			b += "-"
		}
	}
	return b
}

const (
	fsJSON = `{"core-uuid":"c0","switchname":"sw1","channel_data":{"state":"CS_REPORTING","direction":"inbound"},"callStats":{"audio":{"inbound":{"mos":nan}}},` +
		`"variables":{"direction":"inbound","uuid":"a-1","call_uuid":"a-1","accountcode":"north","sip_from_user":"1001","sip_network_ip":"192.0.2.7","sip_call_id":"x@y","hangup_cause":"NORMAL_CLEARING","hangup_cause_q850":"16",` +
		`"start_stamp":"2026-01-05%2010%3A00%3A00","start_epoch":"1767607200","start_uepoch":"1767607200100000","answer_epoch":"1767607205","answer_uepoch":"1767607205900000","end_epoch":"1767607215","end_uepoch":"1767607215100000","duration":"15","billsec":"10","billmsec":"9200","caller_id":"%22A%22%20%3C1001%3E"},` +
		`"app_log":{"applications":[]},"callflow":[{"profile_index":"1","caller_profile":{"caller_id_number":"+441","destination_number":"442079460000","uuid":"a-1"},"times":{"created_time":"1767607200100000","answered_time":"0","hangup_time":"0"}}]}`
	fsCall  = "1: 441>442079460000 account=north 2026-01-05T10:00:00.1Z 2026-01-05T10:00:05.9Z 2026-01-05T10:00:15.1Z - true a-1 192.0.2.7 NORMAL_CLEARING - freeswitch"
	fsXML   = "<?xml version=\"1.0\"?>\n<cdr core-uuid=\"c0\"><channel_data><state>CS_REPORTING</state></channel_data>\n<variables><uuid>a-1</uuid><direction>inbound</direction><accountcode>north</accountcode><sip_network_ip>192.0.2.7</sip_network_ip><hangup_cause>NORMAL_CLEARING</hangup_cause><start_stamp>2026-01-05%2010%3A00%3A00</start_stamp><start_uepoch>1767607200100000</start_uepoch><answer_uepoch>1767607205900000</answer_uepoch><end_uepoch>1767607215100000</end_uepoch><billsec>10</billsec></variables>\n<callflow profile_index=\"1\"><caller_profile><caller_id_number>%2B441</caller_id_number><destination_number>442079460000</destination_number></caller_profile><times><answered_time>0</answered_time></times></callflow></cdr>\n"
	astRow  = `"north","1001","442079460000","internal","""Ann"" <1001>","SIP/1001-1","SIP/out-2","Dial","SIP/out/44,60","2026-01-05 10:00:00","2026-01-05 10:00:05","2026-01-05 10:00:15",15,10,"ANSWERED","DOCUMENTATION"`
	astCall = "1: 1001>442079460000 account=north 2026-01-05T10:00:00Z 2026-01-05T10:00:05Z 2026-01-05T10:00:15Z 10 true %s - ANSWERED - asterisk"
)

func TestSwitchFormatsAreReadAndToldApart(t *testing.T) {
	b64 := base64.StdEncoding.EncodeToString([]byte(fsJSON))
	for _, tt := range []struct {
		name, in string
		detected Format // 0 when the file is ambiguous or needs options
		o        Options
		want     string
	}{
		{"freeswitch json on one line", fsJSON + "\t\t\n", FreeSWITCHJSON, Options{}, fsCall},
		{"freeswitch json over many lines", strings.ReplaceAll(fsJSON, `,"`, ",\n\"") + "\n", FreeSWITCHJSON, Options{}, fsCall},
		{"freeswitch json without encoded values", strings.NewReplacer("%20", " ", "%3A", ":", "%22", `\"`, "%3C", "<", "%3E", ">").Replace(fsJSON), FreeSWITCHJSON, Options{}, fsCall},
		{"a failure file, url-encoded", url.PathEscape(fsJSON) + "\n", FreeSWITCHJSON, Options{}, fsCall},
		{"a failure file, base64", b64 + "\n", FreeSWITCHJSON, Options{}, fsCall},
		{"two records", fsJSON + "\n" + strings.ReplaceAll(fsJSON, "a-1", "a-2") + "\n", FreeSWITCHJSON, Options{}, fsCall + "|2" + strings.ReplaceAll(fsCall, "a-1", "a-2")[1:]},
		{"the leg that was called is not charged", strings.Replace(fsJSON, `"direction":"inbound","uuid":"a-1"`, `"direction":"outbound","uuid":"b-1"`, 1), FreeSWITCHJSON, Options{}, "1- a leg that another leg called"},
		{"an outbound leg that nobody called is", strings.Replace(fsJSON, `"direction":"inbound","uuid"`, `"direction":"outbound","uuid"`, 1), FreeSWITCHJSON, Options{}, strings.NewReplacer("441>", "1001>", "192.0.2.7", "-").Replace(fsCall)},
		{"billsec that the clock does not bear out", strings.Replace(fsJSON, `"billsec":"10"`, `"billsec":"100"`, 1), FreeSWITCHJSON, Options{}, "1! billsec 100, and from answer to end 9.2 seconds"},
		{"freeswitch xml", fsXML, FreeSWITCHXML, Options{}, "1" + fsCall[1:]},
		{"freeswitch xml that is cut off, and a whole one", fsXML[:300] + "\n" + strings.SplitN(fsXML, "\n", 2)[1], FreeSWITCHXML, Options{}, "1! the record is cut off: want </cdr>|4" + fsCall[1:]},
		{"freeswitch csv", `"Ann","1001","442079460000","default","2026-01-05 10:00:00","2026-01-05 10:00:05","2026-01-05 10:00:15","15","10","NORMAL_CLEARING","a-1","b-1","north","PCMU","PCMU"` + "\n", FreeSWITCHCSV, Options{}, "1: 1001>442079460000 account=north 2026-01-05T10:00:00Z 2026-01-05T10:00:05Z 2026-01-05T10:00:15Z 10 true a-1 - NORMAL_CLEARING - freeswitch"},
		{"freeswitch csv by no template, quotes as they come", `"north","1001","442079460000","default",""Ann, Smith" <1001>","c1","c2","bridge","x","2026-01-05 10:00:00","","2026-01-05 10:00:15","15","0","NO_ANSWER","3","a-1","";` + "\n", FreeSWITCHCSVAsterisk, Options{}, "1: 1001>442079460000 account=north 2026-01-05T10:00:00Z - 2026-01-05T10:00:15Z 0 false a-1 - NO_ANSWER - freeswitch"},
		{"freeswitch csv as sql", `INSERT INTO cdr VALUES ("Ann","1001","442079460000","default","2026-01-05 10:00:00","2026-01-05 10:00:05","2026-01-05 10:00:15","15","10","NORMAL_CLEARING","a-1","b-1", "north");` + "\n", FreeSWITCHCSVSQL, Options{}, "1: 1001>442079460000 account=north 2026-01-05T10:00:00Z 2026-01-05T10:00:05Z 2026-01-05T10:00:15Z 10 true a-1 - NORMAL_CLEARING - freeswitch"},
		{"freeswitch csv for opencdrrate", `a-1,,inbound,1001,442079460000,2026-01-05 10:00:05,2026-01-05 10:00:15,10,north,,192.0.2.7,A,gw1` + "\n", FreeSWITCHCSVOpenCDRRate, Options{}, "1: 1001>442079460000 account=north 2026-01-05T10:00:05Z 2026-01-05T10:00:05Z 2026-01-05T10:00:15Z 10 true a-1 192.0.2.7 - - freeswitch"},
		{"asterisk, 16 columns", astRow + "\n", AsteriskCSV, Options{}, fmt.Sprintf(astCall, "-")},
		{"asterisk, 18 columns", astRow + `,"1767607200.1",""` + "\n", AsteriskCSV, Options{}, fmt.Sprintf(astCall, "1767607200.1#"+digest(astRow+`,"1767607200.1",""`))},
		{"asterisk, 21 columns", astRow + `,"1767607200.1","","peer","1767607200.1","7"` + "\n", AsteriskCSV, Options{}, fmt.Sprintf(astCall, "1767607200.1/7")},
		{"asterisk, 19 columns", astRow + `,"peer","1767607200.1","7"` + "\n", AsteriskCSV, Options{}, fmt.Sprintf(astCall, "-")},
		{"asterisk, 17 columns with the unique id", astRow + `,"1767607200.1"` + "\n", 0, Options{Format: AsteriskCSVUniqueID}, fmt.Sprintf(astCall, "1767607200.1#"+digest(astRow+`,"1767607200.1"`))},
		{"asterisk, 17 columns with the user field", astRow + `,"1767607200.1"` + "\n", 0, Options{Format: AsteriskCSVUserField}, fmt.Sprintf(astCall, "-")},
		{"asterisk, 20 columns with the unique id", astRow + `,"1767607200.1","peer","1767607200.1","7"` + "\n", 0, Options{Format: AsteriskCSVUniqueID}, fmt.Sprintf(astCall, "1767607200.1/7")},
		{"asterisk custom", `"""Ann"" <1001>","1001","442079460000","internal","c","d","Dial","x","2026-01-05 10:00:00","2026-01-05 10:00:05","2026-01-05 10:00:15","15","10","ANSWERED","DOCUMENTATION","north","1767607200.1","",7` + "\n", AsteriskCustom, Options{}, fmt.Sprintf(astCall, "1767607200.1/7")},
		{"asterisk json", `{"accountcode":"north","src":"1001","dst":"442079460000","start":"2026-01-05 10:00:00","answer":"2026-01-05 10:00:05","end":"2026-01-05 10:00:15","duration":15,"billsec":10,"disposition":"ANSWERED","uniqueid":"1767607200.1","sequence":7}`, AsteriskJSON, Options{}, fmt.Sprintf(astCall, "1767607200.1/7")},
		{"asterisk, a zone", astRow + "\n", AsteriskCSV, Options{Zone: mustZone(t, "+02:00")}, strings.NewReplacer("T10:", "T08:").Replace(fmt.Sprintf(astCall, "-"))},
		{"asterisk's table", "calldate,clid,src,dst,duration,billsec,disposition\n2026-01-05 10:00:00,\"Ann\" <1001>,1001,44,15,10,ANSWERED\n", AsteriskTable, Options{}, "2: 1001>44 2026-01-05T10:00:00Z - 2026-01-05T10:00:15Z 10 true - - ANSWERED - asterisk"},
		{"asterisk's table with lines that end in CR, days first", "calldate,src,dst,duration,billsec,disposition\r04/09/17 12:39,114,113,8,6,ANSWERED\r", AsteriskTable, Options{Dates: DayFirst}, "2: 114>113 2017-09-04T12:39:00Z - 2017-09-04T12:39:08Z 6 true - - ANSWERED - asterisk"},
		{"days or months first is not guessed", "calldate,src,dst,duration,billsec,disposition\n04/09/17 12:39,114,113,8,6,ANSWERED\n", AsteriskTable, Options{}, "2! start \"04/09/17 12:39\": want to be told the order of day, month and year: dmy or mdy"},
		{"kamailio, a dialog's CDR", `{"start_time":"2026-01-05 10:00:05","end_time":"2026-01-05 10:00:15","duration":"9.200000","callid":"x@y","caller":"sip:+1001@h","callee":"sip:+442079460000@h;user=phone"}`, Kamailio, Options{}, "1: 1001>442079460000 2026-01-05T10:00:05Z 2026-01-05T10:00:05Z 2026-01-05T10:00:15Z 10 true x@y - - - kamailio"},
		{"kamailio, transactions of a table", "id\tmethod\tfrom_tag\tto_tag\tcallid\tsip_code\tsip_reason\ttime\tsrc_ip\tdst_ouser\tsrc_user\tcdr_id\n1\tINVITE\ta\t\tx\t401\tUnauthorized\t2026-01-05 10:00:00\t192.0.2.7\t44\t1001\t0\n2\tINVITE\ta\tb\tx\t200\tOK\t2026-01-05 10:00:05\t192.0.2.7\t44\t1001\t0\n3\tBYE\tb\ta\tx\t200\tOK\t2026-01-05 10:00:15\t192.0.2.9\t44\t1001\t0\n4\tBYE\ta\tb\tx\t481\tno\t2026-01-05 10:00:25\t192.0.2.9\t44\t1001\t0\n5\tINVITE\ta\tb\ty\t200\tOK\t2026-01-05 10:00:05\t192.0.2.7\t44\t1001\t0\n6\tINVITE\ta\tb\tz\t486\tBusy\t2026-01-05 10:00:05\t192.0.2.7\t44\t1001\t0\n", Kamailio, Options{},
			"2- an INVITE that was asked for a password|4: 1001>44 2026-01-05T10:00:05Z 2026-01-05T10:00:05Z 2026-01-05T10:00:15Z 10 true x/a/b 192.0.2.7 - 200 kamailio|5- a BYE again|6! answered, and its BYE is not here: let the switch write CDRs of dialogs, or read INVITE and BYE together|7: 1001>44 2026-01-05T10:00:05Z - - 0 false z/a/b 192.0.2.7 - 486 kamailio"},
		{"kamailio, a BYE alone", `{"method":"BYE","callid":"x","from_tag":"a","to_tag":"b","sip_code":"200","time":1767607205}`, 0, Options{Format: Kamailio}, "1! a BYE without its INVITE: the call's start is not in this file"},
		{"opensips, a CDR event", `{"jsonrpc":"2.0","method":"E_ACC_CDR","params":{"method":"INVITE","from_tag":"a","to_tag":"b","callid":"x","sip_code":"200","sip_reason":"OK","time":1767607205,"duration":10,"ms_duration":9200,"setuptime":5,"created":1767607200,"caller":"1001","callee":"44"}}`, OpenSIPS, Options{}, "1: 1001>44 2026-01-05T10:00:00Z 2026-01-05T10:00:05Z 2026-01-05T10:00:14.2Z 10 true x/a/b - - 200 opensips"},
		{"opensips, a missed call", `{"method":"E_ACC_MISSED_EVENT","params":{"from_tag":"a","to_tag":"b","callid":"x","sip_code":"486","time":1767607205,"caller":"1001","callee":"44"}}`, OpenSIPS, Options{}, "1: 1001>44 2026-01-05T10:00:05Z - - 0 false x/a/b - - 486 opensips"},
		{"any csv with a map", "ID,ACCOUNT,DESTINATION,STARTDATE,ENDDATE,STATUS,COST\nc2,+3706,+3707,1594150929,1594150987,success,0.05\n", 0, Options{Format: CSV, Map: map[string]string{"ID": "call_id", "ACCOUNT": "src", "DESTINATION": "dst", "STARTDATE": "time_start", "ENDDATE": "time_end", "STATUS": "disposition"}}, "2: 3706>3707 2020-07-07T19:42:09Z 2020-07-07T19:42:09Z 2020-07-07T19:43:07Z - true c2 - success - import"},
		{"a csv without a header", "7;1001;44;20260105-100000;10\n", 0, Options{Format: CSV, Columns: []string{"call_id", "src", "dst", "time_start", "duration"}}, "1: 1001>44 2026-01-05T10:00:00Z - - 10 true 7 - - - import"},
		{"any json with a map", `[{"from":"1001","to":"44","at":"2026-01-05T10:00:00+02:00","secs":9.2,"vendor":"acme"}]`, 0, Options{Format: JSON, Map: map[string]string{"from": "src", "to": "dst", "at": "time_start", "secs": "duration", "vendor": "vendor_account"}}, "1: 1001>44 2026-01-05T08:00:00Z - - 10 true - - - - import"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.detected != 0 {
				if got, err := Detect(tt.in); got != tt.detected {
					t.Errorf("Detect = %v, %v, want %v", got, err, tt.detected)
				}
			}
			for _, in := range []io.Reader{strings.NewReader(tt.in), iotest.OneByteReader(strings.NewReader(tt.in))} {
				got, err := readCalls(t, in, tt.o)
				if err != nil || strings.Join(got, "|") != tt.want {
					t.Errorf("got  %v, %v\nwant %v", strings.Join(got, "|"), err, tt.want)
				}
			}
		})
	}
}

func mustZone(t *testing.T, offset string) *time.Location {
	t.Helper()
	at, err := time.Parse("-07:00", offset)
	if err != nil {
		t.Fatal(err)
	}
	return at.Location()
}
