package rating

import (
	"encoding/json"
	"math"
	"time"
)

// AccountID is an account's number; account 1 is the operator's own, Kazoo's master.
type AccountID uint64

// MasterAccount is made with the store and roots the account tree.
const MasterAccount AccountID = 1

// MaxAccountDepth bounds the account tree, so that a walk to the root always ends.
const MaxAccountDepth = 64

// Account is who is charged or credited: one row behind a Yeti account, a Kazoo account and a
// PortSIP tenant. Its balance is not here but derived from postings (see Balance).
type Account struct {
	ID         AccountID `json:"id"`
	UUID       UUID      `json:"uuid"`
	Name       string    `json:"name"`
	Contractor uint64    `json:"contractor"`
	Parent     AccountID `json:"parent,omitempty"` // 0 only for the master
	CreatedAt  time.Time `json:"created_at"`
	ChangedAt  time.Time `json:"changed_at,omitzero"` // zero: never
	ClosedAt   time.Time `json:"closed_at,omitzero"`  // deletion closes: the number stays, the names are freed

	Currency Currency `json:"currency"`
	Timezone string   `json:"timezone"`
	VAT      Percent  `json:"vat"`
	RatePlan uint64   `json:"rateplan,omitempty"` // 0: rate plan default

	MinBalance           Decimal `json:"min_balance"`
	MaxBalance           Decimal `json:"max_balance"`
	LowThreshold         Decimal `json:"low_threshold,omitempty"`
	HighThreshold        Decimal `json:"high_threshold,omitempty"`
	NotifyContacts       []int64 `json:"notify_contacts,omitempty"`
	InvoiceContacts      []int64 `json:"invoice_contacts,omitempty"`
	DestinationRateLimit Decimal `json:"destination_rate_limit,omitempty"`
	MaxCallDuration      *int64  `json:"max_call_duration,omitempty"` // seconds
	ExternalID           *int64  `json:"external_id,omitempty"`
	OriginationCapacity  *int64  `json:"origination_capacity,omitempty"`
	TerminationCapacity  *int64  `json:"termination_capacity,omitempty"`
	TotalCapacity        *int64  `json:"total_capacity,omitempty"`

	InvoicePeriod   PeriodID  `json:"invoice_period,omitempty"`
	InvoicedFrom    time.Time `json:"invoiced_from,omitzero"` // start of the next Auto invoice
	NextInvoiceAt   time.Time `json:"next_invoice_at,omitzero"`
	InvoicedTill    time.Time `json:"invoiced_till,omitzero"` // no filled invoice ends later
	InvoiceTemplate *int64    `json:"invoice_template,omitempty"`

	Realm    string          `json:"realm,omitempty"`
	APIKey   string          `json:"api_key,omitempty"`
	Reseller bool            `json:"reseller,omitempty"`
	Disabled bool            `json:"disabled,omitempty"`
	Doc      json.RawMessage `json:"doc,omitempty"` // Kazoo's extra keys, kept as sent
}

// Closed reports whether the account was deleted.
func (a *Account) Closed() bool { return !a.ClosedAt.IsZero() }

// Location returns the account's time zone, UTC when it names none that is known.
func (a *Account) Location() *time.Location {
	loc, err := time.LoadLocation(a.Timezone)
	if err != nil {
		return time.UTC
	}
	return loc
}

// MaxCallSeconds is the longest call where neither settings nor account say otherwise; an invoice waits
// for it after its period ends. Source: Yeti's system default, contracts 6.4 and 6.5.
const MaxCallSeconds = 7200

// LongestCall returns how many seconds a call of this account may last, system being the settings' answer.
func (a *Account) LongestCall(system uint32) uint32 {
	if a.MaxCallDuration == nil {
		return system
	}
	return uint32(min(*a.MaxCallDuration, math.MaxUint32))
}

// InvoiceWait returns how long an invoice waits after its period ends for calls that began in it (R11).
func (a *Account) InvoiceWait(system uint32) time.Duration {
	return time.Duration(max(a.LongestCall(system), system)) * time.Second
}
