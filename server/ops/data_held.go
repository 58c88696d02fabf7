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

// HeldDataArgs pick held records of sessions: one, those of a reason or user, or all.
type HeldDataArgs struct {
	ID     uint64 `json:"id,omitempty"`
	Reason string `json:"reason,omitempty"`
	User   string `json:"user,omitempty"`
	Accept bool   `json:"accept,omitempty"` // retry: also what passed too much in its time
	All    bool   `json:"all,omitempty"`    // drop wants it said
	JSON   bool   `json:"json,omitempty"`
}

func (a HeldDataArgs) filter() storage.HeldFilter {
	return storage.HeldFilter{ID: a.ID, Reason: a.Reason, User: a.User}
}

// HeldDataView is a held record as the command line and the native API show it.
type HeldDataView struct {
	ID      string    `json:"id"`
	Reason  string    `json:"reason"`
	Detail  string    `json:"detail"`
	HeldAt  time.Time `json:"held_at"`
	Times   uint64    `json:"times"`
	Source  string    `json:"source"`
	Session string    `json:"session"`
	User    string    `json:"user"`
	Status  string    `json:"status"`
	At      time.Time `json:"time"`
	Input   uint64    `json:"input_octets"`
	Output  uint64    `json:"output_octets"`
	Seconds uint32    `json:"seconds"`
}

// HeldData returns the held records that are picked, from a number on, at most limit (0: all).
func HeldData(ctx context.Context, env *Env, args HeldDataArgs, from uint64, limit int) ([]HeldDataView, error) {
	list := []HeldDataView{}
	err := env.DB.View(ctx, func(tx *storage.Tx) error {
		return tx.EachHeldData(from, args.filter(), func(h *storage.HeldData) (bool, error) {
			r := &h.Record
			list = append(list, HeldDataView{ID: strconv.FormatUint(h.ID, 10), Reason: h.Reason, Detail: h.Detail, HeldAt: h.At, Times: h.Times, Source: r.Source, Session: r.Session,
				User: r.User, Status: r.Status.String(), At: r.At, Input: r.Input, Output: r.Output, Seconds: r.Seconds})
			return limit == 0 || len(list) < limit, nil
		})
	})
	return list, err
}

// HeldDataSum is what became of held records: Tried is the sum of the others.
type HeldDataSum struct {
	Tried int `json:"tried"`
	Taken int `json:"taken"`
	Held  int `json:"held"`
}

// RetryHeldData takes the held records that are picked in again, a batch a transaction.
func RetryHeldData(ctx context.Context, env *Env, args HeldDataArgs) (sum HeldDataSum, err error) {
	err = eachHeldBatch(ctx, env, args, func(tx *storage.Tx, ids []uint64) (func(), error) {
		taken := 0
		for _, id := range ids {
			v, err := tx.RetryHeldData(id, args.Accept)
			if err != nil {
				return nil, err
			}
			if v.Outcome != rating.DataHeld {
				taken++
			}
		}
		return func() {
			sum.Tried, sum.Taken, sum.Held = sum.Tried+len(ids), sum.Taken+taken, sum.Held+len(ids)-taken
		}, nil
	})
	return sum, err
}

// DropHeldData gives the held records that are picked up, and returns how many.
func DropHeldData(ctx context.Context, env *Env, args HeldDataArgs) (dropped int, err error) {
	err = eachHeldBatch(ctx, env, args, func(tx *storage.Tx, ids []uint64) (func(), error) {
		for _, id := range ids {
			if err := tx.DropHeldData(id); err != nil {
				return nil, err
			}
		}
		return func() { dropped += len(ids) }, nil
	})
	return dropped, err
}

// eachHeldBatch calls fn, each time in a transaction, with the numbers of the held records that are picked,
// and what fn returned once that is durable.
func eachHeldBatch(ctx context.Context, env *Env, args HeldDataArgs, fn func(*storage.Tx, []uint64) (func(), error)) error {
	from := uint64(1)
	for {
		var ids []uint64
		err := env.DB.View(ctx, func(tx *storage.Tx) error {
			return tx.EachHeldData(from, args.filter(), func(h *storage.HeldData) (bool, error) {
				ids = append(ids, h.ID)
				return len(ids) < maxDataBatch, nil
			})
		})
		if err != nil || len(ids) == 0 {
			return err
		}
		var done func()
		err = env.DB.Update(ctx, func(tx *storage.Tx) (err error) {
			done, err = fn(tx, ids)
			return err
		})
		if err != nil {
			return err
		}
		done()
		if from = ids[len(ids)-1] + 1; args.ID != 0 {
			return nil
		}
	}
}

func listHeldData(ctx context.Context, env *Env, args HeldDataArgs, o *IO) (int, error) {
	list, err := HeldData(ctx, env, args, 0, 0)
	if err != nil {
		return ExitFailed, err
	}
	return ExitOK, Print(o.Out, args.JSON, list, func(w io.Writer) error {
		t := NewTable(w, "id", "reason", "times", "source", "session", "user", "status", "time", "input", "output", "detail")
		for _, h := range list {
			t.Row(h.ID, h.Reason, h.Times, h.Source, h.Session, h.User, h.Status, h.At.Format(time.RFC3339), h.Input, h.Output, h.Detail)
		}
		return t.Close()
	})
}

func retryHeldData(ctx context.Context, env *Env, args HeldDataArgs, o *IO) (int, error) {
	sum, err := RetryHeldData(ctx, env, args)
	if err != nil {
		return ExitFailed, err
	}
	err = Print(o.Out, args.JSON, sum, func(w io.Writer) error {
		t := NewTable(w, "tried", "taken", "held")
		t.Row(sum.Tried, sum.Taken, sum.Held)
		return t.Close()
	})
	if err == nil && sum.Held > 0 {
		return ExitPartly, nil
	}
	return ExitOK, err
}

func dropHeldData(ctx context.Context, env *Env, args HeldDataArgs, o *IO) (int, error) {
	if args.filter() == (storage.HeldFilter{}) && !args.All {
		return ExitUsage, Usagef("data held drop: say which: an ID, --reason, --user, or --all")
	}
	n, err := DropHeldData(ctx, env, args)
	if err != nil {
		return ExitFailed, err
	}
	return ExitOK, Print(o.Out, args.JSON, map[string]int{"dropped": n}, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "%d dropped\n", n)
		return err
	})
}
