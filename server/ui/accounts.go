package ui

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"billd/rating"
	"billd/storage"

	"github.com/gofiber/fiber/v2"
)

// accountRow is an account as the list shows it.
type accountRow struct {
	*rating.Account
	Owner   string // the contractor
	Vendor  bool   // it sells to us and buys nothing
	Balance rating.Money
	Sums    *sums // of 30 days
	State   string
}

// accountList is the page of accounts.
type accountList struct {
	Query  string
	Rows   []accountRow
	Any    bool // there are accounts besides the operator's own
	Next   string
	Closed bool // closed ones are listed too
}

func (u *UI) accounts(c *fiber.Ctx, s *session) error {
	l := accountList{Query: strings.TrimSpace(c.Query("q")), Closed: c.Query("closed") != ""}
	from, err := number(c, "from")
	if err != nil {
		return err
	}
	err = u.DB.View(c.UserContext(), func(tx *storage.Tx) error {
		l.Any = tx.Accounts.Count() > 1
		return l.read(tx, from)
	})
	if err != nil {
		return err
	}
	return u.render(c, s, "accounts", page{Title: "Accounts", Nav: "accounts", Data: l})
}

// read fills the page from an account number on.
func (l *accountList) read(tx *storage.Tx, from uint64) error {
	word := strings.ToLower(l.Query)
	shown := map[rating.AccountID]*rating.Account{}
	err := tx.Accounts.Each(from, func(a *rating.Account) (bool, error) {
		if a.Closed() && !l.Closed || word != "" && !strings.Contains(strings.ToLower(a.Name), word) && strconv.FormatUint(uint64(a.ID), 10) != word {
			return true, nil
		}
		if len(l.Rows) == pageRows {
			filter := url.Values{"q": {l.Query}}
			if l.Closed {
				filter.Set("closed", "1")
			}
			l.Next = again("/accounts", filter, "from", strconv.FormatUint(uint64(a.ID), 10))
			return false, nil
		}
		r, err := newAccountRow(tx, a)
		l.Rows = append(l.Rows, r)
		shown[a.ID] = a
		return true, err
	})
	if err != nil {
		return err
	}
	f, err := lastDays(tx, shown)
	if err != nil {
		return err
	}
	for i := range l.Rows {
		l.Rows[i].Sums = sumOf(f.Accounts, l.Rows[i].ID)
	}
	return nil
}

func newAccountRow(tx *storage.Tx, a *rating.Account) (r accountRow, err error) {
	r = accountRow{Account: a}
	o, err := tx.Contractors.Get(a.Contractor)
	if err != nil {
		return r, err
	}
	r.Owner, r.Vendor = o.Name, o.Vendor && !o.Customer
	if r.Balance, err = tx.AccountBalance(a); err != nil {
		return r, err
	}
	r.State = accountState(&r)
	return r, nil
}

// accountState is what an operator should see of an account at a glance, "" for nothing.
func accountState(r *accountRow) string {
	switch {
	case r.Closed():
		return "closed"
	case r.Disabled:
		return "disabled"
	case r.Vendor || r.ID == rating.MasterAccount:
		return ""
	case r.MinBalance.CmpMoney(r.Balance) > 0:
		return "below minimum"
	case r.LowThreshold.IsSet() && r.LowThreshold.CmpMoney(r.Balance) > 0:
		return "low"
	}
	return ""
}

// accountPage is one account.
type accountPage struct {
	accountRow
	Local    string // the time where the account is
	Plan     string
	Decks    []*rating.PricedDeck
	Charts   []chart
	Postings []postingRow
	Calls    []callRow
	Invoices []invoiceRow
	Period   string
	Parent   accountLink
}

// postingRow is a posting as the account's statement shows it.
type postingRow struct {
	*rating.Posting
	Change rating.Money
}

func (u *UI) account(c *fiber.Ctx, s *session) error {
	id, err := rowID(c, "account")
	if err != nil {
		return err
	}
	var p accountPage
	err = u.DB.View(c.UserContext(), func(tx *storage.Tx) error {
		p, err = u.accountPage(c, tx, id)
		return err
	})
	if err != nil {
		return err
	}
	return u.render(c, s, "account", page{Title: p.Name, Nav: "accounts", Data: p})
}

func (u *UI) accountPage(c *fiber.Ctx, tx *storage.Tx, id uint64) (p accountPage, err error) {
	a, err := tx.Accounts.Get(id)
	if err != nil {
		return p, err
	}
	if p.accountRow, err = newAccountRow(tx, a); err != nil {
		return p, err
	}
	p.Local, p.Period = tx.Now().In(tx.Location(a)).Format("2006-01-02 15:04"), periodName(a.InvoicePeriod)
	if a.Parent != 0 {
		parent, err := tx.Accounts.Get(uint64(a.Parent))
		if err != nil {
			return p, err
		}
		p.Parent = accountLink{parent.ID, parent.Name}
	}
	if err := p.plan(tx, u.DB.Catalog()); err != nil {
		return p, err
	}
	f, err := lastDays(tx, map[rating.AccountID]*rating.Account{a.ID: a})
	if err != nil {
		return p, err
	}
	p.Sums, p.Charts = sumOf(f.Accounts, a.ID), f.accountCharts(a.Currency, p.Vendor)
	return p, p.lists(c, tx)
}

// plan names the decks that price the account's calls.
func (p *accountPage) plan(tx *storage.Tx, catalog *storage.Catalog) error {
	if p.Vendor {
		p.Decks = catalog.Vendor(p.ID)
		return nil
	}
	id := p.RatePlan
	if id == 0 {
		id = rating.DefaultPlan
	}
	plan, err := tx.Plans.Get(id)
	if err != nil {
		return err
	}
	p.Plan, p.Decks = plan.Name, catalog.Plan(id)
	return nil
}

// lists reads the newest postings, calls and invoices.
func (p *accountPage) lists(c *fiber.Ctx, tx *storage.Tx) error {
	const most = 12
	ledger := storage.AccountLedger(p.Account)
	err := tx.PostingsOf(ledger, 0, func(x *rating.Posting) (bool, error) {
		row := postingRow{x, x.Amount}
		if x.Debit == ledger {
			row.Change = x.Amount.Neg()
		}
		p.Postings = append(p.Postings, row)
		return len(p.Postings) < most, nil
	})
	if err != nil {
		return err
	}
	q := storage.CallQuery{Account: p.ID}
	if p.Vendor {
		q.Side = rating.VendorSide
	}
	calls, _, err := tx.NewestCalls(c.UserContext(), q, newestCalls)
	if err != nil {
		return err
	}
	if p.Calls, err = callRows(tx, calls); err != nil {
		return err
	}
	invoices, err := invoicesOf(tx, p.ID)
	if err != nil {
		return err
	}
	p.Invoices, err = invoiceRows(tx, invoices[:min(len(invoices), most)])
	return err
}

// invoicesOf returns an account's invoices, the latest period first.
func invoicesOf(tx *storage.Tx, id rating.AccountID) (list []*rating.Invoice, err error) {
	err = tx.InvoicesOf(id, func(inv *rating.Invoice) (bool, error) {
		list = append([]*rating.Invoice{inv}, list...)
		return true, nil
	})
	return list, err
}

// periodName is an invoice period in words.
func periodName(p rating.PeriodID) string {
	names := [...]string{"none", "daily", "weekly", "every two weeks", "monthly", "every two weeks, cut at the month", "weekly, cut at the month"}
	if int(p) < len(names) {
		return names[p]
	}
	return strconv.Itoa(int(p))
}

// talkSince says how long ago an instant was, in the largest unit that fits.
func talkSince(now, t time.Time) string {
	d := now.Sub(t)
	switch {
	case d < 2*time.Minute:
		return "just now"
	case d < 2*time.Hour:
		return strconv.Itoa(int(d/time.Minute)) + " minutes ago"
	case d < 48*time.Hour:
		return strconv.Itoa(int(d/time.Hour)) + " hours ago"
	}
	return strconv.Itoa(int(d/(24*time.Hour))) + " days ago"
}
