package storage

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode"

	"billd/rating"
	"billd/storage/kv"
)

// jsonVersion stands before the JSON of a row; a row with a later one was written by a newer billd.
const jsonVersion = 1

func encodeJSON[T any](dst []byte, v *T) ([]byte, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return append(append(dst, jsonVersion), b...), nil
}

func decodeJSON[T any](_ uint64, b []byte, v *T) error {
	if len(b) == 0 {
		return rating.Errorf(rating.Internal, "row", "empty row")
	}
	if b[0] != jsonVersion {
		return rating.Errorf(rating.Internal, "row", "row of form %d, this billd reads form %d", b[0], jsonVersion)
	}
	if err := json.Unmarshal(b[1:], v); err != nil {
		return &rating.Error{Kind: rating.Internal, Field: "row", Msg: "row does not decode", Err: err}
	}
	return nil
}

// jsonTable is a table of JSON rows.
func jsonTable[T any](name string, b kv.Bucket, id func(*T) *uint64) kv.Table[T] {
	return kv.Table[T]{Name: name, Bucket: b, ID: id, Encode: encodeJSON[T], Decode: decodeJSON[T], Audit: true}
}

// textKey is the unique key of a text; none when it is empty.
func textKey(s string) []byte {
	if s == "" {
		return nil
	}
	return kv.Key(nil).Text(s)
}

func numberKey(n *int64) []byte {
	if n == nil {
		return nil
	}
	return kv.Key(nil).U64(uint64(*n) ^ 1<<63) // negative numbers sort first
}

func uuidKey(u rating.UUID) []byte {
	if u.IsZero() {
		return nil
	}
	return u[:]
}

// FoldName is how Kazoo compares account names: letters and digits only, in lower case.
func FoldName(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, s)
}

func one(key []byte) [][]byte { return [][]byte{key} }

// open returns key unless the account is closed: a closed account frees its names.
func ofOpen(a *rating.Account, key []byte) []byte {
	if a.Closed() {
		return nil
	}
	return key
}

type tables struct {
	operators   kv.Table[Operator]
	contractors kv.Table[Contractor]
	contacts    kv.Table[Contact]
	accounts    kv.Table[rating.Account]
	decks       kv.Table[rating.Deck]
	plans       kv.Table[rating.RatePlan]
	rates       kv.Table[rating.Rate]
	imports     kv.Table[Import]
	postings    kv.Table[rating.Posting]
	payments    kv.Table[Payment]
	suspense    kv.Table[Suspended]
	invoices    kv.Table[rating.Invoice]
	lines       kv.Table[rating.InvoiceLine]
	accesses    kv.Table[Access]
	users       kv.Table[User]
	jobs        kv.Table[Job]
	documents   kv.Table[Document]
	audit       kv.Table[AuditEntry]
	kazooTables
	taskTables
	yetiTables
	networkTables
	serviceTables
	nextRateTables
	cdrExportTables
	outboxTables
	noticeTables
	customersAuthTables
	profileTables
	tailTables
	nasTables
	sourceTables
	switchTables
	dialogTables
	reservationTables
	dataTables
	guardTables
}

// schema declares every table once. It is data and never changes.
var schema = newTables()

func newTables() *tables {
	t := &tables{
		operators:   jsonTable("operator", bOperator, func(v *Operator) *uint64 { return &v.ID }),
		contractors: jsonTable("contractor", bContractor, func(v *Contractor) *uint64 { return &v.ID }),
		contacts:    jsonTable("contact", bContact, func(v *Contact) *uint64 { return &v.ID }),
		accounts:    jsonTable("account", bAccount, func(v *rating.Account) *uint64 { return (*uint64)(&v.ID) }),
		decks:       jsonTable("deck", bDeck, func(v *rating.Deck) *uint64 { return (*uint64)(&v.ID) }),
		plans:       jsonTable("rateplan", bRatePlan, func(v *rating.RatePlan) *uint64 { return &v.ID }),
		imports:     jsonTable("import", bImport, func(v *Import) *uint64 { return &v.ID }),
		payments:    jsonTable("payment", bPayment, func(v *Payment) *uint64 { return &v.ID }),
		suspense:    jsonTable("suspense", bSuspense, func(v *Suspended) *uint64 { return &v.ID }),
		invoices:    jsonTable("invoice", bInvoice, func(v *rating.Invoice) *uint64 { return &v.ID }),
		lines:       jsonTable("invoice line", bInvoiceLine, func(v *rating.InvoiceLine) *uint64 { return &v.ID }),
		accesses:    jsonTable("access", bAccess, func(v *Access) *uint64 { return &v.ID }),
		users:       jsonTable("user", bUser, func(v *User) *uint64 { return &v.ID }),
		jobs:        jsonTable("job", bJob, func(v *Job) *uint64 { return &v.ID }),
		documents:   jsonTable("document", bDocument, func(v *Document) *uint64 { return &v.ID }),
		audit:       jsonTable("audit", bAudit, func(v *AuditEntry) *uint64 { return &v.ID }),
		rates: kv.Table[rating.Rate]{Name: "rate", Bucket: bRate, Audit: true,
			ID:     func(r *rating.Rate) *uint64 { return (*uint64)(&r.ID) },
			Encode: func(dst []byte, r *rating.Rate) ([]byte, error) { return appendRate(dst, r) },
			Decode: func(id uint64, b []byte, r *rating.Rate) error { return decodeRate(rating.RateID(id), b, r) }},
		postings: kv.Table[rating.Posting]{Name: "posting", Bucket: bPosting,
			ID:     func(p *rating.Posting) *uint64 { return &p.ID },
			Encode: func(dst []byte, p *rating.Posting) ([]byte, error) { return appendPosting(dst, p), nil },
			Decode: func(id uint64, b []byte, p *rating.Posting) error { return decodePosting(id, b, p) }},
	}
	t.kazooTables = newKazooTables()
	t.taskTables = newTaskTables()
	t.yetiTables = newYetiTables()
	t.networkTables = newNetworkTables()
	t.serviceTables, t.nextRateTables, t.cdrExportTables = newServiceTables(), newNextRateTables(), newCDRExportTables()
	t.outboxTables, t.noticeTables = newOutboxTables(), newNoticeTables()
	t.customersAuthTables = newCustomersAuthTables()
	t.profileTables = newProfileTables()
	t.tailTables = newTailTables()
	t.nasTables = newNASTables()
	t.sourceTables = newSourceTables()
	t.switchTables = newSwitchTables()
	t.dialogTables = newDialogTables()
	t.reservationTables = newReservationTables()
	t.dataTables = newDataTables()
	t.guardTables = newGuardTables()
	// What is itself a record of work is not audited again.
	t.audit.Audit, t.jobs.Audit, t.suspense.Audit, t.lines.Audit, t.documents.Audit, t.imports.Audit = false, false, false, false, false, false

	t.operators.Unique = []kv.Unique[Operator]{{Bucket: bOperatorLogin, Field: "login", Key: func(v *Operator) []byte { return textKey(v.Login) }}}
	t.contractors.Unique = []kv.Unique[Contractor]{
		{Bucket: bContractorName, Field: "name", Key: func(v *Contractor) []byte { return textKey(v.Name) }},
		{Bucket: bContractorExternal, Field: "external_id", Key: func(v *Contractor) []byte { return numberKey(v.ExternalID) }},
	}
	t.contacts.Index = []kv.Index[Contact]{{Bucket: bContactContractor, Keys: func(v *Contact) [][]byte { return one(kv.Key(nil).U64(v.Contractor)) }}}
	t.accounts.Unique = []kv.Unique[rating.Account]{
		{Bucket: bAccountUUID, Field: "uuid", Key: func(a *rating.Account) []byte { return ofOpen(a, uuidKey(a.UUID)) }},
		{Bucket: bAccountName, Field: "name", Key: func(a *rating.Account) []byte { return ofOpen(a, textKey(a.Name)) }},
		{Bucket: bAccountExternal, Field: "external_id", Key: func(a *rating.Account) []byte { return ofOpen(a, numberKey(a.ExternalID)) }},
		{Bucket: bAccountRealm, Field: "realm", Key: func(a *rating.Account) []byte { return ofOpen(a, textKey(strings.ToLower(a.Realm))) }},
		{Bucket: bAccountKey, Field: "api_key", Key: func(a *rating.Account) []byte { return ofOpen(a, textKey(a.APIKey)) }},
	}
	t.accounts.Index = []kv.Index[rating.Account]{
		{Bucket: bAccountContractor, Keys: func(a *rating.Account) [][]byte { return one(kv.Key(nil).U64(a.Contractor)) }},
		{Bucket: bAccountParent, Keys: func(a *rating.Account) [][]byte { return one(kv.Key(nil).U64(uint64(a.Parent))) }},
		{Bucket: bAccountFold, Keys: func(a *rating.Account) [][]byte {
			if a.Closed() {
				return nil
			}
			return one(kv.Key(nil).Text(FoldName(a.Name)))
		}},
		{Bucket: bAccountTopUp, Keys: topUpKeys},
	}
	t.decks.Unique = []kv.Unique[rating.Deck]{{Bucket: bDeckName, Field: "name", Key: func(d *rating.Deck) []byte { return textKey(d.Name) }}}
	t.plans.Unique = []kv.Unique[rating.RatePlan]{
		{Bucket: bRatePlanName, Field: "name", Key: func(p *rating.RatePlan) []byte { return textKey(p.Name) }},
		{Bucket: bRatePlanUUID, Field: "uuid", Key: func(p *rating.RatePlan) []byte { return uuidKey(p.UUID) }},
	}
	t.rates.Unique = []kv.Unique[rating.Rate]{
		{Bucket: bRateKazoo, Field: "kazoo_id", Key: func(r *rating.Rate) []byte {
			if r.KazooID == "" {
				return nil
			}
			return kv.Key(nil).U64(uint64(r.Deck)).Text(r.KazooID)
		}},
		{Bucket: bRateUUID, Field: "uuid", Key: func(r *rating.Rate) []byte { return uuidKey(r.UUID) }},
	}
	t.rates.Index = []kv.Index[rating.Rate]{{Bucket: bRateDeck, Keys: func(r *rating.Rate) [][]byte { return one(deckKey(r.Deck, r.Prefix)) }}}
	t.postings.Unique = []kv.Unique[rating.Posting]{{Bucket: bPostingRef, Field: "ref", Key: func(p *rating.Posting) []byte { return textKey(p.Ref) }}}
	t.postings.Index = []kv.Index[rating.Posting]{{Bucket: bPostingLedger, Keys: func(p *rating.Posting) [][]byte { return [][]byte{p.Debit.Key(), p.Credit.Key()} }}}
	t.payments.Unique = []kv.Unique[Payment]{{Bucket: bPaymentUUID, Field: "uuid", Key: func(p *Payment) []byte { return uuidKey(p.UUID) }}}
	t.payments.Index = []kv.Index[Payment]{{Bucket: bPaymentAccount, Keys: func(p *Payment) [][]byte { return one(kv.Key(nil).U64(uint64(p.Account))) }}}
	t.invoices.Unique = []kv.Unique[rating.Invoice]{{Bucket: bInvoiceUUID, Field: "uuid", Key: func(v *rating.Invoice) []byte { return uuidKey(v.UUID) }}}
	t.invoices.Index = []kv.Index[rating.Invoice]{{Bucket: bInvoiceAccount, Keys: func(v *rating.Invoice) [][]byte {
		return one(kv.Key(nil).U64(uint64(v.Account)).Milli(v.Start))
	}}}
	t.lines.Index = []kv.Index[rating.InvoiceLine]{{Bucket: bInvoiceLineInvoice, Keys: func(l *rating.InvoiceLine) [][]byte {
		return one(kv.Key(nil).U64(l.Invoice).U8(uint8(l.Kind)))
	}}}
	t.accesses.Unique = []kv.Unique[Access]{{Bucket: bAccessLogin, Field: "login", Key: func(a *Access) []byte { return textKey(a.Login) }}}
	t.accesses.Index = []kv.Index[Access]{{Bucket: bAccessCustomer, Keys: func(a *Access) [][]byte { return one(kv.Key(nil).U64(a.Customer)) }}}
	t.users.Unique = []kv.Unique[User]{
		{Bucket: bUserUUID, Field: "uuid", Key: func(u *User) []byte { return uuidKey(u.UUID) }},
	}
	t.users.Index = []kv.Index[User]{
		{Bucket: bUserAccount, Keys: func(u *User) [][]byte {
			return one(kv.Key(nil).U64(uint64(u.Account)).Text(strings.ToLower(u.Username)))
		}},
		{Bucket: bUserKey, Keys: func(u *User) [][]byte {
			var keys [][]byte
			for _, k := range [][]byte{u.KeyMD5, u.KeySHA} {
				if len(k) > 0 {
					keys = append(keys, k)
				}
			}
			return keys
		}},
	}
	return t
}

// deckKey is where a deck's rows of one prefix begin in rate.deck.
func deckKey(deck rating.DeckID, prefix string) []byte {
	return kv.Key(nil).U64(uint64(deck)).Text(prefix)
}

// Rows is a typed table inside a transaction, with refusals in the domain's own errors.
type Rows[T any] struct {
	kv.Rows[T]
	noun string
}

func bind[T any](tx *Tx, t *kv.Table[T]) Rows[T] {
	return Rows[T]{Rows: kv.Bind(tx.Txn, t, tx.sequences(), tx), noun: t.Name}
}

// Get returns row id, or a NotFound error that names it.
func (r Rows[T]) Get(id uint64) (*T, error) {
	v, err := r.Rows.Get(id)
	return v, r.refusal(err, id)
}

// Put writes v and its keys; a taken unique key is a Conflict error that names the field.
func (r Rows[T]) Put(v *T) error { return r.refusal(r.Rows.Put(v), 0) }

// Delete removes row id, or returns a NotFound error that names it.
func (r Rows[T]) Delete(id uint64) error { return r.refusal(r.Rows.Delete(id), id) }

// Find returns the row that holds a unique key, or a NotFound error.
func (r Rows[T]) Find(b kv.Bucket, key []byte) (*T, error) {
	v, err := r.Rows.Find(b, key)
	return v, r.refusal(err, 0)
}

func (r Rows[T]) refusal(err error, id uint64) error {
	if err == nil {
		return nil
	}
	if err == kv.ErrNotFound {
		if id == 0 {
			return rating.Errorf(rating.NotFound, r.noun, "no such %s", r.noun)
		}
		return rating.Errorf(rating.NotFound, r.noun, "%s %d does not exist", r.noun, id)
	}
	if taken, ok := err.(*kv.TakenError); ok {
		return &rating.Error{Kind: rating.Conflict, Field: taken.Field, Rule: "taken", Msg: fmt.Sprintf("%s: this %s is already taken", r.noun, taken.Field)}
	}
	return err
}
