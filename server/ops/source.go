package ops

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"billd/rating"
	"billd/rating/cdrformat"
	"billd/storage"
)

// SourceArgs name a source profile and say, to add or change it, what is in it.
type SourceArgs struct {
	Name string              `json:"name,omitempty"`
	Set  map[string][]string `json:"set,omitempty"` // by the names of SourceFields; no values take a field away
	JSON bool                `json:"json,omitempty"`
}

// SourceProfile is a source as people and programs read and write it.
type SourceProfile struct {
	Name      string            `json:"name"`
	Revision  uint64            `json:"revision"` // counts changes
	Format    string            `json:"format"`   // of cdrformat.Formats; auto has each file tell it, "" wants it said each time
	Zone      string            `json:"zone"`
	Dates     string            `json:"dates"`
	Legs      string            `json:"legs"`
	Columns   []string          `json:"columns"`
	Map       map[string]string `json:"map"`
	Only      []string          `json:"only"`
	Skip      []string          `json:"skip"`
	Inbound   []string          `json:"inbound"`
	Called    []string          `json:"called"`
	Caller    []string          `json:"caller"`
	Pay       []string          `json:"pay"`
	CreatedAt time.Time         `json:"created_at,omitzero"`
	ChangedAt time.Time         `json:"changed_at,omitzero"`
}

// SourceField is a field of a source profile by the name of its flag.
type SourceField struct {
	Name, What string
	List       bool
	one        func(*SourceProfile) *string
	many       func(*SourceProfile) *[]string
}

// SourceFields lists what a source profile says.
func SourceFields() []SourceField {
	one := func(name, what string, at func(*SourceProfile) *string) SourceField {
		return SourceField{Name: name, What: what, one: at}
	}
	many := func(name, what string, at func(*SourceProfile) *[]string) SourceField {
		return SourceField{Name: name, What: what, List: true, many: at}
	}
	return []SourceField{
		one("format", "how records are written, of import-cdrs --help; auto lets each file tell", func(p *SourceProfile) *string { return &p.Format }),
		one("zone", "time zone of stamps that carry none, such as Europe/Berlin", func(p *SourceProfile) *string { return &p.Zone }),
		one("dates", "order of dates that do not begin with the year: dmy or mdy", func(p *SourceProfile) *string { return &p.Dates }),
		one("legs", "FreeSWITCH's legs to charge: a, b or ab", func(p *SourceProfile) *string { return &p.Legs }),
		many("columns", "columns of a file without a header, - for one to pass over", func(p *SourceProfile) *[]string { return &p.Columns }),
		{Name: "map", What: "a record's field=billd's column (src, dst, account, gateway, ip, call_id …), or =- to pass it over", List: true},
		many("only", "charge records that meet this alone: field=value, field!=value, field^=beginning", func(p *SourceProfile) *[]string { return &p.Only }),
		many("skip", "pass records over that meet this", func(p *SourceProfile) *[]string { return &p.Skip }),
		many("inbound", "calls that came in are those that meet this, or all", func(p *SourceProfile) *[]string { return &p.Inbound }),
		many("called", "rule for the number that is called, in order: digits, strip, prepend, replace, keep, international, national, local, country", func(p *SourceProfile) *[]string { return &p.Called }),
		many("caller", "rule for the caller's number, likewise", func(p *SourceProfile) *[]string { return &p.Caller }),
		many("pay", "rule of who pays, in order: account, known account, code, ip, caller, called, gateway, auths, all", func(p *SourceProfile) *[]string { return &p.Pay }),
	}
}

// set changes one field.
func (p *SourceProfile) set(name string, values []string) error {
	for _, f := range SourceFields() {
		switch {
		case f.Name != name:
			continue
		case name == "map":
			p.Map = map[string]string{}
			for _, pair := range values {
				from, to, ok := strings.Cut(pair, "=")
				if !ok {
					return badArgument("map", "map %.40q: want field=column", pair)
				}
				p.Map[from] = to
			}
		case f.List:
			*f.many(p) = slices.Clone(values)
		case len(values) > 1:
			return badArgument(name, "%s: want one value", name)
		default:
			*f.one(p) = strings.Join(values, "")
		}
		return nil
	}
	return badArgument("set", "%.40q is no field of a source", name)
}

// says returns what a profile says, field by field in order.
func (p *SourceProfile) says() (list []said) {
	for _, f := range SourceFields() {
		var values []string
		switch {
		case f.Name == "map":
			for _, from := range slices.Sorted(maps.Keys(p.Map)) {
				values = append(values, from+"="+p.Map[from])
			}
		case f.List:
			values = *f.many(p)
		case *f.one(p) != "":
			values = []string{*f.one(p)}
		}
		for _, v := range values {
			list = append(list, said{f.Name, v})
		}
	}
	return list
}

// newSourceProfile is the shown form of a stored source.
func newSourceProfile(s *storage.Source) *SourceProfile {
	p := &SourceProfile{Name: s.Name, Revision: s.Revision, Format: s.Format, Zone: s.Zone, Dates: s.Dates, Legs: s.Legs, Columns: list(s.Columns), Map: s.Map,
		Only: list(s.Only), Skip: list(s.Skip), Inbound: list(s.Inbound), Called: list(s.Called), Caller: list(s.Caller), Pay: []string{}, CreatedAt: s.CreatedAt, ChangedAt: s.ChangedAt}
	if p.Map == nil {
		p.Map = map[string]string{}
	}
	for _, r := range s.Pay {
		text := r.String()
		if r.Account != 0 {
			text += fmt.Sprintf(" = %d", r.Account)
		}
		p.Pay = append(p.Pay, text)
	}
	return p
}

// list is values, never null.
func list(values []string) []string { return append([]string{}, values...) }

// stored makes the row of p, checking all that can be checked.
func (p *SourceProfile) stored(tx *storage.Tx) (*storage.Source, error) {
	s := &storage.Source{Name: p.Name, Format: p.Format, Zone: p.Zone, Dates: p.Dates, Legs: p.Legs, Columns: p.Columns, Map: p.Map,
		Only: p.Only, Skip: p.Skip, Inbound: p.Inbound, Called: p.Called, Caller: p.Caller}
	if _, err := SourceOptions(s); err != nil {
		return nil, err
	}
	for _, text := range p.Pay {
		r, err := rating.ParsePayRule(text, func(ref string) (rating.AccountID, error) {
			a, err := tx.AccountByRef(ref)
			if err != nil {
				return 0, err
			}
			return a.ID, nil
		})
		if err != nil {
			return nil, err
		}
		s.Pay = append(s.Pay, r)
	}
	return s, nil
}

// SourceOptions returns how the records of a source are read; nil is one that says nothing. Fails with Invalid.
func SourceOptions(s *storage.Source) (o cdrformat.Options, err error) {
	if s == nil {
		return o, nil
	}
	o, err = (&ImportCDRsArgs{Source: s.Name, Format: s.Format, Zone: s.Zone, Dates: s.Dates, Legs: s.Legs, Columns: s.Columns, Map: s.Map}).told()
	if err != nil {
		return o, err
	}
	for _, c := range [...]struct {
		texts []string
		to    *[]cdrformat.Condition
	}{{s.Only, &o.Only}, {s.Skip, &o.Skip}, {s.Inbound, &o.Inbound}} {
		for _, text := range c.texts {
			if text == storage.InboundAll && c.to == &o.Inbound {
				continue
			}
			condition, err := cdrformat.ParseCondition(text)
			if err != nil {
				return o, err
			}
			*c.to = append(*c.to, condition)
		}
	}
	return o, o.Check()
}

// Sources returns every source profile, in order of the names.
func Sources(ctx context.Context, env *Env) ([]*SourceProfile, error) {
	all := []*SourceProfile{}
	err := env.DB.View(ctx, func(tx *storage.Tx) error {
		return tx.Sources.Each(0, func(s *storage.Source) (bool, error) {
			all = append(all, newSourceProfile(s))
			return true, nil
		})
	})
	slices.SortFunc(all, func(a, b *SourceProfile) int { return strings.Compare(a.Name, b.Name) })
	return all, err
}

// Source returns the source profile of a name. Fails with NotFound if there is none.
func Source(ctx context.Context, env *Env, name string) (p *SourceProfile, err error) {
	err = env.DB.View(ctx, func(tx *storage.Tx) error {
		s, err := tx.SourceNamed(name)
		if err == nil {
			p = newSourceProfile(s)
		}
		return err
	})
	return p, err
}

// SaveSource keeps p in place of the profile of its name. Fails with Invalid for what cannot be, NotFound for an
// account that pays and does not exist.
func SaveSource(ctx context.Context, env *Env, p SourceProfile) (saved *SourceProfile, err error) {
	err = env.DB.Update(ctx, func(tx *storage.Tx) error {
		saved, err = p.save(tx)
		return err
	})
	return saved, err
}

func (p *SourceProfile) save(tx *storage.Tx) (*SourceProfile, error) {
	s, err := p.stored(tx)
	if err != nil {
		return nil, err
	}
	if err := tx.SaveSource(s); err != nil {
		return nil, err
	}
	return newSourceProfile(s), nil
}

// DeleteSource removes a profile. Its calls stay, and those in suspense are tried without it. Fails with NotFound,
// and with Conflict while a NAS names it.
func DeleteSource(ctx context.Context, env *Env, name string) error {
	return env.DB.Update(ctx, func(tx *storage.Tx) error { return tx.DeleteSource(name) })
}

func listSources(ctx context.Context, env *Env, args SourceArgs, o *IO) (int, error) {
	all, err := Sources(ctx, env)
	if err != nil {
		return ExitFailed, err
	}
	return ExitOK, Print(o.Out, args.JSON, all, func(w io.Writer) error {
		t := NewTable(w, "name", "revision", "says")
		for _, p := range all {
			var words []string
			for _, s := range p.says() {
				words = append(words, s.name+" "+s.value)
			}
			t.Row(p.Name, p.Revision, strings.Join(words, "; "))
		}
		return t.Close()
	})
}

func showSource(ctx context.Context, env *Env, args SourceArgs, o *IO) (int, error) {
	p, err := Source(ctx, env, args.Name)
	if err != nil {
		return ExitFailed, err
	}
	return ExitOK, p.print(o, args.JSON)
}

// addSource makes a profile, setSource changes fields of one.
func addSource(ctx context.Context, env *Env, args SourceArgs, o *IO) (int, error) {
	return changeSource(ctx, env, args, o, func(tx *storage.Tx) (*SourceProfile, error) {
		if _, err := tx.SourceNamed(args.Name); err == nil {
			return nil, rating.Errorf(rating.Conflict, "name", "source %s exists already: billd source set changes it", args.Name)
		}
		return &SourceProfile{Name: args.Name}, nil
	})
}

func setSource(ctx context.Context, env *Env, args SourceArgs, o *IO) (int, error) {
	return changeSource(ctx, env, args, o, func(tx *storage.Tx) (*SourceProfile, error) {
		s, err := tx.SourceNamed(args.Name)
		if err != nil {
			return nil, err
		}
		return newSourceProfile(s), nil
	})
}

func changeSource(ctx context.Context, env *Env, args SourceArgs, o *IO, begin func(*storage.Tx) (*SourceProfile, error)) (int, error) {
	var saved *SourceProfile
	err := env.DB.Update(ctx, func(tx *storage.Tx) error {
		p, err := begin(tx)
		if err != nil {
			return err
		}
		for _, name := range slices.Sorted(maps.Keys(args.Set)) {
			if err := p.set(name, args.Set[name]); err != nil {
				return err
			}
		}
		saved, err = p.save(tx)
		return err
	})
	if err != nil {
		return ExitFailed, err
	}
	return ExitOK, saved.print(o, args.JSON)
}

func deleteSource(ctx context.Context, env *Env, args SourceArgs, o *IO) (int, error) {
	if err := DeleteSource(ctx, env, args.Name); err != nil {
		return ExitFailed, err
	}
	return ExitOK, o.deleted(args.JSON, "source", args.Name)
}

func (p *SourceProfile) print(o *IO, asJSON bool) error {
	return Print(o.Out, asJSON, p, func(w io.Writer) error {
		t := NewTable(w, "source", p.Name)
		t.Row("revision", p.Revision)
		for _, s := range p.says() {
			t.Row(s.name, s.value)
		}
		return t.Close()
	})
}
