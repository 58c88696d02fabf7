package storage

import (
	"encoding/json"
	"fmt"
	"math/bits"
	"slices"

	"billd/rating"
)

// allowanceShares are the shares of an allowance, in percent, at whose passing notices go out.
var allowanceShares = [...]uint64{80, 100}

// tellAllowance queues notices of the share of the allowance that the period's octets have reached, once
// for each share and period, and returns the share that was told of last.
func (tx *Tx) tellAllowance(u *usagePlan, p DataPeriod) (uint64, error) {
	if u.plan.Allowance == 0 {
		return p.Told, nil
	}
	share := uint64(0)
	for _, s := range allowanceShares {
		if reached(u.plan.Count.Of(p.Used), uint64(u.plan.Allowance), s) {
			share = s
		}
	}
	if share <= p.Told {
		return p.Told, nil
	}
	return share, tx.queueAllowance(u, p, share)
}

// reached reports whether counted is at least a share in percent of an allowance.
func reached(counted, allowance, percent uint64) bool {
	hi, lo := bits.Mul64(counted, 100)
	wantHi, wantLo := bits.Mul64(allowance, percent)
	return hi > wantHi || hi == wantHi && lo >= wantLo
}

// queueAllowance queues an e-mail for each contact of the account and of the operator, and a request to the
// operator's own address: to those who hear of balances.
func (tx *Tx) queueAllowance(u *usagePlan, p DataPeriod, share uint64) error {
	event := fmt.Sprintf("DataAllowance%d", share)
	key := fmt.Sprintf("allowance/%d/%s/%d", u.sub.ID, u.first, share)
	used := rating.Bytes(u.plan.Count.Of(p.Used)).In(u.plan.Unit)
	m := Message{Event: event, Account: u.account.ID}
	mail := Mail{Subject: fmt.Sprintf("Data of %s: %d %% of the allowance is used", u.sub.User, share),
		Text: fmt.Sprintf("Account: %s (id %d)\nUser: %s\nPlan: %s, %s\nPeriod: from %s\nUsed: %s of %s\nEvent: %s\n",
			u.account.Name, u.account.ID, u.sub.User, u.plan.Name, u.plan.Terms(), u.first, used, u.plan.Allowance.In(u.plan.Unit), event)}
	settings := tx.Settings()
	contacts := append(slices.Clone(settings.EventContacts), u.account.NotifyContacts...)
	slices.Sort(contacts)
	for _, contact := range slices.Compact(contacts) {
		if err := tx.QueueMail(contact, key, m, mail); err != nil {
			return err
		}
	}
	if settings.EventURL == "" {
		return nil
	}
	body, err := json.Marshal(map[string]any{"event_type": event, "event_time": tx.now.Format("2006-01-02 15:04:05 MST"),
		"event_data": map[string]any{"account_id": uint64(u.account.ID), "account": u.account.Name, "subscription": u.sub.ID, "user": u.sub.User, "plan": u.plan.Name,
			"period_start": u.first.String(), "used_bytes": u.plan.Count.Of(p.Used), "allowance_bytes": uint64(u.plan.Allowance), "percent": share}})
	if err != nil {
		return err
	}
	m.Key, m.Hook = key+"/url", &Hook{URL: settings.EventURL, Method: "POST", Body: body}
	return tx.Queue(&m)
}
