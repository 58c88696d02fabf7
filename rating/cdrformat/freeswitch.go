package cdrformat

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"

	"billd/rating"
)

// freeswitchVariables are the channel variables that a bill needs: members of "variables" in JSON, elements
// in XML, and what templates of mod_cdr_csv name. Source: switch_channel.c, switch_channel_set_timestamps.
var freeswitchVariables = map[string]role{
	"uuid": roleID, "call_uuid": roleGroup, "signal_bond": rolePeer, "bridge_uuid": rolePeer, "originating_leg_uuid": roleBegan,
	"sip_call_id": roleSIPCallID, "direction": roleDirection, "accountcode": roleAccount,
	"start_stamp": roleStart, "start_epoch": roleStartEpoch, "start_uepoch": roleStartMicro,
	"answer_stamp": roleAnswer, "answer_epoch": roleAnswerEpoch, "answer_uepoch": roleAnswerMicro,
	"end_stamp": roleEnd, "end_epoch": roleEndEpoch, "end_uepoch": roleEndMicro,
	"duration": roleLasted, "billsec": roleBilled, "hangup_cause": roleDisposition, "hangup_cause_q850": roleCauseCode,
	"sip_from_user": roleSrcOther, "sip_to_user": roleDstOther, "sip_network_ip": roleIP,
	"caller_id_number": roleSrc, "ani": roleSrc, "destination_number": roleDst, "caller_id_name": roleName,
	"network_addr": roleIP, "sip_term_status": roleSIPCode,
	"sip_gateway_name": roleGateway, "sip_gateway": roleGateway,
}

// Of the first entry of "callflow", which is the newest; caller_profile is as of the end of the call.
var freeswitchProfile = map[string]role{
	"caller_id_number": roleSrc, "destination_number": roleDst, "caller_id_name": roleName, "uuid": roleID,
}

var freeswitchTimes = map[string]role{
	"created_time": roleStartMicro, "answered_time": roleAnswerMicro, "hangup_time": roleEndMicro,
}

// freeswitchObject reads a record of mod_json_cdr into f; false when it is not JSON.
func (r *Reader) freeswitchObject(s *scanner, f *facts) bool {
	s.nan = true // FreeSWITCH writes nan where a mean of nothing stands
	var variables, callflow value
	ok := s.object(0, func(name string, v value) {
		switch name {
		case "variables":
			variables = v
		case "callflow":
			callflow = v
		}
	})
	if !ok {
		return false
	}
	sub := scanner{s: variables.raw, nan: true}
	if variables.kind == '{' {
		sub.object(0, func(name string, v value) { r.take(f, r.headOf(name), name, v.scalar()) })
	}
	f.unescape()
	sub = scanner{s: callflow.raw, nan: true}
	sub.take('[')
	if sub.space(); sub.peek() != '{' {
		return true
	}
	sub.object(0, func(name string, v value) {
		switch name {
		case "caller_profile":
			v.each(func(name string, v value) { r.profileFact(f, freeswitchProfile, name, v.scalar()) })
		case "times":
			v.each(func(name string, v value) { r.profileFact(f, freeswitchTimes, name, v.scalar()) })
		}
	})
	return true
}

// profileFact takes in a member of the callflow.
func (r *Reader) profileFact(f *facts, roles map[string]role, name, text string) {
	if role := roles[name]; !r.claimed[role] {
		r.take(f, head{role: role}, "callflow "+name, text)
	}
}

// scalar is a value's text; objects and arrays have none.
func (v value) scalar() string {
	if v.kind == '"' || v.kind == '0' || v.kind == 't' {
		return v.text
	}
	return ""
}

// each calls fn with the members of an object.
func (v value) each(fn func(string, value)) {
	s := scanner{s: v.raw, nan: true}
	if v.kind == '{' {
		s.object(0, fn)
	}
}

// unescape takes the percent encoding from variables, if the switch is set to encode them: stamps tell,
// their blank and colons are encoded then. Without a stamp what looks encoded is.
func (f *facts) unescape() {
	if _, stamp := f.first(roleStart, roleEnd, roleAnswer); strings.ContainsAny(stamp, " :") {
		return
	}
	for r, text := range f.text {
		if strings.IndexByte(text, '%') < 0 {
			continue
		}
		if plain, err := url.PathUnescape(text); err == nil {
			f.text[r] = plain
		}
	}
	for i := range f.more {
		if plain, err := url.PathUnescape(f.more[i].text); err == nil {
			f.more[i].text = plain
		}
	}
	for i := range f.watched {
		if plain, err := url.PathUnescape(f.watched[i]); err == nil {
			f.watched[i] = plain
		}
	}
	for i := range f.told {
		if plain, err := url.PathUnescape(f.told[i].Text); err == nil {
			f.told[i].Text = plain
		}
	}
}

// freeswitchCall makes a call of a leg. Its talk is told by the microseconds of answer and end where both
// are there, so that billd's own rounding is used: billsec is the difference of two cut-off seconds.
func freeswitchCall(r *Reader, f *facts, record string, call *rating.Call, rec *Record) error {
	second := f.text[roleDirection] == "outbound" && (f.text[roleBegan] != "" || f.text[roleGroup] != "" && f.text[roleGroup] != f.text[roleID])
	if second && r.o.Legs == LegsA {
		rec.Skipped = "a leg that another leg called"
		return nil
	}
	if !second && r.o.Legs == LegsB {
		rec.Skipped = "a leg that nobody called"
		return nil
	}
	if f.text[roleDirection] == "outbound" {
		f.text[roleIP] = "" // where it went to
		if from := f.text[roleSrcOther]; from != "" && !r.claimed[roleSrc] {
			f.text[roleSrc] = from // the profile has who was called since
		}
	}
	t, err := f.times(r.stamps)
	if err != nil {
		return err
	}
	_, billed, err := f.lengths()
	if err != nil {
		return err
	}
	exact, _ := f.first(roleAnswerMicro)
	exactEnd, _ := f.first(roleEndMicro)
	switch {
	case t.answer == 0 && billed > 0:
		return rating.Broken("billsec", "conflict", "", "billsec %s, and the call was never answered", f.text[roleBilled])
	case t.answer == 0:
		billed = 0
	case exact == roleNone || exactEnd == roleNone:
		if err := f.outlasts(billed, t.answer, t.end); err != nil {
			return err
		}
	case billed >= 0 && (t.end-t.answer > billed+oneSecond || t.end-t.answer < billed-oneSecond):
		return rating.Broken("billsec", "conflict", "", "billsec %s, and from answer to end %s seconds", f.text[roleBilled], rating.Money(t.end-t.answer))
	default:
		billed = -1
	}
	if err := f.fill(call, t, t.answer != 0, billed); err != nil {
		return err
	}
	if f.text[roleBilled] != "" {
		evidence, err := json.Marshal(map[string]string{"billsec": f.text[roleBilled]})
		if err != nil {
			return err
		}
		return call.Parse(rating.CDRMetadata, string(evidence))
	}
	return nil
}

// freeswitchText finds the JSON or XML in what FreeSWITCH posts or files, by its look and never by what the
// request calls it: raw, behind cdr=, percent-encoded, or in base64.
func freeswitchText(s string) (string, bool) {
	s = strings.TrimSpace(s)
	s = strings.TrimPrefix(s, "cdr=")
	for range 3 {
		switch {
		case s == "":
			return "", false
		case s[0] == '{' || s[0] == '<':
			return s, true
		case strings.HasPrefix(s, "%"):
			s, _, _ = strings.Cut(s, "&")
			plain, err := url.QueryUnescape(s)
			if err != nil {
				return "", false
			}
			s = plain
		default:
			plain, ok := unbase64(s)
			if !ok {
				return "", false
			}
			s = plain
		}
		s = strings.TrimSpace(s)
	}
	return "", false
}

// unbase64 decodes base64 of either alphabet, with or without its padding and percent-encoding.
func unbase64(s string) (string, bool) {
	s, _, _ = strings.Cut(s, "&")
	if strings.IndexByte(s, '%') >= 0 {
		plain, err := url.PathUnescape(s)
		if err != nil {
			return "", false
		}
		s = plain
	}
	s = strings.Map(func(r rune) rune {
		switch r {
		case '\r', '\n', '=':
			return -1
		case '-':
			return '+'
		case '_':
			return '/'
		case ' ': // what a form makes of a plus
			return '+'
		}
		return r
	}, s)
	text, err := base64.RawStdEncoding.DecodeString(s)
	return string(text), err == nil
}
