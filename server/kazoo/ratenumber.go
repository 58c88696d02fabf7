package kazoo

import (
	"cmp"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"billd/rating"
	"billd/storage"
)

// rateable are the forms of a number that can be priced. Source: knm_converters.
var rateable = regexp.MustCompile(`^(\+?1)?\d{10}$|^\+[2-9]\d{7,}$|^011\d*$|^00\d*$`)

const maxNumber = 32 // digits of a dialled number

// e164 writes a rateable number with its country code and a plus.
func e164(number string) string {
	switch {
	case strings.HasPrefix(number, "+"):
		return number
	case strings.HasPrefix(number, "011"):
		return "+" + number[3:]
	case strings.HasPrefix(number, "00"):
		return "+" + number[2:]
	case len(number) == 11:
		return "+" + number
	}
	return "+1" + number
}

// rateNumber tells what calling a number costs, and by which rate.
func rateNumber(x *exchange) (*answer, error) {
	given := x.params["number"]
	if len(given) > maxNumber || !rateable.MatchString(given) {
		p := problems{}
		p.add("number format", "error", "Number is un-rateable")
		return nil, &failure{status: http.StatusBadRequest, message: "validation error", data: p}
	}
	name, err := x.deckAsked()
	if err != nil {
		return nil, err
	}
	dialled := e164(given)
	var view document
	err = x.view(func(tx *storage.Tx) error {
		if name == "" && x.account != nil {
			if name, err = tx.Ratedeck(x.account); err != nil {
				return err
			}
		}
		d, err := deckCalled(tx, name)
		if rating.KindOf(err) == rating.NotFound {
			return nil
		}
		if err != nil {
			return err
		}
		r, err := x.bestRate(tx, d, dialled)
		if err == nil && r != nil {
			view, err = priceView(tx, d, r, dialled)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if view == nil {
		return nil, refuse(http.StatusInternalServerError, "No rate found for this number", "No rate found for this number")
	}
	return &answer{data: view}, nil
}

// bestRate returns the rate of the longest prefix that admits the number; among those of one prefix
// the lowest weight wins, or with sort=cost the highest cost. nil when there is none.
func (x *exchange) bestRate(tx *storage.Tx, d *rating.Deck, dialled string) (*rating.Rate, error) {
	digits := strings.TrimPrefix(dialled, "+")
	for n := len(digits); n > 0; n-- {
		var found []*rating.Rate
		err := eachRateAt(tx, d, digits[:n], func(r *rating.Rate) error {
			if x.admits(r, dialled) {
				found = append(found, r)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		if len(found) > 0 {
			byCost := x.setting("sort") == "cost"
			return slices.MinFunc(found, func(a, b *rating.Rate) int {
				if byCost {
					return cmp.Compare(b.Terms.Next.Price, a.Terms.Next.Price)
				}
				return cmp.Compare(weight(a), weight(b))
			}), nil
		}
	}
	return nil, nil
}

func weight(r *rating.Rate) int {
	if r.Weight == 0 {
		return 100
	}
	return int(r.Weight)
}

// admits applies the filters of a rate: direction, routes, options, and where the request names them
// the caller's number, the version and the account (contract 11.2).
func (x *exchange) admits(r *rating.Rate, dialled string) bool {
	doc := readDocument(r.Extra.Doc)
	if want := x.setting("direction"); want != "" {
		words, listed := doc["direction"].([]any)
		if listed && len(words) > 0 && !slices.Contains(words, any(want)) || !listed && r.Direction == rating.Inbound && want != "inbound" {
			return false
		}
	}
	if want := x.setting("options"); want != "" {
		has, _ := doc["options"].([]any)
		for _, o := range strings.Split(want, ",") {
			if !slices.Contains(has, any(strings.TrimSpace(o))) {
				return false
			}
		}
	}
	if caller := x.setting("caller_id_number"); caller != "" && !callerFits(doc, caller) {
		return false
	}
	if version, _ := plain(doc["rate_version"]); x.setting("rate_version") != "" && version != x.setting("rate_version") {
		return false
	}
	if id, _ := doc["account_id"].(string); id != "" && x.account != nil && !x.isOrBelow(id) {
		return false
	}
	routes, listed := doc["routes"].([]any)
	if !listed {
		return len(dialled) > len(r.Prefix)+1 // the default route wants a digit after the prefix
	}
	for _, v := range routes {
		s, _ := v.(string)
		if re, err := regexp.Compile(s); err == nil && re.MatchString(dialled) {
			return true
		}
	}
	return false
}

// callerFits reports whether a rate is for a caller: its caller_id_numbers match, or it has none.
func callerFits(doc document, caller string) bool {
	if n, ok := normalNumber(caller); ok {
		caller = n
	}
	patterns, one := doc["caller_id_numbers"].([]any)
	if s, ok := doc["caller_id_numbers"].(string); ok && s != "" {
		patterns, one = []any{s}, true
	}
	if !one || len(patterns) == 0 {
		return true
	}
	return slices.ContainsFunc(patterns, func(v any) bool {
		s, _ := v.(string)
		re, err := regexp.Compile(s)
		return err == nil && re.MatchString(caller)
	})
}

// isOrBelow reports whether an id is the target's or that of an account above it.
func (x *exchange) isOrBelow(id string) bool {
	return x.account.UUID.Hex() == id || slices.ContainsFunc(x.above, func(a *rating.Account) bool { return a.UUID.Hex() == id })
}

// priceUnits returns a price a minute in Kazoo's units, ten thousandths.
func priceUnits(p rating.Price) int64 { return int64(p.Round(4)) / 100_000 }

// priceView is the answer to rateNumber (contract 11.3).
func priceView(tx *storage.Tx, d *rating.Deck, r *rating.Rate, dialled string) (document, error) {
	id, err := rateID(tx, r)
	minimum := int64(r.Terms.First.Seconds)
	if minimum == 0 {
		minimum = 60
	}
	fee, cost := int64(r.Terms.ConnectFee.Round(4))/100, priceUnits(r.Terms.Next.Price)
	base := rating.Money((fee + cost*(minimum/60)) * 100)
	return document{"Base-Cost": number(base), "E164-Number": dialled, "Prefix": r.Prefix, "Rate": strconv.FormatInt(cost, 10),
		"Rate-Increment": strconv.FormatUint(uint64(r.Terms.Next.Seconds), 10), "Rate-Minimum": strconv.FormatUint(uint64(r.Terms.First.Seconds), 10),
		"Surcharge": strconv.FormatInt(fee, 10), "Rate-Name": firstOf(r.Name, id), "Rate-Description": r.Extra.Description,
		"Rate-ID": id, "Ratedeck-ID": deckName(d)}, err
}
