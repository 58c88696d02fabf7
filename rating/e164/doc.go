// Package e164 knows whose telephone numbers are: countries, their calling codes, and which numbers
// below a code are certain to be fixed, mobile, free of charge and the like.
//
// The facts are public and stand in plan.txt: ISO 3166-1 for countries, ITU-T E.164 and its operational
// bulletins for codes, national numbering plans for what lies below. A code that several countries
// share is told apart by longer prefixes. Where a plan leaves a number's kind open, so does the file.
//
// A store copies the facts into tables that its operator may change. This package is therefore asked
// for the facts once, and its Index, which finds the longest prefix of a number, for every call.
//
// It imports the standard library only.
//
//	plan := e164.World()
//	var entries []e164.Entry
//	for i, p := range plan.Prefixes {
//		entries = append(entries, e164.Entry{Digits: p.Digits, Value: uint32(i), Lengths: p.Lengths})
//	}
//	i, ok := e164.NewIndex(entries).Number("447781123456") // Guernsey Mobile, by 7781 behind 44
package e164
