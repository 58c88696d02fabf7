package storage

import (
	"strings"
	"time"

	"billd/rating"
	"billd/storage/kv"
)

// ImportProfile says how a carrier's price lists are read and where they go, so that nobody has to say
// it at every import. Empty fields leave the choice to billd, as the arguments of an import do.
type ImportProfile struct {
	ID           uint64            `json:"id"`
	Name         string            `json:"name"`
	Deck         string            `json:"deck,omitempty"`
	Mode         string            `json:"mode,omitempty"` // replace: lists are full; merge: they hold what changes
	Currency     string            `json:"currency,omitempty"`
	Preset       string            `json:"preset,omitempty"`
	Vendor       string            `json:"vendor,omitempty"`
	Sheet        string            `json:"sheet,omitempty"`
	Delimiter    string            `json:"delimiter,omitempty"`
	Decimal      string            `json:"decimal,omitempty"`
	Dates        string            `json:"dates,omitempty"`
	Timezone     string            `json:"timezone,omitempty"`
	Prepend      string            `json:"prepend,omitempty"`
	Strip        []string          `json:"strip,omitempty"`
	Jurisdiction string            `json:"jurisdiction,omitempty"`
	Increment    string            `json:"increment,omitempty"`
	Plan         string            `json:"plan,omitempty"`      // of a tariff plan
	BareUnit     string            `json:"bare_unit,omitempty"` // of a tariff plan: s or m
	Columns      map[string]string `json:"columns,omitempty"`
	CreatedAt    time.Time         `json:"created_at"`
	ChangedAt    time.Time         `json:"changed_at"`
}

type profileTables struct{ importProfiles kv.Table[ImportProfile] }

// ProfileRows is the table of saved ways to import price lists.
type ProfileRows struct{ ImportProfiles Rows[ImportProfile] }

func newProfileTables() profileTables {
	t := jsonTable("import profile", bImportProfile, func(v *ImportProfile) *uint64 { return &v.ID })
	t.Unique = []kv.Unique[ImportProfile]{{Bucket: bImportProfileName, Field: "name", Key: func(v *ImportProfile) []byte { return textKey(v.Name) }}}
	return profileTables{t}
}

func bindProfiles(tx *Tx) ProfileRows { return ProfileRows{bind(tx, &schema.importProfiles)} }

// maxProfileName bounds a profile's name, in bytes.
const maxProfileName = 100

// ImportProfileNamed returns the profile of a name. Fails with NotFound if there is none.
func (tx *Tx) ImportProfileNamed(name string) (*ImportProfile, error) {
	p, err := tx.ImportProfiles.Find(bImportProfileName, textKey(name))
	if err != nil && rating.KindOf(err) == rating.NotFound {
		return nil, rating.Errorf(rating.NotFound, "profile", "import profile %s does not exist", clip(name))
	}
	return p, err
}

// SaveImportProfile writes p over the profile of its name, or as a new one, and sets its number and times.
// Fails with Invalid for a name that cannot be.
func (tx *Tx) SaveImportProfile(p *ImportProfile) error {
	bad := func(r rune) bool { return r < ' ' || r == 0x7f || r == '/' }
	if n := len(p.Name); n == 0 || n > maxProfileName || strings.ContainsFunc(p.Name, bad) || strings.TrimSpace(p.Name) != p.Name {
		return rating.Broken("name", "format", "", "profile name %q: want 1 to %d characters, no slash", clip(p.Name), maxProfileName)
	}
	p.ID, p.CreatedAt, p.ChangedAt = 0, tx.now, tx.now
	old, err := tx.ImportProfileNamed(p.Name)
	switch {
	case err == nil:
		p.ID, p.CreatedAt = old.ID, old.CreatedAt
	case rating.KindOf(err) != rating.NotFound:
		return err
	}
	return tx.ImportProfiles.Put(p)
}
