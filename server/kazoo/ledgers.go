package kazoo

import (
	"encoding/json"
	"maps"
	"math/big"
	"slices"
	"strings"
	"time"

	"billd/rating"
	"billd/storage"
)

func ledgerRoutes() []route {
	return []route{
		{"accounts/:account/ledgers", get, endpoint{who: user, run: sumLedgers, csv: true}},
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

// sums adds up an account's ledgers in s by service. Rollovers are among them, but in no total.
func sums(tx *storage.Tx, a *rating.Account, s span) (map[string]*ledgerSum, error) {
	by := map[string]*ledgerSum{}
	add := func(l *ledger) (bool, error) {
		if by[l.Source.Service] == nil {
			by[l.Source.Service] = &ledgerSum{}
		}
		return true, by[l.Source.Service].add(l)
	}
	if err := eachPosting(tx, a, everyService, s, add); err != nil {
		return nil, err
	}
	if err := eachRollover(tx, a, s, add); err != nil {
		return nil, err
	}
	return by, eachCall(tx, a, s, add)
}

func sumLedgers(x *exchange) (*answer, error) {
	s, err := x.createdRange(maxRange)
	if err != nil {
		return nil, err
	}
	var by map[string]*ledgerSum
	err = x.view(func(tx *storage.Tx) (err error) {
		by, err = sums(tx, x.account, s)
		return err
	})
	if err != nil {
		return nil, err
	}
	if x.wantsCSV() {
		return sumCSV(by), nil
	}
	data := document{}
	for service, sum := range by {
		data[service] = sum.view()
	}
	return &answer{data: data}, nil
}

func sumCSV(by map[string]*ledgerSum) *answer {
	t := newSheet("service", "amount", "usage.type", "usage.quantity", "usage.unit")
	for _, service := range slices.Sorted(maps.Keys(by)) {
		sum := by[service]
		u, _ := sum.view()["usage"].(usage)
		t.row(service, sum.amount.Number(), u.Type, u.Quantity.String(), u.Unit)
	}
	return t.answer("ledgers")
}

// total adds up what moved the balance.
func total(by map[string]*ledgerSum) (m rating.Money, err error) {
	for service, sum := range by {
		if service == serviceRollovers {
			continue
		}
		if m, err = m.Add(sum.amount); err != nil {
			return 0, err
		}
	}
	return m, nil
}

// totalLedgers answers with the balance, or with what a range moved when one is asked for.
func totalLedgers(x *exchange) (*answer, error) {
	var amount rating.Money
	err := x.view(func(tx *storage.Tx) (err error) {
		if !x.ranged() {
			amount, err = tx.AccountBalance(x.account)
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
		amount, err = total(by)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &answer{data: document{"amount": number(amount)}}, nil
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
	var amount rating.Money
	err = x.view(func(tx *storage.Tx) error {
		by, err := sums(tx, x.account, s)
		if err != nil {
			return err
		}
		for service, sum := range by {
			ledgers[service] = sum.view()
		}
		amount, err = total(by)
		return err
	})
	if err != nil {
		return nil, err
	}
	row := document{"account": accountRef{x.account.UUID.Hex(), x.account.Name}, "ledgers": ledgers, "total": number(amount)}
	return &answer{data: document{"summary": ledgers, "breakdown": []document{row}}}, nil
}
