package ops

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"billd/rating"
	"billd/rating/cdrformat"
	"billd/storage"
)

// Limits of a dry run of an import.
const (
	dryView      = 100_000 // records that are tried against one state of the store, which remembers what they were
	shownPayers  = 50      // accounts in the table of a dry run
	dryCancelled = 1000    // records between two looks at whether anybody still waits
)

// TriedCDRs is what import-cdrs --dry-run prints: what the file would become, and who would pay what. History is
// paid by nobody.
type TriedCDRs struct {
	ImportedCDRs
	Accounts []PaidCDRs `json:"accounts"` // the highest amount first
	DryRun   bool       `json:"dry_run"`  // true: nothing was charged
}

// PaidCDRs is what one account would pay for a file's calls, in one currency.
type PaidCDRs struct {
	ID       uint64       `json:"account_id"`
	Account  string       `json:"account"`
	Calls    int          `json:"calls"`
	Seconds  int64        `json:"seconds"` // of talk
	Price    rating.Money `json:"price"`
	Currency string       `json:"currency"`
}

// payer is whose calls are added up.
type payer struct {
	account  rating.AccountID
	currency rating.Currency
}

// dryCDRs is what becomes of a file that is tried.
type dryCDRs struct {
	args    *ImportCDRsArgs
	seen    map[rating.CallKey]struct{} // of this file: a later View does not know them
	paid    map[payer]*PaidCDRs
	skipped map[string]int
	sum     ImportedCDRs
}

// tryCDRs works out what import-cdrs would make of a file and writes nothing. What bundles still hold, and what
// the fraud guard has counted, is seen anew every dryView records.
func tryCDRs(ctx context.Context, env *Env, args *ImportCDRsArgs, r *cdrformat.Reader, o *IO) (*TriedCDRs, map[string]int, error) {
	d := &dryCDRs{args: args, seen: map[rating.CallKey]struct{}{}, paid: map[payer]*PaidCDRs{}, skipped: map[string]int{},
		sum: ImportedCDRs{Unknown: r.Unknown(), Format: r.Format().String()}}
	for done := false; !done; {
		err := env.DB.View(ctx, func(tx *storage.Tx) (err error) {
			done, err = d.read(ctx, tx, r, o)
			return err
		})
		if err != nil {
			return nil, nil, err
		}
	}
	t := &TriedCDRs{ImportedCDRs: d.sum, Accounts: []PaidCDRs{}, DryRun: true}
	for _, p := range d.paid {
		t.Accounts = append(t.Accounts, *p)
	}
	slices.SortFunc(t.Accounts, func(a, b PaidCDRs) int { return cmp.Or(cmp.Compare(b.Price, a.Price), cmp.Compare(a.ID, b.ID)) })
	return t, d.skipped, nil
}

// read tries records until one View has seen enough, or the file ends.
func (d *dryCDRs) read(ctx context.Context, tx *storage.Tx, r *cdrformat.Reader, o *IO) (done bool, err error) {
	for n := range dryView {
		if n%dryCancelled == 0 {
			o.Progress(r.Offset(), d.args.Input.Size, "bytes")
			if err := ctx.Err(); err != nil {
				return false, err
			}
		}
		var call rating.Call
		var rec cdrformat.Record
		if err := r.Read(&call, &rec); errors.Is(err, io.EOF) {
			return true, nil
		} else if err != nil {
			return false, err
		}
		switch {
		case rec.Skipped != "":
			d.skipped[rec.Skipped]++
			d.sum.Skipped++
			continue
		case rec.Bad != "":
			d.count(rec.Line, rating.Verdict{Outcome: rating.OutcomeSuspended, Reason: rating.ReasonBadRecord, Detail: rec.Bad})
			continue
		}
		call.Rated = call.Rated || d.args.Rated
		v, err := tx.Try(&call)
		if err != nil {
			return false, err
		}
		if err := d.take(rec.Line, &call, v); err != nil {
			return false, err
		}
	}
	return false, nil
}

// take counts a call that was tried.
func (d *dryCDRs) take(line int, call *rating.Call, v rating.Verdict) error {
	if v.Outcome == rating.OutcomeRated || v.Outcome == rating.OutcomeFree {
		if _, again := d.seen[v.Key]; again {
			v.Outcome = rating.OutcomeDuplicate
		} else {
			d.seen[v.Key] = struct{}{}
		}
	}
	d.count(line, v)
	if call.Rated || v.Customer == nil || v.Outcome != rating.OutcomeRated && v.Outcome != rating.OutcomeFree {
		return nil
	}
	who := payer{v.Customer.ID, v.Currency}
	p := d.paid[who]
	if p == nil {
		p = &PaidCDRs{ID: uint64(v.Customer.ID), Account: v.Customer.Name, Currency: v.Currency.String()}
		d.paid[who] = p
	}
	p.Calls++
	p.Seconds += call.Int(rating.CDRDuration)
	var err error
	p.Price, err = p.Price.Add(v.Price)
	return err
}

func (d *dryCDRs) count(line int, v rating.Verdict) {
	d.sum.count(&cdrBatch{lines: []int{line}}, []rating.Verdict{v})
}

// dryImport is import-cdrs --dry-run.
func dryImport(ctx context.Context, env *Env, args *ImportCDRsArgs, r *cdrformat.Reader, o *IO) (int, error) {
	t, skipped, err := tryCDRs(ctx, env, args, r, o)
	if err != nil {
		return ExitFailed, fmt.Errorf("%s: %w", args.Input.Name, err)
	}
	for _, bad := range t.Rejected {
		fmt.Fprintf(o.Err, "%s: line %d: %s: %s\n", args.Input.Name, bad.Line, bad.Reason, bad.Detail)
	}
	if more := t.Suspended - len(t.Rejected); more > 0 {
		fmt.Fprintf(o.Err, "%s: and %d more, see billd cdr explain --held\n", args.Input.Name, more)
	}
	for _, why := range slices.Sorted(maps.Keys(skipped)) {
		fmt.Fprintf(o.Err, "%s: %d would be passed over: %s\n", args.Input.Name, skipped[why], why)
	}
	if err := Print(o.Out, args.JSON, t, t.table); err != nil {
		return ExitFailed, err
	}
	if t.Suspended > 0 {
		return ExitPartly, nil
	}
	return ExitOK, nil
}

func (t *TriedCDRs) table(w io.Writer) error {
	fmt.Fprintf(w, "format %s\n", t.Format)
	rows := NewTable(w, "read", "rated", "free", "duplicates", "suspended")
	rows.Row(t.Read, t.Rated, t.Free, t.Duplicates, t.Suspended)
	if err := rows.Close(); err != nil {
		return err
	}
	if len(t.Accounts) > 0 {
		fmt.Fprintln(w)
		rows = NewTable(w, "account", "name", "calls", "seconds", "price", "currency")
		for _, p := range t.Accounts[:min(len(t.Accounts), shownPayers)] {
			rows.Row(p.ID, p.Account, p.Calls, p.Seconds, p.Price, p.Currency)
		}
		if err := rows.Close(); err != nil {
			return err
		}
		if more := len(t.Accounts) - shownPayers; more > 0 {
			fmt.Fprintf(w, "and %d accounts more, see --json\n", more)
		}
	}
	_, err := fmt.Fprintln(w, "dry run: nothing was charged")
	return err
}
