package kazoo

import (
	"net/http"
	"strings"

	"billd/rating"
	"billd/server/auth"
	"billd/storage"
)

func authRoutes() []route {
	return []route{
		{"user_auth", put, endpoint{who: anyone, run: userAuth}},
		{"user_auth/:token", get, endpoint{who: anyone, run: readLogin}},
		{"api_auth", put, endpoint{who: anyone, run: apiAuth}},
		{"token_auth", get, endpoint{who: user, run: readToken}},
		{"token_auth", remove, endpoint{who: user, run: revokeToken}},
		{"auth", put, endpoint{who: user, run: refreshToken}},
		{"auth/tokeninfo", get, endpoint{who: anyone, run: tokenInfo}},
		{"auth/tokeninfo", post, endpoint{who: anyone, run: tokenInfo}},
		{"accounts/:account/users/:user/user_auth", put, endpoint{who: master, run: impersonate}},
	}
}

// identity is what a login answers with.
type identity struct {
	AccountID    string   `json:"account_id"`
	AccountName  string   `json:"account_name"`
	OwnerID      string   `json:"owner_id,omitempty"`
	ResellerID   string   `json:"reseller_id"`
	Reseller     bool     `json:"is_reseller"`
	Master       bool     `json:"is_master_account"`
	Language     string   `json:"language"`
	Apps         []string `json:"apps"`
	Capabilities document `json:"capabilities"`
	UIConfig     document `json:"ui_config"`
	ClusterID    string   `json:"cluster_id"`
}

const (
	defaultLanguage = "en-us"
	automatic       = "automatic" // the revision of what is made for the answer
	maxCredentials  = 64          // schema user_auth
	apiKeyLength    = 64          // schema api_auth
)

// identify makes the answer to a login. ID and uuid of the owner are of no account when owner is "".
func (x *exchange) identify(a *rating.Account, owner string) (*identity, error) {
	var above []*rating.Account
	var root *rating.Account
	err := x.view(func(tx *storage.Tx) (err error) {
		if above, err = tx.Ancestors(a.ID); err != nil {
			return err
		}
		root, err = tx.Accounts.Get(uint64(rating.MasterAccount))
		return err
	})
	if err != nil {
		return nil, err
	}
	language, _ := readDocument(a.Doc)["language"].(string)
	return &identity{AccountID: a.UUID.Hex(), AccountName: a.Name, OwnerID: owner, ResellerID: storage.Seller(a, above).UUID.Hex(),
		Reseller: a.Reseller, Master: a.ID == rating.MasterAccount, Language: firstOf(language, defaultLanguage),
		Apps: []string{}, Capabilities: document{}, UIConfig: document{}, ClusterID: root.UUID.Hex()}, nil
}

// disabled refuses the login of what is switched off.
func disabled(what string) *failure {
	p := problems{}
	p.add(what, "disabled", what+" is disabled")
	return &failure{status: http.StatusLocked, message: "disabled", data: p}
}

// grant issues a token and answers with it.
func (x *exchange) grant(a *rating.Account, k auth.KazooIdentity) (*answer, error) {
	token, err := x.api.tokens.Kazoo(k, 0)
	if err != nil {
		return nil, err
	}
	id, err := x.identify(a, k.OwnerID)
	if err != nil {
		return nil, err
	}
	return &answer{data: id, token: token.Text, revision: automatic}, nil
}

// userAuth logs a user in by the hash of name and password (R22).
func userAuth(x *exchange) (*answer, error) {
	data, err := x.object()
	if err != nil {
		return nil, err
	}
	f := newForm(data)
	f.need("credentials")
	credentials := strings.ToLower(f.text("credentials", 1, maxCredentials))
	method := f.choice("method", auth.KazooMD5, auth.KazooSHA)
	locators := 0
	for _, name := range []string{"account_name", "account_realm", "phone_number"} {
		if f.has(name) {
			f.text(name, 1, 253)
			locators++
		}
	}
	if locators != 1 {
		f.problem("account_name", "required", "Exactly one of account_name, account_realm and phone_number is required")
	}
	if err := f.err(); err != nil {
		return nil, err
	}
	where, _ := plain(firstSent(data, "account_name", "account_realm", "phone_number"))
	throttled := "kazoo/" + strings.ToLower(where)
	if wait := x.api.throttle.Wait(throttled, x.client); wait > 0 {
		f := refuse(http.StatusTooManyRequests, "too_many_requests", "too many failed logins, try again later")
		f.wait = wait
		return nil, f
	}
	account, found, err := x.findLogin(data, method, credentials)
	if err != nil {
		return nil, err
	}
	ok, err := loginOf(found).Verify(x.ctx, x.api.passwords, method, credentials)
	if err != nil {
		return nil, err
	}
	if !ok {
		x.api.throttle.Failed(throttled, x.client)
		return nil, missingToken()
	}
	x.api.throttle.Succeeded(throttled)
	if account.Disabled {
		return nil, disabled("account")
	}
	if found.Disabled {
		return nil, disabled("user")
	}
	return x.grant(account, auth.KazooIdentity{AccountID: account.UUID.Hex(), OwnerID: found.UUID.Hex(), Method: auth.KazooUserAuth})
}

func firstSent(doc document, names ...string) any {
	for _, n := range names {
		if doc[n] != nil {
			return doc[n]
		}
	}
	return nil
}

// loginOf returns what a user's row keeps of the password; of no user, nothing.
func loginOf(u *storage.User) auth.KazooLogin {
	if u == nil {
		return auth.KazooLogin{}
	}
	return auth.KazooLogin{MD5Hash: u.LoginMD5, SHAHash: u.LoginSHA}
}

// findLogin finds the user whose login hash this is, in the accounts that the request may mean; nil
// when there is none.
func (x *exchange) findLogin(data document, method, credentials string) (account *rating.Account, found *storage.User, err error) {
	err = x.view(func(tx *storage.Tx) error {
		accounts, err := accountsMeant(tx, data)
		if err != nil {
			return err
		}
		for _, a := range accounts {
			key := x.api.secrets.KazooKey(uint64(a.ID), method, credentials)
			err := tx.UsersByKey(key[:], func(u *storage.User) (bool, error) {
				if u.Account == a.ID {
					account, found = a, u
				}
				return found == nil, nil
			})
			if err != nil || found != nil {
				return err
			}
		}
		return nil
	})
	return account, found, err
}

// accountsMeant returns the accounts that a login's locator names.
func accountsMeant(tx *storage.Tx, data document) ([]*rating.Account, error) {
	if name, ok := plain(data["account_name"]); ok {
		if storage.FoldName(name) == "" {
			return nil, nil
		}
		return tx.AccountsNamed(name)
	}
	find, text := tx.AccountByRealm, ""
	if realm, ok := plain(data["account_realm"]); ok {
		text = realm
	} else {
		find = func(number string) (*rating.Account, error) { return accountOfNumber(tx, number) }
		text, _ = plain(data["phone_number"])
	}
	a, err := find(text)
	if rating.KindOf(err) == rating.NotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return []*rating.Account{a}, nil
}

// apiAuth logs an account in by its key.
func apiAuth(x *exchange) (*answer, error) {
	data, err := x.object()
	if err != nil {
		return nil, err
	}
	f := newForm(data)
	for name := range data {
		if name != "api_key" {
			f.problem(name, "additionalProperties", "Strict checking of data is enabled and this value is not allowed")
		}
	}
	f.need("api_key")
	key := f.text("api_key", apiKeyLength, apiKeyLength)
	if err := f.err(); err != nil {
		return nil, err
	}
	var account *rating.Account
	err = x.view(func(tx *storage.Tx) (err error) {
		account, err = tx.AccountByAPIKey(key)
		return err
	})
	if rating.KindOf(err) == rating.NotFound {
		return nil, &failure{status: http.StatusNotFound, message: "bad identifier", data: []string{key}}
	}
	if err != nil {
		return nil, err
	}
	if account.Disabled {
		return nil, disabled("account")
	}
	return x.grant(account, auth.KazooIdentity{AccountID: account.UUID.Hex(), Method: auth.KazooAPIAuth})
}
