package paper

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// sample is a document with everything on it, its breakdown of n rows.
func sample(n int) *Document {
	rows := make([][]string, n)
	for i := range rows {
		rows[i] = []string{fmt.Sprint(44700 + i), "United Kingdom", "Vodafone", "0.012300", "17", "3:21:09", fmt.Sprintf("%d.123456", i)}
	}
	return &Document{
		Title: "Invoice", Name: "Invoice 12", Mark: "Draft", At: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC),
		Seller: Party{"Łódź Telekom Sp. z o.o.", []string{"ul. Piotrkowska 100", "90-001 Łódź", "tel. +48 42 000 00 00"}}, BuyerIs: "Bill to",
		Buyer: Party{"Київські мережі – Ελληνικά Δίκτυα – 東京", []string{"вул. Хрещатик 1\nКиїв", "Account: Головний (id 23)"}},
		Facts: []Fact{{"Invoice no.", "12"}, {"Reference", "2026-11/23"}, {"Date", "21 November 2026"}, {"Period", "2026-10-01 to 2026-10-31"}, {"Time zone", "Europe/Kyiv"}},
		Summary: &Table{Columns: []Column{{"Description", 5, false}, {"Net", 2, true}, {"VAT", 2, true}, {"Amount", 2, true}},
			Rows: [][]string{{"Calls, 1,234 in 56:07:08", "100.00", "23.00", "123.00"}, {"Services", "10.00", "2.30", "12.30"}}, Sums: [][]string{{"Total", "110.00", "25.30", "135.30"}}},
		Due:   Fact{"Total due", "EUR 135.30"},
		Notes: []string{"Amounts in the breakdown are exact; the total is rounded to the currency's minor unit."},
		Sections: []Table{{Title: "By destination", Columns: []Column{{"Prefix", 2, false}, {"Country", 3, false}, {"Network", 3, false}, {"Rate", 2, true}, {"Calls", 1.2, true}, {"Time", 1.6, true}, {"Amount", 2, true}},
			Rows: rows, Sums: [][]string{{"", "", "", "", "", "", "999.000000"}}}},
	}
}

func draw(t *testing.T, d *Document) []byte {
	t.Helper()
	b, err := Draw(d)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestTheSameDocumentIsTheSameFile(t *testing.T) {
	a, b := draw(t, sample(300)), draw(t, sample(300))
	if !bytes.Equal(a, b) {
		t.Error("two drawings of one document differ")
	}
	if c := draw(t, sample(299)); bytes.Equal(a, c) {
		t.Error("another document is the same file")
	}
	if !bytes.HasPrefix(a, []byte("%PDF-1.")) || !bytes.HasSuffix(bytes.TrimSpace(a), []byte("%%EOF")) {
		t.Errorf("the file begins %q and ends %q", a[:8], a[len(a)-8:])
	}
}

// text reads a PDF as pdftotext does.
func text(t *testing.T, pdf []byte) string {
	t.Helper()
	if _, err := exec.LookPath("pdftotext"); err != nil {
		t.Skip("needs pdftotext of poppler-utils to read the PDF")
	}
	file := filepath.Join(t.TempDir(), "a.pdf")
	if err := os.WriteFile(file, pdf, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "pdftotext", "-layout", file, "-").Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestEverythingCanBeRead(t *testing.T) {
	got := text(t, draw(t, sample(120)))
	for _, want := range []string{"Łódź Telekom Sp. z o.o.", "Київські мережі", "Ελληνικά Δίκτυα – ??", "вул. Хрещатик 1 Київ", "Draft", "Invoice", "2026-11/23", "EUR 135.30",
		"Page 1 of 3", "Page 3 of 3", "44700", "44819", "119.123456", "999.000000"} {
		if !strings.Contains(got, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if n := strings.Count(got, "Prefix"); n != 3 {
		t.Errorf("the table has its head %d times, want once a page", n)
	}
}

func TestLongTextsStayInTheirPlace(t *testing.T) {
	d := sample(1)
	d.Seller.Name = strings.Repeat("Wielkopolskie Przedsiębiorstwo ", 20)
	d.Buyer = Party{strings.Repeat("ы", 500), []string{strings.Repeat("line ", 400)}}
	d.Sections[0].Rows[0][1] = strings.Repeat("Соединённое Королевство ", 10)
	d.Facts[1].Value = strings.Repeat("9", 200)
	got := text(t, draw(t, d))
	if !strings.Contains(got, "Page 1 of 2") && !strings.Contains(got, "Page 1 of 1") {
		t.Errorf("long texts make another number of pages:\n%s", got)
	}
	if !strings.Contains(got, "…") {
		t.Error("nothing is cut, want ellipses")
	}
}

func TestAnEmptyDocument(t *testing.T) { draw(t, &Document{}) }

func TestLettersThatTheFontsLack(t *testing.T) {
	p := &pen{known: map[rune]bool{}}
	if err := p.open(); err != nil {
		t.Fatal(err)
	}
	for in, want := range map[string]string{"Łódź": "Łódź", "Київ, Ελλάδα, Île, Øre, ß, ₴ €": "Київ, Ελλάδα, Île, Øre, ß, ? €", "東京": "??", "a\tb\nc": "a b c", "\x00\x1b": "??", "😀": "?"} {
		if got := p.readable(in); got != want {
			t.Errorf("readable(%q) = %q, want %q", in, got, want)
		}
	}
}

func BenchmarkDraw(b *testing.B) {
	for _, n := range []int{20, 5000} {
		b.Run(fmt.Sprint(n, " rows"), func(b *testing.B) {
			d := sample(n)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Draw(d); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
