package kazoo

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"billd/rating"
	"billd/storage"
)

// listAudits lists an account's audits, newest first.
func listAudits(x *exchange) (*answer, error) {
	s, err := x.createdRange(maxRange)
	if err != nil {
		return nil, err
	}
	size, err := x.pageSize()
	if err != nil {
		return nil, err
	}
	p := &page{start: x.setting("start_key")}
	below := uint64(0)
	if p.start != "" {
		text, err := decodeKey(p.start)
		if err != nil {
			return nil, err
		}
		if below, err = strconv.ParseUint(text, 10, 64); err != nil {
			return nil, invalid("start_key", "invalid", "start_key is not one that a listing gave", "value", clip(p.start))
		}
	}
	rows := []auditRow{}
	err = x.view(func(tx *storage.Tx) error {
		return tx.ServiceAuditsOf(x.account.ID, s.from, s.to, func(a *storage.ServiceAudit) (bool, error) {
			if below != 0 && a.ID > below {
				return true, nil
			}
			if size > 0 && len(rows) == size {
				p.next = encodeKey(strconv.FormatUint(a.ID, 10))
				return false, nil
			}
			rows = append(rows, auditRow{auditID(a.At, a.ID), a.Status, a.Types, a.Summary})
			return true, nil
		})
	})
	if err != nil {
		return nil, err
	}
	if x.setting("ascending") == "true" || x.setting("descending") == "false" {
		slices.Reverse(rows)
	}
	p.size = len(rows)
	return &answer{data: rows, page: p}, nil
}

// readAudit shows one audit whole.
func readAudit(x *exchange) (*answer, error) {
	id := x.params["audit"]
	var n uint64
	if len(id) != 39 {
		return nil, unknownID(id)
	}
	if _, err := fmt.Sscanf(id[7:], "%032x", &n); err != nil {
		return nil, unknownID(id)
	}
	var a *storage.ServiceAudit
	err := x.view(func(tx *storage.Tx) (err error) {
		a, err = tx.ServiceAudits.Get(n)
		return err
	})
	if rating.KindOf(err) == rating.NotFound || err == nil && (a.Account != x.account.ID || auditID(a.At, a.ID) != id) {
		return nil, unknownID(id)
	}
	if err != nil {
		return nil, err
	}
	var parts struct {
		Audit, Invoice, Bookkeeper json.RawMessage
	}
	if err := json.Unmarshal(a.Doc, &parts); err != nil {
		return nil, err
	}
	return &answer{revision: stored, data: struct {
		ID         string          `json:"id"`
		Audit      json.RawMessage `json:"audit"`
		Invoice    json.RawMessage `json:"invoice"`
		Status     string          `json:"status"`
		Bookkeeper json.RawMessage `json:"bookkeeper"`
	}{id, parts.Audit, parts.Invoice, a.Status, parts.Bookkeeper}}, nil
}

// daySum is what one name did on one day. Units and quantities of usage are summed; of services the
// latest quantity counts.
type daySum struct {
	addition, removal, quantity int64
	unit                        string
	last                        int64
}

// view is the day as Kazoo shows it.
func (d *daySum) view(sums bool) document {
	doc := document{"quantity": d.quantity, "last_timestamp": d.last, "sum_quantity": sums}
	if sums {
		doc["unit"] = d.unit
	} else {
		doc["addition"], doc["removal"] = d.addition, d.removal
	}
	return doc
}

// daySums adds up audits and usage in s by name and UTC day (contract 7.4).
func (x *exchange) daySums(s span) (map[string]map[string]*daySum, error) {
	by := map[string]map[string]*daySum{}
	day := func(name string, at time.Time) *daySum {
		if by[name] == nil {
			by[name] = map[string]*daySum{}
		}
		key := at.UTC().Format(time.DateOnly)
		if by[name][key] == nil {
			by[name][key] = &daySum{}
		}
		return by[name][key]
	}
	err := x.view(func(tx *storage.Tx) error {
		err := tx.ServiceAuditsOf(x.account.ID, s.from, s.to, func(a *storage.ServiceAudit) (bool, error) {
			for _, part := range a.Days {
				d := day(part.Name, a.At)
				d.addition += max(part.Difference, 0)
				d.removal += max(-part.Difference, 0)
				if d.last == 0 { // audits come newest first
					d.quantity, d.last = part.Billable, seconds(a.At)
				}
			}
			return true, nil
		})
		if err != nil {
			return err
		}
		return eachCall(tx, x.account, s, func(l *ledger) (bool, error) {
			d := day(serviceCalls, l.at)
			n, _ := integerText(l.Usage.Quantity.String())
			d.quantity += n
			d.unit, d.last = l.Usage.Unit, max(d.last, seconds(l.at))
			return true, nil
		})
	})
	return by, err
}

func integerText(s string) (int64, bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}

// summaryRange is the range of an audit summary: a year when its end is given, else a month.
func (x *exchange) summaryRange() (span, error) {
	if x.setting("created_to") != "" {
		return x.createdRange(maxYearRange)
	}
	return x.createdRange(maxRange)
}

// days lists a name's days, oldest first.
func days(name string, by map[string]*daySum) []document {
	var keys []string
	for k := range by {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	out := []document{}
	for _, k := range keys {
		out = append(out, document{k: by[k].view(name == serviceCalls)})
	}
	return out
}

func summarizeAudits(x *exchange) (*answer, error) {
	s, err := x.summaryRange()
	if err != nil {
		return nil, err
	}
	by, err := x.daySums(s)
	if err != nil {
		return nil, err
	}
	data := document{}
	for name, sums := range by {
		data[name] = days(name, sums)
	}
	return &answer{data: data}, nil
}

// summarizeAuditsOf lists one name's days, newest first.
func summarizeAuditsOf(x *exchange) (*answer, error) {
	s, err := x.summaryRange()
	if err != nil {
		return nil, err
	}
	by, err := x.daySums(s)
	if err != nil {
		return nil, err
	}
	rows := days(x.params["source"], by[x.params["source"]])
	slices.Reverse(rows)
	return &answer{data: rows}, nil
}
