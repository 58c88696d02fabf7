package ops

import (
	"slices"
	"testing"

	"billd/rating"
)

func TestPapersSayWhatAUnitOfDataIs(t *testing.T) {
	gb := rating.InvoiceData{User: "anna", Plan: "home", Terms: "0.5 EUR a started GB", Unit: rating.GB, Period: "2026-11-01", From: "2026-11-05", To: "2026-11-06",
		Used: rating.Octets{Down: 1_500_000_001, Up: 1}, Counted: 1_500_000_002, Charge: rating.DataCharge{Inside: 2, Net: 1_000_000}, Amount: 1_200_000}
	late := gb
	late.Plan, late.Unit, late.From, late.Allowance, late.Charge = "large", rating.GiB, "", 1<<30, rating.DataCharge{Inside: 1, Over: 1, Net: 1_000_000}
	p := &invoicePaper{inv: &rating.Invoice{Currency: rating.Currency{'E', 'U', 'R'}, Data: []rating.InvoiceData{gb, gb, late}}}
	notes := p.dataNotes()
	want := []string{"Data plan home: 0.5 EUR a started GB, net; 1 GB = 1 000 000 000 bytes.", "Data plan large: 0.5 EUR a started GB, net; 1 GiB = 1 073 741 824 bytes."}
	if !slices.Equal(notes, want) {
		t.Errorf("notes %q, want %q", notes, want)
	}
	rows := p.data().Rows
	for i, want := range [][]string{
		0: {"anna, home", "2026-11-05 to 2026-11-06", "1.501 GB", "0.001 GB", "1.501 GB", "2", "1.20"},
		2: {"anna, large", "late, period from 2026-11-01", "1.397 GiB", "0.001 GiB", "1.397 GiB of 1 GiB", "1", "1.20"},
	} {
		if want != nil && !slices.Equal(rows[i], want) {
			t.Errorf("row %d is %q, want %q", i, rows[i], want)
		}
	}
}
