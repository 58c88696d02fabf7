package rating

import "time"

// InvoiceState is where an invoice stands. Source: Yeti.
type InvoiceState uint8

// The states; only approved invoices reach the customer.
const (
	InvoiceNew InvoiceState = iota
	InvoicePending
	InvoiceApproved
)

// String returns Yeti's word.
func (s InvoiceState) String() string { return [...]string{"New", "Pending", "Approved", "New"}[s&3] }

// InvoiceType says who asked for an invoice and whether its period is a whole one.
type InvoiceType uint8

// The types.
const (
	InvoiceManual InvoiceType = iota
	InvoiceAutoFull
	InvoiceAutoPartial
)

// String returns Yeti's words.
func (t InvoiceType) String() string {
	return [...]string{"Manual", "Auto Full", "Auto Partial", "Manual"}[t&3]
}

// InvoiceSide sums one side (originated or terminated calls) of an invoice.
type InvoiceSide struct {
	Spent           Money     `json:"spent"`
	Earned          Money     `json:"earned"`
	Calls           int64     `json:"calls"`
	Successful      int64     `json:"successful"`
	Duration        int64     `json:"duration"`         // seconds
	BillingDuration int64     `json:"billing_duration"` // seconds
	FirstCall       time.Time `json:"first_call,omitzero"`
	LastCall        time.Time `json:"last_call,omitzero"`
}

// Invoice describes what an account spent and earned in [Start, End). It moves nothing.
type Invoice struct {
	ID         uint64       `json:"id"`
	UUID       UUID         `json:"uuid"`
	Account    AccountID    `json:"account"`
	Contractor uint64       `json:"contractor"`
	Currency   Currency     `json:"currency"`
	Reference  string       `json:"reference"`
	Number     uint64       `json:"number,omitempty"` // the legal number, taken at approval
	State      InvoiceState `json:"state"`
	Type       InvoiceType  `json:"type"`
	Origin     Origin       `json:"origin"`
	Start      time.Time    `json:"start"`
	End        time.Time    `json:"end"`
	CreatedAt  time.Time    `json:"created_at"`
	ApprovedAt time.Time    `json:"approved_at,omitzero"`

	Originated    InvoiceSide `json:"originated"`
	Terminated    InvoiceSide `json:"terminated"`
	Spent         Money       `json:"spent"`
	Earned        Money       `json:"earned"`
	ServiceSpent  Money       `json:"service_spent"`
	ServiceEarned Money       `json:"service_earned"`
	ServiceCount  int64       `json:"service_count"`
	VAT           []VATShare  `json:"vat,omitempty"` // of what was spent less what was earned; nil where it is not known
	HasDocument   bool        `json:"has_document,omitempty"`

	Data []InvoiceData `json:"data,omitempty"` // what subscriptions used, as it was known when the invoice was filled
}

// InvoiceData says what a data subscription used in the days of an invoice that lie in one period of its
// plan, and what the invoice asks for it. The amount is part of the services.
type InvoiceData struct {
	Subscription uint64     `json:"subscription"`
	User         string     `json:"user"`
	Plan         string     `json:"plan"`
	Terms        string     `json:"terms"`
	Unit         ByteUnit   `json:"unit"`
	Period       string     `json:"period"` // its first day, YYYY-MM-DD
	From         string     `json:"from"`   // the days of the invoice in it, the last one too; "" when the usage was on an earlier invoice
	To           string     `json:"to"`
	Used         Octets     `json:"used"`      // in these days
	Counted      Bytes      `json:"counted"`   // of the whole period so far
	Allowance    Bytes      `json:"allowance"` // of the whole period
	Charge       DataCharge `json:"charge"`    // of the whole period so far
	Amount       Money      `json:"amount"`    // what this invoice asks for, VAT included
}

// LineKind says which of an invoice's five tables a line belongs to.
type LineKind uint8

// The line kinds, in the order of Yeti's resources.
const (
	OriginatedDestination LineKind = 1 + iota
	OriginatedNetwork
	TerminatedDestination
	TerminatedNetwork
	ServiceLine
)

// InvoiceLine is one row of an invoice's breakdown. Pointers are null only in imported invoices and
// where nothing is known; billd's own lines have every figure.
type InvoiceLine struct {
	ID              uint64     `json:"id"`
	Invoice         uint64     `json:"invoice"`
	Account         AccountID  `json:"account"`
	Kind            LineKind   `json:"kind"`
	Prefix          *string    `json:"prefix,omitempty"`
	Country         *int64     `json:"country,omitempty"`
	Network         *int64     `json:"network,omitempty"`
	Service         *int64     `json:"service,omitempty"`
	Text            *string    `json:"text,omitempty"` // what a charge without a service is for
	Rate            *Price     `json:"rate,omitempty"`
	Spent           bool       `json:"spent"`
	Amount          *Money     `json:"amount,omitempty"`
	Calls           *int64     `json:"calls,omitempty"`
	Successful      *int64     `json:"successful,omitempty"`
	Duration        *int64     `json:"duration,omitempty"`
	BillingDuration *int64     `json:"billing_duration,omitempty"`
	FirstCall       *time.Time `json:"first_call,omitempty"`
	LastCall        *time.Time `json:"last_call,omitempty"`
}
