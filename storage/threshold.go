package storage

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"billd/rating"
	"billd/storage/kv"
)

// BalanceNotice is what was last told of an account's balance. An account without one is beyond no
// threshold.
type BalanceNotice struct {
	ID    uint64           `json:"id"` // the account
	State rating.Threshold `json:"state"`
	Since time.Time        `json:"since"`
	Times uint64           `json:"times"` // how often the state changed
}

type noticeTables struct {
	notices kv.Table[BalanceNotice]
}

// NoticeRows are the tables of what was told of balances.
type NoticeRows struct {
	BalanceNotices Rows[BalanceNotice]
}

func newNoticeTables() noticeTables {
	t := noticeTables{notices: jsonTable("balance notice", bBalanceNotice, func(v *BalanceNotice) *uint64 { return &v.ID })}
	t.notices.Audit = false // its messages tell
	return t
}

func bindNotices(tx *Tx) NoticeRows { return NoticeRows{BalanceNotices: bind(tx, &schema.notices)} }

// notices finds notices of accounts that are not there.
func (c *checker) notices() {
	c.tx.BalanceNotices.EachSound(func(n *BalanceNotice) {
		c.refer("balance notice", n.ID, "account", n.ID, c.tx.Accounts.Has)
	})
}

// noticeOf returns what was last told of an account's balance.
func (tx *Tx) noticeOf(id rating.AccountID) (*BalanceNotice, error) {
	n, err := tx.BalanceNotices.Get(uint64(id))
	if err != nil && rating.KindOf(err) == rating.NotFound {
		return &BalanceNotice{ID: uint64(id)}, nil
	}
	return n, err
}

// thresholdMember is what the row of an account with a threshold holds; others need not be decoded.
var thresholdMember = []byte(`_threshold":`)

// CrossedAccounts looks at the accounts from a number on, at most limit, and returns those whose
// balance is beyond another threshold than was last told, and where to go on, 0 at the end.
func (tx *Tx) CrossedAccounts(from rating.AccountID, limit int) (crossed []rating.AccountID, next rating.AccountID, err error) {
	c := tx.Txn.Cursor(bAccount)
	for k, v := c.Seek(kv.Key(nil).U64(uint64(from))); k != nil; k, v = c.Next() {
		id := rating.AccountID(kv.ID(k))
		if limit--; limit < 0 {
			return crossed, id, nil
		}
		if !bytes.Contains(v, thresholdMember) && !tx.BalanceNotices.Has(uint64(id)) {
			continue
		}
		was, is, _, err := tx.thresholds(id)
		if err != nil {
			return nil, 0, err
		}
		if was.State != is.state {
			crossed = append(crossed, id)
		}
	}
	return crossed, 0, nil
}

// standing is where an account's balance is.
type standing struct {
	balance rating.Money
	state   rating.Threshold
}

// thresholds returns what was last told of an account's balance and what is so now. A closed account
// stands where it stood.
func (tx *Tx) thresholds(id rating.AccountID) (was *BalanceNotice, is standing, a *rating.Account, err error) {
	if a, err = tx.Accounts.Get(uint64(id)); err != nil {
		return nil, is, nil, err
	}
	if was, err = tx.noticeOf(id); err != nil {
		return nil, is, nil, err
	}
	if is.state = was.State; a.Closed() {
		return was, is, a, nil
	}
	if is.balance, err = tx.AccountBalance(a); err != nil {
		return nil, is, nil, err
	}
	is.state = a.ThresholdAt(is.balance)
	return was, is, a, nil
}

// TellThreshold compares an account's balance with what was last told of it and, if another threshold
// is reached or one is left, keeps that and queues the messages, all in this transaction: each crossing
// is told once. Source: Yeti, contract 6.7.
func (tx *Tx) TellThreshold(id rating.AccountID) (told bool, err error) {
	n, is, a, err := tx.thresholds(id)
	if err != nil || n.State == is.state {
		return false, err
	}
	crossings := rating.Crossings(n.State, is.state)
	n.State, n.Since, n.Times = is.state, tx.now, n.Times+1
	if err := tx.BalanceNotices.Put(n); err != nil {
		return false, err
	}
	for _, c := range crossings {
		if err := tx.tellCrossing(a, is.balance, n.Times, c); err != nil {
			return false, err
		}
	}
	return true, nil
}

// tellCrossing queues the messages about a threshold.
func (tx *Tx) tellCrossing(a *rating.Account, balance rating.Money, times uint64, c rating.Crossing) error {
	mail := Mail{Subject: fmt.Sprintf("Account with id %d %s", a.ID, c), Text: noticeText(a, balance, c, tx.now)}
	return tx.tellOf(a, fmt.Sprintf("threshold/%d/%d/%s", a.ID, times, c.Event()), c.Event(), mail, noticeData(a, balance))
}

// tellOf queues messages about an account: an e-mail for each contact of the account and of the operator,
// and a request to the operator's own address. key tells what they say: nobody hears of it twice.
func (tx *Tx) tellOf(a *rating.Account, key, event string, mail Mail, data map[string]any) error {
	m := Message{Event: event, Account: a.ID}
	settings := tx.Settings()
	contacts := append(slices.Clone(settings.EventContacts), a.NotifyContacts...)
	slices.Sort(contacts)
	for _, contact := range slices.Compact(contacts) {
		if err := tx.QueueMail(contact, key, m, mail); err != nil {
			return err
		}
	}
	if settings.EventURL == "" {
		return nil
	}
	body, err := json.Marshal(map[string]any{"event_type": event, "event_time": tx.now.Format("2006-01-02 15:04:05 MST"), "event_data": data})
	if err != nil {
		return err
	}
	m.Key, m.Hook = key+"/url", &Hook{URL: settings.EventURL, Method: "POST", Body: body}
	return tx.Queue(&m)
}

// noticeText is what the e-mail says.
func noticeText(a *rating.Account, balance rating.Money, c rating.Crossing, at time.Time) string {
	text := fmt.Sprintf("Account: %s (id %d)\nBalance: %s %s\n", a.Name, a.ID, balance, a.Currency)
	if a.LowThreshold.IsSet() {
		text += fmt.Sprintf("Low threshold: %s %s\n", a.LowThreshold, a.Currency)
	}
	if a.HighThreshold.IsSet() {
		text += fmt.Sprintf("High threshold: %s %s\n", a.HighThreshold, a.Currency)
	}
	return text + fmt.Sprintf("Event: %s\nTime: %s\n", c.Event(), at.In(a.Location()).Format("2006-01-02 15:04:05 MST"))
}

// noticeData is what a web server is told of the account: what Yeti tells, without what is nobody's
// business outside.
func noticeData(a *rating.Account, balance rating.Money) map[string]any {
	limit := func(d rating.Decimal) any {
		if !d.IsSet() {
			return nil
		}
		return d
	}
	return map[string]any{"id": uint64(a.ID), "uuid": a.UUID.String(), "name": a.Name, "contractor_id": a.Contractor, "external_id": a.ExternalID,
		"balance": balance, "min_balance": limit(a.MinBalance), "max_balance": limit(a.MaxBalance),
		"balance_low_threshold": limit(a.LowThreshold), "balance_high_threshold": limit(a.HighThreshold),
		"send_balance_notifications_to": a.NotifyContacts, "timezone": a.Timezone}
}

// decimalText spells a number.
func decimalText(n uint64) string { return strconv.FormatUint(n, 10) }
