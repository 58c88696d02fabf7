package ops

import (
	"cmp"
	"context"
	"io"
	"slices"
	"strconv"
	"strings"

	"billd/rating"
	"billd/storage"
)

// DataPlanArgs are `billd data plan …`: a plan's name, to make one what it says, and to price an amount.
type DataPlanArgs struct {
	Name      string `json:"name,omitempty"`
	Currency  string `json:"currency,omitempty"`  // "" is the store's
	Unit      string `json:"unit,omitempty"`      // MB, GB, TB, MiB, GiB, TiB; "" is GB
	Price     string `json:"price,omitempty"`     // of a started unit, up to the allowance if there is one
	Allowance string `json:"allowance,omitempty"` // of each period, such as 100GB
	Overage   string `json:"overage,omitempty"`   // of a started unit beyond it
	Count     string `json:"count,omitempty"`     // total, down, up; "" is total
	Period    string `json:"period,omitempty"`    // day, week, month; "" is month
	Used      string `json:"used,omitempty"`      // explain: an amount of data
	JSON      bool   `json:"json,omitempty"`
}

// plan reads what a new plan says.
func (a *DataPlanArgs) plan(s *rating.Settings) (*rating.DataPlan, error) {
	p := &rating.DataPlan{Name: strings.TrimSpace(a.Name), Currency: s.Currency}
	var err error
	keep := func(e error) {
		if err == nil {
			err = e
		}
	}
	if a.Currency != "" {
		c, e := rating.ParseCurrency(strings.ToUpper(a.Currency))
		p.Currency = c
		keep(e)
	}
	unit, e := rating.ParseByteUnit(cmp.Or(a.Unit, rating.GB.String()))
	p.Unit = unit
	keep(e)
	for _, m := range [...]struct {
		name, text string
		to         *rating.Money
	}{{"price", a.Price, &p.Price}, {"overage", a.Overage, &p.Overage}} {
		if m.text != "" {
			if *m.to, e = rating.ParseMoney(m.text); e != nil {
				keep(rating.Broken(m.name, "number", "", "%s %.40q: want an amount", m.name, m.text))
			}
		}
	}
	if a.Allowance != "" {
		p.Allowance, e = rating.ParseBytes(a.Allowance)
		keep(e)
	}
	if a.Count != "" {
		keep(p.Count.UnmarshalText([]byte(a.Count)))
	}
	p.Period, e = rating.ParsePeriodWord(cmp.Or(a.Period, rating.PeriodMonthly.Word()))
	keep(e)
	if err == nil && p.Price == 0 && p.Allowance == 0 {
		err = rating.Broken("price", "required", "", "price: want one, or an allowance")
	}
	return p, err
}

// DataPlanView is a data plan as the command line and the native API show it.
type DataPlanView struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	Currency  string `json:"currency"`
	Unit      string `json:"unit"`
	UnitBytes uint64 `json:"unit_bytes"`
	Price     string `json:"price"`
	Allowance uint64 `json:"allowance_bytes"`
	Overage   string `json:"overage"`
	Count     string `json:"count"`
	Period    string `json:"period"`
	Terms     string `json:"terms"`
}

// NewDataPlanView makes the shown form of a plan.
func NewDataPlanView(p *rating.DataPlan) DataPlanView {
	return DataPlanView{ID: strconv.FormatUint(p.ID, 10), Name: p.Name, Currency: p.Currency.String(), Unit: p.Unit.String(), UnitBytes: p.Unit.Size(), Price: p.Price.String(),
		Allowance: uint64(p.Allowance), Overage: p.Overage.String(), Count: p.Count.String(), Period: p.Period.Word(), Terms: p.Terms()}
}

// AddDataPlan makes a data plan. Fails with Invalid or, if the name is taken, Conflict.
func AddDataPlan(ctx context.Context, env *Env, args DataPlanArgs) (DataPlanView, error) {
	p, err := args.plan(env.DB.Settings())
	if err != nil {
		return DataPlanView{}, err
	}
	err = env.DB.Update(ctx, func(tx *storage.Tx) error {
		p.ID = 0
		return tx.CreateDataPlan(p)
	})
	return NewDataPlanView(p), err
}

// DataPlans returns every data plan in order of the names.
func DataPlans(ctx context.Context, env *Env) ([]DataPlanView, error) {
	list := []DataPlanView{}
	err := env.DB.View(ctx, func(tx *storage.Tx) error {
		return tx.DataPlans.Each(0, func(p *rating.DataPlan) (bool, error) {
			list = append(list, NewDataPlanView(p))
			return true, nil
		})
	})
	slices.SortFunc(list, func(a, b DataPlanView) int { return strings.Compare(a.Name, b.Name) })
	return list, err
}

// DeleteDataPlan removes a plan that no subscription was ever on.
func DeleteDataPlan(ctx context.Context, env *Env, name string) error {
	return env.DB.Update(ctx, func(tx *storage.Tx) error {
		p, err := tx.DataPlanNamed(name)
		if err != nil {
			return err
		}
		return tx.DeleteDataPlan(p)
	})
}

// ExplainedData is what an amount of data costs on a plan, and why.
type ExplainedData struct {
	Plan  DataPlanView    `json:"plan"`
	Used  uint64          `json:"used_bytes"`
	Units uint64          `json:"started_units"`
	Net   string          `json:"net"`
	Steps []ExplainedStep `json:"steps"`
}

// ExplainedStep is a line of an explained price.
type ExplainedStep struct {
	Text   string `json:"text"`
	Amount string `json:"amount"`
}

// ExplainData prices an amount of data, such as 130GB, used in one period of a plan.
func ExplainData(ctx context.Context, env *Env, name, amount string) (e ExplainedData, err error) {
	used, err := rating.ParseBytes(amount)
	if err != nil {
		return e, err
	}
	err = env.DB.View(ctx, func(tx *storage.Tx) error {
		p, err := tx.DataPlanNamed(name)
		if err != nil {
			return err
		}
		c, steps, err := p.Explain(uint64(used))
		if err != nil {
			return err
		}
		e = ExplainedData{Plan: NewDataPlanView(p), Used: uint64(used), Units: c.Units(), Net: c.Net.String()}
		for _, s := range steps {
			e.Steps = append(e.Steps, ExplainedStep{s.Text, s.Amount})
		}
		return nil
	})
	return e, err
}

func addDataPlan(ctx context.Context, env *Env, args DataPlanArgs, o *IO) (int, error) {
	p, err := AddDataPlan(ctx, env, args)
	if err != nil {
		return ExitFailed, err
	}
	return ExitOK, Print(o.Out, args.JSON, p, func(w io.Writer) error { return dataPlanTable(w, []DataPlanView{p}) })
}

func listDataPlans(ctx context.Context, env *Env, args DataPlanArgs, o *IO) (int, error) {
	list, err := DataPlans(ctx, env)
	if err != nil {
		return ExitFailed, err
	}
	return ExitOK, Print(o.Out, args.JSON, list, func(w io.Writer) error { return dataPlanTable(w, list) })
}

func dataPlanTable(w io.Writer, list []DataPlanView) error {
	t := NewTable(w, "id", "plan", "counts", "terms", "unit")
	for _, p := range list {
		unit, err := rating.ParseByteUnit(p.Unit)
		if err != nil {
			return err
		}
		t.Row(p.ID, p.Name, p.Count, p.Terms, unit.Definition())
	}
	return t.Close()
}

func deleteDataPlan(ctx context.Context, env *Env, args DataPlanArgs, o *IO) (int, error) {
	if err := DeleteDataPlan(ctx, env, args.Name); err != nil {
		return ExitFailed, err
	}
	return ExitOK, o.deleted(args.JSON, "data plan", args.Name)
}

func explainDataPlan(ctx context.Context, env *Env, args DataPlanArgs, o *IO) (int, error) {
	e, err := ExplainData(ctx, env, args.Name, args.Used)
	if err != nil {
		return ExitFailed, err
	}
	return ExitOK, Print(o.Out, args.JSON, e, func(w io.Writer) error {
		t := NewTable(w, "step", "amount "+e.Plan.Currency)
		for _, s := range e.Steps {
			t.Row(s.Text, s.Amount)
		}
		return t.Close()
	})
}
