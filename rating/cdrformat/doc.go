// Package cdrformat reads call records into rating.Call and writes stored calls out again: generic
// CSV with a header, JSON as objects, arrays or lines, billd's own export in both, and the files and
// posts of FreeSWITCH, Asterisk, Kamailio and OpenSIPS (Formats lists them).
//
// A switch's record becomes facts (text by role), which the switch's judge turns into a call, passes over,
// or refuses with a reason; what could be read is kept as JSON so that it can be corrected in suspense. Times
// before 2000 and after 2099, an answer before the start, negative lengths and lengths that contradict each
// other are refused. Detect does not choose between formats that are charged differently.
//
// It imports rating and the standard library. Columns go by the names of rating.CDRField, plus src,
// dst, account, account_id, vendor_account, vendor_account_id, unrated, gateway, direction and ip. Options.Map says
// which of a switch's fields is which of these instead, Options.Only, Skip and Inbound what a record must say. Values are taken from their
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
