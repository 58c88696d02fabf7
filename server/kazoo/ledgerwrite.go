package kazoo

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"

	"billd/rating"
	"billd/storage"
)

// entry is a ledger to be written.
type entry struct {
	amount   rating.Money // below 0: taken
	text     string
	kind     rating.PostingKind
	other    rating.LedgerKind // where the money comes from or goes to
	source   ledgerSource
	usage    usage
	period   ledgerPeriod
	metadata json.RawMessage
	trigger  string
	module   string
	unique   bool // a second one alike is refused
}

const minLedger rating.Money = 1_000_000 // schema ledgers: amount minimum 1

// readEntry reads the body of a credit or debit.
func (x *exchange) readEntry() (*entry, error) {
	data, err := x.object()
	if err != nil {
		return nil, err
	}
	f := newForm(data)
	e := &entry{kind: rating.PostingTransaction, other: rating.LedgerAdjustment, trigger: "crossbar", module: "cb_ledgers", unique: true}
	if f.need("amount") {
		if m, ok := f.money("amount"); ok && m < minLedger {
			f.problem("amount", "minimum", "Value must be at least 1", "target", 1, "value", data["amount"])
		} else {
			e.amount = m
		}
	}
	e.text = f.text("description", 0, 1024)
	if f.need("source") {
		s := f.sub("source")
		s.need("service")
		s.need("id")
		e.source = ledgerSource{s.text("service", 1, 128), s.text("id", 1, 256)}
	}
	if f.need("usage") {
		u := f.sub("usage")
		u.need("type")
		u.need("unit")
		e.usage.Type, e.usage.Unit = u.text("type", 1, 128), u.text("unit", 1, 128)
		if u.need("quantity") {
			if q, ok := u.numeral("quantity", "integer"); ok {
				if n, ok := whole(q); ok {
					e.usage.Quantity = json.Number(strconv.FormatInt(n, 10))
				} else {
					u.wrongType("quantity", "integer")
				}
			}
		}
	}
	p := f.sub("period")
	e.period = ledgerPeriod{p.integer("start", 0, maxGregorian, seconds(x.now)), p.integer("end", 0, maxGregorian, 0)}
	if m := f.object("metadata"); m != nil {
		if e.metadata, err = storeDocument(m); err != nil {
			return nil, err
		}
	}
	return e, f.err()
}

// write posts e to an account and returns the ledger. Fails with Conflict when e is unique and there
// is one alike.
func (e *entry) write(tx *storage.Tx, a *rating.Account) (*ledger, rating.Money, error) {
	own := storage.AccountLedger(a)
	p := &rating.Posting{Kind: e.kind, Debit: storage.SystemLedger(e.other, a.Currency), Credit: own, Amount: e.amount, Account: a.ID,
		Text: e.text, Service: e.source.Service, Source: e.source.ID}
	if e.amount < 0 {
		p.Debit, p.Credit, p.Amount = p.Credit, p.Debit, -e.amount
	}
	if e.unique {
		sum := sha256.Sum256(fmt.Appendf(nil, "%d\x00%t\x00%s\x00%s\x00%s\x00%d\x00%d", a.ID, e.amount < 0, e.source.Service, e.source.ID, e.usage.Type, e.period.Start, e.period.End))
		p.Ref = "kazoo/" + hex.EncodeToString(sum[:])
	}
	fresh, err := tx.Post(p)
	if err != nil {
		return nil, 0, err
	}
	if !fresh {
		return nil, 0, duplicate()
	}
	balance, err := tx.AccountBalance(a)
	if err != nil {
		return nil, 0, err
	}
	n := &storage.LedgerNote{ID: p.ID, Type: e.usage.Type, Quantity: e.usage.Quantity, Unit: e.usage.Unit, From: e.period.Start, Till: e.period.End,
		Metadata: e.metadata, Trigger: e.trigger, Module: e.module, Balance: balance}
	if err := tx.LedgerNotes.Put(n); err != nil {
		return nil, 0, err
	}
	l, err := postingLedger(tx, a, p)
	return l, balance, err
}

func creditLedger(x *exchange) (*answer, error) { return x.writeLedger(1) }

func debitLedger(x *exchange) (*answer, error) { return x.writeLedger(-1) }

// impact is what a ledger did to one account.
type impact struct {
	Ledger    *ledger     `json:"ledger"`
	Available json.Number `json:"available_dollars"`
	Reseller  bool        `json:"is_reseller"`
}

// writeLedger books a credit or a debit, and the same on the account's reseller when asked to.
func (x *exchange) writeLedger(sign rating.Money) (*answer, error) {
	e, err := x.readEntry()
	if err != nil {
		return nil, err
	}
	e.amount *= sign
	accounts := []*rating.Account{x.account}
	if seller := storage.Seller(x.account, x.above); x.rootFlag("impact_reseller") && seller.ID != x.account.ID {
		accounts = append(accounts, seller)
	}
	var first *ledger
	var done map[string]impact
	err = x.update(func(tx *storage.Tx) error {
		done = map[string]impact{}
		for _, a := range accounts {
			if a, err = tx.OpenAccount(a.ID); err != nil {
				return err
			}
			l, balance, err := e.write(tx, a)
			if err != nil {
				return err
			}
			if a.ID == x.account.ID {
				first = l
			}
			done[a.UUID.Hex()] = impact{l, number(balance), a.Reseller}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if x.rootFlag("impact_reseller") {
		return &answer{data: done}, nil
	}
	return &answer{data: first, revision: stored}, nil
}
