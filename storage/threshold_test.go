package storage

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"billd/rating"
)

// watched gives an account thresholds and two contacts, one of which has no address.
func (s *sampleStore) watched() *rating.Account {
	s.update(func(tx *Tx) error {
		if err := tx.Contacts.Put(&Contact{Contractor: 2}); err != nil {
			return err
		}
		a, err := tx.Accounts.Get(uint64(s.tiny.ID))
		if err != nil {
			return err
		}
		a.LowThreshold, a.HighThreshold, a.NotifyContacts = "10.0", "100.0", []int64{1, 2, 99}
		return tx.SaveAccount(a)
	})
	return s.tiny
}

// pass is what the scheduler does: it tells whom it must, and says of how many accounts.
func (s *sampleStore) pass() (told int) {
	var crossed []rating.AccountID
	s.view(func(tx *Tx) error {
		for from := rating.AccountID(1); from != 0; {
			some, next, err := tx.CrossedAccounts(from, 2)
			if err != nil {
				return err
			}
			crossed, from = append(crossed, some...), next
		}
		return nil
	})
	for _, id := range crossed {
		s.update(func(tx *Tx) error {
			ok, err := tx.TellThreshold(id)
			if ok {
				told++
			}
			return err
		})
	}
	return told
}

// mails lists the subjects of all messages with their receivers.
func (s *sampleStore) mails() (list []string) {
	s.view(func(tx *Tx) error {
		return tx.Messages.Each(0, func(m *Message) (bool, error) {
			subject := m.Event
			if m.Mail != nil {
				subject = m.Mail.Subject
			}
			list = append(list, m.Target()+": "+subject)
			return true, nil
		})
	})
	return list
}

func TestEachCrossingIsOneMail(t *testing.T) {
	s := openSample(t)
	a := s.watched()
	for _, tt := range []struct {
		balance rating.Money
		want    string // what is new
	}{
		{10_000_000, ""},
		{9_999_999, "bills@northfield.example: Account with id 3 low balance"},
		{5_000_000, ""},
		{-5_000_000, ""},
		{10_000_000, "bills@northfield.example: Account with id 3 low balance cleared"},
		{100_000_001, "bills@northfield.example: Account with id 3 high balance"},
		{1_000_000, "bills@northfield.example: Account with id 3 high balance cleared, bills@northfield.example: Account with id 3 low balance"},
		{100_000_001, "bills@northfield.example: Account with id 3 low balance cleared, bills@northfield.example: Account with id 3 high balance"},
		{100_000_000, "bills@northfield.example: Account with id 3 high balance cleared"},
		{9_000_000, "bills@northfield.example: Account with id 3 low balance"},
	} {
		before := s.mails()
		s.update(func(tx *Tx) error { return tx.SetBalance(a, tt.balance, "test") })
		s.pass()
		s.pass() // a second look tells nothing
		after := s.mails()
		if got := strings.Join(after[len(before):], ", "); got != tt.want {
			t.Errorf("at %s told %q, want %q", tt.balance, got, tt.want)
		}
	}
	clean(t, s.DB)
}

func TestThresholdsThatAreTakenAwayAreLeft(t *testing.T) {
	s := openSample(t)
	a := s.watched()
	s.update(func(tx *Tx) error { return tx.SetBalance(a, 1, "test") })
	s.pass()
	s.update(func(tx *Tx) error {
		a, err := tx.Accounts.Get(uint64(a.ID))
		if err != nil {
			return err
		}
		a.LowThreshold, a.HighThreshold = "", ""
		return tx.SaveAccount(a)
	})
	if n := s.pass(); n != 1 {
		t.Errorf("told of %d accounts, want 1", n)
	}
	if got, want := s.mails()[1:], []string{"bills@northfield.example: Account with id 3 low balance cleared"}; !slices.Equal(got, want) {
		t.Errorf("told %q, want %q", got, want)
	}
	clean(t, s.DB)
}

func TestACrashTellsNothingTwice(t *testing.T) {
	s := openSample(t)
	a := s.watched()
	s.update(func(tx *Tx) error { return tx.SetBalance(a, 1, "test") })
	gone := fmt.Errorf("gone")
	err := s.Update(t.Context(), func(tx *Tx) error {
		if _, err := tx.TellThreshold(a.ID); err != nil {
			return err
		}
		return gone // before the commit
	})
	if err != gone {
		t.Fatal(err)
	}
	if got := s.mails(); len(got) != 0 {
		t.Errorf("mails of a transaction that was not committed: %q", got)
	}
	s.pass()
	if got := s.mails(); len(got) != 1 {
		t.Errorf("mails = %q, want one", got)
	}
}

func TestOperatorsHearOfEveryAccount(t *testing.T) {
	s := openSample(t)
	a := s.watched()
	s.update(func(tx *Tx) error {
		if err := tx.Contacts.Put(&Contact{Contractor: 1, Email: "noc@example.net"}); err != nil {
			return err
		}
		settings := *tx.Settings()
		settings.EventURL, settings.EventContacts = "https://noc.example.net/hook", []int64{3, 1}
		return tx.SaveSettings(&settings)
	})
	s.update(func(tx *Tx) error { return tx.SetBalance(a, 1_500_000, "test") })
	s.pass()
	want := []string{"bills@northfield.example: Account with id 3 low balance", "noc@example.net: Account with id 3 low balance", "https://noc.example.net/hook: AccountLowThesholdReached"}
	if got := s.mails(); !slices.Equal(got, want) {
		t.Errorf("told %q, want %q", got, want)
	}
	m := s.message(3)
	body := `{"event_data":{"balance":"1.5","balance_high_threshold":"100.0","balance_low_threshold":"10.0","contractor_id":2,"external_id":null,"id":3,"max_balance":"0.0","min_balance":"0.0",` +
		`"name":"Tiny","send_balance_notifications_to":[1,2,99],"timezone":"UTC","uuid":"` + a.UUID.String() + `"},"event_time":"2026-11-21 13:00:00 UTC","event_type":"AccountLowThesholdReached"}`
	if got := string(m.Hook.Body); m.Hook.Method != "POST" || got != body {
		t.Errorf("%s\n got %s\nwant %s", m.Hook.Method, got, body)
	}
	text := "Account: Tiny (id 3)\nBalance: 1.5 EUR\nLow threshold: 10.0 EUR\nHigh threshold: 100.0 EUR\nEvent: AccountLowThesholdReached\nTime: 2026-11-21 13:00:00 UTC\n"
	if got := s.message(1).Mail.Text; got != text {
		t.Errorf("text = %q, want %q", got, text)
	}
}

func TestClosedAccountsAreNotWatched(t *testing.T) {
	s := openSample(t)
	a := s.watched()
	s.update(func(tx *Tx) error { return tx.SetBalance(a, 0, "test") })
	s.update(func(tx *Tx) error { return tx.CloseAccount(a.ID) })
	if n := s.pass(); n != 0 {
		t.Errorf("told of %d accounts, want none", n)
	}
	s.update(func(tx *Tx) error {
		if told, err := tx.TellThreshold(a.ID); told || err != nil {
			t.Errorf("TellThreshold = %t, %v; want nothing told", told, err)
		}
		return nil
	})
}

func TestAnApprovedInvoiceWaitsForItsPaperAndIsSentOnce(t *testing.T) {
	s := openSample(t)
	s.update(func(tx *Tx) error {
		a, err := tx.Accounts.Get(uint64(s.customer.ID))
		if err != nil {
			return err
		}
		a.InvoiceContacts = []int64{1, 77}
		if err := tx.SaveAccount(a); err != nil {
			return err
		}
		inv, err := tx.ApproveInvoice(s.second.ID)
		if err != nil {
			return err
		}
		if err := tx.SendInvoice(inv); err != nil {
			return err
		}
		return tx.SendInvoice(inv)
	})
	if got, want := s.mails(), []string{"bills@northfield.example: Invoice 2 for Northfield"}; !slices.Equal(got, want) {
		t.Errorf("mails = %q, want %q", got, want)
	}
	if m := s.message(1); m.Mail.Invoice != 2 || !strings.Contains(m.Mail.Text, "Period: 2026-11-20 to 2026-11-21 (not included), Europe/Berlin\n") {
		t.Errorf("mail = %+v, want the invoice's paper and its period in the account's zone", m.Mail)
	}
	s.update(func(tx *Tx) error {
		if got := tx.PapersDue(10); !slices.Equal(got, []uint64{1, 2}) {
			t.Errorf("papers due = %v, want those of both approved invoices", got)
		}
		if err := tx.KeepPaper(&Document{ID: 3, Body: []byte("x")}); rating.KindOf(err) != rating.Conflict {
			t.Errorf("paper of a draft: %v, want a conflict", err)
		}
		for _, body := range []string{"first", "second"} {
			if err := tx.KeepPaper(&Document{ID: 1, Type: "application/pdf", Body: []byte(body)}); err != nil {
				return err
			}
		}
		d, err := tx.Documents.Get(1)
		if err == nil && string(d.Body) != "first" {
			t.Errorf("paper = %q, want the first one", d.Body)
		}
		if got := tx.PapersDue(10); !slices.Equal(got, []uint64{2}) {
			t.Errorf("papers due = %v, want invoice 2's", got)
		}
		return err
	})
	clean(t, s.DB)
}

func BenchmarkCrossedAccounts(b *testing.B) {
	s := openSample(b)
	const accounts = 10_000 // one in ten has a threshold
	s.update(func(tx *Tx) error {
		for i := range accounts {
			a := &rating.Account{Name: fmt.Sprint("account ", i), Contractor: 1}
			if i%10 == 0 {
				a.LowThreshold = "-1.0"
			}
			if err := tx.CreateAccount(a); err != nil {
				return err
			}
		}
		return nil
	})
	b.ReportAllocs()
	began := time.Now()
	for b.Loop() {
		s.view(func(tx *Tx) error {
			_, _, err := tx.CrossedAccounts(1, 2*accounts)
			return err
		})
	}
	b.ReportMetric(float64(accounts*b.N)/time.Since(began).Seconds(), "account/s")
}
