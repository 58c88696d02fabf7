package yeti

import (
	"bytes"
	"cmp"
	"math"
	"math/big"
	"slices"
	"strings"
	"time"

	"billd/rating"
	"billd/server/jsonapi"
	"billd/storage"
)

// callSearch turns the conditions of a list of calls into a search of the store: accounts and times
// into ranges of its indexes, columns into conditions on rows that are not decoded. What is left is
// asked of each row.
type callSearch struct {
	storage.CallSearch
	r     *jsonapi.Request
	tests []callTest // asked of each row
	ids   []string   // the only calls that can match; nil: no such limit
}

// callTest is a condition that columns alone cannot express. It is asked of a million rows, so it
// neither decodes one nor allocates.
type callTest func(row *storage.CallRow) (bool, error)

// newCallSearch reads the conditions of q beyond those that special answers itself.
func newCallSearch(r *jsonapi.Request, q *jsonapi.Query, special func(*callSearch, *jsonapi.Cond) (bool, error)) (*callSearch, error) {
	s := &callSearch{r: r}
	for i := range q.Conds {
		c := &q.Conds[i]
		if c.Name == "id" {
			continue // page loads them
		}
		done, err := special(s, c)
		if err != nil {
			return nil, err
		}
		if !done && !s.ranges(c) {
			s.column(c)
		}
	}
	if len(s.tests) > 0 {
		s.Also = func(row *storage.CallRow) (bool, error) {
			for _, test := range s.tests {
				if ok, err := test(row); !ok || err != nil {
					return false, err
				}
			}
			return true, nil
		}
	}
	return s, nil
}

// callSides are the columns that the store has an index of.
var callSides = map[string]rating.Side{"customer_acc_id": rating.CustomerSide, "vendor_acc_id": rating.VendorSide}

// ranges takes a condition on accounts or on the start.
func (s *callSearch) ranges(c *jsonapi.Cond) bool {
	column, op := splitFilter(c.Name)
	if column == "time_start" {
		return s.during(op, c.Values)
	}
	side, indexed := callSides[column]
	if !indexed || op != "eq" && op != "in" || s.Accounts != nil {
		return false
	}
	ids := []rating.AccountID{}
	for _, r := range numberRanges(rating.KindInt, "in", c.Values) {
		if r.Least > 0 {
			ids = append(ids, rating.AccountID(r.Least))
		}
	}
	s.only(side, ids)
	return true
}

// only limits the search to accounts on one side; an account that is named twice counts once.
func (s *callSearch) only(side rating.Side, ids []rating.AccountID) {
	s.Side, s.Accounts = side, []rating.AccountID{}
	seen := map[rating.AccountID]bool{}
	for _, id := range ids {
		if !seen[id] {
			seen[id] = true
			s.Accounts = append(s.Accounts, id)
		}
	}
}

// during narrows the search to a range of starts.
func (s *callSearch) during(op string, values []string) bool {
	if op == "in" || op == "not_in" || op == "not_eq" {
		return false
	}
	for _, r := range numberRanges(rating.KindTime, op, values) {
		s.From = max(s.From, r.Least)
		if r.Most != math.MaxInt64 && (s.Till == 0 || r.Most+1 < s.Till) {
			s.Till = max(r.Most+1, 1)
		}
	}
	return true
}

// column takes a condition on one stored column, or on what is computed of a call.
func (s *callSearch) column(c *jsonapi.Cond) {
	name, op := splitFilter(c.Name)
	if test := s.computed(name, op, c.Values); test != nil {
		s.tests = append(s.tests, test)
		return
	}
	f, ok := rating.CDRFieldNamed(name)
	if !ok || op == "" || f == rating.CDRMetadata || f == rating.CDRRoutingTagIds {
		cond, rec := *c, new(call)
		s.tests = append(s.tests, func(row *storage.CallRow) (bool, error) {
			rec.CallRow = *row
			return cond.Meets(s.r, rec), nil
		})
		return
	}
	cond := storage.CallCond{Field: f, Not: op == "not_eq" || op == "not_in"}
	if f.Kind().IsText() {
		cond.Text = textTest(op, c.Values)
	} else {
		cond.Within = numberRanges(f.Kind(), op, c.Values)
	}
	if f == rating.CDRIsLastCDR { // not said means yes
		is := len(cond.Within) > 0 && cond.Within[0].Least == 1
		cond.Null = is != cond.Not
	}
	s.Where = append(s.Where, cond)
}

// filterOps are the operators, those that others end in last.
var filterOps = []string{"not_eq", "not_in", "cont_any", "contains", "gteq", "lteq", "eq", "gt", "lt", "in", "cont", "start", "end"}

// splitFilter takes a filter's name apart; op is empty for one without an operator.
func splitFilter(name string) (column, op string) {
	for _, op := range filterOps {
		if column, ok := strings.CutSuffix(name, "_"+op); ok {
			return column, op
		}
	}
	return name, ""
}

// columnScale is how many decimals a stored unit has.
var columnScale = map[rating.ValueKind]int64{rating.KindMoney: 6, rating.KindFloat: 6, rating.KindPrice: 9, rating.KindPercent: 6}

// numberRanges returns the stored numbers that a condition allows, or for its opposites forbids. A
// value that no number can have allows none.
func numberRanges(kind rating.ValueKind, op string, values []string) (ranges storage.CallRanges) {
	for _, text := range values {
		low, exact, ok := storedNumber(kind, text)
		if !ok {
			continue
		}
		high := low // the least number not below the value
		if !exact {
			high++
		}
		switch op {
		case "gt":
			ranges = append(ranges, storage.CallRange{Least: low + 1, Most: math.MaxInt64})
		case "gteq":
			ranges = append(ranges, storage.CallRange{Least: high, Most: math.MaxInt64})
		case "lt":
			ranges = append(ranges, storage.CallRange{Least: math.MinInt64, Most: high - 1})
		case "lteq":
			ranges = append(ranges, storage.CallRange{Least: math.MinInt64, Most: low})
		default:
			if exact {
				ranges = append(ranges, storage.CallRange{Least: low, Most: low})
			}
		}
	}
	return ranges
}

// storedNumber reads a filter's value in a column's stored unit, rounded down; exact is false when
// there was something to round.
func storedNumber(kind rating.ValueKind, text string) (n int64, exact, ok bool) {
	text = strings.TrimSpace(text)
	switch kind {
	case rating.KindTime:
		t, ok := jsonapi.ParseInstant(text, time.UTC)
		return t.UnixMicro(), true, ok
	case rating.KindBool:
		switch strings.ToLower(text) {
		case "true", "t", "1":
			return 1, true, true
		}
		return 0, true, true
	}
	d, err := rating.ParseDecimal(text)
	if err != nil {
		return 0, false, false
	}
	v, ok := new(big.Rat).SetString(string(d))
	if !ok {
		return 0, false, false
	}
	scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(columnScale[kind]), nil)
	v.Mul(v, new(big.Rat).SetInt(scale))
	floor, rest := new(big.Int).DivMod(v.Num(), v.Denom(), new(big.Int))
	const most = math.MaxInt64 - 1 // room for one step up
	switch {
	case floor.Cmp(big.NewInt(most)) > 0:
		return most, false, true
	case floor.Cmp(big.NewInt(math.MinInt64+1)) < 0:
		return math.MinInt64 + 1, false, true
	}
	return floor.Int64(), rest.Sign() == 0, true
}

// textTest returns the test of an operator on texts; for its opposites, the test to be turned round.
func textTest(op string, values []string) func([]byte) bool {
	any := func(test func(b, part []byte) bool, parts []string) func([]byte) bool {
		list := make([][]byte, len(parts))
		for i, p := range parts {
			list[i] = []byte(p)
		}
		return func(b []byte) bool {
			for _, p := range list {
				if test(b, p) {
					return true
				}
			}
			return false
		}
	}
	folded := func(fold, exact func(b, part []byte) bool) func([]byte) bool {
		lower, plain := make([]string, len(values)), true
		for i, v := range values {
			lower[i], plain = strings.ToLower(v), plain && caseless(v)
		}
		if plain {
			return any(exact, values)
		}
		return any(fold, lower)
	}
	switch op {
	case "cont", "cont_any":
		return folded(containsFold, bytes.Contains)
	case "start":
		return folded(startsFold, bytes.HasPrefix)
	case "end":
		return folded(endsFold, bytes.HasSuffix)
	case "contains": // each of them, with case
		return func(b []byte) bool {
			for _, v := range values {
				if !bytes.Contains(b, []byte(v)) {
					return false
				}
			}
			return true
		}
	}
	return any(bytes.Equal, values)
}

// page lists the calls of a search as q wants them.
func (s *callSearch) page(q *jsonapi.Query) (p jsonapi.Page[call], err error) {
	if ids, ok := q.Values("id"); ok {
		return s.named(q, ids)
	}
	if s.ids != nil {
		return s.named(q, s.ids)
	}
	tx, ctx := s.r.Tx, s.r.Context
	switch strings.Join(q.Sort(), ",") { // numbers ascend with starts
	case "id", "time_start,id":
	case "-id", "-time_start,-id":
		s.Newest = true
	default:
		p, err = jsonapi.Pick(s.r, q, func(take func(*call) error) error {
			return tx.EachCall(ctx, &s.CallSearch, func(row *storage.CallRow) (bool, error) {
				err := take(&call{CallRow: *row})
				return err == nil, err
			})
		})
		if err != nil {
			return p, err
		}
		return p, decodeCalls(p.Rows)
	}
	rows, total, err := tx.CallPage(ctx, &s.CallSearch, q.Offset(), q.Size)
	if err != nil {
		return p, err
	}
	p.Total = total
	for i := range rows {
		p.Rows = append(p.Rows, &call{CallRow: rows[i]})
	}
	return p, decodeCalls(p.Rows)
}

// named lists the calls that filter[id] names, if they meet every other condition.
func (s *callSearch) named(q *jsonapi.Query, ids []string) (jsonapi.Page[call], error) {
	rows := make([]*call, 0, len(ids))
	for _, id := range ids {
		c, err := loadCall(s.r, id)
		if is(err, rating.NotFound) {
			continue
		}
		if err != nil {
			return jsonapi.Page[call]{}, err
		}
		rows = append(rows, c)
	}
	slices.SortFunc(rows, func(a, b *call) int { return cmp.Compare(a.ID(), b.ID()) })
	rows = slices.CompactFunc(rows, func(a, b *call) bool { return a.ID() == b.ID() })
	return jsonapi.Pick(s.r, q, func(take func(*call) error) error {
		for _, c := range rows {
			covered, err := s.Covers(&c.CallRow)
			if err == nil && covered {
				err = take(c)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}
