package storage

import (
	"context"
	"strings"

	"billd/rating"
	"billd/rating/e164"
)

// NetworkPrefix is the beginning of a network's numbers. Its row number follows from its digits, so
// that there is one of each.
type NetworkPrefix struct {
	ID        uint64 `json:"id"`
	Prefix    string `json:"prefix"` // digits
	Country   uint64 `json:"country,omitempty"`
	Network   uint64 `json:"network"`
	MinLength uint8  `json:"min_length"` // digits of a whole number
	MaxLength uint8  `json:"max_length"`
}

// Valid checks what a prefix must be. Fails with Invalid, naming the field.
func (p *NetworkPrefix) Valid() error {
	if !e164.IsPrefix(p.Prefix) {
		return rating.Broken("prefix", "format", "", "network prefix %q: want 1 to %d digits", clip(p.Prefix), e164.MaxDigits)
	}
	if p.MinLength > p.MaxLength {
		return rating.Broken("max_length", "minimum", "", "network prefix %s: numbers of %d to %d digits: want the longest not below the shortest", p.Prefix, p.MinLength, p.MaxLength)
	}
	return nil
}

// UUID returns the UUID that the prefix is known by, in every store the same.
func (p *NetworkPrefix) UUID() rating.UUID { return rating.NumberUUID(prefixSpace, p.ID) }

// PutNetworkPrefix stores a prefix in place of the row that its digits may have. Fails with Invalid if it
// is none, NotFound if network or country does not exist.
func (tx *Tx) PutNetworkPrefix(p *NetworkPrefix) error {
	if err := p.Valid(); err != nil {
		return err
	}
	if !tx.Networks.Has(p.Network) {
		return rating.Errorf(rating.NotFound, "network", "network %d does not exist", p.Network)
	}
	if p.Country != 0 && !tx.Countries.Has(p.Country) {
		return rating.Errorf(rating.NotFound, "country", "country %d does not exist", p.Country)
	}
	p.ID = networkPrefixID(p.Prefix)
	return tx.NetworkPrefixes.Put(p)
}

// Numbering is the store's number plan in memory: whose numbers begin how. It never changes; a change
// of prefixes, networks or countries publishes another one. A nil Numbering knows no number.
type Numbering struct {
	index     *e164.Index
	places    []Place
	countries map[uint64]*Country
	networks  map[uint64]*Network
	used      map[Place]bool // what prefixes refer to: places of a country or a network alone
}

// Place is where a number belongs, as numbers of rows; 0 is none.
type Place struct{ Prefix, Country, Network uint64 }

// Number finds a whole number's place: that of its longest prefix whose lengths admit it. A + or 00
// before it does not count.
func (n *Numbering) Number(number string) (Place, bool) {
	if n == nil {
		return Place{}, false
	}
	if strings.HasPrefix(number, "+") {
		number = number[1:]
	}
	i, ok := n.index.Number(number)
	if !ok && strings.HasPrefix(number, "00") {
		i, ok = n.index.Number(number[2:])
	}
	if !ok {
		return Place{}, false
	}
	return n.places[i], true
}

// Prefix finds the place of a rate's prefix: that of the longest prefix that it begins with.
func (n *Numbering) Prefix(prefix string) (Place, bool) {
	if n == nil {
		return Place{}, false
	}
	prefix = strings.TrimPrefix(prefix, "+")
	i, ok := n.index.Prefix(prefix)
	if !ok && strings.HasPrefix(prefix, "00") {
		i, ok = n.index.Prefix(prefix[2:])
	}
	if !ok {
		return Place{}, false
	}
	return n.places[i], true
}

// Country returns a country by its number, nil for none. Callers must not change it.
func (n *Numbering) Country(id uint64) *Country {
	if n == nil {
		return nil
	}
	return n.countries[id]
}

// Network returns a network by its number, nil for none. Callers must not change it.
func (n *Numbering) Network(id uint64) *Network {
	if n == nil {
		return nil
	}
	return n.networks[id]
}

// ISO2 returns the code of the country that a rate's prefix belongs to, "" for none.
func (n *Numbering) ISO2(prefix string) string {
	place, _ := n.Prefix(prefix)
	if c := n.Country(place.Country); c != nil {
		return c.ISO2
	}
	return ""
}

// CountryUsed reports whether network prefixes are of a country.
func (n *Numbering) CountryUsed(id uint64) bool { return n != nil && n.used[Place{Country: id}] }

// NetworkUsed reports whether network prefixes are of a network.
func (n *Numbering) NetworkUsed(id uint64) bool { return n != nil && n.used[Place{Network: id}] }

// Numbering returns the number plan in force.
func (db *DB) Numbering() *Numbering { return db.catalog.Load().numbering }

// Numbering returns the number plan in force, without what this transaction changes of it.
func (tx *Tx) Numbering() *Numbering { return tx.db.Numbering() }

// loadNumbering reads the number plan as the transaction has it.
func (tx *Tx) loadNumbering() (*Numbering, error) {
	n := &Numbering{countries: map[uint64]*Country{}, networks: map[uint64]*Network{}, used: map[Place]bool{}}
	if err := tx.Countries.Each(0, func(c *Country) (bool, error) { n.countries[c.ID] = c; return true, nil }); err != nil {
		return nil, err
	}
	if err := tx.Networks.Each(0, func(v *Network) (bool, error) { n.networks[v.ID] = v; return true, nil }); err != nil {
		return nil, err
	}
	var entries []e164.Entry
	err := tx.NetworkPrefixes.Each(0, func(p *NetworkPrefix) (bool, error) {
		entries = append(entries, e164.Entry{Digits: p.Prefix, Value: uint32(len(n.places)), Lengths: e164.Lengths{Least: p.MinLength, Most: p.MaxLength}})
		n.places = append(n.places, Place{p.ID, p.Country, p.Network})
		n.used[Place{Country: p.Country}], n.used[Place{Network: p.Network}] = true, true
		return true, nil
	})
	n.index = e164.NewIndex(entries)
	return n, err
}

// nextNumbering returns the number plan that the commit brings about.
func (tx *Tx) nextNumbering(was *Catalog) (*Numbering, error) {
	if !tx.renumber {
		return was.numbering, nil
	}
	return tx.loadNumbering()
}

// NetworkPrefixByUUID finds a network prefix by the UUID that it is known by.
func (tx *Tx) NetworkPrefixByUUID(u rating.UUID) (*NetworkPrefix, error) {
	n, ok := u.Number(prefixSpace)
	if !ok {
		return nil, rating.Errorf(rating.NotFound, "network prefix", "no such network prefix")
	}
	return tx.NetworkPrefixes.Get(n)
}

// NetworkByUUID finds a network.
func (tx *Tx) NetworkByUUID(u rating.UUID) (*Network, error) {
	return tx.Networks.Find(bNetworkUUID, uuidKey(u))
}

// NetworkTypeByUUID finds a network type.
func (tx *Tx) NetworkTypeByUUID(u rating.UUID) (*NetworkType, error) {
	return tx.NetworkTypes.Find(bNetworkTypeUUID, uuidKey(u))
}

// Network tells charging whose a number is.
func (b billBook) Network(number string) (country, network uint64) {
	place, _ := b.tx.Numbering().Number(number)
	return place.Country, place.Network
}

// numberingEdition is the key in meta of the edition of public facts that the store took in.
const numberingEdition = "numbering"

// seedNumbering takes in the public facts of whose numbers are, once for each edition of them. What the
// store has already, by country code, network name or prefix, stays as its operator made it.
func (db *DB) seedNumbering(ctx context.Context) error {
	known := false
	err := db.View(ctx, func(tx *Tx) error {
		var edition int
		err := tx.getJSON(bMeta, numberingEdition, &edition)
		if rating.KindOf(err) == rating.NotFound {
			err = nil
		}
		known = edition >= e164.Edition
		return err
	})
	if err != nil || known {
		return err
	}
	return db.Update(ctx, func(tx *Tx) error {
		tx.quiet = true
		added, err := tx.addNumbering(e164.World())
		if err != nil {
			return err
		}
		if err := tx.Note(schema.networkPrefixes.Name, 0, added); err != nil {
			return err
		}
		return tx.putMeta(numberingEdition, e164.Edition)
	})
}

// networkPrefix looks at what a network prefix refers to and is.
func (c *checker) networkPrefix(p *NetworkPrefix) {
	c.refer("network prefix", p.ID, "network", p.Network, c.tx.Networks.Has)
	if p.Country != 0 {
		c.refer("network prefix", p.ID, "country", p.Country, c.tx.Countries.Has)
	}
	if err := p.Valid(); err != nil {
		c.fault("network prefix %d: %v", p.ID, err)
	}
}
