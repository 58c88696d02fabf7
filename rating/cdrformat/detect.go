package cdrformat

import (
	"slices"
	"strings"

	"billd/rating"
)

// Detect tells a file's format by its beginning. What no format claims is CSV or JSON of billd's own.
//
// Where two formats fit that would be charged differently it does not choose: it fails with Invalid and
// names both.
func Detect(beginning string) (Format, error) {
	beginning = strings.TrimLeft(strings.TrimPrefix(beginning[:min(len(beginning), 2*MaxRecord)], "\ufeff"), " \t\r\n")
	if beginning == "" {
		return CSV, nil
	}
	switch beginning[0] {
	case '{', '[':
		return detectJSON(beginning)
	case '<':
		return FreeSWITCHXML, nil
	}
	line := beginning
	if at := strings.IndexAny(line, "\r\n"); at >= 0 {
		line = line[:at]
	}
	if text, ok := freeswitchText(line); ok && len(line) > 64 && (text[0] == '<' || strings.Contains(text, `"variables"`)) {
		return FreeSWITCHJSON, nil
	}
	if _, ok := sqlValues(line); ok {
		return FreeSWITCHCSVSQL, nil
	}
	return detectTable(line)
}

// ambiguous adds to a refusal the formats to choose from.
func ambiguous(why error, candidates ...Format) error {
	names := make([]string, len(candidates))
	for i, f := range candidates {
		names[i] = f.String()
	}
	return rating.Broken("format", "ambiguous", "", "%s: say which, --format %s", why.Error(), strings.Join(names, " or "))
}

// detectJSON looks at the names of the first object's members.
func detectJSON(text string) (Format, error) {
	s := scanner{s: text, nan: true}
	s.take('[')
	names, event := map[string]bool{}, false
	s.object(0, func(name string, v value) { // a cut end does not matter: what was read counts
		names[name] = true
		event = event || name == "method" && strings.HasPrefix(v.text, "E_ACC_")
		if name == "params" {
			v.each(func(name string, v value) { names[name] = true })
		}
	})
	if cut := len(names) == 0; cut && strings.Contains(text, `"variables"`) && strings.Contains(text, `"core-uuid"`) {
		return FreeSWITCHJSON, nil
	}
	switch {
	case names["variables"]:
		return FreeSWITCHJSON, nil
	case names["core-uuid"] && strings.Contains(text, `"variables"`):
		return FreeSWITCHJSON, nil
	case event:
		return OpenSIPS, nil
	case names["time_start"] || names["cdrs"]:
		return JSON, nil
	case names["disposition"] && names["billsec"]:
		return AsteriskJSON, nil
	}
	return detectAcc(names, JSON)
}

// detectAcc tells the two acc modules apart by the columns that only one of them has.
func detectAcc(names map[string]bool, otherwise Format) (Format, error) {
	transaction := names["callid"] && names["sip_code"] && (names["from_tag"] || names["method"])
	switch {
	case transaction && (names["ms_duration"] || names["setuptime"] || names["created"]):
		return OpenSIPS, nil
	case names["start_time"] && names["end_time"] && names["duration"] && (names["callid"] || len(names) <= 4):
		return Kamailio, nil
	case transaction && names["duration"]:
		return 0, ambiguous(rating.Broken("file", "columns", "", "the columns are those of an acc module"), Kamailio, OpenSIPS)
	case transaction && (names["time_hires"] || names["cdr_id"] || names["time_attr"]):
		return Kamailio, nil
	case transaction:
		return 0, ambiguous(rating.Broken("file", "columns", "", "the columns are those of an acc module"), Kamailio, OpenSIPS)
	}
	return otherwise, nil
}

// detectTable looks at the first line of a file of rows.
func detectTable(line string) (Format, error) {
	comma := delimiter(line)
	names := map[string]bool{}
	for _, name := range cellsBy(line, comma, openCell) {
		names[columnName(name)] = true
	}
	switch {
	case names["time_start"]:
		return CSV, nil
	case names["billsec"] && names["disposition"] && (names["calldate"] || names["start"]):
		return AsteriskTable, nil
	}
	if f, err := detectAcc(names, CSV); f != CSV || err != nil {
		return f, err
	}
	if comma != ',' {
		if comma == ';' && strings.HasSuffix(line, ";") && strings.Count(line, ";") == 1 {
			return detectRow(strings.TrimSuffix(line, ";"))
		}
		return CSV, nil
	}
	return detectRow(strings.TrimSuffix(line, ";"))
}

// detectRow looks at a row without a header: how many columns, which of them are times, and how the call
// ended in words that only one switch has.
func detectRow(line string) (Format, error) {
	var fit []Format
	var miscount error
	for _, c := range []struct {
		format       Format
		start        int
		from, to     int // columns
		end          int // of the three times, the last
		how          int // column of how it ended
		freeswitches bool
	}{
		{FreeSWITCHCSV, 4, 15, 15, 6, 9, true},
		{FreeSWITCHCSVAsterisk, 9, 18, 18, 11, 14, true},
		{FreeSWITCHCSVOpenCDRRate, 5, 13, 13, 6, -1, true},
		{AsteriskCSV, 9, 16, 21, 11, 14, false},
		{AsteriskCustom, 8, 19, 19, 10, 13, false},
	} {
		cells, err := cellsOf(line, ',', func(n int) bool { return n >= c.from && n <= c.to }, func(_, i int) bool { return i == c.start || i == c.end || i == c.how })
		if err != nil || !looksLikeTime(cells[c.end]) || c.how >= 0 && !looksLikeTime(cells[c.start]) {
			continue
		}
		if c.how >= 0 {
			word := cells[c.how]
			_, asterisk := disposed(word)
			freeswitch := strings.Contains(word, "_") || word == "NONE"
			if c.freeswitches && asterisk && !freeswitch || !c.freeswitches && freeswitch {
				continue
			}
		}
		if n := len(cells); c.format == AsteriskCSV && (n == 17 || n == 20) {
			miscount = asteriskMiscount(AsteriskCSV, n)
			continue
		}
		fit = append(fit, c.format)
	}
	switch {
	case len(fit) == 1:
		return fit[0], nil
	case len(fit) > 1:
		slices.Sort(fit)
		return 0, ambiguous(rating.Broken("file", "columns", "", "the columns fit more than one format"), fit...)
	case miscount != nil:
		return 0, miscount
	}
	return CSV, nil
}

// looksLikeTime reports whether a cell may be a time; the order of day and month does not matter here.
func looksLikeTime(s string) bool {
	_, err := stamps{dates: DayFirst}.read("time", s)
	return err == nil && strings.ContainsAny(s, ":")
}
