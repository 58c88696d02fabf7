package auth

import (
	"errors"
	"testing"
	"time"

	"billd/rating"
)

func TestASetupTokenWorksOnceForHalfAnHour(t *testing.T) {
	now := start
	s := &Setup{Now: func() time.Time { return now }}
	done := func() error { return nil }
	for _, token := range []string{"", "guess"} {
		if err := s.Use(token, done); rating.KindOf(err) != rating.Unauthenticated {
			t.Errorf("Use(%q) before any was issued = %v, want it refused", token, err)
		}
	}
	old, _ := s.Issue()
	token, ends := s.Issue()
	if !ends.Equal(start.Add(30*time.Minute)) || len(token) != 43 {
		t.Errorf("Issue = %q until %s, want 43 characters for 30 minutes", token, ends)
	}
	if s.Valid(old) || s.Valid(token+"x") || !s.Valid(token) {
		t.Error("Valid: want the newest token alone")
	}
	weak := errors.New("password too short")
	if err := s.Use(token, func() error { return weak }); !errors.Is(err, weak) {
		t.Errorf("Use = %v, want %v", err, weak)
	}
	if err := s.Use(token, done); err != nil {
		t.Errorf("Use after a failed attempt = %v, want it taken", err)
	}
	if err := s.Use(token, done); rating.KindOf(err) != rating.Unauthenticated {
		t.Errorf("Use again = %v, want it refused", err)
	}
	late, _ := s.Issue()
	now = now.Add(SetupTTL)
	if s.Valid(late) {
		t.Error("Valid after 30 minutes = true, want false")
	}
}
