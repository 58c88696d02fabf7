package ops

import (
	"context"
	"io"
	"time"

	"billd/storage"
)

// WaitingArgs pick calls of which one half is missing.
type WaitingArgs struct {
	Source string `json:"source,omitempty"`
	JSON   bool   `json:"json,omitempty"`
}

// WaitingCall is a call of which the INVITE or the BYE came alone.
type WaitingCall struct {
	ID      uint64     `json:"id"`
	Source  string     `json:"source"`
	Key     string     `json:"key"` // Call-ID and tags
	Missing string     `json:"missing"`
	Start   *time.Time `json:"time_start,omitempty"`
	End     *time.Time `json:"time_end,omitempty"`
	HeardAt time.Time  `json:"heard_at"`
	DueAt   time.Time  `json:"due_at"` // when it goes to suspense
}

const maxWaitingShown = 10_000 // calls that one list tells of

// WaitingCalls returns the calls that wait for their other half, in the order in which they were heard of.
func WaitingCalls(ctx context.Context, env *Env, source string) ([]WaitingCall, error) {
	calls := []WaitingCall{}
	err := env.DB.View(ctx, func(tx *storage.Tx) error {
		return tx.Dialogs.Each(0, func(d *storage.Dialog) (bool, error) {
			if !d.Waiting() || source != "" && d.Source != source {
				return true, nil
			}
			w := WaitingCall{ID: d.ID, Source: d.Source, Key: d.Key, Missing: "BYE", HeardAt: d.HeardAt, DueAt: d.DueAt}
			if d.StartAt.IsZero() {
				w.Missing, w.End = "INVITE", &d.EndAt
			} else {
				w.Start = &d.StartAt
			}
			calls = append(calls, w)
			return len(calls) < maxWaitingShown, nil
		})
	})
	return calls, err
}

func listWaiting(ctx context.Context, env *Env, args WaitingArgs, o *IO) (int, error) {
	calls, err := WaitingCalls(ctx, env, args.Source)
	if err != nil {
		return ExitFailed, err
	}
	return ExitOK, Print(o.Out, args.JSON, calls, func(w io.Writer) error {
		t := NewTable(w, "id", "source", "call", "missing", "time", "heard", "to suspense")
		for _, c := range calls {
			at := c.Start
			if at == nil {
				at = c.End
			}
			t.Row(c.ID, c.Source, c.Key, c.Missing, stampOf(*at), stampOf(c.HeardAt), stampOf(c.DueAt))
		}
		return t.Close()
	})
}
