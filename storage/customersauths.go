package storage

import (
	"billd/rating"
	"billd/storage/kv"
)

// CustomersAuth says who pays for the calls that come from somewhere, and by which rate plan: Yeti's
// customers-auth. What a switch alone would do with one is kept and shown, not obeyed.
type CustomersAuth struct {
	ID       uint64           `json:"id"`
	Name     string           `json:"name"`
	Enabled  bool             `json:"enabled"`
	Customer uint64           `json:"customer"` // contractor
	Account  rating.AccountID `json:"account"`
	RatePlan uint64           `json:"rateplan"`

	// IPs are the addresses and networks that a call comes from, the prefixes what its numbers begin
	// with: one of each list, anything where a list of prefixes is empty.
	IPs         []string `json:"ips"`
	SrcPrefixes []string `json:"src_prefixes"`
	DstPrefixes []string `json:"dst_prefixes"`

	CheckBalance    bool   `json:"check_balance"`    // a call is asked for only if the balance pays it
	Reject          bool   `json:"reject,omitempty"` // a call is refused when it is asked for
	Capacity        *int64 `json:"capacity,omitempty"`
	CPSLimit        string `json:"cps_limit,omitempty"` // JSON number text
	ReceiveLimit    bool   `json:"receive_limit,omitempty"`
	SendBillingInfo bool   `json:"send_billing_info,omitempty"`
	ExternalID      *int64 `json:"external_id,omitempty"`
	ExternalType    string `json:"external_type,omitempty"`

	Switch SwitchLinks `json:"switch,omitzero"`
}

// SwitchLinks are the numbers of a switch's own records that a customers-auth names.
type SwitchLinks struct {
	RoutingPlan      *int64 `json:"routing_plan,omitempty"`
	Gateway          *int64 `json:"gateway,omitempty"`
	Pop              *int64 `json:"pop,omitempty"`
	DstNumberlist    *int64 `json:"dst_numberlist,omitempty"`
	SrcNumberlist    *int64 `json:"src_numberlist,omitempty"`
	TagAction        *int64 `json:"tag_action,omitempty"`
	RadiusAuth       *int64 `json:"radius_auth,omitempty"`
	RadiusAccounting *int64 `json:"radius_accounting,omitempty"`
}

// rule returns what charging asks of a.
func (a *CustomersAuth) rule() *rating.AuthRule {
	r := &rating.AuthRule{ID: a.ID, Account: a.Account, Plan: a.RatePlan, Dst: a.DstPrefixes, Src: a.SrcPrefixes}
	for _, s := range a.IPs {
		if p, ok := ParseNetwork(s); ok {
			r.Networks = append(r.Networks, p)
		}
	}
	return r
}

type customersAuthTables struct{ customersAuths kv.Table[CustomersAuth] }

// CustomersAuthRows is the table of who pays by source.
type CustomersAuthRows struct{ CustomersAuths Rows[CustomersAuth] }

func newCustomersAuthTables() customersAuthTables {
	t := jsonTable("customers auth", bCustomersAuth, func(v *CustomersAuth) *uint64 { return &v.ID })
	t.Unique = []kv.Unique[CustomersAuth]{
		{Bucket: bCustomersAuthName, Field: "name", Key: func(v *CustomersAuth) []byte { return textKey(v.Name) }},
		{Bucket: bCustomersAuthExternal, Field: "external_id", Key: func(v *CustomersAuth) []byte {
			if v.ExternalID == nil {
				return nil
			}
			return kv.Key(numberKey(v.ExternalID)).Text(v.ExternalType)
		}},
	}
	under := func(b kv.Bucket, id func(*CustomersAuth) uint64) kv.Index[CustomersAuth] {
		return kv.Index[CustomersAuth]{Bucket: b, Keys: func(v *CustomersAuth) [][]byte { return one(kv.Key(nil).U64(id(v))) }}
	}
	t.Index = []kv.Index[CustomersAuth]{
		under(bCustomersAuthCustomer, func(v *CustomersAuth) uint64 { return v.Customer }),
		under(bCustomersAuthAccount, func(v *CustomersAuth) uint64 { return uint64(v.Account) }),
		under(bCustomersAuthPlan, func(v *CustomersAuth) uint64 { return v.RatePlan }),
	}
	return customersAuthTables{t}
}

func bindCustomersAuths(tx *Tx) CustomersAuthRows {
	return CustomersAuthRows{bind(tx, &schema.customersAuths)}
}

// customersAuths finds those that name what is not there.
func (c *checker) customersAuths() {
	c.tx.CustomersAuths.EachSound(func(a *CustomersAuth) {
		c.refer("customers auth", a.ID, "contractor", a.Customer, c.tx.Contractors.Has)
		c.refer("customers auth", a.ID, "account", uint64(a.Account), c.tx.Accounts.Has)
		c.refer("customers auth", a.ID, "rateplan", a.RatePlan, c.tx.Plans.Has)
	})
}

// AuthsOfAccount calls fn with the customers-auths that an account pays for until it returns false.
func (tx *Tx) AuthsOfAccount(id rating.AccountID, fn func(*CustomersAuth) (bool, error)) error {
	return tx.CustomersAuths.EachUnder(bCustomersAuthAccount, kv.Key(nil).U64(uint64(id)), fn)
}

// AccountHasAuths reports whether a customers-auth names the account.
func (tx *Tx) AccountHasAuths(id rating.AccountID) bool {
	return tx.anyUnder(bCustomersAuthAccount, uint64(id))
}

// CustomerHasAuths is AccountHasAuths for a contractor.
func (tx *Tx) CustomerHasAuths(contractor uint64) bool {
	return tx.anyUnder(bCustomersAuthCustomer, contractor)
}

// PlanHasAuths is AccountHasAuths for a rate plan.
func (tx *Tx) PlanHasAuths(plan uint64) bool { return tx.anyUnder(bCustomersAuthPlan, plan) }

// anyUnder reports whether an index that begins with a number holds a key under it.
func (tx *Tx) anyUnder(b kv.Bucket, id uint64) bool {
	k, _ := tx.Txn.Cursor(b).Seek(kv.Key(nil).U64(id))
	return len(k) >= 8 && kv.ID(k[:8]) == id
}

// authRules reads what the customers-auths that this transaction changed ask of calls now.
func (tx *Tx) authRules() (map[uint64]*rating.AuthRule, error) {
	rules := make(map[uint64]*rating.AuthRule, len(tx.auths))
	for id := range tx.auths {
		rules[id] = nil
		if !tx.CustomersAuths.Has(id) {
			continue
		}
		a, err := tx.CustomersAuths.Get(id)
		if err != nil {
			return nil, err
		}
		if a.Enabled {
			rules[id] = a.rule()
		}
	}
	return rules, nil
}

// allAuths builds the index of who pays from the store.
func (tx *Tx) allAuths() (*rating.AuthIndex, error) {
	rules := map[uint64]*rating.AuthRule{}
	err := tx.CustomersAuths.Each(0, func(a *CustomersAuth) (bool, error) {
		if a.Enabled {
			rules[a.ID] = a.rule()
		}
		return true, nil
	})
	return (*rating.AuthIndex)(nil).With(rules), err
}
