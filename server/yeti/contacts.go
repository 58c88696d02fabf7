package yeti

import (
	"slices"

	"billd/rating"
	"billd/server/jsonapi"
	"billd/storage"
)

var contacts = jsonapi.Resource[storage.Contact]{
	Type: "contacts", Verbs: jsonapi.CRUD,
	Rows: func(tx *storage.Tx) storage.Rows[storage.Contact] { return tx.Contacts },
	Key:  func(c *storage.Contact) string { return decimal(c.ID) },
	Attrs: []jsonapi.Attr[storage.Contact]{
		jsonapi.Field("email", jsonapi.Text, func(c *storage.Contact) *string { return &c.Email }, jsonapi.Required),
		jsonapi.Field("notes", jsonapi.NullText, func(c *storage.Contact) **string { return &c.Notes }),
	},
	Rels: []jsonapi.Rel[storage.Contact]{
		jsonapi.One("contractor", "contractors", func(c *storage.Contact) *uint64 { return &c.Contractor }, jsonapi.Linkage, jsonapi.MayBeNull, jsonapi.FilterByID),
	},
	// One of nobody's is taken and written to, but not shown. Source: contract 3.5.
	Hidden: func(_ *jsonapi.Request, c *storage.Contact) bool { return c.Contractor == 0 },
	Remove: func(r *jsonapi.Request, c *storage.Contact) error { return forgetContact(r.Tx, c.ID) },
}

// forgetContact deletes a contact, and its number from every account that writes to it.
func forgetContact(tx *storage.Tx, id uint64) error {
	var writes []*rating.Account
	n := int64(id)
	err := tx.Accounts.Each(0, func(a *rating.Account) (bool, error) {
		if slices.Contains(a.NotifyContacts, n) || slices.Contains(a.InvoiceContacts, n) {
			writes = append(writes, a)
		}
		return true, nil
	})
	if err != nil {
		return err
	}
	for _, a := range writes {
		isIt := func(contact int64) bool { return contact == n }
		a.NotifyContacts = slices.DeleteFunc(a.NotifyContacts, isIt)
		a.InvoiceContacts = slices.DeleteFunc(a.InvoiceContacts, isIt)
		if err := tx.Accounts.Put(a); err != nil {
			return err
		}
	}
	return tx.Contacts.Delete(id)
}
