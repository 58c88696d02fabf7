package rating

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"
)

// ByteUnit is what amounts of data are sold and printed in: powers of ten (GB) or of two (GiB). They
// differ by 7 % for giga, so that the unit is part of every price.
type ByteUnit uint8

// The units, as they are stored.
const (
	MB ByteUnit = 1 + iota
	GB
	TB
	MiB
	GiB
	TiB
)

var byteUnits = [...]struct {
	name string
	size uint64
}{MB: {"MB", 1e6}, GB: {"GB", 1e9}, TB: {"TB", 1e12}, MiB: {"MiB", 1 << 20}, GiB: {"GiB", 1 << 30}, TiB: {"TiB", 1 << 40}}

// Valid reports whether u is one of the units.
func (u ByteUnit) Valid() bool { return u >= MB && u <= TiB }

// Size returns how many bytes u is; 0 for what is no unit.
func (u ByteUnit) Size() uint64 {
	if !u.Valid() {
		return 0
	}
	return byteUnits[u].size
}

// String returns the unit's sign: GB, GiB.
func (u ByteUnit) String() string {
	if !u.Valid() {
		return "?"
	}
	return byteUnits[u].name
}

// Definition says how many bytes the unit is, as papers print it: "1 GB = 1 000 000 000 bytes".
func (u ByteUnit) Definition() string {
	digits := uintText(u.Size())
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(d)
	}
	return "1 " + u.String() + " = " + b.String() + " bytes"
}

// ParseByteUnit reads a unit's sign, in any case.
func ParseByteUnit(s string) (ByteUnit, error) {
	for u := MB; u <= TiB; u++ {
		if strings.EqualFold(s, u.String()) {
			return u, nil
		}
	}
	return 0, Broken("unit", "inclusion", "", "unit %s: want MB, GB, TB (powers of ten), MiB, GiB or TiB (powers of two)", quoteShort(s))
}

// MarshalText returns the sign.
func (u ByteUnit) MarshalText() ([]byte, error) { return []byte(u.String()), nil }

// UnmarshalText reads what ParseByteUnit reads.
func (u *ByteUnit) UnmarshalText(text []byte) (err error) {
	*u, err = ParseByteUnit(string(text))
	return err
}

// Bytes is an amount of data.
type Bytes uint64

// ParseBytes reads an amount with its unit, "100 GB", "1.5TiB", or a number of bytes without one. An amount
// that is not a whole number of bytes is Invalid, one beyond 2⁶² Range.
func ParseBytes(s string) (Bytes, error) {
	s = strings.TrimSpace(s)
	end := strings.LastIndexAny(s, "0123456789.") + 1
	size := uint64(1)
	if unit := strings.TrimSpace(s[end:]); unit != "" {
		u, err := ParseByteUnit(unit)
		if err != nil {
			return 0, err
		}
		size = u.Size()
	}
	wrong := Broken("bytes", "format", "", "amount %s: want a number and MB, GB, TB, MiB, GiB or TiB", quoteShort(s))
	whole, fraction, _ := strings.Cut(s[:end], ".")
	if whole+fraction == "" || len(whole) > maxDigits || len(fraction) > 12 || strings.Trim(whole+fraction, "0123456789") != "" {
		return 0, wrong
	}
	hi, n := bits.Mul64(uintOf(whole), size)
	if hi != 0 || n > maxDataOctets {
		return 0, Errorf(Range, "bytes", "amount %s: more than can be counted", quoteShort(s))
	}
	hi, lo := bits.Mul64(uintOf(fraction), size)
	part, rest := bits.Div64(hi, lo, pow10[len(fraction)])
	if rest != 0 {
		return 0, Broken("bytes", "whole", "", "amount %s: want a whole number of bytes", quoteShort(s))
	}
	return Bytes(n + part), nil
}

// uintOf reads at most 19 digits; none are 0.
func uintOf(digits string) (n uint64) {
	for _, d := range digits {
		n = n*10 + uint64(d-'0')
	}
	return n
}

// In returns the amount in a unit, exactly, without zeros at the end: "1.5 GB". Binary units need more
// decimals than a reader wants: after the ninth the digits are cut, and "…" says so.
func (b Bytes) In(u ByteUnit) string {
	size := u.Size()
	if size == 0 {
		return uintText(uint64(b)) + " bytes"
	}
	text := uintText(uint64(b) / size)
	rest := uint64(b) % size
	if rest == 0 {
		return text + " " + u.String()
	}
	digits := make([]byte, 0, 9)
	for len(digits) < 9 && rest != 0 {
		rest *= 10 // below 10 · 2⁴⁰
		digits = append(digits, byte('0'+rest/size))
		rest %= size
	}
	text += "." + string(digits)
	if rest != 0 {
		text += "…"
	}
	return text + " " + u.String()
}

// Short returns the amount in a unit with three decimals, rounded up, so that what is charged is never more
// than what is read: "0.001 GB" of one byte.
func (b Bytes) Short(u ByteUnit) string {
	size := u.Size()
	if size == 0 {
		return b.In(u)
	}
	whole, part := uint64(b)/size, (uint64(b)%size*1000+size-1)/size // the remainder is below 2⁴⁰
	if part == 1000 {
		whole, part = whole+1, 0
	}
	return fmt.Sprintf("%d.%03d %s", whole, part, u)
}

func uintText(n uint64) string { return strconv.FormatUint(n, 10) }
