package dataformat

import (
	"bytes"
	"encoding/json"
	"strings"

	"billd/rating"
)

// Fields are one record: values as text under their names in plain form, as plain makes it.
type Fields map[string]string

// names are the spellings of each column, in plain form, the first that has a value counts: billd's own,
// then RADIUS's, whose hyphens are not there, which are radacct's too. Source: RFC 2866 and 2869,
// FreeRADIUS schema.sql.
var names = struct {
	source, session, user, status, time, delay, input, output, inputGiga, outputGiga,
	seconds, address, calling, called, cause, start, update, stop []string
}{
	source:     []string{"source", "nas", "nasidentifier", "nasipaddress", "nasipv6address"},
	session:    []string{"session", "sessionid", "acctsessionid"},
	user:       []string{"user", "username"},
	status:     []string{"status", "acctstatustype"},
	time:       []string{"time", "at", "eventtimestamp"},
	delay:      []string{"acctdelaytime"},
	input:      []string{"inputoctets", "acctinputoctets"},
	output:     []string{"outputoctets", "acctoutputoctets"},
	inputGiga:  []string{"inputgigawords", "acctinputgigawords"},
	outputGiga: []string{"outputgigawords", "acctoutputgigawords"},
	seconds:    []string{"seconds", "sessionseconds", "acctsessiontime"},
	address:    []string{"address", "framedip", "framedipaddress", "framedipv6address", "framedipv6prefix"},
	calling:    []string{"calling", "callingstation", "callingstationid"},
	called:     []string{"called", "calledstation", "calledstationid"},
	cause:      []string{"cause", "terminatecause", "acctterminatecause"},
	start:      []string{"acctstarttime"},
	update:     []string{"acctupdatetime"},
	stop:       []string{"acctstoptime"},
}

// Known reports whether a column is one that is read.
func Known(column string) bool { return columns[plain(column)] }

var columns = func() map[string]bool {
	all := map[string]bool{}
	for _, spellings := range [][]string{names.source, names.session, names.user, names.status, names.time, names.delay, names.input, names.output,
		names.inputGiga, names.outputGiga, names.seconds, names.address, names.calling, names.called, names.cause, names.start, names.update, names.stop} {
		for _, s := range spellings {
			all[s] = true
		}
	}
	return all
}()

// plain is a column's name in lower case with letters and digits alone: Acct-Session-Id is acctsessionid.
func plain(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return -1
	}, name)
}

// first returns the first value that is there. What databases write for nothing is nothing.
func (f Fields) first(spellings []string) string {
	for _, s := range spellings {
		switch v := strings.TrimSpace(f[s]); v {
		case "", "NULL", "null", `\N`, "0000-00-00 00:00:00":
		default:
			return v
		}
	}
	return ""
}

// jsonFields reads a JSON object. A value is a scalar, a list of them whose first counts, or an object with
// such a list as its value, as rlm_rest writes attributes.
func jsonFields(raw []byte) (Fields, error) {
	var object map[string]json.RawMessage
	if err := json.Unmarshal(raw, &object); err != nil || object == nil {
		return nil, rating.Broken("record", "json", "", "the record is not a JSON object")
	}
	f := Fields{}
	for name, value := range object {
		if text, ok := scalar(value, 0); ok {
			f[plain(name)] = text
		}
	}
	return f, nil
}

// scalar reads a value as text; nested values but those of rlm_rest are none.
func scalar(raw json.RawMessage, depth int) (string, bool) {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || depth > 2 {
		return "", false
	}
	switch raw[0] {
	case '"':
		var s string
		err := json.Unmarshal(raw, &s)
		return s, err == nil
	case '[':
		var list []json.RawMessage
		if json.Unmarshal(raw, &list) != nil || len(list) == 0 {
			return "", false
		}
		return scalar(list[0], depth+1)
	case '{':
		var attribute struct {
			Value json.RawMessage `json:"value"`
		}
		if json.Unmarshal(raw, &attribute) != nil {
			return "", false
		}
		return scalar(attribute.Value, depth+1)
	case 'n':
		return "", false
	}
	return string(raw), true
}
