package ui

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"billd/rating"
	"billd/storage"

	"github.com/gofiber/fiber/v2"
)

const (
	defaultSeconds = 60
	maxSeconds     = 1_000_000 // of a call to be explained: eleven days
	clockInput     = "2006-01-02T15:04"
)

// ratePage is the page of rates: the decks, one deck's rows, or what one number costs.
type ratePage struct {
	Number, Seconds, Account, At string // the question as it was asked
	Problem                      string
	Names                        []string
	Asked                        bool
	Answer                       *answer
	Decks                        []deckRow
	Loaded                       bool // some deck has rates
	Deck                         *deckRow
	Prefix                       string
	Rows                         []rateRow
	Next                         string
}

// deckRow is a deck as the list shows it.
type deckRow struct {
	*rating.Deck
	Owner accountLink // of a vendor deck
	Rows  int
	Size  string
}

// rateRow is a rate as the deck's list shows it.
type rateRow struct {
	*rating.Rate
	State string
}

// answer is what a number costs, and what every deck says of it.
type answer struct {
	Number   string
	Seconds  uint32
	At       time.Time
	Account  accountLink // 0: whoever has no plan of its own
	VAT      rating.Percent
	Counter  *rating.PackageCounter // that the account's call meets, nil for none
	Quotes   []quote
	Won      *rating.Quote // nil: nothing matches
	Steps    []rating.ChargeStep
	Currency rating.Currency
	Problem  string
	Command  string // that says the same
}

// quote is one deck's price of the number.
type quote struct {
	Deck   *rating.Deck
	Vendor accountLink
	Rate   *rating.Rate // nil: nothing matches
	Prefix string
	Block  bool
	Charge rating.Charge
	Wins   bool
}

func (u *UI) rates(c *fiber.Ctx, s *session) error {
	p := ratePage{Number: c.Query("number"), Seconds: c.Query("seconds"), Account: c.Query("account"), At: c.Query("at"), Prefix: dialled(c.Query("prefix"))}
	p.Asked = p.Number != ""
	deck, err := number(c, "deck")
	if err != nil {
		return err
	}
	err = u.DB.View(c.UserContext(), func(tx *storage.Tx) error {
		if p.Names, err = accountNames(tx); err != nil {
			return err
		}
		if p.Decks, err = u.deckRows(tx); err != nil {
			return err
		}
		p.Loaded = slices.ContainsFunc(p.Decks, func(d deckRow) bool { return d.Rows > 0 })
		switch {
		case p.Asked:
			return u.answerPrice(tx, &p)
		case deck != 0:
			return u.deckPage(c, tx, &p, rating.DeckID(deck))
		}
		return nil
	})
	if kind := rating.KindOf(err); err != nil && p.Asked && (kind == rating.Invalid || kind == rating.NotFound) {
		p.Problem, err = sentence(err.Error()), nil
		c.Status(fiber.StatusBadRequest)
	}
	if err != nil {
		return err
	}
	return u.render(c, s, "rates", page{Title: "Rates", Nav: "rates", Data: p})
}

func (u *UI) deckRows(tx *storage.Tx) (rows []deckRow, err error) {
	err = tx.Decks.Each(0, func(d *rating.Deck) (bool, error) {
		r := deckRow{Deck: d}
		if p := u.DB.Catalog().Deck(d.ID); p != nil {
			r.Rows, r.Size = p.Index.Len(), bytesText(int64(p.Index.Bytes()))
		}
		if d.Vendor != 0 {
			a, err := tx.Accounts.Get(uint64(d.Vendor))
			if err != nil {
				return false, err
			}
			r.Owner = accountLink{a.ID, a.Name}
		}
		rows = append(rows, r)
		return true, nil
	})
	return rows, err
}

// deckPage lists a deck's rows in order of prefixes.
func (u *UI) deckPage(c *fiber.Ctx, tx *storage.Tx, p *ratePage, id rating.DeckID) error {
	for i := range p.Decks {
		if p.Decks[i].ID == id {
			p.Deck = &p.Decks[i]
		}
	}
	if p.Deck == nil {
		return rating.Errorf(rating.NotFound, "deck", "there is no such deck")
	}
	after, err := number(c, "after")
	if err != nil {
		return err
	}
	from := p.Prefix
	if after != 0 {
		from = c.Query("from")
	}
	var last *rating.Rate
	return tx.RatesFrom(id, from, rating.RateID(after), func(r *rating.Rate) (bool, error) {
		if !strings.HasPrefix(r.Prefix, p.Prefix) {
			return false, nil
		}
		if r.Gen > p.Deck.Generation {
			return true, nil // an import that is not applied yet
		}
		if len(p.Rows) == pageRows {
			filter := url.Values{"deck": {strconv.FormatUint(uint64(id), 10)}, "prefix": {p.Prefix}, "from": {last.Prefix}}
			p.Next = again("/rates", filter, "after", strconv.FormatUint(uint64(last.ID), 10))
			return false, nil
		}
		last = r
		p.Rows = append(p.Rows, rateRow{r, rateState(r, tx.Now())})
		return true, nil
	})
}

// rateState is what keeps a rate from being used now, "" for nothing.
func rateState(r *rating.Rate, now time.Time) string {
	switch {
	case r.Disabled:
		return "disabled"
	case !r.From.IsZero() && now.Before(r.From):
		return "to come"
	case !r.Till.IsZero() && !now.Before(r.Till):
		return "over"
	case r.Blocked:
		return "blocked"
	}
	return ""
}

// answerPrice works out what the question asks.
func (u *UI) answerPrice(tx *storage.Tx, p *ratePage) error {
	a := &answer{Number: dialled(p.Number), Seconds: defaultSeconds, At: tx.Now(), Currency: tx.Settings().Currency}
	if a.Number == "" {
		return rating.Broken("number", "required", "", "number: want digits")
	}
	if p.Seconds != "" {
		n, err := strconv.ParseUint(p.Seconds, 10, 32)
		if err != nil || n > maxSeconds {
			return rating.Broken("seconds", "range", "", "seconds: want a whole number up to %d", maxSeconds)
		}
		a.Seconds = uint32(n)
	}
	if p.At != "" {
		t, err := time.ParseInLocation(clockInput, p.At, time.UTC)
		if err != nil {
			return rating.Broken("at", "time", "", "at: want a time such as 2026-11-30T14:05")
		}
		a.At = t
	}
	a.Command = fmt.Sprintf("billd explain %s %d", a.Number, a.Seconds)
	decks := u.DB.Catalog().Plan(rating.DefaultPlan)
	if p.Account != "" {
		payer, err := tx.Payer(p.Account)
		if err != nil {
			return err
		}
		decks = payer.Decks
		a.Account, a.VAT, a.Currency = accountLink{payer.Account.ID, payer.Account.Name}, payer.Account.VAT, payer.Account.Currency
		if a.Counter, err = tx.Package(payer.Account.ID, a.Number); err != nil {
			return err
		}
		a.Command += fmt.Sprintf(" --account %d", payer.Account.ID)
	}
	if p.At != "" {
		a.Command += " --at " + a.At.Format(time.RFC3339)
	}
	p.Answer = a
	return u.quote(tx, a, p.Decks, decks)
}

// quote asks every deck, and the payer's own together as a charge asks them.
func (u *UI) quote(tx *storage.Tx, a *answer, decks []deckRow, payers []*rating.PricedDeck) error {
	for _, d := range decks {
		q := quote{Deck: d.Deck, Vendor: d.Owner}
		if err := u.match(tx, a, &q); err != nil {
			return err
		}
		a.Quotes = append(a.Quotes, q)
	}
	won, err := rating.Explain(payers, rating.Ask{Number: a.Number, Seconds: a.Seconds, At: a.At, VAT: a.VAT, Counter: a.Counter}, tx.Settings())
	if rating.KindOf(err) == rating.NotFound && err != nil {
		a.Problem = "No rate of this account's decks matches: such a call would wait in suspense."
		return nil
	}
	if err != nil {
		return err
	}
	a.Won, a.Steps = &won, won.Steps
	for i := range a.Quotes {
		a.Quotes[i].Wins = a.Quotes[i].Deck.ID == won.Deck.ID
	}
	switch {
	case won.Match.Blocked:
		a.Problem = "The prefix is blocked: an answered call would wait in suspense."
	case won.Deck.Currency != a.Currency:
		a.Problem = fmt.Sprintf("The deck is in %s, the account in %s: such a call would wait in suspense.", won.Deck.Currency, a.Currency)
	}
	return nil
}

// match finds a deck's rate for the number and its price without tax.
func (u *UI) match(tx *storage.Tx, a *answer, q *quote) error {
	deck := u.DB.Catalog().Deck(q.Deck.ID)
	if deck == nil {
		return nil
	}
	m, ok := deck.Index.Match(a.Number, a.At.UnixMilli(), rating.Outbound)
	if !ok {
		return nil
	}
	q.Prefix, q.Block = a.Number[:m.PrefixLen], m.Blocked
	var err error
	if q.Rate, err = tx.Rates.Get(uint64(m.Rate)); err != nil {
		return err
	}
	q.Rate.Terms = m.Terms
	setting := tx.Settings().CustomerRounding
	if q.Deck.Vendor != 0 {
		setting = tx.Settings().VendorRounding
	}
	q.Charge, err = m.Terms.Charge(a.Seconds, 0, formula(q.Deck.Preset, setting))
	return err
}
