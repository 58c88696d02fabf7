package ops

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"billd/rating"
	"billd/storage"
)

// RatePlanArgs name a rate plan and what is to be attached to it or detached from it.
type RatePlanArgs struct {
	Plan     string   `json:"plan,omitempty"`
	Decks    []string `json:"decks,omitempty"`    // names
	Accounts []string `json:"accounts,omitempty"` // numbers, uuids or names
	JSON     bool     `json:"json,omitempty"`
}

// ListedPlan is a rate plan as `billd rateplan` shows it.
type ListedPlan struct {
	ID       uint64       `json:"id"`
	UUID     string       `json:"uuid"`
	Name     string       `json:"name"`
	Decks    []ListedDeck `json:"decks"`    // in order of their numbers
	Accounts int          `json:"accounts"` // open accounts that the plan is attached to
	Fallback bool         `json:"fallback"` // charges the accounts that have no plan
}

// ListedDeck is a deck of a rate plan.
type ListedDeck struct {
	ID       uint64 `json:"id"`
	Name     string `json:"name"`
	Currency string `json:"currency"`
}

// ListRatePlans returns every rate plan in order of their numbers.
func ListRatePlans(ctx context.Context, env *Env) (list []ListedPlan, err error) {
	list = []ListedPlan{}
	err = env.DB.View(ctx, func(tx *storage.Tx) error {
		users, err := planUsers(tx)
		if err != nil {
			return err
		}
		return tx.Plans.Each(0, func(p *rating.RatePlan) (bool, error) {
			listed, err := listedPlan(tx, p, users[p.ID])
			list = append(list, listed)
			return true, err
		})
	})
	return list, err
}

// planUsers counts the open accounts of each plan.
func planUsers(tx *storage.Tx) (map[uint64]int, error) {
	users := map[uint64]int{}
	err := tx.Accounts.Each(0, func(a *rating.Account) (bool, error) {
		if a.RatePlan != 0 && !a.Closed() {
			users[a.RatePlan]++
		}
		return true, nil
	})
	return users, err
}

func listedPlan(tx *storage.Tx, p *rating.RatePlan, users int) (ListedPlan, error) {
	l := ListedPlan{ID: p.ID, UUID: p.UUID.String(), Name: p.Name, Decks: []ListedDeck{}, Accounts: users, Fallback: p.ID == rating.DefaultPlan}
	for _, id := range slices.Sorted(slices.Values(p.Decks)) {
		d, err := tx.Decks.Get(uint64(id))
		if err != nil {
			return l, err
		}
		l.Decks = append(l.Decks, ListedDeck{uint64(d.ID), d.Name, d.Currency.String()})
	}
	return l, nil
}

func listRatePlans(ctx context.Context, env *Env, args ListArgs, o *IO) (int, error) {
	list, err := ListRatePlans(ctx, env)
	if err != nil {
		return ExitFailed, err
	}
	return ExitOK, Print(o.Out, args.JSON, list, func(w io.Writer) error { return printPlans(w, list) })
}

func printPlans(w io.Writer, list []ListedPlan) error {
	t := NewTable(w, "id", "rate plan", "decks", "accounts")
	for _, p := range list {
		names := make([]string, len(p.Decks))
		for i, d := range p.Decks {
			names[i] = d.Name
		}
		accounts := fmt.Sprint(p.Accounts)
		if p.Fallback {
			accounts += ", and those without a plan"
		}
		t.Row(p.ID, p.Name, strings.Join(names, ", "), accounts)
	}
	return t.Close()
}

func attachRatePlan(ctx context.Context, env *Env, args RatePlanArgs, o *IO) (int, error) {
	return changeRatePlan(ctx, env, args, o, attachment{madeWhereNone: true,
		deck: func(p *rating.RatePlan, d *rating.Deck) error {
			if d.Vendor != 0 {
				return rating.Errorf(rating.Conflict, "deck", "deck %s holds the prices of vendor account %d: it prices what that account terminates, and no plan lists it", d.Name, d.Vendor)
			}
			if !slices.Contains(p.Decks, d.ID) {
				p.Decks = append(p.Decks, d.ID)
			}
			return nil
		},
		account: func(p *rating.RatePlan, a *rating.Account) error {
			a.RatePlan = p.ID
			return nil
		}})
}

func detachRatePlan(ctx context.Context, env *Env, args RatePlanArgs, o *IO) (int, error) {
	return changeRatePlan(ctx, env, args, o, attachment{
		deck: func(p *rating.RatePlan, d *rating.Deck) error {
			if !slices.Contains(p.Decks, d.ID) {
				return rating.Errorf(rating.NotFound, "deck", "rate plan %s does not list deck %s", p.Name, d.Name)
			}
			p.Decks = slices.DeleteFunc(p.Decks, func(id rating.DeckID) bool { return id == d.ID })
			return nil
		},
		account: func(p *rating.RatePlan, a *rating.Account) error {
			if a.RatePlan != p.ID {
				return rating.Errorf(rating.NotFound, "account", "account %d is not on rate plan %s", a.ID, p.Name)
			}
			a.RatePlan = 0
			return nil
		}})
}

// attachment is what happens to each deck and each account that is named with a rate plan.
type attachment struct {
	madeWhereNone bool // the plan is made if there is none of its name
	deck          func(*rating.RatePlan, *rating.Deck) error
	account       func(*rating.RatePlan, *rating.Account) error
}

// changeRatePlan attaches or detaches all that is named in one transaction, and shows the plan then.
func changeRatePlan(ctx context.Context, env *Env, args RatePlanArgs, o *IO, do attachment) (int, error) {
	if len(args.Decks)+len(args.Accounts) == 0 {
		return ExitUsage, Usagef("rateplan: want --deck, --account or both")
	}
	var shown ListedPlan
	err := env.DB.Update(ctx, func(tx *storage.Tx) error {
		p, err := namedPlan(tx, args.Plan, do.madeWhereNone)
		if err != nil {
			return err
		}
		for _, name := range args.Decks {
			d, err := deckNamed(tx, name)
			if err == nil {
				err = do.deck(p, d)
			}
			if err != nil {
				return err
			}
		}
		if len(args.Decks) > 0 || p.ID == 0 {
			if err := tx.Plans.Put(p); err != nil {
				return err
			}
		}
		for _, ref := range args.Accounts {
			shared, err := tx.AccountByRef(ref)
			if err != nil {
				return err
			}
			a := *shared
			if err := do.account(p, &a); err != nil {
				return err
			}
			if err := tx.SaveAccount(&a); err != nil {
				return err
			}
		}
		users, err := planUsers(tx)
		if err != nil {
			return err
		}
		shown, err = listedPlan(tx, p, users[p.ID])
		return err
	})
	if err != nil {
		return ExitFailed, err
	}
	return ExitOK, Print(o.Out, args.JSON, shown, func(w io.Writer) error { return printPlans(w, []ListedPlan{shown}) })
}

// namedPlan finds a rate plan, or describes one to be made.
func namedPlan(tx *storage.Tx, name string, orNew bool) (*rating.RatePlan, error) {
	const maxName = 100 // characters, as a deck's
	if n := len(name); n == 0 || n > maxName || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return nil, badArgument("plan", "plan %.40q: want a name of 1 to %d characters", name, maxName)
	}
	p, err := tx.PlanByName(name)
	if err == nil || rating.KindOf(err) != rating.NotFound {
		return p, err
	}
	if !orNew {
		return nil, rating.Errorf(rating.NotFound, "plan", "rate plan %s does not exist", name)
	}
	return &rating.RatePlan{UUID: rating.NewUUID(tx.Now()), Name: name, ProfitControl: 1}, nil
}
