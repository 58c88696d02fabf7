package ops

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"billd/rating"
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
	guard                rating.Guard // rules of its own
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
	{"guard", func(a *accountRow) string {
		if a.guard.IsZero() {
			return ""
		}
		text, err := json.Marshal(a.guard)
		if err != nil {
			return "" // it marshals strings
		}
		return string(text)
	}, func(a *accountRow, s string) error { return a.guard.UnmarshalJSON([]byte(s)) }},
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

func (a *accountRow) values() map[string]any {
	values := map[string]any{}
	for _, c := range accountColumns {
		values[c.name] = c.get(a)
	}
	return values
}

// read sets the row's columns from a record; only, if it is not nil, tells which.
func (a *accountRow) read(f fields, only func(string) bool) error {
	for _, c := range accountColumns {
		s, err := f.text(c.name)
		if raw := f[c.name]; err != nil && (c.name == "doc" || c.name == "guard") {
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
