package cdrformat

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"billd/rating"
)

// read reads a whole file: each record as "line: dst duration", or "line! why".
func read(t testing.TB, in io.Reader, o Options) (records []string, err error) {
	t.Helper()
	r, err := NewReader(in, o)
	if err != nil {
		return nil, err
	}
	var call rating.Call
	var rec Record
	for {
		err := r.Read(&call, &rec)
		switch {
		case err == io.EOF:
			return records, nil
		case err != nil:
			return records, err
		case rec.Bad != "":
			records = append(records, fmt.Sprintf("%d! %s", rec.Line, rec.Bad))
		default:
			records = append(records, fmt.Sprintf("%d: %s %d", rec.Line, call.Text(rating.CDRDstPrefixRouting), call.Int(rating.CDRDuration)))
		}
	}
}

func TestReaderReadsEveryForm(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		want     []string
	}{
		{"csv", "time_start,dst,duration\n2026-01-01T00:00:00Z,44,5\n\n2026-01-01T00:00:00Z,45,6\n", []string{"2: 44 5", "4: 45 6"}},
		{"csv with semicolons, a mark, line ends of Windows and no last one", "\ufeffTime Start;Dst;Duration\r\n2026-01-01 00:00:00;44;5\r\n2026-01-01 00:00:00;45;6", []string{"2: 44 5", "3: 45 6"}},
		{"csv with quotes", "time_start,dst,local_tag,duration\n0,44,\"a,\"\"b\nc\",5\n0,\"45\",x,6\n", []string{"2: 44 5", "4: 45 6"}},
		{"a quote that nothing closes spoils its line only", "time_start,dst,duration\n0,\"44,5\n0,45,6\n", []string{"2! a quote is not closed, or text follows it", "3: 45 6"}},
		{"a quote inside a cell is text", "time_start,dst,local_tag,duration\n0,44,5\" cable,5\n0,45,x,6\n", []string{"2: 44 5", "3: 45 6"}},
		{"rows with a wrong number of columns", "time_start,dst,duration\n0,44\n0,44,5,\n0,44,5,x\n", []string{"2! 2 columns, the header has 3", "3: 44 5", "4! more than the header's 3 columns: something in column 4"}},
		{"a bad value", "time_start,dst,duration\n0,44,x\n", []string{`2! duration "x": want a whole number`}},
		{"json lines", "{\"dst\":\"44\",\"duration\":5}\n\n{\"dst\":45,\"duration\":\"6\"}", []string{"1: 44 5", "3: 45 6"}},
		{"json, a broken line in between", "{\"dst\":\"44\",\"duration\":5}\n{\"dst\":\n{\"dst\":45,\"duration\":6}\n", []string{"1: 44 5", "2! the record is not valid JSON", "3: 45 6"}},
		{"json, one object over many lines", "{\n \"dst\": \"44\",\n \"duration\": 5\n}\n{\"dst\":\"45\",\"duration\":6}", []string{"1: 44 5", "5: 45 6"}},
		{"a json array", ` [ {"dst":"44","duration":5} , 7, {"dst":"45","duration":6,"x":{"y":[1,"]"]}}]` + "\n", []string{"1: 44 5", "2! the record is not a JSON object", "3: 45 6"}},
		{"a json array with a broken element", `[{"dst":"44","duration":5},{"dst":tru},{"dst":"45","duration":6}]`, []string{"1: 44 5", "2! the record is not valid JSON", "3: 45 6"}},
		{"an array under cdrs", `{"cdrs":[{"dst":"44","duration":5},{"dst":"45","duration":6}]}`, []string{"1: 44 5", "2: 45 6"}},
		{"an empty array", `[]`, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, in := range []io.Reader{strings.NewReader(tt.in), iotest.OneByteReader(strings.NewReader(tt.in))} {
				got, err := read(t, in, Options{})
				if err != nil || strings.Join(got, "|") != strings.Join(tt.want, "|") {
					t.Errorf("read = %q, %v, want %q", got, err, tt.want)
				}
			}
		})
	}
}

func TestReaderAcrossWindows(t *testing.T) {
	const n = 60_000
	for _, tt := range []struct{ name, head, row, between, end string }{
		{"csv", "time_start,dst,local_tag,duration\n", "0,44,\"x\ny\",5", "\n", "\n"},
		{"lines", "", `{"dst":"44","duration":5,"local_tag":"\ud83d\ude00 and more"}`, "\n", "\n"},
		{"array", "[", `{"dst":"44","duration":5,"local_tag":"\ud83d\ude00 and more"}`, ",\n", "]"},
		{"one long line", "", `{"dst":"44","duration":5,"local_tag":"\ud83d\ude00 and more"}`, " ", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := read(t, strings.NewReader(tt.head+strings.Repeat(tt.row+tt.between, n-1)+tt.row+tt.end), Options{})
			if err != nil || len(got) != n {
				t.Fatalf("read %d records, %v, want %d", len(got), err, n)
			}
			for i, rec := range got {
				if !strings.HasSuffix(rec, ": 44 5") {
					t.Fatalf("record %d = %q", i, rec)
				}
			}
		})
	}
}

func TestReaderRefusesWhatIsNoFileOfCalls(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		format   Format
		want     string
	}{
		{"an empty file", " \n", Auto, "the file is empty: want call records as CSV with a header, or JSON"},
		{"a CSV without the start", "dst,duration\n44,5\n", Auto, "line 1: no column time_start: want a header with the names of CDR columns, or to be told the format, or by a map what the columns are"},
		{"two columns of one meaning", "time_start,dst,account,account_id\n", Auto, "columns account and account_id say the same"},
		{"CSV for JSON", "time_start\n", JSON, "the file is not JSON: want objects, one a line or in an array"},
		{"an array that ends early", `[{"dst":"44"}`, Auto, "after record 1: the file is not JSON from there on"},
		{"text behind an array", `[{"dst":"44"}] x`, Auto, "after record 1: the file is not JSON from there on"},
		{"elements without a comma", `[{"dst":"44"} {"dst":"45"}]`, Auto, "after record 1: the file is not JSON from there on"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := read(t, strings.NewReader(tt.in), Options{Format: tt.format})
			if err == nil || err.Error() != tt.want {
				t.Errorf("read = %q, %v, want %q", got, err, tt.want)
			}
		})
	}
}

func TestParseJSONIsStrict(t *testing.T) {
	for _, s := range []string{`{"a":01}`, `{"a":1.}`, `{"a":+1}`, `{"a":nul}`, `{"a":"\x"}`, `{"a":"\u12"}`, "{\"a\":\"\n\"}", `{"a":1,}`, `{,}`, `{"a"}`, `{"a":[1,]}`, `{"a":1}}`, `{"a":1e}`, strings.Repeat(`{"a":`, 100) + "1" + strings.Repeat("}", 100), ""} {
		var call rating.Call
		if err := ParseJSON(s, "x", &call); err == nil {
			t.Errorf("ParseJSON(%.40q) took it", s)
		}
	}
}

func TestRoundTripOfAnExport(t *testing.T) {
	var c rating.Call
	c.ID, c.Origin, c.Status, c.Revision = rating.MakeCDRID(1_790_000_000_123, 7), rating.History, rating.Free, 3
	for f := range rating.CDRField(rating.NumCDRFields) {
		switch f.Kind() {
		case rating.KindText:
			c.SetText(f, "a,\"b\"\n\\ü\x01 "+f.Name())
		case rating.KindInet:
			c.SetText(f, "2001:db8::1")
		case rating.KindUUID:
			c.SetText(f, "123e4567-e89b-12d3-a456-426614174000")
		case rating.KindInts:
			c.SetText(f, "[1, -2]")
		case rating.KindJSON:
			c.SetText(f, "{\"a\":\n[\"b,\\\"\"]}")
		case rating.KindBool:
			c.SetBool(f, true)
		default:
			c.SetInt(f, -1_234_567-int64(f))
		}
	}
	e := Export{CDR: &c.CDR, Store: [6]byte{1, 2, 3, 4, 5, 0xff}, UUID: c.Text(rating.CDRUUID), Content: 1<<63 + 5, Account: "123e4567-e89b-12d3-a456-426614174001", Vendor: "123e4567-e89b-12d3-a456-426614174002"}
	for _, format := range []Format{CSV, JSON} {
		var b strings.Builder
		w := NewWriter(&b, format)
		for range 3 {
			if err := w.Write(&e); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		r, err := NewReader(strings.NewReader(b.String()), Options{})
		if err != nil {
			t.Fatal(err)
		}
		var got rating.Call
		var rec Record
		for n := range 3 {
			if err := r.Read(&got, &rec); err != nil || rec.Bad != "" {
				t.Fatalf("format %d: record %d: %v, %s", format, n, err, rec.Bad)
			}
			x := got.Exported
			if x.ID != c.ID || x.Origin != c.Origin || x.Revision != 3 || x.Content != e.Content || x.Store != e.Store || got.AccountRef != e.Account || got.VendorRef != e.Vendor {
				t.Errorf("format %d: export says %+v", format, x)
			}
			got.ID, got.Origin, got.Revision = x.ID, x.Origin, x.Revision
			if got.CDR != c.CDR {
				t.Errorf("format %d: the call that comes back differs", format)
			}
		}
	}
}

func FuzzReader(f *testing.F) {
	for _, s := range []string{"time_start,dst\n0,44\n", "{\"dst\":\"44\"}\n{", "[{\"dst\":1},2]", "{\"cdrs\":[]}", "time_start;dst\n\"a\"\"b;\n\"", "{\"format\":\"billd/1\",\"id\":1}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		whole, err := read(t, strings.NewReader(s), Options{})
		pieces, perr := read(t, iotest.OneByteReader(strings.NewReader(s)), Options{})
		if strings.Join(whole, "|") != strings.Join(pieces, "|") || (err == nil) != (perr == nil) {
			t.Errorf("whole %q %v, in pieces %q %v", whole, err, pieces, perr)
		}
	})
}

func BenchmarkParseJSON(b *testing.B) {
	line := `{"time_start":"2026-09-21T14:13:20.388Z","time_connect":"2026-09-21T14:13:24.581Z","time_end":"2026-09-21T14:14:24.581Z","duration":60,"success":true,"account":"811","src":"49309522600","dst":"23084437367","call_id":"93e2622abc090f20@sw1","local_tag":"trunk5","lega_disconnect_code":486}`
	var call rating.Call
	b.ReportAllocs()
	for b.Loop() {
		call.Reset()
		if err := ParseJSON(line, "bench", &call); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "cdr/s")
}
