package storage

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"billd/rating"
)

func TestARecordThatFitsNowhereIsHeldAndTheOthersGoOn(t *testing.T) {
	s := openSample(t)
	huge := func(id string) Record {
		r := s.call(testClock.Add(-time.Hour), id, "Tiny", "442071838750", 60)
		r.Call.Rated = true
		r.Call.SetInt(rating.CDRCustomerPrice, int64(rating.MaxMoney))
		return r
	}
	plain := s.call(testClock.Add(-time.Hour), "plain", "Tiny", "442071838750", 60)
	q := NewIngest(s.DB)
	defer q.Stop()
	for _, tt := range []struct {
		name   string
		submit func([]Record) ([]rating.Verdict, error)
	}{
		{"through the queue", func(r []Record) ([]rating.Verdict, error) { return q.Submit(context.Background(), r) }},
		{"delivered again past it", func(r []Record) ([]rating.Verdict, error) { return s.ChargeNow(context.Background(), r) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v, err := tt.submit([]Record{huge("h1"), plain, huge("h2"), huge("h3")})
			if err != nil {
				t.Fatal(err)
			}
			if len(v) != 4 || v[0].Outcome == rating.OutcomeSuspended || v[1].Outcome == rating.OutcomeSuspended {
				t.Fatalf("verdicts = %+v, want the first two charged", v)
			}
			for _, held := range v[2:] {
				if held.Reason != rating.ReasonRange || held.Suspense == 0 {
					t.Errorf("verdict = %+v, want it held for its range", held)
				}
			}
		})
	}
	clean(t, s.DB)
}

func TestEveryTimeThatARecordCanNameIsAnswered(t *testing.T) {
	s := openSample(t)
	at := func(micro int64) Record {
		r := s.call(testClock, "at", "Tiny", "442071838750", 60)
		r.Call.SetInt(rating.CDRTimeStart, micro)
		return r
	}
	for _, tt := range []struct {
		name  string
		micro int64
		want  rating.Outcome
	}{
		{"the first instant", 0, rating.OutcomeRated},
		{"before 1970", -1, rating.OutcomeSuspended},
		{"long before 1970", -1 << 62, rating.OutcomeSuspended},
		{"milliseconds where seconds belong", 1_700_000_000_000 * 1_000_000, rating.OutcomeSuspended},
		{"beyond every calendar", 1<<63 - 1, rating.OutcomeSuspended},
		{"the year 2200", 7258118400 * 1_000_000, rating.OutcomeSuspended},
		{"six minutes ahead", testClock.Add(time.Hour + 6*time.Minute).UnixMicro(), rating.OutcomeSuspended},
		{"four minutes ahead", testClock.Add(time.Hour + 4*time.Minute).UnixMicro(), rating.OutcomeRated},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for range 2 {
				v := s.charge([]Record{at(tt.micro)})
				if got := v[0].Outcome; got != tt.want && !(tt.want == rating.OutcomeRated && got == rating.OutcomeDuplicate) {
					t.Errorf("outcome = %s (%s), want %s", got, v[0].Detail, tt.want)
				}
			}
		})
	}
	clean(t, s.DB)
}

func TestAClosedAccountPaysForHistoryOnly(t *testing.T) {
	s := openSample(t)
	own := s.call(testClock, "own", "", "442071838750", 60)
	own.Call.SetInt(rating.CDRCustomerAccID, int64(s.closed.ID))
	history := s.call(testClock, "history", "", "442071838750", 60)
	history.Call.SetInt(rating.CDRCustomerAccID, int64(s.closed.ID))
	history.Call.Rated = true
	v := s.charge([]Record{own, history})
	if v[0].Reason != rating.ReasonNoAccount {
		t.Errorf("own call = %+v, want it held: %s", v[0], rating.ReasonNoAccount)
	}
	if v[1].Outcome == rating.OutcomeSuspended {
		t.Errorf("history = %+v, want it taken", v[1])
	}
	clean(t, s.DB)
}

// TestASubmissionIsAnsweredWhileTheQueueStops submits from many goroutines while the writer ends: each
// gets a verdict for what is stored, or is told that nothing is.
func TestASubmissionIsAnsweredWhileTheQueueStops(t *testing.T) {
	s := openSample(t)
	for round := range 20 {
		q := NewIngest(s.DB)
		var clients sync.WaitGroup
		for c := range 8 {
			clients.Go(func() {
				r := s.call(testClock, strings.Repeat("x", c+1)+string(rune('A'+round)), "Tiny", "442071838750", 1)
				ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
				defer cancel()
				v, err := q.Submit(ctx, []Record{r})
				if err != nil && !errors.Is(err, ErrBusy) || err == nil && len(v) != 1 {
					t.Errorf("Submit = %v, %v, want a verdict or %v", v, err, ErrBusy)
				}
			})
		}
		q.Stop()
		clients.Wait()
		q.Stop() // a second one does nothing
		if n := q.Waiting(); n != 0 {
			t.Errorf("waiting = %d, want 0", n)
		}
	}
	clean(t, s.DB)
}
