package rating

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestInstantReadsWhatTimeParseReads(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := time.UnixMicro(rapid.Int64Range(0, maxStartMicro).Draw(t, "micro")).In(time.FixedZone("", 60*rapid.IntRange(-14*60, 14*60).Draw(t, "offset")))
		for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999", "2006-01-02 15:04:05.000Z07:00", "2006-01-02 15:04:05", time.RFC3339} {
			s := at.Format(layout)
			want, err := ParseTime(s)
			if err != nil {
				t.Fatal(err)
			}
			got, ok := instant(s)
			if !ok || got != want.UnixMicro() {
				t.Fatalf("instant(%q) = %d, %t, want %d", s, got, ok, want.UnixMicro())
			}
		}
	})
}

func TestInstantRefusesWhatIsNoInstant(t *testing.T) {
	for _, s := range []string{"", "2026-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-01-00T00:00:00Z", "2026-01-01T24:00:00Z",
		"2026-01-01T00:60:00Z", "2026-01-01T00:00:60Z", "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00+25:00", "2026-01-01T00:00:00 Z", "20x6-01-01T00:00:00Z", "2026-01-01T00:00:00.1234567891Z"} {
		if got, ok := instant(s); ok {
			t.Errorf("instant(%q) = %d, want none", s, got)
		}
	}
}

func TestInstantOfEveryDay(t *testing.T) {
	for at := time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC); at.Year() < 2200; at = at.AddDate(0, 0, 1) {
		s := at.Format("2006-01-02T15:04:05Z")
		if got, ok := instant(s); !ok || got != at.UnixMicro() {
			t.Fatalf("instant(%q) = %d, %t, want %d", s, got, ok, at.UnixMicro())
		}
	}
}
