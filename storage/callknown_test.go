package storage

import (
	"context"
	"errors"
	"testing"

	"billd/rating"

	"pgregory.net/rapid"
)

// However little the writer remembers, and whatever failed, a call is new once.
func TestKnownCallsForgetNothingThatMatters(t *testing.T) {
	s, run := openSample(t), 0
	rapid.Check(t, func(r *rapid.T) {
		run++ // each with calls of its own
		s.known = newKnownCalls()
		s.known.limit = rapid.IntRange(1, 40).Draw(r, "limit")
		planted := errors.New("planted")
		taken := map[[2]int]bool{}
		for range rapid.IntRange(1, 30).Draw(r, "transactions") {
			fails := rapid.IntRange(0, 4).Draw(r, "fails") == 0
			now := map[[2]int]bool{}
			err := s.Update(context.Background(), func(tx *Tx) error {
				clear(now)
				for range rapid.IntRange(1, 12).Draw(r, "calls") {
					of := [2]int{3*run + rapid.IntRange(0, 2).Draw(r, "client"), rapid.IntRange(0, 60).Draw(r, "n")}
					record := killRecord(of[0], of[1])
					v, err := tx.take(&record)
					if err != nil {
						return err
					}
					if seen := taken[of] || now[of]; seen != (v.Outcome == rating.OutcomeDuplicate) {
						r.Fatalf("record %v: %s, delivered before: %v", of, v.Outcome, seen)
					}
					now[of] = v.Outcome != rating.OutcomeSuspended
				}
				if fails {
					return planted
				}
				return nil
			})
			if fails != errors.Is(err, planted) {
				r.Fatal(err)
			}
			if !fails {
				for of := range now {
					taken[of] = now[of]
				}
			}
		}
	})
}
