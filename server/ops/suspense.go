package ops

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"billd/rating"
	"billd/storage"
)

// SuspenseArgs pick held calls: one, those that the other fields pick together, or all of them.
type SuspenseArgs struct {
	ID      uint64            `json:"id,omitempty"`
	Reason  string            `json:"reason,omitempty"`
	Account string            `json:"account,omitempty"` // who would pay: number, uuid or name
	From    string            `json:"from,omitempty"`    // of the calls' start
	To      string            `json:"to,omitempty"`      // exclusive
	All     bool              `json:"all,omitempty"`     // drop wants it said
	Counts  bool              `json:"counts,omitempty"`  // list counts by reason only
	Set     map[string]string `json:"set,omitempty"`     // what edit changes: column → text, "" takes it away
	JSON    bool              `json:"json,omitempty"`
}

// Filter reads the arguments that pick.
func (a SuspenseArgs) Filter() (f storage.SuspenseFilter, err error) {
	f = storage.SuspenseFilter{ID: a.ID, Reason: a.Reason, Account: a.Account}
	if a.From != "" {
		if f.From, err = parseInstant(a.From, time.UTC); err != nil {
			return f, badArgument("from", "from %w", err)
		}
	}
	if a.To != "" {
		if f.Till, err = parseInstant(a.To, time.UTC); err != nil {
			return f, badArgument("to", "to %w", err)
		}
	}
	return f, nil
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
	readable, err := s.Read(&call)
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
	h.Record, err = s.Record()
	return h, err
}

// ListSuspense returns the held calls that a filter picks in order of their numbers, from one on, at most limit (0: all).
func ListSuspense(ctx context.Context, env *Env, f storage.SuspenseFilter, from uint64, limit int) ([]HeldCDR, error) {
	list := []HeldCDR{}
	err := env.DB.View(ctx, func(tx *storage.Tx) error {
		return tx.EachSuspended(from, f, func(s *storage.Suspended) (bool, error) {
			h, err := NewHeldCDR(s, false)
			list = append(list, h)
			return limit == 0 || len(list) < limit, err
		})
	})
	return list, err
}

// ReasonCount is how many calls are held for one reason.
type ReasonCount struct {
	Reason string `json:"reason"`
	Count  int    `json:"count"`
}

// CountSuspense counts the held calls that a filter picks, the commonest reason first.
func CountSuspense(ctx context.Context, env *Env, f storage.SuspenseFilter) ([]ReasonCount, error) {
	list := []ReasonCount{}
	err := env.DB.View(ctx, func(tx *storage.Tx) error {
		counts, err := tx.SuspendedBy(f)
		for reason, n := range counts {
			list = append(list, ReasonCount{reason, n})
		}
		return err
	})
	slices.SortFunc(list, func(a, b ReasonCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Reason, b.Reason))
	})
	return list, err
}

func listSuspense(ctx context.Context, env *Env, args SuspenseArgs, o *IO) (int, error) {
	f, err := args.Filter()
	if err != nil {
		return ExitFailed, err
	}
	if args.Counts {
		return countSuspense(ctx, env, f, args.JSON, o)
	}
	list, err := ListSuspense(ctx, env, f, 0, 0)
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
		if err := t.Close(); err != nil || len(list) == 0 {
			return err
		}
		fmt.Fprintln(w)
		counts, err := CountSuspense(ctx, env, f)
		if err != nil {
			return err
		}
		return printReasons(w, counts)
	})
}

func countSuspense(ctx context.Context, env *Env, f storage.SuspenseFilter, asJSON bool, o *IO) (int, error) {
	counts, err := CountSuspense(ctx, env, f)
	if err != nil {
		return ExitFailed, err
	}
	return ExitOK, Print(o.Out, asJSON, counts, func(w io.Writer) error { return printReasons(w, counts) })
}

func printReasons(w io.Writer, counts []ReasonCount) error {
	t := NewTable(w, "reason", "held")
	total := 0
	for _, c := range counts {
		t.Row(c.Reason, c.Count)
		total += c.Count
	}
	t.Row("all", total)
	return t.Close()
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
	Tried      int `json:"tried"`
	Rated      int `json:"rated"`
	Free       int `json:"free"`
	Duplicates int `json:"duplicates"` // the same call was charged meanwhile
	Suspended  int `json:"suspended"`  // still
}

// RetrySuspense tries again the held calls that a filter picks. Records that could not be read are read by what the
// profile of their source says now.
func RetrySuspense(ctx context.Context, env *Env, f storage.SuspenseFilter, progress func(done int)) (sum RetriedCDRs, err error) {
	err = env.DB.RetrySuspense(ctx, f, readAgain(env.DB.Catalog()), func(verdicts []rating.Verdict) {
		for _, v := range verdicts {
			sum.Tried++
			switch v.Outcome {
			case rating.OutcomeRated:
				sum.Rated++
			case rating.OutcomeFree:
				sum.Free++
			case rating.OutcomeDuplicate:
				sum.Duplicates++
			default:
				sum.Suspended++
			}
		}
		progress(sum.Tried)
	})
	return sum, err
}

func retrySuspense(ctx context.Context, env *Env, args SuspenseArgs, o *IO) (int, error) {
	f, err := args.Filter()
	if err != nil {
		return ExitFailed, err
	}
	sum, err := RetrySuspense(ctx, env, f, func(done int) { o.Progress(int64(done), 0, "CDRs") })
	if err != nil {
		return ExitFailed, err
	}
	err = Print(o.Out, args.JSON, sum, func(w io.Writer) error {
		t := NewTable(w, "tried", "rated", "free", "duplicates", "still held")
		t.Row(sum.Tried, sum.Rated, sum.Free, sum.Duplicates, sum.Suspended)
		return t.Close()
	})
	if err == nil && sum.Suspended > 0 {
		return ExitPartly, nil
	}
	return ExitOK, err
}

func dropSuspense(ctx context.Context, env *Env, args SuspenseArgs, o *IO) (int, error) {
	f, err := args.Filter()
	if err != nil {
		return ExitFailed, err
	}
	if f == (storage.SuspenseFilter{}) && !args.All {
		return ExitUsage, Usagef("suspense drop: want an ID, what picks, or --all")
	}
	n := 0
	err = env.DB.DropSuspense(ctx, f, func(dropped []rating.Verdict) {
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
