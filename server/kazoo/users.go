package kazoo

import (
	"slices"
	"strings"

	"billd/rating"
	"billd/server/auth"
	"billd/storage"
)

func userRoutes() []route {
	const at = "accounts/:account/users"
	return []route{
		{at, get, endpoint{who: user, run: listUsers}},
		{at, put, endpoint{who: user, run: createUser}},
		{at + "/:user", get, endpoint{who: user, run: readUser}},
		{at + "/:user", post, endpoint{who: user, run: changeUser}},
		{at + "/:user", patch, endpoint{who: user, run: changeUser}},
		{at + "/:user", remove, endpoint{who: user, run: deleteUser}},
	}
}

// userKeys are the keys of a user document that columns hold, and the password, which nothing does.
var userKeys = []string{"id", "first_name", "last_name", "username", "priv_level", "enabled", "password", "accept_charges"}

// countUser returns what a user adds to the quantities of the account.
func countUser(u *storage.User) share {
	s := share{units: storage.Quantities{}}
	if u.Disabled {
		return s
	}
	add(s.units, "users", privilegeLevel(u), 1)
	doc := readDocument(u.Doc)
	countBilling(doc, s.units)
	s.plans = objectPlans(doc)
	return s
}

func privilegeLevel(u *storage.User) string {
	if u.Admin {
		return "admin"
	}
	return "user"
}

// userView is a user as a client reads it.
func userView(u *storage.User) document {
	doc := public(readDocument(u.Doc), userKeys...)
	doc["id"], doc["first_name"], doc["last_name"] = u.UUID.Hex(), u.FirstName, u.LastName
	doc["priv_level"], doc["enabled"] = privilegeLevel(u), !u.Disabled
	if u.Username != "" {
		doc["username"] = u.Username
	}
	return doc
}

// readUserForm takes what a client wrote of a user into u, and returns the password that was sent.
func readUserForm(u *storage.User, doc document) (password string, err error) {
	f := newForm(doc)
	f.need("first_name")
	f.need("last_name")
	u.FirstName, u.LastName = f.text("first_name", 1, 128), f.text("last_name", 1, 128)
	name := f.text("username", 1, 256)
	password = f.text("password", 1, auth.MaxPassword)
	f.text("email", 3, 254)
	u.Admin = f.choice("priv_level", "user", "admin") == "admin"
	u.Disabled = !f.boolean("enabled", true)
	checkService(f)
	if password != "" && name == "" && f.errs["username"] == nil {
		f.problem("username", "required", "A password needs a username")
	}
	if name != u.Username && u.LoginMD5 != "" && password == "" && name != "" {
		f.problem("password", "required", "Another username needs the password again")
	}
	if err := f.err(); err != nil {
		return "", err
	}
	if name == "" {
		u.KeyMD5, u.KeySHA, u.LoginMD5, u.LoginSHA, u.Password = nil, nil, "", "", ""
	}
	u.Username = name
	raw, err := storeDocument(public(doc, userKeys...))
	u.Doc = raw
	return password, err
}

// setPassword makes the user's part of a new password. It hashes, so it stays outside a transaction.
func (x *exchange) setPassword(u *storage.User, password string) error {
	login, err := x.api.secrets.KazooLogin(x.ctx, x.api.passwords, uint64(u.Account), auth.UserPassword{Username: u.Username, Password: password})
	if err != nil {
		return err
	}
	u.KeyMD5, u.KeySHA = slices.Clone(login.MD5Key[:]), slices.Clone(login.SHAKey[:])
	u.LoginMD5, u.LoginSHA = login.MD5Hash, login.SHAHash
	if u.Password, err = x.api.passwords.Hash(x.ctx, password); err != nil {
		return err
	}
	u.TokensAfter = x.now
	return nil
}

// uniqueUser fails when another user of the account has the name.
func uniqueUser(tx *storage.Tx, u *storage.User) error {
	if u.Username == "" {
		return nil
	}
	taken := false
	err := tx.UsersOf(u.Account, func(other *storage.User) (bool, error) {
		taken = other.ID != u.ID && strings.EqualFold(other.Username, u.Username)
		return !taken, nil
	})
	if err == nil && taken {
		return invalid("username", "unique", "Username is not unique for this account", "cause", u.Username)
	}
	return err
}

func userKey(u *storage.User) string {
	return strings.ToLower(u.LastName+"\x00"+u.FirstName) + "\x00" + u.UUID.Hex()
}

func listUsers(x *exchange) (*answer, error) {
	var rows []listed
	err := x.view(func(tx *storage.Tx) error {
		return tx.UsersOf(x.account.ID, func(u *storage.User) (bool, error) {
			view, row := userView(u), document{}
			for _, k := range []string{"id", "first_name", "last_name", "username", "email", "priv_level", "enabled"} {
				if view[k] != nil {
					row[k] = view[k]
				}
			}
			rows = append(rows, listed{place: userKey(u), row: row, whole: func() document { return view }, created: u.CreatedAt, changed: u.ChangedAt})
			return true, nil
		})
	})
	if err != nil {
		return nil, err
	}
	return x.list(rows)
}

func createUser(x *exchange) (*answer, error) {
	data, err := x.object()
	if err != nil {
		return nil, err
	}
	u := &storage.User{UUID: rating.NewUUID(x.now), Account: x.account.ID, CreatedAt: x.now}
	password, err := readUserForm(u, data)
	if err != nil {
		return nil, err
	}
	if password != "" {
		if err := x.setPassword(u, password); err != nil {
			return nil, err
		}
	}
	err = x.change(share{}, countUser(u), func(tx *storage.Tx) error {
		made := *u
		if err := uniqueUser(tx, &made); err != nil {
			return err
		}
		return tx.Users.Put(&made)
	})
	if err != nil {
		return nil, err
	}
	return &answer{data: userView(u), revision: stored}, nil
}

func readUser(x *exchange) (*answer, error) {
	u, err := x.findUser(x.params["user"])
	if err != nil {
		return nil, err
	}
	return &answer{data: userView(u), revision: stored}, nil
}

func changeUser(x *exchange) (*answer, error) {
	data, err := x.object()
	if err != nil {
		return nil, err
	}
	u, err := x.findUser(x.params["user"])
	if err != nil {
		return nil, err
	}
	was, doc := *u, data
	if x.method == patch {
		doc = merge(userView(u), data)
	}
	password, err := readUserForm(u, doc)
	if err != nil {
		return nil, err
	}
	if password != "" {
		if err := x.setPassword(u, password); err != nil {
			return nil, err
		}
	}
	err = x.update(func(tx *storage.Tx) error {
		now, err := tx.Users.Get(u.ID)
		if err != nil {
			return unknownID(x.params["user"])
		}
		if now.LoginMD5 != was.LoginMD5 {
			return duplicate() // the password was changed while this one was hashed
		}
		if err := uniqueUser(tx, u); err != nil {
			return err
		}
		u.ChangedAt = tx.Now()
		return x.changeIn(tx, countUser(now), countUser(u), func(tx *storage.Tx) error { return tx.Users.Put(u) })
	})
	if err != nil {
		return nil, err
	}
	x.api.tokens.Forget()
	return &answer{data: userView(u), revision: stored}, nil
}

func deleteUser(x *exchange) (*answer, error) {
	u, err := x.findUser(x.params["user"])
	if err != nil {
		return nil, err
	}
	err = x.update(func(tx *storage.Tx) error {
		return x.recommit(tx, func(tx *storage.Tx) error { return tx.Users.Delete(u.ID) })
	})
	if err != nil {
		return nil, err
	}
	x.api.tokens.Forget()
	doc := userView(u)
	doc["_read_only"] = document{"deleted": true}
	return &answer{data: doc, revision: stored}, nil
}
