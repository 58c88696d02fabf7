package kazoo

import (
	"encoding/json"
	"errors"
	"strings"

	"billd/rating"
	"billd/rating/plan"
	"billd/storage"
)

func plannerRoutes() []route {
	const at = "accounts/:account/service_planner"
	return []route{
		{at, get, endpoint{who: user, run: vendors(listPlans)}},
		{at, put, endpoint{who: user, run: vendors(createPlan)}},
		{at + "/:plan", get, endpoint{who: user, run: vendors(readPlan)}},
		{at + "/:plan", post, endpoint{who: user, run: vendors(changePlan)}},
		{at + "/:plan", patch, endpoint{who: user, run: vendors(changePlan)}},
		{at + "/:plan", remove, endpoint{who: user, run: vendors(deletePlan)}},
	}
}

// vendors lets through whom the plans belong to — a reseller with its own token — and the master.
func vendors(run func(*exchange) (*answer, error)) func(*exchange) (*answer, error) {
	return func(x *exchange) (*answer, error) {
		if !x.master() && (x.me.ID != x.account.ID || !x.me.Reseller) {
			return nil, forbidden()
		}
		return run(x)
	}
}

// planRow is a service plan in a listing.
type planRow struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
	Category    string `json:"category,omitempty"`
}

func newPlanRow(p *storage.ServicePlan) planRow {
	doc := readDocument(p.Doc)
	r := planRow{ID: p.UUID.Hex(), Name: p.Name}
	r.Description, _ = doc["description"].(string)
	r.Category, _ = doc["category"].(string)
	return r
}

// planView is a service plan whole.
func planView(p *storage.ServicePlan) document {
	doc := public(readDocument(p.Doc))
	doc["id"] = p.UUID.Hex()
	return doc
}

// readPlanForm takes what a client wrote of a plan into p.
func readPlanForm(p *storage.ServicePlan, doc document) error {
	f := newForm(doc)
	f.need("name")
	f.need("plan")
	p.Name = f.text("name", 1, 128)
	f.text("description", 0, 1024)
	f.text("category", 0, 128)
	f.object("plan")
	if err := f.err(); err != nil {
		return err
	}
	if err := checkPrices(doc); err != nil {
		return err
	}
	raw, err := storeDocument(public(doc, "id"))
	p.Doc = raw
	return err
}

// checkPrices refuses a plan, or what overrides one, that cannot be priced.
func checkPrices(doc document) error {
	err := plan.Check(doc)
	var e *rating.Error
	if !errors.As(err, &e) || e.Kind != rating.Invalid {
		return err
	}
	details := targetOf(e)
	if v := within(doc, e.Field); v != nil {
		details = append(details, "value", v)
	}
	f := invalid(e.Field, ruleCode(e), e.Msg, details...)
	f.message = "validation failed"
	return f
}

func planKey(p *storage.ServicePlan) string { return strings.ToLower(p.Name) + "\x00" + p.UUID.Hex() }

// pagePlans answers with a page of plans, in rows or whole.
func pagePlans(x *exchange, vendor rating.AccountID) (*answer, error) {
	var rows []listed
	err := x.view(func(tx *storage.Tx) error {
		plans, err := tx.ServicePlansOf(vendor)
		for _, p := range plans {
			r := listed{place: planKey(p), row: newPlanRow(p), whole: func() document { return planView(p) }, created: p.CreatedAt, changed: p.ChangedAt}
			if x.flag("details") {
				r.row = planView(p)
			}
			rows = append(rows, r)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return x.list(rows)
}

func listPlans(x *exchange) (*answer, error) { return pagePlans(x, x.account.ID) }

// availablePlans lists what the account's reseller sells.
func availablePlans(x *exchange) (*answer, error) {
	return pagePlans(x, storage.Seller(x.account, x.above).ID)
}

func createPlan(x *exchange) (*answer, error) {
	data, err := x.object()
	if err != nil {
		return nil, err
	}
	p := &storage.ServicePlan{UUID: rating.NewUUID(x.now), Vendor: x.account.ID, CreatedAt: x.now}
	if err := readPlanForm(p, data); err != nil {
		return nil, err
	}
	err = x.update(func(tx *storage.Tx) error {
		made := *p
		return tx.ServicePlans.Put(&made)
	})
	if err != nil {
		return nil, err
	}
	return &answer{data: planView(p), revision: stored}, nil
}

// ownPlan finds a plan of the target account.
func ownPlan(tx *storage.Tx, x *exchange) (*storage.ServicePlan, error) {
	return findPlan(tx, x.account.ID, x.params["plan"])
}

func readPlan(x *exchange) (*answer, error) {
	var p *storage.ServicePlan
	err := x.view(func(tx *storage.Tx) (err error) {
		p, err = ownPlan(tx, x)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &answer{data: planView(p), revision: stored}, nil
}

func changePlan(x *exchange) (*answer, error) {
	data, err := x.object()
	if err != nil {
		return nil, err
	}
	// what is due is charged by the list that was in force; a list that cannot charge may be mended
	if _, err := x.api.db.ChargePlans(x.context()); err != nil {
		x.api.log.Error("service plans could not be charged before one changed", "err", err)
	}
	var p *storage.ServicePlan
	err = x.update(func(tx *storage.Tx) error {
		if p, err = ownPlan(tx, x); err != nil {
			return err
		}
		doc := data
		if x.method == patch {
			doc = merge(readDocument(p.Doc), data)
		}
		if err := readPlanForm(p, doc); err != nil {
			return err
		}
		p.ChangedAt = tx.Now()
		return tx.ServicePlans.Put(p)
	})
	if err != nil {
		return nil, err
	}
	return &answer{data: planView(p), revision: stored}, nil
}

// deletePlan takes a plan out of what is sold; those who are on it stay on it.
func deletePlan(x *exchange) (*answer, error) {
	var p *storage.ServicePlan
	err := x.update(func(tx *storage.Tx) (err error) {
		if p, err = ownPlan(tx, x); err != nil {
			return err
		}
		p.DeletedAt = tx.Now()
		return tx.ServicePlans.Put(p)
	})
	if err != nil {
		return nil, err
	}
	doc := planView(p)
	doc["_read_only"] = document{"deleted": true}
	return &answer{data: doc, revision: stored}, nil
}

// editableItems are the categories and items that overrides may name, by Kazoo's own list.
var editableItems = map[string][]string{
	"users":           {"user", "admin"},
	"devices":         {"sip_device", "ata", "cellphone", "fax", "landline", "mobile", "sip_uri", "smartphone", "softphone", "ctu", "application"},
	"limits":          {"twoway_trunks", "inbound_trunks", "outbound_trunks"},
	"branding":        {"whitelabel"},
	"ips":             {"dedicated"},
	"phone_numbers":   {"tollfree_us", "toll_us", "emergency", "caribbean", "did_us", "international", "unknown"},
	"number_carriers": {"knm_local", "knm_inventory"},
	"number_services": {"cnam", "e911", "port", "sms", "mms"},
	"port_request":    {},
	"voicemails":      {"mailbox", "transcription"},
	"faxes":           {"mailbox"},
	"conferences":     {"conference"},
	"billing":         {},
}

// itemSchema describes the fields of a plan's item.
var itemSchema = json.RawMessage(`{"name":{"type":"string"},"rate":{"type":"number"},"rates":{"type":"object"},"flat_rate":{"type":"number"},` +
	`"flat_rates":{"type":"object"},"minimum":{"type":"integer","minimum":0},"maximum":{"type":"integer","minimum":0},"step":{"type":"integer","minimum":1},` +
	`"activation_charge":{"type":"number"},"discounts":{"type":"object"},"exceptions":{"type":"array","items":{"type":"string"}},` +
	`"cascade":{"type":"boolean"},"prorate":{"type":"object"},"markup_type":{"type":"string"},"taxes":{"type":"array"}}`)

// editable shows what an item of each category may say; a whole category may be published under
// another name.
func editable(*exchange) (*answer, error) {
	all := readDocument(itemSchema)
	all["as"] = document{"type": "string"}
	data := document{}
	for category, items := range editableItems {
		sub := document{plan.All: all}
		for _, item := range items {
			sub[item] = itemSchema
		}
		data[category] = sub
	}
	return &answer{data: data}, nil
}
