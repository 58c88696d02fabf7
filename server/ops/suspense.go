package ops

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"billd/rating"
	"billd/storage"
)

// SuspenseArgs pick held calls: one, those of a reason, or all of them.
type SuspenseArgs struct {
	ID     uint64 `json:"id,omitempty"`
	Reason string `json:"reason,omitempty"`
	All    bool   `json:"all,omitempty"` // drop wants it said
	JSON   bool   `json:"json,omitempty"`
}

// HeldCDR is one call in suspense, as `billd suspense list` and the native API show it.
type HeldCDR struct {
	ID        string            `json:"id"`
	Reason    string            `json:"reason"`
	Detail    string            `json:"detail"`
	HeldAt    time.Time         `json:"held_at"`
	Attempts  int               `json:"attempts"`
	Source    string            `json:"source"`
	Account   string            `json:"account"`
	TimeStart *time.Time        `json:"time_start"`
	Dst       string            `json:"dst"`
	CallID    string            `json:"call_id"`
	Record    map[string]string `json:"record,omitempty"` // the columns that were read
	Raw       string            `json:"raw,omitempty"`    // the record as it came, when it could not be read
}

// NewHeldCDR makes the shown form of a suspense row; whole adds the record.
func NewHeldCDR(s *storage.Suspended, whole bool) (HeldCDR, error) {
	var call rating.Call
	readable, err := s.HeldCall(&call)
	h := HeldCDR{ID: strconv.FormatUint(s.ID, 10), Reason: s.Reason, Detail: s.Detail, HeldAt: s.At, Attempts: s.Attempts, Source: s.Source, Account: s.Account}
	if err != nil || !readable {
		if whole {
			h.Raw = s.Raw
		}
		return h, err
	}
	if start := call.Time(rating.CDRTimeStart); !start.IsZero() {
		h.TimeStart = &start
	}
	h.CallID = call.CallID()
	if h.Dst = call.Text(rating.CDRDstPrefixRouting); h.Dst == "" {
		h.Dst = call.Text(rating.CDRDstPrefixIn)
	}
	if h.Account == "" && call.Customer() != 0 {
		h.Account = fmt.Sprint(call.Customer())
	}
	if !whole {
		return h, nil
	}
	h.Record = map[string]string{}
	for f := range rating.CDRField(rating.NumCDRFields) {
		if call.Has(f) {
			h.Record[f.Name()] = call.Format(f)
		}
	}
	return h, nil
}

// ListSuspense returns held calls in order of their numbers, from one on, at most limit (0: all).
func ListSuspense(ctx context.Context, env *Env, reason string, from uint64, limit int) ([]HeldCDR, error) {
	list := []HeldCDR{}
	err := env.DB.View(ctx, func(tx *storage.Tx) error {
		return tx.Suspense.Each(from, func(s *storage.Suspended) (bool, error) {
			if reason != "" && s.Reason != reason {
				return true, nil
			}
			h, err := NewHeldCDR(s, false)
			list = append(list, h)
			return limit == 0 || len(list) < limit, err
		})
	})
	return list, err
}

func listSuspense(ctx context.Context, env *Env, args SuspenseArgs, o *IO) (int, error) {
	list, err := ListSuspense(ctx, env, args.Reason, 0, 0)
	if err != nil {
		return ExitFailed, err
	}
	return ExitOK, Print(o.Out, args.JSON, list, func(w io.Writer) error {
		t := NewTable(w, "id", "reason", "start", "account", "dst", "call id", "detail")
		for _, h := range list {
			start := ""
			if h.TimeStart != nil {
				start = h.TimeStart.Format(time.RFC3339)
			}
			t.Row(h.ID, h.Reason, start, h.Account, h.Dst, h.CallID, h.Detail)
		}
		return t.Close()
	})
}

func showSuspense(ctx context.Context, env *Env, args SuspenseArgs, o *IO) (int, error) {
	var h HeldCDR
	err := env.DB.View(ctx, func(tx *storage.Tx) error {
		s, err := tx.Suspense.Get(args.ID)
		if err != nil {
			return err
		}
		h, err = NewHeldCDR(s, true)
		return err
	})
	if err != nil {
		return ExitFailed, err
	}
	return ExitOK, Print(o.Out, args.JSON, h, h.table)
}

func (h HeldCDR) table(w io.Writer) error {
	t := NewTable(w, "field", "value")
	t.Row("id", h.ID)
	t.Row("reason", h.Reason)
	t.Row("detail", h.Detail)
	t.Row("held since", h.HeldAt.Format(time.RFC3339))
	t.Row("attempts", h.Attempts)
	t.Row("account", h.Account)
	names := make([]string, 0, len(h.Record))
	for name := range h.Record {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		t.Row(name, h.Record[name])
	}
	if h.Raw != "" {
		t.Row("as it came", h.Raw)
	}
	return t.Close()
}

// RetriedCDRs is what became of held calls that were tried again.
type RetriedCDRs struct {
	Tried     int `json:"tried"`
	Rated     int `json:"rated"`
	Free      int `json:"free"`
	Suspended int `json:"suspended"` // still
}

// RetrySuspense tries held calls again: one (id), those of a reason, or all.
func RetrySuspense(ctx context.Context, env *Env, id uint64, reason string, progress func(done int)) (sum RetriedCDRs, err error) {
	err = env.DB.RetrySuspense(ctx, storage.SuspenseFilter{ID: id, Reason: reason}, func(verdicts []rating.Verdict) {
		for _, v := range verdicts {
			sum.Tried++
			switch v.Outcome {
			case rating.OutcomeRated:
				sum.Rated++
			case rating.OutcomeFree, rating.OutcomeDuplicate:
				sum.Free++
			default:
				sum.Suspended++
			}
		}
		progress(sum.Tried)
	})
	return sum, err
}

func retrySuspense(ctx context.Context, env *Env, args SuspenseArgs, o *IO) (int, error) {
	sum, err := RetrySuspense(ctx, env, args.ID, args.Reason, func(done int) { o.Progress(int64(done), 0, "CDRs") })
	if err != nil {
		return ExitFailed, err
	}
	err = Print(o.Out, args.JSON, sum, func(w io.Writer) error {
		t := NewTable(w, "tried", "rated", "free", "still held")
		t.Row(sum.Tried, sum.Rated, sum.Free, sum.Suspended)
		return t.Close()
	})
	if err == nil && sum.Suspended > 0 {
		return ExitPartly, nil
	}
	return ExitOK, err
}

func dropSuspense(ctx context.Context, env *Env, args SuspenseArgs, o *IO) (int, error) {
	if args.ID == 0 && args.Reason == "" && !args.All {
		return ExitUsage, Usagef("suspense drop: want an ID, --reason or --all")
	}
	n := 0
	err := env.DB.DropSuspense(ctx, storage.SuspenseFilter{ID: args.ID, Reason: args.Reason}, func(dropped []rating.Verdict) {
		n += len(dropped)
		o.Progress(int64(n), 0, "CDRs")
	})
	if err != nil {
		return ExitFailed, err
	}
	return ExitOK, Print(o.Out, args.JSON, map[string]int{"dropped": n}, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "%d dropped\n", n)
		return err
	})
}
