package kazoo

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"

	"billd/rating"
	"billd/rating/plan"
	"billd/storage"
)

// commit changes what an account is billed for: it runs change on the services, counts the account's
// objects anew, records what the invoices gain and lose, and carries what was counted up to every
// account above. A nil change counts everything anew, descendants too.
//
// Source: contract 7.1.
func (x *exchange) commit(tx *storage.Tx, a *rating.Account, change func(*books) error) (*books, error) {
	b, err := openBooks(tx, a)
	if err != nil {
		return nil, err
	}
	now, err := b.invoices()
	if err != nil {
		return nil, err
	}
	was := *b.services
	if change != nil {
		if err := change(b); err != nil {
			return nil, err
		}
	}
	has, err := recount(tx, a.ID)
	if err != nil {
		return nil, err
	}
	b.services.Counted, b.services.Objects = has.units, has.plans
	if err := b.loadPlans(tx); err != nil {
		return nil, err
	}
	if change == nil {
		if b.services.Cascade, err = below(tx, a.ID); err != nil {
			return nil, err
		}
	}
	if err := x.settle(tx, b, now, &was, a); err != nil {
		return nil, err
	}
	delta := addQuantities(b.services.Counted, was.Counted, -1)
	return b, x.carry(tx, b.above, a, delta)
}

// carry adds what changed in an account to the cascade of those above it; resellers among them
// account for it, the master does not.
func (x *exchange) carry(tx *storage.Tx, above []*rating.Account, from *rating.Account, delta storage.Quantities) error {
	if len(delta) == 0 {
		return nil
	}
	for _, p := range above {
		b, err := openBooks(tx, p)
		if err != nil {
			return err
		}
		now, err := b.invoices()
		if err != nil {
			return err
		}
		was := *b.services
		b.services.Cascade = addQuantities(b.services.Cascade, delta, 1)
		if !p.Reseller {
			if err := tx.Services.Put(b.services); err != nil {
				return err
			}
			continue
		}
		if err := x.settle(tx, b, now, &was, from); err != nil {
			return err
		}
	}
	return nil
}

// settle compares the invoices with those of before, writes an audit for each that changed, and
// stores the services.
func (x *exchange) settle(tx *storage.Tx, b *books, now []*plan.Invoice, was *storage.Services, from *rating.Account) error {
	next, err := b.invoices()
	if err != nil {
		return err
	}
	if next, err = plan.Compare(now, next); err != nil {
		return err
	}
	if b.account.ID != rating.MasterAccount {
		types := moved(was, b.services)
		for _, v := range next {
			if v.Changed() {
				if err := x.audit(tx, b.account, v, types, from); err != nil {
					return err
				}
			}
		}
	}
	if reflect.DeepEqual(was, b.services) {
		return nil
	}
	return tx.Services.Put(b.services)
}

// moved names the quantities that differ.
func moved(was, is *storage.Services) []string {
	var types []string
	for _, m := range []struct {
		name    string
		old, by storage.Quantities
	}{{"manual", was.Manual, is.Manual}, {"account", was.Counted, is.Counted}, {"cascade", was.Cascade, is.Cascade}} {
		if !sameQuantities(m.old, m.by) {
			types = append(types, m.name)
		}
	}
	return types
}

func sameQuantities(a, b storage.Quantities) bool {
	return maps.EqualFunc(a, b, func(x, y map[string]int64) bool { return maps.Equal(x, y) })
}

// below adds up what the open descendants of an account have counted.
func below(tx *storage.Tx, id rating.AccountID) (storage.Quantities, error) {
	sum := storage.Quantities{}
	err := tx.Descendants(id, func(a *rating.Account) (bool, error) {
		s, err := tx.ServicesOf(a.ID)
		if err != nil {
			return false, err
		}
		sum = addQuantities(sum, s.Counted, 1)
		return true, nil
	})
	return sum, err
}

// recount counts the objects that an account has now, and finds the plans that they bring
// (contract 6.1, 5.3).
func recount(tx *storage.Tx, id rating.AccountID) (sum share, err error) {
	sum.units = storage.Quantities{}
	take := func(s share) {
		sum.units = addQuantities(sum.units, s.units, 1)
		for _, p := range s.plans {
			if !slices.ContainsFunc(sum.plans, func(o storage.AssignedPlan) bool { return o.Plan == p.Plan }) {
				sum.plans = append(sum.plans, p)
			}
		}
	}
	err = tx.ObjectsOf(id, "", func(o *storage.Object) (bool, error) {
		take(countObject(o.Type, readDocument(o.Doc)))
		return true, nil
	})
	if err != nil {
		return sum, err
	}
	err = tx.UsersOf(id, func(u *storage.User) (bool, error) {
		take(countUser(u))
		return true, nil
	})
	return sum, err
}

// auditDoc is the part of an audit that says who did what.
type auditDoc struct {
	Crossbar       bool      `json:"crossbar_request"`
	Authentication *authNote `json:"authentication,omitempty"`
	Agent          *agent    `json:"agent,omitempty"`
	Request        *request  `json:"request,omitempty"`
	Account        document  `json:"account"`
	Changes        document  `json:"changes"`
}

type authNote struct {
	Type        string `json:"type"`
	AccountID   string `json:"account_id"`
	AccountName string `json:"account_name"`
}

type agent struct {
	Type      string `json:"type"`
	TypeID    string `json:"type_id"`
	AccountID string `json:"account_id"`
	FirstName string `json:"first_name,omitempty"`
	LastName  string `json:"last_name,omitempty"`
	FullName  string `json:"full_name,omitempty"`
}

type request struct {
	ID       string `json:"id"`
	ClientIP string `json:"client_ip"`
	Method   string `json:"method"`
	Path     string `json:"path"`
}

// auditID spells an audit's id: the month, then its number in 32 hex digits.
func auditID(at time.Time, n uint64) string {
	return fmt.Sprintf("%s-%032x", at.UTC().Format("200601"), n)
}

// maxAuditedPath bounds the path that an audit repeats.
const maxAuditedPath = 512

// audit records one invoice's changes. types is nil when no quantity moved; without changes of its
// lines it records that the invoice was pushed.
func (x *exchange) audit(tx *storage.Tx, a *rating.Account, v *plan.Invoice, types []string, from *rating.Account) error {
	changes := document{"account_id": from.UUID.Hex(), "account_name": from.Name}
	if len(types) > 0 {
		changes["type"] = types
	}
	path := x.path
	if len(path) > maxAuditedPath {
		path = path[:maxAuditedPath]
	}
	doc := auditDoc{Crossbar: true, Authentication: &authNote{x.carrier, x.me.UUID.Hex(), x.me.Name},
		Request: &request{x.requestID, x.client, x.method, path},
		Account: document{"id": a.UUID.Hex(), "name": a.Name}, Changes: changes}
	if owner := x.claims.Kazoo.OwnerID; owner != "" {
		doc.Agent = &agent{Type: "user", TypeID: owner, AccountID: x.me.UUID.Hex()}
		if id, ok := hexID(owner); ok {
			if u, err := tx.UserByUUID(id); err == nil {
				doc.Agent.FirstName, doc.Agent.LastName, doc.Agent.FullName = u.FirstName, u.LastName, fullName(u)
			}
		}
	}
	sum, err := v.Summary()
	if err != nil {
		return err
	}
	row := &storage.ServiceAudit{Account: a.ID, At: x.now, Status: "completed", Types: types}
	if row.Summary, err = encodeJSON(sum); err != nil {
		return err
	}
	for _, it := range v.Items {
		if it.Changes != nil && it.Changes.Billable != 0 {
			row.Days = append(row.Days, storage.ServiceDay{Name: it.Name, Difference: it.Changes.Billable, Billable: it.Billable})
		}
	}
	row.Doc, err = encodeJSON(struct {
		Audit      auditDoc      `json:"audit"`
		Invoice    *plan.Invoice `json:"invoice"`
		Bookkeeper document      `json:"bookkeeper"`
	}{doc, v, document{"id": v.Bookkeeper.ID, "type": v.Bookkeeper.Type, "vendor_id": v.Bookkeeper.Vendor, "results": []any{}}})
	if err != nil {
		return err
	}
	return tx.ServiceAudits.Put(row)
}

func fullName(u *storage.User) string {
	if u.FirstName == "" || u.LastName == "" {
		return u.FirstName + u.LastName
	}
	return u.FirstName + " " + u.LastName
}

// auditRow is an audit in a listing.
type auditRow struct {
	ID      string          `json:"id"`
	Status  string          `json:"status"`
	Type    []string        `json:"type,omitempty"`
	Summary json.RawMessage `json:"summary"`
}
