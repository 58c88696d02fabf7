package storage

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"billd/rating"
	"billd/storage/bolt"
)

// sampleStore is a store with one of everything that check looks at.
type sampleStore struct {
	*DB
	t     testing.TB
	clock *time.Time

	customer, tiny, vendor, closed *rating.Account
	first, second                  *rating.Invoice // of customer: approved, pending with a late call
}

// openStore opens the store in path as wiring does, with the clock of the machine.
func openStore(path string) (*DB, error) {
	e, err := openEngine(path, bolt.Options{Buckets: BucketNames(), FillPercent: FillPercents()})
	if err != nil {
		return nil, err
	}
	return Open(context.Background(), e, Options{})
}

// openSample makes the sample: two customers, a vendor, a closed account, decks on both sides, a
// reverse-billed prefix, VAT, history, duplicates, suspense of several reasons, payments, corrections,
// invoices approved with rounding and pending with a late call.
func openSample(t testing.TB) *sampleStore {
	t.Helper()
	e, err := openEngine(filepath.Join(t.TempDir(), "billd.db"), bolt.Options{Buckets: BucketNames(), FillPercent: FillPercents(), NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	clock := testClock
	db, err := Open(context.Background(), e, Options{Now: func() time.Time { return clock }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	s := &sampleStore{DB: db, t: t, clock: &clock}
	s.update(s.accounts)
	s.update(s.rates)
	s.charge(s.calls(testClock.Add(-48*time.Hour), "a"))
	s.charge(s.calls(testClock.Add(-20*time.Hour), "b"))
	s.charge(s.oddCalls())
	s.update(s.money)
	day := testClock.Truncate(24 * time.Hour)
	s.first = s.invoice(s.customer, rating.InvoiceAutoFull, day.Add(-48*time.Hour), day.Add(-24*time.Hour))
	s.update(func(tx *Tx) (err error) {
		s.first, err = tx.ApproveInvoice(s.first.ID)
		return err
	})
	s.charge(s.calls(testClock.Add(-40*time.Hour), "late")) // the first invoice is out
	clock = clock.Add(time.Hour)
	s.second = s.invoice(s.customer, rating.InvoiceAutoFull, day.Add(-24*time.Hour), day)
	s.invoice(s.vendor, rating.InvoiceManual, day.Add(-72*time.Hour), day)
	return s
}

func (s *sampleStore) update(fn func(*Tx) error) {
	s.t.Helper()
	if err := s.Update(context.Background(), fn); err != nil {
		s.t.Fatal(err)
	}
}

func (s *sampleStore) view(fn func(*Tx) error) {
	s.t.Helper()
	if err := s.View(context.Background(), fn); err != nil {
		s.t.Fatal(err)
	}
}

func (s *sampleStore) accounts(tx *Tx) error {
	own := &Contractor{Name: "Northfield Ltd", Enabled: true, Customer: true}
	carrier := &Contractor{Name: "Carrier", Enabled: true, Vendor: true}
	for _, c := range []*Contractor{own, carrier} {
		if err := tx.Contractors.Put(c); err != nil {
			return err
		}
	}
	s.customer = &rating.Account{Name: "Northfield", Contractor: own.ID, VAT: 19_000_000, Timezone: "Europe/Berlin", RatePlan: rating.DefaultPlan}
	s.tiny = &rating.Account{Name: "Tiny", Contractor: own.ID}
	s.vendor = &rating.Account{Name: "Carrier", Contractor: carrier.ID, Timezone: "America/New_York"}
	s.closed = &rating.Account{Name: "Gone", Contractor: own.ID}
	for _, a := range []*rating.Account{s.customer, s.tiny, s.vendor, s.closed} {
		if err := tx.CreateAccount(a); err != nil {
			return err
		}
	}
	if err := tx.Contacts.Put(&Contact{Contractor: own.ID, Email: "bills@northfield.example"}); err != nil {
		return err
	}
	if err := tx.Accesses.Put(&Access{Customer: own.ID, Login: "northfield", Accounts: []rating.AccountID{s.customer.ID}}); err != nil {
		return err
	}
	if err := tx.Users.Put(&User{Account: s.customer.ID, UUID: rating.NewUUID(tx.Now()), Username: "anna", KeyMD5: []byte("12345678")}); err != nil {
		return err
	}
	auth := &CustomersAuth{Name: "northfield", Enabled: true, Customer: own.ID, Account: s.customer.ID, RatePlan: rating.DefaultPlan, IPs: []string{"10.0.0.0/8"}}
	if err := tx.CustomersAuths.Put(auth); err != nil {
		return err
	}
	if err := tx.SaveImportProfile(&ImportProfile{Name: "carrier", Deck: "carrier", Mode: "merge"}); err != nil {
		return err
	}
	if err := tx.SaveSource(&Source{Name: "gateway", Called: []string{"strip +"}, Pay: []rating.PayRule{{By: rating.PayByAll, Account: s.customer.ID}}}); err != nil {
		return err
	}
	if err := tx.SaveSwitch(&Switch{Name: "fs1", Networks: []string{"192.0.2.1"}}); err != nil {
		return err
	}
	half := Record{Call: &rating.Call{}, Half: &rating.Half{Key: "x/a/b", End: testClock.UnixMicro(), Kept: "{}"}}
	half.Call.SetText(rating.CDRSource, "proxy")
	if _, err := tx.hearHalf(&half, tx.Charge); err != nil {
		return err
	}
	if err := tx.KeepTail(TailPosition{File: "/var/log/Master.csv", Inode: 7, Offset: 100}); err != nil {
		return err
	}
	gateway := &NAS{Name: "gw", Network: "192.0.2.1", Secret: "testing123", Source: "gateway"}
	if err := tx.SaveNAS(gateway); err != nil {
		return err
	}
	if err := tx.InvoiceTemplates.Put(&InvoiceTemplate{Name: "plain", Filename: "plain.odt"}); err != nil {
		return err
	}
	return tx.CloseAccount(s.closed.ID)
}

func (s *sampleStore) rates(tx *Tx) error {
	deck := &rating.Deck{Name: "carrier", Currency: rating.Currency{'E', 'U', 'R'}, Preset: rating.PresetYeti, Vendor: s.vendor.ID}
	if err := tx.Decks.Put(deck); err != nil {
		return err
	}
	per := func(seconds uint32, price rating.Price) rating.Step {
		return rating.Step{Seconds: seconds, Price: price}
	}
	for _, r := range []*rating.Rate{
		{Deck: rating.DefaultDeck, Prefix: "44", Terms: rating.Terms{First: per(60, 10_000_000), Next: per(6, 10_000_000)}},
		{Deck: rating.DefaultDeck, Prefix: "4420", KazooID: "london", Terms: rating.Terms{First: per(1, 12_345_678), Next: per(1, 12_345_678)}},
		{Deck: rating.DefaultDeck, Prefix: "800", Reverse: true, Terms: rating.Terms{First: per(60, 30_000_000), Next: per(60, 30_000_000)}},
		{Deck: rating.DefaultDeck, Prefix: "7", Blocked: true, Terms: rating.Terms{First: per(60, 1), Next: per(60, 1)}},
		{Deck: deck.ID, Prefix: "44", Terms: rating.Terms{First: per(1, 5_000_000), Next: per(1, 5_000_000)}},
	} {
		if err := tx.Rates.Put(r); err != nil {
			return err
		}
	}
	return nil
}

func (s *sampleStore) call(at time.Time, id, account, number string, seconds int64) Record {
	c := &rating.Call{AccountRef: account, VendorRef: "Carrier"}
	c.SetTime(rating.CDRTimeStart, at)
	c.SetInt(rating.CDRDuration, seconds)
	c.SetText(rating.CDRSource, "sample")
	c.SetText(rating.CDRCallID, id)
	c.SetText(rating.CDRDstPrefixRouting, number)
	return Record{Call: c, Source: "sample"}
}

func (s *sampleStore) calls(at time.Time, id string) (records []Record) {
	for i, number := range []string{"442071838750", "441619876543", "800123456", "442071838750"} {
		start := at.Add(time.Duration(i) * time.Hour)
		records = append(records, s.call(start, id+string(rune('0'+i)), "Northfield", number, int64(61*(i+1))),
			s.call(start, id+"t"+string(rune('0'+i)), "Tiny", number, 7))
	}
	return append(records, records[0]) // a duplicate
}

// oddCalls are a history, a call without id, and records that are held.
func (s *sampleStore) oddCalls() []Record {
	at := testClock.Add(-30 * time.Hour)
	history := s.call(at, "old", "Northfield", "442071838750", 60)
	history.Call.Rated = true
	history.Call.SetInt(rating.CDRCustomerPrice, 1_190_000)
	history.Call.SetInt(rating.CDRCustomerPriceNoVAT, 1_000_000)
	conflict := s.call(testClock.Add(-48*time.Hour), "a0", "Northfield", "442071838751", 5)
	return []Record{history, s.call(at, "", "Tiny", "442071838750", 9), conflict,
		s.call(at, "nobody", "Nobody", "442071838750", 9), s.call(at, "norate", "Tiny", "999", 9), s.call(at, "blocked", "Tiny", "7", 9),
		{Raw: "{not json", Source: "sample", Detail: "the record is not valid JSON"}}
}

func (s *sampleStore) money(tx *Tx) error {
	if err := tx.Pay(&Payment{Account: s.customer.ID, Amount: 25_000_000}); err != nil {
		return err
	}
	if err := tx.Pay(&Payment{Account: s.tiny.ID, Amount: -1_500_000}); err != nil {
		return err
	}
	if err := tx.SetBalance(s.tiny, 3_210_000, "opening"); err != nil {
		return err
	}
	fee := transfer(rating.PostingTransaction, s.customer, SystemLedger(rating.LedgerAdjustment, s.customer.Currency), -2_000_001)
	fee.At = testClock.Truncate(24 * time.Hour).Add(-36 * time.Hour)
	fee.Service = "7"
	_, err := tx.Post(fee)
	return err
}

func (s *sampleStore) charge(records []Record) []rating.Verdict {
	s.t.Helper()
	v, err := s.ChargeNow(context.Background(), records)
	if err != nil {
		s.t.Fatal(err)
	}
	return v
}

func (s *sampleStore) invoice(a *rating.Account, kind rating.InvoiceType, from, till time.Time) (inv *rating.Invoice) {
	s.t.Helper()
	s.update(func(tx *Tx) (err error) {
		inv, err = tx.CreateInvoice(a, kind, rating.Period{Start: from, End: till})
		return err
	})
	inv, err := s.FillInvoice(context.Background(), inv.ID)
	if err != nil {
		s.t.Fatal(err)
	}
	return inv
}

// faults returns what check reports.
func (s *sampleStore) faults() (found []string) {
	s.t.Helper()
	if err := s.Check(context.Background(), false, func(f string) { found = append(found, f) }); err != nil {
		s.t.Fatal(err)
	}
	return found
}
