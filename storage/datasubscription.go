package storage

import (
	"bytes"
	"strings"
	"time"

	"billd/rating"
	"billd/storage/kv"
)

// DataPlanNamed finds a data plan by its name, in any case, or its number.
func (tx *Tx) DataPlanNamed(ref string) (*rating.DataPlan, error) {
	p, err := tx.DataPlans.Rows.Find(bDataPlanName, textKey(strings.ToLower(ref)))
	if err == nil || err != kv.ErrNotFound {
		return p, err
	}
	if id, ok := rowNumber(ref); ok {
		if p, err := tx.DataPlans.Rows.Get(id); err != kv.ErrNotFound {
			return p, err
		}
	}
	return nil, rating.Errorf(rating.NotFound, "plan", "data plan %q does not exist", clipText(ref, maxPlanText))
}

// CreateDataPlan keeps a new plan. Fails with Invalid if it cannot be, Conflict if its name is taken.
func (tx *Tx) CreateDataPlan(p *rating.DataPlan) error {
	if err := p.Valid(); err != nil {
		return err
	}
	if _, ok := rowNumber(p.Name); ok {
		return rating.Broken("name", "format", "", "name %q: want one that is not a number", p.Name)
	}
	return tx.DataPlans.Put(p)
}

// changePlanCurrency gives every data plan that has one currency another; nothing is charged in it yet.
func (tx *Tx) changePlanCurrency(from, to rating.Currency) error {
	var plans []*rating.DataPlan
	err := tx.DataPlans.Each(0, func(p *rating.DataPlan) (bool, error) {
		if p.Currency == from {
			plans = append(plans, p)
		}
		return true, nil
	})
	for _, p := range plans {
		if err == nil {
			p.Currency = to
			err = tx.DataPlans.Put(p)
		}
	}
	return err
}

// DeleteDataPlan removes a plan that no subscription is or was on. Fails with Conflict if one is.
func (tx *Tx) DeleteDataPlan(p *rating.DataPlan) (err error) {
	used := uint64(0)
	err = tx.DataSubscriptions.Each(0, func(s *DataSubscription) (bool, error) {
		if s.Plan == p.ID {
			used = s.ID
		}
		return used == 0, nil
	})
	if err != nil {
		return err
	}
	if used != 0 {
		return rating.Errorf(rating.Conflict, "plan", "data plan %s: subscription %d is or was on it, and proves its charges", p.Name, used)
	}
	return tx.DataPlans.Delete(p.ID)
}

// CreateDataSubscription puts a user name on a plan and counts on it what was used from its From on and is
// unassigned. Without a From it begins with the first of that, else now.
//
// Fails with Invalid, or Conflict if another subscription of the name overlaps or the plan's currency is
// not the account's. It returns how much it counted.
func (tx *Tx) CreateDataSubscription(s *DataSubscription) (applied rating.Octets, err error) {
	a, err := tx.OpenAccount(s.Account)
	if err != nil {
		return applied, err
	}
	p, err := tx.DataPlans.Get(s.Plan)
	if err != nil {
		return applied, err
	}
	if err := tx.checkSubscription(s, a, p); err != nil {
		return applied, err
	}
	s.CreatedAt = tx.now
	if s.From.IsZero() {
		if s.From, err = tx.firstUnassigned(s); err != nil {
			return applied, err
		}
	}
	s.From, s.Till = s.From.UTC(), s.Till.UTC()
	err = tx.DataSubscriptions.EachUnder(bDataSubscriptionUser, textKey(s.User), func(o *DataSubscription) (bool, error) {
		if (o.Till.IsZero() || s.From.Before(o.Till)) && (s.Till.IsZero() || o.From.Before(s.Till)) {
			return false, rating.Errorf(rating.Conflict, "user", "user %s is on subscription %d of account %d in that time", s.User, o.ID, o.Account)
		}
		return true, nil
	})
	if err != nil {
		return applied, err
	}
	if err := tx.DataSubscriptions.Put(s); err != nil {
		return applied, err
	}
	return tx.assignUsage(s)
}

// checkSubscription judges a new subscription by itself.
func (tx *Tx) checkSubscription(s *DataSubscription, a *rating.Account, p *rating.DataPlan) error {
	probe := rating.DataRecord{Source: "-", Session: "-", User: s.User, Status: rating.DataStart, At: tx.now}
	switch {
	case s.User == "":
		return rating.Broken("user", "required", "", "user: want a name")
	case p.Currency != a.Currency:
		return rating.Errorf(rating.Conflict, "plan", "data plan %s is in %s, account %d in %s", p.Name, p.Currency, a.ID, a.Currency)
	case !s.From.IsZero() && s.From.Before(rating.DataEpoch):
		return rating.Broken("from", "minimum", "", "from %s: before 2000", s.From.UTC().Format(time.RFC3339))
	case !s.Till.IsZero() && !s.From.Before(s.Till):
		return rating.Broken("till", "order", "", "till must be after from")
	}
	if _, detail := probe.Fault(tx.now); detail != "" {
		return rating.Broken("user", "format", "", "%s", detail)
	}
	if s.Service == 0 {
		return nil
	}
	service, err := tx.YetiServices.Get(s.Service)
	if err != nil {
		return err
	}
	if service.Account != a.ID {
		return rating.Errorf(rating.Conflict, "service", "service %d belongs to account %d", s.Service, service.Account)
	}
	return nil
}

// firstUnassigned returns when a new subscription begins that does not say it.
func (tx *Tx) firstUnassigned(s *DataSubscription) (time.Time, error) {
	from := tx.now
	err := tx.EachUnassigned(s.User, func(_ string, at time.Time, _ rating.Octets) (bool, error) {
		taken, err := tx.subscribedAt(s.User, at)
		if err == nil && !taken && at.Before(from) {
			from = at
		}
		return from == tx.now, err
	})
	return from, err
}

// subscribedAt reports whether a subscription of the name holds an instant, its account open or not.
func (tx *Tx) subscribedAt(user string, at time.Time) (held bool, err error) {
	err = tx.DataSubscriptions.EachUnder(bDataSubscriptionUser, textKey(user), func(s *DataSubscription) (bool, error) {
		held = s.Holds(at)
		return !held, nil
	})
	return held, err
}

// assignUsage counts on a subscription what is unassigned of its user and time.
func (tx *Tx) assignUsage(s *DataSubscription) (sum rating.Octets, err error) {
	type share struct {
		at   time.Time
		used rating.Octets
	}
	var waiting []share
	err = tx.EachUnassigned(s.User, func(_ string, at time.Time, used rating.Octets) (bool, error) {
		if s.Holds(at) {
			waiting = append(waiting, share{at, used})
		}
		return true, nil
	})
	for _, w := range waiting {
		if err != nil {
			return sum, err
		}
		var u *usagePlan
		if u, err = tx.planSubscribed(s, w.at, w.used); err != nil {
			return sum, err
		}
		if err = tx.applyUsage(u); err != nil {
			return sum, err
		}
		if sum, err = sum.Add(w.used); err != nil {
			return sum, err
		}
		err = tx.Txn.Delete(bDataUnassigned, unassignedKey(s.User, w.at))
	}
	return sum, err
}

// EndDataSubscription ends a subscription at an instant. Fails with Invalid if it had not begun, Conflict
// if it has usage of that day or later: what is charged stays charged.
func (tx *Tx) EndDataSubscription(id uint64, till time.Time) (*DataSubscription, error) {
	s, err := tx.DataSubscriptions.Get(id)
	if err != nil {
		return nil, err
	}
	if !s.From.Before(till) {
		return nil, rating.Broken("till", "order", "", "till %s: subscription %d begins at %s", till.UTC().Format(time.RFC3339), id, s.From.Format(time.RFC3339))
	}
	if till.Before(tx.now) {
		a, err := tx.Accounts.Get(uint64(s.Account))
		if err != nil {
			return nil, err
		}
		day := rating.DayOf(till, tx.Location(a))
		if k, _ := tx.Txn.Cursor(bDataDay).Seek(dataDayKey(id, day)); bytes.HasPrefix(k, kv.Key(nil).U64(id)) {
			return nil, rating.Errorf(rating.Conflict, "till", "subscription %d was used on %s or later: it cannot end before", id, day)
		}
	}
	s.Till = till.UTC()
	return s, tx.DataSubscriptions.Put(s)
}

// rowNumber reads the number of a row.
func rowNumber(text string) (uint64, bool) {
	n, ok := uint64(0), text != "" && len(text) <= 18
	for _, d := range text {
		if d < '0' || d > '9' {
			return 0, false
		}
		n = n*10 + uint64(d-'0')
	}
	return n, ok && n > 0
}
