package kazoo

import (
	"encoding/json"
	"net/http"
	"slices"

	"billd/rating"
	"billd/storage"
)

func transactionRoutes() []route {
	const at = "accounts/:account/transactions"
	return []route{
		{at, get, endpoint{who: user, run: listTransactions}},
		{at + "/current_balance", get, endpoint{who: user, run: currentBalance}},
		{at + "/monthly_recurring", get, endpoint{who: user, run: recurringTransactions}},
		{at + "/subscriptions", get, endpoint{who: user, run: noTransactions}},
		{at + "/credit", put, endpoint{who: reseller, run: creditTransaction}},
		{at + "/debit", remove, endpoint{who: reseller, run: debitTransaction}},
		{at + "/sale", put, endpoint{who: reseller, run: saleTransaction}},
		{at + "/refund", put, endpoint{who: reseller, run: refundTransaction}},
		{at + "/:transaction", get, endpoint{who: user, run: readTransaction}},
	}
}

// The reasons of a transaction and their codes. Source: wht_util.
var reasonCodes = map[string]int{"per_minute_call": 1001, "manual_addition": 3001, "auto_addition": 3003, "admin_discretion": 3005,
	"topup": 3006, "database_rollup": 4000, "recurring": 5000, "monthly_recurring": 5001, "recurring_prorate": 5002, "unknown": 9999}

// transaction is a movement of the balance as Kazoo 4.2 shows it, with the keys of 4.3 beside.
type transaction struct {
	ID          string          `json:"id"`
	Amount      json.Number     `json:"amount"`
	Reason      string          `json:"reason"`
	Type        string          `json:"type"`
	Created     int64           `json:"created"`
	Version     int             `json:"version"`
	Code        int             `json:"code"`
	Description string          `json:"description,omitempty"`
	Status      string          `json:"status"`
	Executor    *executor       `json:"executor,omitempty"`
	Metadata    json.RawMessage `json:"metadata,omitempty"`
}

// newTransaction shows a ledger as a transaction. The reason is kept as the usage's type; a ledger
// that was not made as a transaction has the one that its service stands for.
func newTransaction(l *ledger) transaction {
	reason := l.reason
	if reason == "" && l.Usage != nil {
		reason = l.Usage.Type
	}
	if _, known := reasonCodes[reason]; !known {
		switch l.Source.Service {
		case servicePayments:
			reason = "manual_addition"
		case servicePlans:
			reason = "recurring"
		default:
			reason = "admin_discretion"
		}
	}
	t := transaction{ID: l.ID, Amount: number(l.amount.Abs()), Reason: reason, Type: "credit", Created: l.Created, Version: 2,
		Code: reasonCodes[reason], Description: l.Description, Status: "completed", Executor: l.Executor, Metadata: l.Metadata}
	if l.amount < 0 {
		t.Type = "debit"
	}
	return t
}

// transactions lists the postings of a range that pass keep, newest first unless the request says ascending.
func (x *exchange) transactions(keep func(transaction) bool) (*answer, error) {
	s, err := x.createdRange(maxRange)
	if err != nil {
		return nil, err
	}
	rows := []transaction{}
	err = x.view(func(tx *storage.Tx) error {
		return eachPosting(tx, x.account, everyService, s, func(l *ledger) (bool, error) {
			if t := newTransaction(l); keep(t) {
				rows = append(rows, t)
			}
			return true, nil
		})
	})
	if err != nil {
		return nil, err
	}
	size, err := x.pageSize()
	if err != nil {
		return nil, err
	}
	if x.ascending() {
		slices.Reverse(rows)
	}
	p := &page{start: x.setting("start_key")}
	if p.start != "" {
		id, err := decodeKey(p.start)
		if err != nil {
			return nil, err
		}
		rows = rows[max(slices.IndexFunc(rows, func(t transaction) bool { return t.ID == id }), 0):]
	}
	if size > 0 && len(rows) > size {
		p.next = encodeKey(rows[size].ID)
		rows = rows[:size]
	}
	p.size = len(rows)
	return &answer{data: rows, page: p}, nil
}

func listTransactions(x *exchange) (*answer, error) {
	return x.transactions(func(transaction) bool { return true })
}

func recurringTransactions(x *exchange) (*answer, error) {
	return x.transactions(func(t transaction) bool {
		return t.Code >= reasonCodes["recurring"] && t.Code <= reasonCodes["recurring_prorate"]
	})
}

// noTransactions is the listing of what billd has none of: subscriptions at a payment provider.
func noTransactions(*exchange) (*answer, error) {
	return &answer{data: []transaction{}, page: &page{}}, nil
}

func readTransaction(x *exchange) (*answer, error) {
	var l *ledger
	err := x.view(func(tx *storage.Tx) (err error) {
		l, err = findLedger(tx, x.account, x.params["transaction"])
		return err
	})
	if err != nil {
		return nil, err
	}
	if l == nil || l.key.kind != ledgerOfPosting {
		return nil, unknownID(clip(x.params["transaction"]))
	}
	return &answer{data: newTransaction(l), revision: stored}, nil
}

func currentBalance(x *exchange) (*answer, error) {
	var balance rating.Money
	err := x.view(func(tx *storage.Tx) (err error) {
		balance, err = tx.AccountBalance(x.account)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &answer{data: document{"balance": number(balance)}}, nil
}

// readTransactionForm reads the amount, the reason and the rest of a transaction.
func (x *exchange) readTransactionForm(reason string) (*entry, error) {
	data, err := x.object()
	if err != nil {
		return nil, err
	}
	f := newForm(data)
	e := &entry{kind: rating.PostingTransaction, other: rating.LedgerAdjustment, trigger: "crossbar", module: "cb_transactions",
		period: ledgerPeriod{Start: seconds(x.now)}}
	if !f.has("amount") {
		f.problem("amount", "required", "Amount is required")
	} else if m, ok := f.money("amount"); ok {
		if e.amount = m; m <= 0 {
			f.problem("amount", "minimum", "Amount must be more than 0", "target", 0, "value", data["amount"])
		}
	}
	e.text = firstOf(f.text("description", 0, 1024), "admin_discretion")
	e.usage = usage{Type: firstOf(f.text("reason", 0, 64), reason), Quantity: "1", Unit: "transaction"}
	if _, known := reasonCodes[e.usage.Type]; !known {
		e.usage.Type = "unknown"
	}
	meta := document{"auth_account_id": x.me.UUID.Hex()}
	for k, v := range f.object("metadata") {
		meta[k] = v
	}
	if order := f.text("order_id", 0, 128); order != "" {
		meta["order_id"] = order
	}
	if err := f.err(); err != nil {
		return nil, err
	}
	e.source = ledgerSource{serviceAdjustments, x.requestID}
	e.metadata, err = storeDocument(meta)
	return e, err
}

// book writes a transaction's entry and answers with it.
func (x *exchange) book(e *entry, write func(*entry, *storage.Tx, *rating.Account) (*ledger, error)) (*answer, error) {
	var l *ledger
	err := x.update(func(tx *storage.Tx) error {
		a, err := tx.OpenAccount(x.account.ID)
		if err != nil {
			return err
		}
		l, err = write(e, tx, a)
		return err
	})
	if err != nil {
		return nil, err
	}
	ans := &answer{data: newTransaction(l), revision: stored}
	if x.method == remove {
		ans.status = http.StatusOK
	}
	return ans, nil
}

// adjust books a correction of the balance.
func (e *entry) adjust(tx *storage.Tx, a *rating.Account) (*ledger, error) {
	l, _, err := e.write(tx, a)
	return l, err
}

func creditTransaction(x *exchange) (*answer, error) {
	e, err := x.readTransactionForm("manual_addition")
	if err != nil {
		return nil, err
	}
	return x.book(e, (*entry).adjust)
}

func debitTransaction(x *exchange) (*answer, error) {
	e, err := x.readTransactionForm("admin_discretion")
	if err != nil {
		return nil, err
	}
	e.amount = -e.amount
	return x.book(e, (*entry).adjust)
}

// saleTransaction books money that came in, a refund money that went out: billd has no gateway that
// would move it.
func saleTransaction(x *exchange) (*answer, error) {
	e, err := x.readTransactionForm("manual_addition")
	if err != nil {
		return nil, err
	}
	return x.book(e, (*entry).pay)
}

func refundTransaction(x *exchange) (*answer, error) {
	e, err := x.readTransactionForm("admin_discretion")
	if err != nil {
		return nil, err
	}
	e.amount = -e.amount
	return x.book(e, (*entry).pay)
}
