package yeti

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"billd/rating"
	"billd/server/jsonapi"
)

// line is one row of an invoice's breakdown.
type line = rating.InvoiceLine

// The five breakdowns. They are made with their invoice and read-only (quirk Q6).
var (
	originatedDestinations = lineResource("invoice-originated-destinations", rating.OriginatedDestination)
	originatedNetworks     = lineResource("invoice-originated-networks", rating.OriginatedNetwork)
	terminatedDestinations = lineResource("invoice-terminated-destinations", rating.TerminatedDestination)
	terminatedNetworks     = lineResource("invoice-terminated-networks", rating.TerminatedNetwork)
	invoiceServices        = lineResource("invoice-service-data", rating.ServiceLine)
)

func lineResource(typ string, kind rating.LineKind) jsonapi.Resource[line] {
	d := jsonapi.Resource[line]{
		Type: typ, Verbs: jsonapi.ReadVerbs,
		Key: func(l *line) string { return decimal(l.ID) },
		Each: func(r *jsonapi.Request, q *jsonapi.Query, fn func(*line) (bool, error)) error {
			return eachLine(r, q, kind, fn)
		},
		Load: func(r *jsonapi.Request, id string) (*line, error) {
			n, err := strconv.ParseUint(id, 10, 64)
			if err != nil {
				return nil, jsonapi.NoRecord(id)
			}
			l, err := r.Tx.Lines.Get(n)
			if err == nil && l.Kind != kind {
				return nil, jsonapi.NoRecord(id)
			}
			return l, err
		},
		Attrs: lineAttrs(kind),
		Rels: []jsonapi.Rel[line]{
			jsonapi.One("invoice", "invoices", func(l *line) *uint64 { return &l.Invoice }, jsonapi.ReadOnly),
		},
		Filters: []jsonapi.Filter[line]{
			lineKey("invoice_id", func(l *line) *int64 { n := int64(l.Invoice); return &n }),
			lineKey("invoice_account_id", func(l *line) *int64 { n := int64(l.Account); return &n }), // quirk Q7
		},
	}
	if kind == rating.ServiceLine {
		d.Rels = append(d.Rels, jsonapi.OneOrNull("service", "services", func(l *line) **int64 { return &l.Service }, jsonapi.ReadOnly))
		d.Filters = append(d.Filters, lineKey("service_id", func(l *line) *int64 { return l.Service }))
		return d
	}
	d.Rels = append(d.Rels,
		jsonapi.OneOrNull("country", "countries", func(l *line) **int64 { return &l.Country }, jsonapi.ReadOnly),
		jsonapi.OneOrNull("network", "networks", func(l *line) **int64 { return &l.Network }, jsonapi.ReadOnly))
	d.Filters = append(d.Filters,
		lineKey("country_id", func(l *line) *int64 { return l.Country }),
		lineKey("network_id", func(l *line) *int64 { return l.Network }))
	return d
}

// lineAttrs are in the order of the wire; networks have no prefix, services neither calls nor rates.
func lineAttrs(kind rating.LineKind) []jsonapi.Attr[line] {
	count := func(name string, at func(*line) **int64) jsonapi.Attr[line] {
		return jsonapi.Field(name, jsonapi.NullInteger, at, jsonapi.ReadOnly)
	}
	moment := func(name string, at func(*line) **time.Time) jsonapi.Attr[line] {
		return jsonapi.Field(name, jsonapi.NullInstant, at, jsonapi.ReadOnly)
	}
	amount := jsonapi.Field("amount", jsonapi.NullAmount, func(l *line) **rating.Money { return &l.Amount }, jsonapi.ReadOnly)
	spent := jsonapi.Field("spent", jsonapi.Bool, func(l *line) *bool { return &l.Spent }, jsonapi.ReadOnly)
	if kind == rating.ServiceLine {
		return []jsonapi.Attr[line]{amount, count("transactions-count", func(l *line) **int64 { return &l.Calls }), spent}
	}
	attrs := []jsonapi.Attr[line]{
		amount,
		count("billing-duration", func(l *line) **int64 { return &l.BillingDuration }),
		count("calls-count", func(l *line) **int64 { return &l.Calls }),
		count("calls-duration", func(l *line) **int64 { return &l.Duration }),
	}
	if kind == rating.OriginatedDestination || kind == rating.TerminatedDestination {
		attrs = append(attrs, jsonapi.Field("dst-prefix", jsonapi.NullText, func(l *line) **string { return &l.Prefix }, jsonapi.ReadOnly))
	}
	return append(attrs,
		moment("first-call-at", func(l *line) **time.Time { return &l.FirstCall }),
		moment("last-call-at", func(l *line) **time.Time { return &l.LastCall }),
		jsonapi.Field("rate", jsonapi.NullPrice, func(l *line) **rating.Price { return &l.Rate }, jsonapi.ReadOnly),
		spent,
		count("successful-calls-count", func(l *line) **int64 { return &l.Successful }))
}

// lineKey is a filter on a foreign key.
func lineKey(name string, at func(*line) *int64) jsonapi.Filter[line] {
	return jsonapi.Filter[line]{Name: name, Ops: jsonapi.ExactOps, Value: func(_ *jsonapi.Request, l *line) jsonapi.Value {
		if n := at(l); n != nil {
			return jsonapi.IntegerValue(*n)
		}
		return jsonapi.Value{}
	}}
}

// eachLine goes by invoice's index when the query names invoices or an account of them.
func eachLine(r *jsonapi.Request, q *jsonapi.Query, kind rating.LineKind, fn func(*line) (bool, error)) error {
	of, narrowed, err := namedInvoices(r, q)
	if err != nil {
		return err
	}
	if !narrowed {
		return r.Tx.Lines.Each(0, func(l *line) (bool, error) {
			if l.Kind != kind {
				return true, nil
			}
			return fn(l)
		})
	}
	var found []*line
	for _, id := range of {
		if err := r.Tx.LinesOf(id, kind, func(l *line) (bool, error) {
			found = append(found, l)
			return true, nil
		}); err != nil {
			return err
		}
	}
	sortByID(found, func(l *line) uint64 { return l.ID })
	for _, l := range found {
		if more, err := fn(l); err != nil || !more {
			return err
		}
	}
	return nil
}

// namedInvoices returns the invoices that a query about lines is limited to, if it is.
func namedInvoices(r *jsonapi.Request, q *jsonapi.Query) (ids []uint64, narrowed bool, err error) {
	for _, name := range []string{"invoice_id_eq", "invoice_id_in"} {
		if values, ok := q.Values(name); ok {
			ids, _ := numbers[uint64](slices.DeleteFunc(slices.Clone(values), func(s string) bool { _, err := strconv.ParseUint(s, 10, 64); return err != nil }))
			slices.Sort(ids)
			return slices.Compact(ids), true, nil
		}
	}
	values, ok := q.Values("invoice_account_id_eq")
	if !ok {
		return nil, false, nil
	}
	n, err := strconv.ParseUint(values[0], 10, 64)
	if err != nil {
		return nil, true, nil
	}
	err = eachInvoiceOf(r.Tx, []rating.AccountID{rating.AccountID(n)}, func(inv *rating.Invoice) (bool, error) {
		ids = append(ids, inv.ID)
		return true, nil
	})
	return ids, true, err
}

// sortByID puts records into the order in which lists are made.
func sortByID[T any](records []*T, id func(*T) uint64) {
	slices.SortFunc(records, func(a, b *T) int { return cmp.Compare(id(a), id(b)) })
}
