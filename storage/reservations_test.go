package storage

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"billd/rating"
	"billd/storage/bolt"
)

// authRig is a store with a rate of 0.06 a minute and an account that holds money.
type authRig struct {
	*DB
	t     *testing.T
	clock time.Time
	a     *rating.Account
}

func newAuthRig(t *testing.T, balance string) *authRig {
	t.Helper()
	r := &authRig{t: t, clock: testClock}
	e, err := openEngine(filepath.Join(t.TempDir(), "billd.db"), bolt.Options{Buckets: BucketNames(), FillPercent: FillPercents(), NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	if r.DB, err = Open(context.Background(), e, Options{Now: func() time.Time { return r.clock }}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.DB.Close() })
	priceAt(t, r.DB, 60_000_000)
	r.a = &rating.Account{Name: "Northfield", Contractor: 1}
	amount, err := rating.ParseMoney(balance)
	if err != nil {
		t.Fatal(err)
	}
	r.do(func(tx *Tx) error {
		if err := tx.CreateAccount(r.a); err != nil {
			return err
		}
		return tx.SetBalance(r.a, amount, "")
	})
	return r
}

func (r *authRig) do(fn func(*Tx) error) {
	r.t.Helper()
	if err := r.Update(context.Background(), fn); err != nil {
		r.t.Fatal(err)
	}
}

// ask makes a request of Northfield to 44 20.
func ask(callID string, seconds uint32) AuthRequest {
	c := &rating.Call{AccountRef: "Northfield"}
	c.SetText(rating.CDRDstPrefixRouting, "4420")
	c.SetText(rating.CDRCallID, callID)
	return AuthRequest{Call: c, Seconds: seconds}
}

func (r *authRig) authorise(req AuthRequest) (g rating.Grant, made *Reservation) {
	r.t.Helper()
	r.do(func(tx *Tx) (err error) {
		g, made, err = tx.Authorise(req)
		return err
	})
	return g, made
}

func (r *authRig) reserved() string {
	r.t.Helper()
	var m rating.Money
	r.do(func(tx *Tx) (err error) {
		m, err = tx.ReservedAmount(r.a)
		return err
	})
	return m.String()
}

// end charges a call of Northfield's that talked for some seconds.
func (r *authRig) end(callID string, seconds int64, change ...func(*rating.Call)) rating.Verdict {
	r.t.Helper()
	c := &rating.Call{AccountRef: "Northfield"}
	c.SetTime(rating.CDRTimeStart, r.clock.Add(-time.Duration(seconds)*time.Second))
	c.SetInt(rating.CDRDuration, seconds)
	c.SetText(rating.CDRCallID, callID)
	c.SetText(rating.CDRSource, "test")
	c.SetText(rating.CDRDstPrefixRouting, "4420")
	for _, f := range change {
		f(c)
	}
	v, err := r.ChargeNow(context.Background(), []Record{{Call: c}})
	if err != nil {
		r.t.Fatal(err)
	}
	return v[0]
}

func TestACallIsAuthorisedReservedAndSettledByItsRecord(t *testing.T) {
	r := newAuthRig(t, "0.15")
	g, made := r.authorise(ask("a", 0))
	if g.Seconds != 120 || g.Amount.String() != "0.12" || made.ExpiresAt.Sub(testClock) != (120+300)*time.Second {
		t.Errorf("granted %d s for %s until %s, want 120 s for 0.12 and 420 s on", g.Seconds, g.Amount, made.ExpiresAt)
	}
	if again, same := r.authorise(ask("a", 0)); again.Refused != "" || same.ID != made.ID || r.reserved() != "0.12" {
		t.Errorf("the same call again = %q, reservation %d and %s reserved, want %d and 0.12", again.Refused, same.ID, r.reserved(), made.ID)
	}
	if g, _ := r.authorise(ask("b", 0)); g.Refused != rating.RefusedBalance {
		t.Errorf("a second call on what is left = %q, want %q", g.Refused, rating.RefusedBalance)
	}
	if v := r.end("a", 61); v.Price.String() != "0.12" || r.reserved() != "0.0" || balanceOf(t, r.DB, r.a) != "0.03" {
		t.Errorf("charged %s, %s reserved, balance %s, want 0.12, 0.0 and 0.03", v.Price, r.reserved(), balanceOf(t, r.DB, r.a))
	}
	clean(t, r.DB)
	r.authorise(ask("a", 0)) // refused, but were it not: a duplicate settles nothing
	if v := r.end("a", 61); v.Outcome != rating.OutcomeDuplicate {
		t.Errorf("the same record again = %s, want duplicate", v.Outcome)
	}
	clean(t, r.DB)
}

func TestWhichRecordsSettleAReservation(t *testing.T) {
	for _, tt := range []struct {
		name   string
		callID string
		change func(*rating.Call)
		left   string
	}{
		{"its own", "a", func(*rating.Call) {}, "0.0"},
		{"one of a failed call", "a", func(c *rating.Call) { c.SetInt(rating.CDRDuration, 0) }, "0.0"},
		{"one that names it as the leg it came from", "x", func(c *rating.Call) { c.SetText(rating.CDROrigCallID, "a") }, "0.0"},
		{"another call's", "b", func(*rating.Call) {}, "0.06"},
		{"an attempt that another one follows", "a", func(c *rating.Call) { c.SetBool(rating.CDRIsLastCDR, false) }, "0.06"},
		{"one that cannot be charged", "a", func(c *rating.Call) { c.SetText(rating.CDRDstPrefixRouting, "999") }, "0.06"},
		{"another account's", "a", func(c *rating.Call) { c.AccountRef = "master" }, "0.06"},
		{"history", "a", func(c *rating.Call) { c.Rated = true; c.SetInt(rating.CDRCustomerPrice, 5) }, "0.06"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newAuthRig(t, "5")
			r.authorise(ask("a", 60))
			r.end(tt.callID, 60, tt.change)
			if got := r.reserved(); got != tt.left {
				t.Errorf("%s reserved, want %s", got, tt.left)
			}
			clean(t, r.DB)
		})
	}
}

func TestAHeldRecordSettlesWhenItIsCharged(t *testing.T) {
	r := newAuthRig(t, "5")
	r.authorise(ask("a", 60))
	r.do(func(tx *Tx) error {
		id, err := tx.RateOfPrefix(rating.DefaultDeck, "44")
		if err != nil {
			return err
		}
		return tx.Rates.Delete(uint64(id))
	})
	if v := r.end("a", 60); v.Reason != rating.ReasonNoRate || r.reserved() != "0.06" {
		t.Errorf("reason %q and %s reserved, want no_rate and 0.06", v.Reason, r.reserved())
	}
	priceAt(t, r.DB, 60_000_000)
	if err := r.RetrySuspense(t.Context(), SuspenseFilter{}, nil, func([]rating.Verdict) {}); err != nil {
		t.Fatal(err)
	}
	if got := r.reserved(); got != "0.0" {
		t.Errorf("%s reserved, want 0.0", got)
	}
	clean(t, r.DB)
}

func TestReservationsAreExtendedReleasedAndExpire(t *testing.T) {
	r := newAuthRig(t, "0.2")
	_, made := r.authorise(ask("a", 60))
	extend := func(by uint32) (g rating.Grant, err error) {
		err = r.Update(t.Context(), func(tx *Tx) (err error) { g, _, err = tx.ExtendReservation(made.ID, by); return err })
		return g, err
	}
	for _, tt := range []struct {
		by       uint32
		refused  string
		seconds  uint32
		reserved string
	}{{30, "", 90, "0.12"}, {30, "", 120, "0.12"}, {600, "", 180, "0.18"}, {1, rating.RefusedBalance, 0, "0.18"}} {
		g, err := extend(tt.by)
		if err != nil {
			t.Fatal(err)
		}
		if got := r.reserved(); g.Refused != tt.refused || g.Refused == "" && g.Seconds != tt.seconds || got != tt.reserved {
			t.Errorf("%d s more: %q, %d s and %s reserved, want %q, %d and %s", tt.by, g.Refused, g.Seconds, got, tt.refused, tt.seconds, tt.reserved)
		}
	}
	clean(t, r.DB)
	r.clock = testClock.Add(480*time.Second - time.Millisecond)
	if got := r.reserved(); got != "0.18" {
		t.Errorf("a moment before it expires %s is reserved, want 0.18", got)
	}
	r.clock = r.clock.Add(time.Millisecond)
	if got := r.reserved(); got != "0.0" {
		t.Errorf("when it expires %s is reserved, want 0.0 before anything sweeps", got)
	}
	if _, err := extend(1); rating.KindOf(err) != rating.NotFound {
		t.Errorf("extending an expired one = %v, want NotFound", err)
	}
	if g, next := r.authorise(ask("a", 60)); g.Refused != "" || next.ID == made.ID {
		t.Errorf("the same call id after it = %q, want another reservation", g.Refused)
	}
	clean(t, r.DB)
	r.authorise(ask("b", 60))
	r.clock = r.clock.Add(time.Hour)
	r.do(func(tx *Tx) error {
		if n, err := tx.ExpireReservations(); n != 2 || err != nil {
			t.Errorf("swept %d, %v, want 2", n, err)
		}
		if n := tx.Reservations.Count() + tx.OpenReservations(); n != 0 {
			t.Errorf("%d are left, want none", n)
		}
		return nil
	})
	_, made = r.authorise(ask("c", 60))
	for _, want := range []rating.Kind{0, rating.NotFound} {
		err := r.Update(t.Context(), func(tx *Tx) error { _, err := tx.ReleaseReservation(made.ID); return err })
		if want == 0 && err != nil || want != 0 && rating.KindOf(err) != want {
			t.Errorf("release = %v, want kind %s", err, want)
		}
	}
	if got := r.reserved(); got != "0.0" {
		t.Errorf("released, but %s is reserved", got)
	}
	clean(t, r.DB)
}

func TestACallIDOfAnotherNumberIsRefused(t *testing.T) {
	r := newAuthRig(t, "5")
	r.authorise(ask("a", 60))
	other := ask("a", 60)
	other.Call.SetText(rating.CDRDstPrefixRouting, "4499")
	err := r.Update(t.Context(), func(tx *Tx) error { _, _, err := tx.Authorise(other); return err })
	if rating.KindOf(err) != rating.Conflict || r.reserved() != "0.06" {
		t.Errorf("another number = %v and %s reserved, want a conflict and 0.06", err, r.reserved())
	}
}

func TestBundledSecondsAreReservedBeforeMoney(t *testing.T) {
	r := newAuthRig(t, "1")
	s := packaged(t, r.DB, r.a, 100)
	first, held := r.authorise(ask("a", 0))
	if first.Seconds != 100 || first.Counter == 0 || held.Amount != 0 || held.CounterSeconds != 120 {
		t.Errorf("the first call: %d s of counter %d for %s, %d s held, want 100, one, 0.0 and 120", first.Seconds, first.Counter, held.Amount, held.CounterSeconds)
	}
	second, made := r.authorise(ask("b", 60))
	if second.Counter != 0 || made.Amount.String() != "0.06" {
		t.Errorf("the second call: counter %d for %s, want money, 0.06", second.Counter, made.Amount)
	}
	// b ends first and leaves the seconds to a
	if v := r.end("b", 60); v.Price.String() != "0.06" || left(t, r.DB, s) != 100 {
		t.Errorf("b: %s and %d s left, want 0.06 and 100", v.Price, left(t, r.DB, s))
	}
	if v := r.end("a", 100); v.Price != 0 || left(t, r.DB, s) != -20 {
		t.Errorf("a: %s and %d s left, want free and -20", v.Price, left(t, r.DB, s))
	}
	clean(t, r.DB)
}

func TestCapacitiesCountOpenReservations(t *testing.T) {
	n := func(v int64) *int64 { return &v }
	for _, tt := range []struct {
		name   string
		change func(payer, vendor *rating.Account)
		calls  int
		want   string
	}{
		{"origination", func(p, _ *rating.Account) { p.OriginationCapacity = n(2) }, 2, rating.RefusedOrigination},
		{"total of the payer", func(p, _ *rating.Account) { p.TotalCapacity = n(1) }, 1, rating.RefusedTotal},
		{"termination", func(_, v *rating.Account) { v.TerminationCapacity = n(1) }, 1, rating.RefusedTermination},
		{"total of the vendor", func(_, v *rating.Account) { v.TotalCapacity = n(2) }, 2, rating.RefusedTotal},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newAuthRig(t, "5")
			vendor := &rating.Account{Name: "Carrier", Contractor: 1}
			r.do(func(tx *Tx) error {
				if err := tx.CreateAccount(vendor); err != nil {
					return err
				}
				tt.change(r.a, vendor)
				if err := tx.SaveAccount(vendor); err != nil {
					return err
				}
				return tx.SaveAccount(r.a)
			})
			req := func(i int) AuthRequest {
				q := ask(fmt.Sprint(i), 60)
				q.Call.VendorRef = "Carrier"
				return q
			}
			for i := range tt.calls {
				if g, _ := r.authorise(req(i)); g.Refused != "" {
					t.Fatalf("call %d: %s, %s", i, g.Refused, g.Detail)
				}
			}
			if g, _ := r.authorise(req(tt.calls)); g.Refused != tt.want {
				t.Errorf("one more = %q, want %q", g.Refused, tt.want)
			}
			r.end("0", 10)
			if g, _ := r.authorise(req(tt.calls)); g.Refused != "" {
				t.Errorf("after one has ended = %q, want it allowed", g.Refused)
			}
			clean(t, r.DB)
		})
	}
}

func TestRefusals(t *testing.T) {
	n := func(v int64) *int64 { return &v }
	save := func(change func(*rating.Account)) func(*authRig, *AuthRequest) {
		return func(r *authRig, _ *AuthRequest) {
			r.do(func(tx *Tx) error { a := *r.a; change(&a); return tx.SaveAccount(&a) })
		}
	}
	number := func(to string) func(*authRig, *AuthRequest) {
		return func(_ *authRig, q *AuthRequest) { q.Call.SetText(rating.CDRDstPrefixRouting, to) }
	}
	for _, tt := range []struct {
		name   string
		change func(*authRig, *AuthRequest)
		want   string
	}{
		{"it is allowed", func(*authRig, *AuthRequest) {}, ""},
		{"nobody", func(_ *authRig, q *AuthRequest) { q.Call.AccountRef = "nobody" }, rating.ReasonNoAccount},
		{"no number", number(""), rating.ReasonNoNumber},
		{"no rate", number("999"), rating.ReasonNoRate},
		{"an emergency number, whatever the balance", func(r *authRig, q *AuthRequest) {
			number("999")(r, q)
			save(func(a *rating.Account) { a.MinBalance, a.MaxBalance, a.OriginationCapacity = "100.0", "100.0", n(0) })(r, q)
			r.do(func(tx *Tx) error { s := *tx.Settings(); s.Always = []string{"112", "999"}; return tx.SaveSettings(&s) })
		}, ""},
		{"disabled", save(func(a *rating.Account) { a.Disabled = true }), rating.RefusedDisabled},
		{"closed", func(r *authRig, q *AuthRequest) {
			q.Call.AccountRef = fmt.Sprint(r.a.ID)
			r.do(func(tx *Tx) error { a := *r.a; a.ClosedAt = testClock; return tx.Accounts.Put(&a) })
		}, rating.RefusedClosed},
		{"at its floor", save(func(a *rating.Account) { a.MinBalance, a.MaxBalance = "5.0", "9.0" }), rating.RefusedBalance},
		{"credit", save(func(a *rating.Account) { a.MinBalance = "-5.0" }), ""},
		{"a rate too dear", save(func(a *rating.Account) { a.DestinationRateLimit = "0.05" }), rating.RefusedRateLimit},
		{"calls of no length", save(func(a *rating.Account) { a.MaxCallDuration = n(0) }), rating.RefusedLength},
		{"a blocked prefix", func(r *authRig, _ *AuthRequest) {
			r.do(func(tx *Tx) error {
				id, err := tx.RateOfPrefix(rating.DefaultDeck, "44")
				if err != nil {
					return err
				}
				rate, err := tx.Rates.Get(uint64(id))
				if err != nil {
					return err
				}
				rate.Blocked = true
				return tx.Rates.Put(rate)
			})
		}, rating.RefusedBlocked},
		{"a deck in another currency", save(func(a *rating.Account) { a.Currency = rating.Currency{'U', 'S', 'D'}; a.MinBalance = "-9.0" }), rating.ReasonCurrency},
		{"a vendor that nobody knows", func(_ *authRig, q *AuthRequest) { q.Call.VendorRef = "nobody" }, rating.RefusedVendor},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newAuthRig(t, "5")
			q := ask("a", 60)
			tt.change(r, &q)
			g, made := r.authorise(q)
			if g.Refused != tt.want || (made == nil) != (tt.want != "") || (g.Seconds > 0) != (tt.want == "") {
				t.Errorf("refused %q (%s), %d s, reservation %v, want %q", g.Refused, g.Detail, g.Seconds, made, tt.want)
			}
			clean(t, r.DB)
		})
	}
}

func TestTheCustomersAuthSaysWhetherACallMayBegin(t *testing.T) {
	n := func(v int64) *int64 { return &v }
	for _, tt := range []struct {
		name   string
		change func(*CustomersAuth)
		calls  int
		want   string
	}{
		{"it pays", func(*CustomersAuth) {}, 0, ""},
		{"it rejects", func(a *CustomersAuth) { a.Reject = true }, 0, rating.RefusedByAuth},
		{"it is full", func(a *CustomersAuth) { a.Capacity = n(2) }, 2, rating.RefusedAuth},
		{"balance is asked", func(*CustomersAuth) {}, 1, rating.RefusedBalance},
		{"balance is not asked", func(a *CustomersAuth) { a.CheckBalance = false }, 1, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newAuthRig(t, "0.06")
			if tt.want == rating.RefusedAuth {
				r = newAuthRig(t, "5")
			}
			r.do(func(tx *Tx) error {
				a := &CustomersAuth{Name: "x", Enabled: true, Customer: 1, Account: r.a.ID, RatePlan: rating.DefaultPlan, IPs: []string{"192.0.2.0/24"}, CheckBalance: true}
				tt.change(a)
				return tx.CustomersAuths.Put(a)
			})
			req := func(i int) AuthRequest {
				q := ask(fmt.Sprint(i), 60)
				q.Call.AccountRef = ""
				q.Call.SetText(rating.CDRAuthOrigIP, "192.0.2.9")
				return q
			}
			for i := range tt.calls {
				if g, _ := r.authorise(req(i)); g.Refused != "" {
					t.Fatalf("call %d: %s, %s", i, g.Refused, g.Detail)
				}
			}
			if g, _ := r.authorise(req(9)); g.Refused != tt.want {
				t.Errorf("refused %q (%s), want %q", g.Refused, g.Detail, tt.want)
			}
			clean(t, r.DB)
		})
	}
}
