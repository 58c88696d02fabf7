package yeti

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"billd/rating"
	"billd/server/auth"
	"billd/server/jsonapi"
	"billd/storage"
)

type access = storage.Access

// maxAllowedIPs bounds a login's networks.
const maxAllowedIPs = 1000

// apiAccesses are customers' logins. Passwords are hashed before the transaction, because that is slow.
func (a *API) apiAccesses() jsonapi.Resource[access] {
	return jsonapi.Resource[access]{
		Type: "api-accesses", Verbs: jsonapi.CRUD,
		Rows:       func(tx *storage.Tx) storage.Rows[access] { return tx.Accesses },
		Key:        func(v *access) string { return decimal(v.ID) },
		CheckFirst: []string{"customer"},
		Attrs: []jsonapi.Attr[access]{
			jsonapi.Field("customer-id", jsonapi.IntegerOf[uint64](), func(v *access) *uint64 { return &v.Customer }, jsonapi.NoFilter),
			jsonapi.Field("login", jsonapi.Text, func(v *access) *string { return &v.Login }, jsonapi.NoFilter, jsonapi.Required, jsonapi.Unique),
			jsonapi.Field("password", jsonapi.Text, func(v *access) *string { return &v.Password }, jsonapi.WriteOnly, jsonapi.Required),
			jsonapi.Virtual("account-ids", jsonapi.IntegerList, accessAccounts, setAccessAccounts, jsonapi.NoFilter, jsonapi.NoSort),
			jsonapi.Field("allowed-ips", jsonapi.Texts, func(v *access) *[]string { return &v.AllowedIPs }, jsonapi.NoFilter, jsonapi.NoSort),
		},
		New: func(*jsonapi.Request) *access {
			return &access{AllowedIPs: []string{"0.0.0.0/0", "::/0"}, Profile: 1}
		},
		Prepare: a.hashPassword,
		Check:   checkAccess,
		Save:    saveAccess,
		Done:    a.o.Tokens.Forget,
	}
}

func accessAccounts(_ *jsonapi.Request, v *access) ([]int64, error) {
	ids := make([]int64, len(v.Accounts))
	for i, id := range v.Accounts {
		ids[i] = int64(id)
	}
	return ids, nil
}

func setAccessAccounts(v *access, ids []int64) {
	v.Accounts = make([]rating.AccountID, len(ids))
	for i, id := range ids {
		v.Accounts[i] = rating.AccountID(id)
	}
}

// hashPassword puts a hash in the password's place. An empty one in an update changes nothing.
func (a *API) hashPassword(ctx context.Context, b *jsonapi.Body) error {
	text, ok := b.Text("password")
	if !ok {
		return nil
	}
	if text == "" && !b.Create {
		b.Drop("password")
		return nil
	}
	if strings.TrimSpace(text) == "" {
		return nil // can't be blank
	}
	if utf8.RuneCountInString(text) > auth.MaxPassword {
		return jsonapi.Problems{jsonapi.AttrProblem("password", fmt.Sprintf("is too long (maximum is %d characters)", auth.MaxPassword))}
	}
	hash, err := a.o.Passwords.Hash(ctx, text)
	b.SetText("password", hash)
	return err
}

// checkAccess looks for the customer, and whether the accounts are theirs.
func checkAccess(r *jsonapi.Request, v *access, _ *jsonapi.Body) (ps jsonapi.Problems) {
	if !r.Tx.Contractors.Has(v.Customer) {
		ps = append(ps, jsonapi.AttrProblem("customer", "must exist"))
	}
	ps = append(ps, checkAllowedIPs(v.AllowedIPs)...)
	return append(ps, checkOwnAccounts(r, v.Customer, v.Accounts)...)
}

// saveAccess ends the tokens of a login whose password changed.
func saveAccess(r *jsonapi.Request, v *access) error {
	old, err := r.Tx.Accesses.Get(v.ID)
	if err != nil {
		return err
	}
	if old.Password != v.Password {
		v.TokensAfter = r.Tx.Now()
	}
	return r.Tx.Accesses.Put(v)
}
