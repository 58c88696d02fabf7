package storage

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"billd/rating"
	"billd/storage/kv"
)

// Tx is one transaction: a typed table per kind of record, a clock that stands still, and who acts.
type Tx struct {
	kv.Txn
	db  *DB
	now time.Time
	by  string

	Operators   Rows[Operator]
	Contractors Rows[Contractor]
	Contacts    Rows[Contact]
	Accounts    Rows[rating.Account]
	Decks       Rows[rating.Deck]
	Plans       Rows[rating.RatePlan]
	Rates       Rows[rating.Rate]
	Imports     Rows[Import]
	Postings    Rows[rating.Posting]
	Payments    Rows[Payment]
	Suspense    Rows[Suspended]
	Invoices    Rows[rating.Invoice]
	Lines       Rows[rating.InvoiceLine]
	Accesses    Rows[Access]
	Users       Rows[User]
	Jobs        Rows[Job]
	Documents   Rows[Document]
	Audit       Rows[AuditEntry]

	KazooRows
	TaskRows
	YetiRows
	NetworkRows
	ServiceRows
	NextRateRows
	CDRExportRows
	OutboxRows
	NoticeRows
	CustomersAuthRows
	ProfileRows
	TailRows
	NASRows
	SourceRows
	SwitchRows
	DialogRows
	ReservationRows
	DataRows
	GuardRows
	guardWork

	moves     map[rating.Ledger]rating.Balance
	tallies   map[tallyKey]rating.Tally
	calls     *callBatch
	packages  map[rating.AccountID]*packages // of accounts whose calls were charged here
	touched   map[rating.DeckID]map[string]struct{}
	dirty     map[rating.AccountID]struct{}        // accounts written here
	replaced  map[rating.DeckID]*rating.DeckIndex  // whole indexes that the commit brings
	renumber  bool                                 // the number plan changed: it is read anew
	reload    bool                                 // a deck or plan changed: the catalog is made anew
	auths     map[uint64]struct{}                  // customers-auths written here
	resourced bool                                 // a source changed here
	quiet     bool                                 // bulk work writes its own single audit row
	replanned bool                                 // a service plan, or who is on one, changed here
	actor     func(*Tx) (*ServiceActor, error)     // for audits of services, nil for billd itself
	known     map[rating.AccountID]*rating.Account // a reader's own cache of accounts, nil for none
	newTail   *sideTail                            // of the calls charged here
	changed   bool                                 // something that may say who pays, and by which deck
	reserving int                                  // what is known of the store's reservations
	billing   *rating.CDR                          // the call that is being charged, nil for none
	published []func()
}

func (db *DB) newTx(ctx context.Context, t kv.Txn) *Tx {
	tx := &Tx{Txn: t, db: db, now: db.Now(), by: Principal(ctx)}
	s := schema
	tx.Operators = bind(tx, &s.operators)
	tx.Contractors = bind(tx, &s.contractors)
	tx.Contacts = bind(tx, &s.contacts)
	tx.Accounts = bind(tx, &s.accounts)
	tx.Decks = bind(tx, &s.decks)
	tx.Plans = bind(tx, &s.plans)
	tx.Rates = bind(tx, &s.rates)
	tx.Imports = bind(tx, &s.imports)
	tx.Postings = bind(tx, &s.postings)
	tx.Payments = bind(tx, &s.payments)
	tx.Suspense = bind(tx, &s.suspense)
	tx.Invoices = bind(tx, &s.invoices)
	tx.Lines = bind(tx, &s.lines)
	tx.Accesses = bind(tx, &s.accesses)
	tx.Users = bind(tx, &s.users)
	tx.Jobs = bind(tx, &s.jobs)
	tx.Documents = bind(tx, &s.documents)
	tx.Audit = bind(tx, &s.audit)
	tx.KazooRows = bindKazoo(tx)
	tx.TaskRows = bindTasks(tx)
	tx.YetiRows = bindYeti(tx)
	tx.NetworkRows = bindNetworks(tx)
	tx.ServiceRows, tx.NextRateRows, tx.CDRExportRows = bindServices(tx), bindNextRates(tx), bindCDRExports(tx)
	tx.OutboxRows, tx.NoticeRows = bindOutbox(tx), bindNotices(tx)
	tx.CustomersAuthRows = bindCustomersAuths(tx)
	tx.ProfileRows = bindProfiles(tx)
	tx.TailRows = bindTails(tx)
	tx.NASRows = bindNAS(tx)
	tx.SourceRows = bindSources(tx)
	tx.SwitchRows = bindSwitches(tx)
	tx.DialogRows = bindDialogs(tx)
	tx.ReservationRows = bindReservations(tx)
	tx.DataRows = bindData(tx)
	tx.GuardRows = bindGuards(tx)
	return tx
}

func (tx *Tx) sequences() kv.Sequences { return kv.Sequences{Tx: tx.Txn, Bucket: bSequence} }

// Now returns the instant the transaction began, UTC.
func (tx *Tx) Now() time.Time { return tx.now }

// Location returns the account's time zone.
func (tx *Tx) Location(a *rating.Account) *time.Location { return tx.db.zone(a.Timezone) }

// Settings returns the settings in force.
func (tx *Tx) Settings() *rating.Settings { return tx.db.Settings() }

// RateUUID returns the UUID that a rate is known by: its own, else the one its number spells.
func (tx *Tx) RateUUID(r *rating.Rate) rating.UUID {
	if !r.UUID.IsZero() {
		return r.UUID
	}
	return rating.NumberUUID(tx.db.space.Rate, uint64(r.ID))
}

// CDRUUID returns the UUID that a call is known by.
func (tx *Tx) CDRUUID(c *rating.CDR) string {
	if u := c.Text(rating.CDRUUID); u != "" {
		return u
	}
	return rating.NumberUUID(tx.cdrSpace(), uint64(c.ID)).String()
}

// Changed keeps the audit trail and notes what must be published when the transaction commits.
// It is called by the tables themselves.
func (tx *Tx) Changed(table string, id uint64, old, now []byte) error {
	tx.forgetPayers(table)
	switch table {
	case schema.accounts.Name:
		if tx.dirty == nil {
			tx.dirty = map[rating.AccountID]struct{}{}
		}
		tx.dirty[rating.AccountID(id)] = struct{}{}
		tx.published = append(tx.published, func() { delete(tx.db.accounts, rating.AccountID(id)) })
	case schema.services.Name, schema.servicePlans.Name:
		tx.forgetRatedecks(table, id)
	case schema.decks.Name, schema.plans.Name:
		tx.reload = true
	case schema.networkPrefixes.Name, schema.networks.Name, schema.countries.Name:
		tx.renumber = true
		if table == schema.networkPrefixes.Name && !tx.quiet {
			return tx.record(table, id, networkPrefixJSON(id, old), networkPrefixJSON(id, now))
		}
	case schema.nas.Name:
		tx.forgetNAS()
	case schema.switches.Name:
		tx.forgetSwitches()
	case schema.sources.Name:
		tx.resourced = true
	case schema.customersAuths.Name:
		if tx.auths == nil {
			tx.auths = map[uint64]struct{}{}
		}
		tx.auths[id] = struct{}{}
	case schema.rates.Name:
		if err := tx.touch(id, old, now); err != nil {
			return err
		}
		if now == nil {
			if err := tx.forgetNextRates(rating.RateID(id)); err != nil {
				return err
			}
		}
		if tx.quiet {
			return nil
		}
		return tx.record(table, id, rateJSON(id, old), rateJSON(id, now))
	}
	if tx.quiet {
		return nil
	}
	return tx.record(table, id, jsonRow(old), jsonRow(now))
}

// record appends one audit row.
func (tx *Tx) record(table string, id uint64, old, now json.RawMessage) error {
	op := "update"
	switch {
	case old == nil:
		op = "create"
	case now == nil:
		op = "delete"
	}
	return tx.Audit.Put(&AuditEntry{At: tx.now, By: tx.by, Table: table, Row: id, Op: op, Old: redact(old), New: redact(now)})
}

// Note appends an audit row for work that touched many rows.
func (tx *Tx) Note(table string, id uint64, note string) error {
	return tx.Audit.Put(&AuditEntry{At: tx.now, By: tx.by, Table: table, Row: id, Op: "job", Note: note})
}

// jsonRow returns the JSON of a stored row, nil for none.
func jsonRow(b []byte) json.RawMessage {
	if len(b) > 0 && b[0] == jsonVersion {
		b = b[1:]
	}
	if len(b) == 0 {
		return nil
	}
	return slices.Clone(b)
}

func rateJSON(id uint64, b []byte) json.RawMessage {
	if b == nil {
		return nil
	}
	var r rating.Rate
	if decodeRate(rating.RateID(id), b, &r) != nil {
		return nil
	}
	j, err := json.Marshal(&r)
	if err != nil {
		return nil
	}
	return j
}

// secretFields never reach the audit trail.
var secretFields = []string{"password", "login_md5", "login_sha", "key_md5", "key_sha", "api_key", "secret"}

// redact replaces secrets by a word.
func redact(row json.RawMessage) json.RawMessage {
	if row == nil {
		return nil
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(row, &fields) != nil {
		return row
	}
	found := false
	for _, f := range secretFields {
		if v, ok := fields[f]; ok && string(v) != `""` && string(v) != "null" {
			fields[f], found = json.RawMessage(`"(secret)"`), true
		}
	}
	if !found {
		return row
	}
	b, err := json.Marshal(fields)
	if err != nil {
		return nil
	}
	return b
}

// finish writes what the transaction gathered and prepares what is published after it.
func (tx *Tx) finish() error {
	if err := tx.flushCalls(); err != nil {
		return err
	}
	if err := tx.flushPackages(); err != nil {
		return err
	}
	if err := tx.flushTallies(); err != nil {
		return err
	}
	if err := tx.flushGuard(); err != nil {
		return err
	}
	if err := tx.flushBalances(); err != nil {
		return err
	}
	return tx.publishCatalog()
}
