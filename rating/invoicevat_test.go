package rating

import (
	"fmt"
	"testing"
)

func TestPaperIsRoundedByVATRate(t *testing.T) {
	eur, jpy := Currency{'E', 'U', 'R'}, Currency{'J', 'P', 'Y'}
	for _, tt := range []struct {
		name          string
		currency      Currency
		spent, earned Money
		vat           []VATShare
		want          string // shares, total, rounding
	}{
		{"one rate", eur, 1_193_333, 0, []VATShare{{19_000_000, 1_002_801, 190_532}}, "19.0%: 1.0 + 0.19; total 1.19, rounding -0.003333"},
		{"each rate by itself", eur, 2_490_000, 0, []VATShare{{20_000_000, 1_004_000, 200_800}, {0, 1_285_200, 0}}, "20.0%: 1.0 + 0.2, 0.0%: 1.29 + 0.0; total 2.49, rounding 0.0"},
		{"half a cent away from 0", eur, 5_000, 0, []VATShare{{0, 5_000, 0}}, "0.0%: 0.01 + 0.0; total 0.01, rounding 0.005"},
		{"more earned than spent", eur, 0, 1_005_000, []VATShare{{0, -1_005_000, 0}}, "0.0%: -1.01 + 0.0; total -1.01, rounding -0.005"},
		{"tax is on the base, not the sum of small taxes", eur, 120_004_000, 0, []VATShare{{20_000_000, 100_000_000, 20_004_000}}, "20.0%: 100.0 + 20.0; total 120.0, rounding -0.004"},
		{"charges at another rate than they say count as charged", eur, 110_000_000, 0, []VATShare{{20_000_000, 100_000_000, 10_000_000}}, "20.0%: 100.0 + 10.0; total 110.0, rounding 0.0"},
		{"tax as posted", eur, 12_304_000, 0, []VATShare{{PostedVAT, 10_000_000, 2_304_000}}, "-0.000001%: 10.0 + 2.3; total 12.3, rounding -0.004"},
		{"no minor unit", jpy, 1_193_500_000, 0, []VATShare{{10_000_000, 1_085_000_000, 108_500_000}}, "10.0%: 1085.0 + 109.0; total 1194.0, rounding 0.5"},
		{"shares that are not known", eur, 1_235_000, 0, nil, "; total 1.24, rounding 0.005"},
		{"the largest amounts", eur, MaxMoney, 0, []VATShare{{100_000_000, MaxMoney / 2, MaxMoney / 2}}, "100.0%: 4500000000000.0 + 4500000000000.0; total 9000000000000.0, rounding 0.0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inv := Invoice{Currency: tt.currency, Spent: tt.spent, Earned: tt.earned, VAT: tt.vat}
			d, err := inv.Due()
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			for i, s := range d.Shares {
				if i > 0 {
					got += ", "
				}
				got += fmt.Sprintf("%s%%: %s + %s", s.Rate, s.Net, s.Tax)
			}
			got += fmt.Sprintf("; total %s, rounding %s", d.Total, d.Rounding)
			if got != tt.want {
				t.Errorf("due = %s, want %s", got, tt.want)
			}
			if d.Total != d.Net+d.Tax {
				t.Errorf("total %s, net %s and tax %s do not add up", d.Total, d.Net, d.Tax)
			}
		})
	}
}

func TestVATSharesAddUpToTheInvoice(t *testing.T) {
	call := func(vat Percent, net, gross Money, reverse bool) *CDR {
		var c CDR
		c.SetInt(CDRCustomerAccID, 7)
		c.SetInt(CDRCustomerAccVAT, int64(vat))
		c.SetInt(CDRCustomerPriceNoVAT, int64(net))
		c.SetInt(CDRCustomerPrice, int64(gross))
		c.SetBool(CDRDestinationReverseBilling, reverse)
		return &c
	}
	sum := NewInvoiceSum(7)
	for _, c := range []*CDR{call(20_000_000, 1_000_000, 1_200_000, false), call(20_000_000, 500_000, 600_000, true), call(0, 300_000, 300_000, false)} {
		if err := sum.AddCall(c, CustomerSide, false); err != nil {
			t.Fatal(err)
		}
	}
	var earned CDR
	earned.SetInt(CDRVendorAccID, 7)
	earned.SetInt(CDRVendorPrice, 250_000)
	if err := sum.AddCall(&earned, VendorSide, false); err != nil {
		t.Fatal(err)
	}
	account, tax := Ledger{Kind: LedgerAccount, Account: 7}, Ledger{Kind: LedgerTax}
	other := Ledger{Kind: LedgerRevenue}
	for _, p := range []*Posting{
		{Kind: PostingTransaction, Debit: account, Credit: other, Amount: 40_000},
		{Kind: PostingPlan, Debit: account, Credit: other, Amount: 10_000_000},
		{Kind: PostingPlan, Debit: account, Credit: tax, Amount: 2_300_000},
		{Kind: PostingReversal, Ref: "reversal/1/7/0/20000000/net", Debit: other, Credit: account, Amount: 100_000},
		{Kind: PostingReversal, Ref: "reversal/1/7/0/20000000/tax", Debit: tax, Credit: account, Amount: 20_000},
		{Kind: PostingPayment, Debit: other, Credit: account, Amount: 5_000_000},
	} {
		if err := sum.AddPosting(p); err != nil {
			t.Fatal(err)
		}
	}
	inv := Invoice{Account: 7, Currency: Currency{'E', 'U', 'R'}}
	if _, err := sum.Lines(&inv); err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprint(inv.VAT), "[{20.0 0.4 0.08} {0.0 0.09 0.0} {-0.000001 10.0 2.3}]"; got != want {
		t.Errorf("shares = %s, want %s", got, want)
	}
	total := Money(0)
	for _, s := range inv.VAT {
		total += s.Net + s.Tax
	}
	if want := inv.Spent - inv.Earned; total != want {
		t.Errorf("shares come to %s, the invoice to %s", total, want)
	}
}
