package yeti

import (
	"strconv"

	"billd/rating"
	"billd/server/jsonapi"
	"billd/storage"
)

type payment = storage.Payment

// The words of a payment. A cryptomus payment comes from a service that billd does not speak to.
var (
	paymentStatuses = []string{"canceled", "completed", "pending", "rolled_back"}
	paymentTypes    = []string{"cryptomus", "manual"}
)

var payments = jsonapi.Resource[payment]{
	Type: "payments", Verbs: jsonapi.ReadVerbs | jsonapi.Create,
	Rows: func(tx *storage.Tx) storage.Rows[payment] { return tx.Payments },
	Each: eachPayment,
	Key:  func(p *payment) string { return decimal(p.ID) },
	Attrs: []jsonapi.Attr[payment]{
		jsonapi.Field("created-at", jsonapi.Instant, func(p *payment) *instant { return &p.CreatedAt }, jsonapi.ReadOnly),
		jsonapi.Field("amount", postedAmount, func(p *payment) *rating.Money { return &p.Amount }),
		jsonapi.Field("notes", jsonapi.NullText, func(p *payment) **string { return &p.Notes }, jsonapi.NoSort),
		jsonapi.Field("private-notes", jsonapi.NullText, func(p *payment) **string { return &p.PrivateNotes }, jsonapi.NoSort),
		jsonapi.Field("status", jsonapi.EnumOf(paymentStatuses, storage.PaymentStatus.String), func(p *payment) *storage.PaymentStatus { return &p.Status }, jsonapi.ReadOnly, jsonapi.NoSort),
		jsonapi.View("type-name", jsonapi.EnumOf(paymentTypes, func(s string) string { return s }), func(*jsonapi.Request, *payment) (string, error) { return "manual", nil }, jsonapi.NoSort),
		jsonapi.Field("balance-before-payment", jsonapi.NullAmount, func(p *payment) **rating.Money { return &p.BalanceBefore }, jsonapi.ReadOnly, jsonapi.NoSort, jsonapi.NoFilter),
		jsonapi.Field("rolledback-at", jsonapi.NullInstant, func(p *payment) **instant { return &p.RolledBackAt }, jsonapi.ReadOnly, jsonapi.NoSort),
	},
	Rels: []jsonapi.Rel[payment]{
		jsonapi.One("account", "accounts", func(p *payment) *rating.AccountID { return &p.Account }, jsonapi.Linkage, jsonapi.MustExist, jsonapi.FilterByID),
	},
	Filters: []jsonapi.Filter[payment]{
		{Name: "id", Ops: jsonapi.NumberOps, Value: func(_ *jsonapi.Request, p *payment) jsonapi.Value { return jsonapi.IntegerValue(int64(p.ID)) }},
	},
	NoIDSort: true,
	Check:    func(_ *jsonapi.Request, _ *payment, b *jsonapi.Body) jsonapi.Problems { return wantsAmount(b) },
	Insert:   func(r *jsonapi.Request, p *payment) error { return r.Tx.Pay(p) },
}

// eachPayment goes by account's index when the query names one account.
func eachPayment(r *jsonapi.Request, q *jsonapi.Query, fn func(*payment) (bool, error)) error {
	ids, ok := q.Values("account.id")
	if !ok || len(ids) != 1 {
		return r.Tx.Payments.Each(0, fn)
	}
	n, err := strconv.ParseUint(ids[0], 10, 64)
	if err != nil {
		return nil
	}
	return r.Tx.PaymentsOf(rating.AccountID(n), fn)
}

// postedAmount is an amount that moves a balance, so it is not 0.
var postedAmount = jsonapi.Kind[rating.Money]{
	Ops: jsonapi.NumberOps, Value: jsonapi.Amount.Value,
	Parse: func(in jsonapi.Input) (rating.Money, string) {
		m, fault := jsonapi.Amount.Parse(in)
		if fault == "" && m == 0 {
			return 0, "must be other than 0"
		}
		return m, fault
	},
}

// wantsAmount refuses a document without an amount.
func wantsAmount(b *jsonapi.Body) jsonapi.Problems {
	if b.Sent("amount") && !b.Null("amount") {
		return nil
	}
	return jsonapi.Problems{jsonapi.AttrProblem("amount", "is not a number")}
}
