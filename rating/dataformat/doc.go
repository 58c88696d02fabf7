// Package dataformat reads records of broadband sessions: rows of FreeRADIUS's radacct, what its rlm_rest
// posts, and billd's own JSON and CSV.
//
// It may import rating. A row of radacct is a whole session and becomes two records, its start and what
// is known of it last; everything else is one record. A field that cannot be read does not lose its
// record: its Damage says what is wrong, and whoever takes it in holds it.
//
//	err := dataformat.Each(file, dataformat.Options{Source: "nas1"}, func(line int, records []rating.DataRecord, err error) error {
//		…
//	})
package dataformat
