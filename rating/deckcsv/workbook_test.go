package deckcsv

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
)

// workbook writes sheets of rows into an XLSX file; a cell that begins with = is a number as written.
func workbook(t testing.TB, sheets map[string][][]string, names ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	part := func(name, text string) {
		w, err := z.Create(name)
		if err == nil {
			_, err = io.WriteString(w, text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	const rel = `http://schemas.openxmlformats.org/officeDocument/2006/relationships/`
	list, rels := "", ""
	for i, name := range names {
		list += fmt.Sprintf(`<sheet name="%s" sheetId="%d" r:id="rId%d"/>`, name, i+1, i+1)
		rels += fmt.Sprintf(`<Relationship Id="rId%d" Type="%sworksheet" Target="worksheets/sheet%d.xml"/>`, i+1, rel, i+1)
		var b strings.Builder
		b.WriteString(`<worksheet><sheetData>`)
		for n, row := range sheets[name] {
			fmt.Fprintf(&b, `<row r="%d">`, n+1)
			for c, cell := range row {
				ref := fmt.Sprintf("%c%d", 'A'+c, n+1)
				if v, ok := strings.CutPrefix(cell, "="); ok {
					fmt.Fprintf(&b, `<c r="%s"><v>%s</v></c>`, ref, v)
				} else if cell != "" {
					fmt.Fprintf(&b, `<c r="%s" t="inlineStr"><is><t>%s</t></is></c>`, ref, cell)
				}
			}
			b.WriteString(`</row>`)
		}
		b.WriteString(`</sheetData></worksheet>`)
		part(fmt.Sprintf("xl/worksheets/sheet%d.xml", i+1), b.String())
	}
	part("_rels/.rels", `<Relationships><Relationship Id="rId1" Type="`+rel+`officeDocument" Target="xl/workbook.xml"/></Relationships>`)
	part("xl/workbook.xml", `<workbook><sheets>`+list+`</sheets></workbook>`)
	part("xl/_rels/workbook.xml.rels", `<Relationships>`+rels+`</Relationships>`)
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestWorkbookIsReadByItsRows(t *testing.T) {
	file := workbook(t, map[string][][]string{
		"Cover": {{"Carrier"}, {"Issued", "=45055"}},
		"Rates": {{"A–Z of Carrier"}, {}, {"Destination", "Code", "Rate", "Effective", "Increment"},
			{"UK", "=44", "=0.12000000000000001", "=45000", "60/1"}, {"", "", ""},
			{"Say &quot;hi&quot;", "44 20,44 21", "=5.7999999999999996E-3", "", "1/1"}, {"Odd", "x", "=1", "", ""}},
	}, "Cover", "Rates")
	r, err := NewBookReader(bytes.NewReader(file), int64(len(file)), "", Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	got := readAll(t, r.Reader)
	for prefix, want := range map[string]string{"44": "0.12", "4420": "0.0058", "4421": "0.0058"} {
		if price := got.price(prefix); price != want {
			t.Errorf("price of %s = %s, want %s", prefix, price, want)
		}
	}
	if len(got.rows) != 3 || len(got.rejects) != 1 || got.rejects[0] != (Reject{7, `prefix "x": want digits`}) {
		t.Errorf("rows %+v, rejects %+v; want 3 rows and row 7 rejected", got.rows, got.rejects)
	}
	if l := got.layout; l.Sheet != "Rates" || l.HeaderLine != 3 || l.Encoding != "XLSX" {
		t.Errorf("layout %+v, want sheet Rates, header in row 3", l)
	}
	if row := got.rows[0]; row.From.Format("2006-01-02") != "2023-03-15" || row.Line != 4 || row.Terms.First.Seconds != 60 || got.rows[1].Name != `Say "hi"` {
		t.Errorf("rows %+v, want row 4 from 2023-03-15 at 60/1, and a name with quotes", got.rows)
	}
}

func TestWorkbookWithSeveralSheetsOfRates(t *testing.T) {
	rates := [][]string{{"Code", "Rate"}, {"44", "=0.1"}}
	file := workbook(t, map[string][][]string{"Gold": rates, "Silver": rates, "Notes": {{"none"}}}, "Gold", "Silver", "Notes")
	for sheet, want := range map[string]string{
		"":       "sheets Gold and Silver could each be the price list: say which",
		"Bronze": `no sheet "Bronze"; the workbook has Gold, Silver, Notes`,
		"Notes":  "sheet Notes: no columns: no line has a comma, semicolon, tab or bar",
		"Silver": "",
	} {
		r, err := NewBookReader(bytes.NewReader(file), int64(len(file)), sheet, Options{})
		if got := fmt.Sprint(err); err == nil && want != "" || err != nil && want == "" {
			t.Errorf("sheet %q: %v, want %q", sheet, err, want)
		} else if err != nil && got != want && sheet != "Notes" {
			t.Errorf("sheet %q: %v, want %q", sheet, err, want)
		}
		if err == nil {
			r.Close()
		}
	}
}

func TestPublishedWorkbook(t *testing.T) {
	f, err := os.Open("../../../shared/data/deck-airtel-2023.xlsx")
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("the collection of published price lists is not here")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	r, err := NewBookReader(f, info.Size(), "", Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	got := readAll(t, r.Reader)
	if len(got.rows) != 18254 || len(got.rejects) != 0 || got.sum(t) != "4248.581479" {
		t.Errorf("%d rows, %d rejected, sum %s; want 18254, 0, 4248.581479; first rejects %v", len(got.rows), len(got.rejects), got.sum(t), got.rejects[:min(3, len(got.rejects))])
	}
	for prefix, want := range map[string]string{"7840": "0.285", "9371": "0.1635", "5671196": "0.0058", "91": "0.022585", "1778": "0.0012", "881": "16.445"} {
		if price := got.price(prefix); price != want {
			t.Errorf("price of %s = %s, want %s", prefix, price, want)
		}
	}
	pulses, first, last := map[string]int{}, got.rows[0].From, got.rows[0].From
	later := 0
	for _, row := range got.rows {
		pulses[fmt.Sprintf("%d/%d", row.Terms.First.Seconds, row.Terms.Next.Seconds)]++
		if row.From.Before(first) {
			first = row.From
		}
		if row.From.After(last) {
			last = row.From
		}
		if row.From.Format("2006-01-02") > "2023-05-08" {
			later++
		}
	}
	if fmt.Sprint(pulses) != "map[1/1:17267 30/6:342 60/1:45 60/60:600]" {
		t.Errorf("pulses %v", pulses)
	}
	if a, b := first.Format("2006-01-02"), last.Format("2006-01-02"); a != "2021-12-24" || b != "2023-06-20" || later != 267 {
		t.Errorf("valid from %s to %s, %d later than the issue; want 2021-12-24 to 2023-06-20, 267", a, b, later)
	}
	if l := got.layout; l.Sheet != "Pricing" || l.HeaderLine != 15 || l.Currency != "USD" {
		t.Errorf("sheet %q, header %d, currency %q; want Pricing, 15, USD", l.Sheet, l.HeaderLine, l.Currency)
	}
	t.Logf("layout %+v", got.layout)
}
