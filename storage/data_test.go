package storage

import (
	"context"
	"testing"
	"time"

	"billd/rating"
)

// dataRig is a store with one account in Kyiv, 20 % VAT, on a plan of 1 GB included and 0.5 for each
// started GB beyond.
type dataRig struct {
	*DB
	t    testing.TB
	a    *rating.Account
	plan *rating.DataPlan
	sub  *DataSubscription
}

func newDataRig(t testing.TB) *dataRig {
	t.Helper()
	r := &dataRig{DB: openTest(t), t: t}
	r.update(func(tx *Tx) error {
		r.a = &rating.Account{Name: "home", Parent: rating.MasterAccount, Contractor: 1, Timezone: "Europe/Kyiv", VAT: 20_000_000}
		if err := tx.CreateAccount(r.a); err != nil {
			return err
		}
		r.plan = &rating.DataPlan{Name: "home-1", Currency: r.a.Currency, Unit: rating.GB, Allowance: 1e9, Overage: 500_000, Period: rating.PeriodMonthly}
		if err := tx.CreateDataPlan(r.plan); err != nil {
			return err
		}
		r.sub = &DataSubscription{Account: r.a.ID, Plan: r.plan.ID, User: "alice", From: testClock.AddDate(0, -2, 0)}
		_, err := tx.CreateDataSubscription(r.sub)
		return err
	})
	return r
}

func (r *dataRig) update(fn func(*Tx) error) {
	r.t.Helper()
	if err := r.Update(context.Background(), fn); err != nil {
		r.t.Fatal(err)
	}
}

// at is a record of the rig's session, minutes before the clock, with totals in MB.
func (r *dataRig) at(minutes int, status rating.DataStatus, up, down uint64) rating.DataRecord {
	return rating.DataRecord{Source: "nas1", Session: "s1", User: "alice", Status: status, At: testClock.Add(-time.Duration(minutes) * time.Minute),
		Input: up * 1e6, Output: down * 1e6}
}

func (r *dataRig) record(rec rating.DataRecord) (v rating.DataVerdict) {
	r.t.Helper()
	r.update(func(tx *Tx) (err error) {
		v, err = tx.RecordData(&rec)
		return err
	})
	return v
}

func TestASessionIsCountedAndCharged(t *testing.T) {
	r := newDataRig(t)
	for _, tt := range []struct {
		name    string
		rec     rating.DataRecord
		outcome rating.DataOutcome
		used    uint64 // MB
		charged string
	}{
		{"a start uses nothing", r.at(60, rating.DataStart, 0, 0), rating.DataStored, 0, "0.0"},
		{"what is included is free", r.at(50, rating.DataInterim, 100, 800), rating.DataStored, 900, "0.0"},
		{"the same again adds nothing", r.at(50, rating.DataInterim, 100, 800), rating.DataDuplicate, 0, "0.0"},
		{"a retransmission with another time adds nothing", r.at(49, rating.DataInterim, 100, 800), rating.DataDuplicate, 0, "0.0"},
		{"the first octet beyond starts a GB", r.at(40, rating.DataInterim, 200, 801), rating.DataStored, 101, "0.5"},
		{"the rest of that GB is paid", r.at(30, rating.DataInterim, 200, 1800), rating.DataStored, 999, "0.0"},
		{"one that was overtaken adds nothing", r.at(35, rating.DataInterim, 200, 1000), rating.DataStored, 0, "0.0"},
		{"a smaller total began anew", r.at(20, rating.DataInterim, 0, 100), rating.DataReset, 100, "0.5"},
		{"what a reset hid is counted when it comes", r.at(25, rating.DataInterim, 200, 1900), rating.DataStored, 100, "0.0"},
		{"a stop ends", r.at(10, rating.DataStop, 0, 3100), rating.DataStored, 3000, "1.5"},
	} {
		v := r.record(tt.rec)
		if v.Outcome != tt.outcome || v.Used.Total() != tt.used*1e6 || v.Charged.String() != tt.charged {
			t.Errorf("%s: %s, %d octets, charged %s, want %s, %d, %s", tt.name, v.Outcome, v.Used.Total(), v.Charged, tt.outcome, tt.used*1e6, tt.charged)
		}
	}
	if got := balanceOf(t, r.DB, r.a); got != "-3.0" {
		t.Errorf("balance %s, want -3.0: 5 started GB at 0.5 and 20 %% VAT", got)
	}
}

// invoiceOf makes and fills an invoice of the rig's account for days of the month of the clock.
func (r *dataRig) invoice(from, till time.Time) *rating.Invoice {
	r.t.Helper()
	var inv *rating.Invoice
	r.update(func(tx *Tx) (err error) {
		inv, err = tx.CreateInvoice(r.a, rating.InvoiceManual, rating.Period{Start: from, End: till})
		return err
	})
	inv, err := r.FillInvoice(context.Background(), inv.ID)
	if err != nil {
		r.t.Fatal(err)
	}
	return inv
}

func TestDataIsOnTheInvoiceOfItsTime(t *testing.T) {
	r := newDataRig(t)
	r.record(r.at(60, rating.DataStart, 0, 0))
	r.record(r.at(30, rating.DataInterim, 500, 2600)) // 3 started GB beyond
	inv := r.invoice(testClock.Add(-2*24*time.Hour), testClock)
	if inv.Spent != 1_800_000 || inv.ServiceSpent != inv.Spent || inv.ServiceCount != 1 {
		t.Errorf("spent %s in %d services, want 1.8 in 1", inv.Spent, inv.ServiceCount)
	}
	if len(inv.VAT) != 1 || inv.VAT[0] != (rating.VATShare{Rate: 20_000_000, Net: 1_500_000, Tax: 300_000}) {
		t.Errorf("VAT shares %+v, want 20 %% of 1.5", inv.VAT)
	}
	if len(inv.Data) != 1 || inv.Data[0].Used != (rating.Octets{Up: 500e6, Down: 2600e6}) || inv.Data[0].Charge.Over != 3 || inv.Data[0].Amount != inv.Spent {
		t.Errorf("data %+v, want 3.1 GB, 3 units and 1.8", inv.Data)
	}
	r.record(r.at(20, rating.DataStop, 500, 3600)) // late for the invoice: one GB more
	clean(t, r.DB)
	var again *rating.Invoice
	var last rating.Posting
	r.update(func(tx *Tx) (err error) {
		if again, err = tx.Invoices.Get(inv.ID); err != nil {
			return err
		}
		return tx.Postings.Each(0, func(p *rating.Posting) (bool, error) { last = *p; return true, nil })
	})
	if !again.Same(inv) || !last.At.Equal(testClock) {
		t.Errorf("the invoice changed (%t) or the late charge is of %s, want it of %s", !again.Same(inv), last.At, testClock)
	}
}
