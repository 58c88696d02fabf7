package rating

import (
	"testing"
	"time"
	_ "time/tzdata" // the zones must not depend on the machine
)

var periodNames = map[string]PeriodID{
	"daily": PeriodDaily, "weekly": PeriodWeekly, "biweekly": PeriodBiWeekly,
	"monthly": PeriodMonthly, "biweekly-split": PeriodBiWeeklySplit, "weekly-split": PeriodWeeklySplit,
}

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

func TestContainingGivesThePublishedPeriods(t *testing.T) {
	count := 0
	readVectors(t, "period.txt", func(n int, f []string) {
		count++
		p, loc := periodNames[f[0]], zone(t, f[2])
		at := func(s string) time.Time {
			v, err := time.ParseInLocation(time.DateOnly, s, loc)
			if err != nil {
				t.Fatalf("period.txt:%d: %v", n, err)
			}
			return v.UTC()
		}
		want := Period{Start: at(f[3]), End: at(f[4])}
		for _, moment := range []time.Time{at(f[1]), at(f[1]).Add(13 * time.Hour), at(f[1]).Add(23*time.Hour - time.Second)} {
			got := p.Containing(moment, loc)
			if got != want || !got.Contains(moment) || p.EndAfter(moment, loc) != want.End || p.StartBefore(want.End, loc) != want.Start {
				t.Errorf("period.txt:%d: %s of %s = %s, want %s", n, f[0], moment, got, want)
			}
		}
		if got, want := p.Partial(want), f[5] == "partial"; got != want {
			t.Errorf("period.txt:%d: partial %t, want %t", n, got, want)
		}
	})
	if count != 34 {
		t.Errorf("period.txt holds %d vectors, want 34", count)
	}
}

func TestSummerTimeMovesTheBoundary(t *testing.T) {
	loc := zone(t, "Europe/Kyiv")
	for _, tt := range []struct{ name, day, start, end string }{
		{"the day before", "2026-03-28", "2026-03-27T22:00:00Z", "2026-03-28T22:00:00Z"},
		{"the day of 23 hours", "2026-03-29", "2026-03-28T22:00:00Z", "2026-03-29T21:00:00Z"},
		{"the day after", "2026-03-30", "2026-03-29T21:00:00Z", "2026-03-30T21:00:00Z"},
		{"the day of 25 hours", "2026-10-25", "2026-10-24T21:00:00Z", "2026-10-25T22:00:00Z"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			noon, _ := time.ParseInLocation("2006-01-02 15", tt.day+" 12", loc)
			got := PeriodDaily.Containing(noon, loc)
			if got.Start.Format(time.RFC3339) != tt.start || got.End.Format(time.RFC3339) != tt.end {
				t.Errorf("got %s, want %s to %s", got, tt.start, tt.end)
			}
		})
	}
}

func TestDayStartsWhereMidnightIsUnusual(t *testing.T) {
	for _, tt := range []struct{ name, zone, day, want string }{
		{"midnight left out", "America/Sao_Paulo", "2017-10-15", "2017-10-15T03:00:00Z"},
		{"midnight left out, east of UTC", "Asia/Beirut", "2017-03-26", "2017-03-25T22:00:00Z"},
		{"the clock goes back at midnight", "America/Sao_Paulo", "2017-02-19", "2017-02-19T03:00:00Z"},
		{"midnight happens twice", "America/Havana", "2017-11-05", "2017-11-05T04:00:00Z"},
		{"midnight and a minute happen twice", "America/St_Johns", "2010-11-07", "2010-11-07T02:30:00Z"},
		{"a day that never was", "Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00Z"},
		{"the day after it", "Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00Z"},
		{"no clock changes", "UTC", "2026-01-01", "2026-01-01T00:00:00Z"},
		{"far ahead of UTC", "Pacific/Kiritimati", "2026-01-01", "2025-12-31T10:00:00Z"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			day, _ := time.Parse(time.DateOnly, tt.day)
			if got := dayStart(day, zone(t, tt.zone)).Format(time.RFC3339); got != tt.want {
				t.Errorf("%s in %s starts %s, want %s", tt.day, tt.zone, got, tt.want)
			}
		})
	}
}

// TestPeriodsTileTime walks years of each period in zones with every kind of clock change.
func TestPeriodsTileTime(t *testing.T) {
	for _, name := range []string{"UTC", "Europe/Kyiv", "America/New_York", "America/Sao_Paulo", "Asia/Beirut", "America/Havana",
		"America/St_Johns", "Pacific/Apia", "Pacific/Kiritimati", "Australia/Lord_Howe", "Africa/Cairo", "Asia/Kathmandu"} {
		loc := zone(t, name)
		for id, p := range periodNames {
			t.Run(name+"/"+id, func(t *testing.T) {
				from := time.Date(2009, 6, 15, 12, 0, 0, 0, time.UTC)
				d := p.Containing(from, loc)
				last := 2034
				if p == PeriodDaily {
					last = 2019
				}
				for d.End.Year() < last {
					if !d.Start.Before(d.End) || d.Start.Location() != time.UTC {
						t.Fatalf("%s is empty or not UTC", d)
					}
					for _, moment := range []time.Time{d.Start, d.Start.Add(time.Hour), d.Start.Add(d.End.Sub(d.Start) / 2), d.End.Add(-time.Hour), d.End.Add(-1)} {
						if got := p.Containing(moment, loc); got != d {
							t.Fatalf("Containing(%s) = %s, want %s", moment, got, d)
						}
					}
					next := p.Containing(d.End, loc)
					if next.Start != d.End || p.EndAfter(d.Start, loc) != d.End || p.StartBefore(d.End, loc) != d.Start {
						t.Fatalf("after %s comes %s", d, next)
					}
					d = next
				}
			})
		}
	}
}

// modelEnd is the end of the period that holds day as Yeti computes it; false where its rule finds none.
func modelEnd(p PeriodID, day time.Time) (time.Time, bool) {
	monday := day.AddDate(0, 0, -(int(day.Weekday())+6)%7)
	month := civil(day.Year(), day.Month()+1, 1)
	even := func() (time.Time, bool) {
		for _, days := range []int{14, 7} {
			end := monday.AddDate(0, 0, days)
			if _, week := end.ISOWeek(); week%2 == 0 {
				return end, true
			}
		}
		return time.Time{}, false
	}
	switch p {
	case PeriodWeekly:
		return monday.AddDate(0, 0, 7), true
	case PeriodBiWeekly:
		return even()
	case PeriodMonthly:
		return month, true
	case PeriodBiWeeklySplit:
		if end, ok := even(); ok && end.Month() == day.Month() {
			return end, true
		}
		return month, true
	case PeriodWeeklySplit:
		if monday.AddDate(0, 0, 6).Month() == day.Month() {
			return monday.AddDate(0, 0, 7), true
		}
		return month, true
	}
	return day.AddDate(0, 0, 1), true
}

func TestEndsAreYetis(t *testing.T) {
	for id, p := range periodNames {
		none := 0
		for day := civil(2009, 1, 1); day.Year() < 2040; day = day.AddDate(0, 0, 1) {
			want, ok := modelEnd(p, day)
			got := p.EndAfter(day, time.UTC)
			if !ok {
				none++
			} else if got != want {
				t.Fatalf("%s: end after %s = %s, want %s", id, day.Format(time.DateOnly), got, want)
			}
		}
		// Week 52 of the long years 2009, 2015, 2020, 2026, 2032 and 2037.
		if want := 6 * 7; p == PeriodBiWeekly && none != want || p != PeriodBiWeekly && none != 0 {
			t.Errorf("%s: Yeti's rule has no end for %d days", id, none)
		}
	}
}

func TestPeriodNoneHasNoPeriods(t *testing.T) {
	now := civil(2026, 1, 1)
	for _, p := range []PeriodID{PeriodNone, 7, 255} {
		if got := p.Containing(now, time.UTC); got != (Period{}) || !p.EndAfter(now, time.UTC).IsZero() || !p.StartBefore(now, time.UTC).IsZero() {
			t.Errorf("period %d of %s = %s, want none", p, now, got)
		}
		if got, want := p.Valid(), p == PeriodNone; got != want {
			t.Errorf("period %d is valid %t, want %t", p, got, want)
		}
	}
}
