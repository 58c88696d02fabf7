package yeti

import (
	"strconv"

	"billd/rating"
	"billd/server/jsonapi"
	"billd/storage"
)

// transaction is a posting as Yeti shows it: what the account lost by it.
type transaction struct {
	rating.Posting
	amount  rating.Money
	text    *string
	service *int64 // the number of the service that it is for
	created instant
	uuid    rating.UUID
}

func newTransaction(tx *storage.Tx, p *rating.Posting) *transaction {
	t := &transaction{Posting: *p, amount: p.Amount, created: p.At, uuid: tx.PostingUUID(p)}
	if p.Credit.Kind == rating.LedgerAccount && p.Credit.Account == p.Account {
		t.amount = -p.Amount
	}
	if p.Text != "" {
		t.text = &t.Text
	}
	if n, err := strconv.ParseInt(p.Service, 10, 64); err == nil && p.Kind == rating.PostingTransaction {
		t.service = &n
	}
	return t
}

var transactions = jsonapi.Resource[transaction]{
	Type: "transactions", Verbs: jsonapi.ReadVerbs | jsonapi.Create,
	Key:  func(t *transaction) string { return decimal(t.ID) },
	Each: eachTransaction,
	Load: func(r *jsonapi.Request, id string) (*transaction, error) {
		n, err := strconv.ParseUint(id, 10, 64)
		if err != nil {
			return nil, jsonapi.NoRecord(id)
		}
		return shownPosting(r.Tx, n)
	},
	Attrs: []jsonapi.Attr[transaction]{
		jsonapi.Field("description", jsonapi.NullText, func(t *transaction) **string { return &t.text }, jsonapi.NoSort),
		jsonapi.Field("amount", postedAmount, func(t *transaction) *rating.Money { return &t.amount }),
		jsonapi.Field("created-at", jsonapi.Instant, func(t *transaction) *instant { return &t.created }, jsonapi.ReadOnly),
		jsonapi.Field("uuid", jsonapi.UUID, func(t *transaction) *rating.UUID { return &t.uuid }, jsonapi.ReadOnly, jsonapi.NoSort),
	},
	Rels: []jsonapi.Rel[transaction]{
		jsonapi.One("account", "accounts", func(t *transaction) *rating.AccountID { return &t.Account }, jsonapi.Linkage, jsonapi.MustExist),
		jsonapi.OneOrNull("service", "services", func(t *transaction) **int64 { return &t.service }, jsonapi.Linkage, jsonapi.MayBeNull),
	},
	Filters: []jsonapi.Filter[transaction]{
		{Name: "account_id", Ops: jsonapi.ExactOps, Value: func(_ *jsonapi.Request, t *transaction) jsonapi.Value { return jsonapi.IntegerValue(int64(t.Account)) }},
		{Name: "service_id", Ops: jsonapi.ExactOps, Value: transactionService},
	},
	Sorts: []jsonapi.Sort[transaction]{
		{Name: "account_id", Value: func(_ *jsonapi.Request, t *transaction) jsonapi.Value { return jsonapi.IntegerValue(int64(t.Account)) }},
		{Name: "service_id", Value: transactionService},
	},
	Check: func(r *jsonapi.Request, t *transaction, b *jsonapi.Body) jsonapi.Problems {
		ps := wantsAmount(b)
		if t.service == nil {
			return ps
		}
		s, err := r.Tx.YetiServices.Get(uint64(*t.service))
		r.Fail(ignoreMissing(err))
		if err == nil && s.Account != t.Account {
			ps = append(ps, jsonapi.RelProblem("service", "belongs to different account"))
		}
		return ps
	},
	Insert: func(r *jsonapi.Request, t *transaction) error {
		a, err := r.Tx.OpenAccount(t.Account)
		if err != nil {
			return err
		}
		text, service := "", uint64(0)
		if t.text != nil {
			text = *t.text
		}
		if t.service != nil {
			service = uint64(*t.service)
		}
		p, err := r.Tx.Transact(a, t.amount, text, service, "")
		if err == nil {
			*t = *newTransaction(r.Tx, p)
		}
		return err
	},
}

// shownPosting loads a posting that Yeti shows as a transaction.
func shownPosting(tx *storage.Tx, id uint64) (*transaction, error) {
	p, err := tx.Postings.Get(id)
	if err == nil && !storage.IsTransaction(p) {
		err = rating.Errorf(rating.NotFound, "transaction", "transaction %d does not exist", id)
	}
	if err != nil {
		return nil, err
	}
	return newTransaction(tx, p), nil
}

func transactionService(_ *jsonapi.Request, t *transaction) jsonapi.Value {
	if t.service == nil {
		return jsonapi.Value{}
	}
	return jsonapi.IntegerValue(*t.service)
}

// eachTransaction goes by account's ledger when the query names one account.
func eachTransaction(r *jsonapi.Request, q *jsonapi.Query, fn func(*transaction) (bool, error)) error {
	each := func(p *rating.Posting) (bool, error) { return fn(newTransaction(r.Tx, p)) }
	if ids, ok := q.Values("account_id_eq"); ok {
		n, err := strconv.ParseUint(ids[0], 10, 64)
		if err != nil {
			return nil
		}
		a, err := r.Tx.Accounts.Get(n)
		if err != nil {
			return ignoreMissing(err)
		}
		return r.Tx.TransactionsOf(a, each)
	}
	return r.Tx.Postings.Each(0, func(p *rating.Posting) (bool, error) {
		if !storage.IsTransaction(p) {
			return true, nil
		}
		return each(p)
	})
}

// customerTransactions are those of the accounts that a customer sees.
func customerTransactions() jsonapi.Resource[transaction] {
	v := transactions.Pick("description", "amount", "created-at")
	v.ID = jsonapi.UUIDID
	v.Key = func(t *transaction) string { return t.uuid.String() }
	v.Load = byUUID(func(tx *storage.Tx, u rating.UUID) (*transaction, error) {
		p, err := tx.PostingByUUID(u)
		if err != nil {
			return nil, err
		}
		return shownPosting(tx, p.ID)
	})
	v.Each = func(r *jsonapi.Request, _ *jsonapi.Query, fn func(*transaction) (bool, error)) error {
		return eachOfScope(r, r.Tx.TransactionsOf, func(p *rating.Posting) (bool, error) { return fn(newTransaction(r.Tx, p)) })
	}
	v.Hidden = func(r *jsonapi.Request, t *transaction) bool { return !sees(r, t.Account) }
	of := func(t *transaction) rating.AccountID { return t.Account }
	v.Rels = []jsonapi.Rel[transaction]{
		accountRel(of),
		jsonapi.OneBy("service", "services", func(r *jsonapi.Request, t *transaction) (string, error) { return serviceUUID(r, t) }),
	}
	service := func(r *jsonapi.Request, t *transaction) jsonapi.Value {
		id, err := serviceUUID(r, t)
		r.Fail(err)
		if id == "" {
			return jsonapi.Value{}
		}
		return jsonapi.TextValue(id)
	}
	v.Filters = []jsonapi.Filter[transaction]{
		{Name: "uuid", Ops: jsonapi.ExactOps, Value: func(_ *jsonapi.Request, t *transaction) jsonapi.Value { return jsonapi.TextValue(t.uuid.String()) }},
		accountFilter(of),
		{Name: "service_id", Ops: jsonapi.ExactOps, Value: service},
	}
	v.Sorts = []jsonapi.Sort[transaction]{{Name: "service_id", Value: transactionService}}
	v.Order = "-created-at"
	return v
}

// serviceUUID spells a transaction's service as a customer knows it; "" for none.
func serviceUUID(r *jsonapi.Request, t *transaction) (string, error) {
	if t.service == nil {
		return "", nil
	}
	s, err := r.Tx.YetiServices.Get(uint64(*t.service))
	if err != nil || s.Account != t.Account {
		return "", ignoreMissing(err)
	}
	return s.UUID.String(), nil
}
