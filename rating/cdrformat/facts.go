package cdrformat

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"billd/rating"
)

// role is what a switch's name for something means to a bill.
type role uint8

const (
	roleNone     role = iota
	roleID            // of the record
	roleIDShared      // of the channel: several records may carry it
	roleSequence      // tells records of one channel apart
	roleSIPCallID
	roleGroup // the conversation that legs belong to
	rolePeer  // the other leg
	roleBegan // the leg that called this one
	roleDirection
	roleStart // each instant in three spellings, the exactest wins
	roleStartEpoch
	roleStartMicro
	roleAnswer
	roleAnswerEpoch
	roleAnswerMicro
	roleEnd
	roleEndEpoch
	roleEndMicro
	roleLasted // seconds from start to end
	roleBilled // seconds of talk
	roleBilledMilli
	roleSetup   // seconds from start to answer
	roleCreated // when the INVITE came, where start is of the answer
	roleSrc
	roleSrcOther // a second place for it
	roleDst
	roleDstOther
	roleName
	roleAccount
	roleIP
	roleDisposition
	roleCauseCode
	roleSIPCode
	roleSIPReason
	roleMethod
	roleFromTag
	roleToTag
	roleGateway
	roleChannel // the gateway is a part of it
	numRoles
)

// facts are what one record says, in the switch's spelling.
type facts struct {
	text [numRoles]string
	more []said // billd's own columns, by a map

	watched []string // what the fields of Reader.watched say
	inbound bool
	told    []Said
}

// Said is what one of a record's columns says.
type Said struct {
	Column string // as the record calls it
	Means  string // to a bill; "" for one that only a condition asks for
	Text   string
}

// said is a column and its text.
type said struct {
	column column
	text   string
}

// first returns the first of roles that says something; 0 is how switches write never.
func (f *facts) first(roles ...role) (role, string) {
	for _, r := range roles {
		if t := f.text[r]; t != "" && t != "0" && t != "0.000000" {
			return r, t
		}
	}
	return roleNone, ""
}

// add sets a role; the first to say it is believed.
func (f *facts) add(r role, text string) {
	if r != roleNone && f.text[r] == "" {
		f.text[r] = text
	}
}

// take takes in what a column of the record says; text is trimmed.
func (r *Reader) take(f *facts, h head, name, text string) {
	if h.watch != 0 {
		if f.watched == nil {
			f.watched = make([]string, len(r.watched))
		}
		f.watched[h.watch-1] = text
	}
	if h.role != roleNone {
		f.add(h.role, text)
	} else if h.column.kind != columnUnknown && text != "" {
		f.more = append(f.more, said{h.column, text})
	}
	if r.o.Told && text != "" && h != (head{}) {
		f.told = append(f.told, Said{strings.Clone(name), h.means(), strings.Clone(text)})
	}
}

// roleNames are what roles are called in an explanation.
var roleNames = [numRoles]string{roleID: "id", roleIDShared: "id of the channel", roleSequence: "sequence", roleSIPCallID: "SIP call id", roleGroup: "conversation",
	rolePeer: "other leg", roleBegan: "leg that began it", roleDirection: "direction of the leg", roleStart: "start", roleStartEpoch: "start", roleStartMicro: "start",
	roleAnswer: "answer", roleAnswerEpoch: "answer", roleAnswerMicro: "answer", roleEnd: "end", roleEndEpoch: "end", roleEndMicro: "end", roleLasted: "seconds in all",
	roleBilled: "seconds of talk", roleBilledMilli: "milliseconds of talk", roleSetup: "seconds to the answer", roleCreated: "start", roleSrc: "caller", roleSrcOther: "caller",
	roleDst: "called", roleDstOther: "called", roleName: "caller's name", roleAccount: "account", roleIP: "ip", roleDisposition: "how it ended", roleCauseCode: "cause",
	roleSIPCode: "SIP status", roleSIPReason: "SIP reason", roleMethod: "method", roleFromTag: "tag of the caller", roleToTag: "tag of the called", roleGateway: "gateway", roleChannel: "channel"}

// means says what a column is to a bill.
func (h head) means() string {
	switch h.column.kind {
	case columnUnknown:
		return roleNames[h.role]
	case columnField:
		return h.column.field.Name()
	case columnAccount:
		return "account"
	case columnVendor:
		return "vendor_account"
	case columnGateway:
		return "gateway"
	case columnDirection:
		return "direction"
	}
	return ""
}

// instants are a call's times in microseconds since 1970, 0 when the record has none.
type instants struct{ start, answer, end int64 }

var instantRoles = [...]struct {
	name  string
	roles [3]role
}{
	{"start", [3]role{roleStartMicro, roleStartEpoch, roleStart}},
	{"answer", [3]role{roleAnswerMicro, roleAnswerEpoch, roleAnswer}},
	{"end", [3]role{roleEndMicro, roleEndEpoch, roleEnd}},
}

// times reads a record's instants and refuses what no clock can have shown.
func (f *facts) times(p stamps) (t instants, err error) {
	for i, to := range []*int64{&t.start, &t.answer, &t.end} {
		what := &instantRoles[i]
		r, text := f.first(what.roles[:]...)
		if r == roleNone {
			continue
		}
		if *to, err = p.read(what.name, text); err != nil {
			return t, err
		}
		if *to < earliestMicro || *to >= latestMicro {
			return t, wrong(what.name, text, "a year from 2000 to 2099: the switch's clock was not set")
		}
	}
	switch {
	case t.start == 0:
		return t, rating.Broken("start", "required", "", "the record does not say when the call started")
	case t.answer != 0 && t.answer < t.start:
		return t, rating.Broken("answer", "minimum", "", "answered at %s, before the start at %s", spell(t.answer), spell(t.start))
	case t.end != 0 && t.end < max(t.start, t.answer):
		return t, rating.Broken("end", "minimum", "", "ended at %s, before %s", spell(t.end), spell(max(t.start, t.answer)))
	}
	return t, nil
}

func spell(micro int64) string {
	return time.UnixMicro(micro).UTC().Format("2006-01-02T15:04:05.999999Z")
}

// seconds reads a length in seconds with or without a fraction, as microseconds; -1 when nothing is said.
func seconds(name, text string) (int64, error) {
	if text == "" {
		return -1, nil
	}
	m, err := rating.ParseMoney(text) // 10⁻⁶ seconds are microseconds
	if err != nil {
		return 0, wrong(name, text, "seconds")
	}
	if m < 0 {
		return 0, wrong(name, text, "0 seconds or more")
	}
	return int64(m), nil
}

// lengths reads how long the call lasted and how much of it is talk, both in microseconds.
func (f *facts) lengths() (lasted, talk int64, err error) {
	if lasted, err = seconds("duration", f.text[roleLasted]); err != nil {
		return
	}
	if talk, err = seconds("billsec", f.text[roleBilled]); err != nil {
		return
	}
	if f.text[roleBilledMilli] == "" {
		return
	}
	exact, err := seconds("billmsec", f.text[roleBilledMilli])
	if exact /= 1000; err == nil && talk >= 0 && (exact > talk+oneSecond || talk > exact+oneSecond) {
		err = rating.Broken("billsec", "conflict", "", "billsec %s, and %s milliseconds", f.text[roleBilled], f.text[roleBilledMilli])
	}
	return lasted, exact, err
}

// What lengths may differ by that mean the same: ones of the same clock that are cut off to seconds, and ones of
// stamps that have minutes alone or were rounded up to them, as in some files of real switches.
const (
	oneSecond = 1_000_000
	oneMinute = 60 * oneSecond
)

// outlasts refuses a call whose talk is longer than the call from a start to an end, if both are known.
func (f *facts) outlasts(talk, from, to int64) error {
	if from == 0 || to == 0 || talk <= to-from+oneMinute {
		return nil
	}
	return rating.Broken("billsec", "conflict", "", "billsec %s, and the call lasted %s seconds", or(f.text[roleBilled], f.text[roleBilledMilli]), rating.Money(to-from))
}

// fill sets the columns that all sources say alike. answered is what the source's own rule says; talk
// is in microseconds, -1 to have billd work it out from answer and end.
func (f *facts) fill(call *rating.Call, t instants, answered bool, talk int64) error {
	call.SetInt(rating.CDRTimeStart, t.start)
	if t.answer != 0 {
		call.SetInt(rating.CDRTimeConnect, t.answer)
	}
	if t.end != 0 {
		call.SetInt(rating.CDRTimeEnd, t.end)
	}
	call.SetBool(rating.CDRSuccess, answered)
	switch {
	case talk >= 0:
		call.SetInt(rating.CDRDuration, (talk+999_999)/1_000_000)
	case answered && (t.answer == 0 || t.end == 0):
		return rating.Broken("duration", "required", "", "answered, and the record does not say how long the call was")
	}
	_, src := f.first(roleSrc, roleSrcOther)
	_, dst := f.first(roleDst, roleDstOther)
	for _, s := range [...]struct {
		field rating.CDRField
		text  string
	}{
		{rating.CDRSrcPrefixIn, user(src)}, {rating.CDRSrcPrefixRouting, strings.TrimPrefix(user(src), "+")},
		{rating.CDRDstPrefixIn, user(dst)}, {rating.CDRDstPrefixRouting, strings.TrimPrefix(user(dst), "+")},
		{rating.CDRCallID, f.text[roleID]}, {rating.CDROrigCallID, f.text[roleSIPCallID]},
		{rating.CDRGlobalTag, f.text[roleGroup]}, {rating.CDRTermCallID, f.text[rolePeer]},
		{rating.CDRSrcNameIn, strings.ToValidUTF8(f.text[roleName], "\ufffd")},
		{rating.CDRInternalDisconnectReason, f.text[roleDisposition]},
		{rating.CDRLegaDisconnectReason, strings.ToValidUTF8(f.text[roleSIPReason], "\ufffd")},
	} {
		if !utf8.ValidString(s.text) || strings.IndexByte(s.text, 0) >= 0 {
			return rating.Broken(s.field.Name(), "encoding", "", "%s %q is not UTF-8 text", s.field.Name(), clipText(s.text))
		}
		if err := call.Parse(s.field, s.text); err != nil {
			return err
		}
	}
	setCode(call, rating.CDRInternalDisconnectCode, f.text[roleCauseCode])
	setCode(call, rating.CDRLegaDisconnectCode, f.text[roleSIPCode])
	if call.Parse(rating.CDRAuthOrigIP, f.text[roleIP]) != nil { // a name of a host matches no rule
		call.Unset(rating.CDRAuthOrigIP)
	}
	if call.AccountRef = f.text[roleAccount]; !utf8.ValidString(call.AccountRef) {
		return rating.Broken("account", "encoding", "", "account %q is not UTF-8 text", clipText(call.AccountRef))
	}
	call.Gateway, call.Inbound = strings.Clone(clipText(f.text[roleGateway])), f.inbound
	row := row{call: call}
	for _, s := range f.more {
		if err := row.set(s.column, s.text); err != nil {
			return err
		}
	}
	return nil
}

// setCode sets a code of a hangup; what is no number is none.
func setCode(call *rating.Call, field rating.CDRField, text string) {
	if n, err := strconv.ParseUint(text, 10, 16); err == nil {
		call.SetInt(field, int64(n))
	}
}

func clipText(s string) string { return s[:min(len(s), 40)] }

// user is the part of a SIP or tel URI that names somebody; of anything else the whole.
func user(s string) string {
	s = strings.Trim(strings.TrimSpace(s), "<>")
	scheme, rest, ok := strings.Cut(s, ":")
	if !ok || scheme != "sip" && scheme != "sips" && scheme != "tel" {
		return s
	}
	rest, _, _ = strings.Cut(rest, "@")
	rest, _, _ = strings.Cut(rest, ";")
	return rest
}

// digest names a record by what it says, for sources whose ids several records share.
func digest(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		h.Write([]byte(p))
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// maxKept is how much of an unreadable record's own text is kept beside what could be read of it.
const maxKept = 24 << 10

// The members beside billd's columns of what is kept of an unreadable record: its own text, and the line that names
// the columns of its table.
const (
	keptRecord = "record"
	keptHeader = "header"
)

// keep writes what could be read of a record that cannot be charged as JSON by billd's columns, so that it
// can be corrected in suspense, with the switch's own text beside it, so that it can be read Again.
func (f *facts) keep(p stamps, record, header string) string {
	kept := map[string]string{keptRecord: keptPart(record)}
	if header != "" {
		kept[keptHeader] = keptPart(header)
	}
	for i, name := range [...]string{"time_start", "time_connect", "time_end"} {
		if _, text := f.first(instantRoles[i].roles[:]...); text != "" {
			if micro, err := p.read(name, text); err == nil && micro >= earliestMicro && micro < latestMicro {
				kept[name] = spell(micro)
			}
		}
	}
	_, src := f.first(roleSrc, roleSrcOther)
	_, dst := f.first(roleDst, roleDstOther)
	for _, s := range [...]struct{ name, text string }{
		{"src", strings.TrimPrefix(user(src), "+")}, {"dst", strings.TrimPrefix(user(dst), "+")},
		{"call_id", f.text[roleID]}, {"orig_call_id", f.text[roleSIPCallID]}, {"account", f.text[roleAccount]},
	} {
		if s.text != "" && len(s.text) <= 1024 && utf8.ValidString(s.text) {
			kept[s.name] = s.text
		}
	}
	text, err := json.Marshal(kept)
	if err != nil {
		return kept[keptRecord]
	}
	return string(text)
}

func keptPart(s string) string { return strings.ToValidUTF8(s[:min(len(s), maxKept)], "\ufffd") }
