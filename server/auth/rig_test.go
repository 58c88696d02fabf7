package auth

import (
	"crypto/hmac"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"strings"
	"sync"
	"testing"
	"time"

	"billd/rating"
)

var start = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// rig is Tokens on a clock and a table of principals that a test moves by hand.
type rig struct {
	*Tokens
	dir     string
	secrets *Secrets
	mu      sync.Mutex
	clock   time.Time
	epoch   map[Principal]uint64 // missing: 0
	gone    map[Principal]bool
	broken  error
	asked   int
}

func newRig(t testing.TB) *rig {
	t.Helper()
	r := &rig{dir: t.TempDir(), clock: start, epoch: map[Principal]uint64{}, gone: map[Principal]bool{}}
	var err error
	if r.secrets, err = OpenSecrets(r.dir); err != nil {
		t.Fatal(err)
	}
	r.Tokens, err = NewTokens(Config{Secrets: r.secrets, Epochs: r.lookUp, Now: r.time,
		Revocations: NewMemoryRevocations(r.time, nil)})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *rig) time() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.clock
}

func (r *rig) wait(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.clock = r.clock.Add(d)
}

func (r *rig) lookUp(p Principal) (uint64, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked++
	if r.gone[p] {
		return 0, rating.Errorf(rating.NotFound, "principal", "%s: gone", p)
	}
	return r.epoch[p], r.broken
}

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// rule returns why err refuses a token; "" when it does not.
func rule(err error) string {
	var e *rating.Error
	if errors.As(err, &e) {
		return e.Rule
	}
	return fmt.Sprint(err)
}

// segment returns the JSON of part n of a token.
func segment(t *testing.T, token string, n int) string {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[n])
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// forge signs header and claims with key: what only a holder of the derived key could do.
func forge(header, claims string, h func() hash.Hash, key []byte) string {
	text := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString([]byte(claims))
	m := hmac.New(h, key)
	m.Write([]byte(text))
	return text + "." + base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

// operatorKey returns the key that signs operator 7's admin tokens.
func (r *rig) operatorKey(t *testing.T) []byte {
	who := must[[]byte](t)(r.identity(&Claims{Principal: Principal{Surface: Admin, Kind: KindOperator, ID: 7}}))
	return derive(r.secrets.ring.Load().Surfaces[Admin][0].Secret, who)
}

// next returns a base64 digit whose unused low bits differ: 32 bytes leave two bits over.
func next(digit string) string {
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return digits[strings.Index(digits, digit)|1:][:1]
}
