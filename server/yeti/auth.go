package yeti

import (
	"slices"

	"github.com/gofiber/fiber/v2"

	"billd/rating"
	"billd/server/auth"
	"billd/server/jsonapi"
	"billd/storage"
)

// customer is whom a customer token speaks for: a contractor, and some or all of its accounts.
type customer struct {
	Contractor uint64
	Accounts   []rating.AccountID // none: all of them
}

// sees reports whether an account is one of the customer's.
func (s *customer) sees(a *rating.Account) bool {
	return !a.Closed() && a.Contractor == s.Contractor && (len(s.Accounts) == 0 || slices.Contains(s.Accounts, a.ID))
}

func carrier(c *fiber.Ctx, header string) auth.Carrier {
	v := c.Request().Header.Peek(header)
	return auth.Carrier{Text: string(v), Sent: v != nil}
}

// authenticateAdmin says which operator asks, from an address that is theirs. Its 401 has no body.
func (a *API) authenticateAdmin(c *fiber.Ctx) (jsonapi.Caller, error) {
	args := c.Request().URI().QueryArgs()
	query := auth.Carrier{Text: string(args.Peek("token")), Sent: args.Has("token")}
	claims, err := a.o.Tokens.Verify(auth.YetiAdmin(query, carrier(c, "Authorization")), auth.Admin)
	if rating.KindOf(err) == rating.Unauthenticated && err != nil {
		return jsonapi.Caller{}, jsonapi.Blank(fiber.StatusUnauthorized)
	}
	if err != nil {
		return jsonapi.Caller{}, err
	}
	err = a.o.DB.View(c.UserContext(), func(tx *storage.Tx) error {
		o, err := tx.Operators.Get(claims.Principal.ID)
		if rating.KindOf(err) == rating.NotFound && err != nil || err == nil && !storage.Admits(o.AllowedIPs, c.IP()) {
			return jsonapi.Blank(fiber.StatusUnauthorized)
		}
		return err
	})
	return jsonapi.Caller{Name: claims.Principal.String()}, err
}

// authenticateCustomer says which customer asks, and issues a used cookie anew.
func (a *API) authenticateCustomer(c *fiber.Ctx) (jsonapi.Caller, error) {
	refused := jsonapi.Unauthorized("Authorization failed", "Authorization token expired or incorrect.")
	cookie := c.Request().Header.Cookie(auth.SessionCookie)
	token, fromCookie := auth.YetiCustomer(carrier(c, "Authorization"), auth.Carrier{Text: string(cookie), Sent: cookie != nil})
	claims, err := a.o.Tokens.Verify(token, auth.Customer)
	if err != nil && rating.KindOf(err) != rating.Unauthenticated {
		return jsonapi.Caller{}, err
	}
	if err != nil {
		return jsonapi.Caller{}, refused
	}
	who := jsonapi.Caller{Name: claims.Principal.String()}
	if d := claims.Dynamic; d != nil {
		if !storage.Admits(d.AllowedIPs, c.IP()) {
			return who, refused
		}
		s := &customer{Contractor: d.CustomerID}
		for _, id := range d.AccountIDs {
			s.Accounts = append(s.Accounts, rating.AccountID(id))
		}
		who.Scope = s
		return who, nil
	}
	err = a.o.DB.View(c.UserContext(), func(tx *storage.Tx) error {
		access, err := tx.Accesses.Get(claims.Principal.ID)
		if err == nil {
			who.Scope = &customer{Contractor: access.Customer, Accounts: access.Accounts}
		}
		return err
	})
	if rating.KindOf(err) == rating.NotFound && err != nil {
		return who, refused
	}
	if err == nil && fromCookie {
		err = a.giveCookie(c, claims.Principal.ID)
	}
	return who, err
}
