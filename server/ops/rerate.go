package ops

import (
	"context"
	"fmt"
	"io"
	"strings"

	"billd/rating"
	"billd/storage"
)

// RerateArgs are `billd rerate`.
type RerateArgs struct {
	CallRangeArgs
	Deck   string `json:"deck,omitempty"`   // name: calls that it prices, or did
	Prefix string `json:"prefix,omitempty"` // of the number that was dialled
	DryRun bool   `json:"dry_run,omitempty"`
	JSON   bool   `json:"json,omitempty"`
}

// RerateReport is what rerate prints. Amounts are effects on balances, decimal strings.
type RerateReport struct {
	DryRun   bool            `json:"dry_run"`
	Examined int             `json:"examined"`
	Changed  int             `json:"changed"`
	Same     int             `json:"same"`
	History  int             `json:"history"` // never rated again
	Failed   int             `json:"failed"`  // cannot be charged now, keep their figures
	Accounts []RerateAccount `json:"accounts"`
	Failures []RerateFailure `json:"failures,omitempty"` // the first ones
}

// RerateAccount is what changes for one account.
type RerateAccount struct {
	Account  string       `json:"account_id"`
	Name     string       `json:"name"`
	Currency string       `json:"currency"`
	Calls    int          `json:"calls"`
	Was      rating.Money `json:"was"`
	Is       rating.Money `json:"is"`
	Change   rating.Money `json:"change"`
	Reversed rating.Money `json:"reversed"` // of change, posted because the calls are on approved invoices
}

// RerateFailure is one call that cannot be charged now.
type RerateFailure struct {
	ID     string `json:"id"`
	Reason string `json:"reason"`
	Detail string `json:"detail"`
}

// rerate prints what would change, and then changes it unless the run is dry.
func rerate(ctx context.Context, env *Env, args RerateArgs, o *IO) (int, error) {
	span, err := args.span(ctx, env)
	if err != nil {
		return ExitFailed, err
	}
	report, err := rerateSpan(ctx, env, span, true, o)
	if err != nil {
		return ExitFailed, err
	}
	if !args.DryRun {
		if !args.JSON {
			if err := report.table(o.Err); err != nil {
				return ExitFailed, err
			}
		}
		if report, err = rerateSpan(ctx, env, span, false, o); err != nil {
			return ExitFailed, err
		}
	}
	report.printFailures(o.Err)
	if err := Print(o.Out, args.JSON, report, report.table); err != nil {
		return ExitFailed, err
	}
	if report.Failed > 0 {
		return ExitPartly, nil
	}
	return ExitOK, nil
}

// rerateSpan charges calls again, or only works out what would change. What was done before an error stays.
func rerateSpan(ctx context.Context, env *Env, span storage.RerateSpan, dry bool, o *IO) (*RerateReport, error) {
	sum, err := env.DB.Rerate(ctx, span, dry, func(done int) { o.Progress(int64(done), 0, "CDRs") })
	if err != nil && !dry {
		err = fmt.Errorf("%d calls are rerated and stay so, run it again for the others: %w", sum.Changed, err)
	}
	if err != nil {
		return nil, err
	}
	report, err := newRerateReport(ctx, env, sum, dry)
	if err != nil || dry {
		return &report, err
	}
	note := fmt.Sprintf("rerate: %d examined, %d changed, %d same, %d history, %d failed", sum.Examined, sum.Changed, sum.Same, sum.History, sum.Failed)
	return &report, env.DB.NoteJob(ctx, "cdr", note)
}

// printFailures tells the first calls that cannot be charged now.
func (r *RerateReport) printFailures(w io.Writer) {
	for _, f := range r.Failures {
		fmt.Fprintf(w, "CDR %s keeps its figures: %s: %s\n", f.ID, f.Reason, f.Detail)
	}
}

func (a RerateArgs) span(ctx context.Context, env *Env) (span storage.RerateSpan, err error) {
	if span.CallSpan, err = a.rangeOf(ctx, env); err != nil {
		return span, err
	}
	span.Prefix = strings.TrimPrefix(a.Prefix, "+")
	if strings.Trim(span.Prefix, "0123456789") != "" {
		return span, Usagef("prefix %q: want digits", a.Prefix)
	}
	if a.Deck != "" {
		deck := env.DB.Catalog().Named(a.Deck)
		if deck == nil {
			return span, rating.Errorf(rating.NotFound, "deck", "deck %.100q does not exist", a.Deck)
		}
		span.Deck = deck.ID
	}
	return span, nil
}

func newRerateReport(ctx context.Context, env *Env, sum storage.RerateSum, dry bool) (RerateReport, error) {
	r := RerateReport{DryRun: dry, Examined: sum.Examined, Changed: sum.Changed, Same: sum.Same, History: sum.History, Failed: sum.Failed, Accounts: []RerateAccount{}}
	for _, f := range sum.Failures {
		r.Failures = append(r.Failures, RerateFailure{fmt.Sprint(f.ID), f.Reason, f.Detail})
	}
	err := env.DB.View(ctx, func(tx *storage.Tx) error {
		for _, c := range sum.Accounts {
			a, err := tx.Accounts.Get(uint64(c.Account))
			if err != nil {
				return err
			}
			change, err := c.Is.Sub(c.Was)
			if err != nil {
				return err
			}
			r.Accounts = append(r.Accounts, RerateAccount{fmt.Sprint(a.ID), a.Name, a.Currency.String(), c.Calls, c.Was, c.Is, change, c.Reversed})
		}
		return nil
	})
	return r, err
}

func (r *RerateReport) table(w io.Writer) error {
	head := "rerated"
	if r.DryRun {
		head = "preview"
	}
	fmt.Fprintf(w, "%s: %d examined: %d changed, %d same, %d history, %d failed\n", head, r.Examined, r.Changed, r.Same, r.History, r.Failed)
	if len(r.Accounts) == 0 {
		return nil
	}
	t := NewTable(w, "account", "name", "calls", "was", "is", "change", "posted", "currency")
	for _, a := range r.Accounts {
		t.Row(a.Account, a.Name, a.Calls, a.Was, a.Is, a.Change, a.Reversed, a.Currency)
	}
	return t.Close()
}
