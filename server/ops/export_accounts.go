package ops

import (
	"context"

	"billd/rating"
	"billd/storage"
)

// exportAccounts writes every account, closed ones too, with its balance.
func exportAccounts(ctx context.Context, env *Env, args ExportArgs, o *IO) (int, error) {
	w, err := newRecordWriter(o.Out, args.Format, accountNames())
	if err != nil {
		return ExitUsage, err
	}
	from := uint64(1)
	for more := true; more; {
		var rows []*accountRow
		err := env.DB.View(ctx, func(tx *storage.Tx) error {
			return tx.Accounts.Each(from, func(a *rating.Account) (bool, error) {
				r, err := accountRowOf(tx, a)
				rows = append(rows, r)
				return len(rows) < exportPage, err
			})
		})
		if err != nil {
			return ExitFailed, err
		}
		for _, r := range rows {
			if err := w.write(r.values()); err != nil {
				return ExitFailed, err
			}
			from = uint64(r.ID) + 1
		}
		more = len(rows) == exportPage
	}
	return ExitOK, w.end()
}

// accountRowOf reads an account with what it refers to.
func accountRowOf(tx *storage.Tx, a *rating.Account) (*accountRow, error) {
	r := &accountRow{Account: *a}
	owner, err := tx.Contractors.Get(a.Contractor)
	if err != nil {
		return nil, err
	}
	r.contractor, r.isCustomer, r.isVendor, r.enabled = owner.Name, owner.Customer, owner.Vendor, owner.Enabled
	if a.Parent != 0 {
		p, err := tx.Accounts.Get(uint64(a.Parent))
		if err != nil {
			return nil, err
		}
		r.parent = p.UUID.String()
	}
	if a.RatePlan != 0 {
		p, err := tx.Plans.Get(a.RatePlan)
		if err != nil {
			return nil, err
		}
		r.plan = p.Name
	}
	for _, list := range []struct {
		ids []int64
		to  *[]string
	}{{a.NotifyContacts, &r.notify}, {a.InvoiceContacts, &r.invoice}} {
		for _, id := range list.ids {
			if c, err := tx.Contacts.Get(uint64(id)); err == nil {
				*list.to = append(*list.to, c.Email)
			}
		}
	}
	if _, r.guard, err = tx.GuardOf(a.ID); err != nil {
		return nil, err
	}
	r.balance, err = tx.AccountBalance(a)
	return r, err
}
