package kazoo

import (
	"slices"

	"billd/rating"
	"billd/storage"
)

// legacyRoutes are the paths by which 4.2 spoke of services (contract 4.20).
func legacyRoutes() []route {
	const at = "accounts/:account/service_plans"
	return []route{
		{at, get, endpoint{who: user, run: listAssigned, csv: true}},
		{at, post, endpoint{who: reseller, run: changeServices}},
		{at + "/current", get, endpoint{who: user, run: currentServices}},
		{at + "/available", get, endpoint{who: user, run: availablePlans}},
		{at + "/available/:plan", get, endpoint{who: user, run: readAvailable}},
		{at + "/editable", get, endpoint{who: user, run: editable}},
		{at + "/override", post, endpoint{who: master, run: overridePlans}},
		{at + "/reconciliation", post, endpoint{who: reseller, run: reconcile}},
		{at + "/synchronization", post, endpoint{who: reseller, run: synchronize}},
		{at + "/:plan", get, endpoint{who: user, run: readAssigned}},
		{at + "/:plan", post, endpoint{who: reseller, run: assignPlan}},
		{at + "/:plan", remove, endpoint{who: reseller, run: unassignPlan}},
		{"service_plans/editable", get, endpoint{who: user, run: editable}},
	}
}

// listAssigned lists the plans that the account is on.
func listAssigned(x *exchange) (*answer, error) {
	var rows []listed
	err := x.view(func(tx *storage.Tx) error {
		s, err := tx.ServicesOf(x.account.ID)
		if err != nil {
			return err
		}
		for _, a := range s.Plans {
			p, err := tx.ServicePlanByUUID(a.Plan)
			if err != nil {
				return err
			}
			rows = append(rows, listed{place: planKey(p), row: newPlanRow(p), whole: func() document { return planView(p) }, created: p.CreatedAt, changed: p.ChangedAt})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if !x.wantsCSV() {
		return x.list(rows)
	}
	t := newSheet("id", "name", "description", "category")
	for _, r := range rows {
		p := r.row.(planRow)
		t.row(p.ID, p.Name, p.Description, p.Category)
	}
	return t.answer("service_plans"), nil
}

func currentServices(x *exchange) (*answer, error) {
	var doc document
	err := x.view(func(tx *storage.Tx) (err error) {
		doc, err = x.legacyServices(tx)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &answer{data: doc, revision: stored}, nil
}

// soldPlan finds the plan of the path among those that the account's reseller sells, or, with
// assigned, among those that the account is on.
func (x *exchange) soldPlan(tx *storage.Tx, assigned bool) (*storage.ServicePlan, error) {
	b, err := openBooks(tx, x.account)
	if err != nil {
		return nil, err
	}
	u, _ := hexID(x.params["plan"])
	if assigned && b.Assigned(u) {
		return tx.ServicePlanByUUID(u)
	}
	if assigned {
		return nil, unknownID(clip(x.params["plan"]))
	}
	return findPlan(tx, b.Seller.ID, x.params["plan"])
}

func (x *exchange) answerPlan(assigned bool) (*answer, error) {
	var p *storage.ServicePlan
	err := x.view(func(tx *storage.Tx) (err error) {
		p, err = x.soldPlan(tx, assigned)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &answer{data: planView(p), revision: stored}, nil
}

func readAvailable(x *exchange) (*answer, error) { return x.answerPlan(false) }

func readAssigned(x *exchange) (*answer, error) { return x.answerPlan(true) }

// overridePlans sets what plans that the account is on cost it: overrides {plan: {category: {item: …}}},
// laid over what was overridden before. It answers with the prices that apply then.
func overridePlans(x *exchange) (*answer, error) {
	data, err := x.object()
	if err != nil {
		return nil, err
	}
	f := newForm(data)
	f.need("overrides")
	overrides := f.sub("overrides")
	for id := range overrides.doc {
		overrides.object(id)
	}
	if err := f.err(); err != nil {
		return nil, err
	}
	b, err := x.commitTarget(func(_ *storage.Tx, b *books) error {
		plans := slices.Clone(b.Services.Plans)
		for id, v := range overrides.doc {
			u, _ := hexID(id)
			i := slices.IndexFunc(plans, func(p storage.AssignedPlan) bool { return p.Plan == u })
			if i < 0 || u == (rating.UUID{}) {
				return unknownID(clip(id))
			}
			over := document{"plan": v}
			if sent, _ := v.(document); sent["plan"] != nil {
				over = sent // the form of 4.3
			}
			raw, err := storeDocument(merge(readDocument(plans[i].Overrides), over))
			if err != nil {
				return err
			}
			plans[i].Overrides = raw
		}
		b.Services.Plans = plans
		return nil
	})
	if err != nil {
		return nil, err
	}
	invoices, err := b.Invoices()
	if err != nil {
		return nil, err
	}
	prices := document{}
	for _, v := range invoices {
		prices = merge(prices, v.Plan)
	}
	return &answer{data: prices}, nil
}
