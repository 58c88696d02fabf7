package auth

import (
	"bytes"
	"encoding/json"
	"strconv"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const (
	kazooIssuer = "kazoo"
	refreshAud  = "portsip-refresh" // so that a refresh token opens nothing but a new pair
	dynamicSub  = "D"               // Yeti: the subject of a customer token without an api-access row
)

// Claims is what a verified token says. It is shared by all requests that carry the token, so
// whoever holds it reads only.
type Claims struct {
	Principal Principal
	ExpiresAt time.Time
	Dynamic   *Dynamic       // set for Yeti customer tokens with sub "D"
	Kazoo     *KazooIdentity // set for Kazoo tokens
	// Session joins the tokens of one PortSIP or native sign-in, and SessionEnds is when the last
	// of them expires; both are zero on the other surfaces.
	Session     string
	SessionEnds time.Time
	refresh     bool
}

// Dynamic is the cfg claim of a Yeti customer token that no api-access row stands behind.
// Empty AccountIDs means all accounts of the customer; ProvisionGatewayID is null when nil.
type Dynamic struct {
	CustomerID                    uint64   `json:"customer_id"`
	CustomerPortalAccessProfileID uint64   `json:"customer_portal_access_profile_id"`
	AccountIDs                    []uint64 `json:"account_ids"`
	AllowOutgoingNumberlistsIDs   []uint64 `json:"allow_outgoing_numberlists_ids"`
	AllowedIPs                    []string `json:"allowed_ips"`
	ProvisionGatewayID            *uint64  `json:"provision_gateway_id"`
}

// The methods a Kazoo token names.
const (
	KazooUserAuth = "cb_user_auth"
	KazooAPIAuth  = "cb_api_auth"
)

// KazooIdentity is what a Kazoo token says of its holder. Ids are 32 lower-case hex digits; OwnerID
// is "" for an API key's token. As and the two originals are set when a master user impersonates:
// then AccountID and OwnerID are the impersonated user's.
type KazooIdentity struct {
	AccountID         string
	OwnerID           string
	Method            string
	As                string
	OriginalAccountID string
	OriginalOwnerID   string
}

// The claims as they are written, one type per surface, because the order of the fields is the
// order on the wire.
type (
	adminWire struct {
		Sub uint64   `json:"sub"`
		Aud []string `json:"aud"`
		Exp int64    `json:"exp"`
	}
	customerWire struct {
		Aud []string `json:"aud"`
		Sub any      `json:"sub"`
		Exp int64    `json:"exp"`
		Cfg *Dynamic `json:"cfg,omitempty"`
	}
	kazooWire struct {
		Iss               string `json:"iss"`
		AccountID         string `json:"account_id"`
		OwnerID           string `json:"owner_id,omitempty"`
		Method            string `json:"method"`
		Exp               int64  `json:"exp"`
		IdentitySig       string `json:"identity_sig"`
		As                string `json:"as,omitempty"`
		OriginalAccountID string `json:"original_account_id,omitempty"`
		OriginalOwnerID   string `json:"original_owner_id,omitempty"`
	}
	sessionWire struct {
		Aud         []string `json:"aud"`
		Sub         uint64   `json:"sub"`
		Kind        Kind     `json:"kind"`
		Account     uint64   `json:"account,omitempty"`
		Exp         int64    `json:"exp"`
		Session     string   `json:"sid"`
		SessionEnds int64    `json:"sxp"`
	}
)

// wire is the claims as they are read, of whichever surface.
type wire struct {
	Iss               string           `json:"iss"`
	Aud               jwt.ClaimStrings `json:"aud"`
	Sub               json.RawMessage  `json:"sub"`
	Exp               *int64           `json:"exp"`
	Cfg               *Dynamic         `json:"cfg"`
	AccountID         string           `json:"account_id"`
	OwnerID           string           `json:"owner_id"`
	Method            string           `json:"method"`
	As                string           `json:"as"`
	OriginalAccountID string           `json:"original_account_id"`
	OriginalOwnerID   string           `json:"original_owner_id"`
	Kind              Kind             `json:"kind"`
	Account           uint64           `json:"account"`
	Session           string           `json:"sid"`
	SessionEnds       int64            `json:"sxp"`
}

// GetExpirationTime returns exp, or nil when the token has none.
func (w *wire) GetExpirationTime() (*jwt.NumericDate, error) {
	if w.Exp == nil {
		return nil, nil
	}
	return jwt.NewNumericDate(time.Unix(*w.Exp, 0)), nil
}

// GetIssuedAt returns nil: no token of ours says when it was issued.
func (w *wire) GetIssuedAt() (*jwt.NumericDate, error) { return nil, nil }

// GetNotBefore returns nil: no token of ours waits to become valid.
func (w *wire) GetNotBefore() (*jwt.NumericDate, error) { return nil, nil }

// GetIssuer returns iss.
func (w *wire) GetIssuer() (string, error) { return w.Iss, nil }

// GetSubject returns sub as the text it has in the JSON; Yeti's is a number.
func (w *wire) GetSubject() (string, error) { return string(w.Sub), nil }

// GetAudience returns aud.
func (w *wire) GetAudience() (jwt.ClaimStrings, error) { return w.Aud, nil }

// claims reads w as a token of surface, or says no when it cannot be one.
func (w *wire) claims(surface Surface) (*Claims, bool) {
	if w.Exp == nil {
		return nil, false
	}
	c := &Claims{ExpiresAt: time.Unix(*w.Exp, 0).UTC(), Principal: Principal{Surface: surface}}
	if surface == Kazoo {
		return c, w.Iss == kazooIssuer && w.kazoo(c)
	}
	if len(w.Aud) != 1 {
		return nil, false
	}
	c.refresh = surface == PortSIP && w.Aud[0] == refreshAud
	if w.Aud[0] != string(surface) && !c.refresh {
		return nil, false
	}
	if surface == Customer && w.dynamic() {
		c.Dynamic = w.Cfg
		c.Principal.Kind, c.Principal.ID = KindCustomer, w.Cfg.CustomerID
		return c, true
	}
	id, err := strconv.ParseUint(string(w.Sub), 10, 64)
	if err != nil {
		return nil, false
	}
	c.Principal.ID = id
	switch surface {
	case Admin:
		c.Principal.Kind = KindOperator
	case Customer:
		c.Principal.Kind = KindAPIAccess
	default:
		c.Principal.Kind, c.Principal.AccountID = w.Kind, w.Account
		c.Session, c.SessionEnds = w.Session, time.Unix(w.SessionEnds, 0).UTC()
		return c, w.Kind != "" && w.Session != ""
	}
	return c, true
}

// dynamic reports whether w is a Yeti token that carries its own access rules.
func (w *wire) dynamic() bool {
	return w.Cfg != nil && bytes.Equal(w.Sub, []byte(`"`+dynamicSub+`"`))
}

// kazoo fills c with what a Kazoo token says.
func (w *wire) kazoo(c *Claims) bool {
	c.Kazoo = &KazooIdentity{
		AccountID: w.AccountID, OwnerID: w.OwnerID, Method: w.Method,
		As: w.As, OriginalAccountID: w.OriginalAccountID, OriginalOwnerID: w.OriginalOwnerID,
	}
	c.Principal = kazooPrincipal(w.AccountID, w.OwnerID)
	return w.AccountID != ""
}

// kazooPrincipal returns the user owner of account, or the account's API key when owner is "".
func kazooPrincipal(account, owner string) Principal {
	p := Principal{Surface: Kazoo, Kind: KindKazooUser, UUID: owner, AccountUUID: account}
	if owner == "" {
		p.Kind, p.UUID = KindAPIKey, account
	}
	return p
}

// subjects returns everybody whose password or deletion ends the token: its principal and, for an
// impersonated one, who is behind it.
func (c *Claims) subjects() []Principal {
	who := []Principal{c.Principal}
	if k := c.Kazoo; k != nil && k.OriginalAccountID != "" {
		who = append(who, kazooPrincipal(k.OriginalAccountID, k.OriginalOwnerID))
	}
	return who
}
