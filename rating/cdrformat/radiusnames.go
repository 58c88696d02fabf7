package cdrformat

import (
	"encoding/hex"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// detailKind is how an attribute's value is written in a detail file.
type detailKind uint8

const (
	detailText detailKind = iota
	detailNumber
	detailAddress
	detailPrefix
	detailDate
	detailOctets
)

type detailName struct {
	vendor uint32
	typ    uint8
	kind   detailKind
}

// detailNames are the attributes that are read, in lower case; others say nothing of a call or a session.
// The SIP attributes of acc_radius have numbers that FreeRADIUS knows by other names, which are here as well.
// Source: FreeRADIUS, dictionary.rfc2865, .rfc2866, .rfc2869, .rfc5090, .cisco, .quintum, .digium; Kamailio, acc.
var detailNames = func() map[string]detailName {
	numbers := map[uint8]bool{radiusServiceType: true, radiusProtocol: true, radiusStatusType: true, radiusDelay: true, radiusOctetsIn: true, radiusOctetsOut: true,
		radiusSessionTime: true, radiusCause: true, radiusGigawordsIn: true, radiusGigawordsOut: true, sipMethod: true, sipResponse: true}
	m := map[string]detailName{
		"acct-delay-time": {0, radiusDelay, detailNumber}, "nas-ipv6-address": {0, radiusNASAddress6, detailAddress}, "framed-ipv6-prefix": {0, radiusFramedIP6, detailPrefix},
		"error-cause": {0, sipMethod, detailNumber}, "eap-key-name": {0, sipResponse, detailOctets}, "digest-realm": {0, sipToTag, detailText},
		"digest-nonce": {0, sipFromTag, detailText}, "digest-nextnonce": {0, sipRequestURI, detailText}, "digest-method": {0, sipSourceIP, detailText},
		"cisco-avpair": {vendorCisco, ciscoAVPair, detailText}, "quintum-avpair": {vendorQuintum, ciscoAVPair, detailText},
	}
	for typ, name := range radiusNames {
		kind := detailText
		switch {
		case typ == radiusNASAddress || typ == radiusFramedIP:
			kind = detailAddress
		case typ == radiusEventTime:
			kind = detailDate
		case numbers[typ]:
			kind = detailNumber
		}
		m[strings.ToLower(name)] = detailName{0, typ, kind}
	}
	for typ, name := range ciscoNames {
		m[name] = detailName{vendorCisco, typ, detailText}
		m["quintum-"+name] = detailName{vendorQuintum, typ, detailText}
	}
	for i, name := range [...]string{"acc-code", "src", "dst", "dst-ctx", "clid", "chan", "dst-chan", "last-app", "last-data", "start-time", "answer-time", "end-time",
		"duration", "bill-sec", "disposition", "ama-flags", "unique-id", "user-field"} {
		kind := detailText
		if name == "duration" || name == "bill-sec" {
			kind = detailNumber
		}
		m["asterisk-"+name] = detailName{vendorDigium, uint8(digiumAccount + i), kind}
	}
	return m
}()

// detailValues are what FreeRADIUS writes for numbers, by attribute, as letters and digits alone in lower case.
var detailValues = map[uint8]map[string]uint32{
	radiusStatusType: {"start": RadiusStart, "stop": RadiusStop, "interimupdate": RadiusInterim, "alive": RadiusInterim, "accountingon": RadiusOn, "accountingoff": RadiusOff, "failed": RadiusFailed},
	radiusServiceType: {"login": 1, "loginuser": 1, "framed": serviceFramed, "frameduser": serviceFramed, "callbackframeduser": 4, "outbounduser": 5, "callcheck": 10, "voice": 12,
		"iappregister": serviceSIP, "sipsession": serviceSIP},
	radiusProtocol: {"ppp": 1, "slip": 2, "arap": 3, "gandalfslml": 4, "xylogicsipxslip": 5, "x75synchronous": 6, "gprspdpcontext": 7},
	sipMethod:      {"invite": 1, "cancel": methodCancel, "ack": 4, "bye": 8},
}

// radiusCauses are the values of Acct-Terminate-Cause. Source: RFC 2866, 5.10.
var radiusCauses = [...]string{1: "User-Request", "Lost-Carrier", "Lost-Service", "Idle-Timeout", "Session-Timeout", "Admin-Reset", "Admin-Reboot", "Port-Error",
	"NAS-Error", "NAS-Request", "NAS-Reboot", "Port-Unneeded", "Port-Preempted", "Port-Suspended", "Service-Unavailable", "Callback", "User-Error", "Host-Request"}

// RadiusCause returns the word for a value of Acct-Terminate-Cause, "" for none.
func RadiusCause(n uint32) string {
	if int64(n) < int64(len(radiusCauses)) {
		return radiusCauses[n]
	}
	return ""
}

// detailWord is a value's name as letters and digits alone, in lower case.
func detailWord(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return -1
	}, s)
}

// detailAttribute makes an attribute of a line; false for one that is not read. why says what is wrong with
// a value without which the record would be another.
func detailAttribute(name, raw, text string, zone *time.Location) (a RadiusAttribute, ok bool, why string) {
	known, ok := detailNames[strings.ToLower(name)]
	if !ok {
		if known, ok = detailUnknown(strings.ToLower(name)); !ok {
			return a, false, ""
		}
	}
	a = RadiusAttribute{Vendor: known.vendor, Type: known.typ}
	want := ""
	switch known.kind {
	case detailNumber:
		n, ok := detailNumberOf(known, text)
		a.Value, want = wordText(n), "a number of 32 bits, or the name of one"
		if !ok && known.vendor == 0 && (known.typ == radiusServiceType || known.typ == radiusProtocol || known.typ == radiusCause || known.typ == sipMethod) {
			return a, false, "" // a name of a newer dictionary: it tells no call from another
		}
		if ok {
			want = ""
		}
	case detailAddress:
		at, err := netip.ParseAddr(text)
		if a.Value = string(at.AsSlice()); err != nil {
			want = "an address"
		}
	case detailPrefix:
		if p, err := netip.ParsePrefix(text); err != nil || !p.Addr().Is6() {
			want = "a prefix such as 2001:db8::/64"
		} else {
			a.Value = "\x00" + string([]byte{byte(p.Bits())}) + string(p.Addr().AsSlice())
		}
	case detailDate:
		at := detailDateOf(text, zone)
		if a.Value = wordText(uint32(at.Unix())); at.IsZero() {
			want = "a time in UTC, seconds since 1970, or in the zone that --zone names"
		}
	case detailOctets:
		b, err := hex.DecodeString(strings.TrimPrefix(strings.ToLower(raw), "0x"))
		if a.Value = string(b); err != nil {
			want = "bytes as 0x00ff"
		}
	default:
		a.Value = text
	}
	if want != "" {
		return a, false, wrongDetail(name, text, want)
	}
	return a, true, ""
}

// vendorSpecific is the attribute that holds those of vendors. Source: RFC 2865, 5.26.
const vendorSpecific = 26

// detailUnknown reads the name of an attribute that FreeRADIUS has no dictionary for: Attr-104,
// Attr-26.9.24, Vendor-9-Attr-24. Its value is bytes.
func detailUnknown(name string) (detailName, bool) {
	if rest, ok := strings.CutPrefix(name, "vendor-"); ok {
		vendor, typ, _ := strings.Cut(rest, "-attr-")
		name = "attr-26." + vendor + "." + typ
	}
	rest, ok := strings.CutPrefix(name, "attr-")
	if !ok {
		return detailName{}, false
	}
	parts := strings.Split(rest, ".")
	var n [3]uint64
	for i, p := range parts {
		var err error
		if i == len(n) {
			return detailName{}, false
		}
		if n[i], err = strconv.ParseUint(p, 10, 32); err != nil {
			return detailName{}, false
		}
	}
	switch {
	case len(parts) == 1 && n[0] < 256:
		return detailName{0, uint8(n[0]), detailOctets}, true
	case len(parts) == 3 && n[0] == vendorSpecific && n[1] > 0 && n[2] < 256:
		return detailName{uint32(n[1]), uint8(n[2]), detailOctets}, true
	}
	return detailName{}, false
}

func detailNumberOf(a detailName, text string) (uint32, bool) {
	if n, err := strconv.ParseUint(text, 10, 32); err == nil {
		return uint32(n), true
	}
	word := detailWord(text)
	if a.vendor != 0 || word == "" {
		return 0, false
	}
	if a.typ == radiusCause {
		for i, c := range radiusCauses {
			if detailWord(c) == word {
				return uint32(i), true
			}
		}
	}
	n, ok := detailValues[a.typ][word]
	return n, ok
}

// detailDateOf reads a date: seconds since 1970, or as FreeRADIUS prints one; zero for what is none, or before 1970.
func detailDateOf(text string, zone *time.Location) time.Time {
	if n, err := strconv.ParseUint(text, 10, 32); err == nil {
		return time.Unix(int64(n), 0).UTC()
	}
	for _, layout := range [...]string{"Jan _2 2006 15:04:05 MST", "Jan _2 2006 15:04:05", time.RFC3339} {
		if t, ok := zonedTime(layout, text, zone); ok && t.Unix() > 0 && t.Unix() < 1<<32 {
			return t.UTC()
		}
	}
	return time.Time{}
}

// wordText writes a number as word reads it.
func wordText(n uint32) string {
	return string([]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
}
