package yeti

import (
	"billd/server/jsonapi"
	"billd/storage"
)

var contractors = jsonapi.Resource[storage.Contractor]{
	Type: "contractors", Verbs: jsonapi.CRUD,
	Rows: func(tx *storage.Tx) storage.Rows[storage.Contractor] { return tx.Contractors },
	Key:  func(c *storage.Contractor) string { return decimal(c.ID) },
	Attrs: []jsonapi.Attr[storage.Contractor]{
		jsonapi.Field("name", jsonapi.Text, func(c *storage.Contractor) *string { return &c.Name }, jsonapi.Required, jsonapi.Unique, jsonapi.PlainFilter),
		jsonapi.Field("enabled", jsonapi.Bool, func(c *storage.Contractor) *bool { return &c.Enabled }),
		jsonapi.Field("vendor", jsonapi.Bool, func(c *storage.Contractor) *bool { return &c.Vendor }),
		jsonapi.Field("customer", jsonapi.Bool, func(c *storage.Contractor) *bool { return &c.Customer }),
		jsonapi.Field("description", jsonapi.NullText, func(c *storage.Contractor) **string { return &c.Description }),
		jsonapi.Field("address", jsonapi.NullText, func(c *storage.Contractor) **string { return &c.Address }),
		jsonapi.Field("phones", jsonapi.NullText, func(c *storage.Contractor) **string { return &c.Phones }),
		jsonapi.Field("external-id", jsonapi.NullInteger, func(c *storage.Contractor) **int64 { return &c.ExternalID }, jsonapi.Unique),
	},
	Rels: []jsonapi.Rel[storage.Contractor]{
		jsonapi.OneOrNull("smtp-connection", "smtp-connections", func(c *storage.Contractor) **int64 { return &c.SMTP }, jsonapi.Linkage, jsonapi.FilterByID, jsonapi.MayBeNull),
	},
	New:        func(*jsonapi.Request) *storage.Contractor { return &storage.Contractor{Enabled: true} }, // quirk Q4
	Check:      checkContractor,
	CheckFirst: []string{"vendor", "customer"},
	Remove:     removeContractor,
}

// checkContractor wants a contractor to be something, and a customer as long as customers-auths say so.
// Its two errors come before the name's.
func checkContractor(r *jsonapi.Request, c *storage.Contractor, _ *jsonapi.Body) jsonapi.Problems {
	if c.Vendor || c.Customer {
		if !c.Customer && c.ID != 0 && r.Tx.CustomerHasAuths(c.ID) {
			return jsonapi.Problems{jsonapi.AttrProblem("customer", "Can't be disabled when contractor used at Customer auth")}
		}
		return nil
	}
	const message = "Must be customer and/or vendor"
	return jsonapi.Problems{jsonapi.AttrProblem("vendor", message), jsonapi.AttrProblem("customer", message)}
}

// removeContractor deletes one without customers-auths and accounts, together with its contacts and logins.
func removeContractor(r *jsonapi.Request, c *storage.Contractor) error {
	if r.Tx.CustomerHasAuths(c.ID) {
		return errHasAuths
	}
	open, err := r.Tx.AccountsOf(c.ID)
	if err != nil {
		return err
	}
	if len(open) > 0 {
		return jsonapi.Refuse("Cannot delete record because dependent accounts exist")
	}
	var contacts, accesses []uint64
	if err := r.Tx.ContactsOf(c.ID, func(p *storage.Contact) (bool, error) {
		contacts = append(contacts, p.ID)
		return true, nil
	}); err != nil {
		return err
	}
	if err := r.Tx.AccessesOf(c.ID, func(p *storage.Access) (bool, error) {
		accesses = append(accesses, p.ID)
		return true, nil
	}); err != nil {
		return err
	}
	for _, id := range contacts {
		if err := forgetContact(r.Tx, id); err != nil {
			return err
		}
	}
	for _, id := range accesses {
		if err := r.Tx.Accesses.Delete(id); err != nil {
			return err
		}
	}
	return r.Tx.Contractors.Delete(c.ID)
}
