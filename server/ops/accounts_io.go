package ops

import (
	"context"
	"fmt"
	"time"

	"billd/rating"
	"billd/storage"
)

// importAccounts makes the accounts of a file in one transaction. A number is kept in a store that has
// no accounts but the operator's own; an account that is there already is left as it is, and reported
// if the file says otherwise.
func importAccounts(ctx context.Context, env *Env, args ImportArgs, o *IO) (int, error) {
	type line struct {
		at int
		f  fields
	}
	var lines []line
	err := eachRecord(o.In, args.Format, "accounts", func(at int, f fields) error {
		lines = append(lines, line{at, f})
		return ctx.Err()
	})
	if err != nil {
		return ExitFailed, err
	}
	var report *ImportReport
	err = env.DB.Update(ctx, func(tx *storage.Tx) error {
		report = &ImportReport{Read: len(lines)}
		im := accountImport{tx: tx, report: report, empty: tx.Accounts.Count() == 1}
		waiting := lines
		for len(waiting) > 0 { // parents first, in whatever order they stand
			var later []line
			for _, l := range waiting {
				known, err := im.take(l.at, l.f)
				if err != nil {
					return err
				}
				if !known {
					later = append(later, l)
				}
			}
			if len(later) == len(waiting) {
				for _, l := range later {
					parent, _ := l.f.text("parent")
					report.reject(l.at, fmt.Errorf("parent %s does not exist", parent))
				}
				break
			}
			waiting = later
		}
		return nil
	})
	if err != nil {
		return ExitFailed, err
	}
	return report.print(o, args.Input.Name, args.JSON)
}

// accountImport is one run of import-accounts.
type accountImport struct {
	tx     *storage.Tx
	report *ImportReport
	empty  bool
	master string // UUID of the account that roots the tree in the store that an export comes from
}

// take makes the account of one record; false when its parent is not there yet. An error is the
// store's; what is wrong with the record goes to the report.
func (im *accountImport) take(line int, f fields) (bool, error) {
	r := &accountRow{isCustomer: true, isVendor: true, enabled: true}
	if f == nil {
		im.report.reject(line, fmt.Errorf("the record is not a JSON object"))
		return true, nil
	}
	if err := r.read(f, nil); err != nil {
		im.report.reject(line, err)
		return true, nil
	}
	if r.parent != "" && r.parent == im.master {
		r.parent = "" // the operator's own account here
	}
	if r.parent != "" {
		if _, err := im.tx.AccountByRef(r.parent); err != nil {
			return false, nil
		}
	}
	there, err := im.there(r)
	if err != nil {
		return true, err
	}
	if there == nil && r.fromBilld && r.ID == rating.MasterAccount && !im.empty {
		im.master = r.UUID.String()
		im.report.reject(line, fmt.Errorf("account %s is the operator's own of another store: this store has one", r.Name))
		return true, nil
	}
	if there != nil {
		return true, im.compare(line, f, there)
	}
	err = im.make(r)
	switch {
	case err == nil:
		im.report.Added++
	case rating.KindOf(err) == rating.Internal:
		return true, err
	default:
		im.report.reject(line, err)
	}
	return true, nil
}

// there finds the account that a record speaks of, nil for none: by UUID, else by name.
func (im *accountImport) there(r *accountRow) (*rating.Account, error) {
	var a *rating.Account
	var err error
	switch {
	case im.empty && r.fromBilld && r.ID == rating.MasterAccount:
		return nil, nil // the operator's own account is taken over
	case !r.UUID.IsZero():
		a, err = im.tx.AccountByUUID(r.UUID)
		if err != nil && r.fromBilld && !r.ClosedAt.IsZero() {
			if was, gerr := im.tx.Accounts.Get(uint64(r.ID)); gerr == nil && was.UUID == r.UUID {
				return was, nil
			}
		}
	default:
		a, err = im.tx.AccountByRef(r.Name)
	}
	if err != nil && rating.KindOf(err) == rating.NotFound {
		return nil, nil
	}
	return a, err
}

// compare counts a record as same, or rejects it, by what it says of the account that is there.
// Numbers and balances are not compared: they go their own way in every store.
func (im *accountImport) compare(line int, f fields, a *rating.Account) error {
	is, err := accountRowOf(im.tx, a)
	if err != nil {
		return err
	}
	said := *is
	theirs := func(name string) bool { return name != "id" && name != "balance" && name != "format" }
	if err := said.read(f, theirs); err != nil {
		im.report.reject(line, err)
		return nil
	}
	for _, c := range accountColumns {
		if got, want := c.get(&said), c.get(is); got != want && theirs(c.name) {
			im.report.reject(line, fmt.Errorf("account %d is there with another %s: %.60q, here %.60q", a.ID, c.name, got, want))
			return nil
		}
	}
	im.report.Same++
	return nil
}

// make makes the account, what it refers to by name, and its opening balance.
func (im *accountImport) make(r *accountRow) error {
	tx := im.tx
	a := r.Account
	keep := im.empty && r.fromBilld && r.ID != 0
	takeOver := keep && r.ID == rating.MasterAccount
	if !keep {
		a.ID = 0
	} else if tx.Accounts.Has(uint64(a.ID)) && !takeOver {
		return rating.Errorf(rating.Conflict, "id", "account %d is there already", a.ID)
	}
	if taken := tx.Accounts.Taken(&a); len(taken) > 0 {
		return rating.Errorf(rating.Conflict, taken[0], "another account has this %s", taken[0])
	}
	if err := im.refer(r, &a); err != nil {
		return err
	}
	if takeOver {
		was, err := tx.Accounts.Get(uint64(rating.MasterAccount))
		if err != nil {
			return err
		}
		a.APIKey, a.Parent = was.APIKey, 0
		if err := tx.SaveAccount(&a); err != nil {
			return err
		}
	} else if err := tx.CreateAccount(&a); err != nil {
		return err
	}
	if r.fromBilld {
		a.CreatedAt, a.InvoicedFrom, a.NextInvoiceAt, a.InvoicedTill = r.CreatedAt, r.InvoicedFrom, r.NextInvoiceAt, r.InvoicedTill
		if err := tx.Accounts.Put(&a); err != nil {
			return err
		}
	}
	if err := tx.SetGuard(a.ID, r.guard); err != nil {
		return err
	}
	return tx.OpenBalance(&a, r.balance)
}

// refer finds or makes what the account refers to.
func (im *accountImport) refer(r *accountRow, a *rating.Account) error {
	tx := im.tx
	if r.contractor == "" {
		r.contractor = r.Name
	}
	owner, err := tx.ContractorByName(r.contractor)
	if err != nil && rating.KindOf(err) == rating.NotFound {
		owner = &storage.Contractor{Name: r.contractor, Enabled: r.enabled, Customer: r.isCustomer, Vendor: r.isVendor}
		err = tx.Contractors.Put(owner)
	}
	if err != nil {
		return err
	}
	a.Contractor = owner.ID
	if r.parent != "" {
		p, err := tx.AccountByRef(r.parent)
		if err != nil {
			return err
		}
		a.Parent = p.ID
	}
	if r.plan != "" {
		p, err := tx.PlanByName(r.plan)
		if err != nil {
			return rating.Errorf(rating.NotFound, "rateplan", "rate plan %q does not exist", r.plan)
		}
		a.RatePlan = p.ID
	}
	if a.Timezone != "" {
		if _, err := time.LoadLocation(a.Timezone); err != nil || a.Timezone == "Local" {
			return rating.Broken("timezone", "unknown", "", "timezone %.60q is not known", a.Timezone)
		}
	}
	for _, list := range []struct {
		emails []string
		to     *[]int64
	}{{r.notify, &a.NotifyContacts}, {r.invoice, &a.InvoiceContacts}} {
		for _, email := range list.emails {
			c, err := tx.ContactOf(owner.ID, email)
			if err != nil {
				return err
			}
			*list.to = append(*list.to, int64(c.ID))
		}
	}
	return nil
}
