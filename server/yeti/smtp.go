package yeti

import (
	"net/mail"

	"billd/server/jsonapi"
	"billd/storage"
)

type smtpConnection = storage.SMTPConnection

var smtpConnections = jsonapi.Resource[smtpConnection]{
	Type: "smtp-connections", Verbs: jsonapi.CRUD,
	Rows: func(tx *storage.Tx) storage.Rows[smtpConnection] { return tx.SMTPConnections },
	Key:  func(c *smtpConnection) string { return decimal(c.ID) },
	Attrs: []jsonapi.Attr[smtpConnection]{
		jsonapi.Field("name", jsonapi.Text, func(c *smtpConnection) *string { return &c.Name }, jsonapi.Required, jsonapi.Unique, jsonapi.PlainFilter, jsonapi.NoFilter),
		jsonapi.Field("host", jsonapi.Text, func(c *smtpConnection) *string { return &c.Host }, jsonapi.Required, jsonapi.NoFilter),
		jsonapi.Field("port", jsonapi.Integer, func(c *smtpConnection) *int64 { return &c.Port }, jsonapi.Required, jsonapi.Numeric, jsonapi.Above("0"), jsonapi.AtMost("65535"), jsonapi.NoFilter),
		jsonapi.Field("from-address", jsonapi.Text, func(c *smtpConnection) *string { return &c.From }, jsonapi.Required, jsonapi.Format(isAddress), jsonapi.NoFilter),
		jsonapi.Field("auth-user", emptyText, func(c *smtpConnection) *string { return &c.User }, jsonapi.NoFilter),
		jsonapi.Field("auth-password", emptyText, func(c *smtpConnection) *string { return &c.Password }, jsonapi.NoFilter, jsonapi.NoSort),
		jsonapi.Field("global", jsonapi.Bool, func(c *smtpConnection) *bool { return &c.Global }, jsonapi.NoFilter),
	},
	New:    func(*jsonapi.Request) *smtpConnection { return &smtpConnection{Port: 25} },
	Remove: removeSMTP,
}

// emptyText is a text that is null when it is empty.
var emptyText = jsonapi.Kind[string]{
	Ops: jsonapi.StringOps,
	Value: func(s string) jsonapi.Value {
		if s == "" {
			return jsonapi.Value{}
		}
		return jsonapi.TextValue(s)
	},
	Parse: jsonapi.Text.Parse,
}

func isAddress(s string) bool {
	a, err := mail.ParseAddress(s)
	return err == nil && a.Address == s
}

// removeSMTP deletes one that no contractor uses.
func removeSMTP(r *jsonapi.Request, c *smtpConnection) error {
	used := false
	err := r.Tx.Contractors.Each(0, func(o *storage.Contractor) (bool, error) {
		used = o.SMTP != nil && *o.SMTP == int64(c.ID)
		return !used, nil
	})
	if err != nil {
		return err
	}
	if used {
		return jsonapi.Refuse("Cannot delete record because dependent contractors exist")
	}
	return r.Tx.SMTPConnections.Delete(c.ID)
}
