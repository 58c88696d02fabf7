package ops

import (
	"cmp"
	"context"
	"io"
	"maps"
	"slices"
	"strings"

	"billd/storage"
)

// ImportProfileArgs name a profile and say, to save it, what is in it.
type ImportProfileArgs struct {
	Name  string          `json:"name,omitempty"`
	Rates ImportRatesArgs `json:"rates"` // of these what a profile keeps
	JSON  bool            `json:"json,omitempty"`
}

// profileOf returns what a profile keeps of the arguments of an import.
func profileOf(name string, a *ImportRatesArgs) *storage.ImportProfile {
	return &storage.ImportProfile{Name: name, Deck: a.Deck, Mode: a.Mode, Currency: a.Currency, Preset: a.Preset, Vendor: a.Vendor, Sheet: a.Sheet,
		Delimiter: a.Delimiter, Decimal: a.Decimal, Dates: a.Dates, Timezone: a.Timezone, Prepend: a.Prepend, Strip: a.Strip,
		Jurisdiction: a.Jurisdiction, Increment: a.Increment, Plan: a.Plan, BareUnit: a.BareUnit, Columns: a.Columns}
}

// under returns the arguments with what they leave open taken from a profile. Columns of both count;
// where both name one, the arguments do.
func (a ImportRatesArgs) under(p *storage.ImportProfile) ImportRatesArgs {
	for _, f := range [...]struct {
		own  *string
		kept string
	}{
		{&a.Deck, p.Deck}, {&a.Mode, p.Mode}, {&a.Currency, p.Currency}, {&a.Preset, p.Preset}, {&a.Vendor, p.Vendor}, {&a.Sheet, p.Sheet},
		{&a.Delimiter, p.Delimiter}, {&a.Decimal, p.Decimal}, {&a.Dates, p.Dates}, {&a.Timezone, p.Timezone}, {&a.Prepend, p.Prepend},
		{&a.Jurisdiction, p.Jurisdiction}, {&a.Increment, p.Increment},
		{&a.Plan, p.Plan}, {&a.BareUnit, p.BareUnit},
	} {
		*f.own = cmp.Or(*f.own, f.kept)
	}
	if len(a.Strip) == 0 {
		a.Strip = p.Strip
	}
	columns := maps.Clone(p.Columns)
	if columns == nil {
		columns = map[string]string{}
	}
	maps.Copy(columns, a.Columns)
	a.Columns = columns
	return a
}

// withProfile fills the arguments from the profile that they name.
func (a ImportRatesArgs) withProfile(ctx context.Context, env *Env) (ImportRatesArgs, error) {
	if a.Profile == "" {
		return a, nil
	}
	p, err := ImportProfile(ctx, env, a.Profile)
	if err != nil {
		return a, err
	}
	return a.under(p), nil
}

// ImportProfiles returns every profile, in order of the names.
func ImportProfiles(ctx context.Context, env *Env) ([]*storage.ImportProfile, error) {
	list := []*storage.ImportProfile{}
	err := env.DB.View(ctx, func(tx *storage.Tx) error {
		return tx.ImportProfiles.Each(0, func(p *storage.ImportProfile) (bool, error) {
			list = append(list, p)
			return true, nil
		})
	})
	slices.SortFunc(list, func(a, b *storage.ImportProfile) int { return strings.Compare(a.Name, b.Name) })
	return list, err
}

// ImportProfile returns the profile of a name. Fails with NotFound if there is none.
func ImportProfile(ctx context.Context, env *Env, name string) (p *storage.ImportProfile, err error) {
	err = env.DB.View(ctx, func(tx *storage.Tx) error {
		p, err = tx.ImportProfileNamed(name)
		return err
	})
	return p, err
}

// SaveImportProfile keeps the arguments of an import under a name, in place of what is there. It fails
// as the import would on arguments that cannot be.
func SaveImportProfile(ctx context.Context, env *Env, name string, args ImportRatesArgs) (*storage.ImportProfile, error) {
	judged := args
	judged.Deck, judged.Mode = cmp.Or(args.Deck, "default"), cmp.Or(args.Mode, string(storage.Replace))
	_, zone, err := rateImportOptions(ctx, env, judged)
	if err != nil {
		return nil, err
	}
	opts, err := deckOptions(args, zone)
	if err != nil {
		return nil, err
	}
	if err := opts.Check(); err != nil {
		return nil, err
	}
	p := profileOf(name, &args)
	err = env.DB.Update(ctx, func(tx *storage.Tx) error { return tx.SaveImportProfile(p) })
	return p, err
}

// DeleteImportProfile removes a profile. Decks and their imports stay. Fails with NotFound if there is none.
func DeleteImportProfile(ctx context.Context, env *Env, name string) error {
	return env.DB.Update(ctx, func(tx *storage.Tx) error {
		p, err := tx.ImportProfileNamed(name)
		if err != nil {
			return err
		}
		return tx.ImportProfiles.Delete(p.ID)
	})
}

func listImportProfiles(ctx context.Context, env *Env, args ImportProfileArgs, o *IO) (int, error) {
	list, err := ImportProfiles(ctx, env)
	if err != nil {
		return ExitFailed, err
	}
	return ExitOK, Print(o.Out, args.JSON, list, func(w io.Writer) error {
		t := NewTable(w, "name", "deck", "mode", "says")
		for _, p := range list {
			var said []string
			for _, s := range profileSays(p)[2:] {
				said = append(said, s.name+" "+s.value)
			}
			t.Row(p.Name, cmp.Or(p.Deck, "default"), cmp.Or(p.Mode, string(storage.Replace)), strings.Join(said, ", "))
		}
		return t.Close()
	})
}

func showImportProfile(ctx context.Context, env *Env, args ImportProfileArgs, o *IO) (int, error) {
	p, err := ImportProfile(ctx, env, args.Name)
	if err != nil {
		return ExitFailed, err
	}
	return ExitOK, printProfile(o, args.JSON, p)
}

func saveImportProfile(ctx context.Context, env *Env, args ImportProfileArgs, o *IO) (int, error) {
	p, err := SaveImportProfile(ctx, env, args.Name, args.Rates)
	if err != nil {
		return ExitFailed, err
	}
	return ExitOK, printProfile(o, args.JSON, p)
}

func deleteImportProfile(ctx context.Context, env *Env, args ImportProfileArgs, o *IO) (int, error) {
	if err := DeleteImportProfile(ctx, env, args.Name); err != nil {
		return ExitFailed, err
	}
	return ExitOK, o.deleted(args.JSON, "import profile", args.Name)
}

// said is one thing that a profile says, in the word of its flag.
type said struct{ name, value string }

// profileSays returns what a profile says, deck and mode first and always.
func profileSays(p *storage.ImportProfile) []said {
	says := []said{{"deck", cmp.Or(p.Deck, "default")}, {"mode", cmp.Or(p.Mode, string(storage.Replace))}}
	for _, s := range [...]said{{"currency", p.Currency}, {"preset", p.Preset}, {"vendor", p.Vendor}, {"sheet", p.Sheet}, {"delimiter", p.Delimiter},
		{"decimal", p.Decimal}, {"dates", p.Dates}, {"timezone", p.Timezone}, {"strip", strings.Join(p.Strip, ",")}, {"prepend", p.Prepend},
		{"jurisdiction", p.Jurisdiction}, {"increment", p.Increment}, {"plan", p.Plan}, {"bare-unit", p.BareUnit}} {
		if s.value != "" {
			says = append(says, s)
		}
	}
	for _, header := range slices.Sorted(maps.Keys(p.Columns)) {
		says = append(says, said{"map", header + "=" + p.Columns[header]})
	}
	return says
}

func printProfile(o *IO, asJSON bool, p *storage.ImportProfile) error {
	return Print(o.Out, asJSON, p, func(w io.Writer) error {
		t := NewTable(w, "profile", p.Name)
		for _, s := range profileSays(p) {
			t.Row(s.name, s.value)
		}
		return t.Close()
	})
}
