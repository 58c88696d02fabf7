package rating

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"time"
)

// UUID is a universally unique identifier; the zero value means none.
type UUID [16]byte

// gregorianToUnix is the number of 100 ns ticks from 1582-10-15 to 1970-01-01 (RFC 9562, 6.1).
const gregorianToUnix = 0x01B21DD213814000

// NewUUID makes a version 1 UUID of the instant now with a random node and clock sequence.
//
// Yeti hands out version 1 for accounts; clients read only its shape.
func NewUUID(now time.Time) UUID {
	var u UUID
	if _, err := rand.Read(u[8:]); err != nil {
		panic("rating: no randomness: " + err.Error())
	}
	ticks := uint64(now.UnixNano()/100) + gregorianToUnix
	binary.BigEndian.PutUint32(u[0:], uint32(ticks))
	binary.BigEndian.PutUint16(u[4:], uint16(ticks>>32))
	binary.BigEndian.PutUint16(u[6:], uint16(ticks>>48)&0x0fff|0x1000)
	u[8] = u[8]&0x3f | 0x80
	u[10] |= 1 // a random node has the multicast bit set
	return u
}

// NumberUUID spells a number as a UUID: space names the kind of record and the store it lives in.
//
// Records that come by the million (rates, CDRs) store only their number; Number gives it back.
func NumberUUID(space [6]byte, number uint64) UUID {
	var u UUID
	copy(u[:6], space[:])
	u[6] = 0x80 | byte(number>>60)
	u[7] = byte(number >> 52)
	u[8] = 0x80 | byte(number>>46)&0x3f
	u[9] = byte(number >> 38)
	// 38 bits are left; the low 48 bits of the UUID hold them with room to spare
	low := number & (1<<38 - 1)
	for i := 15; i >= 10; i-- {
		u[i] = byte(low)
		low >>= 8
	}
	return u
}

// Number returns the number that NumberUUID put into u for the same space.
func (u UUID) Number(space [6]byte) (uint64, bool) {
	var n uint64
	for _, b := range u[10:] {
		n = n<<8 | uint64(b)
	}
	if n >= 1<<38 {
		return 0, false
	}
	n |= uint64(u[6]&0x0f)<<60 | uint64(u[7])<<52 | uint64(u[8]&0x3f)<<46 | uint64(u[9])<<38
	return n, NumberUUID(space, n) == u
}

// IsZero reports whether u is unset.
func (u UUID) IsZero() bool { return u == UUID{} }

// String returns the dashed lower-case form; "" when unset.
func (u UUID) String() string {
	if u.IsZero() {
		return ""
	}
	var b [36]byte
	hex.Encode(b[0:], u[0:4])
	hex.Encode(b[9:], u[4:6])
	hex.Encode(b[14:], u[6:8])
	hex.Encode(b[19:], u[8:10])
	hex.Encode(b[24:], u[10:])
	b[8], b[13], b[18], b[23] = '-', '-', '-', '-'
	return string(b[:])
}

// Hex returns the 32 hex digits without dashes, Kazoo's spelling.
func (u UUID) Hex() string { return hex.EncodeToString(u[:]) }

// MarshalText returns the dashed form, empty when unset.
func (u UUID) MarshalText() ([]byte, error) { return []byte(u.String()), nil }

// UnmarshalText reads either form; empty text is the unset UUID.
func (u *UUID) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*u = UUID{}
		return nil
	}
	v, err := ParseUUID(string(text))
	if err != nil {
		return err
	}
	*u = v
	return nil
}

// ParseUUID reads 36 characters with dashes or 32 hex digits, in either case.
func ParseUUID(s string) (UUID, error) {
	var u UUID
	var digits [32]byte
	switch {
	case len(s) == 32:
		copy(digits[:], s)
	case len(s) == 36 && s[8] == '-' && s[13] == '-' && s[18] == '-' && s[23] == '-':
		n := copy(digits[:], s[0:8])
		n += copy(digits[n:], s[9:13])
		n += copy(digits[n:], s[14:18])
		n += copy(digits[n:], s[19:23])
		copy(digits[n:], s[24:])
	default:
		return u, Broken("uuid", "format", "", "uuid %q: want 32 hex digits", clip(s))
	}
	if _, err := hex.Decode(u[:], digits[:]); err != nil {
		return UUID{}, Broken("uuid", "format", "", "uuid %q: want 32 hex digits", clip(s))
	}
	return u, nil
}

// clip shortens what a client sent so that an error stays one line.
func clip(s string) string {
	const most = 60
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}
