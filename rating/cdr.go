package rating

import (
	"encoding/json"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// CDRID is a call's number: start in milliseconds (44 bits) and the place among the calls of that
// millisecond (20 bits), so that the primary key is the time index (R16).
type CDRID uint64

// MakeCDRID joins a start in unix milliseconds and a sequence.
func MakeCDRID(startMilli int64, seq uint32) CDRID {
	return CDRID(uint64(startMilli)<<20 | uint64(seq)&0xfffff)
}

// Milli returns the start in unix milliseconds.
func (id CDRID) Milli() int64 { return int64(id >> 20) }

// CDRStatus says what charging made of a call.
type CDRStatus uint8

// The statuses. Unrated is history without prices.
const (
	Rated CDRStatus = iota
	Free
	Unrated
)

// String returns the status's word.
func (s CDRStatus) String() string {
	return [...]string{"rated", "free", "unrated", "unknown"}[min(s, 3)]
}

// CDR is one call leg with what it was charged: the fact, the rate's figures copied in, the prices.
//
// Columns are held in arrays under their CDRField, so that codec, wire resources, filters and CSV
// share one table. An absent column is null. A CDR is about 2 KB: pass pointers.
type CDR struct {
	ID       CDRID
	Origin   Origin
	Status   CDRStatus
	Revision uint32

	has [2]uint64
	num [NumCDRFields]int64
	txt [cdrTextColumns]string
}

// Reset makes c empty for the next call without giving up its memory.
func (c *CDR) Reset() { *c = CDR{} }

// Has reports whether the column is set.
func (c *CDR) Has(f CDRField) bool { return c.has[f>>6]&(1<<(f&63)) != 0 }

// Present returns the bitmap of set columns, bit f of word f/64.
func (c *CDR) Present() [2]uint64 { return c.has }

// Unset makes the column null.
func (c *CDR) Unset(f CDRField) {
	c.has[f>>6] &^= 1 << (f & 63)
	if cdrFields[f].kind.IsText() {
		c.txt[cdrTextSlot[f]] = ""
		return
	}
	c.num[f] = 0
}

// Int returns a column that is held as a number; 0 when it is null.
func (c *CDR) Int(f CDRField) int64 { return c.num[f] }

// SetInt sets a column that is held as a number.
func (c *CDR) SetInt(f CDRField, v int64) {
	c.has[f>>6] |= 1 << (f & 63)
	c.num[f] = v
}

// Text returns a column that is held as text; "" when it is null.
func (c *CDR) Text(f CDRField) string { return c.txt[cdrTextSlot[f]] }

// SetText sets a column that is held as text; "" makes it null.
func (c *CDR) SetText(f CDRField, s string) {
	if s == "" {
		c.Unset(f)
		return
	}
	c.has[f>>6] |= 1 << (f & 63)
	c.txt[cdrTextSlot[f]] = s
}

// Bool returns a boolean column; false when it is null.
func (c *CDR) Bool(f CDRField) bool { return c.num[f] != 0 }

// SetBool sets a boolean column.
func (c *CDR) SetBool(f CDRField, v bool) {
	n := int64(0)
	if v {
		n = 1
	}
	c.SetInt(f, n)
}

// Money returns an amount; 0 when it is null.
func (c *CDR) Money(f CDRField) Money { return Money(c.num[f]) }

// Time returns an instant; the zero time when it is null.
func (c *CDR) Time(f CDRField) time.Time {
	if !c.Has(f) {
		return time.Time{}
	}
	return time.UnixMicro(c.num[f]).UTC()
}

// SetTime sets an instant, kept to the microsecond.
func (c *CDR) SetTime(f CDRField, t time.Time) { c.SetInt(f, t.UnixMicro()) }

// Customer returns the account that is charged, 0 when none is.
func (c *CDR) Customer() AccountID { return AccountID(c.num[CDRCustomerAccID]) }

// Vendor returns the account that is credited, 0 when none is.
func (c *CDR) Vendor() AccountID { return AccountID(c.num[CDRVendorAccID]) }

// Seconds returns the talk time in whole seconds.
func (c *CDR) Seconds() uint32 {
	return uint32(min(max(c.num[CDRDuration], 0), math.MaxUint32))
}

// Earliest and latest start that a call may have (R16).
const (
	minStartMicro = 0                      // 1970-01-01
	maxStartMicro = 7258118400 * 1_000_000 // 2200-01-01
	maxTextColumn = 4096                   // bytes of one text column
	microLayout   = "2006-01-02T15:04:05.999999Z07:00"
)

// Parse sets the column from text as a CDR file or a JSON body spells it; "" makes it null.
// Fails with Invalid, naming the column.
func (c *CDR) Parse(f CDRField, s string) error {
	if s == "" {
		c.Unset(f)
		return nil
	}
	name := cdrFields[f].name
	if len(s) > maxTextColumn {
		return Broken(name, "maxLength", strconv.Itoa(maxTextColumn), "%s: %d bytes, want at most %d", name, len(s), maxTextColumn)
	}
	switch cdrFields[f].kind {
	case KindText:
		c.SetText(f, s)
	case KindTime:
		if micro, ok := instant(s); ok {
			c.SetInt(f, micro)
			return nil
		}
		t, err := ParseTime(s)
		if err != nil {
			return Broken(name, "time", "", "%s %q: want RFC 3339 or unix seconds", name, clip(s))
		}
		c.SetTime(f, t)
	case KindInt:
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return Broken(name, "integer", "", "%s %q: want a whole number", name, clip(s))
		}
		c.SetInt(f, n)
	case KindBool:
		switch s {
		case "true", "t", "1", "yes":
			c.SetBool(f, true)
		case "false", "f", "0", "no":
			c.SetBool(f, false)
		default:
			return Broken(name, "boolean", "", "%s %q: want true or false", name, clip(s))
		}
	case KindMoney, KindFloat:
		m, err := ParseMoney(s)
		if err != nil {
			return fieldError(name, s, err)
		}
		c.SetInt(f, int64(m))
	case KindPrice:
		p, err := ParsePrice(s)
		if err != nil {
			return fieldError(name, s, err)
		}
		c.SetInt(f, int64(p))
	case KindPercent:
		p, err := ParsePercent(s)
		if err != nil {
			return fieldError(name, s, err)
		}
		c.SetInt(f, int64(p))
	case KindInet:
		if _, err := netip.ParseAddr(strings.TrimSuffix(s, "/32")); err != nil {
			return Broken(name, "format", "", "%s %q: want an IP address", name, clip(s))
		}
		c.SetText(f, s)
	case KindUUID:
		u, err := ParseUUID(s)
		if err != nil {
			return err
		}
		c.SetText(f, u.String())
	case KindInts:
		var ints []int64
		if json.Unmarshal([]byte(s), &ints) != nil {
			return Broken(name, "type", "", "%s %q: want an array of whole numbers", name, clip(s))
		}
		c.SetText(f, s)
	case KindJSON:
		if !json.Valid([]byte(s)) {
			return Broken(name, "type", "", "%s %q: want JSON", name, clip(s))
		}
		c.SetText(f, s)
	}
	return nil
}

func fieldError(name, got string, err error) error {
	return &Error{Kind: KindOf(err), Field: name, Rule: "number", Msg: name + " " + strconv.Quote(clip(got)) + ": want a decimal number"}
}

// Format returns the column as text that Parse reads back exactly; "" when it is null.
func (c *CDR) Format(f CDRField) string {
	if !c.Has(f) {
		return ""
	}
	n := c.num[f]
	switch cdrFields[f].kind {
	case KindTime:
		return time.UnixMicro(n).UTC().Format(microLayout)
	case KindInt:
		return strconv.FormatInt(n, 10)
	case KindBool:
		return strconv.FormatBool(n != 0)
	case KindMoney, KindFloat:
		return Money(n).String()
	case KindPrice:
		return Price(n).String()
	case KindPercent:
		return Percent(n).String()
	}
	return c.Text(f)
}

// ParseTime reads RFC 3339 with or without a fraction or zone (none is UTC), a blank instead of the
// T, a date alone, or unix seconds with an optional fraction.
func ParseTime(s string) (time.Time, error) {
	if len(s) > 0 && len(s) <= 20 && strings.IndexByte(s, '-') <= 0 && strings.IndexByte(s, ':') < 0 {
		m, err := ParseMoney(s) // 10⁻⁶ seconds are microseconds
		if err != nil {
			return time.Time{}, err
		}
		return time.UnixMicro(int64(m)).UTC(), nil
	}
	for _, layout := range [...]string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999", time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, Broken("time", "time", "", "time %q: want RFC 3339 or unix seconds", clip(s))
}
