package yeti

import (
	"encoding/json"
	"strings"

	"billd/rating"
	"billd/server/jsonapi"
)

// rateCheck asks which rates a number would be charged by.
type rateCheck struct {
	id           string
	plan, number *string
	rates        []foundRate
	asked        bool
}

// foundRate is one answer, with names that have underscores, unlike the rest of the API.
type foundRate struct {
	Prefix          string   `json:"prefix"`
	InitialRate     string   `json:"initial_rate"`
	InitialInterval uint32   `json:"initial_interval"`
	NextRate        string   `json:"next_rate"`
	NextInterval    uint32   `json:"next_interval"`
	ConnectFee      string   `json:"connect_fee"`
	RejectCalls     bool     `json:"reject_calls"`
	ValidFrom       string   `json:"valid_from"`
	ValidTill       string   `json:"valid_till"`
	NetworkPrefixID *int64   `json:"network_prefix_id"`
	RoutingTagNames []string `json:"routing_tag_names"`
	ID              string   `json:"id"`
}

var checkRates = jsonapi.Resource[rateCheck]{
	Type: "check-rates", Paths: []string{"check-rate"}, Verbs: jsonapi.Create, ID: jsonapi.UUIDID, Linkless: true, Transient: true,
	Key: func(c *rateCheck) string { return c.id },
	Attrs: []jsonapi.Attr[rateCheck]{
		jsonapi.Field("rateplan-id", jsonapi.NullText, func(c *rateCheck) **string { return &c.plan }),
		jsonapi.Field("number", jsonapi.NullText, func(c *rateCheck) **string { return &c.number }),
		jsonapi.View("rates", jsonapi.JSON, func(_ *jsonapi.Request, c *rateCheck) (json.RawMessage, error) {
			if !c.asked {
				return nil, nil
			}
			return json.Marshal(c.rates)
		}),
	},
	New:   func(r *jsonapi.Request) *rateCheck { return &rateCheck{id: rating.NewUUID(r.Tx.Now()).String()} },
	Check: findRates,
}

// findRates looks the number up in the decks of one of the customer's plans (quirk Q10).
func findRates(r *jsonapi.Request, c *rateCheck, _ *jsonapi.Body) jsonapi.Problems {
	if c.plan == nil && c.number == nil {
		return nil
	}
	plans, err := attachedPlans(r)
	r.Fail(err)
	var plan *rating.RatePlan
	for _, p := range plans {
		if c.plan != nil && strings.EqualFold(*c.plan, p.UUID.String()) {
			plan = p
		}
	}
	if plan == nil {
		return jsonapi.Problems{jsonapi.AttrProblem("rateplan-id", "Rateplan not found")}
	}
	c.asked, c.rates = true, []foundRate{}
	if c.number == nil {
		return nil
	}
	number := *c.number
	best, length := rating.RateID(0), -1
	for _, id := range plan.Decks {
		deck := r.Tx.PricedDeck(id)
		if deck == nil {
			continue
		}
		if m, ok := deck.Index.Match(number, r.Tx.Now().UnixMilli(), rating.Outbound); ok && m.PrefixLen > length {
			best, length = m.Rate, m.PrefixLen
		}
	}
	if length >= 0 {
		rate, err := r.Tx.VisibleRate(best)
		r.Fail(err)
		if err == nil {
			c.rates = append(c.rates, found(r, newDestination(*rate)))
		}
	}
	return nil
}

func found(r *jsonapi.Request, d *destination) foundRate {
	from, till := d.From, d.Till
	if from.IsZero() {
		from = always
	}
	if till.IsZero() {
		till = never
	}
	return foundRate{Prefix: d.Prefix, InitialRate: d.Terms.First.Price.String(), InitialInterval: d.Terms.First.Seconds,
		NextRate: d.Terms.Next.Price.String(), NextInterval: d.Terms.Next.Seconds, ConnectFee: d.Terms.ConnectFee.String(), NetworkPrefixID: networkPrefixOf(r, d), RejectCalls: d.Blocked,
		ValidFrom: jsonapi.FormatInstant(from), ValidTill: jsonapi.FormatInstant(till), RoutingTagNames: []string{}, ID: r.Tx.RateUUID(&d.Rate).String()}
}
