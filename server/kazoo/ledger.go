package kazoo

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"billd/rating"
	"billd/rating/plan"
	"billd/storage"
)

// The services that ledgers come from.
const (
	serviceCalls       = "per-minute-voip"
	servicePlans       = "services"
	servicePayments    = "payments"
	serviceAdjustments = "adjustments"
	serviceRollovers   = "rollovers"
	serviceData        = "data"
)

// usage is what a ledger charges for.
type usage struct {
	Type     string      `json:"type"`
	Quantity json.Number `json:"quantity"`
	Unit     string      `json:"unit"`
}

type ledgerSource struct {
	Service string `json:"service"`
	ID      string `json:"id"`
}

type ledgerPeriod struct {
	Start int64 `json:"start"`
	End   int64 `json:"end,omitempty"`
}

type accountRef struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

type executor struct {
	Trigger string `json:"trigger"`
	Module  string `json:"module"`
}

type ledgerAudit struct {
	Crossbar  bool         `json:"crossbar_request"`
	Available *json.Number `json:"available_units,omitempty"`
}

// ledger is one movement of an account's balance as Kazoo shows it.
type ledger struct {
	ID          string          `json:"id"`
	Amount      json.Number     `json:"amount"` // below 0: taken
	Description string          `json:"description,omitempty"`
	Source      ledgerSource    `json:"source"`
	Usage       *usage          `json:"usage,omitempty"`
	Account     accountRef      `json:"account"`
	Executor    *executor       `json:"executor,omitempty"`
	Metadata    json.RawMessage `json:"metadata,omitempty"`
	Period      ledgerPeriod    `json:"period"`
	Audit       *ledgerAudit    `json:"audit,omitempty"`
	Created     int64           `json:"created"`

	amount rating.Money
	at     time.Time
	key    ledgerKey
	reason string // as transactions call it, "" for what the service says
}

// ledgerKey places a row in a listing: newest first, and rows of one instant by kind and number.
type ledgerKey struct {
	milli  int64
	kind   int
	number uint64
}

// The kinds of record behind a ledger; they are part of its id.
const (
	ledgerOfPosting = 1
	ledgerOfCall    = 2
	// the number is the month that it opens
	ledgerOfRollover = 3
)

func (k ledgerKey) compare(o ledgerKey) int {
	return cmp.Or(cmp.Compare(k.milli, o.milli), cmp.Compare(k.kind, o.kind), cmp.Compare(k.number, o.number))
}

// ledgerID spells a ledger's id: the month, then kind and number in 32 hex digits (R13).
func ledgerID(at time.Time, kind int, number uint64) string {
	return fmt.Sprintf("%s-%016x%016x", at.UTC().Format("200601"), kind, number)
}

// units returns an amount in Kazoo's units, ten thousandths, half away from zero.
func units(m rating.Money) *json.Number {
	n := json.Number(strconv.FormatInt(int64(m.Round(4))/100, 10))
	return &n
}

// postingService returns the ledger service that a posting appears under (R13).
func postingService(p *rating.Posting) string {
	switch p.Kind {
	case rating.PostingPayment:
		return servicePayments
	case rating.PostingPlan:
		return servicePlans
	case rating.PostingData:
		return serviceData
	case rating.PostingTransaction:
		if _, err := strconv.ParseUint(p.Service, 10, 64); err == nil {
			return servicePlans // a Yeti service, by its number
		}
		return firstOf(p.Service, serviceAdjustments)
	case rating.PostingReversal:
		return firstOf(p.Service, serviceCalls)
	}
	return serviceAdjustments
}

// postingLedger is a posting as a ledger of account a.
func postingLedger(tx *storage.Tx, a *rating.Account, p *rating.Posting) (*ledger, error) {
	amount := p.Amount
	if p.Debit == storage.AccountLedger(a) {
		amount = -amount
	}
	l := &ledger{ID: ledgerID(p.At, ledgerOfPosting, p.ID), Amount: number(amount), Description: p.Text, amount: amount, at: p.At,
		Source:  ledgerSource{postingService(p), firstOf(p.Source, p.Kind.String()+"-"+strconv.FormatUint(p.ID, 10))},
		Account: accountRef{a.UUID.Hex(), a.Name}, Period: ledgerPeriod{Start: seconds(p.At)}, Created: seconds(p.At),
		key: ledgerKey{p.At.UnixMilli(), ledgerOfPosting, p.ID}}
	n, err := tx.LedgerNotes.Get(p.ID)
	if rating.KindOf(err) == rating.NotFound {
		return l, nil
	}
	if err != nil {
		return nil, err
	}
	if n.Type != "" {
		l.Usage = &usage{n.Type, n.Quantity, n.Unit}
	}
	if n.From != 0 {
		l.Period = ledgerPeriod{n.From, n.Till}
	}
	l.Metadata, l.Executor = n.Metadata, &executor{n.Trigger, n.Module}
	l.Audit = &ledgerAudit{Crossbar: true, Available: units(n.Balance)}
	switch {
	case n.Charge != nil:
		return l, l.ofPlan(n)
	case p.Kind == rating.PostingPayment && n.Module == "": // billd's own: an automatic top-up
		l.Metadata, l.Executor.Module, l.reason = json.RawMessage(`{"automatic_description":true}`), "kz_services_topup", "auto_addition"
		l.Audit.Crossbar = false
	}
	return l, nil
}

// planReasons are what transactions call a plan's charges.
var planReasons = map[plan.ChargeKind]string{plan.Recurring: "monthly_recurring", plan.Proration: "recurring_prorate", plan.Activation: "recurring"}

// ofPlan shows what a service plan's charge is for.
func (l *ledger) ofPlan(n *storage.LedgerNote) (err error) {
	c := n.Charge
	quantity := max(c.Units, -c.Units)
	l.Usage = &usage{c.Category, json.Number(strconv.FormatInt(quantity, 10)), c.Item}
	l.Period = ledgerPeriod{seconds(n.Month), seconds(n.MonthEnd)}
	l.Executor, l.Audit.Crossbar, l.reason = &executor{"automatic", "kz_services_bookkeeper"}, false, planReasons[c.Kind]
	l.Metadata, err = encodeJSON(document{"plan": document{"type": c.Kind.String(), "category": c.Category, "item": c.Item, "name": c.Name,
		"billable": c.Units, "rate": number(c.Rate)}})
	return err
}

// callLedger is what a call took from account a; nil when it moved nothing.
func callLedger(tx *storage.Tx, a *rating.Account, c *rating.CDR) (*ledger, error) {
	legs, n := c.Legs()
	for _, leg := range legs[:n] {
		if leg.Side != rating.CustomerSide || leg.Account != a.ID {
			continue
		}
		amount, err := leg.Net.Add(leg.Tax)
		if err != nil {
			return nil, err
		}
		if !leg.Credit {
			amount = -amount
		}
		at := c.Time(rating.CDRTimeStart)
		billed := strconv.FormatInt(c.Int(rating.CDRCustomerDuration), 10)
		meta, err := encodeJSON(document{"rate": document{"id": strconv.FormatInt(c.Int(rating.CDRDestinationID), 10),
			"prefix": c.Text(rating.CDRDestinationPrefix)}, "to": c.Text(rating.CDRDstPrefixRouting)})
		if err != nil {
			return nil, err
		}
		return &ledger{ID: ledgerID(at, ledgerOfCall, uint64(c.ID)), Amount: number(amount), amount: amount, at: at,
			Source: ledgerSource{serviceCalls, firstOf(c.CallID(), tx.CDRUUID(c))}, Usage: &usage{"voice", json.Number(billed), "sec"},
			Account: accountRef{a.UUID.Hex(), a.Name}, Metadata: meta, Created: seconds(at),
			Period: ledgerPeriod{seconds(at), seconds(at) + c.Int(rating.CDRDuration)},
			key:    ledgerKey{at.UnixMilli(), ledgerOfCall, uint64(c.ID)}}, nil
	}
	return nil, nil
}

// everyService is the service of no ledger: eachPosting takes it for all.
const everyService = ""

// eachPosting calls fn with the ledgers of an account's postings in s that are of a service, newest first.
func eachPosting(tx *storage.Tx, a *rating.Account, service string, s span, fn func(*ledger) (bool, error)) error {
	return tx.PostingsOf(storage.AccountLedger(a), 0, func(p *rating.Posting) (bool, error) {
		if p.At.Before(s.from) || p.At.After(s.to) {
			return true, nil // numbers follow the commits, not always At
		}
		if service != everyService && postingService(p) != service {
			return true, nil
		}
		l, err := postingLedger(tx, a, p)
		if err != nil {
			return false, err
		}
		return fn(l)
	})
}

// eachCall calls fn with the ledgers of an account's calls in s, newest first.
func eachCall(tx *storage.Tx, a *rating.Account, s span, fn func(*ledger) (bool, error)) error {
	below := rating.MakeCDRID(s.to.UnixMilli()+1, 0)
	return tx.NewestCallsOf(a.ID, s.from.UnixMilli(), below, func(c *rating.CDR) (bool, error) {
		l, err := ownCallLedger(tx, a, c)
		if err != nil || l == nil {
			return true, err
		}
		return fn(l)
	})
}

// ownCallLedger is callLedger for calls that billd charged: history moved no balance here.
func ownCallLedger(tx *storage.Tx, a *rating.Account, c *rating.CDR) (*ledger, error) {
	if c.Origin != rating.Own {
		return nil, nil
	}
	return callLedger(tx, a, c)
}
