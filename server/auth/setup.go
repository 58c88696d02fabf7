package auth

import (
	"crypto/sha256"
	"crypto/subtle"
	"sync"
	"time"

	"billd/rating"
)

// SetupTTL is how long a setup token works.
const SetupTTL = 30 * time.Minute

// Setup holds the one-time token with which a new installation gets its first operator. The token
// lives in this process's memory only, as a hash; a restart makes another. The zero value with Now
// set is ready.
type Setup struct {
	Now func() time.Time

	mu   sync.Mutex
	hash [sha256.Size]byte
	ends time.Time
}

// Issue returns a new token and when it ends. The one before it stops working.
func (s *Setup) Issue() (token string, ends time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	token = randomText(secretBytes)
	s.hash, s.ends = sha256.Sum256([]byte(token)), s.Now().Add(SetupTTL)
	return token, s.ends
}

// Valid reports whether Use would take token now, for the page that shows the form.
func (s *Setup) Valid(token string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.valid(token)
}

// Use runs create with token and, when create succeeds, ends the token. Of two that come at the
// same moment the second waits, and is refused if the first succeeded.
// Fails with Unauthenticated when the token is wrong, used or over, else with create's error.
func (s *Setup) Use(token string, create func() error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.valid(token) {
		return rating.Errorf(rating.Unauthenticated, "token", "setup link: not valid any more; restart billd, or run billd admin create")
	}
	if err := create(); err != nil {
		return err
	}
	s.ends = time.Time{}
	return nil
}

// valid compares in constant time; a Setup that issued nothing is over since year 1.
func (s *Setup) valid(token string) bool {
	hash := sha256.Sum256([]byte(token))
	return s.Now().Before(s.ends) && subtle.ConstantTimeCompare(hash[:], s.hash[:]) == 1
}
