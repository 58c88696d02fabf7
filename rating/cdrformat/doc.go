// Package cdrformat reads call records into rating.Call and writes stored calls out again: generic
// CSV with a header, JSON as objects, arrays or lines, and billd's own export in both.
//
// It imports rating and the standard library. Columns go by the names of rating.CDRField, plus src,
// dst, account, account_id, vendor_account, vendor_account_id and unrated. Values are taken from their
// text; no number passes through a float. Files are read as streams: memory does not grow with them.
//
//	r, err := cdrformat.NewReader(file, cdrformat.Options{Source: "import"})
//	for {
//		var rec cdrformat.Record
//		if err := r.Read(&call, &rec); err == io.EOF {
//			break
//		}
//		…
//	}
package cdrformat
