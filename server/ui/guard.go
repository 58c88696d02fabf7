package ui

import (
	"net/url"
	"strconv"

	"billd/rating"
	"billd/server/ops"
	"billd/storage"

	"github.com/gofiber/fiber/v2"
)

// guardPage is the page of the fraud guard: who is blocked, what was raised, what is watched.
type guardPage struct {
	Blocked []blockedRow
	Alarms  []alarmRow
	Rules   []guardRule // for all accounts
	Own     int         // accounts with rules of their own
	Night   string
	Next    string
	Older   bool // the page does not begin with the newest alarm
}

// blockedRow is an account that the guard blocks.
type blockedRow struct {
	Account accountLink
	*storage.GuardBlocking
	Ago string
}

// alarmRow is an alarm as the list shows it.
type alarmRow struct {
	ops.GuardAlarm
	Account accountLink
	Ago     string
	What    string
}

// guardRule is a rule that is watched of all accounts.
type guardRule struct{ What, Limit, Action string }

// guardWords says what each rule compares, as people read it.
var guardWords = [rating.NumGuardRules]string{"Spent in an hour", "Spent in a day", "Calls to high-risk prefixes in an hour",
	"Minutes to high-risk prefixes in an hour", "Calls at the same time", "Calls in a night", "Spent in a night"}

func (u *UI) guard(c *fiber.Ctx, s *session) error {
	below, err := number(c, "before")
	if err != nil {
		return err
	}
	p := guardPage{Older: below != 0}
	err = u.DB.View(c.UserContext(), func(tx *storage.Tx) error { return p.read(tx, below) })
	if err != nil {
		return err
	}
	return u.render(c, s, "guard", page{Title: "Fraud guard", Nav: "guard", Data: p})
}

func (p *guardPage) read(tx *storage.Tx, below uint64) error {
	err := tx.EachBlocked(func(id rating.AccountID) error {
		block, err := tx.GuardBlock(id)
		if err != nil || block == nil || len(p.Blocked) == pageRows {
			return err
		}
		a, err := tx.Accounts.Get(uint64(id))
		if err == nil {
			p.Blocked = append(p.Blocked, blockedRow{accountLink{id, a.Name}, block, talkSince(tx.Now(), block.Since)})
		}
		return err
	})
	if err != nil {
		return err
	}
	if err := p.readRules(tx); err != nil {
		return err
	}
	return tx.NewestAlarms(below, func(m *storage.GuardAlarm) (bool, error) {
		if len(p.Alarms) == pageRows {
			p.Next = again("/guard", url.Values{}, "before", strconv.FormatUint(m.ID+1, 10))
			return false, nil
		}
		shown, err := ops.NewGuardAlarm(tx, m)
		if err != nil {
			return false, err
		}
		p.Alarms = append(p.Alarms, alarmRow{shown, accountLink{m.Account, shown.Account}, talkSince(tx.Now(), m.RaisedAt), guardText(m.GuardRule())})
		return true, nil
	})
}

func (p *guardPage) readRules(tx *storage.Tx) error {
	all, _, err := tx.GuardDefaults()
	if err != nil {
		return err
	}
	for r := range rating.NumGuardRules {
		l := &all.Rules[r]
		if !l.Watches() {
			continue
		}
		action := l.Action.String()
		if l.Until() == "window" {
			action += " until it is over"
		}
		p.Rules = append(p.Rules, guardRule{guardText(r), r.Figure(l.Limit), action})
	}
	p.Night = all.Night.String()
	return tx.EachGuarded(func(rating.AccountID, *rating.Guard) error { p.Own++; return nil })
}

func guardText(r rating.GuardRule) string {
	if r >= rating.NumGuardRules {
		return r.String()
	}
	return guardWords[r]
}

// unblock lifts what blocks an account and shows the page again.
func (u *UI) unblock(c *fiber.Ctx, _ *session) error {
	id, err := rowID(c, "account")
	if err != nil {
		return err
	}
	if _, err := ops.Unblock(c.UserContext(), u.Env, strconv.FormatUint(id, 10)); err != nil {
		return err
	}
	return u.redirect(c, "/guard")
}
