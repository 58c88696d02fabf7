package storage

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"billd/rating"
)

// authStore is a store with two customers, and a rate plan beside the default that costs double.
type authStore struct {
	t        *testing.T
	path     string
	db       *DB
	one, two *rating.Account
	dear     uint64
}

func newAuthStore(t *testing.T) *authStore {
	s := &authStore{t: t, path: filepath.Join(t.TempDir(), "billd.db")}
	s.db = openAt(t, s.path)
	s.one, s.two = &rating.Account{Name: "One", Contractor: 1}, &rating.Account{Name: "Two", Contractor: 1}
	mustUpdate(t, s.db, func(tx *Tx) error {
		for _, a := range []*rating.Account{s.one, s.two} {
			if err := tx.CreateAccount(a); err != nil {
				return err
			}
		}
		deck := &rating.Deck{Name: "dear", Currency: s.one.Currency, Preset: rating.PresetYeti}
		if err := tx.Decks.Put(deck); err != nil {
			return err
		}
		plan := &rating.RatePlan{UUID: rating.NewUUID(tx.Now()), Name: "dear", Decks: []rating.DeckID{deck.ID}, ProfitControl: 1}
		if err := tx.Plans.Put(plan); err != nil {
			return err
		}
		s.dear = plan.ID
		for id, price := range map[rating.DeckID]rating.Price{rating.DefaultDeck: 100_000_000, deck.ID: 200_000_000} {
			step := rating.Step{Seconds: 60, Price: price}
			if err := tx.Rates.Put(&rating.Rate{Deck: id, Prefix: "4", Terms: rating.Terms{First: step, Next: step}}); err != nil {
				return err
			}
		}
		return nil
	})
	return s
}

func (s *authStore) put(a *CustomersAuth) *CustomersAuth {
	s.t.Helper()
	if a.Customer == 0 {
		a.Customer = 1
	}
	mustUpdate(s.t, s.db, func(tx *Tx) error { return tx.CustomersAuths.Put(a) })
	return a
}

// call charges a minute from an address and returns "account auth plan price", or why it is held.
func (s *authStore) call(id, account, source, dst, src string) string {
	s.t.Helper()
	c := &rating.Call{AccountRef: account}
	c.SetTime(rating.CDRTimeStart, testClock.Add(-time.Hour))
	c.SetInt(rating.CDRDuration, 60)
	c.SetText(rating.CDRCallID, id)
	c.SetText(rating.CDRDstPrefixIn, dst)
	c.SetText(rating.CDRSrcPrefixIn, src)
	c.SetText(rating.CDRAuthOrigIP, source)
	v, err := s.db.ChargeNow(context.Background(), []Record{{Call: c}})
	if err != nil {
		s.t.Fatal(err)
	}
	if v[0].Reason != "" {
		return v[0].Reason
	}
	return s.charged(v[0].ID)
}

func (s *authStore) charged(id rating.CDRID) (text string) {
	s.t.Helper()
	err := s.db.View(context.Background(), func(tx *Tx) error {
		var c rating.CDR
		err := tx.CDR(id, &c)
		text = fmt.Sprintf("%d %d %d %s", c.Customer(), c.Int(rating.CDRCustomerAuthID), c.Int(rating.CDRRateplanID), c.Money(rating.CDRCustomerPrice))
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return text
}

func TestACallIsChargedToWhereItComesFrom(t *testing.T) {
	s := newAuthStore(t)
	if got, want := s.call("held", "", "10.0.0.9", "48", ""), rating.ReasonNoAccount; got != want {
		t.Errorf("without customers-auths = %s, want %s", got, want)
	}
	one := s.put(&CustomersAuth{Name: "one", Enabled: true, Account: s.one.ID, RatePlan: rating.DefaultPlan, IPs: []string{"10.0.0.0/8"}})
	two := s.put(&CustomersAuth{Name: "two", Enabled: true, Account: s.two.ID, RatePlan: s.dear, IPs: []string{"10.0.0.0/8", "192.0.2.7"}, DstPrefixes: []string{"48"}, SrcPrefixes: []string{"1", "2"}})
	s.put(&CustomersAuth{Name: "off", Account: s.two.ID, RatePlan: s.dear, IPs: []string{"198.51.100.0/24"}})
	byOne, byTwo := fmt.Sprintf("%d %d 1 0.1", s.one.ID, one.ID), fmt.Sprintf("%d %d %d 0.2", s.two.ID, two.ID, s.dear)
	check := func(when string) {
		t.Helper()
		for i, tt := range []struct{ name, account, source, dst, src, want string }{
			{"by network", "", "10.1.1.1", "49", "1", byOne},
			{"by prefixes, at the plan of its own", "", "10.1.1.1", "4822", "15", byTwo},
			{"by address", "", "192.0.2.7", "48", "2", byTwo},
			{"the source's number is another's", "", "192.0.2.7", "48", "3", rating.ReasonNoAccount},
			{"switched off", "", "198.51.100.1", "48", "1", rating.ReasonNoAccount},
			{"from nowhere known", "", "203.0.113.1", "48", "1", rating.ReasonNoAccount},
			{"without a source", "", "", "48", "1", rating.ReasonNoAccount},
			{"the record names the account: its customers-auth says the plan", "Two", "10.1.1.1", "48", "1", byTwo},
			{"the record names another account", "One", "10.1.1.1", "48", "1", fmt.Sprintf("%d 0 1 0.1", s.one.ID)},
		} {
			t.Run(when+": "+tt.name, func(t *testing.T) {
				if got := s.call(fmt.Sprint(when, i), tt.account, tt.source, tt.dst, tt.src); got != tt.want {
					t.Errorf("call = %s, want %s", got, tt.want)
				}
			})
		}
	}
	check("first")
	s.db.Close()
	s.db = openAt(t, s.path)
	check("after a restart")

	// What was held is charged once somebody pays for it.
	mustUpdate(t, s.db, func(tx *Tx) error {
		v, err := tx.RetrySuspended(1)
		if v.Outcome != rating.OutcomeRated || v.Customer == nil || v.Customer.ID != s.one.ID {
			t.Errorf("retried = %s for %+v, want rated for account %d", v.Outcome, v.Customer, s.one.ID)
		}
		return err
	})
	two.Enabled = false
	s.put(two)
	if got := s.call("later", "", "10.1.1.1", "4822", "15"); got != byOne {
		t.Errorf("with the narrower one switched off = %s, want %s", got, byOne)
	}
	clean(t, s.db)
}

func TestRatingAgainKeepsTheCustomersAuth(t *testing.T) {
	s := newAuthStore(t)
	auth := s.put(&CustomersAuth{Name: "two", Enabled: true, Account: s.two.ID, RatePlan: s.dear, IPs: []string{"10.0.0.0/8"}})
	if got, want := s.call("a", "", "10.1.1.1", "48", "1"), fmt.Sprintf("%d %d %d 0.2", s.two.ID, auth.ID, s.dear); got != want {
		t.Fatalf("call = %s, want %s", got, want)
	}
	// Neither its being switched off nor a closer match changes who paid; its plan is the one of now.
	auth.Enabled, auth.RatePlan = false, rating.DefaultPlan
	s.put(auth)
	s.put(&CustomersAuth{Name: "closer", Enabled: true, Account: s.one.ID, RatePlan: s.dear, IPs: []string{"10.1.1.1"}})
	sum := rerateAll(t, s.db)
	if sum.Changed != 1 || sum.Failed != 0 {
		t.Errorf("rerate = %+v, want one call changed", sum)
	}
	var id rating.CDRID
	if err := s.db.View(context.Background(), func(tx *Tx) error {
		return tx.EachCallOf(bCDRCustomer, s.two.ID, 0, 0, func(c *rating.CDR) (bool, error) { id = c.ID; return true, nil })
	}); err != nil {
		t.Fatal(err)
	}
	if got, want := s.charged(id), fmt.Sprintf("%d %d 1 0.1", s.two.ID, auth.ID); got != want {
		t.Errorf("rated again = %s, want %s", got, want)
	}
	clean(t, s.db)
}

func TestAnAccountThatIsNamedStaysOpen(t *testing.T) {
	s := newAuthStore(t)
	auth := s.put(&CustomersAuth{Name: "one", Enabled: true, Account: s.one.ID, RatePlan: s.dear, IPs: []string{"10.0.0.0/8"}})
	close := func(id rating.AccountID) error {
		return s.db.Update(context.Background(), func(tx *Tx) error { return tx.CloseAccount(id) })
	}
	if err := close(s.one.ID); rating.KindOf(err) != rating.Conflict || err == nil || !strings.Contains(err.Error(), "customers-auths") {
		t.Errorf("close = %v, want a conflict with its customers-auths", err)
	}
	var dialpeer rating.Rate
	mustUpdate(t, s.db, func(tx *Tx) error {
		deck, err := tx.DialpeerDeck(s.two)
		if err != nil {
			return err
		}
		dialpeer = rating.Rate{Deck: deck.ID, Prefix: "48", Terms: rating.Terms{First: rating.Step{Seconds: 1}, Next: rating.Step{Seconds: 1}}}
		return tx.Rates.Put(&dialpeer)
	})
	if err := close(s.two.ID); rating.KindOf(err) != rating.Conflict || err == nil || !strings.Contains(err.Error(), "dialpeers") {
		t.Errorf("close = %v, want a conflict with its dialpeers", err)
	}
	mustUpdate(t, s.db, func(tx *Tx) error {
		if again, err := tx.DialpeerDeck(s.two); err != nil || again.ID != dialpeer.Deck {
			t.Errorf("deck of dialpeers = %v, %v, want deck %d again", again, err, dialpeer.Deck)
		}
		if err := tx.Rates.Delete(uint64(dialpeer.ID)); err != nil {
			return err
		}
		return tx.CustomersAuths.Delete(auth.ID)
	})
	for _, id := range []rating.AccountID{s.one.ID, s.two.ID} {
		if err := close(id); err != nil {
			t.Errorf("close = %v, want it closed", err)
		}
	}
	if err := s.db.View(context.Background(), func(tx *Tx) error {
		if tx.Decks.Has(uint64(dialpeer.Deck)) {
			t.Errorf("the empty deck of a closed vendor is kept")
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	clean(t, s.db)
}

func TestNetworksAreReadAsTheyAreWritten(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"10.0.0.1", "10.0.0.1/32"},
		{"10.1.2.3/8", "10.0.0.0/8"},
		{"::1", "::1/128"},
		{"2001:db8::7/32", "2001:db8::/32"},
		{"::ffff:10.0.0.1", "10.0.0.1/32"},
		{"::ffff:10.0.0.1/104", "10.0.0.0/8"},
		{"0.0.0.0/0", "0.0.0.0/0"},
		{"10.0.0.0/33", ""},
		{"10.0.0.0/255.0.0.0", ""},
		{"fe80::1%eth0", ""},
		{"example.org", ""},
		{"", ""},
	} {
		got := ""
		if p, ok := ParseNetwork(tt.text); ok {
			got = p.String()
		}
		if got != tt.want {
			t.Errorf("ParseNetwork(%q) = %q, want %q", tt.text, got, tt.want)
		}
	}
}
