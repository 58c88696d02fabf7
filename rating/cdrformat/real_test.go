package cdrformat

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"billd/rating"
)

// sums of a file: what its own provenance says a reader gets.
type sums struct {
	calls, answered, skipped, bad int
	billed                        int64 // seconds
}

// TestFilesOfRealSwitches reads files that switches wrote. They are not part of the project.
func TestFilesOfRealSwitches(t *testing.T) {
	west := time.FixedZone("", 3600)
	compact := []string{"call_id", "src", "dst", "-", "-", "-", "-", "-", "-", "time_start", "time_connect", "time_end", "-", "duration", "disposition", "-", "-"}
	freepbx := []string{"calldate", "clid", "src", "dst", "dcontext", "channel", "dstchannel", "lastapp", "lastdata", "duration", "billsec", "disposition", "amaflags", "accountcode", "uniqueid", "", "", "", "", "", "", "", "", "", ""}
	generic25 := map[string]string{"callid": "call_id", "caller_id_number": "src", "destination_number": "dst", "starting_date": "time_start", "billsec": "duration", "accountcode": "account", "duration": "-"}
	for _, tt := range []struct {
		file  string
		o     Options
		want  sums
		first string // the first call
	}{
		{"fs-json-2016-cancelled.json", Options{}, sums{calls: 1}, "1234>85595975802 2016-09-20T09:15:23"},
		{"fs-json-2022-inbound.json", Options{}, sums{calls: 1, answered: 1, billed: 3}, "85516234567>1294 2022-07-06"},
		{"fs-json-2021-leg-a.json", Options{}, sums{skipped: 1}, ""},
		{"fs-json-2021-leg-a.json", Options{Legs: LegsBoth}, sums{calls: 1, answered: 1, billed: 8}, "1294>0715100860 2021-06-27"},
		{"fs-json-2021-leg-b.json", Options{}, sums{calls: 1, answered: 1, billed: 5}, ""},
		{"fs-json-nan-mos.json", Options{}, sums{calls: 1, answered: 1, billed: 26}, "525550894262>69980528134193323"},
		{"fs-json-2018-raw-one-line.json", Options{}, sums{calls: 1, answered: 1, billed: 21}, "1001>1002 2018-03-14T11:09:18"},
		{"fs-csv-Master.csv", Options{}, sums{calls: 10, answered: 9, billed: 530}, "1002>& 2020-02-10T22:41:00"},
		{"asterisk-freepbx-25col.csv", Options{Format: AsteriskTable, Columns: freepbx, Dates: DayFirst, Zone: west}, sums{calls: 856, answered: 747, billed: 154112 - 7} /* two that failed have 2 and 5 billed seconds */, "105>*60 2017-09-01T15:33:01"},
		{"asterisk-freepbx-header-export.csv", Options{}, sums{calls: 100, answered: 88, billed: 699}, "114>113 2017-09-04T12:39:26"},
		{"asterisk-short-cr-line-ends.csv", Options{Dates: DayFirst}, sums{calls: 100, answered: 99, billed: 729}, "114>113 2017-09-04T12:39:00"},
		{"asterisk-custom-19col.csv", Options{}, sums{calls: 14, answered: 11, billed: 78}, "client1>6789 2023-07-26T01:51:32"},
		{"asterisk-18col-a2billing.csv", Options{}, sums{calls: 7, answered: 4, billed: 325}, "17186173500>01113474604646 2016-09-07T20:01:50"},
		{"asterisk-compact-dates.csv", Options{Format: CSV, Columns: compact}, sums{calls: 9, answered: 8, bad: 2, billed: -1}, "6041231234>4501231234 2007-11-01T11:40:11"},
		{"cdr-generic-25col.csv", Options{Format: CSV, Map: generic25}, sums{calls: 5, answered: 5, billed: 110}, "904151440>34798400122 2015-10-21T12:13:10"},
		{"cdr-generic-epoch.csv", Options{Format: CSV, Map: map[string]string{"ID": "call_id", "ACCOUNT": "src", "DESTINATION": "dst", "STARTDATE": "time_start", "ENDDATE": "time_end", "STATUS": "disposition", "COSTPERMINUTE": "-"}}, sums{calls: 10, answered: 8, billed: 938}, "37069123456>37069794444"},
		{"kamailio-acc.tsv", Options{}, sums{calls: 284, answered: 225, billed: 12179, skipped: -1}, ""},
	} {
		t.Run(tt.file, func(t *testing.T) {
			in, err := os.Open(filepath.Join("../../../shared/data", tt.file))
			if err != nil {
				t.Skipf("the file is not beside the project: %v", err)
			}
			defer in.Close()
			got, first, why := sumOf(t, in, tt.o)
			if tt.want.billed < 0 {
				got.billed = tt.want.billed
			}
			if tt.want.skipped < 0 {
				got.skipped = tt.want.skipped
			}
			if got != tt.want || !strings.HasPrefix(first, tt.first) {
				t.Errorf("read %+v, first %s, want %+v, first %s\n%s", got, first, tt.want, tt.first, why)
			}
		})
	}
}

// sumOf reads a file: its sums, its first call in words, and why records were bad.
func sumOf(t *testing.T, in io.Reader, o Options) (s sums, first, why string) {
	t.Helper()
	r, err := NewReader(in, o)
	if err != nil {
		t.Fatal(err)
	}
	var call rating.Call
	var rec Record
	for {
		if err := r.Read(&call, &rec); err == io.EOF {
			return s, first, why
		} else if err != nil {
			t.Fatal(err)
		}
		switch {
		case rec.Bad != "":
			s.bad++
			why += fmt.Sprintf("%d: %s\n", rec.Line, rec.Bad)
			continue
		case rec.Skipped != "":
			s.skipped++
			continue
		}
		if s.calls++; first == "" {
			first = call.Text(rating.CDRSrcPrefixRouting) + ">" + call.Text(rating.CDRDstPrefixRouting) + " " + call.Format(rating.CDRTimeStart)
		}
		talk := call.Int(rating.CDRDuration)
		if !call.Has(rating.CDRDuration) && call.Has(rating.CDRTimeConnect) {
			talk = call.Int(rating.CDRTimeEnd)/1_000_000 - call.Int(rating.CDRTimeConnect)/1_000_000
		}
		if call.Bool(rating.CDRSuccess) {
			s.answered++
			s.billed += talk
		}
	}
}
