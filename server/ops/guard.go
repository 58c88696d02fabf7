package ops

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"billd/rating"
	"billd/storage"
)

// GuardArgs are `billd guard …`: a rule and how it is set, of one account or of all.
type GuardArgs struct {
	Account  string   `json:"account,omitempty"` // number, uuid or name; "" is the defaults
	Rule     string   `json:"rule,omitempty"`    // a rule's word, or night
	Limit    string   `json:"limit,omitempty"`   // a figure, "off", or of night the times of day
	Action   string   `json:"action,omitempty"`
	Until    string   `json:"until,omitempty"`
	All      bool     `json:"all,omitempty"`
	Prefixes []string `json:"prefixes,omitempty"`
	Blocking bool     `json:"blocking,omitempty"` // only alarms that block
	JSON     bool     `json:"json,omitempty"`
}

// nightRule is the word under which the night itself is set.
const nightRule = "night"

// GuardView is what the fraud guard watches: of all accounts where AccountID is 0.
type GuardView struct {
	AccountID uint64       `json:"account_id,omitempty"`
	Account   string       `json:"account,omitempty"`
	Own       rating.Guard `json:"own"` // what is set here
	Effective rating.Guard `json:"effective"`
	Night     string       `json:"night"`
	Watched   []GuardValue `json:"watched,omitempty"` // an account's rules with what they compare now
	Block     *GuardBlock  `json:"block"`             // null: it is not blocked
	Prefixes  []string     `json:"prefixes,omitempty"`
}

// GuardValue is a rule with what it compares now.
type GuardValue struct {
	Rule   string `json:"rule"`
	Value  string `json:"value"`
	Limit  string `json:"limit"`
	Action string `json:"action"`
	Until  string `json:"until,omitempty"`
}

// GuardBlock is what blocks an account.
type GuardBlock struct {
	Since time.Time  `json:"since"`
	Until *time.Time `json:"until"` // null: until an operator lifts it
	Why   string     `json:"why"`
}

// GuardAlarm is an alarm as it is shown.
type GuardAlarm struct {
	ID        string     `json:"id"`
	AccountID uint64     `json:"account_id"`
	Account   string     `json:"account"`
	Rule      string     `json:"rule"`
	Limit     string     `json:"limit"`
	Value     string     `json:"value"`
	Currency  string     `json:"currency,omitempty"` // of limit and value, "" where they count
	From      time.Time  `json:"from"`
	Till      time.Time  `json:"till"`
	RaisedAt  time.Time  `json:"raised_at"`
	CDR       string     `json:"cdr_id,omitempty"` // the call that passed the limit
	Number    string     `json:"number,omitempty"`
	Blocks    bool       `json:"blocks"`   // it blocked the account
	Blocking  bool       `json:"blocking"` // and does so now
	Until     *time.Time `json:"until"`
	EndedAt   *time.Time `json:"ended_at"`
	EndedBy   string     `json:"ended_by,omitempty"`
}

func instant(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// NewGuardAlarm makes the shown form of an alarm.
func NewGuardAlarm(tx *storage.Tx, m *storage.GuardAlarm) (GuardAlarm, error) {
	a, err := tx.Accounts.Get(uint64(m.Account))
	if err != nil {
		return GuardAlarm{}, err
	}
	r := m.GuardRule()
	shown := GuardAlarm{ID: strconv.FormatUint(m.ID, 10), AccountID: uint64(m.Account), Account: a.Name, Rule: m.Rule, Limit: r.Figure(m.Limit), Value: r.Figure(m.Value),
		From: m.From, Till: m.Till, RaisedAt: m.RaisedAt, Number: m.Number, Blocks: m.Blocks, Blocking: m.Holds(tx.Now()), Until: instant(m.Until),
		EndedAt: instant(m.EndedAt), EndedBy: m.EndedBy}
	if r.IsMoney() {
		shown.Currency = a.Currency.String()
	}
	if m.CDR != 0 {
		shown.CDR = strconv.FormatUint(uint64(m.CDR), 10)
	}
	return shown, nil
}

// GuardOf shows what is watched of an account, or of all where account is "".
func GuardOf(ctx context.Context, env *Env, account string) (v *GuardView, err error) {
	err = env.DB.View(ctx, func(tx *storage.Tx) error {
		if account == "" {
			v, err = guardDefaults(tx)
			return err
		}
		a, err := tx.AccountByRef(account)
		if err == nil {
			v, err = guardView(tx, a)
		}
		return err
	})
	return v, err
}

func guardDefaults(tx *storage.Tx) (*GuardView, error) {
	g, prefixes, err := tx.GuardDefaults()
	return &GuardView{Own: g, Effective: g, Night: g.Night.String(), Prefixes: prefixes}, err
}

func guardView(tx *storage.Tx, a *rating.Account) (*GuardView, error) {
	v := &GuardView{AccountID: uint64(a.ID), Account: a.Name}
	var err error
	if v.Effective, v.Own, err = tx.GuardOf(a.ID); err != nil {
		return nil, err
	}
	v.Night = v.Effective.Night.String()
	now, err := tx.GuardNow(a)
	if err != nil {
		return nil, err
	}
	for _, w := range now {
		v.Watched = append(v.Watched, GuardValue{w.Rule.String(), w.Rule.Figure(w.Value), w.Rule.Figure(w.Limit.Limit), w.Limit.Action.String(), w.Limit.Until()})
	}
	block, err := tx.GuardBlock(a.ID)
	if err == nil && block != nil {
		v.Block = &GuardBlock{block.Since, instant(block.Until), block.Why}
	}
	return v, err
}

// ReplaceGuard sets all rules of an account, or of the defaults where account is "", and shows them; the
// zero guard takes them away.
func ReplaceGuard(ctx context.Context, env *Env, account string, g rating.Guard) (*GuardView, error) {
	return changeGuard(ctx, env, account, func(*rating.Guard) (rating.Guard, error) { return g, nil })
}

// changeGuard changes the rules of an account or of the defaults.
func changeGuard(ctx context.Context, env *Env, account string, change func(*rating.Guard) (rating.Guard, error)) (v *GuardView, err error) {
	err = env.DB.Update(ctx, func(tx *storage.Tx) error {
		if account == "" {
			was, _, err := tx.GuardDefaults()
			if err != nil {
				return err
			}
			g, err := change(&was)
			if err == nil {
				err = tx.SetGuardDefaults(g)
			}
			if err == nil {
				v, err = guardDefaults(tx)
			}
			return err
		}
		a, err := tx.AccountByRef(account)
		if err != nil {
			return err
		}
		_, own, err := tx.GuardOf(a.ID)
		if err != nil {
			return err
		}
		g, err := change(&own)
		if err == nil {
			err = tx.SetGuard(a.ID, g)
		}
		if err == nil {
			v, err = guardView(tx, a)
		}
		return err
	})
	return v, err
}

// ReplaceGuardPrefixes replaces the high-risk prefixes, nil by those that a store begins with, and returns
// them.
func ReplaceGuardPrefixes(ctx context.Context, env *Env, list []string) ([]string, error) {
	return changePrefixes(ctx, env, func([]string) ([]string, error) { return list, nil })
}

func changePrefixes(ctx context.Context, env *Env, change func([]string) ([]string, error)) (list []string, err error) {
	err = env.DB.Update(ctx, func(tx *storage.Tx) error {
		_, was, err := tx.GuardDefaults()
		if err != nil {
			return err
		}
		now, err := change(was)
		if err == nil {
			err = tx.SetGuardPrefixes(now)
		}
		if err == nil {
			_, list, err = tx.GuardDefaults()
		}
		return err
	})
	return list, err
}

// Unblock lifts what the guard blocks an account by and returns the alarms that did.
func Unblock(ctx context.Context, env *Env, account string) (ended []GuardAlarm, err error) {
	err = env.reserve(ctx, func(tx *storage.Tx) error {
		ended = nil
		a, err := tx.AccountByRef(account)
		if err != nil {
			return err
		}
		list, err := tx.LiftGuard(a.ID)
		if err != nil {
			return err
		}
		for _, m := range list {
			shown, err := NewGuardAlarm(tx, m)
			if err != nil {
				return err
			}
			ended = append(ended, shown)
		}
		return nil
	})
	return ended, err
}

// ListAlarms returns at most limit alarms from one on, of one account unless account is "", and only those
// that block now if blocking.
func ListAlarms(ctx context.Context, env *Env, args GuardArgs, from uint64, limit int) ([]GuardAlarm, error) {
	items := []GuardAlarm{}
	err := env.DB.View(ctx, func(tx *storage.Tx) error {
		id := rating.AccountID(0)
		if args.Account != "" {
			a, err := tx.AccountByRef(args.Account)
			if err != nil {
				return err
			}
			id = a.ID
		}
		return tx.EachAlarm(from, id, func(m *storage.GuardAlarm) (bool, error) {
			if args.Blocking && !m.Holds(tx.Now()) {
				return true, ctx.Err()
			}
			shown, err := NewGuardAlarm(tx, m)
			items = append(items, shown)
			return len(items) < limit, err
		})
	})
	return items, err
}

// GuardWork ends the blocks that have passed and drops tallies and alarms that nobody asks for any more.
func GuardWork(ctx context.Context, env *Env) (done int, err error) {
	for _, piece := range [...]func(*storage.Tx) (int, error){(*storage.Tx).EndGuardBlocks, (*storage.Tx).DropGuardTallies, (*storage.Tx).PruneAlarms} {
		for ctx.Err() == nil {
			n := 0
			if err := env.DB.Update(ctx, func(tx *storage.Tx) (err error) {
				n, err = piece(tx)
				return err
			}); err != nil {
				return done, err
			}
			if done += n; n == 0 {
				break
			}
		}
	}
	return done, ctx.Err()
}

// ParseGuard reads rules as PUT takes them. Fails with Invalid.
func ParseGuard(body []byte) (g rating.Guard, err error) {
	return g, json.Unmarshal(body, &g)
}
