package kazoo

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"

	"billd/rating"
	"billd/server/auth"
	"billd/storage"
)

// verified says what a token given as a value holds; Unauthenticated when it is not valid.
func (x *exchange) verified(token string) (*auth.Claims, *rating.Account, error) {
	claims, err := x.api.tokens.Verify(token, auth.Kazoo)
	if err != nil {
		return nil, nil, err
	}
	id, ok := hexID(claims.Kazoo.AccountID)
	if !ok {
		return nil, nil, badToken()
	}
	var a *rating.Account
	err = x.view(func(tx *storage.Tx) (err error) {
		a, err = tx.AccountByUUID(id)
		return err
	})
	return claims, a, err
}

func readLogin(x *exchange) (*answer, error) {
	token := x.params["token"]
	claims, a, err := x.verified(token)
	if err != nil {
		return nil, err
	}
	id, err := x.identify(a, claims.Kazoo.OwnerID)
	if err != nil {
		return nil, err
	}
	return &answer{data: id, token: token, revision: automatic}, nil
}

func readToken(x *exchange) (*answer, error) {
	id, err := x.identify(x.me, x.claims.Kazoo.OwnerID)
	if err != nil {
		return nil, err
	}
	return &answer{data: id, revision: automatic}, nil
}

func revokeToken(x *exchange) (*answer, error) {
	if err := x.api.tokens.Revoke(x.token, x.claims); err != nil {
		return nil, err
	}
	return &answer{data: document{}}, nil
}

// refreshToken issues another token for whom the present one speaks.
func refreshToken(x *exchange) (*answer, error) {
	if action := x.setting("action"); action != "refresh_token" {
		return nil, invalid("action", "enum", "Value not found in enumerated list of values", "target", []string{"refresh_token"}, "value", clip(action))
	}
	return x.grant(x.me, *x.claims.Kazoo)
}

// tokenInfo shows the claims of a token that is still good.
func tokenInfo(x *exchange) (*answer, error) {
	token := firstOf(x.setting("token"), x.token)
	if token == "" {
		return nil, invalid("token", "required", "Field is required but missing")
	}
	if _, _, err := x.verified(token); err != nil {
		return nil, err
	}
	claims, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1]) // verified: it has three parts
	if err != nil {
		return nil, err
	}
	return &answer{status: http.StatusOK, data: json.RawMessage(claims), revision: automatic}, nil
}

// impersonate issues a token of a user of the target account to the master.
func impersonate(x *exchange) (*answer, error) {
	if action := x.setting("action"); action != "impersonate_user" {
		return nil, invalid("action", "enum", "Value not found in enumerated list of values", "target", []string{"impersonate_user"}, "value", clip(action))
	}
	u, err := x.findUser(x.params["user"])
	if err != nil {
		return nil, err
	}
	me := x.claims.Kazoo
	return x.grant(x.account, auth.KazooIdentity{AccountID: x.account.UUID.Hex(), OwnerID: u.UUID.Hex(), Method: auth.KazooUserAuth,
		As: u.UUID.Hex(), OriginalAccountID: firstOf(me.OriginalAccountID, me.AccountID), OriginalOwnerID: firstOf(me.OriginalOwnerID, me.OwnerID)})
}

// findUser finds a user of the target account by id.
func (x *exchange) findUser(id string) (u *storage.User, err error) {
	uid, ok := hexID(id)
	if !ok {
		return nil, unknownID(id)
	}
	err = x.view(func(tx *storage.Tx) error {
		u, err = tx.UserByUUID(uid)
		return err
	})
	if err == nil && u.Account == x.account.ID {
		return u, nil
	}
	if err == nil || rating.KindOf(err) == rating.NotFound {
		return nil, unknownID(id)
	}
	return nil, err
}
