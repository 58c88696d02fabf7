package rating

import "time"

// PeriodID is how often an account is invoiced, numbered as Yeti numbers invoice periods.
type PeriodID uint8

// The invoice periods. Weeks start on Monday. A split period also ends with the month.
const (
	PeriodNone          PeriodID = iota // no invoices of its own accord
	PeriodDaily                         // each day
	PeriodWeekly                        // each ISO week
	PeriodBiWeekly                      // two ISO weeks, the first of them even-numbered
	PeriodMonthly                       // each month
	PeriodBiWeeklySplit                 // BiWeekly, cut at the first of the month
	PeriodWeeklySplit                   // Weekly, cut at the first of the month
)

// Valid reports whether p is one of the periods, PeriodNone included.
func (p PeriodID) Valid() bool { return p <= PeriodWeeklySplit }

// Period is the time from Start up to, not including, End, both UTC.
type Period struct{ Start, End time.Time }

// Contains reports whether t lies in the period.
func (d Period) Contains(t time.Time) bool { return !t.Before(d.Start) && t.Before(d.End) }

// Containing returns the period that holds t, from local midnight to local midnight in loc.
//
// A day begins at the first instant at which the clocks of loc show its date: where a clock change
// leaves out midnight that is the change itself. So periods meet without gap or overlap. The zero
// Period is returned for PeriodNone.
// Source: Yeti's invoice periods; vectors in testdata/period.txt.
func (p PeriodID) Containing(t time.Time, loc *time.Location) Period {
	if p == PeriodNone || !p.Valid() {
		return Period{}
	}
	y, m, d := t.In(loc).Date()
	first, next := p.days(civil(y, m, d))
	end := dayStart(next, loc)
	if !t.Before(end) {
		// The clock went back over midnight: t shows the old date again, but its day is over.
		first, next = p.days(next)
		end = dayStart(next, loc)
	}
	return Period{Start: dayStart(first, loc), End: end}
}

// EndAfter returns the end of the period that holds t: the first boundary after t. It is the zero
// time for PeriodNone.
func (p PeriodID) EndAfter(t time.Time, loc *time.Location) time.Time {
	return p.Containing(t, loc).End
}

// StartBefore returns the start of the period that ends at end: the last boundary before end. It
// is the zero time for PeriodNone.
func (p PeriodID) StartBefore(end time.Time, loc *time.Location) time.Time {
	return p.Containing(end.Add(-1), loc).Start
}

// Partial reports whether d, a period of p, is one that the month cut short of its 7 or 14 days.
// Only split periods are ever partial.
func (p PeriodID) Partial(d Period) bool {
	const day = 24 * time.Hour
	days := (d.End.Sub(d.Start) + day/2) / day // a clock change moves an end by an hour or two
	switch p {
	case PeriodBiWeeklySplit:
		return days < 14
	case PeriodWeeklySplit:
		return days < 7
	}
	return false
}

// days returns the first day of the period that holds day, and the first day after it. Both are
// found within 31 steps, the length of a month.
func (p PeriodID) days(day time.Time) (first, next time.Time) {
	for first = day; !p.begins(first); {
		first = first.AddDate(0, 0, -1)
	}
	for next = day.AddDate(0, 0, 1); !p.begins(next); {
		next = next.AddDate(0, 0, 1)
	}
	return first, next
}

// begins reports whether a period begins on day.
func (p PeriodID) begins(day time.Time) bool {
	monday, newMonth := day.Weekday() == time.Monday, day.Day() == 1
	switch p {
	case PeriodWeekly:
		return monday
	case PeriodBiWeekly:
		_, week := day.ISOWeek()
		// Weeks 53 and 1 are both odd: they make a pair, which leaves week 52 alone.
		return monday && (week%2 == 0 || week == 53)
	case PeriodMonthly:
		return newMonth
	case PeriodBiWeeklySplit:
		// Week 53 always holds 1 January, which cuts it; the pair of weeks 52 and 53 is kept.
		_, week := day.ISOWeek()
		return newMonth || monday && week%2 == 0
	case PeriodWeeklySplit:
		return newMonth || monday
	}
	return true // PeriodDaily
}

// civil returns a date without a zone, written as its midnight in UTC.
func civil(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) }

// dayStart returns the first instant, in UTC, at which clocks in loc show the date day or a later
// one. It walks the stretches of constant offset around that midnight, because time.Date may
// answer either side of a clock change.
func dayStart(day time.Time, loc *time.Location) time.Time {
	const before = 26 * time.Hour // more than any zone is ahead of UTC
	for t := day.Add(-before).In(loc); ; {
		_, offset := t.Zone()
		first := day.Add(-time.Duration(offset) * time.Second)
		if first.Before(t) {
			first = t
		}
		_, end := t.ZoneBounds()
		if end.IsZero() || first.Before(end) {
			return first.UTC()
		}
		t = end
	}
}

// Word names the periods that are a plain day, week or month; "" for others.
func (p PeriodID) Word() string {
	switch p {
	case PeriodDaily:
		return "day"
	case PeriodWeekly:
		return "week"
	case PeriodMonthly:
		return "month"
	}
	return ""
}

// ParsePeriodWord reads what Word returns.
func ParsePeriodWord(s string) (PeriodID, error) {
	for _, p := range [...]PeriodID{PeriodDaily, PeriodWeekly, PeriodMonthly} {
		if s == p.Word() {
			return p, nil
		}
	}
	return 0, Broken("period", "inclusion", "", "period %s: want day, week or month", quoteShort(s))
}

// Days returns the first day of the period that holds a day and the first day after it: a calendar's
// answer, in any zone.
func (p PeriodID) Days(day Day) (first, next Day) {
	from, till := p.days(time.Unix(int64(day)*86400, 0).UTC())
	return Day(max(from.Unix(), 0) / 86400), Day(till.Unix() / 86400)
}
