package rating

import (
	"fmt"
	"strings"
	"testing"
)

// A service plan's charges are a line each kind and item, VAT in the amount and not in the count; what
// is given back is a line of its own.
func TestPlanChargesAreLinesByWhatTheyAreFor(t *testing.T) {
	euro := Currency{'E', 'U', 'R'}
	own, revenue, tax := Ledger{LedgerAccount, euro, 7}, Ledger{Kind: LedgerRevenue, Currency: euro}, Ledger{Kind: LedgerTax, Currency: euro}
	s := NewInvoiceSum(7)
	for _, p := range []Posting{
		{Kind: PostingPlan, Debit: own, Credit: revenue, Amount: 60_000_000, Text: "Seat", Source: "recurring users/user"},
		{Kind: PostingPlan, Debit: own, Credit: tax, Amount: 12_000_000, Text: "VAT: Seat", Source: "recurring users/user"},
		{Kind: PostingPlan, Debit: own, Credit: revenue, Amount: 60_000_000, Text: "Seat", Source: "recurring users/user"},
		{Kind: PostingPlan, Debit: own, Credit: revenue, Amount: 5_000_000, Text: "Seat, activation", Source: "activation users/user"},
		{Kind: PostingPlan, Debit: revenue, Credit: own, Amount: 3_000_000, Text: "Seat, given back", Source: "proration users/user"},
		{Kind: PostingTransaction, Debit: own, Credit: revenue, Amount: 1_000_000, Text: "a fee", Source: "x"},
	} {
		if err := s.AddPosting(&p); err != nil {
			t.Fatal(err)
		}
	}
	inv := &Invoice{}
	lines, err := s.Lines(inv)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, l := range lines {
		text := "-"
		if l.Text != nil {
			text = *l.Text
		}
		got = append(got, fmt.Sprintf("%s×%d %s %t", l.Amount.Number(), *l.Calls, text, l.Spent))
	}
	want := "1×1 - true; 5×1 Seat, activation true; 3×1 Seat, given back false; 132×2 Seat true"
	if got := strings.Join(got, "; "); got != want || inv.ServiceCount != 5 || inv.Spent != 138_000_000 || inv.Earned != 3_000_000 {
		t.Errorf("lines = %s, %d services, spent %s, earned %s; want %s, 5, 138, 3", got, inv.ServiceCount, inv.Spent, inv.Earned, want)
	}
}
