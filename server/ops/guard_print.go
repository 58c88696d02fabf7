package ops

import (
	"context"
	"fmt"
	"io"

	"billd/rating"
	"billd/storage"
)

// setGuard sets one rule, or the night.
func setGuard(ctx context.Context, env *Env, args GuardArgs, o *IO) (int, error) {
	v, err := changeGuard(ctx, env, args.Account, func(g *rating.Guard) (rating.Guard, error) {
		is := *g
		if args.Rule == nightRule {
			night, err := rating.ParseGuardNight(args.Limit)
			is.Night = night
			return is, err
		}
		rule, err := rating.ParseGuardRule(args.Rule)
		if err != nil {
			return is, err
		}
		action := args.Action
		if args.Limit == rating.GuardOff.String() {
			action = args.Limit
		}
		is.Rules[rule], err = rating.ParseGuardLimit(rule, action, args.Limit, args.Until)
		return is, err
	})
	return printGuard(v, err, args, o)
}

// unsetGuard takes one rule away, or all.
func unsetGuard(ctx context.Context, env *Env, args GuardArgs, o *IO) (int, error) {
	if args.All == (args.Rule != "") {
		return ExitUsage, Usagef("guard unset: want a rule or --all")
	}
	v, err := changeGuard(ctx, env, args.Account, func(g *rating.Guard) (rating.Guard, error) {
		is := *g
		if args.All {
			return rating.Guard{}, nil
		}
		if args.Rule == nightRule {
			is.Night = rating.GuardNight{}
			return is, nil
		}
		rule, err := rating.ParseGuardRule(args.Rule)
		if err == nil {
			is.Rules[rule] = rating.GuardLimit{}
		}
		return is, err
	})
	return printGuard(v, err, args, o)
}

func showGuard(ctx context.Context, env *Env, args GuardArgs, o *IO) (int, error) {
	v, err := GuardOf(ctx, env, args.Account)
	return printGuard(v, err, args, o)
}

func printGuard(v *GuardView, err error, args GuardArgs, o *IO) (int, error) {
	if err != nil {
		return ExitFailed, err
	}
	return ExitOK, Print(o.Out, args.JSON, v, v.print)
}

// print shows rules as a table, of an account with what they compare now.
func (v *GuardView) print(w io.Writer) error {
	if v.AccountID != 0 {
		fmt.Fprintf(w, "account %d, %s\n", v.AccountID, v.Account)
		if b := v.Block; b != nil {
			end := "until it is lifted"
			if b.Until != nil {
				end = "until " + stampOf(*b.Until)
			}
			fmt.Fprintf(w, "blocked since %s %s: %s\n", stampOf(b.Since), end, b.Why)
		}
	}
	now := map[string]string{}
	for _, x := range v.Watched {
		now[x.Rule] = x.Value
	}
	columns := []string{"rule", "limit", "action", "until", "set"}
	if v.AccountID != 0 {
		columns = append(columns, "now")
	}
	t := NewTable(w, columns...)
	for r := range rating.NumGuardRules {
		l, figure, from := &v.Effective.Rules[r], "", "here"
		if l.Action == rating.GuardNone {
			l, from = &rating.GuardLimit{Action: rating.GuardOff}, ""
		} else if v.Own.Rules[r].Action == rating.GuardNone {
			from = "for all"
		}
		if l.Watches() {
			figure = r.Figure(l.Limit)
		}
		row := []any{r.String(), figure, l.Action.String(), l.Until(), from}
		if v.AccountID != 0 {
			row = append(row, now[r.String()])
		}
		t.Row(row...)
	}
	if err := t.Close(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "night %s\n", v.Night)
	return err
}

// listGuards shows the defaults, and every account with rules of its own or blocked.
func listGuards(ctx context.Context, env *Env, args GuardArgs, o *IO) (int, error) {
	list := []*GuardView{}
	err := env.DB.View(ctx, func(tx *storage.Tx) error {
		all, err := guardDefaults(tx)
		if err != nil {
			return err
		}
		list = append(list, all)
		add := func(id rating.AccountID) error {
			a, err := tx.Accounts.Get(uint64(id))
			if err != nil {
				return err
			}
			v, err := guardView(tx, a)
			list = append(list, v)
			return err
		}
		if err := tx.EachGuarded(func(id rating.AccountID, _ *rating.Guard) error { return add(id) }); err != nil {
			return err
		}
		return tx.EachBlocked(func(id rating.AccountID) error {
			for _, v := range list {
				if v.AccountID == uint64(id) {
					return nil
				}
			}
			return add(id)
		})
	})
	if err != nil {
		return ExitFailed, err
	}
	return ExitOK, Print(o.Out, args.JSON, list, func(w io.Writer) error {
		t := NewTable(w, "account", "rules", "blocked")
		for _, v := range list {
			name, blocked := "for all", ""
			if v.AccountID != 0 {
				name = fmt.Sprintf("%d %s", v.AccountID, v.Account)
			}
			if v.Block != nil {
				blocked = stampOf(v.Block.Since)
			}
			t.Row(name, guardText(&v.Own), blocked)
		}
		return t.Close()
	})
}

// guardText is a guard's rules in one line.
func guardText(g *rating.Guard) string {
	text := ""
	for r := range rating.NumGuardRules {
		l := &g.Rules[r]
		switch {
		case l.Action == rating.GuardNone:
		case l.Action == rating.GuardOff:
			text += fmt.Sprintf("%s off, ", r)
		default:
			text += fmt.Sprintf("%s %s %s, ", r, r.Figure(l.Limit), l.Action)
		}
	}
	if g.Night != (rating.GuardNight{}) {
		text += "night " + g.Night.String() + ", "
	}
	if text == "" {
		return "none"
	}
	return text[:len(text)-2]
}

func listAlarms(ctx context.Context, env *Env, args GuardArgs, o *IO) (int, error) {
	all, err := listAll(func(m *GuardAlarm) string { return m.ID }, func(from uint64, n int) ([]GuardAlarm, error) {
		return ListAlarms(ctx, env, args, from, n)
	})
	if err != nil {
		return ExitFailed, err
	}
	return ExitOK, Print(o.Out, args.JSON, all, func(w io.Writer) error {
		t := NewTable(w, "id", "raised", "account", "rule", "value", "limit", "number", "state")
		for i := range all {
			m := &all[i]
			t.Row(m.ID, stampOf(m.RaisedAt), fmt.Sprintf("%d %s", m.AccountID, m.Account), m.Rule, withUnit(m.Value, m.Currency), withUnit(m.Limit, m.Currency), m.Number, m.State())
		}
		return t.Close()
	})
}

func withUnit(figure, currency string) string {
	if currency == "" {
		return figure
	}
	return figure + " " + currency
}

// State says what became of an alarm.
func (m *GuardAlarm) State() string {
	switch {
	case m.Blocking && m.Until != nil:
		return "blocks until " + stampOf(*m.Until)
	case m.Blocking:
		return "blocks"
	case m.Blocks && m.EndedAt != nil:
		return "blocked until " + stampOf(*m.EndedAt)
	case m.Blocks:
		return "blocked until " + stampOf(*m.Until)
	}
	return "notified"
}

func unblock(ctx context.Context, env *Env, args GuardArgs, o *IO) (int, error) {
	ended, err := Unblock(ctx, env, args.Account)
	if err != nil {
		return ExitFailed, err
	}
	return ExitOK, Print(o.Out, args.JSON, ended, func(w io.Writer) error {
		for _, m := range ended {
			fmt.Fprintf(w, "lifted alarm %s of account %d: %s %s, limit %s\n", m.ID, m.AccountID, m.Rule, withUnit(m.Value, m.Currency), withUnit(m.Limit, m.Currency))
		}
		return nil
	})
}
