package kazoo

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"billd/rating/plan"
	"billd/storage"
)

func jsonInt(n int64) json.Number { return json.Number(strconv.FormatInt(n, 10)) }

// summary is what an account has and pays.
type summary struct {
	Plans        map[string]assignedPlan `json:"plans"`
	Overrides    document                `json:"overrides"`
	Invoices     []*plan.Invoice         `json:"invoices"`
	Quantities   quantityView            `json:"quantities"`
	Reseller     resellerView            `json:"reseller"`
	Ratedeck     document                `json:"ratedeck"`
	Applications any                     `json:"applications"`
	Limits       document                `json:"limits"`
	IM           any                     `json:"im"`
	Tokens       document                `json:"payment_tokens"`
	Cycle        cycle                   `json:"billing_cycle"`
	Status       document                `json:"status"`
	BillingID    string                  `json:"billing_id"`
}

type quantityView struct {
	Account storage.Quantities `json:"account"`
	Cascade storage.Quantities `json:"cascade"`
	Manual  storage.Quantities `json:"manual"`
}

type resellerView struct {
	ID       string `json:"id"`
	Reseller bool   `json:"is_reseller"`
}

type cycle struct {
	Next   int64  `json:"next"`
	Period int    `json:"period"`
	Unit   string `json:"unit"`
}

// newSummary shows books with the invoices given.
func (x *exchange) newSummary(tx *storage.Tx, b *books, invoices []*plan.Invoice) (*summary, error) {
	all, err := plan.Combined(b.Plans, b.Overrides())
	if err != nil {
		return nil, err
	}
	deckID, deckName, err := b.RatedeckOf()
	if err != nil {
		return nil, err
	}
	limits, err := limitsOf(tx, b.Account.ID)
	if err != nil {
		return nil, err
	}
	billing, err := b.billing(tx)
	if err != nil {
		return nil, err
	}
	status, err := b.status(tx)
	if err != nil {
		return nil, err
	}
	month := time.Date(x.now.Year(), x.now.Month()+1, 1, 0, 0, 0, 0, time.UTC)
	s := &summary{Plans: assigned(b.Services), Overrides: b.Overrides(), Invoices: invoices,
		Quantities: quantityView{orEmpty(b.Services.Counted), orEmpty(b.Services.Cascade), orEmpty(b.Services.Manual)},
		Reseller:   resellerView{b.Seller.UUID.Hex(), b.Account.Reseller}, Ratedeck: document{},
		Applications: orObject(all["applications"]), IM: orObject(all["im"]), Limits: document{}, Tokens: document{},
		Cycle: cycle{seconds(month), 1, "month"}, Status: status, BillingID: billing.UUID.Hex()}
	if s.Invoices == nil {
		s.Invoices = []*plan.Invoice{}
	}
	if deckID != "" {
		s.Ratedeck = document{"id": deckID, "name": deckName}
	}
	for _, key := range []string{"allow_prepay", "inbound_trunks", "outbound_trunks", "twoway_trunks"} {
		s.Limits[key] = limits[key]
	}
	return s, nil
}

func orObject(v any) any {
	if v == nil {
		return document{}
	}
	return v
}

// answerSummary is a summary as JSON, or its invoice items as CSV.
func (x *exchange) answerSummary(s *summary) (*answer, error) {
	if !x.wantsCSV() {
		return &answer{data: s}, nil
	}
	t := newSheet("bookkeeper", "category", "item", "name", "quantity", "billable", "rate", "total")
	for _, v := range s.Invoices {
		for _, it := range v.Items {
			t.row(v.Bookkeeper.ID, it.Category, it.Name, it.Display, strconv.FormatInt(it.Quantity, 10), strconv.FormatInt(it.Billable, 10), it.Rate.Number(), it.Total.Number())
		}
	}
	return t.answer("services"), nil
}

func summarize(x *exchange) (*answer, error) {
	var s *summary
	err := x.view(func(tx *storage.Tx) error {
		b, err := openBooks(tx, x.account)
		if err != nil {
			return err
		}
		invoices, err := b.Invoices()
		if err != nil {
			return err
		}
		s, err = x.newSummary(tx, b, invoices)
		return err
	})
	if err != nil {
		return nil, err
	}
	return x.answerSummary(s)
}

// quote prices what the account has on other plans than its own, and what changing to them would
// cost. Plans that do not exist are passed over.
func quote(x *exchange) (*answer, error) {
	data, err := x.object()
	if err != nil {
		return nil, err
	}
	changes, err := readPlanChanges(data)
	if err != nil {
		return nil, err
	}
	f := newForm(data)
	overrides := f.object("overrides")
	if err := f.err(); err != nil {
		return nil, err
	}
	gone := map[string]bool{}
	elements, _ := data["delete"].([]any)
	for _, v := range elements {
		id, _ := plain(v)
		gone[id] = true
	}
	var s *summary
	err = x.view(func(tx *storage.Tx) error {
		b, err := openBooks(tx, x.account)
		if err != nil {
			return err
		}
		now, err := b.Invoices()
		if err != nil {
			return err
		}
		b.Services.Plans, b.Services.Overrides = nil, nil
		for _, c := range changes {
			if gone[c.id] {
				continue
			}
			if err := b.put(tx, c, false); err != nil && !isUnknown(err) {
				return err
			}
		}
		if err := b.setOverrides(overrides, false); err != nil {
			return err
		}
		if err := b.LoadPlans(tx); err != nil {
			return err
		}
		next, err := b.Invoices()
		if err != nil {
			return err
		}
		if next, err = plan.Compare(now, next); err != nil {
			return err
		}
		s, err = x.newSummary(tx, b, next)
		return err
	})
	if err != nil {
		return nil, err
	}
	return x.answerSummary(s)
}

func isUnknown(err error) bool {
	f, ok := err.(*failure)
	return ok && f.status == http.StatusNotFound
}

// quoteNobody prices plans of the master for an account that has nothing.
func quoteNobody(x *exchange) (*answer, error) {
	x.account, x.above = x.me, nil
	return quote(x)
}
