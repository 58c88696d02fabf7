package ui

import (
	"billd/rating"
	"billd/server/ops"

	"github.com/gofiber/fiber/v2"
)

// dataPage is what subscriptions used, and what waits to be somebody's.
type dataPage struct {
	Account, User, From, Till string

	Periods    []dataPeriod
	Days       []dataDay
	MoreDays   int
	Unassigned []ops.UnassignedView
	MoreUsers  int
	Held       []ops.HeldDataView
}

// dataPeriod is a period of a plan with its amounts as the page writes them.
type dataPeriod struct {
	ops.DataPeriodView
	Size rating.ByteUnit
	Net  amount
	Tax  amount
	Of   string // the allowance
}

type dataDay struct {
	ops.DataDayView
	Size rating.ByteUnit
}

// Bounds of what the page shows.
const (
	maxDataDays  = 500
	maxDataUsers = 100
)

func (u *UI) data(c *fiber.Ctx, s *session) error {
	p := dataPage{Account: c.Query("account"), User: c.Query("user"), From: c.Query("from"), Till: c.Query("till")}
	v, err := ops.DataUsage(c.UserContext(), u.Env, ops.DataUsageArgs{Account: p.Account, User: p.User, From: p.From, To: p.Till})
	if err != nil {
		return err
	}
	if err := p.show(v); err != nil {
		return err
	}
	if p.Unassigned, err = ops.UnassignedData(c.UserContext(), u.Env); err != nil {
		return err
	}
	if p.MoreUsers = max(0, len(p.Unassigned)-maxDataUsers); p.MoreUsers > 0 {
		p.Unassigned = p.Unassigned[:maxDataUsers]
	}
	if p.Held, err = ops.HeldData(c.UserContext(), u.Env, ops.HeldDataArgs{}, 0, maxDataUsers); err != nil {
		return err
	}
	return u.render(c, s, "data", page{Title: "Data", Nav: "data", Data: p})
}

// show makes the rows, the newest days first.
func (p *dataPage) show(v ops.DataUsageView) error {
	for _, row := range v.Periods {
		r := dataPeriod{DataPeriodView: row}
		var err error
		if r.Size, err = rating.ParseByteUnit(row.Unit); err != nil {
			return err
		}
		currency, err := rating.ParseCurrency(row.Currency)
		if err != nil {
			return err
		}
		net, err := rating.ParseMoney(row.Net)
		if err != nil {
			return err
		}
		tax, err := rating.ParseMoney(row.Tax)
		if err != nil {
			return err
		}
		r.Net, r.Tax = amount{net, currency, fineUnits(currency)}, amount{tax, currency, fineUnits(currency)}
		if row.Allowance > 0 {
			r.Of = rating.Bytes(row.Allowance).In(r.Size)
		}
		p.Periods = append(p.Periods, r)
	}
	for i := len(v.Days) - 1; i >= 0; i-- {
		if len(p.Days) == maxDataDays {
			p.MoreDays = i + 1
			return nil
		}
		unit, err := rating.ParseByteUnit(v.Days[i].Unit)
		if err != nil {
			return err
		}
		p.Days = append(p.Days, dataDay{v.Days[i], unit})
	}
	return nil
}
