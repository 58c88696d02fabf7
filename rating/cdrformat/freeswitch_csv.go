package cdrformat

import (
	"strings"

	"billd/rating"
)

// The templates of mod_cdr_csv's configuration as it is shipped, by the variables that they expand.
var freeswitchTemplates = map[Format][]string{
	FreeSWITCHCSV: {"caller_id_name", "caller_id_number", "destination_number", "context", "start_stamp", "answer_stamp", "end_stamp",
		"duration", "billsec", "hangup_cause", "uuid", "bridge_uuid", "accountcode", "read_codec", "write_codec"},
	FreeSWITCHCSVAsterisk: {"accountcode", "caller_id_number", "destination_number", "context", "caller_id", "channel_name", "bridge_channel",
		"last_app", "last_arg", "start_stamp", "answer_stamp", "end_stamp", "duration", "billsec", "hangup_cause", "amaflags", "uuid", "userfield"},
	FreeSWITCHCSVSQL: {"caller_id_name", "caller_id_number", "destination_number", "context", "start_stamp", "answer_stamp", "end_stamp",
		"duration", "billsec", "hangup_cause", "uuid", "bridge_uuid", "accountcode"},
	FreeSWITCHCSVOpenCDRRate: {"uuid", "signal_bond", "direction", "ani", "destination_number", "answer_stamp", "end_stamp",
		"billsec", "accountcode", "userfield", "network_addr", "caller_name_initial", "sip_gateway_name"},
}

// sqlValues returns the values of an INSERT statement as a row of cells; false when it is none.
func sqlValues(line string) (string, bool) {
	line = strings.TrimSuffix(strings.TrimSpace(line), ";")
	if len(line) < 6 || !strings.EqualFold(line[:6], "insert") {
		return "", false
	}
	at := strings.Index(strings.ToLower(line), "values")
	if at < 0 {
		return "", false
	}
	values := strings.TrimSpace(line[at+len("values"):])
	if !strings.HasPrefix(values, "(") || !strings.HasSuffix(values, ")") {
		return "", false
	}
	return values[1 : len(values)-1], true
}

// freeswitchRow makes a call of a row of mod_cdr_csv. Its template opencdrrate has no start, and calls that
// were not answered have no time at all in it.
func freeswitchRow(r *Reader, f *facts, record string, call *rating.Call, rec *Record) error {
	if r.o.Format == FreeSWITCHCSVOpenCDRRate && f.text[roleStart] == "" {
		_, start := f.first(roleAnswer, roleEnd)
		f.text[roleStart] = start
	}
	return freeswitchCall(r, f, record, call, rec)
}
