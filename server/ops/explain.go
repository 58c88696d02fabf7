package ops

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"billd/rating"
	"billd/storage"
)

// ExplainArgs ask what a call costs. Without account and deck, deck default is asked.
type ExplainArgs struct {
	Number  string `json:"number"`
	Seconds string `json:"seconds"`
	Account string `json:"account,omitempty"` // who would pay: number, uuid or name
	Deck    string `json:"deck,omitempty"`
	Vendor  string `json:"vendor,omitempty"` // who would terminate it
	At      string `json:"at,omitempty"`     // now when empty
	JSON    bool   `json:"json,omitempty"`
}

// Explanation is a price with every step that led to it.
type Explanation struct {
	Number   string        `json:"number"`
	Deck     string        `json:"deck"`
	RateID   uint64        `json:"rate_id"`
	Prefix   string        `json:"prefix"`
	Seconds  uint32        `json:"seconds"`
	Billed   int64         `json:"billed_seconds"`
	Net      rating.Money  `json:"net"`
	Tax      rating.Money  `json:"tax"`
	Gross    rating.Money  `json:"gross"`
	Currency string        `json:"currency"`
	Package  uint64        `json:"package_counter_id,omitempty"` // that pays for the call
	Steps    []ExplainStep `json:"steps"`
}

// ExplainStep is one step. Amount is decimal text; steps that only say something have 0.0.
type ExplainStep struct {
	Text   string `json:"text"`
	Amount string `json:"amount"`
}

const noAmount = "0.0"

func explain(ctx context.Context, env *Env, args ExplainArgs, o *IO) (int, error) {
	e, err := Explain(ctx, env, args)
	if err != nil {
		return ExitFailed, err
	}
	return ExitOK, Print(o.Out, args.JSON, e, e.print)
}

// Explain prices a call by the computation that charges, and says how. NotFound names the decks that
// were searched.
func Explain(ctx context.Context, env *Env, args ExplainArgs) (*Explanation, error) {
	ask, err := askOf(args, env.DB.Now())
	if err != nil {
		return nil, err
	}
	var e *Explanation
	err = env.DB.View(ctx, func(tx *storage.Tx) error {
		payer, err := explainDecks(tx, args)
		if err != nil {
			return err
		}
		if payer.Account != nil {
			ask.VAT = payer.Account.VAT
			if ask.Counter, err = tx.Package(payer.Account.ID, ask.Number); err != nil {
				return err
			}
		}
		if args.Vendor != "" {
			vendor, err := tx.Vendor(args.Vendor)
			if err != nil {
				return err
			}
			ask.Vendor, ask.Rate = append([]*rating.PricedDeck{}, vendor.Decks...), tx.Rate
		}
		q, err := rating.Explain(payer.Decks, ask, tx.Settings())
		if err != nil && rating.KindOf(err) == rating.NotFound {
			return rating.Errorf(rating.NotFound, "number", "%s at %s; searched: %s", err, stampOf(ask.At), deckNames(payer.Decks))
		}
		if err != nil {
			return err
		}
		e, err = describeQuote(tx, ask, q, payer)
		return err
	})
	return e, err
}

func stampOf(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func askOf(args ExplainArgs, now time.Time) (rating.Ask, error) {
	a := rating.Ask{Number: args.Number, At: now}
	if args.Number == "" || strings.ContainsFunc(args.Number, func(r rune) bool { return r <= ' ' }) {
		return a, badArgument("number", "number %q: want a number without blanks", args.Number)
	}
	seconds, err := strconv.ParseUint(args.Seconds, 10, 64)
	if err != nil || seconds > math.MaxInt32 {
		return a, badArgument("seconds", "seconds %q: want 0 to %d", args.Seconds, math.MaxInt32)
	}
	a.Seconds = uint32(seconds)
	if args.At != "" {
		if a.At, err = parseInstant(args.At, time.UTC); err != nil {
			return a, badArgument("at", "at %w", err)
		}
	}
	if args.Account != "" && args.Deck != "" {
		return a, badArgument("deck", "account and deck: want one of them")
	}
	return a, nil
}

// explainDecks returns the decks that are asked, of an account or by name.
func explainDecks(tx *storage.Tx, args ExplainArgs) (rating.Party, error) {
	if args.Account != "" {
		return tx.Payer(args.Account)
	}
	d, err := deckNamed(tx, cmp.Or(args.Deck, "default"))
	if err != nil {
		return rating.Party{}, err
	}
	return rating.Party{Decks: []*rating.PricedDeck{tx.PricedDeck(d.ID)}}, nil
}

func deckNames(decks []*rating.PricedDeck) string {
	if len(decks) == 0 {
		return "no deck, the rate plan lists none"
	}
	names := make([]string, len(decks))
	for i, d := range decks {
		names[i] = d.Name
	}
	if len(names) == 1 {
		return "deck " + names[0]
	}
	return "decks " + strings.Join(names, ", ")
}

// describeQuote puts what led to the rate before the steps of the charge.
func describeQuote(tx *storage.Tx, ask rating.Ask, q rating.Quote, payer rating.Party) (*Explanation, error) {
	r, err := tx.Rates.Get(uint64(q.Match.Rate))
	if err != nil {
		return nil, err
	}
	c, t := q.Charge, &q.Match.Terms
	e := &Explanation{Number: ask.Number, Deck: q.Deck.Name, RateID: uint64(q.Match.Rate), Prefix: ask.Number[:q.Match.PrefixLen],
		Seconds: ask.Seconds, Billed: c.Billed, Net: c.Net, Tax: c.Tax, Gross: c.Gross, Currency: q.Deck.Currency.String()}
	if q.Covered {
		e.Package = ask.Counter.ID
	}
	say := func(format string, args ...any) {
		e.Steps = append(e.Steps, ExplainStep{fmt.Sprintf(format, args...), noAmount})
	}
	name := ""
	if r.Name != "" {
		name = ", " + r.Name
	}
	if payer.Account != nil {
		say("account %d, %s, charged on %s", payer.Account.ID, payer.Account.Name, deckNames(payer.Decks))
	}
	say("prefix %s is the longest that matches: rate %d of deck %s%s", e.Prefix, e.RateID, e.Deck, name)
	say("rate valid %s, call at %s", validity(r), stampOf(ask.At))
	if q.Match.Blocked {
		say("calls to this prefix are blocked: such a call would be held back")
	}
	sayVendor(r, q, say)
	if q.Match.Reverse {
		say("the rate is reverse-billed: the customer earns what it costs")
	}
	say("intervals %d/%d s, %d s become %d s billed", t.First.Seconds, t.Next.Seconds, ask.Seconds, c.Billed)
	for _, s := range q.Steps {
		e.Steps = append(e.Steps, ExplainStep{s.Text, s.Amount})
	}
	if payer.Account != nil && payer.Account.Currency != q.Deck.Currency {
		say("account %d is in %s: such a call would be held back", payer.Account.ID, payer.Account.Currency)
	}
	return e, nil
}

// sayVendor tells how a rate follows the vendor's.
func sayVendor(r *rating.Rate, q rating.Quote, say func(string, ...any)) {
	switch v := &q.Vendor; {
	case !q.Match.OnVendor:
	case v.Rate == 0:
		say("the rate's price or intervals follow the vendor's, and none is known here: these are the rate's own")
	default:
		x, own := &r.Extra, "its own"
		fixed, share := x.Margin()
		if x.UseDPIntervals {
			own = "the vendor's"
		}
		say("the vendor's rate %d asks %s, then %s a minute by %d/%d s; policy %d with a margin of %s + %s × price makes %s, then %s; the intervals are %s",
			v.Rate, v.Terms.First.Price, v.Terms.Next.Price, v.Terms.First.Seconds, v.Terms.Next.Seconds, max(x.RatePolicy, rating.PolicyOwn),
			fixed, share, q.Match.Terms.First.Price, q.Match.Terms.Next.Price, own)
	}
}

func validity(r *rating.Rate) string {
	from, till := "always", ""
	if !r.From.IsZero() {
		from = "from " + stampOf(r.From)
	}
	if !r.Till.IsZero() {
		till = " till " + stampOf(r.Till)
		if r.From.IsZero() {
			return strings.TrimSpace(till)
		}
	}
	return from + till
}

func (e *Explanation) print(w io.Writer) error {
	fmt.Fprintf(w, "%s, %d s: %s %s (net %s, tax %s)\n", e.Number, e.Seconds, e.Gross, e.Currency, e.Net, e.Tax)
	t := NewTable(w, "step", "amount")
	for _, s := range e.Steps {
		amount := s.Amount
		if amount == noAmount {
			amount = ""
		}
		t.Row(s.Text, amount)
	}
	return t.Close()
}
