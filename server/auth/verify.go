package auth

import (
	"crypto/sha256"
	"errors"
	"slices"

	"github.com/golang-jwt/jwt/v5"

	"billd/rating"
)

// errNotHere refuses a token that no secret of the surface signed; another surface may know it.
var errNotHere = refuse("signature", "token: not valid here")

const (
	maxTokenBytes = 16 << 10 // half of the server's 32 KiB for a whole request head
	onStack       = 512      // longer than all but a dynamic token: a remembered one costs no allocation
)

// Verify returns what token says if it opens one of surfaces, else an error of kind
// Unauthenticated whose Rule says why: required, format, expired, revoked, gone or signature. An
// answer names no more than that, because every dialect has one sentence for all of them.
//
// An error of another kind comes from Epochs: the store could not be asked. No surfaces, no entry.
func (t *Tokens) Verify(token string, surfaces ...Surface) (*Claims, error) {
	if token == "" {
		return nil, refuse("required", "token: missing")
	}
	if len(token) > maxTokenBytes {
		return nil, refuse("format", "token: too long")
	}
	var buf [onStack]byte
	sum := sha256.Sum256(append(buf[:0], token...))
	now := t.now()
	ring := t.secrets.ring.Load()
	if c := t.cache.find(sum, now, ring); c != nil && slices.Contains(surfaces, c.Principal.Surface) {
		return c, nil
	}
	age := t.cache.age() // before anything is asked, so that a Forget meanwhile is not undone
	for _, surface := range surfaces {
		c, err := t.verify(token, ring, surface, surface)
		if errors.Is(err, errNotHere) {
			continue
		}
		if err == nil {
			err = t.alive(sum, c)
		}
		if err != nil {
			return nil, err
		}
		t.cache.put(sum, remembered{c, ring, now.Add(cacheTTL)}, age)
		return c, nil
	}
	return nil, errNotHere
}

// VerifyRefresh returns what a PortSIP refresh token says. Its errors are those of Verify.
//
// A refresh token that was used is used up: the caller ends its session with RevokeSession and
// issues a new pair.
func (t *Tokens) VerifyRefresh(token string) (*Claims, error) {
	if token == "" || len(token) > maxTokenBytes {
		return nil, refuse("format", "refresh token: not valid")
	}
	c, err := t.verify(token, t.secrets.ring.Load(), PortSIP, refreshAud)
	if err != nil {
		return nil, err
	}
	if err := t.alive(sha256.Sum256([]byte(token)), c); err != nil {
		return nil, err
	}
	return c, nil
}

// verify checks signature, method, exp and pin of a token of surface whose audience is aud.
func (t *Tokens) verify(token string, ring *keyring, surface, aud Surface) (*Claims, error) {
	parser, known := t.parsers[aud]
	if !known {
		return nil, errNotHere
	}
	var w wire
	var c *Claims
	var asked error
	_, err := parser.ParseWithClaims(token, &w, func(*jwt.Token) (any, error) {
		var ok bool
		if c, ok = w.claims(surface); !ok || c.refresh != (aud == refreshAud) {
			return nil, jwt.ErrTokenInvalidClaims
		}
		if !t.now().Before(c.ExpiresAt) { // known by reading: no need to ask the store
			return nil, jwt.ErrTokenExpired
		}
		who, err := t.identity(c)
		if err != nil {
			asked = err
			return nil, err
		}
		return keys(ring.Surfaces[surface], who), nil
	})
	switch {
	case err == nil:
		return c, nil
	case rating.KindOf(asked) == rating.NotFound:
		return nil, refuse("gone", "token: its owner is gone")
	case asked != nil:
		return nil, asked
	case errors.Is(err, jwt.ErrTokenExpired):
		return nil, refuse("expired", "token: expired")
	case errors.Is(err, jwt.ErrTokenMalformed):
		return nil, refuse("format", "token: not a token")
	default:
		return nil, errNotHere
	}
}

// keys returns the keys of who under each secret that still verifies.
func keys(secrets []secret, who []byte) jwt.VerificationKeySet {
	var set jwt.VerificationKeySet
	for _, s := range secrets {
		set.Keys = append(set.Keys, derive(s.Secret, who))
	}
	return set
}

// alive refuses a token that was revoked, alone or with its session.
func (t *Tokens) alive(sum [32]byte, c *Claims) error {
	if t.revoked.Revoked(sum) || c.Session != "" && t.revoked.Revoked(sessionSum(c.Session)) {
		return refuse("revoked", "token: revoked")
	}
	return nil
}

// Revoke refuses token from now on; c is what Verify said of it.
// Fails if the revocation cannot be kept, in which case the token goes on working.
func (t *Tokens) Revoke(token string, c *Claims) error {
	if err := t.revoked.Revoke(sha256.Sum256([]byte(token)), c.ExpiresAt); err != nil {
		return err
	}
	t.Forget()
	return nil
}

// RevokeSession refuses every token of c's sign-in from now on: of a PortSIP pair, both.
// It does nothing when c belongs to a surface without sessions; use Revoke there.
func (t *Tokens) RevokeSession(c *Claims) error {
	if c.Session == "" {
		return nil
	}
	if err := t.revoked.Revoke(sessionSum(c.Session), c.SessionEnds); err != nil {
		return err
	}
	t.Forget()
	return nil
}

// Forget drops every remembered token, so that the next request asks again. Call it after a commit
// that changed a password or an epoch, or that closed a principal or an account.
func (t *Tokens) Forget() { t.cache.clear() }

// sessionSum names a session among the revoked: no token's text begins like this.
func sessionSum(session string) [32]byte { return sha256.Sum256([]byte("session " + session)) }

// refuse makes the one kind of error with which a token is turned away.
func refuse(rule, msg string) *rating.Error {
	return &rating.Error{Kind: rating.Unauthenticated, Field: "token", Rule: rule, Msg: msg}
}
