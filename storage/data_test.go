package storage

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"billd/rating"
	"billd/storage/kv"
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

func TestDaysAndPeriodsAreThoseOfTheAccount(t *testing.T) {
	r := newDataRig(t)
	day := testClock.UTC().Truncate(24 * time.Hour)
	// Kyiv is two or three hours ahead of UTC: at 23:00 UTC the next day has begun there, at 20:30 not yet
	first := time.Date(day.Year(), day.Month(), 1, 0, 0, 0, 0, time.UTC).Add(-3*time.Hour - 30*time.Minute) // before Kyiv's first of the month
	for i, at := range []time.Time{first, first.Add(150 * time.Minute)} {
		r.record(rating.DataRecord{Source: "nas1", Session: "s1", User: "alice", Status: rating.DataInterim, At: at, Seconds: uint32(3600 * (i + 1)), Output: uint64(i+1) * 1_500_000_000})
	}
	r.update(func(tx *Tx) error {
		var got []string
		err := tx.EachDataPeriod(r.sub.ID, func(first rating.Day, p DataPeriod) (bool, error) {
			got = append(got, first.String()+" "+p.Net.String())
			return true, nil
		})
		zone := tx.Location(r.a)
		month := rating.PeriodMonthly
		before, _ := month.Days(rating.DayOf(first, zone))
		after, _ := month.Days(rating.DayOf(first.Add(150*time.Minute), zone))
		want := []string{before.String() + " 0.5", after.String() + " 0.5"}
		if before == after || len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
			t.Errorf("periods %v, want %v: each has its allowance", got, want)
		}
		return err
	})
	clean(t, r.DB)
}

func TestASourceThatBeganAnewEndsItsSessions(t *testing.T) {
	r := newDataRig(t)
	r.record(r.at(60, rating.DataInterim, 0, 500))
	on := rating.DataRecord{Source: "nas1", Status: rating.DataOn, At: testClock.Add(-30 * time.Minute)}
	if v := r.record(on); v.Outcome != rating.DataStored {
		t.Errorf("Accounting-On is %s", v.Outcome)
	}
	if v := r.record(on); v.Outcome != rating.DataDuplicate {
		t.Errorf("the same again is %s, want a duplicate", v.Outcome)
	}
	late := r.at(40, rating.DataInterim, 0, 600) // of before the restart
	if v := r.record(late); v.Used.Down != 100e6 || v.Session != 1 {
		t.Errorf("a record of before it added %d octets to session %d, want 100 MB to 1", v.Used.Down, v.Session)
	}
	again := r.at(10, rating.DataInterim, 0, 700) // the same number, given out anew
	again.Seconds = 600
	if v := r.record(again); v.Used.Down != 700e6 || v.Session != 2 || v.Outcome != rating.DataStored {
		t.Errorf("after it %s added %d octets to session %d, want 700 MB to session 2", v.Outcome, v.Used.Down, v.Session)
	}
	r.update(func(tx *Tx) error {
		if due, err := tx.SessionsToEnd(); err != nil || !due {
			t.Errorf("sessions to end: %t, %v", due, err)
		}
		n, err := tx.EndSessions(10)
		if n != 1 {
			t.Errorf("%d sessions ended, want 1", n)
		}
		return err
	})
	r.update(func(tx *Tx) error {
		s, err := tx.DataSessions.Get(1)
		if err == nil && (s.Open() || s.Cause != "NAS-Reboot" || !s.StoppedAt.Equal(on.At)) {
			t.Errorf("session 1 stopped at %s for %q", s.StoppedAt, s.Cause)
		}
		return err
	})
	clean(t, r.DB)
}

func TestWhatCannotBeTakenIsHeld(t *testing.T) {
	r := newDataRig(t)
	r.record(r.at(60, rating.DataStart, 0, 0))
	fast := r.at(59, rating.DataInterim, 0, 400_000) // 400 GB in a minute
	v := r.record(fast)
	if v.Outcome != rating.DataHeld || v.Reason != rating.HeldTooFast {
		t.Fatalf("400 GB in a minute are %s, %s, want held", v.Outcome, v.Reason)
	}
	if again := r.record(fast); again.Held != v.Held {
		t.Errorf("the same again is held as %d, want %d", again.Held, v.Held)
	}
	future, unnamed := r.at(-60, rating.DataInterim, 0, 1), r.at(58, rating.DataInterim, 0, 1)
	unnamed.User = ""
	for _, tt := range []struct {
		rec    rating.DataRecord
		reason string
	}{{future, rating.HeldBadTime}, {unnamed, rating.HeldBadRecord}} {
		if v := r.record(tt.rec); v.Outcome != rating.DataHeld || v.Reason != tt.reason {
			t.Errorf("%s, %s, want it held: %s", v.Outcome, v.Reason, tt.reason)
		}
	}
	r.update(func(tx *Tx) error {
		v, err := tx.RetryHeldData(v.Held, false)
		if v.Outcome != rating.DataHeld {
			t.Errorf("a retry is %s, want it held again", v.Outcome)
		}
		return err
	})
	r.update(func(tx *Tx) error {
		v, err := tx.RetryHeldData(v.Held, true)
		if v.Outcome != rating.DataStored || v.Charged.String() != "199.5" || tx.HeldData.Has(v.Held) {
			t.Errorf("an accepted one is %s, charged %s, want 399 GB at 0.5", v.Outcome, v.Charged)
		}
		return err
	})
	clean(t, r.DB)
}

func TestUnassignedUsageWaitsForItsSubscription(t *testing.T) {
	r := newDataRig(t)
	rec := r.at(30*24*60, rating.DataInterim, 0, 2500)
	rec.User = "bob"
	if v := r.record(rec); v.Outcome != rating.DataUnassigned {
		t.Fatalf("usage of nobody is %s", v.Outcome)
	}
	clean(t, r.DB)
	sub := &DataSubscription{Account: r.a.ID, Plan: r.plan.ID, User: "bob"}
	r.update(func(tx *Tx) error {
		applied, err := tx.CreateDataSubscription(sub)
		if applied.Down != 2500e6 || sub.From.After(rec.At) {
			t.Errorf("%d octets are counted from %s on, want 2.5 GB from before %s", applied.Down, sub.From, rec.At)
		}
		return err
	})
	if got := balanceOf(t, r.DB, r.a); got != "-1.2" {
		t.Errorf("balance %s, want -1.2: two started GB and 20 %% VAT", got)
	}
	clean(t, r.DB)
	r.update(func(tx *Tx) error {
		if _, err := tx.EndDataSubscription(sub.ID, rec.At); rating.KindOf(err) != rating.Invalid && rating.KindOf(err) != rating.Conflict {
			t.Errorf("ending before what is charged: %v, want it refused", err)
		}
		_, err := tx.CreateDataSubscription(&DataSubscription{Account: r.a.ID, Plan: r.plan.ID, User: "bob", From: tx.Now().Add(time.Hour)})
		if rating.KindOf(err) != rating.Conflict {
			t.Errorf("a second subscription of the name: %v, want Conflict", err)
		}
		if err := tx.DeleteDataPlan(r.plan); rating.KindOf(err) != rating.Conflict {
			t.Errorf("deleting a plan in use: %v, want Conflict", err)
		}
		_, err = tx.EndDataSubscription(sub.ID, tx.Now())
		return err
	})
}

func TestPlansFollowTheStoresCurrency(t *testing.T) {
	r := newDataRig(t)
	r.update(func(tx *Tx) error {
		_, err := tx.ChangeSettings(map[string]string{"currency": "USD"})
		return err
	})
	r.record(r.at(60, rating.DataInterim, 0, 2000))
	r.update(func(tx *Tx) error {
		p, err := tx.DataPlans.Get(r.plan.ID)
		if err == nil && p.Currency.String() != "USD" {
			t.Errorf("the plan is in %s, want USD as its accounts", p.Currency)
		}
		return err
	})
	clean(t, r.DB)
}

func TestAllowancesAreToldOf(t *testing.T) {
	r := newDataRig(t)
	r.update(func(tx *Tx) error {
		s := *tx.Settings()
		s.EventURL = "http://127.0.0.1:1/"
		return tx.SaveSettings(&s)
	})
	for i, down := range []uint64{700, 800, 900, 1000, 2000} {
		r.record(r.at(60-i, rating.DataInterim, 0, down))
	}
	var events []string
	r.update(func(tx *Tx) error {
		return tx.Messages.Each(0, func(m *Message) (bool, error) {
			events = append(events, m.Event)
			return true, nil
		})
	})
	if len(events) != 2 || events[0] != "DataAllowance80" || events[1] != "DataAllowance100" {
		t.Errorf("told of %v, want 80 and 100 %% once each", events)
	}
}

// alterSession rewrites the first session past its table.
func alterSession(change func(*DataSession)) func(*sampleStore, *Tx) error {
	return func(_ *sampleStore, tx *Tx) error {
		s, err := tx.DataSessions.Get(1)
		if err != nil {
			return err
		}
		change(s)
		return tx.Txn.Put(bDataSession, kv.Key(nil).U64(1), appendDataSession(nil, s))
	}
}

// TestCheckFindsFaultsInData plants what a disk, a bug or a hand could leave.
func TestCheckFindsFaultsInData(t *testing.T) {
	for _, tt := range []struct {
		name  string
		plant func(r *dataRig, inv *rating.Invoice) func(*sampleStore, *Tx) error
		want  string
	}{
		{"a day", func(r *dataRig, _ *rating.Invoice) func(*sampleStore, *Tx) error {
			return func(_ *sampleStore, tx *Tx) error {
				return tx.Txn.Put(bDataDay, dataDayKey(r.sub.ID, rating.DayOf(testClock.Add(-30*time.Minute), tx.Location(r.a))), appendOctets(nil, rating.Octets{Up: 1}))
			}
		}, "octets up"},
		{"a day of nobody", func(r *dataRig, _ *rating.Invoice) func(*sampleStore, *Tx) error {
			return put(bDataDay, dataDayKey(77, 20_000), appendOctets(nil, rating.Octets{Up: 1}))
		}, "data subscription 77, which does not exist"},
		{"a day that does not decode", func(r *dataRig, _ *rating.Invoice) func(*sampleStore, *Tx) error {
			return put(bDataDay, dataDayKey(77, 20_000), []byte{0xff})
		}, "is damaged"},
		{"a session", func(r *dataRig, _ *rating.Invoice) func(*sampleStore, *Tx) error {
			return alterSession(func(s *DataSession) { s.Used.Down++ })
		}, "data of user alice"},
		{"a session without points", func(r *dataRig, _ *rating.Invoice) func(*sampleStore, *Tx) error {
			return alterSession(func(s *DataSession) { s.Points = nil })
		}, "keeps 0 points"},
		{"unassigned usage of no session", func(r *dataRig, _ *rating.Invoice) func(*sampleStore, *Tx) error {
			return put(bDataUnassigned, unassignedKey("zoe", testClock), appendOctets(nil, rating.Octets{Up: 1}))
		}, "data of user zoe"},
		{"a period's charge", func(r *dataRig, _ *rating.Invoice) func(*sampleStore, *Tx) error {
			return func(_ *sampleStore, tx *Tx) error {
				c := tx.Txn.Cursor(bDataPeriod)
				k, v := c.First()
				p, err := decodeDataPeriod(v)
				p.Net++
				if err == nil {
					err = tx.Txn.Put(bDataPeriod, append([]byte(nil), k...), appendDataPeriod(nil, p))
				}
				return err
			}
		}, "its octets cost 1.5"},
		{"a period that is gone", func(r *dataRig, _ *rating.Invoice) func(*sampleStore, *Tx) error { return dropFirst(bDataPeriod) }, "the period is not there"},
		{"a posting", func(r *dataRig, _ *rating.Invoice) func(*sampleStore, *Tx) error {
			return alterPosting(1, func(p *rating.Posting) { p.Amount++ })
		}, "the ledger has 1.500001"},
		{"a posting of no period", func(r *dataRig, _ *rating.Invoice) func(*sampleStore, *Tx) error {
			return alterPosting(1, func(p *rating.Posting) { p.Source = "data/9/2026-01-01" })
		}, "which is no period"},
		{"a plan that is gone", func(r *dataRig, _ *rating.Invoice) func(*sampleStore, *Tx) error { return dropFirst(bDataPlan) }, "refers to data plan 1"},
		{"a plan's price", func(r *dataRig, _ *rating.Invoice) func(*sampleStore, *Tx) error {
			return alter(bDataPlan, 1, func(p *rating.DataPlan) { p.Overage++ })
		}, "its octets cost 1.500003"},
		{"a subscription beside another", func(r *dataRig, _ *rating.Invoice) func(*sampleStore, *Tx) error {
			return func(_ *sampleStore, tx *Tx) error {
				return tx.DataSubscriptions.Put(&DataSubscription{Account: r.a.ID, Plan: 1, User: "alice", From: testClock})
			}
		}, "overlaps subscription 2"},
		{"an account that is gone", func(r *dataRig, _ *rating.Invoice) func(*sampleStore, *Tx) error {
			return alter(bDataSubscription, 1, func(s *DataSubscription) { s.Account = 99 })
		}, "data subscription 1: refers to account 99"},
		{"a service that is gone", func(r *dataRig, _ *rating.Invoice) func(*sampleStore, *Tx) error {
			return alter(bDataSubscription, 1, func(s *DataSubscription) { s.Service = 99 })
		}, "refers to service 99"},
		{"what an invoice asks", func(r *dataRig, inv *rating.Invoice) func(*sampleStore, *Tx) error {
			return alter(bInvoice, inv.ID, func(inv *rating.Invoice) { inv.Data[0].Amount++ })
		}, "for the data of user alice, its postings make 1.8"},
		{"what an invoice leaves out", func(r *dataRig, inv *rating.Invoice) func(*sampleStore, *Tx) error {
			return alter(bInvoice, inv.ID, func(inv *rating.Invoice) { inv.Data = nil })
		}, "are not among its data"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newDataRig(t)
			r.record(r.at(30, rating.DataInterim, 500, 3100))
			inv := r.invoice(testClock.Add(-2*24*time.Hour), testClock)
			clean(t, r.DB)
			plant := tt.plant(r, inv)
			r.update(func(tx *Tx) error { return plant(nil, tx) })
			var found []string
			if err := r.Check(context.Background(), false, func(f string) { found = append(found, f) }); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(strings.Join(found, "\n"), tt.want) {
				t.Errorf("check found %q, want a fault with %q", found, tt.want)
			}
		})
	}
}

// BenchmarkInterimRecords takes interims of 1,000 sessions in, in batches as a busy server gathers them.
func BenchmarkInterimRecords(b *testing.B) {
	for _, batch := range []int{1, 100} {
		b.Run(fmt.Sprintf("batch=%d", batch), func(b *testing.B) {
			r := newDataRig(b)
			const sessions = 1000
			r.update(func(tx *Tx) error {
				for i := range sessions {
					if _, err := tx.CreateDataSubscription(&DataSubscription{Account: r.a.ID, Plan: r.plan.ID, User: fmt.Sprint("user", i), From: testClock.AddDate(0, -1, 0)}); err != nil {
						return err
					}
				}
				return nil
			})
			n := 0
			b.ReportAllocs()
			for b.Loop() {
				r.update(func(tx *Tx) error {
					for range batch {
						i, round := n%sessions, n/sessions
						rec := rating.DataRecord{Source: "nas1", Session: fmt.Sprint("s", i), User: fmt.Sprint("user", i), Status: rating.DataInterim,
							At: testClock.Add(time.Duration(round-20_000) * time.Second), Seconds: uint32(round), Input: uint64(round) * 1e5, Output: uint64(round) * 1e6}
						if v, err := tx.RecordData(&rec); err != nil || v.Outcome == rating.DataHeld {
							return fmt.Errorf("%s: %s, %w", v.Outcome, v.Detail, err)
						}
						n++
					}
					return nil
				})
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "records/s")
		})
	}
}
