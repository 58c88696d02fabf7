package rating

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Limits of a search for gaps.
const (
	usualCalls   = 5         // an hour that has as many on other days is missed when it has none
	restartBack  = 10_000    // numbers that a counter goes back by when its switch was started anew
	restartAhead = 1_000_000 // a jump ahead that no loss explains
	shownGaps    = 20        // gaps of one source that are listed
)

// SourceGaps is where one source of records was silent, and which of its numbers never came.
type SourceGaps struct {
	Source      string
	Records     int
	First, Last time.Time
	Silences    []Silence
	Numbered    int           // records that carry a number of the switch's counter
	Missing     uint64        // numbers between them that never came
	Sequences   []SequenceGap // the first ones
}

// Silence is full hours without a record in which other days have some.
type Silence struct {
	From, To time.Time
	Usual    int // records that the same hours have on other days
}

// SequenceGap is numbers that never came: those after After and before Before. At is the start of the call
// before them.
type SequenceGap struct {
	After, Before uint64
	At            time.Time
}

// GapFinder looks for records that a switch made and that never came. Source: the switches' own habit of
// losing what is queued when they stop, field notes 2.
type GapFinder struct{ sources map[string]*sourceTraffic }

type sourceTraffic struct {
	first, last time.Time
	records     int
	hours       map[int64]int // records by the hour since 1970 in which their call began
	numbers     []numbered
}

type numbered struct {
	at int64 // microseconds
	n  uint64
}

// NewGapFinder starts a search.
func NewGapFinder() *GapFinder { return &GapFinder{map[string]*sourceTraffic{}} }

// Add takes in a record: the source that delivered it, when its call began, and its call id. The number
// of a record is what follows the last slash of its id, as in the ids of Asterisk's records.
func (f *GapFinder) Add(source string, at time.Time, callID string) {
	s := f.sources[source]
	if s == nil {
		s = &sourceTraffic{first: at, last: at, hours: map[int64]int{}}
		f.sources[source] = s
	}
	s.records++
	s.hours[hourOf(at)]++
	if at.Before(s.first) {
		s.first = at
	}
	if at.After(s.last) {
		s.last = at
	}
	if i := strings.LastIndexByte(callID, '/'); i >= 0 {
		if n, err := strconv.ParseUint(callID[i+1:], 10, 63); err == nil {
			s.numbers = append(s.numbers, numbered{at.UnixMicro(), n})
		}
	}
}

func hourOf(t time.Time) int64 { return max(t.Unix(), 0) / 3600 } // calls begin after 1970 (R16)

// Gaps returns what was found, by source. until ends the time that was searched: the hours between the
// last record and it are silent too.
func (f *GapFinder) Gaps(until time.Time) []SourceGaps {
	found := []SourceGaps{}
	for name, s := range f.sources {
		g := SourceGaps{Source: name, Records: s.records, First: s.first.UTC(), Last: s.last.UTC(), Silences: s.silences(until), Numbered: len(s.numbers)}
		s.sequence(&g)
		found = append(found, g)
	}
	slices.SortFunc(found, func(a, b SourceGaps) int { return cmp.Compare(a.Source, b.Source) })
	return found
}

// silences finds empty hours that are not empty on other days, joined where they follow one another.
func (s *sourceTraffic) silences(until time.Time) (found []Silence) {
	first, end := hourOf(s.first), hourOf(until)
	var days [24]int // how often each hour of the day was passed, and what it brought
	var records [24]int
	for h := first; h < end; h++ {
		days[h%24]++
		records[h%24] += s.hours[h]
	}
	for h := first; h < end; h++ {
		others := days[h%24] - 1
		if s.hours[h] != 0 || others < 1 {
			continue
		}
		usual := records[h%24] / others
		if usual < usualCalls {
			continue
		}
		from, to := time.Unix(h*3600, 0).UTC(), time.Unix((h+1)*3600, 0).UTC()
		if n := len(found); n > 0 && found[n-1].To.Equal(from) {
			found[n-1].To = to
			found[n-1].Usual += usual
			continue
		}
		found = append(found, Silence{from, to, usual})
	}
	return found
}

// sequence finds the numbers that are missing between those that came. A counter that starts anew starts a
// search of its own.
func (s *sourceTraffic) sequence(g *SourceGaps) {
	slices.SortStableFunc(s.numbers, func(a, b numbered) int { return cmp.Compare(a.at, b.at) })
	from, highest := 0, uint64(0)
	for i, r := range s.numbers {
		if i > from && (r.n+restartBack < highest || r.n > highest+restartAhead) {
			missingIn(s.numbers[from:i], g)
			from, highest = i, 0
		}
		highest = max(highest, r.n)
	}
	missingIn(s.numbers[from:], g)
}

func missingIn(run []numbered, g *SourceGaps) {
	slices.SortFunc(run, func(a, b numbered) int { return cmp.Compare(a.n, b.n) })
	for i := 1; i < len(run); i++ {
		if run[i].n-run[i-1].n < 2 {
			continue
		}
		g.Missing += run[i].n - run[i-1].n - 1
		if len(g.Sequences) < shownGaps {
			g.Sequences = append(g.Sequences, SequenceGap{run[i-1].n, run[i].n, time.UnixMicro(run[i-1].at).UTC()})
		}
	}
}
