package deckcsv

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"billd/rating"
)

// result is what a whole file gave.
type result struct {
	rows    []Row
	rejects []Reject
	layout  Layout
}

func readAll(t *testing.T, r *Reader) result {
	t.Helper()
	var got result
	for {
		row, reject, err := r.Next()
		if errors.Is(err, io.EOF) {
			got.layout = r.Layout()
			return got
		}
		if err != nil {
			t.Fatalf("Next: %v", err)
		}
		if reject != nil {
			got.rejects = append(got.rejects, *reject)
		} else {
			got.rows = append(got.rows, row)
		}
	}
}

func readText(t *testing.T, text string, o Options) result {
	t.Helper()
	r, err := NewReader(strings.NewReader(text), o)
	if err != nil {
		t.Fatalf("NewReader: %v", err)
	}
	return readAll(t, r)
}

func (g result) price(prefix string) string {
	for _, row := range g.rows {
		if row.Prefix == prefix {
			return row.Terms.First.Price.String()
		}
	}
	return "none"
}

func (g result) sum(t *testing.T) string {
	t.Helper()
	var sum rating.Price
	for _, row := range g.rows {
		var err error
		if sum, err = sum.Add(row.Terms.First.Price); err != nil {
			t.Fatal(err)
		}
	}
	return sum.String()
}

// lists are price lists as carriers and others published them, with what they hold.
var lists = []struct {
	file, prepend  string
	rows, rejected int
	sum            string
	prices         map[string]string
}{
	{"deck-headerless-zar.csv", "", 10631, 1, "33156.6", map[string]string{"93": "3.72", "7": "27.36", "1": "0.53", "4674": "261.75"}},
	{"deck-city-code-list.csv", "", 17350, 0, "20370.72", map[string]string{"67212": "10.63", "9377": "2.98", "44": "0.2", "2139619": "1.29", "1519": "0.18", "87039": "69.46"}},
	{"deck-plus-prefix-connect.csv", "", 4743, 0, "375236.374", map[string]string{"44": "0.01", "1": "0.016", "39": "0.008", "61145": "2339.0"}},
	{"deck-price-ranges.csv", "", 0, 221, "0.0", nil},
	{"deck-headerless-increments.csv", "", 12, 1, "0.0", map[string]string{"011": "0.0", "015": "0.0", "1": "0.0"}},
	{"deck-npanxx-small.csv", "", 5, 0, "0.5", map[string]string{"201200": "0.1", "201205": "0.1"}},
	{"deck-npanxx-small.csv", "1", 5, 0, "0.5", map[string]string{"1201200": "0.1", "1201205": "0.1"}},
	{"deck-bom-units-in-header.csv", "", 1, 0, "0.0", map[string]string{"36": "0.0"}},
}

func openList(t *testing.T, file string, o Options) (*Reader, error) {
	t.Helper()
	f, err := os.Open(filepath.Join("../../../shared/data", file))
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("the collection of published price lists is not here")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return NewReader(f, o)
}

func TestPublishedLists(t *testing.T) {
	for _, tt := range lists {
		t.Run(tt.file+tt.prepend, func(t *testing.T) {
			r, err := openList(t, tt.file, Options{Prepend: tt.prepend})
			if err != nil {
				t.Fatalf("NewReader: %v", err)
			}
			got := readAll(t, r)
			if len(got.rows) != tt.rows || len(got.rejects) != tt.rejected {
				t.Errorf("rows %d, rejected %d; want %d, %d; first rejects %v", len(got.rows), len(got.rejects), tt.rows, tt.rejected, got.rejects[:min(3, len(got.rejects))])
			}
			if sum := got.sum(t); sum != tt.sum {
				t.Errorf("sum of prices %s, want %s", sum, tt.sum)
			}
			for prefix, want := range tt.prices {
				if price := got.price(prefix); price != want {
					t.Errorf("price of %s = %s, want %s", prefix, price, want)
				}
			}
			if t.Failed() || testing.Verbose() {
				t.Logf("layout %+v", got.layout)
			}
		})
	}
}

func TestPublishedListsThatAreRefused(t *testing.T) {
	for _, tt := range []struct{ file, want string }{
		{"pricelist-sms-no-prefix.csv", `no prefix column and no price per minute ("Price / msg" is per msg); headers seen: ISO, Country, Description, Price / msg`},
		{"deck-route-increments.csv", "no prefix column; headers seen: id, name, surcharge, initial_increment, subsequent_increment, charge, free_destination, route_id, active_date"},
		{"deck-kazoo-routes.json", "a JSON document; want CSV with a prefix and a price in each line"},
		{"deck-airtel-2023.xlsx", "a workbook or an archive, which cannot be read as a stream"},
		{"cgrates-tutorial2-Destinations.csv", "no price per minute; headers seen: #ID, Prefix"},
		{"cgrates-tutorial2-Rates.csv", "no prefix column; headers seen: #ID, ConnectFee, Rate, RateUnit, RateIncrement, GroupIntervalStart"},
		{"asterisk-freepbx-25col.csv", ""},
	} {
		t.Run(tt.file, func(t *testing.T) {
			_, err := openList(t, tt.file, Options{})
			if err == nil {
				t.Fatal("accepted, want a refusal")
			}
			if tt.want != "" && err.Error() != tt.want {
				t.Errorf("error %q, want %q", err, tt.want)
			}
		})
	}
}

func TestPublishedListRefusedForTheReasonOfEachLine(t *testing.T) {
	r, err := openList(t, "deck-price-ranges.csv", Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, reject := range readAll(t, r).rejects {
		if !strings.HasPrefix(reject.Reason, "price is a range") {
			t.Errorf("line %d: %q, want a range", reject.Line, reject.Reason)
		}
	}
	for file, want := range map[string]Reject{
		"deck-headerless-zar.csv":        {967, "a header, not a rate"},
		"deck-headerless-increments.csv": {13, `prefix "+": want digits`},
	} {
		r, err := openList(t, file, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got := readAll(t, r).rejects; len(got) != 1 || got[0] != want {
			t.Errorf("%s: rejects %v, want %v", file, got, want)
		}
	}
}

func TestPublishedListWithAColumnNamedByHand(t *testing.T) {
	r, err := openList(t, "deck-route-increments.csv", Options{Columns: map[string]string{"free_destination": "prefix"}})
	if err != nil {
		t.Fatal(err)
	}
	got := readAll(t, r)
	want := [][2]uint32{{30, 6}, {60, 6}, {45, 6}, {60, 60}, {60, 66}}
	if len(got.rows) != len(want) || len(got.rejects) != 0 {
		t.Fatalf("rows %d, rejects %v; want %d rows", len(got.rows), got.rejects, len(want))
	}
	for i, row := range got.rows {
		if row.Terms.First.Seconds != want[i][0] || row.Terms.Next.Seconds != want[i][1] || row.Terms.First.Price.String() != "1.0" {
			t.Errorf("line %d: %+v, want 1.0 at %v", row.Line, row.Terms, want[i])
		}
	}
	if till := got.rows[0].Till.Format("2006-01-02"); till != "2012-01-01" {
		t.Errorf("first row valid till %s, want 2012-01-01", till)
	}
}

func TestPublishedListsDetails(t *testing.T) {
	r, err := openList(t, "deck-bom-units-in-header.csv", Options{})
	if err != nil {
		t.Fatal(err)
	}
	got := readAll(t, r)
	terms := got.rows[0].Terms
	if terms.ConnectFee.String() != "0.383" || terms.First.Seconds != 25 || terms.Next.Seconds != 25 || terms.Grace != 25 || got.layout.Currency != "USD" {
		t.Errorf("terms %+v in %q, want connect 0.383, 25/25, grace 25, USD", terms, got.layout.Currency)
	}
	r, err = openList(t, "deck-plus-prefix-connect.csv", Options{})
	if err != nil {
		t.Fatal(err)
	}
	got = readAll(t, r)
	const want = "prices of at least 1000 times the median of about 0.141: 310; the lowest of them is 1043.0, the highest of the others 0.962; a decimal point may be lost"
	if w := got.layout.Warnings; len(w) != 1 || w[0] != want {
		t.Errorf("warnings %q, want %q", w, want)
	}
	if terms := got.rows[0].Terms; terms.ConnectFee.String() != "0.273" || terms.First.Seconds != 1 || terms.Next.Seconds != 1 {
		t.Errorf("first row %+v, want connect 0.273 at 1/1", terms)
	}
}
