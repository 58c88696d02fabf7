package cdrformat

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"billd/rating"
)

func TestDetectRefusesWhatIsChargedDifferently(t *testing.T) {
	row18 := astRow + `,"1767607200.1",""`
	for _, tt := range []struct{ name, in, want string }{
		{"17 columns", astRow + `,"1767607200.1"` + "\n", "17 columns, one of which is the unique id or the user field: say which, --format asterisk-csv-uniqueid or asterisk-csv-userfield"},
		{"20 columns", astRow + `,"x","p","l","7"` + "\n", "20 columns, one of which is the unique id or the user field: say which, --format asterisk-csv-uniqueid or asterisk-csv-userfield"},
		{"18 columns that end in neither switch's word", strings.Replace(row18, "ANSWERED", "DONE", 1) + "\n", "the columns fit more than one format: say which, --format freeswitch-csv-asterisk or asterisk-csv"},
		{"a transaction of either acc", `{"method":"INVITE","from_tag":"a","to_tag":"b","callid":"x","sip_code":"200","sip_reason":"OK","time":1767607205}`, "the columns are those of an acc module: say which, --format kamailio or opensips"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Detect(tt.in)
			var e *rating.Error
			if err == nil || err.Error() != tt.want || !errors.As(err, &e) || e.Rule != "ambiguous" && e.Field == "format" {
				t.Errorf("Detect = %v, %v, want %s", got, err, tt.want)
			}
			if _, err := NewReader(strings.NewReader(tt.in), Options{}); err == nil || err.Error() != tt.want {
				t.Errorf("NewReader = %v, want %s", err, tt.want)
			}
		})
	}
}

func TestWhatIsNoTextIsRefused(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"gzip", "\x1f\x8b\x08xxxx", "the file is compressed with gzip: unpack it first, zcat FILE | billd import-cdrs -"},
		{"a spreadsheet", "PK\x03\x04xxxx", "the file is a zip archive or a spreadsheet: want its text"},
		{"UTF-16", "\xff\xfet\x00i\x00", "the file is UTF-16: want UTF-8"},
		{"binary", "abc\x00\x01\x02", "the file is binary: want text"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, f := range []Format{Auto, AsteriskCSV, FreeSWITCHJSON, Kamailio} {
				if _, err := NewReader(strings.NewReader(tt.in), Options{Format: f}); err == nil || err.Error() != tt.want {
					t.Errorf("%v: %v, want %s", f, err, tt.want)
				}
			}
		})
	}
}

// TestADamagedRecordSaysWhyAndTheRestIsRead puts one damaged record between two sound ones.
func TestADamagedRecordSaysWhyAndTheRestIsRead(t *testing.T) {
	sound := astRow + `,"1767607200.1","","p","1767607200.1","7"`
	change := func(old, new string) string { return strings.Replace(sound, old, new, 1) }
	for _, tt := range []struct{ name, row, why string }{
		{"answered before it started", change("10:00:05", "09:00:05"), "answered at 2026-01-05T09:00:05Z, before the start at 2026-01-05T10:00:00Z"},
		{"ended before it was answered", change("10:00:15", "10:00:01"), "ended at 2026-01-05T10:00:01Z, before 2026-01-05T10:00:05Z"},
		{"a clock that was not set", change("2026-01-05 10:00:00", "1970-01-01 00:00:07"), `start "1970-01-01 00:00:07": want a year from 2000 to 2099: the switch's clock was not set`},
		{"a year that is none", change("2026-01-05 10:00:00", "2199-01-01 00:00:07"), `start "2199-01-01 00:00:07": want a year from 2000 to 2099: the switch's clock was not set`},
		{"a day that is none", change("2026-01-05 10:00:00", "2026-02-30 10:00:00"), `start "2026-02-30 10:00:00": want a time such as 2026-01-31 18:30:00, or unix seconds`},
		{"negative billed seconds", change(",15,10,", ",15,-10,"), `billsec "-10": want 0 seconds or more`},
		{"negative duration", change(",15,10,", ",-15,10,"), `duration "-15": want 0 seconds or more`},
		{"billed seconds in words", change(",15,10,", ",15,ten,"), `billsec "ten": want seconds`},
		{"billed, and how it ended is unknown", change("ANSWERED", "REPONDU"), `disposition "REPONDU": want ANSWERED, NO ANSWER, BUSY, FAILED, CONGESTION or CANCEL on a call with billed seconds`},
		{"no start", change(`"2026-01-05 10:00:00"`, ""), "the record does not say when the call started"},
		{"a number in another encoding", change("442079460000", "44\xe9\xe8"), `dst_prefix_in "44\xe9\xe8" is not UTF-8 text`},
		{"a quote that nothing closes", change(`"north"`, `"north`), ""},
		{"cut off in a cell", sound[:120], "a quote is not closed, or text follows it, and the columns cannot be counted"},
		{"cut off behind a cell", sound[:strings.Index(sound, `,15,10`)], "12 columns: want 16, 18, 19 or 21"},
		{"a column lost", change(`"1001",`, ""), "20 columns, one of which is the unique id or the user field: say which, --format asterisk-csv-uniqueid or asterisk-csv-userfield"},
		{"binary", "\x01\x02\x03" + sound, "the line holds binary data"},
		{"a line of 3 MB", strings.Repeat("x", 3<<20), "the record is longer than 64 KiB"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := readCalls(t, strings.NewReader(sound+"\n"+tt.row+"\n"+sound+"\n"), Options{Format: AsteriskCSV})
			if err != nil || len(got) != 3 || !strings.HasPrefix(got[0], "1: ") || !strings.HasPrefix(got[1], "2! "+tt.why) || !strings.HasPrefix(got[2], "3: ") {
				t.Errorf("got %q, %v, want 2! %s", got, err, tt.why)
			}
		})
	}
}

func TestDamagedJSONSaysWhyAndTheRestIsRead(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"cut off in the middle of a file", fsJSON[:400] + "\n" + fsJSON + "\n", "1! the record is not valid JSON|2" + fsCall[1:]},
		{"cut off at the end", fsJSON + "\n" + fsJSON[:400], fsCall + "|2! the record is cut off: the file ends inside it"},
		{"over many lines, cut off", strings.ReplaceAll(fsJSON, `,"`, ",\n \"")[:400] + "\n" + fsJSON, "1! the record is not valid JSON|16" + fsCall[1:]},
		{"answered before it started", strings.Replace(fsJSON, "1767607205900000", "1767600000000000", 1), "1! answered at 2026-01-05T08:00:00Z, before the start at 2026-01-05T10:00:00.1Z"},
		{"a clock that was not set", strings.Replace(fsJSON, "1767607200100000", "100000", 1), `1! start "100000": want a year from 2000 to 2099: the switch's clock was not set`},
		{"no time at all", `{"core-uuid":"c","variables":{"uuid":"a"}}`, "1! the record does not say when the call started"},
		{"an object of 2 MB", `{"core-uuid":"c","variables":{"x":"` + strings.Repeat("y", 2<<20) + `"}}` + "\n" + fsJSON, "1! the record is longer than 64 KiB|2" + fsCall[1:]},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := readCalls(t, strings.NewReader(tt.in), Options{Format: FreeSWITCHJSON})
			if all := strings.Join(got, "|"); err != nil || !strings.HasPrefix(all, tt.want) {
				t.Errorf("got %v, %v\nwant %s", all, err, tt.want)
			}
		})
	}
}

// endless is a file of n bytes without a line end.
type endless struct{ n int }

func (e *endless) Read(b []byte) (int, error) {
	if e.n <= 0 {
		return 0, io.EOF
	}
	n := 0
	for most := min(len(b), e.n); n < most; {
		n += copy(b[n:most], xes)
	}
	e.n -= n
	return n, nil
}

var xes = strings.Repeat("x", 64<<10)

func TestAHugeLineIsReadInBoundedMemory(t *testing.T) {
	for _, tt := range []struct {
		f    Format
		head string
	}{{AsteriskCSV, ""}, {FreeSWITCHJSON, "{"}, {FreeSWITCHJSON, `{"variables":{"x":"`}, {FreeSWITCHXML, "<cdr>"}, {Kamailio, "{\"x\":\""}, {JSON, `{"x":"`}} {
		t.Run(fmt.Sprint(tt.f, " ", tt.head), func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			r, err := NewReader(io.MultiReader(strings.NewReader(tt.head), &endless{24 << 20}), Options{Format: tt.f})
			if err != nil {
				t.Fatal(err)
			}
			var call rating.Call
			var rec Record
			most := uint64(0)
			for n := 0; ; n++ {
				err := r.Read(&call, &rec)
				if err == io.EOF {
					break
				}
				if err != nil || rec.Bad == "" || len(rec.Raw) > MaxRecord {
					t.Fatalf("record %d: %v, bad %q, %d bytes kept", n, err, rec.Bad, len(rec.Raw))
				}
				runtime.ReadMemStats(&after)
				most = max(most, after.HeapAlloc)
			}
			if most > before.HeapAlloc+64<<20 {
				t.Errorf("%d MB of memory at most, want less than 64", (most-before.HeapAlloc)>>20)
			}
		})
	}
}

// TestAnUnreadableRecordCanBeCorrected corrects what was kept of records as suspense does.
func TestAnUnreadableRecordCanBeCorrected(t *testing.T) {
	bad := strings.Replace(astRow, ",15,10,", ",15,-10,", 1)
	r, err := NewReader(strings.NewReader(bad), Options{Format: AsteriskCSV})
	if err != nil {
		t.Fatal(err)
	}
	var call rating.Call
	var rec Record
	if err := r.Read(&call, &rec); err != nil || rec.Bad == "" || !strings.Contains(rec.Raw, "DOCUMENTATION") {
		t.Fatalf("Read = %v, %+v", err, rec)
	}
	call.Reset()
	if err := Correct(rec.Raw, "asterisk", map[string]string{"duration": "10"}, &call); err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprint(call.AccountRef, call.Text(rating.CDRDstPrefixRouting), call.Format(rating.CDRTimeStart), call.Int(rating.CDRDuration))
	if want := fmt.Sprint("north", "442079460000", "2026-01-05T10:00:00Z", 10); got != want {
		t.Errorf("corrected = %s, want %s", got, want)
	}
}

func TestABodyIsReadByItsLook(t *testing.T) {
	for _, tt := range []struct{ name, body, want string }{
		{"raw", fsJSON, fsCall},
		{"form", "cdr=" + strings.NewReplacer("%", "%25", "{", "%7B", "}", "%7D", `"`, "%22", ":", "%3A", "+", "%2B", "@", "%40", "[", "%5B", "]", "%5D", " ", "%20").Replace(fsJSON), fsCall},
		{"plain form", "cdr=" + fsJSON, fsCall},
		{"xml", "cdr=" + fsXML, "2" + fsCall[1:]},
		{"nonsense", "hello", "0! the body is neither JSON nor XML, encoded or not"},
		{"cut off", fsJSON[:99], "1! the record is cut off: the file ends inside it"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			err := ReadBody(tt.body, Options{Format: FreeSWITCHJSON}, func(call *rating.Call, rec Record) error {
				got = append(got, spellRecord(call, &rec))
				return nil
			})
			if all := strings.Join(got, "|"); err != nil || strings.TrimLeft(all, "12") != strings.TrimLeft(tt.want, "12") {
				t.Errorf("got %s, %v\nwant %s", all, err, tt.want)
			}
		})
	}
}

// FuzzSwitchFiles reads anything as every format: it must end, keep within a record's length and never say
// a call twice as long as its columns allow.
func FuzzSwitchFiles(f *testing.F) {
	for _, s := range []string{fsJSON, fsXML, astRow + "\n", "calldate,src,dst,duration,billsec,disposition\r04/09/17 12:39,114,113,8,6,ANSWERED\r", "method,callid,from_tag,to_tag,sip_code,time\nINVITE,a,b,c,200,2026-01-05 10:00:00\nBYE,a,c,b,200,2026-01-05 10:00:09\n", "INSERT INTO cdr VALUES (\"a\");", "cdr=%7B%7D", "e30="} {
		for format := range formats {
			f.Add(uint8(format), []byte(s))
		}
	}
	f.Fuzz(func(t *testing.T, format uint8, in []byte) {
		o := Options{Format: Format(int(format) % len(formats))}
		r, err := NewReader(bytes.NewReader(in), o)
		if err != nil {
			return
		}
		var call rating.Call
		var rec Record
		for n := 0; n <= 2*len(in)+2; n++ {
			if err := r.Read(&call, &rec); err != nil {
				return
			}
			if len(rec.Raw) > MaxRecord {
				t.Fatalf("%d bytes kept", len(rec.Raw))
			}
			if rec.Bad == "" && rec.Skipped == "" && r.judge != nil && (call.Int(rating.CDRDuration) < 0 || call.Int(rating.CDRTimeStart) < 0) {
				t.Fatalf("%v: duration %d, start %s", o.Format, call.Int(rating.CDRDuration), call.Format(rating.CDRTimeStart))
			}
		}
		t.Fatalf("%v: %d bytes do not end", o.Format, len(in))
	})
}
