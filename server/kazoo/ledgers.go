package kazoo

import (
	"encoding/json"
	"math/big"
	"strings"
	"time"

	"billd/rating"
	"billd/storage"
)

func ledgerRoutes() []route {
	return []route{
		{"accounts/:account/ledgers", get, endpoint{who: user, run: sumLedgers}},
		{"accounts/:account/ledgers/total", get, endpoint{who: user, run: totalLedgers}},
		{"accounts/:account/ledgers/available", get, endpoint{who: user, run: availableLedgers}},
		{"accounts/:account/ledgers/summary/:month", get, endpoint{who: user, run: monthLedgers}},
		{"accounts/:account/ledgers/credit", put, endpoint{who: reseller, run: creditLedger}},
		{"accounts/:account/ledgers/debit", put, endpoint{who: reseller, run: debitLedger}},
		{"accounts/:account/ledgers/:service", get, endpoint{who: user, run: listLedger, csv: true}},
		{"accounts/:account/ledgers/:service/:id", get, endpoint{who: user, run: readLedger}},
	}
}

// ledgerSum adds up the ledgers of one service.
type ledgerSum struct {
	amount   rating.Money
	quantity big.Rat
	usage    usage // type and unit of the oldest row
	used     bool
	rows     int
}

func (s *ledgerSum) add(l *ledger) (err error) {
	s.rows++
	if s.amount, err = s.amount.Add(l.amount); err != nil || l.Usage == nil {
		return err
	}
	// rows come newest first, so the last one seen is the first
	s.usage, s.used = *l.Usage, true
	if q, ok := new(big.Rat).SetString(l.Usage.Quantity.String()); ok {
		s.quantity.Add(&s.quantity, q.Abs(q))
	}
	return nil
}

// view is the sum as Kazoo shows it.
func (s *ledgerSum) view() document {
	doc := document{"amount": number(s.amount)}
	if s.used {
		q := strings.TrimRight(strings.TrimRight(s.quantity.FloatString(6), "0"), ".")
		if s.quantity.IsInt() {
			q = s.quantity.Num().String()
		}
		doc["usage"] = usage{s.usage.Type, json.Number(q), s.usage.Unit}
	}
	return doc
}

// sums adds up an account's ledgers in s by service.
func sums(tx *storage.Tx, a *rating.Account, s span) (map[string]*ledgerSum, error) {
	by := map[string]*ledgerSum{}
	add := func(l *ledger) (bool, error) {
		if by[l.Source.Service] == nil {
			by[l.Source.Service] = &ledgerSum{}
		}
		return true, by[l.Source.Service].add(l)
	}
	if err := eachPosting(tx, a, s, add); err != nil {
		return nil, err
	}
	return by, eachCall(tx, a, s, add)
}

func sumLedgers(x *exchange) (*answer, error) {
	s, err := x.createdRange(maxRange)
	if err != nil {
		return nil, err
	}
	data := document{}
	err = x.view(func(tx *storage.Tx) error {
		by, err := sums(tx, x.account, s)
		for service, sum := range by {
			data[service] = sum.view()
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return &answer{data: data}, nil
}

// totalLedgers answers with the balance, or with what a range moved when one is asked for.
func totalLedgers(x *exchange) (*answer, error) {
	var total rating.Money
	err := x.view(func(tx *storage.Tx) (err error) {
		if !x.ranged() {
			total, err = tx.AccountBalance(x.account)
			return err
		}
		s, err := x.createdRange(maxRange)
		if err != nil {
			return err
		}
		by, err := sums(tx, x.account, s)
		if err != nil {
			return err
		}
		for _, sum := range by {
			if total, err = total.Add(sum.amount); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &answer{data: document{"amount": number(total)}}, nil
}

// availableLedger is a service that ledgers may come from.
type availableLedger struct {
	Name     string   `json:"name"`
	Friendly string   `json:"friendly_name"`
	Markup   []string `json:"markup_type"`
}

func availableLedgers(*exchange) (*answer, error) {
	return &answer{data: []availableLedger{
		{serviceCalls, "Per Minute VoIP", []string{"percentage"}},
		{servicePlans, "Monthly Recurring Services", []string{}},
		{servicePayments, "Payments", []string{}},
		{serviceRollovers, "Monthly Rollover", []string{}},
	}}, nil
}

// monthLedgers sums a calendar month, UTC.
func monthLedgers(x *exchange) (*answer, error) {
	month, err := time.Parse("200601", x.params["month"])
	if err != nil {
		return nil, unknownID(x.params["month"])
	}
	s := span{month, month.AddDate(0, 1, 0).Add(-time.Nanosecond)}
	ledgers := document{}
	var total rating.Money
	err = x.view(func(tx *storage.Tx) error {
		by, err := sums(tx, x.account, s)
		if err != nil {
			return err
		}
		for service, sum := range by {
			ledgers[service] = sum.view()
			if total, err = total.Add(sum.amount); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	row := document{"account": accountRef{x.account.UUID.Hex(), x.account.Name}, "ledgers": ledgers, "total": number(total)}
	return &answer{data: document{"summary": ledgers, "breakdown": []document{row}}}, nil
}
