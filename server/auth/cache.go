package auth

import (
	"sync"
	"time"
)

const (
	cacheTTL  = time.Minute // R23: a verified token is remembered for at most 60 s
	cacheSize = 10_000
)

// cache remembers verified tokens by their SHA-256. It holds two maps of half its size: when the
// young one is full it becomes the old one and the old one is dropped, so that no entry is ever
// searched for, and what is in use comes back at the cost of one verification.
type cache struct {
	mu         sync.RWMutex
	young, old map[[32]byte]remembered
	cleared    uint64 // counts clear
}

// remembered is a verified token: its claims, the secrets it was verified with, and until when.
type remembered struct {
	claims *Claims
	ring   *keyring
	until  time.Time
}

// newCache returns an empty cache.
func newCache() *cache { return &cache{young: map[[32]byte]remembered{}} }

// find returns the claims of the token named by sum, or nil. What was verified with other secrets
// than ring is not found, so that a rotation counts at once.
func (c *cache) find(sum [32]byte, now time.Time, ring *keyring) *Claims {
	c.mu.RLock()
	r, ok := c.young[sum]
	if !ok {
		r, ok = c.old[sum]
	}
	c.mu.RUnlock()
	if !ok || r.ring != ring || !now.Before(r.until) || !now.Before(r.claims.ExpiresAt) {
		return nil
	}
	return r.claims
}

// age returns a number that changes with every clear.
func (c *cache) age() uint64 {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.cleared
}

// put remembers r, unless the cache was cleared since it had that age.
func (c *cache) put(sum [32]byte, r remembered, age uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cleared != age {
		return
	}
	if len(c.young) >= cacheSize/2 {
		c.young, c.old = make(map[[32]byte]remembered, cacheSize/2), c.young
	}
	c.young[sum] = r
}

// clear forgets everything, including what is being verified at this moment.
func (c *cache) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.young, c.old = map[[32]byte]remembered{}, nil
	c.cleared++
}
