package storage

import (
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
