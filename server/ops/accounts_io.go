package ops

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"billd/rating"
	"billd/storage"
)

// accountRow is an account as files hold it: with what it refers to by name.
type accountRow struct {
	rating.Account
	contractor           string
	isCustomer, isVendor bool
	enabled              bool
	parent               string // UUID
	plan                 string // name of the rate plan
	notify, invoice      []string
	balance              rating.Money
	fromBilld            bool
}

// accountColumn is one column of an account file.
type accountColumn struct {
	name string
	get  func(*accountRow) string
	set  func(*accountRow, string) error
}

func textColumn(name string, of func(*accountRow) *string) accountColumn {
	return accountColumn{name, func(a *accountRow) string { return *of(a) }, func(a *accountRow, s string) error { *of(a) = s; return nil }}
}

func boolColumn(name string, of func(*accountRow) *bool) accountColumn {
	return accountColumn{name, func(a *accountRow) string { return strconv.FormatBool(*of(a)) }, func(a *accountRow, s string) (err error) {
		if *of(a), err = strconv.ParseBool(s); err != nil {
			err = fmt.Errorf("%s %q: want true or false", name, s)
		}
		return err
	}}
}

func intColumn(name string, of func(*accountRow) **int64) accountColumn {
	get := func(a *accountRow) string {
		if *of(a) == nil {
			return ""
		}
		return strconv.FormatInt(**of(a), 10)
	}
	return accountColumn{name, get, func(a *accountRow, s string) error {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return fmt.Errorf("%s %q: want a whole number", name, s)
		}
		*of(a) = &n
		return nil
	}}
}

func decimalColumn(name string, of func(*accountRow) *rating.Decimal) accountColumn {
	return accountColumn{name, func(a *accountRow) string { return string(*of(a)) }, func(a *accountRow, s string) error {
		return of(a).UnmarshalText([]byte(s))
	}}
}

func timeColumn(name string, of func(*accountRow) *time.Time) accountColumn {
	get := func(a *accountRow) string {
		if of(a).IsZero() {
			return ""
		}
		return of(a).UTC().Format(time.RFC3339Nano)
	}
	return accountColumn{name, get, func(a *accountRow, s string) error {
		t, err := rating.ParseTime(s)
		if at, nerr := time.Parse(time.RFC3339Nano, s); nerr == nil {
			t, err = at.UTC(), nil // to the nanosecond
		}
		*of(a) = t
		return err
	}}
}

func listColumn(name string, of func(*accountRow) *[]string) accountColumn {
	return accountColumn{name, func(a *accountRow) string { return strings.Join(*of(a), " ") }, func(a *accountRow, s string) error {
		*of(a) = strings.Fields(s)
		return nil
	}}
}

// accountColumns are the columns of an account file; API keys are secrets and have none.
var accountColumns = []accountColumn{
	{"format", func(*accountRow) string { return formatBilld }, func(a *accountRow, s string) error {
		if s != formatBilld && strings.HasPrefix(s, "billd/") {
			return fmt.Errorf("format %.40q: this billd reads %s", s, formatBilld)
		}
		a.fromBilld = s == formatBilld
		return nil
	}},
	{"id", func(a *accountRow) string { return strconv.FormatUint(uint64(a.ID), 10) }, func(a *accountRow, s string) error {
		n, err := strconv.ParseUint(s, 10, 63)
		if err != nil {
			return fmt.Errorf("id %q: want a number", s)
		}
		a.ID = rating.AccountID(n)
		return nil
	}},
	{"uuid", func(a *accountRow) string { return a.UUID.String() }, func(a *accountRow, s string) error { return a.UUID.UnmarshalText([]byte(s)) }},
	textColumn("name", func(a *accountRow) *string { return &a.Name }),
	textColumn("contractor", func(a *accountRow) *string { return &a.contractor }),
	boolColumn("customer", func(a *accountRow) *bool { return &a.isCustomer }),
	boolColumn("vendor", func(a *accountRow) *bool { return &a.isVendor }),
	boolColumn("enabled", func(a *accountRow) *bool { return &a.enabled }),
	textColumn("parent", func(a *accountRow) *string { return &a.parent }),
	timeColumn("created_at", func(a *accountRow) *time.Time { return &a.CreatedAt }),
	timeColumn("closed_at", func(a *accountRow) *time.Time { return &a.ClosedAt }),
	{"currency", func(a *accountRow) string { return a.Currency.String() }, func(a *accountRow, s string) error { return a.Currency.UnmarshalText([]byte(s)) }},
	{"balance", func(a *accountRow) string { return a.balance.String() }, func(a *accountRow, s string) error { return a.balance.UnmarshalText([]byte(s)) }},
	textColumn("timezone", func(a *accountRow) *string { return &a.Timezone }),
	{"vat", func(a *accountRow) string { return a.VAT.String() }, func(a *accountRow, s string) error { return a.VAT.UnmarshalText([]byte(s)) }},
	textColumn("rateplan", func(a *accountRow) *string { return &a.plan }),
	decimalColumn("min_balance", func(a *accountRow) *rating.Decimal { return &a.MinBalance }),
	decimalColumn("max_balance", func(a *accountRow) *rating.Decimal { return &a.MaxBalance }),
	decimalColumn("low_threshold", func(a *accountRow) *rating.Decimal { return &a.LowThreshold }),
	decimalColumn("high_threshold", func(a *accountRow) *rating.Decimal { return &a.HighThreshold }),
	listColumn("notify_contacts", func(a *accountRow) *[]string { return &a.notify }),
	listColumn("invoice_contacts", func(a *accountRow) *[]string { return &a.invoice }),
	decimalColumn("destination_rate_limit", func(a *accountRow) *rating.Decimal { return &a.DestinationRateLimit }),
	intColumn("max_call_duration", func(a *accountRow) **int64 { return &a.MaxCallDuration }),
	intColumn("external_id", func(a *accountRow) **int64 { return &a.ExternalID }),
	intColumn("origination_capacity", func(a *accountRow) **int64 { return &a.OriginationCapacity }),
	intColumn("termination_capacity", func(a *accountRow) **int64 { return &a.TerminationCapacity }),
	intColumn("total_capacity", func(a *accountRow) **int64 { return &a.TotalCapacity }),
	{"invoice_period", func(a *accountRow) string { return strconv.Itoa(int(a.InvoicePeriod)) }, func(a *accountRow, s string) error {
		n, err := strconv.ParseUint(s, 10, 8)
		if a.InvoicePeriod = rating.PeriodID(n); err != nil || !a.InvoicePeriod.Valid() {
			return fmt.Errorf("invoice_period %q: want 0 to 6", s)
		}
		return nil
	}},
	timeColumn("invoiced_from", func(a *accountRow) *time.Time { return &a.InvoicedFrom }),
	timeColumn("next_invoice_at", func(a *accountRow) *time.Time { return &a.NextInvoiceAt }),
	timeColumn("invoiced_till", func(a *accountRow) *time.Time { return &a.InvoicedTill }),
	intColumn("invoice_template", func(a *accountRow) **int64 { return &a.InvoiceTemplate }),
	textColumn("realm", func(a *accountRow) *string { return &a.Realm }),
	boolColumn("reseller", func(a *accountRow) *bool { return &a.Reseller }),
	boolColumn("disabled", func(a *accountRow) *bool { return &a.Disabled }),
	{"doc", func(a *accountRow) string { return string(a.Doc) }, func(a *accountRow, s string) error {
		if !json.Valid([]byte(s)) {
			return fmt.Errorf("doc: want JSON")
		}
		a.Doc = json.RawMessage(s)
		return nil
	}},
}

// accountNames are the names of accountColumns.
func accountNames() []string {
	names := make([]string, len(accountColumns))
	for i, c := range accountColumns {
		names[i] = c.name
	}
	return names
}

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

func (a *accountRow) values() map[string]any {
	values := map[string]any{}
	for _, c := range accountColumns {
		values[c.name] = c.get(a)
	}
	return values
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
	r.balance, err = tx.AccountBalance(a)
	return r, err
}

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

// read sets the row's columns from a record; only, if it is not nil, tells which.
func (a *accountRow) read(f fields, only func(string) bool) error {
	for _, c := range accountColumns {
		s, err := f.text(c.name)
		if raw := f[c.name]; err != nil && c.name == "doc" {
			s, err = string(raw), nil
		}
		if err != nil {
			return err
		}
		if s == "" || only != nil && !only(c.name) {
			continue
		}
		if err := c.set(a, s); err != nil {
			return err
		}
	}
	if a.Name == "" {
		return fmt.Errorf("name is missing")
	}
	return nil
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
