package yeti

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"billd/rating"
	"billd/server/jsonapi"
	"billd/storage"
)

// destination is a rate, a vendor's as well: then it is a dialpeer, of an account and its owner. Its
// prices are null until a request gives them.
type destination struct {
	rating.Rate
	initial, next *rating.Price
	uuid          string           // as a customer knows it
	account       rating.AccountID // of a dialpeer
	vendor        uint64           // the account's contractor
}

func newDestination(r rating.Rate) *destination {
	d := &destination{Rate: r}
	d.given()
	return d
}

// given says that the rate has its prices.
func (d *destination) given() { d.initial, d.next = &d.Terms.First.Price, &d.Terms.Next.Price }

// Moments that stand for no bound. The latter lets valid_till_gt find rates that never end.
var (
	always = time.UnixMicro(0).UTC()
	never  = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
)

// destinationLife is how long a new destination is valid unless it says so. Source: Yeti, contract 3.15.
const destinationLife = 5 // years

var destinations = jsonapi.Resource[destination]{
	Type: "destinations", Verbs: jsonapi.CRUD,
	Key:  func(d *destination) string { return decimal(d.ID) },
	Load: loadDestination, Page: pageDestinations,
	Attrs: destinationAttrs(),
	Rels: []jsonapi.Rel[destination]{
		jsonapi.One("rate-group", "rate-groups", func(d *destination) *rating.DeckID { return &d.Deck }, jsonapi.MustExist),
		toCountry, toNetwork,
		jsonapi.Many("destination-next-rates", "destination-next-rates", scheduledRates, nil),
	},
	Filters: []jsonapi.Filter[destination]{
		{Name: "rate_group_id", Plain: true, Ops: jsonapi.ExactOps, Value: func(_ *jsonapi.Request, d *destination) jsonapi.Value { return jsonapi.IntegerValue(int64(d.Deck)) }},
		{Name: "uuid", Ops: jsonapi.ExactOps, Value: destinationUUID},
		{Name: "quality_alarm", Ops: jsonapi.BoolOps, Value: func(*jsonapi.Request, *destination) jsonapi.Value { return jsonapi.BoolValue(false) }}, // measured by a switch, not by billd
		{Name: "rateplan_id_eq", Match: func(r *jsonapi.Request, d *destination, values []string) bool {
			decks, err := decksOfPlans(r.Tx, values)
			r.Fail(err)
			return slices.Contains(decks, d.Deck)
		}},
		inCountry,
	},
	Sorts: geographicSorts,
	New: func(r *jsonapi.Request) *destination {
		d := &destination{Rate: rating.Rate{From: r.Tx.Now(), Till: r.Tx.Now().AddDate(destinationLife, 0, 0)}}
		d.Terms.First.Seconds, d.Terms.Next.Seconds = 1, 1
		return d
	},
	CheckFirst: []string{"rate-group"},
	Check:      checkDestination,
	Insert:     saveDestination,
	Save:       saveDestination,
	Remove:     func(r *jsonapi.Request, d *destination) error { return r.Tx.Rates.Delete(uint64(d.ID)) },
}

func destinationAttrs() []jsonapi.Attr[destination] {
	type d = destination
	seconds := jsonapi.IntegerOf[uint32]()
	length := jsonapi.IntegerOf[uint8]()
	inLength := []jsonapi.Option{jsonapi.AtLeast("0"), jsonapi.AtMost("100")}
	return []jsonapi.Attr[d]{
		negated("enabled", func(v *d) *bool { return &v.Disabled }),
		jsonapi.Field("next-rate", jsonapi.NullPrice, func(v *d) **rating.Price { return &v.next }, jsonapi.Required, jsonapi.Numeric),
		jsonapi.Field("connect-fee", jsonapi.Amount, func(v *d) *rating.Money { return &v.Terms.ConnectFee }, jsonapi.Required, jsonapi.Numeric),
		jsonapi.Field("initial-interval", seconds, func(v *d) *uint32 { return &v.Terms.First.Seconds }, jsonapi.Required, jsonapi.Numeric, jsonapi.Above("0")),
		jsonapi.Field("next-interval", seconds, func(v *d) *uint32 { return &v.Terms.Next.Seconds }, jsonapi.Required, jsonapi.Numeric, jsonapi.Above("0")),
		defaulted("dp-margin-fixed", jsonapi.Limit, "0.0", func(v *d) *rating.Decimal { return &v.Extra.DPMarginFixed }),
		defaulted("dp-margin-percent", jsonapi.Limit, "1.0", func(v *d) *rating.Decimal { return &v.Extra.DPMarginPercent }),
		jsonapi.Field("initial-rate", jsonapi.NullPrice, func(v *d) **rating.Price { return &v.initial }, jsonapi.Required, jsonapi.Numeric),
		defaulted("asr-limit", jsonapi.Float, "0.0", func(v *d) *string { return &v.Extra.ASRLimit }),
		defaulted("acd-limit", jsonapi.Float, "0.0", func(v *d) *string { return &v.Extra.ACDLimit }),
		defaulted("short-calls-limit", jsonapi.Float, "0.0", func(v *d) *string { return &v.Extra.ShortCallsLimit }),
		jsonapi.Field("prefix", jsonapi.Text, func(v *d) *string { return &v.Prefix }, jsonapi.Format(func(s string) bool { return rating.CheckPrefix(s) == nil }), jsonapi.PlainFilter),
		jsonapi.Field("reject-calls", jsonapi.Bool, func(v *d) *bool { return &v.Blocked }),
		jsonapi.Field("use-dp-intervals", jsonapi.Bool, func(v *d) *bool { return &v.Extra.UseDPIntervals }),
		bound("valid-from", always, func(v *d) *time.Time { return &v.From }),
		bound("valid-till", never, func(v *d) *time.Time { return &v.Till }),
		jsonapi.Field("external-id", jsonapi.NullInteger, func(v *d) **int64 { return &v.External }, jsonapi.PlainFilter),
		jsonapi.Field("routing-tag-ids", jsonapi.IntegerList, func(v *d) *[]int64 { return &v.Extra.RoutingTagIDs }, jsonapi.NoSort),
		jsonapi.Field("dst-number-min-length", length, func(v *d) *uint8 { return &v.MinLen }, inLength...),
		defaulted("dst-number-max-length", length, 100, func(v *d) *uint8 { return &v.MaxLen }, inLength...),
		jsonapi.Field("reverse-billing", jsonapi.Bool, func(v *d) *bool { return &v.Reverse }),
		jsonapi.Field("profit-control-mode-id", jsonapi.NullInteger, func(v *d) **int64 { return &v.Extra.ProfitControl }, jsonapi.OneOf(1, 2)),
		defaulted("rate-policy-id", jsonapi.Integer, 1, func(v *d) *int64 { return &v.Extra.RatePolicy }, jsonapi.OneOf(1, 2, 3, 4)),
		jsonapi.Field("routing-tag-mode-id", jsonapi.Integer, func(v *d) *int64 { return &v.Extra.RoutingTagMode }, jsonapi.OneOf(0, 1)),
	}
}

// negated is a truth value that is stored as its opposite.
func negated(name string, at func(*destination) *bool) jsonapi.Attr[destination] {
	return jsonapi.Virtual(name, jsonapi.Bool,
		func(_ *jsonapi.Request, d *destination) (bool, error) { return !*at(d), nil },
		func(d *destination, b bool) { *at(d) = !b })
}

// defaulted is a value that is stored as nothing while it is the one that everybody has: written with
// what is shown, it stays as it was (R6).
func defaulted[F comparable](name string, k jsonapi.Kind[F], usual F, at func(*destination) *F, opts ...jsonapi.Option) jsonapi.Attr[destination] {
	var unset F
	return jsonapi.Virtual(name, k, func(_ *jsonapi.Request, d *destination) (F, error) {
		if *at(d) == unset {
			return usual, nil
		}
		return *at(d), nil
	}, func(d *destination, v F) {
		if *at(d) != unset || v != usual {
			*at(d) = v
		}
	}, opts...)
}

// bound is an end of the validity; open stands for none. It is shown in milliseconds: written with what
// is shown, the stored microseconds stay (R6).
func bound(name string, open time.Time, at func(*destination) *time.Time) jsonapi.Attr[destination] {
	shown := func(d *destination) time.Time {
		if at(d).IsZero() {
			return open
		}
		return *at(d)
	}
	return jsonapi.Virtual(name, jsonapi.Instant, func(_ *jsonapi.Request, d *destination) (time.Time, error) {
		return shown(d), nil
	}, func(d *destination, t time.Time) {
		switch {
		case t.Equal(shown(d).Truncate(time.Millisecond)):
		case t.Equal(open):
			*at(d) = time.Time{}
		default:
			*at(d) = t
		}
	})
}

func loadDestination(r *jsonapi.Request, id string) (*destination, error) {
	n, err := strconv.ParseUint(id, 10, 64)
	if err != nil {
		return nil, jsonapi.NoRecord(id)
	}
	rate, err := r.Tx.VisibleRate(rating.RateID(n))
	if err != nil {
		return nil, err
	}
	return newDestination(*rate), nil
}

// pageDestinations walks rates undecoded as long as the index by prefix or the deck can tell.
func pageDestinations(r *jsonapi.Request, q *jsonapi.Query) (p jsonapi.Page[destination], err error) {
	s, rest, err := rateSearch(r, q)
	if err != nil {
		return p, err
	}
	return pageRates(r, q, s, rest)
}

// pageRates lists the rates of a search that meet what is left of the conditions.
func pageRates(r *jsonapi.Request, q *jsonapi.Query, s *storage.RateSearch, rest []jsonapi.Cond) (p jsonapi.Page[destination], err error) {
	if s.Decks != nil && len(s.Decks) == 0 {
		return p, nil
	}
	order := q.Sort()
	if len(rest) == 0 && s.Prefix == nil && s.Begin == "" && len(order) == 1 && order[0] == "id" {
		return pageByNumber(r, q, s)
	}
	return pickRates(r, q, s, func(d *destination) bool { return meets(r, d, rest) })
}

func meets(r *jsonapi.Request, d *destination, conds []jsonapi.Cond) bool {
	for i := range conds {
		if !conds[i].Meets(r, d) {
			return false
		}
	}
	return true
}

// pickRates decodes every rate of a search and keeps those that are wanted and fall on the page.
func pickRates(r *jsonapi.Request, q *jsonapi.Query, s *storage.RateSearch, wanted func(*destination) bool) (jsonapi.Page[destination], error) {
	var found []*destination
	indexed := s.Prefix != nil || s.Begin != ""
	return jsonapi.Pick(r, q, func(take func(*destination) error) error {
		err := r.Tx.EachRate(r.Context, s, func(row *storage.RateRow) (bool, error) {
			d := &destination{}
			if err := row.Decode(&d.Rate); err != nil {
				return false, err
			}
			d.given()
			if !wanted(d) {
				return true, nil
			}
			if indexed { // the index goes by prefix; Pick wants numbers to ascend
				found = append(found, d)
				return true, nil
			}
			return true, take(d)
		})
		sortByID(found, func(d *destination) uint64 { return uint64(d.ID) })
		for _, d := range found {
			if err == nil {
				err = take(d)
			}
		}
		return err
	})
}

// pageByNumber decodes the rates of the page only.
func pageByNumber(r *jsonapi.Request, q *jsonapi.Query, s *storage.RateSearch) (p jsonapi.Page[destination], err error) {
	err = r.Tx.EachRate(r.Context, s, func(row *storage.RateRow) (bool, error) {
		if n := p.Total; n >= q.Offset() && n-q.Offset() < q.Size {
			var rate rating.Rate
			if err := row.Decode(&rate); err != nil {
				return false, err
			}
			p.Rows = append(p.Rows, newDestination(rate))
		}
		p.Total++
		return true, nil
	})
	return p, err
}

// rateSearch turns conditions on deck and prefix into a search of the store; rest is what is left.
func rateSearch(r *jsonapi.Request, q *jsonapi.Query) (*storage.RateSearch, []jsonapi.Cond, error) {
	s := &storage.RateSearch{}
	var rest []jsonapi.Cond
	for _, c := range q.Conds {
		switch c.Name {
		case "rate_group_id", "rateplan_id_eq":
			decks, err := searchedDecks(r.Tx, c)
			if err != nil {
				return nil, nil, err
			}
			if s.Decks != nil {
				decks = slices.DeleteFunc(decks, func(id rating.DeckID) bool { return !slices.Contains(s.Decks, id) })
			}
			s.Decks = decks
		case "prefix", "prefix_eq", "prefix_in":
			if s.Prefix == nil {
				s.Prefix = append([]string{}, c.Values...)
				continue
			}
			rest = append(rest, c)
		case "prefix_start":
			if isDigits(c.Values[0]) { // letters may stand in either case
				s.Begin = c.Values[0]
			}
			rest = append(rest, c)
		default:
			rest = append(rest, c)
		}
	}
	return s, rest, nil
}

func isDigits(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' }) < 0
}

// searchedDecks returns the customer decks that a condition on decks or plans names.
func searchedDecks(tx *storage.Tx, c jsonapi.Cond) (decks []rating.DeckID, err error) {
	if c.Name == "rateplan_id_eq" {
		return decksOfPlans(tx, c.Values)
	}
	decks = []rating.DeckID{}
	for _, id := range c.Values {
		n, err := strconv.ParseUint(strings.TrimSpace(id), 10, 64)
		if err != nil {
			continue
		}
		d, err := tx.Decks.Get(n)
		if ignoreMissing(err) != nil {
			return nil, err
		}
		if err == nil && d.Vendor == 0 {
			decks = append(decks, d.ID)
		}
	}
	return decks, nil
}

// decksOfPlans returns the decks that rate plans list.
func decksOfPlans(tx *storage.Tx, ids []string) ([]rating.DeckID, error) {
	decks := []rating.DeckID{}
	for _, id := range ids {
		n, err := strconv.ParseUint(strings.TrimSpace(id), 10, 64)
		if err != nil {
			continue
		}
		p, err := tx.Plans.Get(n)
		if ignoreMissing(err) != nil {
			return nil, err
		}
		if err == nil {
			decks = append(decks, p.Decks...)
		}
	}
	return decks, nil
}

func destinationUUID(r *jsonapi.Request, d *destination) jsonapi.Value {
	return jsonapi.TextValue(r.Tx.RateUUID(&d.Rate).String())
}

// checkDestination takes over the prices that were given, and has the rules of rates that no attribute
// has alone.
func checkDestination(_ *jsonapi.Request, d *destination, _ *jsonapi.Body) jsonapi.Problems {
	if d.initial == nil || d.next == nil {
		return nil // can't be blank
	}
	d.Terms.First.Price, d.Terms.Next.Price = *d.initial, *d.next
	var broken rating.Errors
	var ps jsonapi.Problems
	if errors.As(d.Valid(), &broken) {
		for _, e := range broken {
			if name := destinationFields[e.Field]; name != "" {
				ps = append(ps, jsonapi.AttrProblem(name, e.Msg))
			}
		}
	}
	return ps
}

// destinationFields are the attributes that rules of a rate speak of. A bad prefix and seconds below 1
// have been refused before.
var destinationFields = map[string]string{"first_price": "initial-rate", "next_price": "next-rate", "connect_fee": "connect-fee", "valid_till": "valid-till"}

// saveDestination stores a rate under the deck's generation in force, so that it is visible.
func saveDestination(r *jsonapi.Request, d *destination) error {
	deck, err := r.Tx.Decks.Get(uint64(d.Deck))
	if err != nil {
		return err
	}
	if d.ID == 0 || d.Gen > deck.Generation {
		d.Gen = deck.Generation
	}
	return r.Tx.Rates.Put(&d.Rate)
}
