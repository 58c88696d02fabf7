package storage

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"time"

	"billd/rating"
	"billd/storage/kv"
)

// CountersOf calls fn with a service's counters until it returns false.
func (tx *Tx) CountersOf(service uint64, fn func(*rating.PackageCounter) (bool, error)) error {
	return tx.PackageCounters.EachUnder(bPackageCounterService, kv.Key(nil).U64(service), fn)
}

// packageVariables are what services of free minutes have in their variables.
type packageVariables struct {
	Prefixes []packagePrefix `json:"prefixes"`
	Ignore   []string        `json:"ignore_prefixes"`
}

type packagePrefix struct {
	Prefix   string `json:"prefix"`
	Duration *int64 `json:"duration"`
	Exclude  bool   `json:"exclude"`
}

// maxPackagePrefixes bounds the counters of one service.
const maxPackagePrefixes = 1000

func parsePackage(raw json.RawMessage) (v packageVariables, err error) {
	if len(raw) == 0 {
		return v, nil
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		return v, rating.Errorf(rating.Invalid, "variables", "variables: want prefixes, each with prefix and duration")
	}
	if len(v.Prefixes) > maxPackagePrefixes {
		return v, rating.Errorf(rating.Invalid, "variables", "variables: %d prefixes, want at most %d", len(v.Prefixes), maxPackagePrefixes)
	}
	for _, p := range v.Prefixes {
		if p.Prefix == "" || rating.CheckPrefix(p.Prefix) != nil || p.Duration == nil || *p.Duration < 0 {
			return v, rating.Errorf(rating.Invalid, "variables", "variables: want prefixes, each with prefix and duration")
		}
	}
	return v, nil
}

// CheckVariables refuses variables that a service of the class cannot work with.
func (c ServiceClass) CheckVariables(raw json.RawMessage) error {
	if c != FreeMinutesService {
		return nil
	}
	_, err := parsePackage(raw)
	return err
}

// resetCounters gives a service of free minutes one full counter per prefix: those of its type, less
// what the service ignores, and its own, which come before the type's.
func (tx *Tx) resetCounters(s *YetiService) error {
	if err := tx.flushPackages(); err != nil {
		return err
	}
	tx.packages = nil // the next call reads what is written here
	t, err := tx.ServiceTypes.Get(s.Type)
	if err != nil || t.Class != FreeMinutesService {
		return err
	}
	general, err := parsePackage(t.Variables)
	own, e := parsePackage(s.Variables)
	if err = errors.Join(err, e); err != nil {
		return err
	}
	want := map[string]packagePrefix{}
	var order []string
	add := func(p packagePrefix) {
		if _, has := want[p.Prefix]; !has {
			order = append(order, p.Prefix)
		}
		want[p.Prefix] = p
	}
	for _, p := range general.Prefixes {
		if !slices.Contains(own.Ignore, p.Prefix) {
			add(p)
		}
	}
	for _, p := range own.Prefixes {
		add(p)
	}
	held := map[string]*rating.PackageCounter{}
	var gone []uint64
	if err := tx.CountersOf(s.ID, func(c *rating.PackageCounter) (bool, error) {
		if _, has := want[c.Prefix]; has {
			held[c.Prefix] = c
		} else {
			gone = append(gone, c.ID)
		}
		return true, nil
	}); err != nil {
		return err
	}
	for _, id := range gone {
		if err := tx.PackageCounters.Delete(id); err != nil {
			return err
		}
	}
	for _, prefix := range order {
		p := want[prefix]
		c := &rating.PackageCounter{Account: s.Account, Service: s.ID, Prefix: prefix, Duration: *p.Duration, Exclude: p.Exclude,
			Filled: *p.Duration, FilledAt: tx.now.Truncate(time.Microsecond)}
		if was := held[prefix]; was != nil {
			c.ID = was.ID
			if !c.FilledAt.After(was.FilledAt) {
				c.FilledAt = was.FilledAt.Add(time.Microsecond) // calls tell one filling from the next by it
			}
		}
		if err := tx.PackageCounters.Put(c); err != nil {
			return err
		}
	}
	return nil
}

// packages are an account's counters as charging in this transaction sees them, written when it finishes.
type packages struct {
	counters []*rating.PackageCounter
	drawn    map[uint64]*rating.PackageCounter // those that changed
}

// noAccount is what packages has an entry of when the store has no counter at all.
const noAccount rating.AccountID = 0

// packagesOf returns the counters of an account's services.
func (tx *Tx) packagesOf(id rating.AccountID) (*packages, error) {
	if tx.packages == nil {
		tx.packages = map[rating.AccountID]*packages{}
		if k, _ := tx.Txn.Cursor(bPackageCounter).First(); k == nil {
			tx.packages[noAccount] = &packages{}
		}
	}
	if none := tx.packages[noAccount]; none != nil {
		return none, nil
	}
	if p, ok := tx.packages[id]; ok {
		return p, nil
	}
	p := &packages{}
	var services []uint64
	err := tx.YetiServicesOf(id, func(s *YetiService) (bool, error) {
		services = append(services, s.ID)
		return true, nil
	})
	for i := 0; i < len(services) && err == nil; i++ {
		err = tx.CountersOf(services[i], func(c *rating.PackageCounter) (bool, error) {
			p.counters = append(p.counters, c)
			return true, nil
		})
	}
	if err != nil {
		return nil, err
	}
	tx.packages[id] = p
	return p, nil
}

// Package returns the counter of bundled seconds that an account's call to a number meets, nil for none.
func (tx *Tx) Package(id rating.AccountID, number string) (*rating.PackageCounter, error) {
	p, err := tx.packagesOf(id)
	if err != nil {
		return nil, err
	}
	c := rating.MeetCounter(p.counters, number)
	if c != nil && c.FilledAt.IsZero() { // made before fillings were noted
		c.Filled, c.FilledAt = c.Duration, tx.now.Truncate(time.Microsecond)
	}
	return c, nil
}

// Package asks the transaction, and leaves to other calls what they have reserved.
func (b billBook) Package(payer rating.AccountID, number string) (*rating.PackageCounter, error) {
	c, err := b.tx.Package(payer, number)
	if err != nil || c == nil {
		return c, err
	}
	return b.tx.unreserved(c, payer, b.tx.billing)
}

// drawPackage takes a covered call's seconds from its counter (sign 1), or gives them back (-1). A
// counter that was filled since is left alone: what the call took went with the earlier filling.
func (tx *Tx) drawPackage(c *rating.CDR, sign int64) error {
	id, filledAt, seconds, ok := c.Draw()
	if !ok {
		return nil
	}
	p, err := tx.packagesOf(c.Customer())
	if err != nil {
		return err
	}
	for _, counter := range p.counters {
		if counter.ID != id || !counter.FilledAt.Equal(filledAt) {
			continue
		}
		counter.Duration -= sign * seconds
		if p.drawn == nil {
			p.drawn = map[uint64]*rating.PackageCounter{}
		}
		p.drawn[id] = counter
	}
	return nil
}

// flushPackages writes the counters that calls were drawn from.
func (tx *Tx) flushPackages() error {
	for _, account := range slices.Sorted(maps.Keys(tx.packages)) {
		p := tx.packages[account]
		for _, id := range slices.Sorted(maps.Keys(p.drawn)) {
			if err := tx.PackageCounters.Put(p.drawn[id]); err != nil {
				return err
			}
		}
		p.drawn = nil
	}
	return nil
}

// filling names one filling of a counter.
type filling struct {
	counter  uint64
	filledAt int64 // microseconds
}

// addDraw sums up what a call took from a filling.
func (c *checker) addDraw(cdr *rating.CDR) {
	if id, filledAt, seconds, ok := cdr.Draw(); ok {
		c.drawn[filling{id, filledAt.UnixMicro()}] += seconds
	}
}

// packages proves that what a counter was filled with is what is left of it and what calls took since. One
// that has not been drawn from since fillings are noted proves nothing.
func (c *checker) packages() error {
	c.tx.PackageCounters.EachSound(func(p *rating.PackageCounter) {
		if p.FilledAt.IsZero() {
			return
		}
		if drawn := c.drawn[filling{p.ID, p.FilledAt.UnixMicro()}]; p.Filled-drawn != p.Duration {
			c.fault("package counter %d: %d s left, but it was filled with %d s and calls took %d s", p.ID, p.Duration, p.Filled, drawn)
		}
	})
	return nil
}
