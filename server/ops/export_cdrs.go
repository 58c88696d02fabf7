package ops

import (
	"context"
	"time"

	"billd/rating"
	"billd/rating/cdrformat"
	"billd/storage"
)

// CallRangeArgs pick calls, for the commands that embed them: an account's (number, UUID or name), and
// those that start in [from, to).
type CallRangeArgs struct {
	Account string `json:"account,omitempty"`
	From    string `json:"from,omitempty"`
	To      string `json:"to,omitempty"`
}

// rangeOf reads the arguments.
func (a CallRangeArgs) rangeOf(ctx context.Context, env *Env) (r storage.CallSpan, err error) {
	if r.From, err = argTime("from", a.From); err != nil {
		return r, err
	}
	if r.Till, err = argTime("to", a.To); err != nil {
		return r, err
	}
	if !r.From.IsZero() && !r.Till.IsZero() && !r.From.Before(r.Till) {
		return r, Usagef("from %s is not before to %s", a.From, a.To)
	}
	if a.Account == "" {
		return r, nil
	}
	account, err := accountNamed(ctx, env, a.Account)
	if err == nil {
		r.Account = account.ID
	}
	return r, err
}

// argTime reads an instant or a date, UTC where it names no zone; "" is the zero time.
func argTime(name, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := rating.ParseTime(text)
	if err != nil {
		return t, Usagef("%s %q: want a date or an instant like 2026-11-01T00:00:00Z", name, text)
	}
	return t, nil
}

// accountNamed finds an open account by number, UUID or name.
func accountNamed(ctx context.Context, env *Env, ref string) (a *rating.Account, err error) {
	err = env.DB.View(ctx, func(tx *storage.Tx) error {
		a, err = tx.AccountByRef(ref)
		return err
	})
	return a, err
}

// ExportCDRsArgs are `billd export-cdrs`.
type ExportCDRsArgs struct {
	CallRangeArgs
	Format string `json:"format,omitempty"` // csv when empty, or json: an object a line
}

// exportCDRs writes calls as billd's own export, in order of start.
func exportCDRs(ctx context.Context, env *Env, args ExportCDRsArgs, o *IO) (int, error) {
	format := cdrformat.CSV
	switch args.Format {
	case "", "csv":
	case "json":
		format = cdrformat.JSON
	default:
		return ExitUsage, Usagef("format %q: want csv or json", args.Format)
	}
	r, err := args.rangeOf(ctx, env)
	if err != nil {
		return ExitFailed, err
	}
	w := cdrformat.NewWriter(o.Out, format)
	done := int64(0)
	err = env.DB.ExportCalls(ctx, r, func(c *storage.ExportedCall) error {
		if done++; done%10000 == 0 {
			o.Progress(done, 0, "CDRs")
		}
		return w.Write(&cdrformat.Export{CDR: &c.CDR, Store: c.Store, UUID: c.UUID, Content: c.Content, Account: c.Payer.String(), Vendor: c.Carrier.String()})
	})
	if err != nil {
		return ExitFailed, err
	}
	return ExitOK, w.Flush()
}
