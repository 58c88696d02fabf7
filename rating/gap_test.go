package rating

import (
	"fmt"
	"reflect"
	"testing"
	"time"
)

var gapDay = time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)

// traffic adds ten calls an hour from 08:00 to 20:00 on each of a week's days, but for the hours that skip names.
func traffic(f *GapFinder, skip func(day, hour int) bool) {
	n := 0
	for day := range 7 {
		for hour := 8; hour < 20; hour++ {
			for i := range 10 {
				if n++; !skip(day, hour) {
					f.Add("pbx", gapDay.AddDate(0, 0, day).Add(time.Duration(hour)*time.Hour+time.Duration(i)*time.Minute), fmt.Sprintf("c%d/%d", n, n))
				}
			}
		}
	}
}

func TestSilencesAreHoursThatOtherDaysHave(t *testing.T) {
	f := NewGapFinder()
	traffic(f, func(day, hour int) bool { return day == 3 && (hour == 10 || hour == 11) || day == 6 && hour >= 15 })
	got := f.Gaps(gapDay.AddDate(0, 0, 7))
	if len(got) != 1 {
		t.Fatalf("%d sources, want 1", len(got))
	}
	at := func(day, hour int) time.Time { return gapDay.AddDate(0, 0, day).Add(time.Duration(hour) * time.Hour) }
	want := []Silence{{at(3, 10), at(3, 12), 20}, {at(6, 15), at(6, 20), 50}}
	if !reflect.DeepEqual(got[0].Silences, want) {
		t.Errorf("silences = %v, want %v: nights are no gaps, and the end counts", got[0].Silences, want)
	}
	if got[0].Missing != 20 || len(got[0].Sequences) != 1 {
		t.Errorf("missing = %d in %v, want the 20 numbers of the two hours: what comes after the last is not known", got[0].Missing, got[0].Sequences)
	}
}

func TestWholeWeekHasNoGaps(t *testing.T) {
	f := NewGapFinder()
	traffic(f, func(int, int) bool { return false })
	g := f.Gaps(gapDay.AddDate(0, 0, 7))[0]
	if g.Silences != nil || g.Missing != 0 || g.Records != 7*12*10 || g.Numbered != g.Records {
		t.Errorf("%+v, want no gaps", g)
	}
}

func TestSequenceGaps(t *testing.T) {
	for _, tt := range []struct {
		name    string
		ids     []string
		missing uint64
		gaps    []string
	}{
		{"none", []string{"a/1", "b/2", "c/3"}, 0, nil},
		{"one and two", []string{"a/1", "b/3", "c/6"}, 3, []string{"1-3", "3-6"}},
		{"out of order", []string{"a/3", "b/1", "c/2"}, 0, nil},
		{"a number twice", []string{"a/1", "b/1", "c/2"}, 0, nil},
		{"the switch was started anew", []string{"a/50000", "b/50001", "c/1", "d/3"}, 1, []string{"1-3"}},
		{"another counter", []string{"a/1", "b/2", "c/9000000"}, 0, nil},
		{"no numbers", []string{"a", "b/x", "c/-4"}, 0, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := NewGapFinder()
			for i, id := range tt.ids {
				f.Add("", gapDay.Add(time.Duration(i)*time.Second), id)
			}
			g := f.Gaps(gapDay)[0]
			var gaps []string
			for _, s := range g.Sequences {
				gaps = append(gaps, fmt.Sprintf("%d-%d", s.After, s.Before))
			}
			if g.Missing != tt.missing || !reflect.DeepEqual(gaps, tt.gaps) {
				t.Errorf("missing %d in %v, want %d in %v", g.Missing, gaps, tt.missing, tt.gaps)
			}
		})
	}
}
