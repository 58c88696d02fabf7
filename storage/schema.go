package storage

import (
	"encoding/json"
	"time"

	"billd/rating"
	"billd/storage/kv"
)

// SchemaVersion is the layout this binary writes. A later one is refused at open.
const SchemaVersion = 1

// The buckets. Their order is this program's own; the store knows them by name.
const (
	bMeta kv.Bucket = iota
	bSequence
	bSetting
	bAudit
	bOperator
	bOperatorLogin
	bContractor
	bContractorName
	bContractorExternal
	bContact
	bContactContractor
	bAccount
	bAccountUUID
	bAccountName
	bAccountExternal
	bAccountRealm
	bAccountKey
	bAccountContractor
	bAccountParent
	bAccountFold
	bDeck
	bDeckName
	bRatePlan
	bRatePlanName
	bRatePlanUUID
	bRate
	bRateDeck
	bRateKazoo
	bRateUUID
	bRateClose
	bImport
	bPosting
	bPostingLedger
	bPostingRef
	bBalance
	bTally
	bPayment
	bPaymentUUID
	bPaymentAccount
	bCDR
	bCDRCustomer
	bCDRVendor
	bCDRCall
	bCDRLog
	bCDRRevision
	bCDRLate
	bSuspense
	bInvoice
	bInvoiceUUID
	bInvoiceAccount
	bInvoiceLine
	bInvoiceLineInvoice
	bAccess
	bAccessLogin
	bAccessCustomer
	bUser
	bUserKey
	bUserAccount
	bUserUUID
	bJob
	bRevoked
	bDocument
	bObject
	bObjectUUID
	bObjectAccount
	bServicePlan
	bServicePlanUUID
	bServicePlanVendor
	bServices
	bServiceAudit
	bServiceAuditAccount
	bLedgerNote
	bTask
	bTaskUUID
	bTaskAccount
	bTaskOpen
	bTaskPart
	bTaskPartOf
	bSMTP
	bSMTPName
	bCountry
	bCountryName
	bCountryISO2
	bNetwork
	bNetworkName
	bNetworkUUID
	bNetworkByType
	bNetworkType
	bNetworkTypeName
	bNetworkTypeUUID
	bServiceType
	bServiceTypeName
	bYetiService
	bYetiServiceUUID
	bYetiServiceAccount
	bYetiServiceType
	bYetiServiceRenew
	bPackageCounter
	bPackageCounterService
	bNextRate
	bNextRateRate
	bNextRateDue
	bCDRExport
	bCDRExportUUID
	bCDRExportAccount
	bCDRExportOpen
	bCDRExportChunk
	bCDRExportChunkOf
	bOutbox
	bOutboxKey
	bOutboxState
	bBalanceNotice
	bInvoicePaper
	bNetworkPrefix
	bCustomersAuth
	bCustomersAuthName
	bCustomersAuthExternal
	bCustomersAuthCustomer
	bCustomersAuthAccount
	bCustomersAuthPlan
	bInvoiceTemplate
	bInvoiceTemplateName
	bServicesDue
	bServiceDay
	bAccountTopUp
	bImportUndo
	bImportProfile
	bImportProfileName
	bReservation
	bReservationCall
	bReservationAccount
	bReservationDue
	bReserved
	bTail
	bTailFile
	bDataPlan
	bDataPlanName
	bDataSubscription
	bDataSubscriptionUser
	bDataSubscriptionAccount
	bDataSession
	bDataSessionKey
	bDataSessionUser
	bDataSessionOpen
	bDataSource
	bDataSourceName
	bDataDay
	bDataPeriod
	bDataUnassigned
	bDataHeld
	bDataHeldKey
	bGuard
	bGuardState
	bGuardBlocked
	bGuardAlarm
	bGuardAlarmAccount
	bGuardTally
	bNAS
	bNASName
	bNASNetwork
	bDialog
	bDialogKey
	bDialogDue
	bSource
	bSourceName
	bSwitch
	bSwitchName
	numBuckets
)

// MetaBucket is where the engine may keep what it must know of the store.
const MetaBucket = bMeta

// BucketNames returns the names an engine is opened with, in the order of the constants.
func BucketNames() []string {
	return []string{"meta", "sequence", "setting", "audit", "operator", "operator.login",
		"contractor", "contractor.name", "contractor.external", "contact", "contact.contractor",
		"account", "account.uuid", "account.name", "account.external", "account.realm", "account.key", "account.contractor", "account.parent", "account.fold",
		"deck", "deck.name", "rateplan", "rateplan.name", "rateplan.uuid",
		"rate", "rate.deck", "rate.kazoo", "rate.uuid", "rate.close", "import",
		"posting", "posting.ledger", "posting.ref", "balance", "tally",
		"payment", "payment.uuid", "payment.account",
		"cdr", "cdr.customer", "cdr.vendor", "cdr.call", "cdr.log", "cdr.revision", "cdr.late", "suspense",
		"invoice", "invoice.uuid", "invoice.account", "invoice.line", "invoice.line.invoice",
		"access", "access.login", "access.customer", "user", "user.key", "user.account", "user.uuid",
		"job", "revoked", "document",
		"object", "object.uuid", "object.account", "serviceplan", "serviceplan.uuid", "serviceplan.vendor",
		"services", "service.audit", "service.audit.account", "ledger.note", "task", "task.uuid", "task.account", "task.open", "task.part", "task.part.task", "smtp", "smtp.name",
		"country", "country.name", "country.iso2", "network", "network.name", "network.uuid", "network.type",
		"networktype", "networktype.name", "networktype.uuid",
		"servicetype", "servicetype.name", "service", "service.uuid", "service.account", "service.type", "service.renew", "packagecounter", "packagecounter.service",
		"nextrate", "nextrate.rate", "nextrate.due",
		"cdrexport", "cdrexport.uuid", "cdrexport.account", "cdrexport.open", "cdrexport.chunk", "cdrexport.chunk.export",
		"outbox", "outbox.key", "outbox.state", "balance.notice", "invoice.paper",
		"networkprefix",
		"customersauth", "customersauth.name", "customersauth.external", "customersauth.customer", "customersauth.account", "customersauth.rateplan",
		"invoicetemplate", "invoicetemplate.name",
		"services.due", "service.day", "account.topup",
		"import.undo", "importprofile", "importprofile.name",
		"reservation", "reservation.call", "reservation.account", "reservation.due", "reserved",
		"tail", "tail.file",
		"data.plan", "data.plan.name", "data.subscription", "data.subscription.user", "data.subscription.account",
		"data.session", "data.session.key", "data.session.user", "data.session.open", "data.source", "data.source.name",
		"data.day", "data.period", "data.unassigned", "data.held", "data.held.key",
		"guard", "guard.state", "guard.blocked", "guard.alarm", "guard.alarm.account", "guard.tally",
		"nas", "nas.name", "nas.network", "dialog", "dialog.key", "dialog.due",
		"source", "source.name",
		"switch", "switch.name"}
}

// FillPercents returns how full a page is left when it splits, for buckets that grow at their end (R9).
func FillPercents() map[kv.Bucket]float64 {
	return map[kv.Bucket]float64{bCDR: 0.95, bCDRVendor: 0.95, bCDRCall: 0.95, bCDRLog: 0.95, bPosting: 0.95, bRate: 0.95, bRateDeck: 0.95}
}

// Operator is a person who runs billd: a Yeti admin user.
type Operator struct {
	ID        uint64    `json:"id"`
	Login     string    `json:"login"`
	Password  string    `json:"password"` // argon2id, PHC form
	CreatedAt time.Time `json:"created_at"`
	// AllowedIPs are the addresses and networks from which the operator may act; none are all.
	AllowedIPs []string `json:"allowed_ips,omitempty"`
	// Tokens signed to expire at or before this instant are refused: passwd and delete end sessions.
	TokensAfter time.Time `json:"tokens_after,omitzero"`
}

// Contractor owns accounts: a customer, a vendor or both.
type Contractor struct {
	ID          uint64  `json:"id"`
	Name        string  `json:"name"`
	Enabled     bool    `json:"enabled"`
	Vendor      bool    `json:"vendor"`
	Customer    bool    `json:"customer"`
	Description *string `json:"description,omitempty"`
	Address     *string `json:"address,omitempty"`
	Phones      *string `json:"phones,omitempty"`
	ExternalID  *int64  `json:"external_id,omitempty"`
	SMTP        *int64  `json:"smtp_connection,omitempty"`
}

// Contact is an address of a contractor for invoices and notices.
type Contact struct {
	ID         uint64  `json:"id"`
	Contractor uint64  `json:"contractor"`
	Email      string  `json:"email"`
	Notes      *string `json:"notes,omitempty"`
}

// PaymentStatus says where a payment stands. Source: Yeti.
type PaymentStatus uint8

// The statuses.
const (
	PaymentCompleted PaymentStatus = iota
	PaymentPending
	PaymentCanceled
	PaymentRolledBack
)

// String returns Yeti's word.
func (s PaymentStatus) String() string {
	return [...]string{"completed", "pending", "canceled", "rolled_back"}[s&3]
}

// Payment is money received for an account; its posting moves the balance.
type Payment struct {
	ID            uint64           `json:"id"`
	UUID          rating.UUID      `json:"uuid"`
	Account       rating.AccountID `json:"account"`
	Amount        rating.Money     `json:"amount"`
	Notes         *string          `json:"notes,omitempty"`
	PrivateNotes  *string          `json:"private_notes,omitempty"`
	Status        PaymentStatus    `json:"status"`
	BalanceBefore *rating.Money    `json:"balance_before,omitempty"`
	CreatedAt     time.Time        `json:"created_at"`
	RolledBackAt  *time.Time       `json:"rolled_back_at,omitempty"`
	Posting       uint64           `json:"posting,omitempty"`
}

// Access is a customer's login to Yeti's customer API.
type Access struct {
	ID          uint64             `json:"id"`
	Customer    uint64             `json:"customer"` // contractor
	Login       string             `json:"login"`
	Password    string             `json:"password"` // argon2id, PHC form
	Accounts    []rating.AccountID `json:"accounts"` // none: all of the customer's
	AllowedIPs  []string           `json:"allowed_ips"`
	Profile     int64              `json:"profile"`
	TokensAfter time.Time          `json:"tokens_after,omitzero"`
}

// User is a person of an account who logs in through Kazoo or PortSIP.
type User struct {
	ID          uint64           `json:"id"`
	UUID        rating.UUID      `json:"uuid"`
	Account     rating.AccountID `json:"account"`
	Username    string           `json:"username"`
	Password    string           `json:"password"`  // argon2id of the password, PortSIP
	LoginMD5    string           `json:"login_md5"` // argon2id of Kazoo's md5 login hash
	LoginSHA    string           `json:"login_sha"` // argon2id of Kazoo's sha login hash
	KeyMD5      []byte           `json:"key_md5"`   // finds the user by the md5 login hash (R22)
	KeySHA      []byte           `json:"key_sha"`
	FirstName   string           `json:"first_name"`
	LastName    string           `json:"last_name"`
	Admin       bool             `json:"admin,omitempty"`
	Disabled    bool             `json:"disabled,omitempty"`
	Doc         json.RawMessage  `json:"doc,omitempty"` // Kazoo's further fields
	CreatedAt   time.Time        `json:"created_at"`
	ChangedAt   time.Time        `json:"changed_at,omitzero"` // zero: never
	TokensAfter time.Time        `json:"tokens_after,omitzero"`
}

// HeldCall is a call as it was delivered, kept until it can be charged.
type HeldCall struct {
	Call    []byte `json:"call,omitempty"` // the columns that were read, as a CDR row
	Account string `json:"account,omitempty"`
	Vendor  string `json:"vendor,omitempty"`
	Rated   bool   `json:"rated,omitempty"`
	Gateway string `json:"gateway,omitempty"` // rating.Call
	Inbound bool   `json:"inbound,omitempty"`
}

// Suspended is a call that waits for an answer.
type Suspended struct {
	ID       uint64    `json:"id"`
	Reason   string    `json:"reason"`
	Detail   string    `json:"detail"`
	At       time.Time `json:"at"`
	Source   string    `json:"source,omitempty"`
	HeldCall           // empty when the record could not be read
	Raw      string    `json:"raw,omitempty"` // the record as it came, when it could not be read
	CallKey  []byte    `json:"call_key,omitempty"`
	StartAt  time.Time `json:"start_at,omitzero"`
	Attempts int       `json:"attempts,omitempty"`
}

// Import is one run of import-rates, or the undoing of one.
type Import struct {
	ID         uint64        `json:"id"`
	Deck       rating.DeckID `json:"deck"`
	Generation uint32        `json:"generation"`
	Applied    bool          `json:"applied"`
	Mode       string        `json:"mode"`
	File       string        `json:"file,omitempty"`
	Effective  time.Time     `json:"effective,omitzero"`
	StartedAt  time.Time     `json:"started_at"`
	FinishedAt time.Time     `json:"finished_at,omitzero"`
	FirstRate  rating.RateID `json:"first_rate"`
	Counts     ImportCounts  `json:"counts"`
	By         string        `json:"by,omitempty"`
	Becomes    *rating.Deck  `json:"becomes,omitempty"` // the deck as the import makes or changes it; nil: as it is
	Was        *rating.Deck  `json:"was,omitempty"`     // a deck that it changes, as it was before
	Noted      uint64        `json:"noted,omitempty"`   // its entry of the audit trail
	Undo       bool          `json:"undo,omitempty"`    // what it ended is kept for undoing it
	Undoes     uint64        `json:"undoes,omitempty"`  // the import that this one undoes
}

// ImportCounts is the summary of an import: Read is the sum of the others but Removed.
type ImportCounts struct {
	Read     int `json:"read"`
	Added    int `json:"added"`
	Changed  int `json:"changed"`
	Same     int `json:"same"`
	Removed  int `json:"removed"`
	Rejected int `json:"rejected"`
}

// Job is the state of background work under its name.
type Job struct {
	ID     uint64    `json:"id"`
	Name   string    `json:"name"`
	LastAt time.Time `json:"last_at"`
	Error  string    `json:"error,omitempty"`
}

// Document is the paper of an invoice.
type Document struct {
	ID   uint64 `json:"id"` // the invoice
	Name string `json:"name"`
	Type string `json:"type"`
	Body []byte `json:"body"`
}

// AuditEntry records one change of one row.
type AuditEntry struct {
	ID    uint64          `json:"id"`
	At    time.Time       `json:"at"`
	By    string          `json:"by,omitempty"`
	Table string          `json:"table"`
	Row   uint64          `json:"row"`
	Op    string          `json:"op"` // create, update, delete, job
	Old   json.RawMessage `json:"old,omitempty"`
	New   json.RawMessage `json:"new,omitempty"`
	Note  string          `json:"note,omitempty"`
}
