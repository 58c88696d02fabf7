package storage

import (
	"context"
	"strings"
	"testing"
	"time"

	"billd/rating"
)

// save keeps a source whose pay rules name accounts by number, name or UUID.
func (s *authStore) save(src Source, pay ...string) {
	s.t.Helper()
	mustUpdate(s.t, s.db, func(tx *Tx) error {
		src.Pay = nil
		for _, text := range pay {
			r, err := rating.ParsePayRule(text, func(ref string) (rating.AccountID, error) {
				a, err := tx.AccountByRef(ref)
				if err != nil {
					return 0, err
				}
				return a.ID, nil
			})
			if err != nil {
				return err
			}
			src.Pay = append(src.Pay, r)
		}
		return tx.SaveSource(&src)
	})
}

// from charges a minute of a source and returns what became of it, with the payer and the number that was rated.
func (s *authStore) from(source, id string, set func(*rating.Call)) (rating.Verdict, *rating.CDR) {
	s.t.Helper()
	c := &rating.Call{}
	c.SetTime(rating.CDRTimeStart, testClock.Add(-time.Hour))
	c.SetInt(rating.CDRDuration, 60)
	c.SetText(rating.CDRCallID, id)
	c.SetText(rating.CDRSource, source)
	c.SetText(rating.CDRDstPrefixIn, "0044 20 7946")
	c.SetText(rating.CDRSrcPrefixIn, "030123456")
	c.SetText(rating.CDRAuthOrigIP, "192.0.2.7")
	if set != nil {
		set(c)
	}
	v, err := s.db.ChargeNow(context.Background(), []Record{{Call: c}})
	if err != nil {
		s.t.Fatal(err)
	}
	return v[0], s.stored(v[0].ID)
}

func (s *authStore) stored(id rating.CDRID) *rating.CDR {
	s.t.Helper()
	var cdr rating.CDR
	if id != 0 {
		if err := s.db.View(context.Background(), func(tx *Tx) error { return tx.CDR(id, &cdr) }); err != nil {
			s.t.Fatal(err)
		}
	}
	return &cdr
}

func TestASourceTellsWhoPaysByItsRulesInOrder(t *testing.T) {
	for _, tt := range []struct {
		name string
		pay  []string
		set  func(*rating.Call)
		want string // account and rule, or the reason
	}{
		{"by the account that the record names", []string{"account", "all = Two"}, func(c *rating.Call) { c.AccountRef = "One" }, "2 account"},
		{"an account that is not there pays for nothing", []string{"account", "all = Two"}, func(c *rating.Call) { c.AccountRef = "Nobody" }, "no_account"},
		{"unless only a known one counts", []string{"known account", "all = Two"}, func(c *rating.Call) { c.AccountRef = "Nobody" }, "3 all"},
		{"by the account code", []string{"code 77 = One", "all = Two"}, func(c *rating.Call) { c.AccountRef = "77" }, "2 code 77"},
		{"by the address", []string{"ip 198.51.100.0/24 = One", "ip 192.0.2.0/24 = Two"}, nil, "3 ip 192.0.2.0/24"},
		{"by the caller as it is rated", []string{"caller 4930 = One"}, nil, "2 caller 4930"},
		{"not by the caller as it came", []string{"caller 030 = One"}, nil, "no_account"},
		{"by the number that is called", []string{"called 4420 = Two"}, nil, "3 called 4420"},
		{"by the gateway", []string{"gateway trunk1 = Two"}, func(c *rating.Call) { c.Gateway = "trunk1" }, "3 gateway trunk1"},
		{"by customers-auths", []string{"auths", "all = Two"}, nil, "2 customers-auth 1"},
		{"no rule holds", []string{"code 5 = One"}, nil, "no_account"},
		{"without rules as ever", nil, nil, "2 "},
		{"the record's number of an account goes before all", []string{"all = Two"}, func(c *rating.Call) { c.SetInt(rating.CDRCustomerAccID, 2) }, "2 customer_acc_id"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newAuthStore(t)
			s.put(&CustomersAuth{Name: "a", Enabled: true, Account: s.one.ID, RatePlan: rating.DefaultPlan, IPs: []string{"192.0.2.7"}})
			s.save(Source{Name: "gw", Called: []string{"country DE"}, Caller: []string{"country DE"}}, tt.pay...)
			v, cdr := s.from("gw", "x", tt.set)
			got := v.Reason
			if got == "" {
				m, ok := cdr.Matching()
				if !ok || m.Profile != "gw" || m.Revision != 1 {
					t.Errorf("matching = %+v, %v, want revision 1 of gw", m, ok)
				}
				got = cdr.Format(rating.CDRCustomerAccID) + " " + m.Rule
				if n := cdr.Text(rating.CDRDstPrefixRouting) + " " + cdr.Text(rating.CDRSrcPrefixRouting); n != "44207946 4930123456" {
					t.Errorf("rated numbers = %s", n)
				}
			}
			if got != tt.want {
				t.Errorf("paid by %q (%s), want %q", got, v.Detail, tt.want)
			}
			clean(t, s.db)
		})
	}
}

// TestAChangedSourceChangesNoStoredCall delivers a call again after its source was changed, and tries one in suspense by
// the source as it then is.
func TestAChangedSourceChangesNoStoredCall(t *testing.T) {
	s := newAuthStore(t)
	s.save(Source{Name: "gw", Called: []string{"country DE"}}, "all = One")
	first, cdr := s.from("gw", "a", nil)
	wrong, _ := s.from("gw", "b", func(c *rating.Call) { c.SetText(rating.CDRDstPrefixIn, "9,0044207946") })
	if wrong.Reason != rating.ReasonNoRate {
		t.Fatalf("a number with a 9 in front: %+v, want no rate", wrong)
	}
	s.save(Source{Name: "gw", Called: []string{"digits", "strip 9", "country DE"}}, "all = Two")
	again, _ := s.from("gw", "a", nil)
	if again.Outcome != rating.OutcomeDuplicate || again.ID != first.ID || *s.stored(first.ID) != *cdr {
		t.Errorf("delivered again = %+v, want a duplicate of %d as it was", again, first.ID)
	}
	mustUpdate(t, s.db, func(tx *Tx) error {
		v, err := tx.RetrySuspended(wrong.Suspense)
		if v.Outcome != rating.OutcomeRated || v.Customer.ID != s.two.ID {
			t.Errorf("tried again = %+v, want it charged to account %d", v, s.two.ID)
		}
		return err
	})
	clean(t, s.db)
}

func TestACallThatCameInIsRatedInbound(t *testing.T) {
	s := newAuthStore(t)
	mustUpdate(t, s.db, func(tx *Tx) error {
		step := rating.Step{Seconds: 60, Price: 7_000_000}
		return tx.Rates.Put(&rating.Rate{Deck: rating.DefaultDeck, Prefix: "4420", Direction: rating.Inbound, Terms: rating.Terms{First: step, Next: step}})
	})
	s.save(Source{Name: "in", Called: []string{"country DE"}, Inbound: []string{InboundAll}}, "called 4420 = One")
	s.save(Source{Name: "out", Called: []string{"country DE"}}, "all = One")
	in, cdr := s.from("in", "a", nil)
	out, _ := s.from("out", "a", nil)
	if in.Price != 7_000 || out.Price != 100_000 {
		t.Errorf("inbound %s, outbound %s, want 0.007 and 0.1", in.Price, out.Price)
	}
	if m, _ := cdr.Matching(); m.Direction != "inbound" {
		t.Errorf("matching = %+v, want inbound", m)
	}
	report, err := s.db.Rerate(context.Background(), RerateSpan{}, false, func(int) {})
	if err != nil || report.Changed != 0 || report.Same != 2 {
		t.Errorf("rerating = %+v, %v, want nothing changed", report, err)
	}
	clean(t, s.db)
}

func TestSourcesThatCannotBe(t *testing.T) {
	s := newAuthStore(t)
	for _, tt := range []struct {
		name string
		src  Source
		want string
	}{
		{"no name", Source{}, "source name"},
		{"a name with a question mark", Source{Name: "a?b"}, "source name"},
		{"a rule that is none", Source{Name: "a", Called: []string{"lose 9"}}, "number rule"},
		{"an account that is not there", Source{Name: "a", Pay: []rating.PayRule{{By: rating.PayByAll, Account: 99}}}, "99 does not exist"},
		{"a network that is none", Source{Name: "a", Pay: []rating.PayRule{{By: rating.PayByIP, Match: "x", Account: 2}}}, "want a network"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := s.db.Update(t.Context(), func(tx *Tx) error { return tx.SaveSource(&tt.src) })
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("SaveSource = %v, want %s", err, tt.want)
			}
		})
	}
}

// TestSourcesOutliveARestart reads the rules from the store.
func TestSourcesOutliveARestart(t *testing.T) {
	s := newAuthStore(t)
	s.save(Source{Name: "gw", Called: []string{"country DE"}}, "all = Two")
	if err := s.db.Close(); err != nil {
		t.Fatal(err)
	}
	s.db = openAt(t, s.path)
	if v, cdr := s.from("gw", "x", nil); v.Outcome != rating.OutcomeRated || cdr.Customer() != s.two.ID {
		t.Errorf("after a restart = %+v", v)
	}
}
