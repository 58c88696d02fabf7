package storage

import (
	"encoding/json"
	"strings"

	"billd/rating"
	"billd/storage/kv"
)

// TenantBilling is how a PortSIP tenant wants its switch to bill. billd keeps it for the switch to
// read; what a call costs does not depend on it. The zero value is what a tenant begins with.
type TenantBilling struct {
	Enabled bool `json:"enabled,omitempty"`
	ByUser  bool `json:"by_user,omitempty"` // the extension user pays, not the tenant
	Online  bool `json:"online,omitempty"`  // balances are checked before a call
}

// tenantKey is where the setting bucket holds an account's TenantBilling.
func tenantKey(id rating.AccountID) []byte { return kv.Key("tenant\x00").U64(uint64(id)) }

// TenantBilling returns an account's billing switch settings.
func (tx *Tx) TenantBilling(id rating.AccountID) (b TenantBilling, err error) {
	raw := tx.Txn.Get(bSetting, tenantKey(id))
	if raw == nil {
		return b, nil
	}
	if json.Unmarshal(raw, &b) != nil {
		return b, rating.Errorf(rating.Internal, "tenant", "the billing settings of account %d do not decode", id)
	}
	return b, nil
}

// SaveTenantBilling stores an account's billing switch settings, audited.
func (tx *Tx) SaveTenantBilling(id rating.AccountID, b TenantBilling) error {
	now, err := json.Marshal(b)
	if err != nil {
		return err
	}
	old := jsonRow(tx.Txn.Get(bSetting, tenantKey(id)))
	if err := tx.Txn.Put(bSetting, tenantKey(id), now); err != nil {
		return err
	}
	return tx.record("tenant billing", uint64(id), old, now)
}

// UserNamed finds a user of an account by name in any case.
func (tx *Tx) UserNamed(id rating.AccountID, username string) (found *User, err error) {
	if strings.IndexByte(username, 0) >= 0 {
		return nil, rating.Errorf(rating.NotFound, "user", "no such user")
	}
	err = tx.Users.EachUnder(bUserAccount, kv.Key(nil).U64(uint64(id)).Text(strings.ToLower(username)), func(u *User) (bool, error) {
		found = u
		return false, nil
	})
	if err == nil && found == nil {
		err = rating.Errorf(rating.NotFound, "user", "no such user")
	}
	return found, err
}
