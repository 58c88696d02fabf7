package ops

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"

	"billd/rating"
	"billd/rating/deckcsv"
)

// listText reads a price list and says what it gave.
func listText(t *testing.T, in io.Reader) string {
	t.Helper()
	rd, err := openList(in, "", deckcsv.Options{})
	if err != nil {
		return err.Error()
	}
	defer rd.Close()
	var b strings.Builder
	for {
		row, reject, err := rd.Next()
		if errors.Is(err, io.EOF) {
			return strings.TrimSpace(b.String())
		}
		if err != nil {
			return b.String() + err.Error()
		}
		if reject != nil {
			fmt.Fprintf(&b, "%d: %s\n", reject.Line, reject.Reason)
			continue
		}
		fmt.Fprintf(&b, "%s %s %d/%d %s\n", row.Prefix, row.Terms.First.Price, row.Terms.First.Seconds, row.Terms.Next.Seconds, row.Name)
	}
}

func TestRatesInJSONAsOthersKeepThem(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"Kazoo's document of patterns", `{"US48":{"direction":["inbound","outbound"],"rate_cost":0.01,"rate_increment":60,"rate_minimum":60,"options":{"a":1},"routes":["^\\+1([2-7]\\d\\d)\\d{7}$","^1(9,8)$"],"weight":100},"Emergency":{"rate_cost":0,"routes":["^911$"]},"_id":"rates"}`,
			"2: prefix \"^\\\\+1([2-7]\\\\d\\\\d)\\\\d{7}$ ^1(9,8)$\" is a pattern, not a prefix\n3: prefix \"^911$\" is a pattern, not a prefix"},
		{"Kazoo's list", `{"page_size":2,"data":[{"prefix":"44","rate_cost":0.1,"rate_minimum":60,"rate_increment":6,"rate_name":"UK"},{"prefix":"49","rate_cost":1.5e-1}],"status":"success"}`, "44 0.1 60/6 UK\n49 0.15 60/60"},
		{"PortSIP's list", `[{"id":"x","prefix":"44","price_1":0.1,"price_n":0.1,"interval_1":60,"interval_n":6,"description":"UK"}]`, "44 0.1 60/6 UK"},
		{"Yeti's resources", `{"data":[{"id":"1","type":"destinations","attributes":{"prefix":"44","initial-rate":"0.1","next-rate":"0.1","initial-interval":60,"next-interval":6,"enabled":true},"relationships":{"a":{}}}]}`, "44 0.1 60/6"},
		{"no rates", `{"data":[]}`, "the JSON document has no rates"},
		{"no objects", `[1]`, "record 1: want an object"},
		{"cut short", `[{"prefix":"44","price":"0.1"},{"prefix":`, "record 2: the document ends too early"},
		{"binary", "[{\"prefix\":\"\x00\x01\"}]", "record 1: invalid character '\\x00' in string literal"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := listText(t, strings.NewReader(tt.text)); got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

func TestPublishedKazooDocument(t *testing.T) {
	f, err := os.Open("../../../shared/data/deck-kazoo-routes.json")
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("the collection of published price lists is not here")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got := listText(t, f); strings.Count(got, "is a pattern, not a prefix") != 2 || strings.Count(got, "\n") != 1 {
		t.Errorf("got\n%s\nwant two patterns refused", got)
	}
}

// endless gives its text again and again.
type endless struct {
	text string
	left int64
}

func (e *endless) Read(p []byte) (int, error) {
	if e.left <= 0 {
		return 0, io.EOF
	}
	n := 0
	for n < len(p) {
		n += copy(p[n:], e.text)
	}
	e.left -= int64(n)
	return n, nil
}

func TestALineOfAGigabyteTakesNoMoreMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("reads a gigabyte")
	}
	for i, tt := range []struct{ name, begin, text, end, want string }{
		{"in the middle of CSV", "prefix,name,price\n44,UK,0.1\n45,", "x", ",1\n46,Z,0.2\n", "44 0.1 60/60 UK\n3: longer than 1048576 bytes\n46 0.2 60/60 Z"},
		{"in place of the header", "", "x", "\nprefix,price\n", "no columns: no line has a comma, semicolon, tab or bar"},
		{"a quote never closed", "prefix,name,price\n44,\"", "x", "\n46,Z,0.2\n", "2: longer than 1048576 bytes\n46 0.2 60/60 Z"},
		{"a member of JSON", `[{"prefix":"44","price":"0.1"},{"prefix":"`, "4", `"}]`, "record 2: longer than 1048576 bytes"},
		{"an own export in JSON", `[{"format":"billd/1","prefix":"`, "4", `"}]`, "record 1: longer than 1048576 bytes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			size := int64(1 << 30)
			if i > 0 { // shows as much in less time
				size = 96 << 20
			}
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			got := listText(t, io.MultiReader(strings.NewReader(tt.begin), &endless{tt.text, size}, strings.NewReader(tt.end)))
			runtime.ReadMemStats(&after)
			if got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
			if grown := int64(after.Sys) - int64(before.Sys); grown > 64<<20 {
				t.Errorf("memory grew by %d MB", grown>>20)
			}
		})
	}
}

func TestDamagedLists(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"cut inside a line", "prefix,name,price\n44,UK,0.1\n45,Den", "44 0.1 60/60 UK\n3: no price"},
		{"cut inside a quote", "prefix,name,price\n44,UK,0.1\n45,\"Den", "44 0.1 60/60 UK\n3: a quote is opened and never closed"},
		{"bytes of nothing in the middle", "prefix,name,price\n44,UK,0.1\n" + strings.Repeat(" ", 600<<10) + "\n4\x005,\xff\xfe,0.2\n46,Z,0.3\n", "44 0.1 60/60 UK\n4: prefix \"4\\x005\": want digits\n46 0.3 60/60 Z"},
		{"a picture", "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "not a text file: it holds zero bytes"},
		{"negative prices", "prefix,price,connect fee\n44,-0.1,0\n45,0.1,-1\n46,(0.1),0\n47,0.1,0\n", "2: price -0.1 is negative\n3: connect_fee -1 is negative\n4: price \"(0.1)\" is not a number\n47 0.1 60/60"},
		{"dates of other centuries", "prefix,price,effective date\n44,0.1,1970-01-02\n45,0.1,2099-01-01\n46,0.1,0000-00-00\n47,0.1,2026-01-31\n", "2: valid from 1970-01-02: want 1990 or later\n3: valid from 2099-01-01: want 2079 or earlier\n4: date \"0000-00-00\" is not one that billd reads; best is 2006-01-31\n47 0.1 60/60"},
		{"an old spreadsheet", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old spreadsheet (XLS) or one with a password; want XLSX or CSV: save it as one of them"},
		{"an archive cut short", "PK\x03\x04\x14\x00", "the workbook is damaged: it is cut short, or no archive"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := listText(t, strings.NewReader(tt.text)); got != tt.want {
				t.Errorf("got\n%q\nwant\n%q", got, tt.want)
			}
		})
	}
}

// FuzzOpenList checks that no file, of whatever format, makes reading a list panic or go on for ever, and
// that what is refused is told.
func FuzzOpenList(f *testing.F) {
	for _, s := range []string{"prefix,price\n44,0.1\n", `{"a":{"routes":["1"],"rate_cost":1}}`, `{"data":[{"attributes":{"prefix":"1","price":"2"}}]}`, "PK\x03\x04", `[{"format":"billd/1","prefix":"1"}]`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		rd, err := openList(bytes.NewReader(file), "", deckcsv.Options{MaxLine: 4096})
		if err != nil {
			if rating.KindOf(err) == rating.Internal {
				t.Fatalf("refused with %v, want what is wrong with the file", err)
			}
			return
		}
		defer rd.Close()
		for n := 0; ; n++ {
			_, reject, err := rd.Next()
			if err != nil {
				return
			}
			if reject != nil && reject.Reason == "" || n > 20_000*(len(file)+1) {
				t.Fatalf("result %d: %+v", n, reject)
			}
		}
	})
}
