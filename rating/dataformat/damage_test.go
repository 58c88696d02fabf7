package dataformat

import (
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"billd/rating"
)

// forms are how a file writes sessions: what stands before the first, one that is n, and what stands between.
var forms = []struct {
	name, head, between string
	row                 func(n int) string
}{
	{"JSON, one a line", "", "\n", func(n int) string {
		return fmt.Sprintf(`{"source":"bras1","session":"s%d","user":"zoë","status":"stop","time":"2026-11-21T14:32:10Z","input_octets":5,"output_octets":7}`, n)
	}},
	{"rlm_rest, one a line", "", "\n", func(n int) string {
		return fmt.Sprintf(`{"NAS-Identifier":{"type":"string","value":["bras1"]},"Acct-Session-Id":{"type":"string","value":["s%d"]},"User-Name":{"type":"string","value":["zoë"]},"Acct-Status-Type":{"type":"integer","value":["Stop"]},"Event-Timestamp":{"type":"date","value":["Nov 21 2026 14:32:10 UTC"]}}`, n)
	}},
	{"rows of radacct", "acctsessionid,username,nasipaddress,acctstarttime,acctstoptime,acctsessiontime,acctinputoctets\n", "\n", func(n int) string {
		return fmt.Sprintf(`s%d,zoë,192.0.2.1,2026-11-21 14:32:10,2026-11-21 15:32:10,3600,5`, n)
	}},
}

// sessions are the sound sessions of a file, and how many reasons it gives for others.
func sessions(t *testing.T, in io.Reader) (sound string, reasons int, err error) {
	t.Helper()
	err = Each(in, Options{}, func(line int, list []rating.DataRecord, err error) error {
		if err != nil && (line < 1 || err.Error() == "") {
			t.Errorf("line %d: %v is no reason", line, err)
		}
		if err != nil {
			reasons++
		}
		for _, r := range list {
			if r.Damage != "" {
				reasons++
			} else if r.Status == rating.DataStop {
				sound += r.Session + " "
			}
		}
		return nil
	})
	return sound, reasons, err
}

// TestDamageBetweenSessionsSpoilsNoOther puts each damage between two sound sessions of each form.
func TestDamageBetweenSessionsSpoilsNoOther(t *testing.T) {
	for _, f := range forms {
		row := f.row(2)
		mid := len(row) / 2
		damages := map[string]string{
			"noise": "\x00\xfe\x01\xff\x80", "noise inside": row[:mid] + "\x00\xfe\x01\xff" + row[mid:], "zero bytes": strings.Repeat("\x00", 4096),
			"UTF-16": strings.Join(strings.Split(row, ""), "\x00"), "a line of 3 MB": row[:mid] + strings.Repeat("y", 3<<20) + row[mid:],
			"10,000 columns": strings.Repeat("a,", 10_000), "10,000 quotes": strings.Repeat(`"`, 10_001), "an empty object": "{}", "a list": "[1,2]",
			"a year that is none": strings.ReplaceAll(row, "2026", "20266"), "a negative counter": strings.NewReplacer(`octets":5`, `octets":-5`, ",3600,5", ",-3600,5").Replace(row),
		}
		for n := 1; n < 10; n++ {
			damages[fmt.Sprintf("cut at %d of 10", n)] = row[:len(row)*n/10]
		}
		damages["cut inside a character"] = row[:strings.Index(row, "zo")+3]
		for name, damage := range damages {
			if damage == row {
				continue
			}
			t.Run(f.name+"/"+name, func(t *testing.T) {
				sound, reasons, err := sessions(t, strings.NewReader(f.head+f.row(1)+f.between+damage+f.between+f.row(3)+f.between))
				if err != nil || sound != "s1 s3 " || reasons == 0 {
					t.Errorf("sound %q, %d reasons, %v, want s1 and s3 and a reason", sound, reasons, err)
				}
				sound, reasons, err = sessions(t, strings.NewReader(f.head+f.row(1)+f.between+damage))
				if err != nil || sound != "s1 " || reasons == 0 {
					t.Errorf("at the end: sound %q, %d reasons, %v, want s1 and a reason", sound, reasons, err)
				}
			})
		}
	}
}

// letters are n bytes of a letter.
type letters struct{ n int }

func (l *letters) Read(p []byte) (int, error) {
	if l.n <= 0 {
		return 0, io.EOF
	}
	n := 0
	for most := min(len(p), l.n); n < most; {
		n += copy(p[n:most], letterRow)
	}
	l.n -= n
	return n, nil
}

var letterRow = strings.Repeat("y", 64<<10)

func TestObjectsOverSeveralLinesAreNotCut(t *testing.T) {
	text := `{
  "source":"bras1","session":"s1","user":"u","status":
{"type":"integer","value":["Stop"]},
  "time":"2026-11-21T14:32:10Z"
}
{"sessions":[
{"source":"bras1","session":"s2","user":"u","status":"stop","time":"2026-11-21T14:32:10Z"},
{"source":"bras1","session":"s3","user":"u","status":"stop","time":"2026-11-21T14:32:10Z"}
]}
{
  "source":"bras1","session":"s4",
{"source":"bras1","session":"s5","user":"u","status":"stop","time":"2026-11-21T14:32:10Z"}
`
	if sound, reasons, err := sessions(t, strings.NewReader(text)); err != nil || sound != "s1 s2 s3 s5 " || reasons != 1 {
		t.Errorf("sound %q, %d reasons, %v, want all but the fourth", sound, reasons, err)
	}
}

func TestASessionOfAGigabyteIsPassedOverInBoundedMemory(t *testing.T) {
	for i, f := range forms {
		size := 32 << 20
		if i == 0 && !testing.Short() {
			size = 1 << 30
		}
		row := f.row(2)
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		sound, reasons, err := sessions(t, io.MultiReader(strings.NewReader(f.head+f.row(1)+"\n"+row[:len(row)/2]), &letters{size}, strings.NewReader(row[len(row)/2:]+"\n"+f.row(3)+"\n")))
		runtime.ReadMemStats(&after)
		if err != nil || sound != "s1 s3 " || reasons != 1 {
			t.Errorf("%s: sound %q, %d reasons, %v, want s1 and s3 and one reason", f.name, sound, reasons, err)
		}
		if grown := int64(after.Sys) - int64(before.Sys); grown > 48<<20 {
			t.Errorf("%s: memory grew by %d MB", f.name, grown>>20)
		}
	}
}

func TestFilesThatHoldNoSessionsSayWhy(t *testing.T) {
	wide := func(s string) string { return strings.Join(strings.Split(s, ""), "\x00") + "\x00" }
	for _, f := range forms {
		whole := f.head + f.row(1) + "\n"
		for name, in := range map[string]string{"nothing": "", "a mark": "\xef\xbb\xbf", "UTF-16": "\xff\xfe" + wide(whole), "UTF-16 without a mark": wide(whole), "gzip": "\x1f\x8b\x08\x00" + whole, "zip": "PK\x03\x04" + whole} {
			if sound, reasons, err := sessions(t, strings.NewReader(in)); sound != "" || err == nil && reasons == 0 {
				t.Errorf("%s of %s: sound %q, %d reasons, %v, want why it holds none", name, f.name, sound, reasons, err)
			}
		}
		if sound, reasons, err := sessions(t, strings.NewReader(strings.ReplaceAll(whole+f.row(2)+"\n", "\n", "\r"))); sound != "s1 s2 " || reasons != 0 || err != nil {
			t.Errorf("%s with carriage returns: sound %q, %d reasons, %v, want s1 and s2", f.name, sound, reasons, err)
		}
	}
}
