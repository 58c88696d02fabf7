package ui

import (
	"net/url"
	"strconv"
	"time"

	"billd/rating"
	"billd/storage"

	"github.com/gofiber/fiber/v2"
)

// callRow is a call as lists show it.
type callRow struct {
	ID               rating.CDRID
	Start            time.Time
	From, To         string
	Customer, Vendor accountLink
	Prefix           string
	Seconds          int64
	Answered         bool
	Rated            bool // it has a price, if only 0
	Price, Cost      rating.Money
	HasCost          bool
	Currency         rating.Currency
	CostCurrency     rating.Currency
	History          bool
}

// callRows names the accounts of calls.
func callRows(tx *storage.Tx, calls []*rating.CDR) ([]callRow, error) {
	known := map[rating.AccountID]*rating.Account{}
	account := func(id rating.AccountID) (*rating.Account, error) {
		if a := known[id]; a != nil || id == 0 {
			return a, nil
		}
		a, err := tx.Accounts.Get(uint64(id))
		known[id] = a
		return a, err
	}
	rows := make([]callRow, 0, len(calls))
	for _, c := range calls {
		customer, err := account(c.Customer())
		if err != nil {
			return nil, err
		}
		vendor, err := account(c.Vendor())
		if err != nil {
			return nil, err
		}
		rows = append(rows, newCallRow(tx, c, customer, vendor))
	}
	return rows, nil
}

func newCallRow(tx *storage.Tx, c *rating.CDR, customer, vendor *rating.Account) callRow {
	r := callRow{ID: c.ID, Start: c.Time(rating.CDRTimeStart), Prefix: c.Text(rating.CDRDestinationPrefix),
		From:    firstText(c, rating.CDRSrcPrefixRouting, rating.CDRSrcPrefixIn),
		To:      firstText(c, rating.CDRDstPrefixRouting, rating.CDRDstPrefixIn),
		Seconds: c.Int(rating.CDRDuration), Answered: c.Bool(rating.CDRSuccess), Rated: c.Has(rating.CDRCustomerPrice),
		Price: c.Money(rating.CDRCustomerPrice), Cost: c.Money(rating.CDRVendorPrice), HasCost: c.Has(rating.CDRVendorPrice),
		Currency: tx.Settings().Currency, CostCurrency: tx.Settings().Currency, History: c.Origin == rating.History}
	if customer != nil {
		r.Customer, r.Currency = accountLink{customer.ID, customer.Name}, customer.Currency
	}
	if vendor != nil {
		r.Vendor, r.CostCurrency = accountLink{vendor.ID, vendor.Name}, vendor.Currency
	}
	return r
}

// firstText returns the first of a call's columns that says something.
func firstText(c *rating.CDR, fields ...rating.CDRField) string {
	for _, f := range fields {
		if t := c.Text(f); t != "" {
			return t
		}
	}
	return ""
}

// callList is the page of calls.
type callList struct {
	Account, Side, From, Till, Number string // the filter as it was given
	Filtered                          bool
	Zone                              string // of the days
	Problem                           string
	Names                             []string // of accounts, to choose from
	Calls                             []callRow
	Read                              bool   // the read ended before the page was full
	Next                              string // address of the next page
	First                             string // address of the first page, when this is another
}

func (u *UI) cdrs(c *fiber.Ctx, s *session) error {
	l := callList{Account: c.Query("account"), Side: c.Query("side"), From: c.Query("from"), Till: c.Query("till"), Number: c.Query("number"), Zone: "UTC"}
	l.Filtered = l.Account != "" || l.From != "" || l.Till != "" || l.Number != ""
	below, err := number(c, "before")
	if err != nil {
		return err
	}
	err = u.DB.View(c.UserContext(), func(tx *storage.Tx) error {
		if l.Names, err = accountNames(tx); err != nil {
			return err
		}
		q, err := l.query(c, tx)
		if err != nil {
			return err
		}
		q.Below = rating.CDRID(below)
		return l.read(c, tx, q)
	})
	if kind := rating.KindOf(err); err != nil && (kind == rating.Invalid || kind == rating.NotFound) {
		l.Problem, err = sentence(err.Error()), nil
		c.Status(fiber.StatusBadRequest)
	}
	if err != nil {
		return err
	}
	return u.render(c, s, "cdrs", page{Title: "CDRs", Nav: "cdrs", Data: l})
}

// query makes a query of the filter. Days are the account's, if one is chosen.
func (l *callList) query(c *fiber.Ctx, tx *storage.Tx) (q storage.CallQuery, err error) {
	loc := time.UTC
	if l.Account != "" {
		a, err := tx.AccountByRef(l.Account)
		if err != nil {
			return q, err
		}
		q.Account, loc, l.Zone = a.ID, tx.Location(a), a.Timezone
		vendor, err := vendorOnly(tx, a)
		if err != nil {
			return q, err
		}
		if l.Side == "" && vendor {
			l.Side = "vendor"
		}
		if l.Side == "vendor" {
			q.Side = rating.VendorSide
		}
	}
	if q.From, err = dateOf(c, "from", loc); err != nil {
		return q, err
	}
	if q.Till, err = dateOf(c, "till", loc); err != nil {
		return q, err
	}
	if !q.Till.IsZero() {
		q.Till = q.Till.AddDate(0, 0, 1) // the day that is named is included
	}
	q.Number = dialled(l.Number)
	return q, nil
}

func (l *callList) read(c *fiber.Ctx, tx *storage.Tx, q storage.CallQuery) error {
	calls, more, err := tx.NewestCalls(c.UserContext(), q, pageRows)
	if err != nil {
		return err
	}
	filter := url.Values{"account": {l.Account}, "side": {l.Side}, "from": {l.From}, "till": {l.Till}, "number": {l.Number}}
	if more != 0 {
		l.Next = again("/cdrs", filter, "before", strconv.FormatUint(uint64(more), 10))
		l.Read = len(calls) < pageRows
	}
	if q.Below != 0 {
		filter.Set("before", "")
		l.First = again("/cdrs", filter, "side", l.Side)
	}
	l.Calls, err = callRows(tx, calls)
	return err
}

// accountNames lists open accounts for a field to choose from, none when they are too many for that.
func accountNames(tx *storage.Tx) (names []string, err error) {
	const most = 500
	err = tx.Accounts.Each(0, func(a *rating.Account) (bool, error) {
		if !a.Closed() {
			names = append(names, a.Name)
		}
		return len(names) <= most, nil
	})
	if len(names) > most {
		names = nil
	}
	return names, err
}

// callPage is one call with its prices explained.
type callPage struct {
	callRow
	UUID        string
	Local       string // its start in the customer's zone
	Zone        string
	Connect     time.Time
	End         time.Time
	CallID      string
	Disconnect  string
	Status      string
	Revision    uint32
	Invoice     uint64
	Profit      rating.Money
	Sides       []explained
	Columns     []column
	Net, Tax    rating.Money
	HasCustomer bool
}

// column is one stored field.
type column struct{ Name, Value string }

func (u *UI) cdr(c *fiber.Ctx, s *session) error {
	id, err := rowID(c, "cdr")
	if err != nil {
		return err
	}
	var p callPage
	err = u.DB.View(c.UserContext(), func(tx *storage.Tx) error {
		var cdr rating.CDR
		if err := tx.CDR(rating.CDRID(id), &cdr); err != nil {
			return err
		}
		p, err = u.callPage(tx, &cdr)
		return err
	})
	if err != nil {
		return err
	}
	return u.render(c, s, "cdr", page{Title: "CDR " + strconv.FormatUint(id, 10), Nav: "cdrs", Data: p})
}

func (u *UI) callPage(tx *storage.Tx, c *rating.CDR) (p callPage, err error) {
	rows, err := callRows(tx, []*rating.CDR{c})
	if err != nil {
		return p, err
	}
	p = callPage{callRow: rows[0], UUID: tx.CDRUUID(c), CallID: c.CallID(), Status: c.Status.String(), Revision: c.Revision,
		Connect: c.Time(rating.CDRTimeConnect), End: c.Time(rating.CDRTimeEnd), Profit: c.Money(rating.CDRProfit),
		Net: c.Money(rating.CDRCustomerPriceNoVAT), HasCustomer: c.Customer() != 0}
	if p.Tax, err = p.Price.Sub(p.Net); err != nil {
		return p, err
	}
	if code := c.Format(rating.CDRLegaDisconnectCode); code != "" {
		p.Disconnect = code + " " + c.Text(rating.CDRLegaDisconnectReason)
	}
	if p.HasCustomer {
		a, err := tx.Accounts.Get(uint64(c.Customer()))
		if err != nil {
			return p, err
		}
		p.Zone, p.Local = a.Timezone, p.Start.In(tx.Location(a)).Format("2006-01-02 15:04:05")
		if p.Invoice, err = tx.InvoiceOf(a.ID, c); err != nil {
			return p, err
		}
	}
	if p.Sides, err = u.explainCall(tx, c, &p.callRow); err != nil {
		return p, err
	}
	for f := range rating.NumCDRFields {
		if f := rating.CDRField(f); c.Has(f) {
			p.Columns = append(p.Columns, column{f.Name(), c.Format(f)})
		}
	}
	return p, nil
}
