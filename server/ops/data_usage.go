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

// DataUsageArgs are `billd data usage` and `billd data sessions`.
type DataUsageArgs struct {
	Account string `json:"account,omitempty"`
	User    string `json:"user,omitempty"`
	From    string `json:"from,omitempty"` // a day, YYYY-MM-DD
	To      string `json:"to,omitempty"`   // the last day
	Open    bool   `json:"open,omitempty"` // sessions that go on
	Limit   int    `json:"limit,omitempty"`
	JSON    bool   `json:"json,omitempty"`
}

// DataDayView is what a subscription used on one day of its account's zone.
type DataDayView struct {
	Subscription string        `json:"subscription_id"`
	Account      string        `json:"account_id"`
	User         string        `json:"user"`
	Day          string        `json:"day"`
	Used         rating.Octets `json:"used"`
	Unit         string        `json:"unit"`
}

// DataPeriodView is what a subscription used in one period of its plan and what that was charged.
type DataPeriodView struct {
	Subscription string        `json:"subscription_id"`
	Account      string        `json:"account_id"`
	User         string        `json:"user"`
	Plan         string        `json:"plan"`
	Period       string        `json:"period"` // its first day
	Next         string        `json:"next"`   // the first day of the next one
	Used         rating.Octets `json:"used"`
	Counted      uint64        `json:"counted_bytes"`
	Allowance    uint64        `json:"allowance_bytes"`
	Percent      *uint64       `json:"allowance_percent"` // null without an allowance
	Units        uint64        `json:"started_units"`
	Over         uint64        `json:"units_over"`
	Unit         string        `json:"unit"`
	Net          string        `json:"net"`
	Tax          string        `json:"tax"`
	Currency     string        `json:"currency"`
}

// DataUsageView is what subscriptions used: by day, and the periods that these days lie in with what they
// were charged.
type DataUsageView struct {
	Periods []DataPeriodView `json:"periods"`
	Days    []DataDayView    `json:"days"`
}

// maxUsageDays bounds an answer about usage.
const maxUsageDays = 100_000

// day reads a calendar day.
func parseDay(name, text string) (rating.Day, error) {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return 0, Usagef("%s %.40q: want a day as 2026-11-21", name, text)
	}
	return rating.DayOf(t, time.UTC), nil
}

// days reads the days that are asked for: without any, the last 31 in UTC's calendar and the coming one.
func (a *DataUsageArgs) days(now time.Time) (from, till rating.Day, err error) {
	today := rating.DayOf(now, time.UTC)
	from, till = max(today, 30)-30, today+2
	if a.From != "" {
		if from, err = parseDay("from", a.From); err != nil {
			return 0, 0, err
		}
	}
	if a.To != "" {
		if till, err = parseDay("to", a.To); err != nil {
			return 0, 0, err
		}
		till++
	}
	return from, till, nil
}

// DataUsage returns what subscriptions used, those of an account or a user name alone.
func DataUsage(ctx context.Context, env *Env, args DataUsageArgs) (DataUsageView, error) {
	v := DataUsageView{Periods: []DataPeriodView{}, Days: []DataDayView{}}
	err := env.DB.View(ctx, func(tx *storage.Tx) error {
		from, till, err := args.days(tx.Now())
		if err != nil {
			return err
		}
		id := rating.AccountID(0)
		if args.Account != "" {
			a, err := tx.AccountByRef(args.Account)
			if err != nil {
				return err
			}
			id = a.ID
		}
		return tx.DataSubscriptionsOf(id, func(s *storage.DataSubscription) (bool, error) {
			if args.User != "" && s.User != args.User {
				return true, nil
			}
			return true, v.add(tx, s, from, till)
		})
	})
	return v, err
}

// add adds one subscription's periods and days.
func (v *DataUsageView) add(tx *storage.Tx, s *storage.DataSubscription, from, till rating.Day) error {
	plan, err := tx.DataPlans.Get(s.Plan)
	if err != nil {
		return err
	}
	id, account := strconv.FormatUint(s.ID, 10), fmt.Sprint(s.Account)
	err = tx.EachDataPeriod(s.ID, func(first rating.Day, p storage.DataPeriod) (bool, error) {
		_, next := plan.Period.Days(first)
		if first >= till || next <= from {
			return true, nil
		}
		counted := plan.Count.Of(p.Used)
		c, err := plan.Charge(counted)
		if err != nil {
			return false, err
		}
		row := DataPeriodView{Subscription: id, Account: account, User: s.User, Plan: plan.Name, Period: first.String(), Next: next.String(), Used: p.Used, Counted: counted,
			Allowance: uint64(plan.Allowance), Units: c.Units(), Over: c.Over, Unit: plan.Unit.String(), Net: p.Net.String(), Tax: p.Tax.String(), Currency: plan.Currency.String()}
		if plan.Allowance > 0 {
			percent := counted / max(1, uint64(plan.Allowance)/100)
			row.Percent = &percent
		}
		v.Periods = append(v.Periods, row)
		return true, nil
	})
	if err != nil {
		return err
	}
	return tx.EachDataDay(s.ID, from, till, func(day rating.Day, used rating.Octets) (bool, error) {
		if len(v.Days) == maxUsageDays {
			return false, rating.Errorf(rating.Limit, "from", "more than %d days of usage: ask for fewer days, or one account", maxUsageDays)
		}
		v.Days = append(v.Days, DataDayView{Subscription: id, Account: account, User: s.User, Day: day.String(), Used: used, Unit: plan.Unit.String()})
		return true, nil
	})
}

func dataUsage(ctx context.Context, env *Env, args DataUsageArgs, o *IO) (int, error) {
	v, err := DataUsage(ctx, env, args)
	if err != nil {
		return ExitFailed, err
	}
	return ExitOK, Print(o.Out, args.JSON, v, v.table)
}

func (v DataUsageView) table(w io.Writer) error {
	t := NewTable(w, "subscription", "account", "user", "plan", "period from", "down", "up", "counted", "allowance", "units", "net", "tax", "currency")
	for _, p := range v.Periods {
		unit, err := rating.ParseByteUnit(p.Unit)
		if err != nil {
			return err
		}
		allowance := ""
		if p.Percent != nil {
			allowance = fmt.Sprintf("%s (%d %%)", rating.Bytes(p.Allowance).In(unit), *p.Percent)
		}
		t.Row(p.Subscription, p.Account, p.User, p.Plan, p.Period, rating.Bytes(p.Used.Down).Short(unit), rating.Bytes(p.Used.Up).Short(unit), rating.Bytes(p.Counted).Short(unit), allowance, p.Units, p.Net, p.Tax, p.Currency)
	}
	if err := t.Close(); err != nil || len(v.Days) == 0 {
		return err
	}
	fmt.Fprintln(w)
	t = NewTable(w, "subscription", "user", "day", "down", "up")
	for _, d := range v.Days {
		unit, err := rating.ParseByteUnit(d.Unit)
		if err != nil {
			return err
		}
		t.Row(d.Subscription, d.User, d.Day, rating.Bytes(d.Used.Down).Short(unit), rating.Bytes(d.Used.Up).Short(unit))
	}
	return t.Close()
}

// UnassignedView is what a user used without a subscription.
type UnassignedView struct {
	User  string        `json:"user"`
	Used  rating.Octets `json:"used"`
	First time.Time     `json:"first"` // the quarter of an hour
	Last  time.Time     `json:"last"`
}

// UnassignedData returns what users without a subscription used, a row a user.
func UnassignedData(ctx context.Context, env *Env) ([]UnassignedView, error) {
	list := []UnassignedView{}
	err := env.DB.View(ctx, func(tx *storage.Tx) error {
		return tx.EachUnassigned("", func(user string, at time.Time, used rating.Octets) (bool, error) {
			if len(list) == 0 || list[len(list)-1].User != user {
				list = append(list, UnassignedView{User: user, First: at})
			}
			row := &list[len(list)-1]
			row.Last = at
			var err error
			row.Used, err = row.Used.Add(used)
			return true, err
		})
	})
	return list, err
}

func unassignedData(ctx context.Context, env *Env, args DataUsageArgs, o *IO) (int, error) {
	list, err := UnassignedData(ctx, env)
	if err != nil {
		return ExitFailed, err
	}
	return ExitOK, Print(o.Out, args.JSON, list, func(w io.Writer) error {
		t := NewTable(w, "user", "down", "up", "first", "last")
		for _, u := range list {
			t.Row(u.User, rating.Bytes(u.Used.Down).Short(rating.GB), rating.Bytes(u.Used.Up).Short(rating.GB), u.First.Format(time.RFC3339), u.Last.Format(time.RFC3339))
		}
		return t.Close()
	})
}

// DataSessionView is a session as the command line and the native API show it.
type DataSessionView struct {
	ID        string        `json:"id"`
	Source    string        `json:"source"`
	Session   string        `json:"session"`
	User      string        `json:"user"`
	StartAt   time.Time     `json:"start_at"`
	LastAt    time.Time     `json:"last_at"`
	StoppedAt *time.Time    `json:"stopped_at"`
	Cause     string        `json:"terminate_cause"`
	Seconds   uint32        `json:"seconds"`
	Address   string        `json:"framed_ip"`
	Calling   string        `json:"calling_station"`
	Called    string        `json:"called_station"`
	Used      rating.Octets `json:"used"`
	Records   uint64        `json:"records"`
	Resets    uint64        `json:"resets"`
}

func newDataSessionView(s *storage.DataSession) DataSessionView {
	v := DataSessionView{ID: strconv.FormatUint(s.ID, 10), Source: s.Source, Session: s.Session, User: s.User, StartAt: s.StartAt, LastAt: s.LastAt, Cause: s.Cause, Seconds: s.Seconds,
		Address: s.Address, Calling: s.Calling, Called: s.Called, Used: s.Used, Records: s.Records, Resets: s.Resets}
	if !s.Open() {
		v.StoppedAt = &s.StoppedAt
	}
	return v
}

// DataSessions returns sessions in order of their numbers, from one on, at most limit (0: all): those of a
// user, or those that go on, alone.
func DataSessions(ctx context.Context, env *Env, args DataUsageArgs, from uint64, limit int) ([]DataSessionView, error) {
	list := []DataSessionView{}
	full := func() bool { return limit > 0 && len(list) >= limit }
	err := env.DB.View(ctx, func(tx *storage.Tx) error {
		take := func(s *storage.DataSession) (bool, error) {
			if args.Open && !s.Open() {
				return true, nil
			}
			list = append(list, newDataSessionView(s))
			return !full(), nil
		}
		if args.User == "" {
			return tx.EachDataSession(from, take)
		}
		for _, id := range tx.DataSessionIDs(args.User) {
			if id < from || full() {
				continue
			}
			s, err := tx.DataSessions.Get(id)
			if err != nil {
				return err
			}
			if _, err := take(s); err != nil {
				return err
			}
		}
		return nil
	})
	return list, err
}

func dataSessions(ctx context.Context, env *Env, args DataUsageArgs, o *IO) (int, error) {
	list, err := DataSessions(ctx, env, args, 0, args.Limit)
	if err != nil {
		return ExitFailed, err
	}
	return ExitOK, Print(o.Out, args.JSON, list, func(w io.Writer) error {
		t := NewTable(w, "id", "source", "session", "user", "start", "last", "stopped", "cause", "address", "down", "up", "records", "resets")
		for _, s := range list {
			stopped := "open"
			if s.StoppedAt != nil {
				stopped = s.StoppedAt.Format(time.RFC3339)
			}
			t.Row(s.ID, s.Source, s.Session, s.User, s.StartAt.Format(time.RFC3339), s.LastAt.Format(time.RFC3339), stopped, s.Cause, s.Address,
				rating.Bytes(s.Used.Down).Short(rating.GB), rating.Bytes(s.Used.Up).Short(rating.GB), s.Records, s.Resets)
		}
		return t.Close()
	})
}
