package kazoo

import (
	"slices"

	"billd/rating"
	"billd/storage"
)

func serviceRoutes() []route {
	const at = "accounts/:account/services"
	return []route{
		{at, get, endpoint{who: user, run: readServices, csv: true}},
		{at, post, endpoint{who: reseller, run: changeServices}},
		{at + "/status", get, endpoint{who: user, run: readStatus}},
		{at + "/status", post, endpoint{who: master, run: changeStatus}},
		{at + "/audit", get, endpoint{who: user, run: listAudits, csv: true}},
		{at + "/audit/:audit", get, endpoint{who: user, run: readAudit}},
		{at + "/audit/summary", get, endpoint{who: user, run: summarizeAudits, csv: true}},
		{at + "/audit/summary/:source", get, endpoint{who: user, run: summarizeAuditsOf, csv: true}},
		{at + "/audit_summary", get, endpoint{who: user, run: summarizeAudits, csv: true}},
		{at + "/audit_summary/:source", get, endpoint{who: user, run: summarizeAuditsOf, csv: true}},
		{at + "/manual", get, endpoint{who: reseller, run: readManual}},
		{at + "/manual", post, endpoint{who: reseller, run: changeManual}},
		{at + "/manual", patch, endpoint{who: reseller, run: changeManual}},
		{at + "/overrides", get, endpoint{who: user, run: readOverrides}},
		{at + "/overrides", post, endpoint{who: reseller, run: changeOverrides}},
		{at + "/overrides", patch, endpoint{who: reseller, run: changeOverrides}},
		{at + "/quote", post, endpoint{who: user, run: quote, csv: true}},
		{at + "/reconciliation", post, endpoint{who: reseller, run: reconcile}},
		{at + "/synchronization", post, endpoint{who: reseller, run: synchronize}},
		{at + "/topup", post, endpoint{who: user, run: topUp}},
		{at + "/summary", get, endpoint{who: user, run: summarize, csv: true}},
		{at + "/available", get, endpoint{who: user, run: availablePlans}},
		{at + "/editable", get, endpoint{who: user, run: editable}},
		{at + "/:plan", post, endpoint{who: reseller, run: assignPlan}},
		{at + "/:plan", remove, endpoint{who: reseller, run: unassignPlan}},
		{"services/editable", get, endpoint{who: user, run: editable}},
		{"services/quote", post, endpoint{who: master, run: quoteNobody}},
	}
}

func readServices(x *exchange) (*answer, error) {
	var s *storage.Services
	err := x.view(func(tx *storage.Tx) (err error) {
		s, err = tx.ServicesOf(x.account.ID)
		return err
	})
	if err != nil {
		return nil, err
	}
	if x.wantsCSV() {
		t := newSheet("id", "vendor_id")
		for _, p := range s.Plans {
			t.row(p.Plan.Hex(), p.Vendor)
		}
		return t.answer("services"), nil
	}
	return &answer{data: assigned(s), revision: stored}, nil
}

// commitServices runs a change of the target's services and answers with the plans it is on then.
func (x *exchange) commitServices(change func(*storage.Tx, *books) error) (*answer, error) {
	b, err := x.commitTarget(change)
	if err != nil {
		return nil, err
	}
	return &answer{data: assigned(b.Services), revision: stored}, nil
}

func (x *exchange) commitTarget(change func(*storage.Tx, *books) error) (b *books, err error) {
	err = x.update(func(tx *storage.Tx) error {
		a, err := tx.OpenAccount(x.account.ID)
		if err != nil {
			return err
		}
		b, err = x.commit(tx, a, func(b *books) error { return change(tx, b) })
		return err
	})
	return b, err
}

// maxPlans is how many plans an account may be on.
const maxPlans = 100

// planChange is one plan to be put on an account.
type planChange struct {
	id     string
	vendor string
	// overrides and contract are nil when they were not sent.
	overrides, contract document
}

// readPlanChange reads an element of add or plans: an id, or an object with one.
func readPlanChange(v any) (planChange, bool) {
	if id, ok := v.(string); ok {
		return planChange{id: id}, true
	}
	doc, ok := v.(document)
	if !ok {
		return planChange{}, false
	}
	id, ok := doc["id"].(string)
	c := planChange{id: id}
	c.vendor, _ = doc["vendor_id"].(string)
	c.overrides, _ = doc["overrides"].(document)
	c.contract, _ = doc["contract"].(document)
	return c, ok
}

// readPlanChanges reads add (or its alias plans).
func readPlanChanges(data document) ([]planChange, error) {
	var out []planChange
	for _, name := range []string{"add", "plans"} {
		elements, ok := data[name].([]any)
		if data[name] != nil && !ok {
			return nil, invalid(name, "type", "Value did not match type array", "target", "array")
		}
		for _, v := range elements {
			c, ok := readPlanChange(v)
			if !ok {
				return nil, invalid(name, "invalid", "A plan is an id or an object with one")
			}
			out = append(out, c)
		}
	}
	return out, nil
}

// findPlan finds a plan that a vendor sells.
func findPlan(tx *storage.Tx, vendor rating.AccountID, id string) (*storage.ServicePlan, error) {
	u, ok := hexID(id)
	if !ok {
		return nil, unknownID(clip(id))
	}
	p, err := tx.ServicePlanByUUID(u)
	if err != nil && rating.KindOf(err) != rating.NotFound {
		return nil, err
	}
	if err != nil || p.Vendor != vendor || !p.DeletedAt.IsZero() {
		return nil, unknownID(id)
	}
	return p, nil
}

// put puts a plan on the account. Overrides that are not sent stay what they are.
func (b *books) put(tx *storage.Tx, c planChange, merged bool) error {
	p, err := findPlan(tx, b.Seller.ID, c.id)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(b.Services.Plans, func(a storage.AssignedPlan) bool { return a.Plan == p.UUID })
	plans := slices.Clone(b.Services.Plans)
	if i < 0 {
		if len(plans) == maxPlans {
			return invalid("plans", "maximum", "too many plans", "target", maxPlans)
		}
		plans = append(plans, storage.AssignedPlan{Plan: p.UUID, Vendor: b.Seller.UUID.Hex()})
		i = len(plans) - 1
	}
	if c.vendor != "" {
		plans[i].Vendor = b.Seller.UUID.Hex() // findPlan asked the reseller's plans: nobody else's can be named
	}
	if c.overrides != nil {
		over := public(c.overrides)
		if merged {
			over = merge(readDocument(plans[i].Overrides), c.overrides)
		}
		if err := checkPrices(over); err != nil {
			return err
		}
		if plans[i].Overrides, err = storeDocument(over); err != nil {
			return err
		}
	}
	if c.contract != nil {
		if plans[i].Contract, err = storeDocument(c.contract); err != nil {
			return err
		}
	}
	b.Services.Plans = plans
	return nil
}

// drop takes a plan off the account; one that is not on it is no matter.
func (b *books) drop(id string) {
	u, ok := hexID(id)
	if !ok {
		return
	}
	b.Services.Plans = slices.DeleteFunc(slices.Clone(b.Services.Plans), func(p storage.AssignedPlan) bool { return p.Plan == u })
}

// setOverrides replaces the account-wide overrides, or merges into them.
func (b *books) setOverrides(data document, merged bool) error {
	if merged {
		data = merge(b.Overrides(), data)
	}
	if err := checkPrices(data); err != nil {
		return err
	}
	raw, err := storeDocument(public(data))
	b.Services.Overrides = raw
	return err
}

// changeServices changes the plans in bulk, or with billing_id, as 4.2 had it, whose standing counts.
func changeServices(x *exchange) (*answer, error) {
	data, err := x.object()
	if err != nil {
		return nil, err
	}
	if data["billing_id"] != nil {
		return x.changeBilling(data)
	}
	add, err := readPlanChanges(data)
	if err != nil {
		return nil, err
	}
	f := newForm(data)
	overrides := f.object("overrides")
	gone, isList := data["delete"].([]any)
	if data["delete"] != nil && !isList {
		f.wrongType("delete", "array")
	}
	if err := f.err(); err != nil {
		return nil, err
	}
	merged := x.rootFlag("merge")
	return x.commitServices(func(tx *storage.Tx, b *books) error {
		for _, v := range gone {
			id, _ := plain(v)
			b.drop(id)
		}
		for _, c := range add {
			if err := b.put(tx, c, merged); err != nil {
				return err
			}
		}
		if overrides == nil {
			return nil
		}
		return b.setOverrides(overrides, merged)
	})
}

func assignPlan(x *exchange) (*answer, error) {
	data, err := x.object()
	if err != nil {
		return nil, err
	}
	doc := public(data)
	doc["id"] = x.params["plan"]
	f := newForm(doc)
	f.object("overrides")
	f.object("contract")
	if err := f.err(); err != nil {
		return nil, err
	}
	c, _ := readPlanChange(doc)
	return x.commitServices(func(tx *storage.Tx, b *books) error { return b.put(tx, c, x.rootFlag("merge")) })
}

func unassignPlan(x *exchange) (*answer, error) {
	return x.commitServices(func(tx *storage.Tx, b *books) error {
		id := x.params["plan"]
		u, ok := hexID(id)
		if !ok {
			return unknownID(clip(id))
		}
		on := slices.ContainsFunc(b.Services.Plans, func(p storage.AssignedPlan) bool { return p.Plan == u })
		if _, err := findPlan(tx, b.Seller.ID, id); err != nil && !on {
			return err
		}
		b.drop(id)
		return nil
	})
}
