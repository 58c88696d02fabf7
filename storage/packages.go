package storage

import (
	"encoding/json"
	"errors"
	"slices"

	"billd/rating"
	"billd/storage/kv"
)

// PackageCounter is how many seconds an account may still call a prefix at no charge.
type PackageCounter struct {
	ID       uint64           `json:"id"`
	Account  rating.AccountID `json:"account"`
	Service  uint64           `json:"service"`
	Prefix   string           `json:"prefix"`
	Duration int64            `json:"duration"`
	Exclude  bool             `json:"exclude,omitempty"` // calls to the prefix are charged after all
}

// CountersOf calls fn with a service's counters until it returns false.
func (tx *Tx) CountersOf(service uint64, fn func(*PackageCounter) (bool, error)) error {
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
	held := map[string]uint64{}
	var gone []uint64
	if err := tx.CountersOf(s.ID, func(c *PackageCounter) (bool, error) {
		if _, has := want[c.Prefix]; has {
			held[c.Prefix] = c.ID
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
		if err := tx.PackageCounters.Put(&PackageCounter{ID: held[prefix], Account: s.Account, Service: s.ID, Prefix: prefix, Duration: *p.Duration, Exclude: p.Exclude}); err != nil {
			return err
		}
	}
	return nil
}
