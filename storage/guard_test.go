package storage

import (
	"errors"
	"strings"
	"testing"
	"time"

	"billd/rating"
)

// limit makes a rule.
func limit(t *testing.T, r rating.GuardRule, action, figure, until string) rating.GuardLimit {
	t.Helper()
	l, err := rating.ParseGuardLimit(r, action, figure, until)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func guardOf(t *testing.T, r rating.GuardRule, action, figure, until string) (g rating.Guard) {
	t.Helper()
	g.Rules[r] = limit(t, r, action, figure, until)
	return g
}

// alarms returns the words of the rules that raised alarms, in order.
func (r *authRig) alarms() (words []string) {
	r.t.Helper()
	r.do(func(tx *Tx) error {
		return tx.EachAlarm(0, 0, func(m *GuardAlarm) (bool, error) {
			words = append(words, m.Rule)
			return true, nil
		})
	})
	return words
}

// messages returns the events in the outbox, in order.
func (r *authRig) messages() (events []string) {
	r.t.Helper()
	r.do(func(tx *Tx) error {
		return tx.Messages.Each(0, func(m *Message) (bool, error) {
			events = append(events, m.Event)
			return true, nil
		})
	})
	return events
}

func TestSpendOfAnHourBlocksUntilLifted(t *testing.T) {
	r := newAuthRig(t, "100")
	r.do(func(tx *Tx) error {
		if _, err := tx.ChangeSettings(map[string]string{"events.url": "http://127.0.0.1:1/events"}); err != nil {
			return err
		}
		return tx.SetGuardDefaults(guardOf(t, rating.GuardSpendHour, "block", "0.12", "lifted"))
	})
	r.clock = r.clock.Add(30 * time.Minute)
	r.end("a", 60)
	r.end("b", 60)
	if g, _ := r.authorise(ask("c", 60)); g.Refused != "" {
		t.Fatalf("at the limit: refused %s, %s, want it allowed", g.Refused, g.Detail)
	}
	r.end("c", 60)
	g, _ := r.authorise(ask("d", 60))
	if want := "account 2: fraud guard, spend-hour 0.18 EUR from 2026-11-21 12:00 to 2026-11-21 13:00 UTC, limit 0.12 EUR"; g.Refused != rating.RefusedGuard || g.Detail != want {
		t.Errorf("beyond the limit: refused %q, %q, want %q, %q", g.Refused, g.Detail, rating.RefusedGuard, want)
	}
	if v := r.end("e", 60); v.Outcome != rating.OutcomeRated {
		t.Errorf("a call of a blocked account = %s, want it charged", v.Outcome)
	}
	if got := strings.Join(r.alarms(), " "); got != "spend-hour" {
		t.Errorf("alarms = %q, want one of spend-hour", got)
	}
	if got := strings.Join(r.messages(), " "); got != eventGuardBlocked {
		t.Errorf("messages = %q, want one %s", got, eventGuardBlocked)
	}
	r.clock = r.clock.Add(30 * time.Hour)
	if g, _ := r.authorise(ask("f", 60)); g.Refused != rating.RefusedGuard {
		t.Errorf("a day later: refused %q, want it blocked still", g.Refused)
	}
	r.do(func(tx *Tx) error {
		_, err := tx.LiftGuard(r.a.ID)
		return err
	})
	if g, _ := r.authorise(ask("g", 60)); g.Refused != "" {
		t.Errorf("after it was lifted: refused %s, %s, want it allowed", g.Refused, g.Detail)
	}
	if got, want := strings.Join(r.messages(), " "), eventGuardBlocked+" "+eventGuardLifted; got != want {
		t.Errorf("messages = %q, want %q", got, want)
	}
	clean(t, r.DB)
}

// guardRig is authRig with money enough, in the middle of an hour, and a rate for satellites.
func newGuardRig(t *testing.T) *authRig {
	t.Helper()
	r := newAuthRig(t, "1000")
	r.clock = r.clock.Add(30 * time.Minute)
	r.do(func(tx *Tx) error {
		if _, err := tx.ChangeSettings(map[string]string{"events.url": "http://127.0.0.1:1/events"}); err != nil {
			return err
		}
		return tx.Rates.Put(&rating.Rate{Deck: rating.DefaultDeck, Prefix: "881", Terms: rating.Terms{First: rating.Step{Seconds: 60, Price: 60_000_000}, Next: rating.Step{Seconds: 60, Price: 60_000_000}}})
	})
	return r
}

func to(number string) func(*rating.Call) {
	return func(c *rating.Call) { c.SetText(rating.CDRDstPrefixRouting, number) }
}

// passers make what passes each rule's limit with the last of their calls, and not before.
var passers = []struct {
	rule   rating.GuardRule
	figure string
	night  rating.GuardNight
	call   func(r *authRig, n int)
	calls  int
	window time.Duration // from the rig's clock to the end of the rule's window
}{
	{rating.GuardSpendHour, "0.12", rating.GuardNight{}, func(r *authRig, n int) { r.end(decimalText(uint64(n)), 60) }, 3, 30 * time.Minute},
	{rating.GuardSpendDay, "0.12", rating.GuardNight{}, func(r *authRig, n int) { r.end(decimalText(uint64(n)), 60) }, 3, 11*time.Hour + 30*time.Minute},
	{rating.GuardRiskCalls, "2", rating.GuardNight{}, func(r *authRig, n int) { r.end(decimalText(uint64(n)), 1, to("8811")) }, 3, 30 * time.Minute},
	{rating.GuardRiskMinutes, "2", rating.GuardNight{}, func(r *authRig, n int) { r.end(decimalText(uint64(n)), 50, to("8811")) }, 3, 30 * time.Minute},
	{rating.GuardConcurrent, "2", rating.GuardNight{}, func(r *authRig, n int) { r.authorise(ask(decimalText(uint64(n)), 7000)) }, 3, 30 * time.Minute},
	{rating.GuardNightCalls, "2", rating.GuardNight{From: 12 * 60, Till: 13 * 60}, func(r *authRig, n int) { r.end(decimalText(uint64(n)), 1) }, 3, 30 * time.Minute},
	{rating.GuardNightSpend, "0.12", rating.GuardNight{From: 11 * 60, Till: 2 * 60}, func(r *authRig, n int) { r.end(decimalText(uint64(n)), 60) }, 3, 13*time.Hour + 30*time.Minute},
}

func TestEachRuleWithEachAction(t *testing.T) {
	for _, p := range passers {
		for _, how := range []struct{ action, until string }{{"notify", ""}, {"block", "lifted"}, {"block", "window"}} {
			t.Run(p.rule.String()+" "+how.action+" "+how.until, func(t *testing.T) {
				r := newGuardRig(t)
				g := guardOf(t, p.rule, how.action, p.figure, how.until)
				g.Night = p.night
				r.do(func(tx *Tx) error { return tx.SetGuard(r.a.ID, g) })
				for n := range p.calls {
					if len(r.alarms()) != 0 {
						t.Fatalf("an alarm after %d calls, want none", n)
					}
					p.call(r, n)
				}
				if got := strings.Join(r.alarms(), " "); got != p.rule.String() {
					t.Errorf("alarms = %q, want one of %s", got, p.rule)
				}
				event := eventGuardRaised
				if how.action == "block" {
					event = eventGuardBlocked
				}
				p.call(r, p.calls) // one more is no other crossing
				if got := strings.Join(r.messages(), " "); got != event {
					t.Errorf("messages = %q, want one %s", got, event)
				}
				refused := func() bool {
					t.Helper()
					var g rating.Grant
					r.do(func(tx *Tx) (err error) {
						g, err = tx.Ask(ask("", 60))
						return err
					})
					return g.Refused == rating.RefusedGuard
				}
				if got, want := refused(), how.action == "block"; got != want {
					t.Errorf("the next call refused = %t, want %t", got, want)
				}
				r.clock = r.clock.Add(p.window)
				still := how.until == "lifted"
				if p.rule == rating.GuardConcurrent {
					still = how.action == "block" // its calls are under way still
				}
				if got := refused(); got != still {
					t.Errorf("when the window is over, refused = %t, want %t", got, still)
				}
				clean(t, r.DB)
				r.do(func(tx *Tx) error {
					_, err := tx.EndGuardBlocks()
					return err
				})
				if how.until == "window" {
					if got, want := strings.Join(r.messages(), " "), eventGuardBlocked+" "+eventGuardLifted; got != want {
						t.Errorf("messages when the window is over = %q, want %q", got, want)
					}
				}
				clean(t, r.DB)
			})
		}
	}
}

func TestWhatRaisesNoAlarm(t *testing.T) {
	for _, tt := range []struct {
		name   string
		guard  func(t *testing.T) rating.Guard
		change func(*authRig, *rating.Call)
		want   string
	}{
		{"no rule", func(*testing.T) rating.Guard { return rating.Guard{} }, func(*authRig, *rating.Call) {}, ""},
		{"a call that ended now", spendZero, func(*authRig, *rating.Call) {}, "spend-hour"},
		{"one that ended two hours ago", spendZero, func(r *authRig, c *rating.Call) {
			c.SetTime(rating.CDRTimeStart, r.clock.Add(-2*time.Hour-time.Minute))
		}, ""},
		{"history", spendZero, func(r *authRig, c *rating.Call) {
			c.Rated = true
			c.SetInt(rating.CDRCustomerPrice, 5_000_000)
		}, ""},
		{"one that is restored", spendZero, func(r *authRig, c *rating.Call) {
			c.Exported = rating.Exported{Known: true, Restore: true, ID: rating.MakeCDRID(c.Time(rating.CDRTimeStart).UnixMilli(), 7)}
		}, ""},
		{"one that was not answered", func(t *testing.T) rating.Guard { return guardOf(t, rating.GuardRiskCalls, "block", "0", "") }, func(r *authRig, c *rating.Call) {
			c.SetText(rating.CDRDstPrefixRouting, "8811")
			c.SetInt(rating.CDRDuration, 0)
		}, ""},
		{"one to another prefix", func(t *testing.T) rating.Guard { return guardOf(t, rating.GuardRiskCalls, "block", "0", "") }, func(*authRig, *rating.Call) {}, ""},
		{"one by day", func(t *testing.T) rating.Guard { return guardOf(t, rating.GuardNightCalls, "block", "0", "") }, func(*authRig, *rating.Call) {}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newGuardRig(t)
			r.do(func(tx *Tx) error { return tx.SetGuardDefaults(tt.guard(t)) })
			r.end("a", 60, func(c *rating.Call) { tt.change(r, c) })
			if got := strings.Join(r.alarms(), " "); got != tt.want {
				t.Errorf("alarms = %q, want %q", got, tt.want)
			}
		})
	}
}

func spendZero(t *testing.T) rating.Guard {
	return guardOf(t, rating.GuardSpendHour, "notify", "0", "")
}

func TestALiftedBlockGivesTheWholeLimitAgain(t *testing.T) {
	r := newGuardRig(t)
	r.do(func(tx *Tx) error { return tx.SetGuardDefaults(guardOf(t, rating.GuardSpendDay, "block", "0.12", "")) })
	for i := range 3 {
		r.end(decimalText(uint64(i)), 60)
	}
	r.do(func(tx *Tx) error {
		ended, err := tx.LiftGuard(r.a.ID)
		if err == nil && (len(ended) != 1 || ended[0].EndedAt.IsZero()) {
			t.Errorf("lifted %+v, want the one alarm, ended", ended)
		}
		return err
	})
	r.end("3", 60)
	r.end("4", 60)
	if n := len(r.alarms()); n != 1 {
		t.Errorf("at the limit again: %d alarms, want 1", n)
	}
	r.end("5", 60)
	if n := len(r.alarms()); n != 2 {
		t.Errorf("beyond it again: %d alarms, want 2", n)
	}
	clean(t, r.DB)
}

func TestRulesOfAnAccountGoBeforeThoseForAll(t *testing.T) {
	r := newGuardRig(t)
	other := &rating.Account{Name: "Southgate", Contractor: 1, MinBalance: "-100.0"}
	r.do(func(tx *Tx) error {
		if err := tx.CreateAccount(other); err != nil {
			return err
		}
		if err := tx.SetGuardDefaults(guardOf(t, rating.GuardSpendHour, "block", "0.01", "")); err != nil {
			return err
		}
		return tx.SetGuard(r.a.ID, guardOf(t, rating.GuardSpendHour, "off", "", ""))
	})
	r.end("a", 60)
	if got := r.alarms(); len(got) != 0 {
		t.Errorf("alarms of an account that is exempt = %q, want none", got)
	}
	r.end("b", 60, func(c *rating.Call) { c.AccountRef = "Southgate" })
	if got := r.alarms(); len(got) != 1 {
		t.Errorf("alarms of another = %q, want one", got)
	}
	r.do(func(tx *Tx) error { return tx.SetGuard(r.a.ID, rating.Guard{}) })
	r.end("c", 60)
	if got := r.alarms(); len(got) != 2 {
		t.Errorf("alarms of the account that is exempt no more = %q, want two", got)
	}
	clean(t, r.DB)
}

func TestCallsOfTheHourBeforeARuleCount(t *testing.T) {
	r := newGuardRig(t)
	r.end("a", 60)
	r.end("b", 60)
	r.do(func(tx *Tx) error {
		return tx.SetGuard(r.a.ID, guardOf(t, rating.GuardSpendHour, "notify", "0.12", ""))
	})
	r.end("c", 60)
	if got := r.alarms(); len(got) != 1 {
		t.Errorf("alarms = %q, want one: two calls of this hour came before the rule", got)
	}
	clean(t, r.DB)
}

func TestOldTalliesAreDropped(t *testing.T) {
	r := newGuardRig(t)
	r.do(func(tx *Tx) error {
		g := guardOf(t, rating.GuardSpendHour, "notify", "100", "")
		g.Rules[rating.GuardNightCalls] = limit(t, rating.GuardNightCalls, "notify", "100", "")
		g.Night = rating.GuardNight{From: 1, Till: 0}
		return tx.SetGuardDefaults(g)
	})
	rows := func() (n int) {
		r.do(func(tx *Tx) error {
			c := tx.Txn.Cursor(bGuardTally)
			for k, _ := c.First(); k != nil; k, _ = c.Next() {
				n++
			}
			return nil
		})
		return n
	}
	for day := range 12 {
		r.end(decimalText(uint64(day)), 60)
		r.clock = r.clock.Add(24 * time.Hour)
		r.do(func(tx *Tx) error {
			_, err := tx.DropGuardTallies()
			return err
		})
		clean(t, r.DB)
	}
	if n := rows(); n > 9 {
		t.Errorf("%d tallies are kept of twelve days, want a few", n)
	}
	r.end("late", 60, func(c *rating.Call) { c.SetTime(rating.CDRTimeStart, r.clock.Add(-10*24*time.Hour)) })
	clean(t, r.DB)
}

func TestACustomersTimezoneMovesTheNight(t *testing.T) {
	r := newGuardRig(t)
	g := guardOf(t, rating.GuardNightCalls, "notify", "0", "")
	g.Night = rating.GuardNight{From: 17 * 60, Till: 20 * 60}
	r.do(func(tx *Tx) error { return tx.SetGuardDefaults(g) })
	r.end("a", 60)
	if got := r.alarms(); len(got) != 0 {
		t.Fatalf("alarms at noon = %q, want none", got)
	}
	r.do(func(tx *Tx) error {
		a, err := tx.Accounts.Get(uint64(r.a.ID))
		if err != nil {
			return err
		}
		a.Timezone = "Asia/Kolkata" // 18:00 there
		return tx.SaveAccount(a)
	})
	clean(t, r.DB)
	r.end("b", 60)
	if got := r.alarms(); len(got) != 1 {
		t.Errorf("alarms at 18:00 of the account's zone = %q, want one", got)
	}
}

func TestCheckFindsPlantedFaultsOfTheGuard(t *testing.T) {
	for _, tt := range []struct {
		name, want string
		plant      func(*authRig, *Tx) error
	}{
		{"a tally that is too high", "its calls make 3 calls, 180 s, 0.18", func(r *authRig, tx *Tx) error {
			k, v := tx.Txn.Cursor(bGuardTally).First()
			s, err := decodeGuardSum(v)
			s.Spent++
			return errors.Join(err, tx.Txn.Put(bGuardTally, append([]byte(nil), k...), appendGuardSum(nil, s)))
		}},
		{"a tally that is gone", "none stored; its calls make 3 calls", func(r *authRig, tx *Tx) error {
			k, _ := tx.Txn.Cursor(bGuardTally).First()
			return tx.Txn.Delete(bGuardTally, append([]byte(nil), k...))
		}},
		{"a tally of nothing", ": 1 calls, 1 s, 0.0; its calls make 0 calls", func(r *authRig, tx *Tx) error {
			return tx.Txn.Put(bGuardTally, guardKey{rating.GuardRisk, hourOf(tx.now) + 1, r.a.ID}.bytes(), appendGuardSum(nil, GuardSum{0, 1, 1}))
		}},
		{"a key of no tally", "guard: tally key 0909 is damaged", func(r *authRig, tx *Tx) error { return tx.Txn.Put(bGuardTally, []byte{9, 9}, nil) }},
		{"rules of nobody", "guard 99: refers to account 99, which does not exist", func(r *authRig, tx *Tx) error { return tx.AccountGuards.Put(&AccountGuard{ID: 99}) }},
		{"an alarm of nobody", "alarm 2: refers to account 99", func(r *authRig, tx *Tx) error {
			return tx.GuardAlarms.Put(&GuardAlarm{Account: 99, Rule: "spend-hour"})
		}},
		{"an alarm of no rule", `alarm 2: rule "x" is none`, func(r *authRig, tx *Tx) error { return tx.GuardAlarms.Put(&GuardAlarm{Account: r.a.ID, Rule: "x"}) }},
		{"a block without its alarm", "guard state 2: blocked by alarm 1, which does not block it", func(r *authRig, tx *Tx) error {
			m, err := tx.GuardAlarms.Get(1)
			m.EndedAt = tx.now
			return errors.Join(err, tx.GuardAlarms.Put(m))
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newGuardRig(t)
			r.do(func(tx *Tx) error { return tx.SetGuardDefaults(guardOf(t, rating.GuardSpendHour, "block", "0.12", "")) })
			for i := range 3 {
				r.end(decimalText(uint64(i)), 60)
			}
			clean(t, r.DB)
			r.do(func(tx *Tx) error { return tt.plant(r, tx) })
			var found []string
			if err := r.Check(t.Context(), false, func(s string) { found = append(found, s) }); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(strings.Join(found, "\n"), tt.want) {
				t.Errorf("check found %q, want a fault with %q", found, tt.want)
			}
		})
	}
}
