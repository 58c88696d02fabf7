package cdrformat

import (
	"strings"
	"testing"

	"billd/rating"
)

func TestARecordIsCorrectedColumnByColumn(t *testing.T) {
	type set = map[string]string
	for _, tt := range []struct {
		name, raw string
		set       set
		dst, acc  string // of the call
		err       string
	}{
		{"members stay", `{"account":"7","dst":"44","duration":"long"}`, set{"duration": "60"}, "44", "7", ""},
		{"an alias takes the other's place", `{"account_id":"7","dst":"44"}`, set{"account": "8"}, "44", "8", ""},
		{"a column is taken away", `{"account":"7","dst":"44","src_prefix_in":"1"}`, set{"account": ""}, "44", "", ""},
		{"of what is no JSON nothing stays", `{"account":"7","dst":`, set{"dst": "49"}, "49", "", ""},
		{"nor of another value", `["44"]`, set{"dst": "49"}, "49", "", ""},
		{"another member is wrong too", `{"duration":"long","time_start":"soon"}`, set{"duration": "60"}, "", "", "time_start"},
		{"an unknown column", `{}`, set{"colour": "red"}, "", "", `"colour" is no column of a call record`},
		{"a column of an export", `{}`, set{"format": FormatBilld}, "", "", `"format" is no column of a call record`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var call rating.Call
			err := Correct(tt.raw, "test", tt.set, &call)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("Correct = %v, want %s", err, tt.err)
				}
				return
			}
			if err != nil || call.Text(rating.CDRDstPrefixRouting) != tt.dst || call.AccountRef != tt.acc || call.Text(rating.CDRSource) != "test" {
				t.Errorf("Correct = %v, dst %q, account %q, source %q, want nil, %q, %q, test", err, call.Text(rating.CDRDstPrefixRouting), call.AccountRef, call.Text(rating.CDRSource), tt.dst, tt.acc)
			}
		})
	}
}

func TestAnUnreadableRowKeepsItsColumnsNames(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"a bad cell", "Time Start,dst,colour\nsoon,\"4,4\",red\n", `{"colour":"red","dst":"4,4","header":"Time Start,dst,colour","record":"soon,\"4,4\",red","time_start":"soon"}`},
		{"too few cells", "time_start,dst\nsoon\n", `{"header":"time_start,dst","record":"soon"}`},
		{"an open quote", "time_start,dst\n\"soon,44\n", `{"header":"time_start,dst","record":"\"soon,44"}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := NewReader(strings.NewReader(tt.in), Options{Source: "test"})
			if err != nil {
				t.Fatal(err)
			}
			var call rating.Call
			var rec Record
			if err := r.Read(&call, &rec); err != nil || rec.Raw != tt.want || rec.Bad == "" {
				t.Errorf("raw = %q, %q, %v, want %q and a reason", rec.Raw, rec.Bad, err, tt.want)
			}
		})
	}
}
