package cdrformat

import (
	"io"
	"strconv"
	"strings"

	"billd/rating"
)

// accFields are the names that the acc modules of Kamailio and OpenSIPS write, with the usual names of the
// extra columns that say who called whom. Source: acc.h and the modules' documentation.
var accFields = map[string]role{
	"method": roleMethod, "from_tag": roleFromTag, "to_tag": roleToTag, "callid": roleSIPCallID, "call_id": roleSIPCallID,
	"sip_code": roleSIPCode, "sip_reason": roleSIPReason, "time": roleStart, "time_hires": roleStart, "start_time": roleStartEpoch,
	"end_time": roleEnd, "duration": roleBilled, "ms_duration": roleBilledMilli, "setuptime": roleSetup, "created": roleCreated,
	"caller": roleSrc, "src": roleSrc, "src_user": roleSrc, "from_user": roleSrc, "from_uri": roleSrcOther, "src_ouser": roleSrcOther,
	"callee": roleDst, "dst": roleDst, "dst_ouser": roleDst, "ruri": roleDst, "to_user": roleDstOther, "to_uri": roleDstOther, "dst_user": roleDstOther,
	"src_ip": roleIP, "account": roleAccount, "accountcode": roleAccount, "account_id": roleAccount,
	"gateway": roleGateway, "trunk": roleGateway,
}

// accCall makes a call of a record of acc. A record with a length is a whole call. Others tell of one
// transaction: an INVITE that was answered waits for its BYE in the same file.
func accCall(r *Reader, f *facts, record string, call *rating.Call, rec *Record) error {
	f.add(roleMethod, "INVITE")
	f.text[roleID] = accID(f)
	if f.text[roleBilled] != "" || f.text[roleBilledMilli] != "" || f.text[roleEnd] != "" {
		return accWhole(r, f, call)
	}
	return r.dialogs.take(r, f, record, call, rec)
}

// accID names a call by Call-ID and tags. A BYE of the callee has the tags the other way round.
func accID(f *facts) string {
	id, a, b := f.text[roleSIPCallID], f.text[roleFromTag], f.text[roleToTag]
	if id == "" {
		return ""
	}
	if a > b {
		a, b = b, a
	}
	return strings.TrimRight(id+"/"+a+"/"+b, "/")
}

// accWhole makes a call of the CDR of a dialog. Kamailio says start_time and end_time. OpenSIPS says time, of
// the answer, with setuptime seconds or created before it.
func accWhole(r *Reader, f *facts, call *rating.Call) error {
	_, billed, err := f.lengths()
	if err != nil {
		return err
	}
	setup, err := seconds("setuptime", f.text[roleSetup])
	if err != nil {
		return err
	}
	if f.text[roleStartEpoch] != "" {
		f.text[roleStart] = "" // of the transaction that ended it
	}
	t, err := f.times(r.stamps)
	if err != nil {
		return err
	}
	if err := f.outlasts(billed, t.start, t.end); err != nil {
		return err
	}
	answered := billed > 0 || billed < 0 && t.end > t.start
	if code := f.text[roleSIPCode]; code != "" && code[0] > '2' {
		answered = false
	}
	if answered {
		t.answer = t.start
	}
	if setup > 0 {
		t.start -= setup
	} else if _, created := f.first(roleCreated); created != "" {
		begun, err := r.stamps.read("created", created)
		if err != nil {
			return err
		}
		if begun > t.start || begun < earliestMicro {
			return rating.Broken("created", "maximum", "", "created at %s, after the answer at %s", spell(begun), spell(t.start))
		}
		t.start = begun
	}
	if billed >= 0 && t.end == 0 {
		t.end = max(t.start, t.answer) + billed
	}
	return f.fill(call, t, answered, billed)
}

// maxDialogs bounds how many calls of a file wait for their BYE at once.
const maxDialogs = 50_000

// dialogs joins INVITE and BYE of a file that tells of transactions.
type dialogs struct {
	open  map[string]*dialog // by accID
	order []*dialog          // as they came, for the end of the file
	tried map[string]bool    // Call-IDs that were answered
	ended map[string]bool    // accIDs whose BYE came
}

// dialog is a call that waits.
type dialog struct {
	key      string
	facts    facts
	record   string
	line     int
	answered bool
	done     bool
}

// take takes in a transaction: call is set when it ends a call, rec.held when there is nothing to say yet.
func (d *dialogs) take(r *Reader, f *facts, record string, call *rating.Call, rec *Record) error {
	if d.open == nil {
		d.open, d.tried, d.ended = map[string]*dialog{}, map[string]bool{}, map[string]bool{}
	}
	key, code := f.text[roleID], f.text[roleSIPCode]
	switch {
	case key == "":
		return rating.Broken("callid", "required", "", "the record has no callid, and no duration")
	case f.text[roleMethod] == "BYE":
		return d.bye(r, f, record, call, rec)
	case f.text[roleMethod] != "INVITE":
		rec.Skipped = "no INVITE and no BYE"
		return nil
	case code == "401" || code == "407":
		rec.Skipped = "an INVITE that was asked for a password"
		return nil
	case len(code) != 3 || !isDigits(code):
		return wrong("sip_code", code, "the status of the answer")
	}
	if _, err := f.times(r.stamps); err != nil {
		return err
	}
	answered := code[0] == '2'
	if !answered { // of all branches and attempts of a call one tells that it failed
		key = f.text[roleSIPCallID]
	} else {
		d.tried[strings.Clone(f.text[roleSIPCallID])] = true
		if len(d.tried) > maxDialogs {
			clear(d.tried)
		}
	}
	if d.open[key] != nil || d.ended[key] {
		rec.Skipped = "an INVITE again"
		return nil
	}
	g := &dialog{facts: f.clone(), record: strings.Clone(record), line: rec.Line, answered: answered}
	g.key = strings.Clone(key)
	d.open[g.key] = g
	d.order = append(d.order, g)
	if len(d.order) > maxDialogs {
		d.sweep()
	}
	if len(d.order) > maxDialogs { // the oldest one has waited for long enough
		if d.rest(r, call, rec) == nil {
			return nil
		}
	}
	rec.held = true
	return nil
}

// bye ends a call; the first BYE counts.
func (d *dialogs) bye(r *Reader, f *facts, record string, call *rating.Call, rec *Record) error {
	key := f.text[roleID]
	if d.ended[key] {
		rec.Skipped = "a BYE again"
		return nil
	}
	g := d.open[key]
	if g == nil && r.o.Apart {
		return f.ends(r.stamps, record, rec)
	}
	if g == nil {
		return rating.Broken("method", "required", "", "a BYE without its INVITE: the call's start is not in this file")
	}
	delete(d.open, key)
	d.ended[strings.Clone(key)] = true
	if len(d.ended) > maxDialogs {
		clear(d.ended) // a BYE that is sent again comes within seconds
	}
	g.done = true
	end, err := f.times(r.stamps)
	if err != nil {
		return err
	}
	start, err := g.facts.times(r.stamps)
	if err != nil {
		return err
	}
	if end.start < start.start {
		return rating.Broken("time", "minimum", "", "ended at %s, before its INVITE at %s", spell(end.start), spell(start.start))
	}
	return g.facts.fill(call, instants{start.start, start.start, end.start}, true, end.start-start.start)
}

// sweep lets go of the dialogs that ended.
func (d *dialogs) sweep() {
	kept := d.order[:0]
	for _, g := range d.order {
		if !g.done {
			kept = append(kept, g)
		}
	}
	clear(d.order[len(kept):])
	d.order = kept
}

// rest hands out what waits at the end of the file, one by one: calls that failed, and ones whose BYE is not
// there. io.EOF when there is none left.
func (d *dialogs) rest(r *Reader, call *rating.Call, rec *Record) error {
	for len(d.order) > 0 {
		g := d.order[0]
		d.order = d.order[1:]
		if d.open[g.key] == g {
			delete(d.open, g.key)
		}
		if g.done || !g.answered && d.tried[g.facts.text[roleSIPCallID]] {
			continue
		}
		rec.Line = g.line
		t, err := g.facts.times(r.stamps)
		if err == nil && g.answered && r.o.Apart {
			err = g.facts.begins(r.stamps, g.record, t.start, call, rec)
		} else if err == nil && g.answered {
			err = rating.Broken("method", "required", "", "answered, and its BYE is not here: let the switch write CDRs of dialogs, or read INVITE and BYE together")
		}
		if err == nil && !g.answered {
			err = g.facts.fill(call, t, false, 0)
		}
		if err != nil {
			call.Reset()
			rec.Half = nil
			rec.bad(g.facts.keep(r.stamps, g.record, r.header), err.Error())
		}
		return nil
	}
	return io.EOF
}

// begins makes the half of a call that was answered at an instant in microseconds: its INVITE.
func (f *facts) begins(p stamps, record string, at int64, call *rating.Call, rec *Record) error {
	rec.Half = &rating.Half{Key: strings.Clone(f.text[roleID]), Kept: f.keep(p, record, "")}
	err := f.fill(call, instants{start: at, answer: at}, true, 0)
	call.Unset(rating.CDRDuration)
	return err
}

// ends makes the half of a call that its BYE is, which says when and nothing else that counts.
func (f *facts) ends(p stamps, record string, rec *Record) error {
	t, err := f.times(p)
	// what it came from and when is no call's start: whoever corrects the record says that
	f.text[roleEnd], f.text[roleEndEpoch], f.text[roleEndMicro] = "", "", strconv.FormatInt(t.start, 10)
	f.text[roleStart], f.text[roleStartEpoch], f.text[roleStartMicro] = "", "", ""
	rec.Half = &rating.Half{Key: strings.Clone(f.text[roleID]), End: t.start, Kept: f.keep(p, record, "")}
	return err
}

// clone copies the texts, which else are parts of a piece of the file.
func (f *facts) clone() (c facts) {
	for r, text := range f.text {
		c.text[r] = strings.Clone(text)
	}
	c.inbound = f.inbound
	for _, s := range f.more {
		c.more = append(c.more, said{s.column, strings.Clone(s.text)})
	}
	return c
}
