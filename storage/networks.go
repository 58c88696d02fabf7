package storage

import (
	"strings"

	"billd/rating"
	"billd/storage/kv"
)

// Country is a country that calls go to or come from.
type Country struct {
	ID   uint64 `json:"id"`
	Name string `json:"name"`
	ISO2 string `json:"iso2"`
}

// Network is an operator's network within a country, or a service such as toll-free numbers.
type Network struct {
	ID   uint64      `json:"id"`
	UUID rating.UUID `json:"uuid"`
	Name string      `json:"name"`
	Type uint64      `json:"type"`
}

// NetworkType says what kind of numbers a network has.
type NetworkType struct {
	ID   uint64      `json:"id"`
	UUID rating.UUID `json:"uuid"`
	Name string      `json:"name"`
}

// networkTypeNames are the types that every store starts with, numbered from 1. Source: Yeti's seeds,
// contract 3.13.
var networkTypeNames = []string{"Unknown", "Landline", "Mobile", "National", "Shared Cost", "Toll-Free", "Special Services"}

type networkTables struct {
	countries    kv.Table[Country]
	networks     kv.Table[Network]
	networkTypes kv.Table[NetworkType]

	networkPrefixes kv.Table[NetworkPrefix]
}

// NetworkRows are the tables of where calls go.
type NetworkRows struct {
	Countries    Rows[Country]
	Networks     Rows[Network]
	NetworkTypes Rows[NetworkType]

	NetworkPrefixes Rows[NetworkPrefix]
}

func newNetworkTables() networkTables {
	t := networkTables{
		countries:    jsonTable("country", bCountry, func(v *Country) *uint64 { return &v.ID }),
		networks:     jsonTable("network", bNetwork, func(v *Network) *uint64 { return &v.ID }),
		networkTypes: jsonTable("network type", bNetworkType, func(v *NetworkType) *uint64 { return &v.ID }),

		networkPrefixes: kv.Table[NetworkPrefix]{Name: "network prefix", Bucket: bNetworkPrefix, Audit: true,
			ID:     func(v *NetworkPrefix) *uint64 { return &v.ID },
			Encode: func(dst []byte, v *NetworkPrefix) ([]byte, error) { return appendNetworkPrefix(dst, v), nil },
			Decode: decodeNetworkPrefix},
	}
	t.countries.Unique = []kv.Unique[Country]{{Bucket: bCountryName, Field: "name", Key: func(v *Country) []byte { return textKey(v.Name) }}}
	t.countries.Index = []kv.Index[Country]{{Bucket: bCountryISO2, Keys: func(v *Country) [][]byte { return one(kv.Key(nil).Text(v.ISO2)) }}}
	t.networks.Unique = []kv.Unique[Network]{
		{Bucket: bNetworkName, Field: "name", Key: func(v *Network) []byte { return textKey(v.Name) }},
		{Bucket: bNetworkUUID, Field: "uuid", Key: func(v *Network) []byte { return uuidKey(v.UUID) }},
	}
	t.networks.Index = []kv.Index[Network]{{Bucket: bNetworkByType, Keys: func(v *Network) [][]byte { return one(kv.Key(nil).U64(v.Type)) }}}
	t.networkTypes.Unique = []kv.Unique[NetworkType]{
		{Bucket: bNetworkTypeName, Field: "name", Key: func(v *NetworkType) []byte { return textKey(v.Name) }},
		{Bucket: bNetworkTypeUUID, Field: "uuid", Key: func(v *NetworkType) []byte { return uuidKey(v.UUID) }},
	}
	return t
}

func bindNetworks(tx *Tx) NetworkRows {
	return NetworkRows{Countries: bind(tx, &schema.countries), Networks: bind(tx, &schema.networks), NetworkTypes: bind(tx, &schema.networkTypes),
		NetworkPrefixes: bind(tx, &schema.networkPrefixes)}
}

// seedNetworkTypes makes the types that every store starts with.
func (tx *Tx) seedNetworkTypes() error {
	for i, name := range networkTypeNames {
		if err := tx.NetworkTypes.Put(&NetworkType{UUID: rating.NumberUUID(networkTypeSpace, uint64(i)+1), Name: name}); err != nil {
			return err
		}
	}
	return nil
}

// CountryByISO2 finds the country of a two-letter code in any case; of several the first made.
func (tx *Tx) CountryByISO2(code string) (found *Country, err error) {
	if strings.IndexByte(code, 0) < 0 {
		err = tx.Countries.EachUnder(bCountryISO2, kv.Key(nil).Text(strings.ToUpper(code)), func(c *Country) (bool, error) {
			found = c
			return false, nil
		})
	}
	if err == nil && found == nil {
		err = rating.Errorf(rating.NotFound, "country", "no such country")
	}
	return found, err
}

// NetworkTypeUsed reports whether a network is of a type.
func (tx *Tx) NetworkTypeUsed(id uint64) (used bool, err error) {
	err = tx.Networks.EachUnder(bNetworkByType, kv.Key(nil).U64(id), func(*Network) (bool, error) {
		used = true
		return false, nil
	})
	return used, err
}
