package cdrformat

import (
	"strings"
	"time"
)

// A switch whose clock is not set says 1970. Calls before 2000 and after 2099 were made by no switch.
const (
	earliestMicro = 946_684_800 * 1_000_000   // 2000-01-01
	latestMicro   = 4_102_444_800 * 1_000_000 // 2100-01-01
)

// stamps reads the times of a source.
type stamps struct {
	zone  *time.Location // of stamps that carry none
	dates DateOrder
}

// read returns a stamp as microseconds since 1970: unix seconds with or without a fraction, milliseconds
// or microseconds by their length; 20060102-150405; a date of three numbers with a time of hours and
// minutes at least, a fraction and a zone.
func (p stamps) read(name, s string) (int64, error) {
	s = strings.TrimSpace(s)
	if micro, ok := epoch(s); ok {
		return micro, nil
	}
	if len(s) > 64 {
		return 0, wrong(name, s, "a time")
	}
	c := clock{s: s}
	var date [3]int
	if d := c.digits(); len(d) == 8 || len(d) == 14 {
		date = [3]int{atoi(d[:4]), atoi(d[4:6]), atoi(d[6:8])}
		if len(d) == 14 {
			c.s = "T" + d[8:] + c.s
		}
	} else {
		sep := c.take("-/.")
		month, ok := c.digits(), sep != 0 && c.take(string(sep)) != 0
		day := c.digits()
		if !ok || len(d) > 4 || len(month) > 2 || len(day) > 4 {
			return 0, wrong(name, s, "a time such as 2026-01-31 18:30:00, or unix seconds")
		}
		date = [3]int{atoi(d), atoi(month), atoi(day)}
		if len(d) != 4 {
			if date, ok = p.order(date); !ok {
				return 0, wrong(name, s, "to be told the order of day, month and year: dmy or mdy")
			}
		}
	}
	micro, ok := c.time(date, p.zone)
	if !ok {
		return 0, wrong(name, s, "a time such as 2026-01-31 18:30:00, or unix seconds")
	}
	return micro, nil
}

// order turns the numbers of a date into year, month, day.
func (p stamps) order(d [3]int) ([3]int, bool) {
	year := d[2]
	if year < 100 {
		year += 2000
	}
	switch p.dates {
	case DayFirst:
		return [3]int{year, d[1], d[0]}, true
	case MonthFirst:
		return [3]int{year, d[0], d[1]}, true
	}
	return d, false
}

// epoch reads a number of seconds, milliseconds or microseconds.
func epoch(s string) (int64, bool) {
	whole, fraction, _ := strings.Cut(s, ".")
	if len(whole) == 0 || len(whole) > 17 || len(whole) == 14 || len(whole) == 8 || !isDigits(whole) || !isDigits(fraction) {
		return 0, false // 14 and 8 digits are a date
	}
	n := int64(0)
	for _, c := range []byte(whole) {
		n = n*10 + int64(c-'0')
	}
	switch {
	case len(whole) >= 15:
		return n, true
	case len(whole) >= 12:
		return n * 1000, true
	}
	n *= 1_000_000
	for i, unit := 0, int64(100_000); i < len(fraction) && unit > 0; i, unit = i+1, unit/10 {
		n += int64(fraction[i]-'0') * unit
	}
	return n, true
}

// isDigits reports whether s is digits only; "" is.
func isDigits(s string) bool {
	for i := range len(s) {
		if s[i]-'0' > 9 {
			return false
		}
	}
	return true
}

func atoi(s string) (n int) {
	for i := range len(s) {
		n = n*10 + int(s[i]-'0')
	}
	return n
}

// clock takes a written time apart.
type clock struct{ s string }

// digits takes the digits that come next.
func (c *clock) digits() string {
	n := 0
	for n < len(c.s) && c.s[n]-'0' <= 9 {
		n++
	}
	d := c.s[:n]
	c.s = c.s[n:]
	return d
}

// take takes one byte of set, else 0.
func (c *clock) take(set string) byte {
	if c.s == "" || strings.IndexByte(set, c.s[0]) < 0 {
		return 0
	}
	b := c.s[0]
	c.s = c.s[1:]
	return b
}

// time reads what follows a date.
func (c *clock) time(date [3]int, zone *time.Location) (int64, bool) {
	if c.take("T -") == 0 {
		return 0, false
	}
	var hms [3]int
	if d := c.digits(); len(d) == 6 {
		hms = [3]int{atoi(d[:2]), atoi(d[2:4]), atoi(d[4:])}
	} else if hms[0] = atoi(d); len(d) == 0 || len(d) > 2 || c.take(":") == 0 {
		return 0, false
	} else {
		d = c.digits()
		if hms[1] = atoi(d); len(d) != 2 {
			return 0, false
		}
		if c.take(":") != 0 {
			d = c.digits()
			if hms[2] = atoi(d); len(d) != 2 {
				return 0, false
			}
		}
	}
	micro := 0
	if c.take(".,") != 0 {
		d := c.digits()
		if d == "" {
			return 0, false
		}
		micro = atoi((d + "000000")[:6])
	}
	zone, ok := c.zone(zone)
	if !ok || hms[0] > 23 || hms[1] > 59 || hms[2] > 59 {
		return 0, false
	}
	t := time.Date(date[0], time.Month(date[1]), date[2], hms[0], hms[1], hms[2], micro*1000, zone)
	return t.UnixMicro(), date[1] >= 1 && date[1] <= 12 && date[2] >= 1 && date[2] <= time.Date(date[0], time.Month(date[1])+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// zone reads Z or an offset; nothing is the given zone.
func (c *clock) zone(zone *time.Location) (*time.Location, bool) {
	c.s = strings.TrimSpace(c.s)
	if zone == nil {
		zone = time.UTC
	}
	switch {
	case c.s == "":
		return zone, true
	case c.s == "Z" || c.s == "UTC":
		return time.UTC, true
	}
	sign := c.take("+-")
	d := strings.Replace(c.s, ":", "", 1)
	if len(d) == 2 {
		d += "00"
	}
	if sign == 0 || len(d) != 4 || !isDigits(d) {
		return nil, false
	}
	offset := atoi(d[:2])*3600 + atoi(d[2:])*60
	if sign == '-' {
		offset = -offset
	}
	return time.FixedZone("", offset), offset <= 24*3600 && offset >= -24*3600
}
