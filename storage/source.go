package storage

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"billd/rating"
	"billd/storage/kv"
)

// Source is a profile of where calls come from, under the name that their column source has: how its records are
// read, and by which rules its calls are charged. What reading needs is checked by who reads; empty fields leave
// the choice to the reader.
type Source struct {
	ID       uint64            `json:"id"`
	Name     string            `json:"name"`
	Revision uint64            `json:"revision"` // counts changes, from 1
	Format   string            `json:"format,omitempty"`
	Zone     string            `json:"zone,omitempty"` // of stamps without one
	Dates    string            `json:"dates,omitempty"`
	Legs     string            `json:"legs,omitempty"`
	Columns  []string          `json:"columns,omitempty"`
	Map      map[string]string `json:"map,omitempty"`     // a record's field → billd's column
	Only     []string          `json:"only,omitempty"`    // conditions that a record to charge meets, all of them
	Skip     []string          `json:"skip,omitempty"`    // conditions of which none holds for one
	Inbound  []string          `json:"inbound,omitempty"` // conditions of a call that came in; the word all for every one
	Called   []string          `json:"called,omitempty"`  // rating.NumberRule
	Caller   []string          `json:"caller,omitempty"`
	Pay      []rating.PayRule  `json:"pay,omitempty"`

	CreatedAt time.Time `json:"created_at"`
	ChangedAt time.Time `json:"changed_at"`

	rules *rating.Profile // compiled; of those in the catalog
}

// InboundAll says that every call of a source came in.
const InboundAll = "all"

// Rules returns what charging goes by. Only sources that the catalog or SourceNamed hand out have it.
func (s *Source) Rules() *rating.Profile { return s.rules }

// compile makes the rules of charging.
func (s *Source) compile() error {
	p, err := rating.NewProfile(s.Name, s.Called, s.Caller)
	if err != nil {
		return err
	}
	p.Revision, p.Pay, p.Inbound = s.Revision, s.Pay, slices.Contains(s.Inbound, InboundAll)
	s.rules = p
	return nil
}

type sourceTables struct{ sources kv.Table[Source] }

// SourceRows is the table of source profiles.
type SourceRows struct{ Sources Rows[Source] }

func newSourceTables() sourceTables {
	t := jsonTable("source", bSource, func(v *Source) *uint64 { return &v.ID })
	t.Unique = []kv.Unique[Source]{{Bucket: bSourceName, Field: "name", Key: func(v *Source) []byte { return textKey(v.Name) }}}
	return sourceTables{t}
}

func bindSources(tx *Tx) SourceRows { return SourceRows{bind(tx, &schema.sources)} }

// Limits of sources.
const (
	maxSources    = 1000
	maxSourceName = 64 // bytes
	maxPayRules   = 1000
)

// SourceNamed returns the source of a name as this transaction has it. Fails with NotFound if there is none.
func (tx *Tx) SourceNamed(name string) (*Source, error) {
	s, err := tx.Sources.Find(bSourceName, textKey(name))
	if err != nil && rating.KindOf(err) == rating.NotFound {
		return nil, rating.Errorf(rating.NotFound, "source", "source %s does not exist", clip(name))
	}
	if err != nil {
		return nil, err
	}
	return s, s.compile()
}

// SaveSource writes s over the source of its name, or as a new one, and sets its number, revision and times. Calls
// that are charged stay as they are; those in suspense are tried by it from now on.
//
// Fails with Invalid for a name or a rule that cannot be, NotFound for an account that pays and does not exist.
func (tx *Tx) SaveSource(s *Source) error {
	bad := func(r rune) bool { return r < ' ' || r == 0x7f || strings.ContainsRune(`/?&#=`, r) }
	if n := len(s.Name); n == 0 || n > maxSourceName || strings.ContainsFunc(s.Name, bad) || strings.TrimSpace(s.Name) != s.Name {
		return rating.Broken("name", "format", "", "source name %q: want 1 to %d characters, none of / ? & # =", clip(s.Name), maxSourceName)
	}
	if len(s.Pay) > maxPayRules {
		return rating.Broken("pay", "maximum", fmt.Sprint(maxPayRules), "%d pay rules, want at most %d", len(s.Pay), maxPayRules)
	}
	for _, r := range s.Pay {
		if err := tx.payable(r); err != nil {
			return err
		}
	}
	s.ID, s.Revision, s.CreatedAt, s.ChangedAt = 0, 1, tx.now, tx.now
	old, err := tx.SourceNamed(s.Name)
	switch {
	case err == nil:
		s.ID, s.Revision, s.CreatedAt = old.ID, old.Revision+1, old.CreatedAt
	case rating.KindOf(err) != rating.NotFound:
		return err
	case tx.Sources.Count() >= maxSources:
		return rating.Errorf(rating.Limit, "source", "there are %d sources already", maxSources)
	}
	if err := s.compile(); err != nil {
		return err
	}
	return tx.Sources.Put(s)
}

// DeleteSource removes a profile. Its calls stay, and those in suspense are tried without it. Fails with NotFound,
// and with Conflict while a NAS names it.
func (tx *Tx) DeleteSource(name string) error {
	s, err := tx.SourceNamed(name)
	if err != nil {
		return err
	}
	var by []string
	err = tx.NAS.Each(0, func(n *NAS) (bool, error) {
		if n.Source == name {
			by = append(by, n.Name)
		}
		return true, nil
	})
	if err != nil {
		return err
	}
	if len(by) > 0 {
		return rating.Errorf(rating.Conflict, "source", "source %s is that of NAS %s: give that another one first", name, clip(strings.Join(by, ", ")))
	}
	return tx.Sources.Delete(s.ID)
}

// payable checks the account that a pay rule names, and its network.
func (tx *Tx) payable(r rating.PayRule) error {
	if r.By == rating.PayByIP {
		if _, err := netip.ParsePrefix(r.Match); err != nil {
			return rating.Broken("pay", "format", "", "pay rule %s: want a network", clip(r.String()))
		}
	}
	if r.Account == 0 {
		return nil
	}
	a, err := tx.account(r.Account)
	if err != nil {
		return err
	}
	if a.Closed() {
		return rating.Errorf(rating.NotFound, "account", "account %d does not exist", r.Account)
	}
	return nil
}

// Source returns the source of a name, nil if there is none. The caller must not change it.
func (c *Catalog) Source(name string) *Source { return c.sources[name] }

// allSources reads every source, compiled, by their names.
func (tx *Tx) allSources() (map[string]*Source, error) {
	sources := map[string]*Source{}
	err := tx.Sources.Each(0, func(s *Source) (bool, error) {
		sources[s.Name] = s
		return true, s.compile()
	})
	return sources, err
}

// SourceNames returns the names of all sources, sorted.
func (c *Catalog) SourceNames() []string { return slices.Sorted(maps.Keys(c.sources)) }

// sources finds those that name accounts that are not there, and rules that cannot be read.
func (c *checker) sources() {
	c.tx.Sources.EachSound(func(s *Source) {
		for _, r := range s.Pay {
			if r.Account != 0 {
				c.refer("source", s.ID, "account", uint64(r.Account), c.tx.Accounts.Has)
			}
		}
		if err := s.compile(); err != nil {
			c.fault("source %d: %v", s.ID, err)
		}
	})
}

// profileOf returns the rules of the source that a call names, nil for none. History is charged by none.
func (tx *Tx) profileOf(call *rating.Call) *rating.Profile {
	sources := tx.db.Catalog().sources
	if len(sources) == 0 || call.Rated {
		return nil
	}
	if s := sources[call.Text(rating.CDRSource)]; s != nil {
		return s.rules
	}
	return nil
}

// payerByRules finds who pays by the rules of the call's profile: the first that holds. auth is the customers-auth
// that the call came in by, nil for none. An account that a record names by its number goes before all rules.
func (b billBook) payerByRules(call *rating.Call, auth *rating.AuthRule) (a *rating.Account, rule string, err error) {
	if id := call.Customer(); id != 0 {
		a, err = b.tx.party(call, "", id)
		return a, "customer_acc_id", err
	}
	for _, r := range call.Profile.Pay {
		switch r.By {
		case rating.PayByAccount, rating.PayByKnown:
			if call.AccountRef == "" {
				continue
			}
			a, err = b.tx.AccountByRef(call.AccountRef)
			if r.By == rating.PayByKnown && rating.KindOf(err) == rating.NotFound && err != nil {
				continue
			}
			return a, r.String(), err
		case rating.PayByAuths:
			if auth == nil {
				continue
			}
			a, err = b.tx.party(call, "", auth.Account)
			return a, fmt.Sprintf("customers-auth %d", auth.ID), err
		}
		if r.Admits(call) {
			a, err = b.tx.party(call, "", r.Account)
			return a, r.String(), err
		}
	}
	return nil, "", rating.Errorf(rating.NotFound, "account", "no rule of source %s tells who pays: account %q, ip %s, caller %q, called %q, gateway %q",
		call.Profile.Name, clip(call.AccountRef), sourceIP(call), clip(call.Text(rating.CDRSrcPrefixRouting)), clip(call.Text(rating.CDRDstPrefixRouting)), clip(call.Gateway))
}

// sourceIP spells where a call comes from.
func sourceIP(call *rating.Call) string {
	if from, _, _ := call.Origination(); from.IsValid() {
		return from.String()
	}
	return "unknown"
}
