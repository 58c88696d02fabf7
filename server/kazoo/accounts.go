package kazoo

import (
	"net/http"
	"reflect"
	"regexp"
	"strings"
	"time"

	"billd/rating"
	"billd/storage"
)

func accountRoutes() []route {
	return []route{
		{"accounts", put, endpoint{who: user, run: createAccount}},
		{"accounts/:account", put, endpoint{who: user, run: createAccount}},
		{"accounts/:account", get, endpoint{who: user, run: readAccount}},
		{"accounts/:account", post, endpoint{who: user, run: changeAccount}},
		{"accounts/:account", patch, endpoint{who: user, run: changeAccount}},
		{"accounts/:account", remove, endpoint{who: user, run: deleteAccount}},
		{"accounts/:account/children", get, endpoint{who: user, run: listChildren}},
		{"accounts/:account/descendants", get, endpoint{who: user, run: listDescendants}},
		{"accounts/:account/siblings", get, endpoint{who: user, run: listSiblings}},
		{"accounts/:account/parents", get, endpoint{who: user, run: listParents}},
		{"accounts/:account/tree", get, endpoint{who: user, run: listTree}},
		{"accounts/:account/api_key", get, endpoint{who: user, run: readKey}},
		{"accounts/:account/api_key", put, endpoint{who: user, run: newKey}},
		{"accounts/:account/reseller", put, endpoint{who: master, run: promote}},
		{"accounts/:account/reseller", remove, endpoint{who: master, run: demote}},
		{"accounts/:account/move", post, endpoint{who: master, run: moveAccount}},
		{"accounts/:account/move", put, endpoint{who: master, run: moveAccount}},
	}
}

// accountKeys are the keys of an account document that columns hold or that are computed; the rest is
// kept as sent.
var accountKeys = []string{"id", "name", "realm", "timezone", "enabled", "created", "is_reseller", "reseller_id", "billing_mode",
	"superduper_admin", "wnm_allow_additions", "api_key"}

// accountView is an account as a client reads it.
func (x *exchange) accountView(a *rating.Account, above []*rating.Account) document {
	doc := public(readDocument(a.Doc), accountKeys...)
	if doc["language"] == nil {
		doc["language"] = defaultLanguage
	}
	seller := storage.Seller(a, above)
	mode := "manual"
	switch seller.ID {
	case x.me.ID:
		mode = "limits_only"
	case rating.MasterAccount:
		mode = "normal"
	}
	doc["id"], doc["name"], doc["realm"], doc["timezone"], doc["enabled"] = a.UUID.Hex(), a.Name, a.Realm, a.Timezone, !a.Disabled
	doc["created"], doc["is_reseller"], doc["reseller_id"] = seconds(a.CreatedAt), a.Reseller, seller.UUID.Hex()
	doc["billing_mode"], doc["superduper_admin"], doc["wnm_allow_additions"] = mode, a.ID == rating.MasterAccount, false
	return doc
}

const defaultTimezone = "America/Los_Angeles" // Kazoo's

// realmText is what a SIP realm may be made of.
var realmText = regexp.MustCompile(`^[A-Za-z0-9._-]+$`)

// readAccountForm takes what a client wrote of an account into a. Columns that were not sent stay as
// they are; the other keys are replaced.
func readAccountForm(a *rating.Account, doc document) error {
	f := newForm(doc)
	f.need("name")
	name := f.text("name", 1, 128)
	if name != "" && (strings.TrimSpace(name) == "" || storage.FoldName(name) == "") {
		f.problem("name", "pattern", "Name must hold a letter or a digit", "value", name)
	}
	if f.has("realm") {
		a.Realm = strings.ToLower(f.text("realm", 4, 253))
		if a.Realm != "" && !realmText.MatchString(a.Realm) {
			f.problem("realm", "pattern", "Failed to match pattern", "target", realmText.String(), "value", a.Realm)
		}
	}
	if f.has("timezone") {
		a.Timezone = f.text("timezone", 1, 64)
		if _, err := time.LoadLocation(a.Timezone); a.Timezone != "" && (err != nil || a.Timezone == "Local") {
			f.problem("timezone", "enum", "Unknown time zone", "value", a.Timezone)
		}
	}
	a.Disabled = !f.boolean("enabled", !a.Disabled)
	f.text("language", 1, 64)
	topup := f.sub("topup")
	topup.money("amount")
	topup.money("threshold")
	if err := f.err(); err != nil {
		return err
	}
	a.Name = name
	raw, err := storeDocument(public(doc, accountKeys...))
	a.Doc = raw
	return err
}

// nameTaken reports whether another open account answers to the name (case and punctuation ignored).
func nameTaken(tx *storage.Tx, a *rating.Account) error {
	named, err := tx.AccountsNamed(a.Name)
	if err != nil {
		return err
	}
	p := problems{}
	for _, other := range named {
		if other.ID != a.ID {
			p.add("name", "unique", "Account name already in use", "cause", a.Name)
		}
	}
	if a.Realm != "" {
		other, err := tx.AccountByRealm(a.Realm)
		if err != nil && rating.KindOf(err) != rating.NotFound {
			return err
		}
		if err == nil && other.ID != a.ID {
			p.add("realm", "unique", "Account realm already in use", "cause", a.Realm)
		}
	}
	return p.failure()
}

// createAccount makes an account under the one in the path, or under the token's.
func createAccount(x *exchange) (*answer, error) {
	data, err := x.object()
	if err != nil {
		return nil, err
	}
	parent := x.me
	if x.account != nil {
		parent = x.account
	}
	a := &rating.Account{Parent: parent.ID, Timezone: defaultTimezone, Currency: parent.Currency}
	if err := readAccountForm(a, data); err != nil {
		return nil, err
	}
	var above []*rating.Account
	err = x.update(func(tx *storage.Tx) (err error) {
		made := *a // the closure may run again
		if err := nameTaken(tx, &made); err != nil {
			return err
		}
		if err := tx.CreateTenant(&made); err != nil {
			return err
		}
		*a = made
		above, err = tx.Ancestors(a.ID)
		return err
	})
	if rating.KindOf(err) == rating.Limit {
		return nil, invalid("parent", "maximum", err.Error(), "target", rating.MaxAccountDepth)
	}
	if err != nil {
		return nil, err
	}
	return &answer{data: x.accountView(a, above), revision: stored}, nil
}

func readAccount(x *exchange) (*answer, error) {
	return &answer{data: x.accountView(x.account, x.above), revision: stored}, nil
}

// changeAccount replaces (POST) or merges (PATCH) an account's public fields.
func changeAccount(x *exchange) (*answer, error) {
	data, err := x.object()
	if err != nil {
		return nil, err
	}
	var a *rating.Account
	err = x.update(func(tx *storage.Tx) error {
		if a, err = tx.OpenAccount(x.account.ID); err != nil {
			return err
		}
		doc := data
		if x.method == patch {
			doc = merge(x.accountView(a, x.above), data)
		}
		terms := readDocument(a.Doc)["topup"]
		if err := readAccountForm(a, doc); err != nil {
			return err
		}
		if !x.mayTopUp() && !reflect.DeepEqual(terms, readDocument(a.Doc)["topup"]) {
			return forbidden() // what it is topped up with is not its own to say
		}
		if err := nameTaken(tx, a); err != nil {
			return err
		}
		return tx.SaveAccount(a)
	})
	if err != nil {
		return nil, err
	}
	return &answer{data: x.accountView(a, x.above), revision: stored}, nil
}

// deleteAccount closes an account (R21).
func deleteAccount(x *exchange) (*answer, error) {
	if x.account.ID == rating.MasterAccount {
		return nil, wrongMethod("GET, PATCH, POST, PUT, OPTIONS")
	}
	view := x.accountView(x.account, x.above)
	err := x.update(func(tx *storage.Tx) error {
		if err := childless(tx, x.account.ID); err != nil {
			return err
		}
		return tx.CloseAccount(x.account.ID)
	})
	if err != nil {
		return nil, err
	}
	x.api.tokens.Forget()
	return &answer{data: view, revision: stored}, nil
}

// childless fails when an account has accounts below it.
func childless(tx *storage.Tx, id rating.AccountID) error {
	children, err := tx.Children(id)
	if err != nil {
		return err
	}
	if len(children) > 0 {
		return refuse(http.StatusInternalServerError, "account_has_descendants", "account has descendants")
	}
	return nil
}

func readKey(x *exchange) (*answer, error) {
	return &answer{data: document{"api_key": x.account.APIKey}}, nil
}
