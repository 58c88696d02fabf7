package ui

import (
	"cmp"
	"slices"

	"billd/rating"
	"billd/storage"

	"github.com/gofiber/fiber/v2"
)

const (
	topAccounts = 8  // of the dashboard's table
	newestCalls = 10 // of the dashboard and of an account
)

// board is the dashboard: a set of cards for each currency in use, the operator's own first.
type board struct {
	Currencies  []currencyBoard
	Suspended   int
	Rates       int
	RateMemory  string
	StoreSize   string
	Calls       []callRow
	Top         []topAccount
	Accounts    int
	Invoices    int
	HasAccounts bool // besides the operator's own
}

// currencyBoard is what one currency's accounts did.
type currencyBoard struct {
	Currency                rating.Currency
	Today, Yesterday, Month *sums
	Held, Owed              rating.Money // balances of customers and of vendors
	Charts                  []chart
}

type topAccount struct {
	Account *rating.Account
	Sums    *sums
	Balance rating.Money
}

func (u *UI) dashboard(c *fiber.Ctx, s *session) error {
	var b board
	err := u.DB.View(c.UserContext(), func(tx *storage.Tx) (err error) {
		b, err = u.board(c, tx)
		return err
	})
	if err != nil {
		return err
	}
	return u.render(c, s, "dashboard", page{Title: "Dashboard", Nav: "dashboard", Data: b})
}

func (u *UI) board(c *fiber.Ctx, tx *storage.Tx) (board, error) {
	rows, bytes := u.DB.Catalog().Rates()
	b := board{Suspended: tx.Suspense.Count(), Rates: rows, RateMemory: bytesText(int64(bytes)), StoreSize: bytesText(u.DB.Stats().FileSize)}
	accounts, err := allAccounts(tx)
	if err != nil {
		return b, err
	}
	b.Accounts, b.Invoices = len(accounts), tx.Invoices.Count()
	b.HasAccounts = b.Accounts > 1
	f, err := lastDays(tx, accounts)
	if err != nil {
		return b, err
	}
	held, owed, err := balances(tx, accounts)
	if err != nil {
		return b, err
	}
	for _, cur := range currencies(f.Month, tx.Settings().Currency) {
		b.Currencies = append(b.Currencies, currencyBoard{Currency: cur, Today: sumOf(f.Today, cur), Yesterday: sumOf(f.Yesterday, cur),
			Month: sumOf(f.Month, cur), Held: held[cur], Owed: owed[cur], Charts: f.charts(cur)})
	}
	if b.Top, err = top(tx, f, accounts); err != nil {
		return b, err
	}
	calls, _, err := tx.NewestCalls(c.UserContext(), storage.CallQuery{}, newestCalls)
	if err != nil {
		return b, err
	}
	b.Calls, err = callRows(tx, calls)
	return b, err
}

// balances sums what customers hold and what vendors are owed.
func balances(tx *storage.Tx, accounts map[rating.AccountID]*rating.Account) (held, owed map[rating.Currency]rating.Money, err error) {
	held, owed = map[rating.Currency]rating.Money{}, map[rating.Currency]rating.Money{}
	for _, a := range accounts {
		m, err := tx.AccountBalance(a)
		if err != nil {
			return nil, nil, err
		}
		vendor, err := vendorOnly(tx, a)
		if err != nil {
			return nil, nil, err
		}
		into := held
		if vendor {
			into = owed
		}
		if into[a.Currency], err = into[a.Currency].Add(m); err != nil {
			return nil, nil, err
		}
	}
	return held, owed, nil
}

// top returns the accounts that brought most revenue.
func top(tx *storage.Tx, f *figures, accounts map[rating.AccountID]*rating.Account) (list []topAccount, err error) {
	for id, s := range f.Accounts {
		if s.Calls > 0 {
			list = append(list, topAccount{Account: accounts[id], Sums: s})
		}
	}
	slices.SortFunc(list, func(a, b topAccount) int {
		return cmp.Or(cmp.Compare(b.Sums.Revenue, a.Sums.Revenue), cmp.Compare(a.Account.ID, b.Account.ID))
	})
	list = list[:min(len(list), topAccounts)]
	for i := range list {
		if list[i].Balance, err = tx.AccountBalance(list[i].Account); err != nil {
			return nil, err
		}
	}
	return list, nil
}
