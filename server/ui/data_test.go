package ui_test

import (
	"fmt"
	"testing"
	"time"

	"billd/rating"
	"billd/storage"
)

func TestDataIsShownByPeriodAndDay(t *testing.T) {
	r := newRig(t)
	r.addOperator(t)
	var invoice uint64
	at := time.Now().UTC().Add(-time.Hour)
	r.update(t, func(tx *storage.Tx) error {
		a := &rating.Account{Name: "Northfield", Parent: rating.MasterAccount, Contractor: 1, Timezone: "UTC"}
		if err := tx.CreateAccount(a); err != nil {
			return err
		}
		p := &rating.DataPlan{Name: "home", Currency: a.Currency, Unit: rating.GiB, Allowance: 1 << 30, Overage: 500_000, Period: rating.PeriodMonthly}
		if err := tx.CreateDataPlan(p); err != nil {
			return err
		}
		if _, err := tx.CreateDataSubscription(&storage.DataSubscription{Account: a.ID, Plan: p.ID, User: "anna <b>", From: at.Add(-time.Hour)}); err != nil {
			return err
		}
		for i, rec := range []rating.DataRecord{
			{Session: "1", User: "anna <b>", Output: 5 << 29},
			{Session: "2", User: "bob", Output: 3_000_000_000},
			{Session: "3", User: "carol", Output: 1 << 61},
		} {
			rec.Source, rec.Status, rec.At, rec.Seconds = "nas", rating.DataInterim, at, uint32(600+i)
			if _, err := tx.RecordData(&rec); err != nil {
				return err
			}
		}
		inv, err := tx.CreateInvoice(a, rating.InvoiceManual, rating.Period{Start: at.AddDate(0, 0, -2), End: at.Add(time.Minute)})
		if err == nil {
			invoice = inv.ID
		}
		return err
	})
	if _, err := r.db.FillInvoice(t.Context(), invoice); err != nil {
		t.Fatal(err)
	}
	b := r.loggedIn(t)
	_, body := b.get("/data")
	wants(t, body, "anna &lt;b&gt;", "2.500 GiB", "of 1 GiB", "(250 %)", at.Format(time.DateOnly), "bob", "3.000 GB", "billd data subscription add", "too_fast", "carol")
	_, body = b.get("/data?user=nobody")
	wants(t, body, "No data was used in these days.")
	_, body = b.get(fmt.Sprintf("/invoices/%d", invoice))
	wants(t, body, "anna &lt;b&gt;", "1 GiB a month included, then 0.5 EUR a started GiB", "2.500 GiB of 1 GiB")
}
