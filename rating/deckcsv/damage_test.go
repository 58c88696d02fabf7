package deckcsv

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"
)

// kinds are price lists of each kind: what stands before the rates, and the rate of a prefix.
var kinds = []struct {
	name, head string
	row        func(prefix string) string
}{
	{"commas", "Prefix,Destination,Rate,Increment\n", func(p string) string { return p + ",\"Zoë, land\",0.125,60/6\n" }},
	{"semicolons and decimal commas", "Code;Land;Rate;Increment\n", func(p string) string { return p + ";Österreich;0,125;60/6\n" }},
	{"tabs", "prefix\tname\tprice\n", func(p string) string { return p + "\tZoë\t0.125\n" }},
	{"without a header", "", func(p string) string { return p + ",Zoë,0.125\n" }},
}

// pricesOf are the rates of a text by their prefixes, and its rejects.
func pricesOf(t *testing.T, text string) (rates map[string]string, rejects []Reject, err error) {
	t.Helper()
	r, err := NewReader(strings.NewReader(text), Options{MaxLine: 1 << 16})
	if err != nil {
		return nil, nil, err
	}
	got := readAll(t, r)
	rates = map[string]string{}
	for _, row := range got.rows {
		rates[row.Prefix] = row.Terms.First.Price.String()
	}
	return rates, got.rejects, nil
}

// TestDamagedRatesSpoilNoOther puts each damage between sound rates of each kind of list.
func TestDamagedRatesSpoilNoOther(t *testing.T) {
	for _, l := range kinds {
		row := strings.TrimSuffix(l.row("4930"), "\n")
		mid := len(row) / 2
		damages := map[string]string{
			"noise": "\x01\xfe\x02\xff\x80;,\t\x03", "noise inside": row[:2] + "\x01\x02\x03" + row[2:],
			"10,000 columns": strings.Repeat("a,;\t", 10_000), "a line of 3 MB": row[:mid] + strings.Repeat("y", 3<<20) + row[mid:],
			"a negative price": strings.NewReplacer("0.125", "-0.125", "0,125", "-0,125").Replace(row), "a price in words": strings.NewReplacer("0.125", "cheap", "0,125", "cheap").Replace(row),
		}
		for n := 1; n < 10; n++ {
			if cut := row[:len(row)*n/10]; !strings.Contains(strings.TrimPrefix(cut, "4930"), "0") { // a price cut short is a price
				damages[fmt.Sprintf("cut at %d of 10", n)] = cut
			}
		}
		for name, damage := range damages {
			t.Run(l.name+"/"+name, func(t *testing.T) {
				sound := ""
				for n := range 20 { // what decides how the list is written
					sound += l.row(fmt.Sprintf("44%02d", 10+n))
				}
				rates, rejects, err := pricesOf(t, l.head+sound+damage+"\n"+l.row("4611"))
				if err != nil {
					t.Fatal(err)
				}
				for _, p := range []string{"4410", "4429", "4611"} {
					if rates[p] != "0.125" {
						t.Errorf("%s costs %q, want 0.125; rejects %v", p, rates[p], rejects)
					}
				}
				if rates["4930"] != "" && rates["4930"] != "0.125" || len(rates) > 22 {
					t.Errorf("rates %v", rates)
				}
				for _, r := range rejects {
					if r.Line < 1 || r.Reason == "" {
						t.Errorf("reject %+v", r)
					}
				}
				if len(rejects) == 0 && rates["4930"] == "" && damage != "" && name != "cut at 1 of 10" {
					t.Error("not a word of the damaged rate")
				}
			})
		}
	}
}

// TestListsOfEveryEncodingAreRead reads the same list as every program saves it.
func TestListsOfEveryEncodingAreRead(t *testing.T) {
	for _, l := range kinds {
		text := l.head + l.row("44") + l.row("45") + l.row("46")
		var little, big bytes.Buffer
		for _, u := range utf16.Encode([]rune(text)) {
			little.Write([]byte{byte(u), byte(u >> 8)})
			big.Write([]byte{byte(u >> 8), byte(u)})
		}
		for name, in := range map[string]string{
			"UTF-8 with a mark": "\ufeff" + text, "UTF-16": "\xff\xfe" + little.String(), "UTF-16 of the other kind": "\xfe\xff" + big.String(),
			"Latin-1": strings.NewReplacer("ë", "\xeb", "Ö", "\xd6").Replace(text), "Windows' line ends": strings.ReplaceAll(text, "\n", "\r\n"),
			"old Macs' line ends": strings.ReplaceAll(text, "\n", "\r"), "no last line end": strings.TrimSuffix(text, "\n"),
		} {
			rates, rejects, err := pricesOf(t, in)
			if err != nil || len(rejects) > 0 || fmt.Sprint(rates) != "map[44:0.125 45:0.125 46:0.125]" {
				t.Errorf("%s, %s: rates %v, rejects %v, %v", l.name, name, rates, rejects, err)
			}
		}
		for name, in := range map[string]string{"UTF-16 without a mark": little.String(), "nothing": "", "a mark": "\ufeff", "blanks": " \r\n\n", "zero bytes": strings.Repeat("\x00", 4096)} {
			rates, rejects, err := pricesOf(t, in)
			if err == nil && len(rejects) == 0 && fmt.Sprint(rates) != "map[44:0.125 45:0.125 46:0.125]" {
				t.Errorf("%s, %s: rates %v without a word", l.name, name, rates)
			}
		}
	}
}

// TestWorkbooksCutShortAreRefused cuts a workbook at each tenth.
func TestWorkbooksCutShortAreRefused(t *testing.T) {
	file := workbook(t, map[string][][]string{"Rates": {{"Code", "Rate"}, {"44", "=0.125"}, {"45", "=0.125"}}}, "Rates")
	for n := range 10 {
		cut := file[:len(file)*n/10]
		r, err := NewBookReader(bytes.NewReader(cut), int64(len(cut)), "", Options{})
		if err == nil {
			r.Close()
			t.Errorf("%d of 10 of a workbook are read", n)
		} else if err.Error() == "" {
			t.Errorf("%d of 10: no reason", n)
		}
	}
}
