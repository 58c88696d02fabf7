package yeti

import (
	"slices"

	"github.com/gofiber/fiber/v2"

	"billd/rating"
	"billd/server/jsonapi"
	"billd/server/ops"
	"billd/storage"
)

// scope is whom a customer's request speaks for.
func scope(r *jsonapi.Request) *customer { return r.Scope.(*customer) }

// scoped returns the accounts that the customer sees, in order of number.
func scoped(r *jsonapi.Request) ([]*rating.Account, error) {
	s := scope(r)
	if len(s.Accounts) == 0 {
		return r.Tx.AccountsOf(s.Contractor)
	}
	var seen []*rating.Account
	for _, id := range slices.Compact(slices.Sorted(slices.Values(s.Accounts))) {
		a, err := r.Tx.OpenAccount(id)
		if ignoreMissing(err) != nil {
			return nil, err
		}
		if err == nil && s.sees(a) {
			seen = append(seen, a)
		}
	}
	return seen, nil
}

// sees reports whether the customer sees an account, given by number.
func sees(r *jsonapi.Request, id rating.AccountID) bool {
	a, err := r.Tx.OpenAccount(id)
	r.Fail(ignoreMissing(err))
	return err == nil && scope(r).sees(a)
}

// accountUUID spells an account as a customer knows it; "" when they do not see it.
func accountUUID(r *jsonapi.Request, id rating.AccountID) (string, error) {
	if id == 0 {
		return "", nil
	}
	a, err := r.Tx.OpenAccount(id)
	if err != nil || !scope(r).sees(a) {
		return "", ignoreMissing(err)
	}
	return a.UUID.String(), nil
}

// accountFilter is filter[account_id_…] by accounts' UUIDs.
func accountFilter[T any](of func(*T) rating.AccountID) jsonapi.Filter[T] {
	return jsonapi.Filter[T]{Name: "account_id", Ops: jsonapi.ExactOps, Value: func(r *jsonapi.Request, v *T) jsonapi.Value {
		id, err := accountUUID(r, of(v))
		r.Fail(err)
		return jsonapi.TextValue(id)
	}}
}

// accountRel is the relationship to the account that a record belongs to.
func accountRel[T any](of func(*T) rating.AccountID) jsonapi.Rel[T] {
	return jsonapi.OneBy("account", "accounts", func(r *jsonapi.Request, v *T) (string, error) { return accountUUID(r, of(v)) })
}

// byUUID loads a record by its UUID.
func byUUID[T any](find func(*storage.Tx, rating.UUID) (*T, error)) func(*jsonapi.Request, string) (*T, error) {
	return func(r *jsonapi.Request, id string) (*T, error) {
		u, err := rating.ParseUUID(id)
		if err != nil {
			return nil, jsonapi.NoRecord(id)
		}
		return find(r.Tx, u)
	}
}

func customerAccounts() jsonapi.Resource[account] {
	v := accounts.Pick("name", "balance", "min-balance", "max-balance", "destination-rate-limit", "origination-capacity", "termination-capacity", "total-capacity")
	v.ID, v.Rows, v.Rels = jsonapi.UUIDID, nil, nil
	v.Key = func(a *account) string { return a.UUID.String() }
	v.Load = byUUID((*storage.Tx).AccountByUUID)
	v.Each = func(r *jsonapi.Request, _ *jsonapi.Query, fn func(*account) (bool, error)) error {
		list, err := scoped(r)
		return offer(list, err, fn)
	}
	v.Hidden = func(r *jsonapi.Request, a *account) bool { return !scope(r).sees(a) }
	v.Filters = []jsonapi.Filter[account]{
		{Name: "uuid", Ops: jsonapi.ExactOps, Value: func(_ *jsonapi.Request, a *account) jsonapi.Value { return jsonapi.TextValue(a.UUID.String()) }},
		limitFilter("balance_low_threshold", func(a *account) rating.Decimal { return a.LowThreshold }),
		limitFilter("balance_high_threshold", func(a *account) rating.Decimal { return a.HighThreshold }),
		wholeFilter("max_call_duration", func(a *account) *int64 { return a.MaxCallDuration }),
		wholeFilter("external_id", func(a *account) *int64 { return a.ExternalID }),
	}
	v.Ignored = nil
	return v
}

func limitFilter(name string, at func(*account) rating.Decimal) jsonapi.Filter[account] {
	return jsonapi.Filter[account]{Name: name, Ops: jsonapi.NumberOps, Value: func(_ *jsonapi.Request, a *account) jsonapi.Value { return jsonapi.DecimalValue(at(a)) }}
}

func wholeFilter(name string, at func(*account) *int64) jsonapi.Filter[account] {
	return jsonapi.Filter[account]{Name: name, Ops: jsonapi.NumberOps, Value: func(_ *jsonapi.Request, a *account) jsonapi.Value {
		if n := at(a); n != nil {
			return jsonapi.IntegerValue(*n)
		}
		return jsonapi.Value{}
	}}
}

// offer calls fn with the records of a list, unless making it failed.
func offer[T any](list []*T, err error, fn func(*T) (bool, error)) error {
	for _, v := range list {
		if err != nil {
			break
		}
		var more bool
		if more, err = fn(v); !more {
			break
		}
	}
	return err
}

func customerPayments() jsonapi.Resource[payment] {
	v := payments.Pick("amount", "notes", "status", "type-name", "created-at", "balance-before-payment", "rolledback-at")
	v.ID, v.Rows = jsonapi.UUIDID, nil
	v.Key = func(p *payment) string { return p.UUID.String() }
	v.Load = byUUID((*storage.Tx).PaymentByUUID)
	v.Each = func(r *jsonapi.Request, _ *jsonapi.Query, fn func(*payment) (bool, error)) error {
		list, err := scoped(r)
		return offer(list, err, func(a *account) (more bool, err error) {
			more = true
			err = r.Tx.PaymentsOf(a.ID, func(p *payment) (bool, error) {
				more, err = fn(p)
				return more, err
			})
			return more, err
		})
	}
	v.Hidden = func(r *jsonapi.Request, p *payment) bool {
		return p.Status == storage.PaymentRolledBack || !sees(r, p.Account)
	}
	account := func(p *payment) rating.AccountID { return p.Account }
	v.Rels = []jsonapi.Rel[payment]{accountRel(account)}
	v.Filters = []jsonapi.Filter[payment]{
		{Name: "uuid", Ops: jsonapi.ExactOps, Value: func(_ *jsonapi.Request, p *payment) jsonapi.Value { return jsonapi.TextValue(p.UUID.String()) }},
		{Name: "status", Ops: jsonapi.EnumOps("canceled", "completed", "pending"), Value: func(_ *jsonapi.Request, p *payment) jsonapi.Value { return jsonapi.TextValue(p.Status.String()) }},
		accountFilter(account),
	}
	v.Sorts = []jsonapi.Sort[payment]{{Name: "notes", Value: func(_ *jsonapi.Request, p *payment) jsonapi.Value { return jsonapi.NullText.Value(p.Notes) }}}
	v.Order = "-created-at"
	return v
}

// customerInvoices are the approved ones.
func customerInvoices() jsonapi.Resource[invoice] {
	full := invoices
	full.Attrs = append(slices.Clone(invoices.Attrs), jsonapi.View("has-pdf", jsonapi.Bool, func(r *jsonapi.Request, i *invoice) (bool, error) { return ops.HasPaper(r.Tx, &i.Invoice), nil }, jsonapi.NoSort, jsonapi.NoFilter))
	v := full.Pick("reference", "start-date", "end-date", "has-pdf", "amount-spent",
		"originated-amount-spent", "originated-calls-count", "originated-successful-calls-count", "originated-calls-duration", "originated-billing-duration", "originated-first-call-at", "originated-last-call-at",
		"terminated-amount-spent", "terminated-calls-count", "terminated-successful-calls-count", "terminated-calls-duration", "terminated-billing-duration", "terminated-first-call-at", "terminated-last-call-at",
		"services-amount-spent", "service-transactions-count")
	v.ID = jsonapi.UUIDID
	v.Key = func(i *invoice) string { return i.UUID.String() }
	v.Load = byUUID(func(tx *storage.Tx, u rating.UUID) (*invoice, error) {
		inv, err := tx.InvoiceByUUID(u)
		if err != nil {
			return nil, err
		}
		return &invoice{Invoice: *inv}, nil
	})
	v.Each = func(r *jsonapi.Request, _ *jsonapi.Query, fn func(*invoice) (bool, error)) error {
		list, err := scoped(r)
		if err != nil {
			return err
		}
		ids := make([]rating.AccountID, len(list))
		for i, a := range list {
			ids[i] = a.ID
		}
		return eachInvoiceOf(r.Tx, ids, func(inv *rating.Invoice) (bool, error) { return fn(&invoice{Invoice: *inv}) })
	}
	v.Hidden = func(r *jsonapi.Request, i *invoice) bool {
		return i.State != rating.InvoiceApproved || !sees(r, i.Account)
	}
	account := func(i *invoice) rating.AccountID { return i.Account }
	v.Rels = []jsonapi.Rel[invoice]{accountRel(account)}
	v.Filters = []jsonapi.Filter[invoice]{
		{Name: "uuid", Ops: jsonapi.ExactOps, Value: func(_ *jsonapi.Request, i *invoice) jsonapi.Value { return jsonapi.TextValue(i.UUID.String()) }},
		accountFilter(account),
	}
	v.Order = "-start-date"
	v.Actions = []jsonapi.Action[invoice]{{Name: "download", Serve: func(r *jsonapi.Request, c *fiber.Ctx, i *invoice) error { return sendPaper(r, c, i.ID, "") }}}
	return v
}
