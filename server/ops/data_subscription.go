package ops

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"billd/rating"
	"billd/storage"
)

// DataSubscriptionArgs are `billd data subscription …`.
type DataSubscriptionArgs struct {
	ID      uint64 `json:"id,omitempty"`
	Account string `json:"account,omitempty"` // number, uuid or name
	User    string `json:"user,omitempty"`
	Plan    string `json:"plan,omitempty"`    // name or number
	Service uint64 `json:"service,omitempty"` // the Yeti service that its charges are shown under
	From    string `json:"from,omitempty"`    // a date is midnight in the account's zone
	Till    string `json:"till,omitempty"`    // exclusive
	JSON    bool   `json:"json,omitempty"`
}

// DataSubscriptionView is a subscription as the command line and the native API show it.
type DataSubscriptionView struct {
	ID      string         `json:"id"`
	Account string         `json:"account_id"`
	User    string         `json:"user"`
	Plan    string         `json:"plan"`
	Terms   string         `json:"terms"`
	Service string         `json:"service_id,omitempty"`
	From    time.Time      `json:"from"`
	Till    *time.Time     `json:"till"`
	Applied *rating.Octets `json:"applied,omitempty"` // what was unassigned and is counted now
}

func newDataSubscriptionView(tx *storage.Tx, s *storage.DataSubscription) (DataSubscriptionView, error) {
	v := DataSubscriptionView{ID: strconv.FormatUint(s.ID, 10), Account: fmt.Sprint(s.Account), User: s.User, From: s.From}
	if !s.Till.IsZero() {
		v.Till = &s.Till
	}
	if s.Service != 0 {
		v.Service = strconv.FormatUint(s.Service, 10)
	}
	p, err := tx.DataPlans.Get(s.Plan)
	if err == nil {
		v.Plan, v.Terms = p.Name, p.Terms()
	}
	return v, err
}

// AddDataSubscription puts a user name of an account on a plan, and counts on it what was used before and
// is unassigned.
func AddDataSubscription(ctx context.Context, env *Env, args DataSubscriptionArgs) (v DataSubscriptionView, err error) {
	err = env.DB.Update(ctx, func(tx *storage.Tx) error {
		a, err := tx.AccountByRef(args.Account)
		if err != nil {
			return err
		}
		p, err := tx.DataPlanNamed(args.Plan)
		if err != nil {
			return err
		}
		s := &storage.DataSubscription{Account: a.ID, Plan: p.ID, User: args.User, Service: args.Service}
		if s.From, err = zoneTime("from", args.From, tx.Location(a)); err != nil {
			return err
		}
		if s.Till, err = zoneTime("till", args.Till, tx.Location(a)); err != nil {
			return err
		}
		applied, err := tx.CreateDataSubscription(s)
		if err != nil {
			return err
		}
		v, err = newDataSubscriptionView(tx, s)
		v.Applied = &applied
		return err
	})
	return v, err
}

// EndDataSubscription ends a subscription, now or at the instant that is said.
func EndDataSubscription(ctx context.Context, env *Env, args DataSubscriptionArgs) (v DataSubscriptionView, err error) {
	err = env.DB.Update(ctx, func(tx *storage.Tx) error {
		s, err := tx.DataSubscriptions.Get(args.ID)
		if err != nil {
			return err
		}
		a, err := tx.Accounts.Get(uint64(s.Account))
		if err != nil {
			return err
		}
		till, err := zoneTime("till", args.Till, tx.Location(a))
		if err != nil {
			return err
		}
		if till.IsZero() {
			till = tx.Now()
		}
		if s, err = tx.EndDataSubscription(args.ID, till); err != nil {
			return err
		}
		v, err = newDataSubscriptionView(tx, s)
		return err
	})
	return v, err
}

// DataSubscriptions returns the subscriptions of an account, of "" all, from a number on, at most limit (0: all).
func DataSubscriptions(ctx context.Context, env *Env, account string, from uint64, limit int) ([]DataSubscriptionView, error) {
	list := []DataSubscriptionView{}
	err := env.DB.View(ctx, func(tx *storage.Tx) error {
		id := rating.AccountID(0)
		if account != "" {
			a, err := tx.AccountByRef(account)
			if err != nil {
				return err
			}
			id = a.ID
		}
		return tx.DataSubscriptionsOf(id, func(s *storage.DataSubscription) (bool, error) {
			if s.ID < from {
				return true, nil
			}
			v, err := newDataSubscriptionView(tx, s)
			list = append(list, v)
			return limit == 0 || len(list) < limit, err
		})
	})
	return list, err
}

func addDataSubscription(ctx context.Context, env *Env, args DataSubscriptionArgs, o *IO) (int, error) {
	v, err := AddDataSubscription(ctx, env, args)
	return printSubscription(o, args.JSON, v, err)
}

func endDataSubscription(ctx context.Context, env *Env, args DataSubscriptionArgs, o *IO) (int, error) {
	v, err := EndDataSubscription(ctx, env, args)
	return printSubscription(o, args.JSON, v, err)
}

func printSubscription(o *IO, asJSON bool, v DataSubscriptionView, err error) (int, error) {
	if err != nil {
		return ExitFailed, err
	}
	return ExitOK, Print(o.Out, asJSON, v, func(w io.Writer) error {
		if err := subscriptionTable(w, []DataSubscriptionView{v}); err != nil || v.Applied == nil || v.Applied.IsZero() {
			return err
		}
		_, err := fmt.Fprintf(w, "\n%d bytes down and %d up that were unassigned are counted on it\n", v.Applied.Down, v.Applied.Up)
		return err
	})
}

func listDataSubscriptions(ctx context.Context, env *Env, args DataSubscriptionArgs, o *IO) (int, error) {
	list, err := DataSubscriptions(ctx, env, args.Account, 0, 0)
	if err != nil {
		return ExitFailed, err
	}
	return ExitOK, Print(o.Out, args.JSON, list, func(w io.Writer) error { return subscriptionTable(w, list) })
}

func subscriptionTable(w io.Writer, list []DataSubscriptionView) error {
	t := NewTable(w, "id", "account", "user", "plan", "terms", "service", "from", "till")
	for _, v := range list {
		till := ""
		if v.Till != nil {
			till = v.Till.Format(time.RFC3339)
		}
		t.Row(v.ID, v.Account, v.User, v.Plan, v.Terms, v.Service, v.From.Format(time.RFC3339), till)
	}
	return t.Close()
}
