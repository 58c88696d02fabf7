package cdrformat

import (
	"strings"
	"time"
)

// h323Time reads a stamp of Cisco's as microseconds since 1970: `*14:32:10.123 UTC Sat Nov 21 2026`. A
// star or a full stop in front says that the clock is not, or no longer, synchronised; the time is taken.
//
// UTC and GMT are themselves, +0300 is what it says. Other letters stand for several zones each: they are
// believed where the NAS's own zone goes by them at that time, else refused. A stamp without any is in
// that zone.
func h323Time(name, s string, zone *time.Location) (int64, error) {
	const want = "a time such as 14:32:10.123 UTC Sat Nov 21 2026"
	if zone == nil {
		zone = time.UTC
	}
	words := strings.Fields(strings.TrimLeft(s, "*. "))
	n := len(words)
	if len(s) > 64 || n < 4 || n > 6 {
		return 0, wrong(name, s, want)
	}
	letters := ""
	for _, w := range words[1 : n-3] {
		if _, err := time.Parse("Mon", w); err == nil {
			continue
		}
		if letters != "" {
			return 0, wrong(name, s, want)
		}
		letters = w
	}
	written := words[0] + " " + strings.Join(words[n-3:], " ")
	in := zone
	switch offset, ok := (&clock{s: strings.TrimPrefix(strings.TrimPrefix(letters, "UTC"), "GMT")}).zone(time.UTC); {
	case letters == "":
	case ok:
		in = offset
	default:
		t, err := time.ParseInLocation("15:04:05 Jan 2 2006", written, zone)
		if err != nil {
			return 0, wrong(name, s, want)
		}
		if own, _ := t.Zone(); own != letters {
			return 0, wrong(name, s, "a time in UTC, or the zone that "+letters+" is: billd nas set NAME --zone Europe/Berlin")
		}
	}
	t, err := time.ParseInLocation("15:04:05 Jan 2 2006", written, in)
	if err != nil {
		return 0, wrong(name, s, want)
	}
	return t.UnixMicro(), nil
}
