package cdrformat

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"billd/rating"
)

// RadiusAttribute is one attribute of a RADIUS packet.
type RadiusAttribute struct {
	Vendor uint32 // 0: a standard attribute
	Type   uint8
	Value  string // its bytes, as they stand in the packet
}

// Vendors whose attributes tell of calls. Quintum numbers its own as Cisco does. Source: FreeRADIUS' dictionaries.
const (
	vendorCisco   = 9
	vendorQuintum = 6618
	vendorDigium  = 22736
)

// Standard attributes, and those of SIP that acc_radius sends among them. Source: RFC 2865, 2866, 2869; radcli's dictionary.sip.
const (
	radiusUserName     = 1
	radiusNASAddress   = 4
	radiusServiceType  = 6
	radiusProtocol     = 7
	radiusFramedIP     = 8
	radiusState        = 24
	radiusClass        = 25
	radiusCalled       = 30
	radiusCalling      = 31
	radiusNASName      = 32
	radiusStatusType   = 40
	radiusDelay        = 41
	radiusOctetsIn     = 42
	radiusOctetsOut    = 43
	radiusSession      = 44
	radiusSessionTime  = 46
	radiusCause        = 49
	radiusGigawordsIn  = 52
	radiusGigawordsOut = 53
	radiusEventTime    = 55
	radiusNASAddress6  = 95
	radiusFramedIP6    = 97
	sipMethod          = 101
	sipResponse        = 102
	sipToTag           = 104
	sipFromTag         = 105
	sipRequestURI      = 107
	sipSourceIP        = 108
)

// Values of Acct-Status-Type. Source: RFC 2866; Failed as Kamailio's acc_radius numbers it.
const (
	RadiusStart   = 1
	RadiusStop    = 2
	RadiusInterim = 3
	RadiusOn      = 7
	RadiusOff     = 8
	RadiusFailed  = 15
)

// RadiusKind is what a packet is about.
type RadiusKind uint8

// The kinds. A voice kind is told by its attributes; Plain has standard ones alone.
const (
	RadiusOther  RadiusKind = iota // a login of an operator, say
	RadiusCisco                    // h323 attributes, one Stop a leg
	RadiusDigium                   // Asterisk's cdr_radius, one Stop a record
	RadiusSIP                      // acc_radius of Kamailio and OpenSIPS: Start and Stop are one call
	RadiusPlain                    // a call by Called-Station-Id and Acct-Session-Time
	RadiusData                     // a broadband session
)

// Voice reports whether k is a call.
func (k RadiusKind) Voice() bool { return k >= RadiusCisco && k <= RadiusPlain }

// Service types. Source: RFC 2865; SIP as Schulzrinne's draft has it.
const (
	serviceFramed = 2
	serviceSIP    = 15
)

// RadiusPacket is a packet's attributes with what they say first.
type RadiusPacket struct {
	Attributes []RadiusAttribute
	Status     uint32 // Acct-Status-Type, 0 for none
	Kind       RadiusKind
	At         time.Time     // Event-Timestamp, zero for none or a clock that was not set
	Delay      time.Duration // Acct-Delay-Time
}

// NewRadiusPacket tells what attributes are about. They are not copied.
func NewRadiusPacket(attrs []RadiusAttribute) RadiusPacket {
	p := RadiusPacket{Attributes: attrs}
	p.Status, _ = p.number(radiusStatusType)
	if s, ok := p.number(radiusDelay); ok {
		p.Delay = time.Duration(s) * time.Second
	}
	p.At = p.eventTime()
	p.Kind = p.kind()
	return p
}

// Text returns the first standard attribute of a type, "" for none.
func (p *RadiusPacket) Text(typ uint8) string { return p.of(0, typ) }

func (p *RadiusPacket) of(vendor uint32, typ uint8) string {
	for i := range p.Attributes {
		if a := &p.Attributes[i]; a.Vendor == vendor && a.Type == typ {
			return a.Value
		}
	}
	return ""
}

// number returns a whole number of four bytes.
func (p *RadiusPacket) number(typ uint8) (uint32, bool) {
	v := p.of(0, typ)
	if len(v) != 4 {
		return 0, false
	}
	return word(v), true
}

// word reads the four bytes of a number.
func word(v string) uint32 {
	return uint32(v[0])<<24 | uint32(v[1])<<16 | uint32(v[2])<<8 | uint32(v[3])
}

// eventTime reads Event-Timestamp: seconds since 1970, or their text with a fraction, which acc_radius writes when told to.
func (p *RadiusPacket) eventTime() time.Time {
	v := p.of(0, radiusEventTime)
	var micro int64
	if n, ok := p.number(radiusEventTime); ok {
		micro = int64(n) * 1_000_000
	} else if m, ok := epoch(strings.TrimSpace(v)); ok {
		micro = m
	}
	if micro < earliestMicro || micro >= latestMicro {
		return time.Time{}
	}
	return time.UnixMicro(micro).UTC()
}

func (p *RadiusPacket) kind() RadiusKind {
	cisco, digium, data := false, false, false
	for i := range p.Attributes {
		a := &p.Attributes[i]
		switch {
		case a.Vendor == vendorDigium:
			digium = true
		case a.Vendor == vendorCisco || a.Vendor == vendorQuintum:
			cisco = cisco || ciscoRole(a) != ""
		case a.Vendor != 0:
		case a.Type == radiusOctetsIn || a.Type == radiusOctetsOut || a.Type == radiusFramedIP || a.Type == radiusFramedIP6 || a.Type == radiusProtocol:
			data = true
		}
	}
	service, _ := p.number(radiusServiceType)
	switch {
	case cisco:
		return RadiusCisco
	case digium:
		return RadiusDigium
	case service == serviceSIP || p.of(0, sipFromTag) != "":
		return RadiusSIP
	case data || service == serviceFramed:
		return RadiusData
	case dialled(p.Text(radiusCalled)):
		return RadiusPlain
	}
	return RadiusOther
}

// dialled reports whether a Called-Station-Id is a number and not the address of a radio.
func dialled(s string) bool {
	s = strings.TrimPrefix(user(s), "+")
	return s != "" && strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' }) < 0
}

// NAS returns the name of the machine that the packet is about: its address, else its identifier, else "".
func (p *RadiusPacket) NAS() string {
	for _, typ := range [...]uint8{radiusNASAddress, radiusNASAddress6} {
		if a, ok := netip.AddrFromSlice([]byte(p.Text(typ))); ok && !a.IsUnspecified() {
			return a.Unmap().String()
		}
	}
	return p.Text(radiusNASName)
}

// CallID returns what the NAS knows the call by in questions and in records alike: the conference of a
// Cisco call, else its SIP Call-ID, else Acct-Session-Id; "" for none.
func (p *RadiusPacket) CallID() string {
	sip := ""
	for i := range p.Attributes {
		a := &p.Attributes[i]
		switch ciscoRole(a) {
		case "h323-conf-id":
			if id := conference(ciscoValue(a)); id != "" {
				return id
			}
		case "call-id":
			sip = ciscoValue(a)
		}
	}
	if sip != "" {
		return sip
	}
	return p.Text(radiusSession)
}

// conference spells the id that legs share without the blanks between its words.
func conference(s string) string { return strings.ToUpper(strings.ReplaceAll(s, " ", "")) }

// Numbers returns who called whom.
func (p *RadiusPacket) Numbers() (src, dst string) {
	return strings.TrimPrefix(user(p.Text(radiusCalling)), "+"), strings.TrimPrefix(user(p.Text(radiusCalled)), "+")
}

// Dialog names a SIP call by Call-ID and tags, whichever side hangs up; "" for a packet of no SIP call.
func (p *RadiusPacket) Dialog() string {
	if p.Kind != RadiusSIP {
		return ""
	}
	var f facts
	f.text[roleSIPCallID], f.text[roleFromTag], f.text[roleToTag] = p.Text(radiusSession), p.Text(sipFromTag), p.Text(sipToTag)
	return accID(&f)
}

// radiusNames spell standard attributes that records in suspense show.
var radiusNames = map[uint8]string{
	radiusUserName: "User-Name", radiusNASAddress: "NAS-IP-Address", radiusServiceType: "Service-Type", radiusProtocol: "Framed-Protocol",
	radiusFramedIP: "Framed-IP-Address", radiusCalled: "Called-Station-Id", radiusCalling: "Calling-Station-Id", radiusNASName: "NAS-Identifier",
	radiusStatusType: "Acct-Status-Type", radiusOctetsIn: "Acct-Input-Octets", radiusOctetsOut: "Acct-Output-Octets", radiusSession: "Acct-Session-Id",
	radiusSessionTime: "Acct-Session-Time", radiusCause: "Acct-Terminate-Cause", radiusEventTime: "Event-Timestamp",
	radiusGigawordsIn: "Acct-Input-Gigawords", radiusGigawordsOut: "Acct-Output-Gigawords", sipMethod: "Sip-Method", sipResponse: "Sip-Response-Code",
	sipToTag: "Sip-To-Tag", sipFromTag: "Sip-From-Tag", sipRequestURI: "Sip-Translated-Request-URI", sipSourceIP: "Sip-Source-IP-Address",
}

// String writes the attributes as text, one a line. What differs when the NAS sends the same again is left out.
func (p *RadiusPacket) String() string {
	var b strings.Builder
	for i := range p.Attributes {
		a := &p.Attributes[i]
		if a.Vendor == 0 && (a.Type == radiusDelay || a.Type == radiusProxyState || a.Type == radiusAuthenticator || a.Type == radiusState || a.Type == radiusClass) {
			continue
		}
		name := "Vendor-" + strconv.Itoa(int(a.Vendor)) + "-" + strconv.Itoa(int(a.Type))
		if a.Vendor == 0 {
			if name = radiusNames[a.Type]; name == "" {
				name = "Attribute-" + strconv.Itoa(int(a.Type))
			}
		}
		fmt.Fprintf(&b, "%s = %s\n", name, radiusText(a))
	}
	return b.String()
}

// What only carries a packet and says nothing of the call.
const (
	radiusProxyState    = 33
	radiusAuthenticator = 80
)

// radiusText spells a value: printable text as it is, four other bytes as a number, the rest in hex.
func radiusText(a *RadiusAttribute) string {
	if strings.IndexFunc(a.Value, func(r rune) bool { return r < ' ' || r == 0x7f || r == 0xfffd }) < 0 && a.Value != "" {
		return strconv.Quote(a.Value)
	}
	if len(a.Value) == 4 {
		return strconv.FormatUint(uint64(word(a.Value)), 10)
	}
	return fmt.Sprintf("0x%x", a.Value)
}

// RadiusLeg says which legs of a gateway's calls are charged. One call has two: the one that came in,
// which the gateway answers, and the one that it makes.
type RadiusLeg uint8

// The legs. The originated one begins to cost when the called party answers; the answered one when the
// gateway does, which may be a voice that asks for a card number.
const (
	LegOriginate RadiusLeg = iota
	LegAnswer
	LegBoth
)

var radiusLegs = [...]string{"originate", "answer", "both"}

// String returns the word that ParseRadiusLeg reads.
func (l RadiusLeg) String() string { return radiusLegs[l] }

// ParseRadiusLeg reads originate, answer or both; "" is originate.
func ParseRadiusLeg(s string) (RadiusLeg, error) {
	for i, name := range radiusLegs {
		if s == name || s == "" {
			return RadiusLeg(i), nil
		}
	}
	return 0, rating.Broken("leg", "enum", "", "leg %.40q: want originate, answer or both", s)
}
