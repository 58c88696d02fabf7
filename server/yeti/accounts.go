package yeti

import (
	"strconv"
	"strings"

	"billd/rating"
	"billd/server/jsonapi"
	"billd/storage"
)

// account shortens the addresses below.
type account = rating.Account

var accounts = jsonapi.Resource[account]{
	Type: "accounts", Verbs: jsonapi.CRUD,
	Rows:   func(tx *storage.Tx) storage.Rows[account] { return tx.Accounts },
	Each:   eachAccount,
	Key:    func(a *account) string { return decimal(a.ID) },
	Hidden: func(_ *jsonapi.Request, a *account) bool { return a.Closed() },
	Attrs: []jsonapi.Attr[account]{
		jsonapi.Field("name", jsonapi.Text, func(a *account) *string { return &a.Name }, jsonapi.Required, jsonapi.Unique, jsonapi.PlainFilter),
		jsonapi.View("balance", jsonapi.Amount, func(r *jsonapi.Request, a *account) (rating.Money, error) { return r.Tx.AccountBalance(a) }),
		jsonapi.Field("min-balance", jsonapi.Limit, func(a *account) *rating.Decimal { return &a.MinBalance }, jsonapi.Required),
		jsonapi.Field("max-balance", jsonapi.Limit, func(a *account) *rating.Decimal { return &a.MaxBalance }, jsonapi.Required, jsonapi.Numeric),
		jsonapi.Field("vat", jsonapi.Percent, func(a *account) *rating.Percent { return &a.VAT }, jsonapi.Required, jsonapi.Numeric, jsonapi.AtLeast("0"), jsonapi.AtMost("100")),
		jsonapi.Field("balance-low-threshold", jsonapi.Limit, func(a *account) *rating.Decimal { return &a.LowThreshold }, jsonapi.NoSort),
		jsonapi.Field("balance-high-threshold", jsonapi.Limit, func(a *account) *rating.Decimal { return &a.HighThreshold }, jsonapi.NoSort),
		jsonapi.Field("send-balance-notifications-to", jsonapi.Integers, func(a *account) *[]int64 { return &a.NotifyContacts }, jsonapi.NoSort),
		jsonapi.Field("destination-rate-limit", jsonapi.Limit, func(a *account) *rating.Decimal { return &a.DestinationRateLimit }, jsonapi.AtLeast("0")),
		jsonapi.Field("max-call-duration", jsonapi.NullInteger, func(a *account) **int64 { return &a.MaxCallDuration }, jsonapi.Above("0")),
		jsonapi.Field("external-id", jsonapi.NullInteger, func(a *account) **int64 { return &a.ExternalID }, jsonapi.Unique),
		jsonapi.Field("uuid", jsonapi.UUID, func(a *account) *rating.UUID { return &a.UUID }, jsonapi.Unique),
		jsonapi.Field("origination-capacity", jsonapi.NullInteger, func(a *account) **int64 { return &a.OriginationCapacity }, jsonapi.Above("0"), jsonapi.AtMost("32767")),
		jsonapi.Field("termination-capacity", jsonapi.NullInteger, func(a *account) **int64 { return &a.TerminationCapacity }, jsonapi.Above("0"), jsonapi.AtMost("32767")),
		jsonapi.Field("total-capacity", jsonapi.NullInteger, func(a *account) **int64 { return &a.TotalCapacity }, jsonapi.Above("0"), jsonapi.AtMost("32767")),
		jsonapi.Field("send-invoices-to", jsonapi.Integers, func(a *account) *[]int64 { return &a.InvoiceContacts }),
		jsonapi.Field("invoice-period-id", periodKind, func(a *account) *rating.PeriodID { return &a.InvoicePeriod }, jsonapi.NoFilter),
		jsonapi.Field("timezone", jsonapi.Text, func(a *account) *string { return &a.Timezone }, jsonapi.NoFilter, jsonapi.Required),
	},
	Rels: []jsonapi.Rel[account]{
		jsonapi.One("contractor", "contractors", func(a *account) *uint64 { return &a.Contractor }, jsonapi.Linkage, jsonapi.MustExist, jsonapi.FilterByID),
		jsonapi.OneOrNull("invoice-template", "invoice-templates", func(a *account) **int64 { return &a.InvoiceTemplate }, jsonapi.Linkage, jsonapi.FilterByID), // its existence is not checked
	},
	Ignored: []string{"timezone"},
	New: func(*jsonapi.Request) *account {
		return &account{MinBalance: "0.0", MaxBalance: "0.0", Timezone: "UTC"}
	},
	Check:  checkAccount,
	Insert: func(r *jsonapi.Request, a *account) error { return r.Tx.CreateAccount(a) },
	Save:   func(r *jsonapi.Request, a *account) error { return r.Tx.SaveAccount(a) },
	Remove: removeAccount,
}

// removeAccount closes an account that no customers-auth and no dialpeer names.
func removeAccount(r *jsonapi.Request, a *account) error {
	if r.Tx.AccountHasAuths(a.ID) {
		return errHasAuths
	}
	some, err := r.Tx.HasDialpeers(a.ID)
	if err != nil {
		return err
	}
	if some {
		return jsonapi.Refuse("Cannot delete record because dependent dialpeers exist")
	}
	return r.Tx.CloseAccount(a.ID)
}

// periodKind is an invoice period's number; none is null.
var periodKind = jsonapi.Kind[rating.PeriodID]{
	Ops: jsonapi.NumberOps,
	Value: func(p rating.PeriodID) jsonapi.Value {
		if p == rating.PeriodNone {
			return jsonapi.Value{}
		}
		return jsonapi.IntegerValue(int64(p))
	},
	Parse: func(in jsonapi.Input) (rating.PeriodID, string) {
		text, _ := in.Scalar()
		if text = strings.TrimSpace(text); text == "" {
			return rating.PeriodNone, ""
		}
		n, err := strconv.ParseUint(text, 10, 8)
		if p := rating.PeriodID(n); err == nil && p != rating.PeriodNone && p.Valid() {
			return p, ""
		}
		return rating.PeriodNone, "is not included in the list"
	},
}

// eachAccount goes by contractor's index when the query names contractors.
func eachAccount(r *jsonapi.Request, q *jsonapi.Query, fn func(*account) (bool, error)) error {
	ids, ok := q.Values("contractor.id")
	if !ok || len(ids) != 1 {
		return r.Tx.Accounts.Each(0, fn)
	}
	n, err := strconv.ParseUint(ids[0], 10, 64)
	if err != nil {
		return nil
	}
	open, err := r.Tx.AccountsOf(n)
	if err != nil {
		return err
	}
	for _, a := range open {
		if more, err := fn(a); err != nil || !more {
			return err
		}
	}
	return nil
}

// checkAccount has the rules that look at two values, and at the time zone's name.
func checkAccount(_ *jsonapi.Request, a *account, b *jsonapi.Body) (ps jsonapi.Problems) {
	if a.MinBalance.IsSet() && a.MaxBalance.IsSet() && a.MaxBalance.Cmp(a.MinBalance) < 0 {
		ps = append(ps, jsonapi.AttrProblem("max-balance", "must be greater than or equal to "+a.MinBalance.String()))
	}
	if a.LowThreshold.IsSet() && a.HighThreshold.IsSet() && a.LowThreshold.Cmp(a.HighThreshold) >= 0 {
		ps = append(ps, jsonapi.AttrProblem("balance-low-threshold", "must be less than balance high threshold"))
	}
	if (b.Create || b.Sent("timezone")) && !knownZone(a.Timezone) {
		ps = append(ps, jsonapi.AttrProblem("timezone", a.Timezone+" is not a valid timezone"))
	}
	if !b.Create && a.UUID.IsZero() {
		ps = append(ps, jsonapi.AttrProblem("uuid", "can't be blank"))
	}
	return ps
}

// byExternalID finds an account by the number that another system knows it by.
func byExternalID(r *jsonapi.Request, id string) (*account, error) {
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return nil, jsonapi.NoRecord(id)
	}
	return r.Tx.AccountByExternal(n)
}

// movement is an account with the balance or correction that a request brings.
type movement struct {
	account
	amount rating.Money
}

var balances = jsonapi.Resource[movement]{
	Type: "balances", Paths: []string{"accounts/:id/balance"}, Self: "balances", Verbs: jsonapi.Update,
	Key: func(m *movement) string {
		if m.ExternalID == nil {
			return ""
		}
		return strconv.FormatInt(*m.ExternalID, 10)
	},
	Load: func(r *jsonapi.Request, id string) (*movement, error) {
		a, err := byExternalID(r, id)
		if err != nil {
			return nil, err
		}
		now, err := r.Tx.AccountBalance(a)
		return &movement{*a, now}, err
	},
	Attrs: []jsonapi.Attr[movement]{
		jsonapi.Field("balance", jsonapi.Amount, func(m *movement) *rating.Money { return &m.amount }),
	},
	Check: func(_ *jsonapi.Request, _ *movement, b *jsonapi.Body) jsonapi.Problems {
		if b.Null("balance") {
			return jsonapi.Problems{jsonapi.AttrProblem("balance", "is not a number")}
		}
		return nil
	},
	Save: func(r *jsonapi.Request, m *movement) error {
		return r.Tx.SetBalance(&m.account, m.amount, "balance set through the API")
	},
}

var balanceCorrections = jsonapi.Resource[movement]{
	Type: "balance-correction", Paths: []string{"accounts/:id/balance-correction"}, Self: "balance-correction", Verbs: jsonapi.Update,
	Key: func(m *movement) string { return decimal(m.ID) },
	Load: func(r *jsonapi.Request, id string) (*movement, error) {
		n, err := strconv.ParseUint(id, 10, 64)
		if err != nil {
			return nil, jsonapi.NoRecord(id)
		}
		a, err := r.Tx.OpenAccount(rating.AccountID(n))
		if err != nil {
			return nil, err
		}
		return &movement{account: *a}, nil
	},
	Attrs: []jsonapi.Attr[movement]{
		jsonapi.Field("name", jsonapi.Text, func(m *movement) *string { return &m.Name }, jsonapi.ReadOnly),
		jsonapi.View("balance", jsonapi.Amount, func(r *jsonapi.Request, m *movement) (rating.Money, error) { return r.Tx.AccountBalance(&m.account) }),
		jsonapi.Field("correction", correctionKind, func(m *movement) *rating.Money { return &m.amount }, jsonapi.WriteOnly),
	},
	Check: func(_ *jsonapi.Request, _ *movement, b *jsonapi.Body) jsonapi.Problems {
		if b.Null("correction") {
			return jsonapi.Problems{jsonapi.BaseProblem("correction can't be blank")}
		}
		return nil
	},
	Save: func(r *jsonapi.Request, m *movement) error {
		return r.Tx.Correct(&m.account, m.amount, "balance correction through the API")
	},
}

// correctionKind is an amount, 0 when it cannot be read: Yeti then changes nothing and answers 200.
var correctionKind = jsonapi.Kind[rating.Money]{
	Ops: jsonapi.NoOps, Value: jsonapi.Amount.Value,
	Parse: func(in jsonapi.Input) (rating.Money, string) {
		m, fault := jsonapi.Amount.Parse(in)
		if fault == "is not a number" {
			return 0, ""
		}
		return m, fault
	},
}
