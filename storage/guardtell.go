package storage

import (
	"fmt"
	"time"

	"billd/rating"
)

// Events of the guard, as messages name them.
const (
	eventGuardRaised  = "AccountGuardRaised"  // a limit was passed
	eventGuardBlocked = "AccountGuardBlocked" // and the account is blocked
	eventGuardLifted  = "AccountGuardLifted"  // the block ended
)

// tellGuard queues the messages about an alarm that was raised.
func (tx *Tx) tellGuard(a *rating.Account, m *GuardAlarm) error {
	event, what := eventGuardRaised, "passed a limit of the fraud guard"
	if m.Blocks {
		event, what = eventGuardBlocked, "is blocked by the fraud guard"
	}
	return tx.tellAlarm(a, m, event, what, guardSentence(a, m))
}

// tellLifted queues the messages about a block that ended.
func (tx *Tx) tellLifted(a *rating.Account, m *GuardAlarm) error {
	return tx.tellAlarm(a, m, eventGuardLifted, "is blocked no more", "ended by: "+m.EndedBy+"; it was "+guardSentence(a, m))
}

func (tx *Tx) tellAlarm(a *rating.Account, m *GuardAlarm, event, what, why string) error {
	balance, err := tx.AccountBalance(a)
	if err != nil {
		return err
	}
	text := fmt.Sprintf("Account: %s (id %d)\nAlarm: %d, %s\nBalance: %s %s\n", a.Name, a.ID, m.ID, why, balance, a.Currency)
	if m.Number != "" {
		text += fmt.Sprintf("Number: %s\n", m.Number)
	}
	text += fmt.Sprintf("Event: %s\nTime: %s\n", event, tx.now.In(a.Location()).Format("2006-01-02 15:04:05 MST"))
	data := noticeData(a, balance)
	data["alarm"] = alarmData(m)
	return tx.tellOf(a, fmt.Sprintf("guard/%d/%s", m.ID, event), event, Mail{Subject: fmt.Sprintf("Account with id %d %s", a.ID, what), Text: text}, data)
}

// alarmData is what a web server is told of an alarm.
func alarmData(m *GuardAlarm) map[string]any {
	r := m.GuardRule()
	instant := func(t time.Time) any {
		if t.IsZero() {
			return nil
		}
		return t.Format(time.RFC3339)
	}
	return map[string]any{"id": m.ID, "rule": m.Rule, "limit": r.Figure(m.Limit), "value": r.Figure(m.Value), "from": instant(m.From), "till": instant(m.Till),
		"number": m.Number, "blocks": m.Blocks, "until": instant(m.Until), "ended_at": instant(m.EndedAt), "ended_by": m.EndedBy}
}
