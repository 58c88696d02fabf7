package storage

import (
	"billd/rating"
	"billd/storage/kv"
)

// SMTPConnection is a mail server that a contractor's mail leaves by.
type SMTPConnection struct {
	ID       uint64 `json:"id"`
	Name     string `json:"name"`
	Host     string `json:"host"`
	Port     int64  `json:"port"`
	From     string `json:"from"`
	User     string `json:"user,omitempty"`
	Password string `json:"password,omitempty"`
	Global   bool   `json:"global,omitempty"` // for every contractor that names none
}

// InvoiceTemplate is a form that invoices are written by. Accounts name theirs.
type InvoiceTemplate struct {
	ID       uint64 `json:"id"`
	Name     string `json:"name"`
	Filename string `json:"filename"`
}

type yetiTables struct {
	smtp             kv.Table[SMTPConnection]
	invoiceTemplates kv.Table[InvoiceTemplate]
}

// YetiRows are the tables that only Yeti's resources ask for.
type YetiRows struct {
	SMTPConnections  Rows[SMTPConnection]
	InvoiceTemplates Rows[InvoiceTemplate]
}

func newYetiTables() yetiTables {
	t := yetiTables{smtp: jsonTable("smtp connection", bSMTP, func(v *SMTPConnection) *uint64 { return &v.ID }),
		invoiceTemplates: jsonTable("invoice template", bInvoiceTemplate, func(v *InvoiceTemplate) *uint64 { return &v.ID })}
	t.smtp.Unique = []kv.Unique[SMTPConnection]{{Bucket: bSMTPName, Field: "name", Key: func(v *SMTPConnection) []byte { return textKey(v.Name) }}}
	t.invoiceTemplates.Unique = []kv.Unique[InvoiceTemplate]{{Bucket: bInvoiceTemplateName, Field: "name", Key: func(v *InvoiceTemplate) []byte { return textKey(v.Name) }}}
	return t
}

func bindYeti(tx *Tx) YetiRows {
	return YetiRows{SMTPConnections: bind(tx, &schema.smtp), InvoiceTemplates: bind(tx, &schema.invoiceTemplates)}
}

// ContactsOf calls fn with a contractor's contacts until it returns false.
func (tx *Tx) ContactsOf(contractor uint64, fn func(*Contact) (bool, error)) error {
	return tx.Contacts.EachUnder(bContactContractor, kv.Key(nil).U64(contractor), fn)
}

// AccessesOf calls fn with a contractor's customer logins until it returns false.
func (tx *Tx) AccessesOf(contractor uint64, fn func(*Access) (bool, error)) error {
	return tx.Accesses.EachUnder(bAccessCustomer, kv.Key(nil).U64(contractor), fn)
}

// PaymentsOf calls fn with an account's payments, oldest first, until it returns false.
func (tx *Tx) PaymentsOf(id rating.AccountID, fn func(*Payment) (bool, error)) error {
	return tx.Payments.EachUnder(bPaymentAccount, kv.Key(nil).U64(uint64(id)), fn)
}

// PaymentByUUID finds a payment.
func (tx *Tx) PaymentByUUID(u rating.UUID) (*Payment, error) {
	return tx.Payments.Find(bPaymentUUID, uuidKey(u))
}
