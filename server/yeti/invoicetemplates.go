package yeti

import (
	"strings"

	"billd/server/jsonapi"
	"billd/storage"
)

// invoiceTemplates are what accounts name for the look of their invoices. Yeti routes the singular path
// only, while links say the plural one: both are served (quirk Q1).
var invoiceTemplates = jsonapi.Resource[storage.InvoiceTemplate]{
	Type: "invoice-templates", Paths: []string{"invoice-template", "invoice-templates"}, Verbs: jsonapi.CRUD,
	Rows: func(tx *storage.Tx) storage.Rows[storage.InvoiceTemplate] { return tx.InvoiceTemplates },
	Key:  func(v *storage.InvoiceTemplate) string { return decimal(v.ID) },
	Attrs: []jsonapi.Attr[storage.InvoiceTemplate]{
		jsonapi.Field("name", jsonapi.Text, func(v *storage.InvoiceTemplate) *string { return &v.Name }, jsonapi.Required, jsonapi.Unique),
		jsonapi.Field("filename", jsonapi.Text, func(v *storage.InvoiceTemplate) *string { return &v.Filename },
			jsonapi.Format(func(s string) bool { return strings.HasSuffix(s, ".odt") && !strings.ContainsAny(s, "\r\n") })),
	},
}
