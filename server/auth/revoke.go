package auth

import (
	"sync"
	"time"
)

// Revocations is the memory of tokens refused before their time. A hash is the SHA-256 of a token,
// or of a session; the text itself is never kept.
type Revocations interface {
	// Revoked reports whether hash was revoked.
	Revoked(hash [32]byte) bool
	// Revoke keeps hash at least until then, when its token expires anyway.
	Revoke(hash [32]byte, until time.Time) error
}

// MemoryRevocations is a Revocations that answers from memory and can be given a store to write to.
// It may be used by many goroutines.
type MemoryRevocations struct {
	now     func() time.Time
	persist func(hash [32]byte, until time.Time) error
	mu      sync.RWMutex
	until   map[[32]byte]time.Time
	sweepAt int // at this many entries the expired ones are dropped
}

const firstSweep = 1024

// NewMemoryRevocations returns an empty one. Each revocation goes through persist before it counts;
// nil keeps them in memory only. The caller fills it from its store with Load.
func NewMemoryRevocations(now func() time.Time, persist func(hash [32]byte, until time.Time) error) *MemoryRevocations {
	return &MemoryRevocations{now: now, persist: persist, until: map[[32]byte]time.Time{}, sweepAt: firstSweep}
}

// Load adds a revocation that was kept earlier; one that is over is left out.
func (m *MemoryRevocations) Load(hash [32]byte, until time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	if !now.Before(until) {
		return
	}
	if len(m.until) >= m.sweepAt {
		for h, u := range m.until {
			if !now.Before(u) {
				delete(m.until, h)
			}
		}
		// What is left is alive; sweeping again before it doubles would cost more than it frees.
		m.sweepAt = max(firstSweep, 2*len(m.until))
	}
	if until.After(m.until[hash]) {
		m.until[hash] = until
	}
}

// Revoked reports whether hash was revoked and would still be alive otherwise.
func (m *MemoryRevocations) Revoked(hash [32]byte) bool {
	m.mu.RLock()
	until, ok := m.until[hash]
	m.mu.RUnlock()
	return ok && m.now().Before(until)
}

// Revoke keeps hash until then, in the store first. Fails if the store does.
func (m *MemoryRevocations) Revoke(hash [32]byte, until time.Time) error {
	if m.persist != nil {
		if err := m.persist(hash, until); err != nil {
			return err
		}
	}
	m.Load(hash, until)
	return nil
}
