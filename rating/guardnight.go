package rating

import (
	"fmt"
	"time"
)

// GuardNight is the part of a day in which traffic is unusual, from one minute of the clock up to another,
// which may be of the next day. The zero night is that of the defaults.
type GuardNight struct{ From, Till uint16 }

// DefaultGuardNight is the night where nobody says otherwise.
var DefaultGuardNight = GuardNight{From: 22 * 60, Till: 6 * 60}

// ParseGuardNight reads "22:00-06:00". Fails with Invalid.
func ParseGuardNight(text string) (n GuardNight, err error) {
	var h, m, h2, m2 uint16
	if _, err := fmt.Sscanf(text, "%02d:%02d-%02d:%02d", &h, &m, &h2, &m2); err != nil || h > 23 || h2 > 24 || m > 59 || m2 > 59 {
		return n, Broken("night", "format", "", "night %s: want a time of day to another, such as 22:00-06:00", quoteShort(text))
	}
	n = GuardNight{h*60 + m, (h2*60 + m2) % (24 * 60)}
	if n.From == n.Till || n.String() != text && !(h2 == 24 && m2 == 0) {
		return GuardNight{}, Broken("night", "format", "", "night %s: want two different times of day, such as 22:00-06:00", quoteShort(text))
	}
	return n, nil
}

// String returns the night as ParseGuardNight reads it, that of the defaults where n says none.
func (n GuardNight) String() string {
	n = n.known()
	return fmt.Sprintf("%02d:%02d-%02d:%02d", n.From/60, n.From%60, n.Till/60, n.Till%60)
}

func (n GuardNight) known() GuardNight {
	if n == (GuardNight{}) {
		return DefaultGuardNight
	}
	return n
}

// Of returns the night that an instant lies in, by the day on which it begins, and whether it is in one.
func (n GuardNight) Of(t time.Time, loc *time.Location) (Day, bool) {
	n = n.known()
	day := DayOf(t, loc)
	_, offset := t.In(loc).Zone()
	minute := uint16((t.Unix() + int64(offset)) % 86400 / 60)
	switch {
	case n.From < n.Till:
		return day, minute >= n.From && minute < n.Till
	case minute >= n.From:
		return day, true
	}
	return day - 1, minute < n.Till
}

// End returns when the night that begins on a day is over.
func (n GuardNight) End(day Day, loc *time.Location) time.Time {
	n = n.known()
	if n.From > n.Till {
		day++
	}
	u := time.Unix(int64(day)*86400, 0).UTC()
	return time.Date(u.Year(), u.Month(), u.Day(), int(n.Till)/60, int(n.Till)%60, 0, 0, loc).UTC()
}

// Start returns when the night that begins on a day does.
func (n GuardNight) Start(day Day, loc *time.Location) time.Time {
	n = n.known()
	u := time.Unix(int64(day)*86400, 0).UTC()
	return time.Date(u.Year(), u.Month(), u.Day(), int(n.From)/60, int(n.From)%60, 0, 0, loc).UTC()
}
