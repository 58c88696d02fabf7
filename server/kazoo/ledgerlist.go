package kazoo

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"billd/rating"
	"billd/storage"
)

// ledgerPage collects one page of a service's ledgers in the order that the request asks for, and the key
// of the one after it.
func (x *exchange) ledgerPage(s span, service string, size int, start *ledgerKey) (rows []*ledger, next *ledgerKey, err error) {
	order := func(a, b ledgerKey) int { return b.compare(a) }
	if x.ascending() {
		order = ledgerKey.compare
	}
	take := func(l *ledger) (bool, error) {
		if start == nil || order(l.key, *start) >= 0 {
			rows = append(rows, l)
		}
		return true, nil
	}
	err = x.view(func(tx *storage.Tx) error {
		if service == serviceCalls {
			until := s
			switch {
			case start == nil:
			case x.ascending():
				until.from = maxTime(s.from, time.UnixMilli(start.milli))
			default:
				until.to = minTime(s.to, time.UnixMilli(start.milli))
			}
			err := x.eachCall(tx, until, 0, func(c *rating.CDR) (bool, error) {
				l, err := ownCallLedger(tx, x.account, c)
				if err != nil || l == nil {
					return true, err
				}
				more, err := take(l)
				return more && (size == 0 || len(rows) <= size), err
			})
			if err != nil {
				return err
			}
		}
		if service == serviceRollovers {
			return eachRollover(tx, x.account, s, take)
		}
		return eachPosting(tx, x.account, service, s, take)
	})
	if err != nil {
		return nil, nil, err
	}
	slices.SortFunc(rows, func(a, b *ledger) int { return order(a.key, b.key) })
	if size > 0 && len(rows) > size {
		next = &rows[size].key
		rows = rows[:size]
	}
	return rows, next, nil
}

func minTime(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func maxTime(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func listLedger(x *exchange) (*answer, error) {
	s, err := x.timed()
	if err != nil {
		return nil, err
	}
	var start *ledgerKey
	if s.start != "" {
		start = &ledgerKey{}
		if _, err := fmt.Sscanf(s.start, "%d %d %d", &start.milli, &start.kind, &start.number); err != nil {
			return nil, strangeKey(s.page.start)
		}
	}
	rows, next, err := x.ledgerPage(s.span, x.params["service"], s.size, start)
	if err != nil {
		return nil, err
	}
	if next != nil {
		s.page.next = encodeKey(fmt.Sprintf("%d %d %d", next.milli, next.kind, next.number))
	}
	if x.wantsCSV() {
		return ledgerCSV(rows), nil
	}
	if rows == nil {
		rows = []*ledger{}
	}
	s.page.size = len(rows)
	return &answer{data: rows, page: s.page}, nil
}

func ledgerCSV(rows []*ledger) *answer {
	t := newSheet("id", "amount", "description", "source.service", "source.id", "usage.type", "usage.quantity", "usage.unit", "period.start", "period.end", "created")
	for _, l := range rows {
		u := usage{}
		if l.Usage != nil {
			u = *l.Usage
		}
		t.row(l.ID, l.Amount.String(), l.Description, l.Source.Service, l.Source.ID, u.Type, u.Quantity.String(), u.Unit,
			strconv.FormatInt(l.Period.Start, 10), strconv.FormatInt(l.Period.End, 10), strconv.FormatInt(l.Created, 10))
	}
	return t.answer("ledgers")
}

// findLedger finds a ledger of an account by its id; nil when there is none.
func findLedger(tx *storage.Tx, a *rating.Account, id string) (l *ledger, err error) {
	var kind int
	var n uint64
	if len(id) != 39 || id[6] != '-' {
		return nil, nil
	}
	if _, err := fmt.Sscanf(id[7:], "%016x%016x", &kind, &n); err != nil {
		return nil, nil // not an id of ours
	}
	switch kind {
	case ledgerOfPosting:
		p, err2 := tx.Postings.Get(n)
		if err = err2; err == nil && (p.Debit == storage.AccountLedger(a) || p.Credit == storage.AccountLedger(a)) {
			l, err = postingLedger(tx, a, p)
		}
	case ledgerOfCall:
		var c rating.CDR
		if err = tx.CDR(rating.CDRID(n), &c); err == nil && c.Origin == rating.Own {
			l, err = callLedger(tx, a, &c)
		}
	case ledgerOfRollover:
		l, err = findRollover(tx, a, n)
	}
	if err != nil && rating.KindOf(err) != rating.NotFound {
		return nil, err
	}
	if l == nil || l.ID != id {
		return nil, nil
	}
	return l, nil
}

// readLedger shows one ledger; under another service it is not there.
func readLedger(x *exchange) (*answer, error) {
	var l *ledger
	err := x.view(func(tx *storage.Tx) (err error) {
		l, err = findLedger(tx, x.account, x.params["id"])
		return err
	})
	if err != nil {
		return nil, err
	}
	if l == nil || l.Source.Service != x.params["service"] {
		return nil, unknownID(clip(x.params["id"]))
	}
	return &answer{data: l, revision: stored}, nil
}
