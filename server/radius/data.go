package radius

import (
	"encoding/binary"
	"net/netip"
	"time"

	"billd/rating"
	"billd/rating/cdrformat"
)

// Attributes of a broadband session. Source: RFC 2865, 2866, 2869.
const (
	attrFramedIP     = 8
	attrCalled       = 30
	attrCalling      = 31
	attrInput        = 42
	attrOutput       = 43
	attrSessionTime  = 46
	attrCause        = 49
	attrInputGiga    = 52
	attrOutputGiga   = 53
	attrFramedPrefix = 97
)

// causes are the values of Acct-Terminate-Cause. Source: RFC 2866, 5.10.
var causes = [...]string{1: "User-Request", "Lost-Carrier", "Lost-Service", "Idle-Timeout", "Session-Timeout", "Admin-Reset", "Admin-Reboot", "Port-Error",
	"NAS-Error", "NAS-Request", "NAS-Reboot", "Port-Unneeded", "Port-Preempted", "Port-Suspended", "Service-Unavailable", "Callback", "User-Error", "Host-Request"}

var dataStatus = map[uint32]rating.DataStatus{
	cdrformat.RadiusStart: rating.DataStart, cdrformat.RadiusInterim: rating.DataInterim, cdrformat.RadiusStop: rating.DataStop,
	cdrformat.RadiusOn: rating.DataOn, cdrformat.RadiusOff: rating.DataOff,
}

// dataRecord reads a record of a broadband session. Octets and gigawords make one number of 64 bits; what the
// NAS counts as input is what subscribers send, unless its record says that it has that the other way round.
func dataRecord(j *job, p *cdrformat.RadiusPacket, at time.Time) rating.DataRecord {
	number := func(typ uint8) uint32 {
		if v := p.Text(typ); len(v) == 4 {
			return binary.BigEndian.Uint32([]byte(v))
		}
		return 0
	}
	r := rating.DataRecord{
		Source: j.nas.CallSource(), Session: p.Text(attrSession), User: p.Text(attrUserName), Status: dataStatus[p.Status], At: at,
		Input:   uint64(number(attrInputGiga))<<32 | uint64(number(attrInput)),
		Output:  uint64(number(attrOutputGiga))<<32 | uint64(number(attrOutput)),
		Wraps:   j.nas.Wraps,
		Seconds: number(attrSessionTime), Calling: p.Text(attrCalling), Called: p.Text(attrCalled),
	}
	if from := machine(j, p); from != j.from.Addr().String() { // the machines behind it number sessions each for itself
		r.Source += "/" + from
	}
	if j.nas.Swapped {
		r.Input, r.Output = r.Output, r.Input
	}
	if a, ok := netip.AddrFromSlice([]byte(p.Text(attrFramedIP))); ok {
		r.Address = a.String()
	} else {
		r.Address = framedPrefix(p.Text(attrFramedPrefix))
	}
	if n := number(attrCause); n > 0 && int(n) < len(causes) {
		r.Cause = causes[n]
	}
	return r
}

// framedPrefix spells a Framed-IPv6-Prefix: a reserved byte, the length, and as much of the address as it needs.
func framedPrefix(v string) string {
	if len(v) < 2 || len(v) > 18 || v[1] > 128 {
		return ""
	}
	var a [16]byte
	copy(a[:], v[2:])
	return netip.PrefixFrom(netip.AddrFrom16(a), int(v[1])).Masked().String()
}
