package portsip

import (
	"github.com/gofiber/fiber/v2"

	"billd/rating"
	"billd/storage"
)

// readTenant answers GET /api/tenant. The two flags are written through /api/tenants, which billd does
// not offer, so they have the vendor's defaults.
func (a *API) readTenant(c *fiber.Ctx, s *session) error {
	var account *rating.Account
	err := a.o.DB.View(c.UserContext(), func(tx *storage.Tx) (err error) {
		account, err = tx.OpenAccount(s.account)
		return err
	})
	if err != nil {
		return err
	}
	return c.JSON(struct {
		ID       string `json:"id"`
		Name     string `json:"name"`
		Domain   string `json:"domain"`
		Currency string `json:"currency"`
		Billing  bool   `json:"enable_billing"`
		Features bool   `json:"enable_feature_billing"`
	}{encodeID(idBase + uint64(account.ID)), account.Name, account.Realm, account.Currency.String(), false, false})
}

// The words of a tenant's billing settings, the default first.
const (
	payTenant, payUser  = "TENANT", "USER"
	modeOffline, online = "OFFLINE", "ONLINE"
)

// readBilling answers GET /api/tenant/billing.
func (a *API) readBilling(c *fiber.Ctx, s *session) error {
	var b storage.TenantBilling
	err := a.o.DB.View(c.UserContext(), func(tx *storage.Tx) (err error) {
		b, err = tx.TenantBilling(s.account)
		return err
	})
	if err != nil {
		return err
	}
	wire := struct {
		Enabled bool   `json:"enabled"`
		Account string `json:"account"`
		Type    string `json:"type"`
	}{b.Enabled, payTenant, modeOffline}
	if b.ByUser {
		wire.Account = payUser
	}
	if b.Online {
		wire.Type = online
	}
	return c.JSON(wire)
}

// saveBilling answers POST /api/tenant/billing: any of the three settings.
func (a *API) saveBilling(c *fiber.Ctx, s *session) error {
	o, err := readObject(c)
	if err != nil {
		return err
	}
	return a.o.DB.Update(s.context(c), func(tx *storage.Tx) error {
		b, err := tx.TenantBilling(s.account)
		if err != nil {
			return err
		}
		was := b
		var es rating.Errors
		for _, f := range []struct {
			name string
			to   *bool
			read func(string) (bool, *rating.Error)
		}{
			{"enabled", &b.Enabled, o.boolean},
			{"account", &b.ByUser, func(name string) (bool, *rating.Error) { return o.oneOf(name, payTenant, payUser) }},
			{"type", &b.Online, func(name string) (bool, *rating.Error) { return o.oneOf(name, modeOffline, online) }},
		} {
			if !o.has(f.name) {
				continue
			}
			var err *rating.Error
			if *f.to, err = f.read(f.name); err != nil {
				es = append(es, err)
			}
		}
		if err := es.Err(); err != nil || b == was {
			return err
		}
		return tx.SaveTenantBilling(s.account, b)
	})
}

// tenantBalance answers GET /api/tenant/balance and GET /api/user/balance: of the session's account.
func (a *API) tenantBalance(c *fiber.Ctx, s *session) error {
	return a.sendBalance(c, func(tx *storage.Tx) (*rating.Account, error) { return tx.OpenAccount(s.account) })
}

// userBalance answers GET /api/users/{id}/balance.
func (a *API) userBalance(c *fiber.Ctx, s *session) error {
	return a.sendBalance(c, func(tx *storage.Tx) (*rating.Account, error) { return userOf(c, tx, s) })
}

func (a *API) sendBalance(c *fiber.Ctx, find func(*storage.Tx) (*rating.Account, error)) error {
	var b rating.Money
	err := a.o.DB.View(c.UserContext(), func(tx *storage.Tx) error {
		account, err := find(tx)
		if err != nil {
			return err
		}
		b, err = tx.AccountBalance(account)
		return err
	})
	if err != nil {
		return err
	}
	return sendJSON(c, append(moneyValue(b).appendJSON([]byte(`{"balance":`), number), '}'))
}

// userOf returns the account that the path names: one right below the tenant's (R24).
func userOf(c *fiber.Ctx, tx *storage.Tx, s *session) (*rating.Account, error) {
	n, err := decodeNumber(c.Params("id"))
	if err != nil {
		return nil, err
	}
	account, err := tx.OpenAccount(rating.AccountID(n))
	if err == nil && account.Parent != s.account || rating.KindOf(err) == rating.NotFound && err != nil {
		return nil, rating.Errorf(rating.NotFound, "id", "no such user")
	}
	return account, err
}

// rechargeTenant answers POST /api/tenant/balance.
func (a *API) rechargeTenant(c *fiber.Ctx, s *session) error {
	return a.recharge(c, s, func(tx *storage.Tx) (*rating.Account, error) { return tx.OpenAccount(s.account) })
}

// rechargeUser answers POST /api/users/{id}/balance.
func (a *API) rechargeUser(c *fiber.Ctx, s *session) error {
	return a.recharge(c, s, func(tx *storage.Tx) (*rating.Account, error) { return userOf(c, tx, s) })
}

// recharge adds the body's balance to an account's, as a payment (R13). 0 changes nothing.
func (a *API) recharge(c *fiber.Ctx, s *session, find func(*storage.Tx) (*rating.Account, error)) error {
	o, bodyErr := readObject(c)
	notes := "recharge through the PortSIP API"
	return a.o.DB.Update(s.context(c), func(tx *storage.Tx) error {
		account, err := find(tx)
		if err != nil {
			return err
		}
		if bodyErr != nil {
			return bodyErr
		}
		if !o.has("balance") {
			return required("balance")
		}
		n, broken := o.number("balance", maxMoney)
		if broken != nil {
			return broken
		}
		if n == 0 {
			return nil
		}
		return tx.Pay(&storage.Payment{Account: account.ID, Amount: rating.Money(n * 10), Notes: &notes})
	})
}
