package ops

import (
	"strconv"

	"billd/rating"
	"billd/storage"
)

// exportField is a column of the file: a stored one, else what made tells.
type exportField struct {
	field rating.CDRField
	made  func(w *exportWriter, tx *storage.Tx, c *rating.CDR) string
}

// madeColumns are columns that are not stored in calls: their number, and the names of countries and
// networks.
var madeColumns = map[string]func(w *exportWriter, tx *storage.Tx, c *rating.CDR) string{
	"id": func(_ *exportWriter, _ *storage.Tx, c *rating.CDR) string {
		return strconv.FormatUint(uint64(c.ID), 10)
	},
	"src_country_name": nameColumn(rating.CDRSrcCountryID, countryName),
	"dst_country_name": nameColumn(rating.CDRDstCountryID, countryName),
	"src_network_name": nameColumn(rating.CDRSrcNetworkID, networkName),
	"dst_network_name": nameColumn(rating.CDRDstNetworkID, networkName),
}

// ExportColumn reports whether an export may have a column that is not stored in calls.
func ExportColumn(name string) bool { return madeColumns[name] != nil }

func countryName(tx *storage.Tx, id uint64) string {
	if c, err := tx.Countries.Get(id); err == nil {
		return c.Name
	}
	return ""
}

func networkName(tx *storage.Tx, id uint64) string {
	if n, err := tx.Networks.Get(id); err == nil {
		return n.Name
	}
	return ""
}

// nameColumn is the name of what a column's number stands for; each is read once per export.
func nameColumn(f rating.CDRField, find func(*storage.Tx, uint64) string) func(*exportWriter, *storage.Tx, *rating.CDR) string {
	return func(w *exportWriter, tx *storage.Tx, c *rating.CDR) string {
		if !c.Has(f) {
			return ""
		}
		key := [2]int64{int64(f), c.Int(f)}
		name, known := w.names[key]
		if !known {
			name = find(tx, uint64(c.Int(f)))
			w.names[key] = name
		}
		return name
	}
}
