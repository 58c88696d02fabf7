package storage

import (
	"fmt"
	"hash/fnv"

	"billd/rating"
	"billd/rating/e164"
)

// What the UUIDs of public facts begin with: they are the same in every store.
var (
	networkSpace     = [6]byte{'n', 'e', 't', 'w', 'r', 'k'}
	networkTypeSpace = [6]byte{'n', 'e', 't', 't', 'y', 'p'}
	prefixSpace      = [6]byte{'n', 'e', 't', 'p', 'f', 'x'}
)

// addNumbering adds what the store lacks of a number plan and says how much that was.
func (tx *Tx) addNumbering(plan *e164.Plan) (added string, err error) {
	countries, networks := make([]uint64, len(plan.Countries)), make([]uint64, len(plan.Networks))
	var made [3]int
	for i, c := range plan.Countries {
		if countries[i], err = tx.addCountry(c, &made[0]); err != nil {
			return "", err
		}
	}
	types, err := tx.typesOfNetworks()
	if err != nil {
		return "", err
	}
	for i, n := range plan.Networks {
		if networks[i], err = tx.addNetwork(n, types[n.Kind], &made[1]); err != nil {
			return "", err
		}
	}
	for _, p := range plan.Prefixes {
		if tx.NetworkPrefixes.Has(networkPrefixID(p.Digits)) {
			continue
		}
		row := &NetworkPrefix{Prefix: p.Digits, Network: networks[p.Network], MinLength: p.Lengths.Least, MaxLength: p.Lengths.Most}
		if p.Country >= 0 {
			row.Country = countries[p.Country]
		}
		if err := tx.PutNetworkPrefix(row); err != nil {
			return "", err
		}
		made[2]++
	}
	return fmt.Sprintf("%d countries, %d networks, %d prefixes of public number plans", made[0], made[1], made[2]), nil
}

// addCountry returns the number of a country: the one that has its code, or its name, or a new one.
func (tx *Tx) addCountry(c e164.Country, made *int) (uint64, error) {
	had, err := tx.CountryByISO2(c.ISO2)
	if rating.KindOf(err) == rating.NotFound && err != nil {
		had, err = tx.Countries.Find(bCountryName, textKey(c.Name))
	}
	if err == nil {
		return had.ID, nil
	}
	if rating.KindOf(err) != rating.NotFound {
		return 0, err
	}
	v := &Country{Name: c.Name, ISO2: c.ISO2}
	err = tx.Countries.Put(v)
	*made++
	return v.ID, err
}

// addNetwork returns the number of a network: the one that has its name, or a new one.
func (tx *Tx) addNetwork(n e164.Network, typ uint64, made *int) (uint64, error) {
	had, err := tx.Networks.Find(bNetworkName, textKey(n.Name))
	if err == nil {
		return had.ID, nil
	}
	if rating.KindOf(err) != rating.NotFound {
		return 0, err
	}
	name := fnv.New64a()
	name.Write([]byte(n.Name))
	v := &Network{UUID: rating.NumberUUID(networkSpace, name.Sum64()), Name: n.Name, Type: typ}
	err = tx.Networks.Put(v)
	*made++
	return v.ID, err
}

// typesOfNetworks returns the number of each kind's type: the one seeded for it while it is there, else
// one of its name.
func (tx *Tx) typesOfNetworks() (map[e164.Kind]uint64, error) {
	types := map[e164.Kind]uint64{}
	for i, name := range networkTypeNames {
		kind := e164.Kind(i + 1)
		if types[kind] = uint64(kind); tx.NetworkTypes.Has(uint64(kind)) {
			continue
		}
		had, err := tx.NetworkTypes.Find(bNetworkTypeName, textKey(name))
		if err != nil && rating.KindOf(err) == rating.NotFound {
			had = &NetworkType{UUID: rating.NewUUID(tx.now), Name: name}
			err = tx.NetworkTypes.Put(had)
		}
		if err != nil {
			return nil, err
		}
		types[kind] = had.ID
	}
	return types, nil
}
