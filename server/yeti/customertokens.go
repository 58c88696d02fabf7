package yeti

import (
	"fmt"
	"slices"
	"time"

	"billd/rating"
	"billd/server/auth"
	"billd/server/jsonapi"
	"billd/storage"
)

// customerToken is a token for the customer API that is being asked for. Nothing of it is stored.
type customerToken struct {
	customer   uint64
	accounts   []rating.AccountID
	lists      []uint64
	gateway    *int64
	allowedIPs []string
	profile    *int64
	token      auth.Token
}

// onlyProfile is the number of the one portal profile there is.
const onlyProfile = 1

// customerTokens issues tokens that carry their own access rules. Only the token is shown.
func (a *API) customerTokens() jsonapi.Resource[customerToken] {
	return jsonapi.Resource[customerToken]{
		Type: "customer-tokens", Verbs: jsonapi.Create, Transient: true,
		Key: func(v *customerToken) string { return decimal(v.customer) },
		Attrs: []jsonapi.Attr[customerToken]{
			jsonapi.View("token", jsonapi.Text, func(_ *jsonapi.Request, v *customerToken) (string, error) { return v.token.Text, nil }),
			jsonapi.View("expires-at", jsonapi.Instant, func(_ *jsonapi.Request, v *customerToken) (time.Time, error) { return v.token.ExpiresAt, nil }),
			jsonapi.Field("allowed-ips", jsonapi.Texts, func(v *customerToken) *[]string { return &v.allowedIPs }, jsonapi.WriteOnly),
			jsonapi.Field("customer-portal-access-profile-id", jsonapi.NullInteger, func(v *customerToken) **int64 { return &v.profile }, jsonapi.WriteOnly),
		},
		Rels: []jsonapi.Rel[customerToken]{
			jsonapi.One("customer", "contractors", func(v *customerToken) *uint64 { return &v.customer }, jsonapi.WriteOnly, jsonapi.MustExist, jsonapi.Message("can't be blank")),
			writtenMany("accounts", "accounts", func(v *customerToken) *[]rating.AccountID { return &v.accounts }),
			writtenMany("allow-outgoing-numberlists", "numberlists", func(v *customerToken) *[]uint64 { return &v.lists }, jsonapi.Kept),
			jsonapi.OneOrNull("provision-gateway", "gateways", func(v *customerToken) **int64 { return &v.gateway }, jsonapi.WriteOnly, jsonapi.Kept),
		},
		New: func(*jsonapi.Request) *customerToken {
			profile := int64(onlyProfile)
			return &customerToken{allowedIPs: []string{"0.0.0.0/0", "::/0"}, profile: &profile}
		},
		Check: checkCustomerToken,
		Issue: a.issueCustomerToken,
	}
}

// writtenMany is a to-many relationship that is sent and never shown.
func writtenMany[N ~uint64](name, typ string, at func(*customerToken) *[]N, opts ...jsonapi.Option) jsonapi.Rel[customerToken] {
	return jsonapi.Many(name, typ,
		func(_ *jsonapi.Request, v *customerToken) ([]string, error) { return numbered(*at(v)), nil },
		func(_ *jsonapi.Request, v *customerToken, ids []string) (err error) {
			*at(v), err = numbers[N](ids)
			return err
		}, append(opts, jsonapi.WriteOnly)...)
}

// checkAllowedIPs refuses what is no list of networks.
func checkAllowedIPs(networks []string) jsonapi.Problems {
	if len(networks) <= maxAllowedIPs && !slices.ContainsFunc(networks, func(s string) bool { _, ok := storage.ParseNetwork(s); return !ok }) {
		return nil
	}
	return jsonapi.Problems{jsonapi.AttrProblem("allowed-ips", "Allowed IP is not valid")}
}

// checkOwnAccounts refuses accounts that are not a customer's.
func checkOwnAccounts(r *jsonapi.Request, customer uint64, accounts []rating.AccountID) jsonapi.Problems {
	for _, id := range accounts {
		a, err := r.Tx.OpenAccount(id)
		r.Fail(ignoreMissing(err))
		if err != nil || a.Contractor != customer {
			return jsonapi.Problems{jsonapi.BaseProblem("Account should be connected with selected Customer")}
		}
	}
	return nil
}

func checkCustomerToken(r *jsonapi.Request, v *customerToken, _ *jsonapi.Body) jsonapi.Problems {
	ps := checkAllowedIPs(v.allowedIPs)
	if v.profile == nil || *v.profile != onlyProfile {
		ps = append(ps, jsonapi.AttrProblem("customer-portal-access-profile", "can't be blank"))
	}
	if v.customer == 0 || !r.Tx.Contractors.Has(v.customer) {
		return ps // can't be blank
	}
	return append(ps, checkOwnAccounts(r, v.customer, v.accounts)...)
}

// issueCustomerToken signs, which asks the store for the customer once more.
func (a *API) issueCustomerToken(v *customerToken) (err error) {
	d := auth.Dynamic{CustomerID: v.customer, CustomerPortalAccessProfileID: uint64(*v.profile), AllowedIPs: v.allowedIPs,
		AllowOutgoingNumberlistsIDs: slices.Sorted(slices.Values(v.lists))}
	for _, id := range slices.Sorted(slices.Values(v.accounts)) {
		d.AccountIDs = append(d.AccountIDs, uint64(id))
	}
	if v.gateway != nil {
		id := uint64(*v.gateway)
		d.ProvisionGatewayID = &id
	}
	if v.token, err = a.o.Tokens.DynamicCustomer(d, a.o.TokenTTL); err != nil {
		return fmt.Errorf("customer token: %w", err)
	}
	return nil
}
