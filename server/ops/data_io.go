package ops

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"billd/rating"
	"billd/storage"
)

// importEach makes records of a file, each in a transaction of its own: what can be taken is, and what is
// there already is left alone. take reports whether it made the record.
func importEach(ctx context.Context, env *Env, args ImportArgs, under string, o *IO, take func(*storage.Tx, *fieldReader) (bool, error)) (int, error) {
	report := &ImportReport{}
	err := eachRecord(o.In, args.Format, under, func(line int, f fields) error {
		report.Read++
		if f == nil {
			report.reject(line, fmt.Errorf("the record is not a JSON object"))
			return ctx.Err()
		}
		made := false
		err := env.DB.Update(ctx, func(tx *storage.Tx) (err error) {
			made, err = take(tx, &fieldReader{f: f})
			return err
		})
		switch {
		case err != nil && (rating.KindOf(err) != rating.Internal || errors.As(err, new(*UsageError))):
			report.reject(line, err)
		case err != nil:
			return err
		case made:
			report.Added++
		default:
			report.Same++
		}
		return ctx.Err()
	})
	if err != nil {
		return ExitFailed, err
	}
	return report.print(o, args.Input.Name, args.JSON)
}

// importDataPlans makes the data plans of a file.
func importDataPlans(ctx context.Context, env *Env, args ImportArgs, o *IO) (int, error) {
	return importEach(ctx, env, args, "plans", o, func(tx *storage.Tx, r *fieldReader) (bool, error) {
		a := DataPlanArgs{Name: r.text("name"), Currency: r.text("currency"), Unit: r.text("unit"), Price: r.text("price"), Allowance: r.text("allowance"),
			Overage: r.text("overage"), Count: r.text("count"), Period: r.text("period")}
		if r.err != nil {
			return false, rating.Broken("record", "format", "", "%v", r.err)
		}
		p, err := a.plan(tx.Settings())
		if err != nil {
			return false, err
		}
		there, err := tx.DataPlanNamed(p.Name)
		if rating.KindOf(err) == rating.NotFound && err != nil {
			return true, tx.CreateDataPlan(p)
		}
		if err != nil {
			return false, err
		}
		if p.ID = there.ID; *p != *there {
			return false, rating.Errorf(rating.Conflict, "name", "data plan %s is there and says otherwise: %s", p.Name, there.Terms())
		}
		return false, nil
	})
}

// importDataSubscriptions makes the subscriptions of a file.
func importDataSubscriptions(ctx context.Context, env *Env, args ImportArgs, o *IO) (int, error) {
	return importEach(ctx, env, args, "subscriptions", o, func(tx *storage.Tx, r *fieldReader) (bool, error) {
		account, plan, user := r.text("account"), r.text("plan"), r.text("user")
		from, till, service := r.text("from"), r.text("till"), value(parse(r, "service_id", r.text("service_id"), parseInt))
		if r.err != nil {
			return false, rating.Broken("record", "format", "", "%v", r.err)
		}
		if service < 0 {
			return false, rating.Broken("service_id", "minimum", "1", "service_id %d: want a service's number", service)
		}
		a, err := tx.AccountByRef(account)
		if err != nil {
			return false, err
		}
		p, err := tx.DataPlanNamed(plan)
		if err != nil {
			return false, err
		}
		s := &storage.DataSubscription{Account: a.ID, Plan: p.ID, User: user, Service: uint64(service)}
		if s.From, err = zoneTime("from", from, tx.Location(a)); err != nil {
			return false, err
		}
		if s.Till, err = zoneTime("till", till, tx.Location(a)); err != nil {
			return false, err
		}
		there := false
		err = tx.DataSubscriptionsOf(a.ID, func(other *storage.DataSubscription) (bool, error) {
			there = other.User == user && other.Plan == p.ID && (s.From.IsZero() || s.From.Equal(other.From))
			return !there, nil
		})
		if err != nil || there {
			return false, err
		}
		_, err = tx.CreateDataSubscription(s)
		return true, err
	})
}

// ExportDataArgs are `billd data export WHAT`.
type ExportDataArgs struct {
	What   string `json:"what"`             // plans, subscriptions, sessions, usage
	Format string `json:"format,omitempty"` // csv when empty, or json: an object a line
}

// dataColumns are the columns of each export of data.
var dataColumns = map[string][]string{
	"plans":         {"format", "id", "name", "currency", "unit", "price", "allowance", "overage", "count", "period"},
	"subscriptions": {"format", "id", "account_id", "account", "user", "plan", "service_id", "from", "till", "created_at"},
	"sessions": {"format", "id", "source", "session", "user", "start_at", "last_at", "stopped_at", "seconds", "framed_ip", "calling_station", "called_station", "terminate_cause",
		"up_octets", "down_octets", "records", "resets"},
	"usage": {"format", "subscription_id", "account_id", "user", "plan", "day", "up_octets", "down_octets"},
}

// exportData writes plans, subscriptions, sessions or days.
func exportData(ctx context.Context, env *Env, args ExportDataArgs, o *IO) (int, error) {
	columns := dataColumns[args.What]
	if columns == nil {
		return ExitUsage, Usagef("data export %.40q: want plans, subscriptions, sessions or usage", args.What)
	}
	w, err := newRecordWriter(o.Out, args.Format, columns)
	if err != nil {
		return ExitUsage, err
	}
	err = env.DB.View(ctx, func(tx *storage.Tx) error {
		switch args.What {
		case "plans":
			return exportDataPlans(tx, w)
		case "sessions":
			return exportDataSessions(ctx, tx, w)
		case "usage":
			return exportDataDays(ctx, tx, w)
		}
		return exportSubscriptions(ctx, tx, w)
	})
	if err == nil {
		err = w.end()
	}
	if err != nil {
		return ExitFailed, err
	}
	return ExitOK, nil
}

func exportDataPlans(tx *storage.Tx, w *recordWriter) error {
	return tx.DataPlans.Each(0, func(p *rating.DataPlan) (bool, error) {
		allowance := ""
		if p.Allowance > 0 {
			allowance = strconv.FormatUint(uint64(p.Allowance), 10)
		}
		return true, w.write(map[string]any{"format": formatBilld, "id": strconv.FormatUint(p.ID, 10), "name": p.Name, "currency": p.Currency.String(), "unit": p.Unit.String(),
			"price": p.Price.String(), "allowance": allowance, "overage": p.Overage.String(), "count": p.Count.String(), "period": p.Period.Word()})
	})
}

// eachSubscription calls fn with every subscription, its plan and its account.
func eachSubscription(ctx context.Context, tx *storage.Tx, fn func(*storage.DataSubscription, *rating.DataPlan, *rating.Account) error) error {
	return tx.DataSubscriptionsOf(0, func(s *storage.DataSubscription) (bool, error) {
		p, err := tx.DataPlans.Get(s.Plan)
		if err != nil {
			return false, err
		}
		a, err := tx.Accounts.Get(uint64(s.Account))
		if err != nil {
			return false, err
		}
		if err := fn(s, p, a); err != nil {
			return false, err
		}
		return true, ctx.Err()
	})
}

func exportSubscriptions(ctx context.Context, tx *storage.Tx, w *recordWriter) error {
	return eachSubscription(ctx, tx, func(s *storage.DataSubscription, p *rating.DataPlan, a *rating.Account) error {
		service := ""
		if s.Service != 0 {
			service = strconv.FormatUint(s.Service, 10)
		}
		return w.write(map[string]any{"format": formatBilld, "id": strconv.FormatUint(s.ID, 10), "account_id": fmt.Sprint(a.ID), "account": a.UUID.String(), "user": s.User, "plan": p.Name,
			"service_id": service, "from": instantText(s.From), "till": instantText(s.Till), "created_at": instantText(s.CreatedAt)})
	})
}

// exportDataDays writes what each subscription used by day.
func exportDataDays(ctx context.Context, tx *storage.Tx, w *recordWriter) error {
	last := rating.DayOf(tx.Now().Add(48*time.Hour), time.UTC)
	return eachSubscription(ctx, tx, func(s *storage.DataSubscription, p *rating.DataPlan, a *rating.Account) error {
		return tx.EachDataDay(s.ID, 0, last, func(day rating.Day, used rating.Octets) (bool, error) {
			return true, w.write(map[string]any{"format": formatBilld, "subscription_id": strconv.FormatUint(s.ID, 10), "account_id": fmt.Sprint(a.ID), "user": s.User, "plan": p.Name,
				"day": day.String(), "up_octets": strconv.FormatUint(used.Up, 10), "down_octets": strconv.FormatUint(used.Down, 10)})
		})
	})
}

func exportDataSessions(ctx context.Context, tx *storage.Tx, w *recordWriter) error {
	return tx.EachDataSession(0, func(s *storage.DataSession) (bool, error) {
		err := w.write(map[string]any{"format": formatBilld, "id": strconv.FormatUint(s.ID, 10), "source": s.Source, "session": s.Session, "user": s.User,
			"start_at": instantText(s.StartAt), "last_at": instantText(s.LastAt), "stopped_at": instantText(s.StoppedAt), "seconds": strconv.FormatUint(uint64(s.Seconds), 10),
			"framed_ip": s.Address, "calling_station": s.Calling, "called_station": s.Called, "terminate_cause": s.Cause,
			"up_octets": strconv.FormatUint(s.Used.Up, 10), "down_octets": strconv.FormatUint(s.Used.Down, 10),
			"records": strconv.FormatUint(s.Records, 10), "resets": strconv.FormatUint(s.Resets, 10)})
		if err == nil {
			err = ctx.Err()
		}
		return true, err
	})
}
