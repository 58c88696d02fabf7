package kazoo

import (
	"maps"
	"slices"

	"billd/storage"
)

// share is what an object adds to its account: units to be counted, and plans that it brings.
type share struct {
	units storage.Quantities
	plans []storage.AssignedPlan
}

// countObject returns what an object adds to its account; nothing when it is off (contract 6.1).
func countObject(kind string, doc document) share {
	s := share{units: storage.Quantities{}}
	if doc["enabled"] == false {
		return s
	}
	q := s.units
	switch kind {
	case limitsNoun:
		for _, trunk := range []string{"twoway_trunks", "inbound_trunks", "outbound_trunks"} {
			if n := newForm(doc).integer(trunk, 0, maxManual, 0); n > 0 {
				add(q, "limits", trunk, n)
			}
		}
	case numbersNoun:
		countNumber(doc, q)
	case whitelabelNoun:
		add(q, "branding", "whitelabel", 1)
	case ipsNoun:
		if doc[assignedKey] == true {
			add(q, "ips", "dedicated", 1)
		}
	}
	if i := slices.IndexFunc(nouns, func(n noun) bool { return n.name == kind }); i >= 0 {
		nouns[i].count(doc, q)
	}
	countBilling(doc, q)
	s.plans = objectPlans(doc)
	return s
}

// countBilling counts what any document says under billing.
func countBilling(doc document, q storage.Quantities) {
	billing, _ := doc["billing"].(document)
	for name := range billing {
		if n := newForm(billing).integer(name, 0, maxManual, 0); n > 0 {
			add(q, "billing", name, n)
		}
	}
}

// objectPlans returns the plans that a document brings under service.plans (contract 5.3).
func objectPlans(doc document) (plans []storage.AssignedPlan) {
	service, _ := doc["service"].(document)
	named, _ := service["plans"].(document)
	for _, id := range slices.Sorted(maps.Keys(named)) {
		u, ok := hexID(id)
		if !ok {
			continue
		}
		p := storage.AssignedPlan{Plan: u}
		says, _ := named[id].(document)
		if over, _ := says["overrides"].(document); len(over) > 0 {
			if raw, err := storeDocument(over); err == nil {
				p.Overrides = raw
			}
		}
		plans = append(plans, p)
	}
	return plans
}
