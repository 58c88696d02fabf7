package radius

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"testing"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The packets of RFC 2865, 7.1 and 7.2: secret xyzzy5461, password arctangent.
const (
	rfcRequest = "01 00 00 38 0f 40 3f 94 73 97 80 57 bd 83 d5 cb 98 f4 22 7a 01 06 6e 65 6d 6f 02 12 0d be 70 8d 93 d4 13 ce 31 96 e4 3f 78 2a 0a ee 04 06 c0 a8 01 10 05 06 00 00 00 03"
	rfcAccept  = "02 00 00 26 86 fe 22 0e 76 24 ba 2a 10 05 f6 bf 9b 55 e0 b2 06 06 00 00 00 01 0f 06 00 00 00 00 0e 06 c0 a8 01 03"
	rfcCHAP    = "01 01 00 47 2a ee 86 f0 8d 0d 55 96 9c a5 97 8e 0d 33 67 a2 01 08 66 6c 6f 70 73 79 03 13 16 e9 75 57 c3 16 18 58 95 f2 93 ff 63 44 07 72 75 04 06 c0 a8 01 10 05 06 00 00 00 14 06 06 00 00 00 02 07 06 00 00 00 01"
)

func TestPasswordsAreReadAsTheRFCHidesThem(t *testing.T) {
	for _, tt := range []struct {
		name, packet, password, secret string
		want                           bool
	}{
		{"in clear", rfcRequest, "arctangent", "xyzzy5461", true},
		{"another word", rfcRequest, "arctangen", "xyzzy5461", false},
		{"a longer word", rfcRequest, "arctangent-and-more-than-one-block", "xyzzy5461", false},
		{"another secret", rfcRequest, "arctangent", "xyzzy5462", false},
		{"by challenge", rfcCHAP, "arctangent", "xyzzy5461", true},
		{"by challenge, another word", rfcCHAP, "Arctangent", "xyzzy5461", false},
		{"none", strings.Replace(rfcRequest, "02 12", "99 12", 1), "arctangent", "xyzzy5461", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, err := parse(unhex(t, tt.packet))
			if err != nil {
				t.Fatal(err)
			}
			if got := p.password(tt.password, []byte(tt.secret)); got != tt.want {
				t.Errorf("password = %v, want %v", got, tt.want)
			}
		})
	}
}

func TestAnAnswerIsSealedAsTheRFCsIs(t *testing.T) {
	request, want := unhex(t, rfcRequest), unhex(t, rfcAccept)
	got := bytes.Clone(want)
	copy(got[4:headLength], request[4:headLength])
	seal(got, []byte("xyzzy5461"))
	if !bytes.Equal(got, want) {
		t.Errorf("got  %x\nwant %x", got, want)
	}
}

// request makes a packet as a NAS would: attributes as their bytes, Message-Authenticator first if signed.
func request(code, id byte, secret string, attrs []byte, signed bool) []byte {
	b := make([]byte, headLength)
	b[0], b[1] = code, id
	if code != codeAccountingRequest {
		sum := md5.Sum(append([]byte{id}, attrs...)) // any bytes that differ from request to request
		copy(b[4:], sum[:])
	}
	if signed {
		b = append(append(b, attrMessageAuthenticator, 18), make([]byte, 16)...)
	}
	b = append(b, attrs...)
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	if signed {
		h := hmac.New(md5.New, []byte(secret))
		h.Write(b)
		copy(b[headLength+2:], h.Sum(nil))
	}
	if code == codeAccountingRequest {
		seal(b, []byte(secret)) // its authenticator is that of an answer to one of zeros
	}
	return b
}

// tlv spells attributes: a number and its value, vendor 9's as 9<<8|number.
func tlv(pairs ...any) []byte {
	var r reply
	for i := 0; i < len(pairs); i += 2 {
		typ := pairs[i].(int)
		value, ok := pairs[i+1].(string)
		if !ok {
			value = string(binary.BigEndian.AppendUint32(nil, uint32(pairs[i+1].(int))))
		}
		if typ>>8 != 0 {
			value = string(binary.BigEndian.AppendUint32(nil, uint32(typ>>8))) + string([]byte{byte(typ), byte(2 + len(value))}) + value
			typ = attrVendor
		}
		r.add(uint8(typ), value)
	}
	return r.attrs
}

func TestWhoDoesNotKnowTheSecretIsToldApart(t *testing.T) {
	attrs := tlv(1, "acme", 40, 2)
	change := func(b []byte, at int) []byte { c := bytes.Clone(b); c[at] ^= 1; return c }
	signed, plain := request(codeAccountingRequest, 1, "testing123", attrs, true), request(codeAccountingRequest, 1, "testing123", attrs, false)
	access := request(codeAccessRequest, 1, "testing123", attrs, true)
	resealed := change(signed, headLength+5)
	copy(resealed[4:headLength], make([]byte, 16))
	seal(resealed, []byte("testing123"))
	for _, tt := range []struct {
		name   string
		packet []byte
		want   bool
	}{
		{"accounting", plain, true},
		{"accounting, signed", signed, true},
		{"accounting with padding behind it", append(bytes.Clone(plain), 0, 0, 0), true},
		{"accounting, changed on the way", change(plain, len(plain)-1), false},
		{"accounting with another secret", request(codeAccountingRequest, 1, "testing124", attrs, false), false},
		{"accounting whose Message-Authenticator alone is wrong", resealed, false},
		{"access, signed", access, true},
		{"access, changed on the way", change(access, len(access)-1), false},
		{"access, signed with another secret", request(codeAccessRequest, 1, "testing124", attrs, true), false},
		{"access that is not signed says nothing", request(codeAccessRequest, 1, "testing124", attrs, false), true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, err := parse(tt.packet)
			if err != nil {
				t.Fatal(err)
			}
			if got := p.authentic([]byte("testing123")); got != tt.want {
				t.Errorf("authentic = %v, want %v", got, tt.want)
			}
		})
	}
}

func TestWhatIsNoPacketIsRefused(t *testing.T) {
	good := request(codeAccountingRequest, 1, "testing123", tlv(1, "acme"), true)
	length := func(n int) []byte { c := bytes.Clone(good); binary.BigEndian.PutUint16(c[2:], uint16(n)); return c }
	for _, tt := range []struct {
		name   string
		packet []byte
		want   error
	}{
		{"nothing", nil, errShort},
		{"half a head", good[:10], errShort},
		{"a length below the head's", length(19), errShort},
		{"a length beyond the datagram", length(len(good) + 1), errShort},
		{"a length within an attribute", length(len(good) - 1), errAttrs},
		{"an attribute of no length", append(bytes.Clone(good[:headLength]), bytes.Repeat([]byte{0}, len(good)-headLength)...), errAttrs},
		{"two Message-Authenticators", request(codeAccountingRequest, 1, "testing123", tlv(80, strings.Repeat("x", 16)), true), errTwice},
		{"a short Message-Authenticator", request(codeAccountingRequest, 1, "testing123", tlv(80, "x"), false), errAttrs},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := parse(tt.packet); err != tt.want {
				t.Errorf("parse = %v, want %v", err, tt.want)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add(unhex(f, rfcRequest))
	f.Add(unhex(f, rfcCHAP))
	f.Add(request(codeAccountingRequest, 7, "testing123", tlv(33, "proxy", 9<<8|24, "h323-conf-id=1", 33, "state"), true))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := parse(b)
		if err != nil {
			return
		}
		p.authentic([]byte("testing123"))
		p.password("arctangent", []byte("testing123"))
		answer := p.answer(&reply{code: codeAccountingResponse}, []byte("testing123"))
		if len(answer) > maxPacket {
			t.Fatalf("an answer of %d bytes", len(answer))
		}
		if _, err := parse(answer); err != nil {
			t.Fatalf("the answer does not parse: %v", err)
		}
	})
}
