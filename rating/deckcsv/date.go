package deckcsv

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Serial numbers that a spreadsheet shows for a date it lost the format of; 20000 is in 1954, 80000 in 2119.
const (
	minSerial = 20000
	maxSerial = 80000
)

// serialZero is the day before a spreadsheet's day 1, moved for its 29 February 1900.
var serialZero = time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)

// dates reads the dates of one file.
type dates struct {
	order DateOrder
	loc   *time.Location // nil is UTC
	last  string         // lists repeat one date
	got   time.Time
}

// cached is parse for text that is mostly the same as the last.
func (d *dates) cached(cell []byte) (time.Time, string) {
	if string(cell) == d.last && d.last != "" {
		return d.got, ""
	}
	t, reason := d.parse(string(cell))
	if reason == "" {
		d.last, d.got = string(cell), t
	}
	return t, reason
}

// parse reads one date, with or without a time of day, and returns the instant in UTC.
func (d *dates) parse(s string) (time.Time, string) {
	bad := fmt.Sprintf("date %q is not one that billd reads; best is 2006-01-31", s)
	if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
		return t.UTC(), ""
	}
	if t, ok := d.bare(s); ok {
		return t, ""
	}
	day, clock := s, ""
	if i := strings.IndexAny(s, " T"); i > 0 && strings.Contains(s[i:], ":") {
		day, clock = s[:i], strings.TrimSpace(s[i+1:])
	}
	parts := strings.FieldsFunc(day, func(c rune) bool { return strings.ContainsRune("-/. ,", c) })
	if len(parts) != 3 {
		return time.Time{}, bad
	}
	y, m, dd, reason := d.arrange(parts, strings.Contains(day, "."), s)
	if reason != "" {
		return time.Time{}, reason
	}
	h, min, sec, ok := parseClock(clock)
	t := time.Date(y, time.Month(m), dd, h, min, sec, 0, d.zone())
	if !ok || y < 1900 || y > 9999 || m < 1 || m > 12 || dd < 1 || time.Date(y, time.Month(m), dd, 0, 0, 0, 0, time.UTC).Day() != dd {
		return time.Time{}, bad
	}
	return t.UTC(), ""
}

func (d *dates) zone() *time.Location {
	if d.loc == nil {
		return time.UTC
	}
	return d.loc
}

// bare reads 20260131 and spreadsheet serials, 44554 or 44554.5.
func (d *dates) bare(s string) (time.Time, bool) {
	whole, fraction, _ := strings.Cut(s, ".")
	n, err := strconv.Atoi(whole)
	if err != nil || strings.HasPrefix(s, "-") || strings.HasPrefix(s, "+") {
		return time.Time{}, false
	}
	if len(s) == 8 && fraction == "" {
		t, err := time.ParseInLocation("20060102", s, d.zone())
		return t.UTC(), err == nil
	}
	if n < minSerial || n > maxSerial || len(whole) != 5 {
		return time.Time{}, false
	}
	days := serialZero.AddDate(0, 0, n)
	t := time.Date(days.Year(), days.Month(), days.Day(), 0, 0, 0, 0, d.zone())
	if fraction != "" {
		f, err := strconv.ParseFloat("0."+fraction, 64)
		if err != nil {
			return time.Time{}, false
		}
		t = t.Add(time.Duration(f * 24 * float64(time.Hour)).Round(time.Second))
	}
	return t.UTC(), true
}

// arrange finds which of three parts is the year, the month and the day.
func (d *dates) arrange(parts []string, dotted bool, s string) (y, m, day int, reason string) {
	bad := fmt.Sprintf("date %q is not one that billd reads; best is 2006-01-31", s)
	var n [3]int
	named := -1
	for i, p := range parts {
		if k := monthNamed(p); k > 0 {
			n[i], named = k, i
			continue
		}
		var err error
		if n[i], err = strconv.Atoi(p); err != nil || n[i] < 0 || len(p) == 3 || len(p) > 4 {
			return 0, 0, 0, bad
		}
	}
	if len(parts[0]) == 4 && named != 0 {
		return n[0], n[1], n[2], ""
	}
	y = n[2]
	if len(parts[2]) <= 2 && named != 2 {
		y += 2000
		if y >= 2080 {
			y -= 100
		}
	}
	switch {
	case named == 0:
		return y, n[0], n[1], ""
	case named == 1 || dotted:
		return y, n[1], n[0], ""
	case named == 2:
		return 0, 0, 0, bad
	}
	a, b := n[0], n[1]
	switch {
	case a == b || d.order == DayFirst && b <= 12:
		return y, b, a, ""
	case d.order == MonthFirst && a <= 12:
		return y, a, b, ""
	case d.order == SniffDates && a > 12:
		return y, b, a, ""
	case d.order == SniffDates && b > 12:
		return y, a, b, ""
	case d.order == SniffDates:
		return 0, 0, 0, fmt.Sprintf("date %s: day or month first? nothing in the file tells", s)
	}
	return 0, 0, 0, fmt.Sprintf("date %s: other dates of the file have the %s", s, d.order)
}

// monthNamed returns 1 to 12 for an English month name or the first letters of one, else 0.
func monthNamed(s string) int {
	if len(s) < 3 {
		return 0
	}
	for m := time.January; m <= time.December; m++ {
		if name := m.String(); len(s) <= len(name) && strings.EqualFold(s, name[:len(s)]) {
			return int(m)
		}
	}
	if strings.EqualFold(s, "sept") {
		return 9
	}
	return 0
}

func parseClock(s string) (h, m, sec int, ok bool) {
	if s == "" {
		return 0, 0, 0, true
	}
	for _, layout := range [...]string{"15:04:05", "15:04", "3:04:05 PM", "3:04 PM", "15:04:05.999999999"} {
		if t, err := time.Parse(layout, strings.ToUpper(s)); err == nil {
			return t.Hour(), t.Minute(), t.Second(), true
		}
	}
	return 0, 0, 0, false
}

// sniffDates settles the order by dates that can be read in one order only.
func (r *Reader) sniffDates(rows []line) {
	r.dates = dates{order: r.opts.Dates, loc: r.opts.Location}
	if r.opts.Dates == SniffDates {
		day, month := 0, 0
		for _, row := range rows {
			for _, f := range [...]Field{FieldFrom, FieldTill} {
				if i := r.at[f]; i >= 0 && i < len(row.cells) {
					d, m := orderShown(row.cells[i])
					day, month = day+d, month+m
				}
			}
		}
		switch {
		case day > 0 && month == 0:
			r.dates.order = DayFirst
		case month > 0 && day == 0:
			r.dates.order = MonthFirst
		case day > 0 && month > 0:
			r.warnf("dates with the day first and with the month first stand in one file")
		}
	}
	r.layout.Dates = r.dates.order
}

// orderShown returns 1 as day for 31/01/2026 and 1 as month for 01/31/2026.
func orderShown(s string) (day, month int) {
	s, _, _ = strings.Cut(s, " ")
	parts := strings.FieldsFunc(s, func(c rune) bool { return c == '/' || c == '-' })
	if len(parts) != 3 || len(parts[0]) > 2 {
		return 0, 0
	}
	a, errA := strconv.Atoi(parts[0])
	b, errB := strconv.Atoi(parts[1])
	switch {
	case errA != nil || errB != nil:
		return 0, 0
	case a > 12 && b <= 12:
		return 1, 0
	case b > 12 && a <= 12:
		return 0, 1
	}
	return 0, 0
}

// validity fills From and Till; a cell of valid-from may hold a span, 2011/01/01-2012/01/01.
func (r *Reader) validity(row *Row, cells [][]byte) string {
	if cell := r.cell(cells, FieldFrom); len(cell) > 0 {
		from, reason := r.dates.cached(cell)
		if reason != "" {
			var till time.Time
			var ok bool
			if from, till, ok = r.dates.span(string(cell)); !ok {
				return reason
			}
			row.Till = till
			row.Given.add(FieldTill)
		}
		if reason := r.plausible("from", from); reason != "" {
			return reason
		}
		if row.From = from; from.Unix() == 0 { // Yeti's always, and a date that was lost
			r.warnOnce("1970", "valid from 1970-01-01 counts as not said")
			row.From = time.Time{}
		} else {
			row.Given.add(FieldFrom)
		}
	}
	if cell := r.cell(cells, FieldTill); len(cell) > 0 {
		till, reason := r.dates.parse(string(cell))
		if reason != "" {
			return reason
		}
		if reason := r.plausible("till", till); reason != "" {
			return reason
		}
		row.Till = till
		row.Given.add(FieldTill)
	}
	if !row.From.IsZero() && !row.Till.IsZero() && !row.Till.After(row.From) && r.layout.Form != FormBilld {
		return fmt.Sprintf("valid till %s: want later than valid from %s", row.Till.Format(time.DateOnly), row.From.Format(time.DateOnly))
	}
	return ""
}

// The years in which a price list's rates begin; an end may be as far as a list writes "never".
const (
	firstYear = 1990
	lastYear  = 2079
)

// plausible says why a date is no date of a rate: what spreadsheets and programs make of a blank one.
func (r *Reader) plausible(what string, t time.Time) string {
	switch {
	case r.layout.Form == FormBilld || what == "from" && t.Unix() == 0:
		return ""
	case t.Year() < firstYear:
		return fmt.Sprintf("valid %s %s: want %d or later", what, t.Format(time.DateOnly), firstYear)
	case what == "from" && t.Year() > lastYear:
		return fmt.Sprintf("valid from %s: want %d or earlier", t.Format(time.DateOnly), lastYear)
	}
	return ""
}

// span reads two dates of equal length with a dash between them.
func (d *dates) span(s string) (from, till time.Time, ok bool) {
	mid := len(s) / 2
	if len(s)%2 == 0 || s[mid] != '-' {
		return from, till, false
	}
	from, a := d.parse(strings.TrimSpace(s[:mid]))
	till, b := d.parse(strings.TrimSpace(s[mid+1:]))
	return from, till, a == "" && b == ""
}
