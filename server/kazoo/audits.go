package kazoo

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"billd/rating"
	"billd/rating/plan"
	"billd/storage"
)

// listAudits lists an account's audits, newest first unless the request says ascending.
func listAudits(x *exchange) (*answer, error) {
	s, err := x.timed()
	if err != nil {
		return nil, err
	}
	first, err := s.number()
	if err != nil {
		return nil, err
	}
	rows := []auditRow{}
	err = x.view(func(tx *storage.Tx) error {
		each := tx.ServiceAuditsOf
		if x.ascending() {
			each = tx.OldestServiceAuditsOf
		}
		return each(x.account.ID, s.from, s.to, func(a *storage.ServiceAudit) (bool, error) {
			if first != 0 && (x.ascending() && a.ID < first || !x.ascending() && a.ID > first) {
				return true, nil
			}
			if s.size > 0 && len(rows) == s.size {
				s.page.next = encodeKey(strconv.FormatUint(a.ID, 10))
				return false, nil
			}
			rows = append(rows, auditRow{auditID(a.At, a.ID), a.Status, a.Types, a.Summary})
			return true, nil
		})
	})
	if err != nil {
		return nil, err
	}
	if x.wantsCSV() {
		return auditCSV(rows)
	}
	s.page.size = len(rows)
	return &answer{data: rows, page: s.page}, nil
}

func auditCSV(rows []auditRow) (*answer, error) {
	t := newSheet("id", "status", "type", "summary.today", "summary.recurring")
	for _, r := range rows {
		var sum plan.Summary
		if err := json.Unmarshal(r.Summary, &sum); err != nil {
			return nil, err
		}
		t.row(r.ID, r.Status, strings.Join(r.Type, " "), sum.Today.String(), sum.Recurring.String())
	}
	return t.answer("audit"), nil
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
	return &answer{data: x.newAuditView(a), revision: stored}, nil
}

// daySum is what one name did on one day. Units and quantities of usage are summed; of services the
// latest quantity counts.
type daySum struct {
	addition, removal, quantity int64
	unit                        string
	last                        int64

	milli int64 // when the latest audit was made
	audit uint64
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
	by := map[string]map[int64]*daySum{}
	day := func(name []byte, milli int64) *daySum {
		days := by[string(name)]
		if days == nil {
			days = map[int64]*daySum{}
			by[string(name)] = days
		}
		const dayMilli = 24 * 60 * 60 * 1000
		d := days[milli/dayMilli]
		if d == nil {
			d = &daySum{}
			days[milli/dayMilli] = d
		}
		return d
	}
	calls := []byte(serviceCalls)
	err := x.view(func(tx *storage.Tx) error {
		err := tx.ServiceDays(x.account.ID, s.from, s.to, func(p *storage.DayPart) {
			d := day(p.Name, p.Milli)
			d.addition += max(p.Difference, 0)
			d.removal += max(-p.Difference, 0)
			if p.Milli > d.milli || p.Audit >= d.audit { // the latest counts
				d.quantity, d.milli, d.audit, d.last = p.Billable, p.Milli, p.Audit, p.Milli/1000+gregorian
			}
		})
		if err != nil {
			return err
		}
		use := func(l *ledger) (bool, error) {
			if l.Usage == nil {
				return true, nil // a reversal: money, no seconds
			}
			d := day(calls, l.at.UnixMilli())
			n, _ := integerText(l.Usage.Quantity.String())
			d.quantity += n
			d.unit, d.last = l.Usage.Unit, max(d.last, seconds(l.at))
			return true, nil
		}
		if err := eachPosting(tx, x.account, serviceCalls, s, use); err != nil {
			return err
		}
		return eachCall(tx, x.account, s, use)
	})
	out := make(map[string]map[string]*daySum, len(by))
	for name, days := range by {
		out[name] = make(map[string]*daySum, len(days))
		for n, d := range days {
			out[name][rating.Day(n).String()] = d
		}
	}
	return out, err
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
	if x.wantsCSV() {
		return daysCSV(by, slices.Sorted(maps.Keys(by))), nil
	}
	data := document{}
	for name, sums := range by {
		data[name] = days(name, sums)
	}
	return &answer{data: data}, nil
}

// daysCSV lists the days of names, oldest first.
func daysCSV(by map[string]map[string]*daySum, names []string) *answer {
	t := newSheet("name", "date", "addition", "removal", "quantity", "unit", "last_timestamp", "sum_quantity")
	decimal := func(n int64) string { return strconv.FormatInt(n, 10) }
	for _, name := range names {
		for _, day := range slices.Sorted(maps.Keys(by[name])) {
			d := by[name][day]
			t.row(name, day, decimal(d.addition), decimal(d.removal), decimal(d.quantity), d.unit, decimal(d.last), strconv.FormatBool(name == serviceCalls))
		}
	}
	return t.answer("audit_summary")
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
	if x.wantsCSV() {
		return daysCSV(by, []string{x.params["source"]}), nil
	}
	rows := days(x.params["source"], by[x.params["source"]])
	slices.Reverse(rows)
	return &answer{data: rows}, nil
}
