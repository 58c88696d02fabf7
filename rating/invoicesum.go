package rating

import (
	"cmp"
	"slices"
	"strconv"
	"time"
)

// InvoiceSum gathers calls and postings into an invoice's lines.
//
// Originated calls count on their last attempt only, terminated calls on every attempt; calls that
// came late for an earlier invoice make rows of their own. Source: Yeti, contract 6.6; R11.
type InvoiceSum struct {
	account AccountID
	groups  [2]map[callGroup]*callSum
	service map[serviceGroup]*serviceSum
	shares  map[Percent]*VATShare
}

// callGroup is what makes calls one row of a breakdown; -1 stands for null.
type callGroup struct {
	prefix  string
	country int64
	network int64
	rate    Price
	hasRate bool
	reverse bool
	late    bool
}

type callSum struct {
	amount              Money
	calls, successful   int64
	duration, billed    int64
	firstCall, lastCall int64 // microseconds
}

type serviceGroup struct {
	service string
	plan    string // a service plan's line, or a subscription's period of data: its posting's source
	spent   bool
}

type serviceSum struct {
	amount Money
	count  int64
	text   string
}

// NewInvoiceSum starts an empty sum for an account.
func NewInvoiceSum(account AccountID) *InvoiceSum {
	return &InvoiceSum{account: account, groups: [2]map[callGroup]*callSum{{}, {}}, service: map[serviceGroup]*serviceSum{}, shares: map[Percent]*VATShare{}}
}

// Groups returns how many rows of calls there are, about as many as lines.
func (s *InvoiceSum) Groups() int { return len(s.groups[CustomerSide]) + len(s.groups[VendorSide]) }

// AddCall counts a call on one side. Fails with Range when a sum leaves Money.
func (s *InvoiceSum) AddCall(c *CDR, side Side, late bool) error {
	if side == CustomerSide && c.Has(CDRIsLastCDR) && !c.Bool(CDRIsLastCDR) {
		return nil
	}
	f := side.Fields()
	g := callGroup{prefix: c.Text(f.Prefix), country: -1, network: -1, rate: Price(c.Int(f.NextPrice)), hasRate: c.Has(f.NextPrice), reverse: c.Bool(f.Reverse), late: late}
	if c.Has(CDRDstCountryID) {
		g.country = c.Int(CDRDstCountryID)
	}
	if c.Has(CDRDstNetworkID) {
		g.network = c.Int(CDRDstNetworkID)
	}
	sum := s.groups[side][g]
	if sum == nil {
		start := c.Int(CDRTimeStart)
		sum = &callSum{firstCall: start, lastCall: start}
		s.groups[side][g] = sum
	}
	if err := s.shareCall(c, side); err != nil {
		return err
	}
	return sum.add(c, c.Int(f.Billed), c.Money(f.Price))
}

func (s *callSum) add(c *CDR, billed int64, price Money) (err error) {
	s.calls++
	if c.Bool(CDRSuccess) {
		s.successful++
	}
	s.duration += c.Int(CDRDuration)
	s.billed += billed
	start := c.Int(CDRTimeStart)
	s.firstCall, s.lastCall = min(s.firstCall, start), max(s.lastCall, start)
	s.amount, err = s.amount.Add(price)
	return err
}

// AddPosting counts a posting of the account if invoices show its kind.
func (s *InvoiceSum) AddPosting(p *Posting) (err error) {
	switch p.Kind {
	case PostingTransaction, PostingPlan, PostingReversal, PostingData:
	default:
		return nil
	}
	g := serviceGroup{service: p.Service, spent: p.Debit.Kind == LedgerAccount && p.Debit.Account == s.account}
	taxed := p.Kind == PostingPlan || p.Kind == PostingData // the VAT is a posting of its own
	if taxed {
		g.plan = p.Source
	}
	sum := s.service[g]
	if sum == nil {
		sum = &serviceSum{}
		s.service[g] = sum
	}
	if err := s.sharePosting(p, g.spent); err != nil {
		return err
	}
	if taxed && (p.Debit.Kind == LedgerTax || p.Credit.Kind == LedgerTax) {
		sum.amount, err = sum.amount.Add(p.Amount) // the VAT on a charge is no charge of its own
		return err
	}
	if sum.count++; taxed && sum.text == "" {
		sum.text = p.Text
	}
	sum.amount, err = sum.amount.Add(p.Amount)
	return err
}

// Charged returns what the postings of a source came to, VAT included.
func (s *InvoiceSum) Charged(source string) (sum Money) {
	for g, part := range s.service {
		if g.plan == source && g.spent {
			sum += part.amount // Lines fails if the sum leaves Money
		}
	}
	return sum
}

// Sources returns the sources of charges that have VAT postings of their own, in order.
func (s *InvoiceSum) Sources() (list []string) {
	for g := range s.service {
		if g.plan != "" && g.spent {
			list = append(list, g.plan)
		}
	}
	slices.Sort(list)
	return list
}

// Lines returns the breakdown rows in a fixed order and writes the totals into inv.
func (s *InvoiceSum) Lines(inv *Invoice) ([]*InvoiceLine, error) {
	var lines []*InvoiceLine
	var err error
	add := func(to *Money, m Money) {
		sum, e := to.Add(m)
		if e != nil {
			err = e
		}
		*to = sum
	}
	for side, kinds := range [2][2]LineKind{{OriginatedDestination, OriginatedNetwork}, {TerminatedDestination, TerminatedNetwork}} {
		total := InvoiceSide{}
		networks := map[callGroup]*callSum{}
		for _, g := range sortedGroups(s.groups[side]) {
			sum := s.groups[side][g]
			spent := g.reverse == (Side(side) == VendorSide)
			lines = append(lines, g.line(inv, kinds[0], spent, sum))
			n := g
			n.prefix = ""
			if networks[n] == nil {
				networks[n] = &callSum{firstCall: sum.firstCall, lastCall: sum.lastCall}
			}
			if e := networks[n].merge(sum); e != nil {
				err = e
			}
			if spent {
				add(&total.Spent, sum.amount)
			} else {
				add(&total.Earned, sum.amount)
			}
			total.count(sum)
		}
		for _, g := range sortedGroups(networks) {
			l := g.line(inv, kinds[1], g.reverse == (Side(side) == VendorSide), networks[g])
			l.Prefix = nil
			lines = append(lines, l)
		}
		if Side(side) == CustomerSide {
			inv.Originated = total
		} else {
			inv.Terminated = total
		}
	}
	services, e := s.serviceLines(inv)
	if e != nil {
		err = e
	}
	inv.Spent, inv.Earned, inv.VAT = 0, 0, s.vatShares()
	for _, m := range []Money{inv.Originated.Spent, inv.Terminated.Spent, inv.ServiceSpent} {
		add(&inv.Spent, m)
	}
	for _, m := range []Money{inv.Originated.Earned, inv.Terminated.Earned, inv.ServiceEarned} {
		add(&inv.Earned, m)
	}
	return append(lines, services...), err
}

func (s *InvoiceSum) serviceLines(inv *Invoice) (lines []*InvoiceLine, err error) {
	inv.ServiceSpent, inv.ServiceEarned, inv.ServiceCount = 0, 0, 0
	groups := make([]serviceGroup, 0, len(s.service))
	for g := range s.service {
		groups = append(groups, g)
	}
	slices.SortFunc(groups, func(a, b serviceGroup) int {
		return cmp.Or(cmp.Compare(a.service, b.service), cmp.Compare(a.plan, b.plan), compareBool(b.spent, a.spent))
	})
	for _, g := range groups {
		sum := *s.service[g]
		l := &InvoiceLine{Invoice: inv.ID, Account: inv.Account, Kind: ServiceLine, Spent: g.spent, Amount: &sum.amount, Calls: &sum.count}
		if n, e := strconv.ParseInt(g.service, 10, 64); e == nil {
			l.Service = &n
		}
		if sum.text != "" {
			l.Text = &sum.text
		}
		lines = append(lines, l)
		to := &inv.ServiceEarned
		if g.spent {
			to = &inv.ServiceSpent
		}
		total, e := to.Add(sum.amount)
		if e != nil {
			err = e
		}
		*to = total
		inv.ServiceCount += sum.count
	}
	return lines, err
}

func (g callGroup) line(inv *Invoice, kind LineKind, spent bool, sum *callSum) *InvoiceLine {
	s := *sum
	first, last := time.UnixMicro(s.firstCall).UTC(), time.UnixMicro(s.lastCall).UTC()
	l := &InvoiceLine{Invoice: inv.ID, Account: inv.Account, Kind: kind, Spent: spent, Amount: &s.amount,
		Calls: &s.calls, Successful: &s.successful, Duration: &s.duration, BillingDuration: &s.billed, FirstCall: &first, LastCall: &last}
	if g.prefix != "" {
		l.Prefix = &g.prefix
	}
	if g.country >= 0 {
		l.Country = &g.country
	}
	if g.network >= 0 {
		l.Network = &g.network
	}
	if g.hasRate {
		l.Rate = &g.rate
	}
	return l
}

func (s *callSum) merge(o *callSum) (err error) {
	s.calls += o.calls
	s.successful += o.successful
	s.duration += o.duration
	s.billed += o.billed
	s.firstCall, s.lastCall = min(s.firstCall, o.firstCall), max(s.lastCall, o.lastCall)
	s.amount, err = s.amount.Add(o.amount)
	return err
}

func (t *InvoiceSide) count(s *callSum) {
	first, last := time.UnixMicro(s.firstCall).UTC(), time.UnixMicro(s.lastCall).UTC()
	if t.Calls == 0 || first.Before(t.FirstCall) {
		t.FirstCall = first
	}
	if t.Calls == 0 || last.After(t.LastCall) {
		t.LastCall = last
	}
	t.Calls += s.calls
	t.Successful += s.successful
	t.Duration += s.duration
	t.BillingDuration += s.billed
}

func sortedGroups(m map[callGroup]*callSum) []callGroup {
	groups := make([]callGroup, 0, len(m))
	for g := range m {
		groups = append(groups, g)
	}
	slices.SortFunc(groups, func(a, b callGroup) int {
		return cmp.Or(compareBool(a.late, b.late), cmp.Compare(a.prefix, b.prefix), cmp.Compare(a.country, b.country), cmp.Compare(a.network, b.network),
			cmp.Compare(a.rate, b.rate), compareBool(a.hasRate, b.hasRate), compareBool(a.reverse, b.reverse))
	})
	return groups
}

// compareBool orders false before true.
func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}
