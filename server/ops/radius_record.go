package ops

import (
	"cmp"
	"encoding/binary"
	"net/netip"
	"strconv"
	"time"

	"billd/rating"
	"billd/rating/cdrformat"
	"billd/storage"
)

// RadiusRecord is an accounting record of a NAS, as a packet or a file of them brings it.
type RadiusRecord struct {
	Packet cdrformat.RadiusPacket
	NAS    *storage.NAS
	From   string    // address of the sender
	At     time.Time // the instant that it is about
}

// NewRadiusRecord makes a record of what nas sent from an address. Without an instant of its own it is about
// the one at which it was heard, less its delay.
func NewRadiusRecord(nas *storage.NAS, from string, heard time.Time, p cdrformat.RadiusPacket) *RadiusRecord {
	r := &RadiusRecord{Packet: p, NAS: nas, From: from, At: p.At}
	if r.At.IsZero() {
		r.At = heard.Add(-p.Delay).UTC()
	}
	return r
}

// Restart reports whether r tells that a machine was switched on or off.
func (r *RadiusRecord) Restart() bool {
	return r.Packet.Status == cdrformat.RadiusOn || r.Packet.Status == cdrformat.RadiusOff
}

// Machine returns what speaks: the sender, or the machine that it passes packets on for.
func (r *RadiusRecord) Machine() string { return cmp.Or(r.Packet.NAS(), r.From) }

// options say how r is read, if it is of a call: in its NAS's zone, else in that of the source that it names. The
// other rules of a source are charging's.
func (r *RadiusRecord) options(env *Env) cdrformat.RadiusOptions {
	n := r.NAS
	o := cdrformat.RadiusOptions{Source: n.CallSource(), Account: n.Account, Rules: n.Rules, Address: r.From}
	o.Leg, _ = cdrformat.ParseRadiusLeg(n.Leg) // judged when it was saved
	name := n.Zone
	if source := env.DB.Catalog().Source(o.Source); name == "" && source != nil {
		name = source.Zone
	}
	if name != "" {
		if zone, err := time.LoadLocation(name); err == nil { // judged likewise
			o.Zone = zone
		}
	}
	return o
}

// Call makes of a record of a call what the store charges, keeps for its other half, or holds with the
// reason. skipped says why there is nothing to charge.
func (r *RadiusRecord) Call(env *Env) (record storage.Record, skipped string) {
	o := r.options(env)
	call, rec := &rating.Call{}, cdrformat.Record{}
	cdrformat.RadiusCall(&cdrformat.RadiusTold{Packet: r.Packet, At: r.At}, o, call, &rec)
	record = storage.Record{Call: call, Half: rec.Half}
	if rec.Bad != "" {
		record = storage.Record{Raw: rec.Raw, Detail: rec.Bad, Source: o.Source, Half: rec.Half}
	}
	if h := record.Half; h != nil {
		h.Scope, h.Machine = r.Scope(), r.Machine()
	}
	return record, rec.Skipped
}

// Scope names the NAS as what gives its calls their keys.
func (r *RadiusRecord) Scope() string { return "nas/" + strconv.FormatUint(r.NAS.ID, 10) }

// Attributes of a session. Source: RFC 2865, 2866, 2869.
const (
	attrUserName     = 1
	attrFramedIP     = 8
	attrCalled       = 30
	attrCalling      = 31
	attrInput        = 42
	attrOutput       = 43
	attrSession      = 44
	attrSessionTime  = 46
	attrCause        = 49
	attrInputGiga    = 52
	attrOutputGiga   = 53
	attrFramedPrefix = 97
)

var dataStatus = map[uint32]rating.DataStatus{
	cdrformat.RadiusStart: rating.DataStart, cdrformat.RadiusInterim: rating.DataInterim, cdrformat.RadiusStop: rating.DataStop,
	cdrformat.RadiusOn: rating.DataOn, cdrformat.RadiusOff: rating.DataOff,
}

// Data reads a record of a broadband session. Octets and gigawords make one number of 64 bits; what the
// NAS counts as input is what subscribers send, unless its row says that it has that the other way round.
func (r *RadiusRecord) Data() rating.DataRecord {
	p := &r.Packet
	number := func(typ uint8) uint32 {
		if v := p.Text(typ); len(v) == 4 {
			return binary.BigEndian.Uint32([]byte(v))
		}
		return 0
	}
	d := rating.DataRecord{
		Source: r.NAS.CallSource(), Session: p.Text(attrSession), User: p.Text(attrUserName), Status: dataStatus[p.Status], At: r.At,
		Input:   uint64(number(attrInputGiga))<<32 | uint64(number(attrInput)),
		Output:  uint64(number(attrOutputGiga))<<32 | uint64(number(attrOutput)),
		Wraps:   r.NAS.Wraps,
		Seconds: number(attrSessionTime), Calling: p.Text(attrCalling), Called: p.Text(attrCalled),
		Cause: cdrformat.RadiusCause(number(attrCause)),
	}
	if from := r.Machine(); from != r.From { // the machines behind it number sessions each for itself
		d.Source += "/" + from
	}
	if r.NAS.Swapped {
		d.Input, d.Output = d.Output, d.Input
	}
	if a, ok := netip.AddrFromSlice([]byte(p.Text(attrFramedIP))); ok {
		d.Address = a.String()
	} else {
		d.Address = framedPrefix(p.Text(attrFramedPrefix))
	}
	return d
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
