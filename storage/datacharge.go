package storage

import (
	"fmt"
	"time"

	"billd/rating"
)

// Data is charged when it is used: in the transaction that takes the record in, what the period's octets
// cost now less what was posted for them before. So a balance is as current as for calls, a charge is
// posted once whatever crashes, and an invoice finds it among the postings of its time.

// dataSource names a subscription's period in its postings.
func dataChargeSource(subscription uint64, first rating.Day) string {
	return fmt.Sprintf("data/%d/%s", subscription, first)
}

// postDataCharge posts the net amount and the VAT on it. Its reference names the VAT rate, for the invoice.
func (tx *Tx) postDataCharge(u *usagePlan, count uint64) error {
	at, err := tx.dataPostedAt(u.account, u.at)
	if err != nil {
		return err
	}
	source := dataChargeSource(u.sub.ID, u.first)
	for _, part := range [...]struct {
		ledger rating.LedgerKind
		amount rating.Money
		name   string
	}{{rating.LedgerRevenue, u.net, "net"}, {rating.LedgerTax, u.tax, "tax"}} {
		if part.amount == 0 {
			continue
		}
		p := transfer(rating.PostingData, u.account, SystemLedger(part.ledger, u.account.Currency), -part.amount)
		p.At, p.Source = at, source
		p.Ref = fmt.Sprintf("%s/%d/%d/%s", source, count, u.account.VAT, part.name)
		p.Text = clipText(fmt.Sprintf("Data %s, %s from %s: %s", u.sub.User, u.plan.Name, u.first, u.plan.Terms()), maxDataText)
		if part.ledger == rating.LedgerTax {
			p.Text = "VAT: " + p.Text
		}
		if u.sub.Service != 0 {
			p.Service = decimalText(u.sub.Service)
		}
		if _, err := tx.Post(p); err != nil {
			return err
		}
	}
	return nil
}

// maxDataText bounds in bytes what a posting says of its subscription and plan.
const maxDataText = 400

// dataPostedAt returns when a charge for usage of an instant is posted: then, so that it falls to the
// invoice of its period; but now once that invoice is filled, as a call that comes late. A draft that is
// being read is read again.
func (tx *Tx) dataPostedAt(a *rating.Account, used time.Time) (time.Time, error) {
	if used.After(tx.now) {
		return tx.now, nil // a source's clock runs ahead
	}
	inv, err := tx.invoiceAt(a.ID, used)
	switch {
	case err != nil:
		return used, err
	case inv == nil || inv.Origin == rating.History:
		return used, nil
	case inv.State == rating.InvoiceNew:
		return used, tx.rewrote()
	}
	return tx.now, nil
}
