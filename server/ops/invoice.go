package ops

import (
	"context"
	"fmt"
	"io"
	"time"

	"billd/rating"
	"billd/storage"
)

// InvoiceArgs are `billd invoice run|list|show|approve`.
type InvoiceArgs struct {
	CallRangeArgs
	ID   uint64 `json:"id,omitempty"`
	JSON bool   `json:"json,omitempty"`
}

// InvoiceView is an invoice as the command line shows it.
type InvoiceView struct {
	ID         string       `json:"id"`
	UUID       string       `json:"uuid"`
	Account    string       `json:"account_id"`
	Reference  string       `json:"reference"`
	Number     uint64       `json:"number,omitempty"`
	State      string       `json:"state"`
	Type       string       `json:"invoice_type"`
	Origin     string       `json:"origin"`
	Start      time.Time    `json:"start_date"`
	End        time.Time    `json:"end_date"`
	Spent      rating.Money `json:"amount_spent"`
	Earned     rating.Money `json:"amount_earned"`
	Originated int64        `json:"originated_calls"`
	Terminated int64        `json:"terminated_calls"`
	Services   int64        `json:"services"`
	Currency   string       `json:"currency"`
	Lines      []InvoiceRow `json:"lines,omitempty"`

	Data []rating.InvoiceData `json:"data,omitempty"` // what subscriptions used; the amounts are part of the services
}

// InvoiceRow is one line of an invoice; null is what an imported invoice did not say.
type InvoiceRow struct {
	Kind     string        `json:"kind"`
	Prefix   *string       `json:"dst_prefix"`
	Rate     *rating.Price `json:"rate"`
	Spent    bool          `json:"spent"`
	Amount   *rating.Money `json:"amount"`
	Calls    *int64        `json:"calls_count"`
	Duration *int64        `json:"calls_duration"`
	Billed   *int64        `json:"billing_duration"`
	Text     *string       `json:"text,omitempty"` // what a service plan's charge is for
}

func viewInvoice(inv *rating.Invoice) InvoiceView {
	return InvoiceView{ID: fmt.Sprint(inv.ID), UUID: inv.UUID.String(), Account: fmt.Sprint(inv.Account), Reference: inv.Reference, Number: inv.Number,
		State: inv.State.String(), Type: inv.Type.String(), Origin: inv.Origin.String(), Start: inv.Start, End: inv.End, Spent: inv.Spent, Earned: inv.Earned,
		Originated: inv.Originated.Calls, Terminated: inv.Terminated.Calls, Services: inv.ServiceCount, Currency: inv.Currency.String()}
}

// runInvoices makes what is due; with an account and a period, one invoice by hand.
func runInvoices(ctx context.Context, env *Env, args InvoiceArgs, o *IO) (int, error) {
	if args.Account == "" && args.From == "" && args.To == "" {
		made, err := RunDueInvoices(ctx, env)
		if err != nil {
			return ExitFailed, err
		}
		return ExitOK, Print(o.Out, args.JSON, map[string]int{"made": made}, func(w io.Writer) error {
			_, err := fmt.Fprintf(w, "%d invoices made\n", made)
			return err
		})
	}
	if args.Account == "" || args.From == "" || args.To == "" {
		return ExitUsage, Usagef("invoice run: want all of --account, --from and --to, or none")
	}
	account, err := accountNamed(ctx, env, args.Account)
	if err != nil {
		return ExitFailed, err
	}
	inv, err := ManualInvoice(ctx, env, account.ID, args.From, args.To)
	if err != nil {
		return ExitFailed, err
	}
	return showOne(args, o, viewInvoice(inv))
}

// ManualInvoice makes an invoice of an account for a period and fills it. A date means midnight in
// the account's zone.
func ManualInvoice(ctx context.Context, env *Env, id rating.AccountID, from, to string) (*rating.Invoice, error) {
	var inv *rating.Invoice
	err := env.DB.Update(ctx, func(tx *storage.Tx) error {
		a, err := tx.OpenAccount(id)
		if err != nil {
			return err
		}
		p := rating.Period{}
		if p.Start, err = zoneTime("from", from, tx.Location(a)); err != nil {
			return err
		}
		if p.End, err = zoneTime("to", to, tx.Location(a)); err != nil {
			return err
		}
		inv, err = tx.CreateInvoice(a, rating.InvoiceManual, p)
		return err
	})
	if err != nil {
		return nil, err
	}
	return env.DB.FillInvoice(ctx, inv.ID)
}

// zoneTime reads an instant, or a date as midnight in a zone.
func zoneTime(name, text string, loc *time.Location) (time.Time, error) {
	if t, err := time.ParseInLocation(time.DateOnly, text, loc); err == nil {
		return t, nil
	}
	return argTime(name, text)
}

func showOne(args InvoiceArgs, o *IO, v InvoiceView) (int, error) {
	return ExitOK, Print(o.Out, args.JSON, v, func(w io.Writer) error { return invoiceTable(w, []InvoiceView{v}) })
}

func invoiceTable(w io.Writer, list []InvoiceView) error {
	t := NewTable(w, "id", "account", "reference", "state", "type", "from", "to", "spent", "earned", "currency", "calls")
	for _, v := range list {
		t.Row(v.ID, v.Account, v.Reference, v.State, v.Type, v.Start.Format(time.RFC3339), v.End.Format(time.RFC3339), v.Spent, v.Earned, v.Currency, v.Originated+v.Terminated)
	}
	return t.Close()
}

func listInvoices(ctx context.Context, env *Env, args InvoiceArgs, o *IO) (int, error) {
	span, err := args.rangeOf(ctx, env)
	if err != nil {
		return ExitFailed, err
	}
	list := []InvoiceView{}
	err = env.DB.View(ctx, func(tx *storage.Tx) error {
		return tx.Invoices.Each(0, func(inv *rating.Invoice) (bool, error) {
			if (span.Account == 0 || inv.Account == span.Account) && (span.From.IsZero() || inv.End.After(span.From)) && (span.Till.IsZero() || inv.Start.Before(span.Till)) {
				list = append(list, viewInvoice(inv))
			}
			return true, nil
		})
	})
	if err != nil {
		return ExitFailed, err
	}
	return ExitOK, Print(o.Out, args.JSON, list, func(w io.Writer) error { return invoiceTable(w, list) })
}

// lineKinds are the names of an invoice's tables, by rating.LineKind.
var lineKinds = [...]string{"", "originated_destination", "originated_network", "terminated_destination", "terminated_network", "service"}

func showInvoice(ctx context.Context, env *Env, args InvoiceArgs, o *IO) (int, error) {
	var v InvoiceView
	err := env.DB.View(ctx, func(tx *storage.Tx) error {
		inv, err := tx.Invoices.Get(args.ID)
		if err != nil {
			return err
		}
		v = viewInvoice(inv)
		v.Data = inv.Data
		return tx.LinesOf(inv.ID, 0, func(l *rating.InvoiceLine) (bool, error) {
			v.Lines = append(v.Lines, InvoiceRow{lineKinds[l.Kind], l.Prefix, l.Rate, l.Spent, l.Amount, l.Calls, l.Duration, l.BillingDuration, l.Text})
			return true, nil
		})
	})
	if err != nil {
		return ExitFailed, err
	}
	return ExitOK, Print(o.Out, args.JSON, v, func(w io.Writer) error {
		if err := invoiceTable(w, []InvoiceView{v}); err != nil {
			return err
		}
		fmt.Fprintln(w)
		t := NewTable(w, "kind", "prefix", "rate", "calls", "seconds", "billed", "amount", "text")
		for _, l := range v.Lines {
			t.Row(l.Kind, orNothing(l.Prefix), orNothing(l.Rate), orNothing(l.Calls), orNothing(l.Duration), orNothing(l.Billed), orNothing(l.Amount), orNothing(l.Text))
		}
		if err := t.Close(); err != nil || len(v.Data) == 0 {
			return err
		}
		fmt.Fprintln(w)
		return invoiceDataTable(w, v.Data)
	})
}

// orNothing is a cell of what may be null.
func orNothing[T any](p *T) any {
	if p == nil {
		return ""
	}
	return *p
}

func approveInvoice(ctx context.Context, env *Env, args InvoiceArgs, o *IO) (int, error) {
	var inv *rating.Invoice
	err := env.DB.Update(ctx, func(tx *storage.Tx) (err error) {
		if inv, err = tx.ApproveInvoice(args.ID); err != nil {
			return err
		}
		return tx.SendInvoice(inv)
	})
	if err != nil {
		return ExitFailed, err
	}
	return showOne(args, o, viewInvoice(inv))
}
