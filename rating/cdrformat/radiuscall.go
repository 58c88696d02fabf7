package cdrformat

import (
	"cmp"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"billd/rating"
)

// RadiusOptions say how the calls of one NAS are read.
type RadiusOptions struct {
	Source  string         // of its calls
	Zone    *time.Location // of stamps that name none, or one by letters; nil is UTC
	Leg     RadiusLeg      // of Cisco's calls
	Account string         // who pays whatever the packets say, "" to go by them
	Rules   bool           // nobody pays by name: the address and the numbers tell
	Address string         // of the sender
}

// RadiusTold is one packet, and the instant that it is about.
type RadiusTold struct {
	Packet RadiusPacket
	At     time.Time
}

// RadiusCall makes a call of what a NAS tells: of a Stop or Failed, and one half of it of what a SIP proxy tells, which
// keeps nothing in mind. A packet that does not say when the call was is a half as well: sent again it is about
// another instant.
//
// The same packet about the same instant makes the same call to the bit, so that what a NAS sends again is charged once.
func RadiusCall(told *RadiusTold, o RadiusOptions, call *rating.Call, rec *Record) {
	*rec = Record{}
	call.Reset()
	p := &told.Packet
	if p.Kind != RadiusSIP && p.Status != RadiusStop && p.Status != RadiusFailed || p.Status == RadiusInterim {
		rec.Skipped = "no end of a call"
		return
	}
	r := &Reader{o: Options{Source: o.Source, Zone: o.Zone}, stamps: stamps{zone: o.Zone}}
	r.judge = func(_ *Reader, f *facts, record string, call *rating.Call, rec *Record) error {
		switch p.Kind {
		case RadiusCisco:
			return ciscoCall(r.stamps, f, told, &o, call, rec)
		case RadiusDigium:
			return digiumCall(r, f, told, &o, call, rec)
		case RadiusSIP:
			return sipCall(r.stamps, f, told, record, &o, call, rec)
		}
		return plainCall(f, told, &o, call)
	}
	var f facts
	record := p.String()
	r.settle(&f, nil, record, call, rec)
	if rec.Skipped != "" {
		return
	}
	if rec.Half == nil && !p.Timed(o.Zone) && p.CallID() != "" { // without an id it is held as it came
		rec.Half = &rating.Half{Key: p.wholeKey(), Whole: true}
	}
	if rec.Bad == "" {
		call.SetText(rating.CDRSource, o.Source)
	}
}

// wholeKey names a packet that tells a call, among those of its NAS.
func (p *RadiusPacket) wholeKey() string {
	key := strconv.Itoa(int(p.Status)) + " " + p.CallID() + " " + p.Text(radiusSession) + " " + p.NAS()
	return strings.ReplaceAll(key, "\x00", "?")
}

// Timed reports whether a packet itself says when the call was: sent again it makes the same call. Of
// others the instant at which they were first heard must be remembered.
func (p *RadiusPacket) Timed(zone *time.Location) bool {
	if !p.At.IsZero() {
		return true
	}
	switch p.Kind {
	case RadiusCisco:
		var f facts
		c, err := readCisco(p, &f, zone)
		return err == nil && c.timed && f.text[roleStartMicro] != "" && f.text[roleEndMicro] != ""
	case RadiusDigium:
		return p.of(vendorDigium, digiumStart) != ""
	}
	return false
}

// ciscoNames are the attributes of vendor 9 that are read, by number. Source: FreeRADIUS dictionary.cisco.
var ciscoNames = map[uint8]string{
	23: "h323-remote-address", 24: "h323-conf-id", 25: "h323-setup-time", 26: "h323-call-origin", 27: "h323-call-type", 28: "h323-connect-time",
	29: "h323-disconnect-time", 30: "h323-disconnect-cause", 33: "h323-gw-id", 35: "h323-incoming-conf-id", 141: "call-id",
}

const ciscoAVPair = 1

// ciscoRole returns the name of an attribute of Cisco's, "" for any that says nothing of a call. An
// AV pair has its name in the value.
func ciscoRole(a *RadiusAttribute) string {
	if a.Vendor != vendorCisco && a.Vendor != vendorQuintum {
		return ""
	}
	if a.Type != ciscoAVPair {
		return ciscoNames[a.Type]
	}
	name, _, ok := strings.Cut(a.Value, "=")
	if name = strings.ToLower(strings.TrimSpace(name)); !ok {
		return ""
	}
	for _, known := range ciscoNames {
		if name == known {
			return known
		}
	}
	return ""
}

// ciscoValue returns what an attribute says, without its name, which gateways often repeat before it.
func ciscoValue(a *RadiusAttribute) string {
	if name, rest, ok := strings.Cut(a.Value, "="); ok && (a.Type == ciscoAVPair || strings.EqualFold(strings.TrimSpace(name), ciscoNames[a.Type])) {
		return strings.TrimSpace(rest)
	}
	return strings.TrimSpace(a.Value)
}

// ciscoFacts are what is no column of a call.
type ciscoFacts struct {
	origin string // answer or originate
	remote string
	timed  bool // a stamp was there
}

// readCisco reads the h323 attributes into f.
func readCisco(p *RadiusPacket, f *facts, zone *time.Location) (c ciscoFacts, err error) {
	for i := range p.Attributes {
		a := &p.Attributes[i]
		name := ciscoRole(a)
		if name == "" {
			continue
		}
		value := ciscoValue(a)
		to := roleNone
		switch name {
		case "h323-call-origin":
			c.origin = cmp.Or(c.origin, strings.ToLower(value))
		case "h323-remote-address":
			c.remote = cmp.Or(c.remote, value)
		case "h323-conf-id":
			f.add(roleGroup, conference(value))
		case "h323-setup-time":
			to = roleStartMicro
		case "h323-connect-time":
			to = roleAnswerMicro
		case "h323-disconnect-time":
			to = roleEndMicro
		case "h323-disconnect-cause":
			if n, err := strconv.ParseUint(strings.TrimPrefix(value, "0x"), 16, 16); err == nil && value != "" {
				f.add(roleCauseCode, strconv.FormatUint(n, 10))
			}
		}
		if to == roleNone || value == "" || f.text[to] != "" {
			continue
		}
		micro, err := h323Time(name, value, zone)
		if err != nil {
			return c, err
		}
		f.add(to, strconv.FormatInt(micro, 10))
		c.timed = true
	}
	return c, nil
}

// common reads what standard attributes say of a call.
func (p *RadiusPacket) common(f *facts, o *RadiusOptions) {
	f.add(roleSrc, p.Text(radiusCalling))
	f.add(roleDst, p.Text(radiusCalled))
	if n, ok := p.number(radiusSessionTime); ok {
		f.add(roleBilled, strconv.FormatUint(uint64(n), 10))
	}
	f.add(roleSIPCallID, p.CallID())
	f.add(roleAccount, o.Account)
	if !o.Rules {
		f.add(roleAccount, p.Text(radiusUserName))
	}
	f.add(roleIP, o.Address)
}

// name gives a leg its id: by what both legs share where there is such a thing, else by the machine,
// because sessions are numbered by each for itself.
func (p *RadiusPacket) name(f *facts, shared string, o *RadiusOptions) error {
	session := p.Text(radiusSession)
	if shared == "" && session == "" {
		return rating.Broken("Acct-Session-Id", "required", "", "the record has no Acct-Session-Id: nothing tells it from the next one")
	}
	f.text[roleID] = strings.Trim(cmp.Or(shared, p.NAS(), o.Address)+"/"+session, "/")
	return nil
}

// ciscoCall makes a call of the Stop of a leg.
func ciscoCall(st stamps, f *facts, stop *RadiusTold, o *RadiusOptions, call *rating.Call, rec *Record) error {
	p := &stop.Packet
	c, err := readCisco(p, f, st.zone)
	if (c.origin == "answer" && o.Leg == LegOriginate) || (c.origin == "originate" && o.Leg == LegAnswer) {
		rec.Skipped = "the " + c.origin + " leg of a call of which the other is charged"
		return nil
	}
	if c.origin == "answer" { // who sent the call; of the other leg it is who takes it
		if a, bad := netip.ParseAddr(c.remote); bad == nil {
			f.add(roleIP, a.Unmap().String())
		}
	}
	p.common(f, o)
	if err != nil {
		return err
	}
	if err := p.name(f, f.text[roleGroup], o); err != nil {
		return err
	}
	_, talk, err := f.lengths()
	if err != nil {
		return err
	}
	ends(f, stop.At, talk)
	t, err := f.times(st)
	if err != nil {
		return err
	}
	if t.answer != 0 && t.end != 0 {
		const slack = 2_000_000 // both are rounded, and the clocks are two
		if between := t.end - t.answer; talk < 0 {
			talk = between
		} else if talk > between+slack || talk < between-slack {
			return rating.Broken("Acct-Session-Time", "range", "", "Acct-Session-Time is %d s, from h323-connect-time to h323-disconnect-time are %d s", talk/1_000_000, between/1_000_000)
		}
	}
	answered := talk > 0 || t.answer != 0 && t.end > t.answer
	if !answered {
		t.answer, talk = 0, 0 // a gateway gives both one time then
	}
	return f.fill(call, t, answered, talk)
}

// ends gives a record that lacks them the end at which it was told and the start that its talk leaves.
func ends(f *facts, at time.Time, talk int64) {
	micro := func(n int64) string { return strconv.FormatInt(n, 10) }
	end, ok := epoch(f.text[roleEndMicro])
	if !ok {
		end = at.UnixMicro()
		f.add(roleEndMicro, micro(end))
	}
	f.add(roleStartMicro, f.text[roleAnswerMicro])
	f.add(roleStartMicro, micro(end-max(talk, 0)))
	if talk > 0 {
		f.add(roleAnswerMicro, micro(end-talk))
	}
}

// plainCall makes a call of a Stop that has standard attributes alone.
func plainCall(f *facts, stop *RadiusTold, o *RadiusOptions, call *rating.Call) error {
	p := &stop.Packet
	p.common(f, o)
	if err := p.name(f, "", o); err != nil {
		return err
	}
	_, talk, err := f.lengths()
	if err != nil {
		return err
	}
	if talk < 0 {
		return rating.Broken("Acct-Session-Time", "required", "", "the record has no Acct-Session-Time")
	}
	ends(f, stop.At, talk)
	t, err := f.times(stamps{})
	if err != nil {
		return err
	}
	return f.fill(call, t, talk > 0, talk)
}

// Attributes of vendor 22736. Source: Asterisk, cdr_radius.c.
const (
	digiumAccount  = 101
	digiumStart    = 110
	digiumUniqueID = 117
)

var digiumRoles = map[uint8]role{
	digiumAccount: roleAccount, 102: roleSrc, 103: roleDst, 105: roleName, digiumStart: roleStart, 111: roleAnswer, 112: roleEnd,
	113: roleLasted, 114: roleBilled, 115: roleDisposition,
}

// digiumCall makes a call of a record of Asterisk, by the rules of its files.
func digiumCall(r *Reader, f *facts, stop *RadiusTold, o *RadiusOptions, call *rating.Call, rec *Record) error {
	p := &stop.Packet
	f.add(roleAccount, o.Account)
	var said []string
	for i := range p.Attributes {
		a := &p.Attributes[i]
		if a.Vendor != vendorDigium {
			continue
		}
		value := strings.TrimSpace(a.Value)
		to := digiumRoles[a.Type]
		if (to == roleLasted || to == roleBilled) && len(a.Value) == 4 {
			value = strconv.FormatUint(uint64(word(a.Value)), 10)
		}
		if a.Type == digiumAccount && o.Rules {
			to = roleNone
		}
		f.add(to, value)
		said = append(said, value)
	}
	id := cmp.Or(p.of(vendorDigium, digiumUniqueID), p.Text(radiusSession))
	if id == "" {
		return rating.Broken("Acct-Session-Id", "required", "", "the record has neither Asterisk-Unique-ID nor Acct-Session-Id")
	}
	f.text[roleID], f.text[roleSIPCallID] = id+"#"+digest(said...), id // one channel's records share the id
	f.add(roleIP, o.Address)
	return asteriskCall(r, f, "", call, rec)
}

// sipCall makes of what a proxy told of a transaction the half of a call that it is.
func sipCall(st stamps, f *facts, told *RadiusTold, record string, o *RadiusOptions, call *rating.Call, rec *Record) error {
	p, at := &told.Packet, told.At.UnixMicro()
	f.text[roleID] = p.Dialog()
	code, _ := p.number(sipResponse)
	if p.Status == RadiusFailed && (code == 401 || code == 407) {
		rec.Skipped = "an INVITE that was asked for a password"
		return nil
	}
	if p.cancelled() {
		rec.Skipped = "a CANCEL: that the INVITE failed is told apart"
		return nil
	}
	p.sip(f, o)
	if f.text[roleSIPCallID] == "" {
		return rating.Broken("Acct-Session-Id", "required", "", "the record has no Acct-Session-Id")
	}
	if p.Status == RadiusFailed {
		f.text[roleSIPCode] = strconv.FormatUint(uint64(code), 10)
		f.text[roleID] = f.text[roleSIPCallID] // of all branches one tells that the call failed
		return f.fill(call, instants{start: at, end: at}, false, 0)
	}
	f.text[roleStartMicro] = strconv.FormatInt(at, 10)
	if p.Status == RadiusStop {
		return f.ends(st, record, rec)
	}
	if _, err := f.times(st); err != nil {
		return err
	}
	return f.begins(st, record, at, call, rec)
}

// methodCancel is Sip-Method of a CANCEL, in the numbers of Kamailio and of its dictionary alike.
const methodCancel = 2

// sip reads what a packet says of who called whom.
func (p *RadiusPacket) sip(f *facts, o *RadiusOptions) {
	f.add(roleDstOther, p.Text(sipRequestURI))
	if a, ok := netip.AddrFromSlice([]byte(p.Text(sipSourceIP))); ok {
		f.add(roleIP, a.Unmap().String())
	} else if a, err := netip.ParseAddr(p.Text(sipSourceIP)); err == nil {
		f.add(roleIP, a.Unmap().String())
	}
	f.add(roleSIPCallID, p.Text(radiusSession))
	p.common(f, o)
	f.text[roleBilled] = ""
}

// cancelled reports whether p tells of a CANCEL, which ends no call that began.
func (p *RadiusPacket) cancelled() bool {
	method, _ := p.number(sipMethod)
	return p.Kind == RadiusSIP && p.Status == RadiusStop && method == methodCancel
}
