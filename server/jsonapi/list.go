package jsonapi

import (
	"slices"
)

// maxSorted bounds the rows that a sorted list keeps: beyond it a page cannot be reached (R27).
const maxSorted = 50_000

// Match reports whether every condition holds for a record.
func (q *Query) Match(r *Request, rec any) bool {
	for _, c := range q.Conds {
		if !c.match(r, rec) {
			return false
		}
	}
	return true
}

// Natural reports whether rows in ascending order of id are in the order asked for.
func (q *Query) natural() bool {
	return len(q.orders) == 0 || q.orders[0].name == "id" && !q.orders[0].down
}

// sorted is a row with the values that it is ordered by.
type sorted struct {
	rec  any
	keys []Value
}

// rows lists the records of one page and how many match in all.
func (d *resource) rows(r *Request, q *Query) (page []any, total int64, err error) {
	if d.page != nil {
		page, total, err = d.page(r, q)
		if err == nil {
			err = r.err
		}
		return page, total, err
	}
	g := gather{r: r, q: q, natural: d.ascendingID && q.natural()}
	if err = d.each(r, q, func(rec any) (bool, error) {
		if !d.hidden(r, rec) && q.Match(r, rec) {
			if err := g.take(rec); err != nil {
				return false, err
			}
		}
		return r.err == nil, r.err
	}); err != nil {
		return nil, 0, err
	}
	return g.page(), g.total, r.err
}

// gather keeps the rows of one page out of all that match.
type gather struct {
	r       *Request
	q       *Query
	natural bool
	total   int64
	rows    []sorted
}

func (g *gather) take(rec any) error {
	n := g.total
	g.total++
	if g.natural {
		if g.q.Size == 0 || n >= g.q.Offset() && n < g.q.Offset()+g.q.Size {
			g.rows = append(g.rows, sorted{rec: rec})
		}
		return nil
	}
	keys := make([]Value, len(g.q.orders))
	for i, o := range g.q.orders {
		keys[i] = o.value(g.r, rec)
	}
	g.rows = append(g.rows, sorted{rec, keys})
	// Keep what can still reach the page: sort and cut whenever twice as many have come.
	if most := g.q.Offset() + g.q.Size; g.q.Size > 0 && int64(len(g.rows)) > 2*min(most, maxSorted)+1000 {
		if most > maxSorted {
			return TooFar()
		}
		g.sort()
		g.rows = slices.Clip(g.rows[:most])
	}
	return nil
}

func (g *gather) sort() {
	slices.SortStableFunc(g.rows, func(a, b sorted) int {
		for i, o := range g.q.orders {
			c := a.keys[i].compare(b.keys[i])
			if o.down {
				c = -c
			}
			if c != 0 {
				return c
			}
		}
		return 0
	})
}

func (g *gather) page() []any {
	rows := g.rows
	if !g.natural {
		g.sort()
		rows = g.rows
		if g.q.Size > 0 {
			from := min(g.q.Offset(), int64(len(rows)))
			rows = rows[from:min(from+g.q.Size, int64(len(rows)))]
		}
	}
	page := make([]any, len(rows))
	for i, row := range rows {
		page[i] = row.rec
	}
	return page
}

// find loads one record that the caller may see, or says that there is none.
func (d *resource) find(r *Request, id string) (any, error) {
	rec, err := d.load(r, id)
	if isNotFound(err) {
		return nil, NoRecord(id)
	}
	if err != nil {
		return nil, err
	}
	if d.hidden(r, rec) {
		return nil, NoRecord(id)
	}
	return rec, nil
}
