package radius

import (
	"crypto/hmac"
	"crypto/md5"
	"encoding/binary"
	"errors"

	"billd/rating/cdrformat"
)

// Codes of packets. Source: RFC 2865, 2866, 5997.
const (
	codeAccessRequest      = 1
	codeAccessAccept       = 2
	codeAccessReject       = 3
	codeAccountingRequest  = 4
	codeAccountingResponse = 5
	codeStatusServer       = 12
)

// Attributes that this package itself reads or writes.
const (
	attrUserName             = 1
	attrUserPassword         = 2
	attrCHAPPassword         = 3
	attrReplyMessage         = 18
	attrVendor               = 26
	attrSessionTimeout       = 27
	attrProxyState           = 33
	attrSession              = 44
	attrCHAPChallenge        = 60
	attrMessageAuthenticator = 80
	vendorCisco              = 9
)

const (
	headLength = 20
	maxPacket  = 4096 // bytes. Source: RFC 2865, 3
	maxValue   = 253
)

var (
	errShort = errors.New("the packet is cut off")
	errAttrs = errors.New("an attribute's length leaves the packet")
	errTwice = errors.New("two Message-Authenticators")
)

// packet is a request as it came.
type packet struct {
	raw    []byte // exactly the packet: what follows it in the datagram is padding
	attrs  []cdrformat.RadiusAttribute
	signed int // where the value of Message-Authenticator stands in raw, 0 for none
}

func (p *packet) code() byte            { return p.raw[0] }
func (p *packet) authenticator() []byte { return p.raw[4:headLength] }

// parse takes a datagram apart. What Vendor-Specific attributes hold comes out as attributes of the vendor.
func parse(b []byte) (*packet, error) {
	if len(b) < headLength {
		return nil, errShort
	}
	n := int(binary.BigEndian.Uint16(b[2:]))
	if n < headLength || n > maxPacket || n > len(b) {
		return nil, errShort
	}
	p := &packet{raw: b[:n]}
	for at := headLength; at < n; {
		if n-at < 2 || p.raw[at+1] < 2 || at+int(p.raw[at+1]) > n {
			return nil, errAttrs
		}
		next := at + int(p.raw[at+1])
		value := p.raw[at+2 : next]
		switch typ := p.raw[at]; {
		case typ == attrMessageAuthenticator:
			if len(value) != md5.Size {
				return nil, errAttrs
			}
			if p.signed != 0 {
				return nil, errTwice
			}
			p.signed = at + 2
		case typ == attrVendor && len(value) >= 4:
			p.vendor(binary.BigEndian.Uint32(value), value[4:])
		default:
			p.attrs = append(p.attrs, cdrformat.RadiusAttribute{Type: typ, Value: string(value)})
		}
		at = next
	}
	return p, nil
}

// vendor takes a vendor's attributes apart. A vendor may write what it likes there: what is not attributes
// is passed over.
func (p *packet) vendor(vendor uint32, b []byte) {
	from := len(p.attrs)
	for len(b) > 0 {
		if len(b) < 2 || b[1] < 2 || int(b[1]) > len(b) {
			p.attrs = p.attrs[:from]
			return
		}
		p.attrs = append(p.attrs, cdrformat.RadiusAttribute{Vendor: vendor, Type: b[0], Value: string(b[2:b[1]])})
		b = b[b[1]:]
	}
}

// text returns the first standard attribute of a type, "" for none.
func (p *packet) text(typ uint8) string {
	for i := range p.attrs {
		if a := &p.attrs[i]; a.Vendor == 0 && a.Type == typ {
			return a.Value
		}
	}
	return ""
}

// authentic reports whether who sent p knows the secret: by the Request Authenticator of accounting, and by
// Message-Authenticator where there is one. Another request without one says nothing of its sender.
func (p *packet) authentic(secret []byte) bool {
	var zero [md5.Size]byte
	accounting := p.code() == codeAccountingRequest
	if accounting {
		h := md5.New()
		h.Write(p.raw[:4])
		h.Write(zero[:])
		h.Write(p.raw[headLength:])
		h.Write(secret)
		if !hmac.Equal(h.Sum(nil), p.authenticator()) {
			return false
		}
	}
	if p.signed == 0 {
		return true
	}
	h := hmac.New(md5.New, secret)
	h.Write(p.raw[:4])
	if accounting { // its authenticator is computed last
		h.Write(zero[:])
	} else {
		h.Write(p.authenticator())
	}
	h.Write(p.raw[headLength:p.signed])
	h.Write(zero[:])
	h.Write(p.raw[p.signed+md5.Size:])
	return hmac.Equal(h.Sum(nil), p.raw[p.signed:p.signed+md5.Size])
}

// reply collects the attributes of an answer.
type reply struct {
	code  byte
	attrs []byte
}

// add appends a standard attribute; text longer than one can hold is cut.
func (r *reply) add(typ uint8, value string) {
	value = value[:min(len(value), maxValue)]
	r.attrs = append(append(r.attrs, typ, byte(2+len(value))), value...)
}

func (r *reply) number(typ uint8, n uint32) {
	r.add(typ, string(binary.BigEndian.AppendUint32(nil, n)))
}

// cisco appends an attribute of vendor 9 as gateways want it: with its name in the value.
func (r *reply) cisco(typ uint8, name, value string) {
	value = name + "=" + value
	value = value[:min(len(value), maxValue-6)]
	b := binary.BigEndian.AppendUint32(nil, vendorCisco)
	r.add(attrVendor, string(append(append(b, typ, byte(2+len(value))), value...)))
}

// answer spells r as the answer to p. Message-Authenticator is the first attribute of every answer to an
// Access-Request, so that nobody on the way can make another answer of it (BlastRADIUS), and of others where
// the request has one.
func (p *packet) answer(r *reply, secret []byte) []byte {
	b := make([]byte, headLength, headLength+md5.Size+2+len(r.attrs)+64)
	b[0], b[1] = r.code, p.raw[1]
	copy(b[4:], p.authenticator())
	signed := p.signed != 0 || p.code() != codeAccountingRequest
	if signed {
		b = append(append(b, attrMessageAuthenticator, 2+md5.Size), make([]byte, md5.Size)...)
	}
	b = append(b, r.attrs...)
	for i := range p.attrs {
		if a := &p.attrs[i]; a.Vendor == 0 && a.Type == attrProxyState && len(b)+2+len(a.Value) <= maxPacket {
			b = append(append(b, attrProxyState, byte(2+len(a.Value))), a.Value...)
		}
	}
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	if signed {
		h := hmac.New(md5.New, secret)
		h.Write(b)
		copy(b[headLength+2:], h.Sum(nil))
	}
	seal(b, secret)
	return b
}

// seal puts the Response Authenticator in the place of the request's.
func seal(b, secret []byte) {
	h := md5.New()
	h.Write(b)
	h.Write(secret)
	copy(b[4:headLength], h.Sum(nil))
}

// password reports whether the request gives a password: in clear, as User-Password hides it, or as the
// answer to a challenge.
func (p *packet) password(want string, secret []byte) bool {
	if chap := p.text(attrCHAPPassword); len(chap) == 1+md5.Size {
		challenge := p.text(attrCHAPChallenge)
		if challenge == "" {
			challenge = string(p.authenticator())
		}
		sum := md5.Sum([]byte(chap[:1] + want + challenge))
		return hmac.Equal(sum[:], []byte(chap[1:]))
	}
	given := []byte(p.text(attrUserPassword))
	if len(given) == 0 || len(given) > 128 || len(given)%md5.Size != 0 {
		return false
	}
	last := p.authenticator()
	clear := make([]byte, 0, len(given))
	for block := given; len(block) > 0; block = block[md5.Size:] {
		h := md5.New()
		h.Write(secret)
		h.Write(last)
		mask := h.Sum(nil)
		for i, c := range mask {
			clear = append(clear, c^block[i])
		}
		last = block[:md5.Size]
	}
	padded := make([]byte, len(given))
	return len(want) <= len(padded) && copy(padded, want) >= 0 && hmac.Equal(clear, padded)
}
