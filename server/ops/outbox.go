package ops

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"billd/rating"
	"billd/storage"
)

// OutboxArgs pick messages: one, those of a state, or all that are not done.
type OutboxArgs struct {
	ID    uint64 `json:"id,omitempty"`
	State string `json:"state,omitempty"`
	All   bool   `json:"all,omitempty"` // drop wants it said
	JSON  bool   `json:"json,omitempty"`
}

// OutboxMessage is a message of the outbox as `billd outbox` and the native API show it.
type OutboxMessage struct {
	ID        string          `json:"id"`
	UUID      string          `json:"uuid"`
	State     string          `json:"state"`
	Kind      string          `json:"kind"` // mail or webhook
	Event     string          `json:"event"`
	Account   string          `json:"account_id"` // "" when it is about none
	To        string          `json:"to"`
	Attempts  int             `json:"attempts"`
	CreatedAt time.Time       `json:"created_at"`
	DueAt     *time.Time      `json:"due_at"`  // of one that waits
	DoneAt    *time.Time      `json:"done_at"` // of one that does not
	Error     string          `json:"error"`   // of the last attempt
	Subject   string          `json:"subject,omitempty"`
	Text      string          `json:"text,omitempty"`
	Invoice   string          `json:"invoice_id,omitempty"` // whose paper is attached
	Method    string          `json:"method,omitempty"`
	Body      json.RawMessage `json:"body,omitempty"`
}

// viewMessage makes the shown form of a message; whole adds what it says.
func viewMessage(m *storage.Message, whole bool) OutboxMessage {
	v := OutboxMessage{ID: strconv.FormatUint(m.ID, 10), UUID: m.UUID.String(), State: m.State.String(), Kind: "webhook", Event: m.Event, To: m.Target(),
		Attempts: m.Attempts, CreatedAt: m.CreatedAt, Error: m.Error}
	if m.Account != 0 {
		v.Account = fmt.Sprint(m.Account)
	}
	if m.State == storage.MessageWaiting {
		v.DueAt = &m.DueAt
	} else {
		v.DoneAt = &m.DoneAt
	}
	if m.Mail != nil {
		v.Kind = "mail"
	}
	if !whole {
		return v
	}
	if m.Mail != nil {
		v.Subject, v.Text = m.Mail.Subject, m.Mail.Text
		if m.Mail.Invoice != 0 {
			v.Invoice = strconv.FormatUint(m.Mail.Invoice, 10)
		}
	}
	if m.Hook != nil {
		v.Method, v.Body = m.Hook.Method, m.Hook.Body
	}
	return v
}

// messageState reads a state's word; "" is any.
func messageState(word string) (state storage.MessageState, any bool, err error) {
	if word == "" {
		return 0, true, nil
	}
	for _, s := range storage.MessageStates() {
		if s.String() == word {
			return s, false, nil
		}
	}
	return 0, false, rating.Broken("state", "inclusion", "", "state %.20q: want waiting, sent, failed or dropped", word)
}

// ListOutbox returns messages in order of their numbers, from one on, at most limit (0: all), those of a
// state or all.
func ListOutbox(ctx context.Context, env *Env, state string, from uint64, limit int) ([]OutboxMessage, error) {
	list := []OutboxMessage{}
	want, any, err := messageState(state)
	if err != nil {
		return nil, err
	}
	err = env.DB.View(ctx, func(tx *storage.Tx) error {
		return tx.Messages.Each(from, func(m *storage.Message) (bool, error) {
			if any || m.State == want {
				list = append(list, viewMessage(m, false))
			}
			return limit == 0 || len(list) < limit, nil
		})
	})
	return list, err
}

// ShowOutbox returns a message with what it says.
func ShowOutbox(ctx context.Context, env *Env, id uint64) (v OutboxMessage, err error) {
	err = env.DB.View(ctx, func(tx *storage.Tx) error {
		m, err := tx.Messages.Get(id)
		if err == nil {
			v = viewMessage(m, true)
		}
		return err
	})
	return v, err
}

// outboxPage is how many messages are settled in one transaction.
const outboxPage = 500

// RetryOutbox makes messages due now: one, or without a number those of a state, failed when it names
// none. It returns how many.
func RetryOutbox(ctx context.Context, env *Env, id uint64, state string) (int, error) {
	return settleOutbox(ctx, env, id, state, []storage.MessageState{storage.MessageFailed}, (*storage.Tx).RetryMessage)
}

// DropOutbox gives messages up: one, or without a number those of a state, waiting and failed when it
// names none. It returns how many.
func DropOutbox(ctx context.Context, env *Env, id uint64, state string) (int, error) {
	return settleOutbox(ctx, env, id, state, []storage.MessageState{storage.MessageWaiting, storage.MessageFailed}, (*storage.Tx).DropMessage)
}

func settleOutbox(ctx context.Context, env *Env, id uint64, state string, states []storage.MessageState, settle func(*storage.Tx, uint64) error) (n int, err error) {
	ids := []uint64{id}
	if id == 0 {
		want, any, err := messageState(state)
		switch {
		case err != nil:
			return 0, err
		case want == storage.MessageSent && !any:
			return 0, rating.Errorf(rating.Conflict, "message", "what is sent is sent")
		case !any:
			states = []storage.MessageState{want}
		}
		ids = nil
		if err := env.DB.View(ctx, func(tx *storage.Tx) error {
			return tx.Messages.Each(0, func(m *storage.Message) (bool, error) {
				if slices.Contains(states, m.State) {
					ids = append(ids, m.ID)
				}
				return true, nil
			})
		}); err != nil {
			return 0, err
		}
	}
	for page := range slices.Chunk(ids, outboxPage) {
		done := 0
		err := env.DB.Update(ctx, func(tx *storage.Tx) error {
			done = 0
			for _, one := range page {
				switch err := settle(tx, one); {
				case err == nil:
					done++
				case id != 0 || rating.KindOf(err) != rating.Conflict && rating.KindOf(err) != rating.NotFound: // else it was sent meanwhile
					return err
				}
			}
			return nil
		})
		if err != nil {
			return n, err
		}
		n += done
	}
	return n, nil
}

func listOutbox(ctx context.Context, env *Env, args OutboxArgs, o *IO) (int, error) {
	list, err := ListOutbox(ctx, env, args.State, 0, 0)
	if err != nil {
		return ExitFailed, err
	}
	return ExitOK, Print(o.Out, args.JSON, list, func(w io.Writer) error {
		t := NewTable(w, "id", "state", "event", "account", "to", "attempts", "since", "error")
		for _, m := range list {
			since := m.DoneAt
			if since == nil {
				since = &m.CreatedAt
			}
			t.Row(m.ID, m.State, m.Event, m.Account, m.To, m.Attempts, since.Format(time.RFC3339), m.Error)
		}
		return t.Close()
	})
}

func showOutbox(ctx context.Context, env *Env, args OutboxArgs, o *IO) (int, error) {
	m, err := ShowOutbox(ctx, env, args.ID)
	if err != nil {
		return ExitFailed, err
	}
	return ExitOK, Print(o.Out, args.JSON, m, m.table)
}

func (m OutboxMessage) table(w io.Writer) error {
	t := NewTable(w, "field", "value")
	t.Row("id", m.ID)
	t.Row("uuid", m.UUID)
	t.Row("state", m.State)
	t.Row("event", m.Event)
	t.Row("account", m.Account)
	t.Row("to", m.To)
	t.Row("attempts", fmt.Sprintf("%d of %d", m.Attempts, storage.MaxAttempts))
	t.Row("queued", m.CreatedAt.Format(time.RFC3339))
	if m.DueAt != nil {
		t.Row("tried next", m.DueAt.Format(time.RFC3339))
	}
	if m.DoneAt != nil {
		t.Row("done", m.DoneAt.Format(time.RFC3339))
	}
	t.Row("error", m.Error)
	if m.Kind == "mail" {
		t.Row("subject", m.Subject)
		t.Row("attached", m.Invoice)
	} else {
		t.Row("method", m.Method)
	}
	if err := t.Close(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\n%s%s\n", m.Text, m.Body)
	return err
}

func retryOutbox(ctx context.Context, env *Env, args OutboxArgs, o *IO) (int, error) {
	n, err := RetryOutbox(ctx, env, args.ID, args.State)
	return settledOutbox(n, err, "due", args, o)
}

func dropOutbox(ctx context.Context, env *Env, args OutboxArgs, o *IO) (int, error) {
	if args.ID == 0 && args.State == "" && !args.All {
		return ExitUsage, Usagef("outbox drop: want an ID, --state or --all")
	}
	n, err := DropOutbox(ctx, env, args.ID, args.State)
	return settledOutbox(n, err, "dropped", args, o)
}

func settledOutbox(n int, err error, word string, args OutboxArgs, o *IO) (int, error) {
	if err != nil {
		return ExitFailed, err
	}
	return ExitOK, Print(o.Out, args.JSON, map[string]int{word: n}, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "%d messages %s\n", n, word)
		return err
	})
}
