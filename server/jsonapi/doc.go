// Package jsonapi serves resources that are declared as tables of attributes, in the dialect of
// JSON:API that Yeti speaks (contracts, Yeti 2 and 5).
//
// It knows fiber, the store and the document format, and not one word of telecom billing: what a
// resource is called, which fields it has and which rules hold come from the package that declares
// it. It imports storage, rating and fiber.
//
// # A resource
//
//	var contacts = jsonapi.Resource[storage.Contact]{
//		Type: "contacts", Verbs: jsonapi.CRUD,
//		Rows: func(tx *storage.Tx) storage.Rows[storage.Contact] { return tx.Contacts },
//		Key:  func(c *storage.Contact) string { return strconv.FormatUint(c.ID, 10) },
//		Attrs: []jsonapi.Attr[storage.Contact]{
//			jsonapi.Field("email", jsonapi.Text, func(c *storage.Contact) *string { return &c.Email }, jsonapi.Required),
//			jsonapi.Field("notes", jsonapi.NullText, func(c *storage.Contact) **string { return &c.Notes }),
//		},
//		Rels: []jsonapi.Rel[storage.Contact]{
//			jsonapi.One("contractor", "contractors", func(c *storage.Contact) *uint64 { return &c.Contractor }, jsonapi.Linkage, jsonapi.MustExist),
//		},
//	}
//
// The address of a Go field is given once; reading, writing, validating, sorting and filtering
// follow from it, and the kind carries the wire form and the filter operators. Relationships name
// the other type as text, which New resolves, so that two resources may name each other.
//
// # A request
//
// New makes an API of the resources, and API.Serve answers every path below its base in the
// contract's order of checks: route (404 without a body of ours), caller (401), media type (415),
// Accept (406), document and parameters (400), record (404), rules (422). A write happens in one
// db.Update, the answer being rendered from what it left.
package jsonapi
