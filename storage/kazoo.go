package storage

import (
	"encoding/json"
	"time"

	"billd/rating"
	"billd/rating/plan"
	"billd/storage/kv"
)

// Object is a thing of an account that services count and that nothing else in billd knows: a
// device, the trunk limits, a mailbox. Doc is Kazoo's document as sent.
type Object struct {
	ID        uint64           `json:"id"`
	UUID      rating.UUID      `json:"uuid"`
	Account   rating.AccountID `json:"account"`
	Type      string           `json:"type"` // Kazoo's noun: devices, limits
	Doc       json.RawMessage  `json:"doc"`
	CreatedAt time.Time        `json:"created_at"`
	ChangedAt time.Time        `json:"changed_at,omitzero"`
}

// ServicePlan is a price list for services that an account sells to those below it.
// A deleted one stays, because accounts may still be on it.
type ServicePlan struct {
	ID        uint64           `json:"id"`
	UUID      rating.UUID      `json:"uuid"`
	Vendor    rating.AccountID `json:"vendor"`
	Name      string           `json:"name"`
	Doc       json.RawMessage  `json:"doc"`
	CreatedAt time.Time        `json:"created_at"`
	ChangedAt time.Time        `json:"changed_at,omitzero"`
	DeletedAt time.Time        `json:"deleted_at,omitzero"`
}

// AssignedPlan is a service plan on an account.
type AssignedPlan struct {
	Plan      rating.UUID     `json:"plan"`
	Vendor    string          `json:"vendor"` // the vendor account's 32 hex digits
	Overrides json.RawMessage `json:"overrides,omitempty"`
	Contract  json.RawMessage `json:"contract,omitempty"`
}

// Quantities counts things by category and item. Absent is 0.
type Quantities map[string]map[string]int64

// Services is what an account has and is billed for. Its number is the account's.
type Services struct {
	ID        uint64           `json:"id"`
	Plans     []AssignedPlan   `json:"plans,omitempty"`   // in order of assignment
	Objects   []AssignedPlan   `json:"objects,omitempty"` // those that the account's own objects bring, counted with them
	Overrides json.RawMessage  `json:"overrides,omitempty"`
	Manual    Quantities       `json:"manual,omitempty"`  // put in by hand, over what is counted
	Counted   Quantities       `json:"counted,omitempty"` // from the account's own objects
	Cascade   Quantities       `json:"cascade,omitempty"` // from those of its descendants
	Billing   rating.AccountID `json:"billing,omitempty"` // whose standing counts; 0 is its own
	Standing  *Standing        `json:"standing,omitempty"`
	ChargeAt  time.Time        `json:"charge_at,omitzero"` // when the next month is charged; zero without plans
	Kept      plan.Kept        `json:"kept,omitempty"`     // of the month that is charged
	ToppedUp  time.Time        `json:"topped_up,omitzero"` // the last automatic top-up
}

// Standing says that an account does not pay: why, in the operator's words.
type Standing struct {
	Reason string `json:"reason,omitempty"`
	Code   int64  `json:"code,omitempty"`
}

// ServiceAudit records one change of what an account is billed for.
type ServiceAudit struct {
	ID         uint64           `json:"id"`
	Account    rating.AccountID `json:"account"`
	Name       string           `json:"name"` // of the account then
	At         time.Time        `json:"at"`
	Status     string           `json:"status"`
	Types      []string         `json:"types,omitempty"` // the quantities that moved
	From       string           `json:"from"`            // 32 hex digits of the account where the change began
	FromName   string           `json:"from_name"`
	By         *ServiceActor    `json:"by,omitempty"` // nil: billd itself
	Summary    json.RawMessage  `json:"summary"`
	Days       []ServiceDay     `json:"days,omitempty"`
	Bookkeeper plan.Bookkeeper  `json:"bookkeeper"`
	Invoice    json.RawMessage  `json:"invoice"`
}

// ServiceActor is who asked for a change of services, and with which request.
type ServiceActor struct {
	Carrier   string `json:"carrier"` // how the token was sent
	Account   string `json:"account"` // 32 hex digits
	Name      string `json:"name"`    // of the account
	User      string `json:"user,omitempty"`
	FirstName string `json:"first_name,omitempty"`
	LastName  string `json:"last_name,omitempty"`
	Request   string `json:"request"`
	Client    string `json:"client"` // address
	Method    string `json:"method"`
	Path      string `json:"path"`
}

// ServiceDay is one item's part of a ServiceAudit in the summary of its day.
type ServiceDay struct {
	Name       string `json:"name"`
	Difference int64  `json:"difference"` // billable units more, or fewer below 0
	Billable   int64  `json:"billable"`   // afterwards
}

// LedgerNote keeps what Kazoo says of a posting beyond the posting. Its number is the posting's.
type LedgerNote struct {
	ID       uint64          `json:"id"`
	Type     string          `json:"type,omitempty"` // of the usage
	Quantity json.Number     `json:"quantity,omitempty"`
	Unit     string          `json:"unit,omitempty"`
	From     int64           `json:"from,omitempty"` // gregorian seconds
	Till     int64           `json:"till,omitempty"`
	Metadata json.RawMessage `json:"metadata,omitempty"`
	Trigger  string          `json:"trigger,omitempty"`
	Module   string          `json:"module,omitempty"`
	Balance  rating.Money    `json:"balance"` // of the account after it
	Charge   *plan.Charge    `json:"charge,omitempty"`
	Month    time.Time       `json:"month,omitzero"`     // that Charge belongs to
	MonthEnd time.Time       `json:"month_end,omitzero"` // exclusive
}

type kazooTables struct {
	objects       kv.Table[Object]
	servicePlans  kv.Table[ServicePlan]
	services      kv.Table[Services]
	serviceAudits kv.Table[ServiceAudit]
	ledgerNotes   kv.Table[LedgerNote]
}

// KazooRows are the tables that only Kazoo's services ask for.
type KazooRows struct {
	Objects       Rows[Object]
	ServicePlans  Rows[ServicePlan]
	Services      Rows[Services]
	ServiceAudits Rows[ServiceAudit]
	LedgerNotes   Rows[LedgerNote]
}

func newKazooTables() kazooTables {
	t := kazooTables{
		objects:       jsonTable("object", bObject, func(v *Object) *uint64 { return &v.ID }),
		servicePlans:  jsonTable("service plan", bServicePlan, func(v *ServicePlan) *uint64 { return &v.ID }),
		services:      jsonTable("services", bServices, func(v *Services) *uint64 { return &v.ID }),
		serviceAudits: jsonTable("service audit", bServiceAudit, func(v *ServiceAudit) *uint64 { return &v.ID }),
		ledgerNotes:   jsonTable("ledger note", bLedgerNote, func(v *LedgerNote) *uint64 { return &v.ID }),
	}
	t.serviceAudits.Audit, t.ledgerNotes.Audit = false, false // they are records of work themselves
	t.objects.Unique = []kv.Unique[Object]{{Bucket: bObjectUUID, Field: "uuid", Key: func(o *Object) []byte { return uuidKey(o.UUID) }}}
	t.objects.Index = []kv.Index[Object]{{Bucket: bObjectAccount, Keys: func(o *Object) [][]byte {
		return one(kv.Key(nil).U64(uint64(o.Account)).Text(o.Type))
	}}}
	t.servicePlans.Unique = []kv.Unique[ServicePlan]{{Bucket: bServicePlanUUID, Field: "uuid", Key: func(p *ServicePlan) []byte { return uuidKey(p.UUID) }}}
	t.servicePlans.Index = []kv.Index[ServicePlan]{{Bucket: bServicePlanVendor, Keys: func(p *ServicePlan) [][]byte {
		return one(kv.Key(nil).U64(uint64(p.Vendor)))
	}}}
	t.services.Index = []kv.Index[Services]{{Bucket: bServicesDue, Keys: func(s *Services) [][]byte {
		if s.ChargeAt.IsZero() {
			return nil
		}
		return one(kv.Key(nil).Milli(s.ChargeAt))
	}}}
	t.serviceAudits.Index = []kv.Index[ServiceAudit]{
		{Bucket: bServiceAuditAccount, Keys: func(a *ServiceAudit) [][]byte {
			return one(kv.Key(nil).U64(uint64(a.Account)).Milli(a.At))
		}},
		{Bucket: bServiceDay, Keys: serviceDayKeys},
	}
	return t
}

func bindKazoo(tx *Tx) KazooRows {
	return KazooRows{
		Objects:       bind(tx, &schema.objects),
		ServicePlans:  bind(tx, &schema.servicePlans),
		Services:      bind(tx, &schema.services),
		ServiceAudits: bind(tx, &schema.serviceAudits),
		LedgerNotes:   bind(tx, &schema.ledgerNotes),
	}
}
