package auth

import (
	"crypto/sha256"
	"net/netip"
	"sync"
	"time"
)

// A login may fail ten times in a row, then once in 30 s; an address thirty times, then once in
// 10 s. That is 2,900 guesses a day at one login, from however many addresses.
const (
	loginFailures, loginEvery     = 10, 30 * time.Second
	addressFailures, addressEvery = 30, 10 * time.Second
	maxThrottled                  = 20_000 // 1.5 MB
)

// Throttle slows down whoever fails to log in, per login and per address. A failure is forgotten
// as time passes. It may be used by many goroutines, and its memory is bounded.
//
// The check comes before the password is hashed and the failure after it, so attempts sent at the
// same moment pass together; how many can, is bounded by the line in front of Passwords.
type Throttle struct {
	now func() time.Time
	mu  sync.Mutex
	// clean is when a key's failures are all forgotten: each failure moves it on by one interval.
	clean map[[sha256.Size]byte]time.Time
}

// NewThrottle returns a Throttle that has seen nothing.
func NewThrottle(now func() time.Time) *Throttle {
	return &Throttle{now: now, clean: map[[sha256.Size]byte]time.Time{}}
}

// Wait returns how long login from address has to wait before it may try, 0 for not at all; round
// it up to whole seconds for Retry-After. login is whatever names the account within its surface,
// for example "admin/anna". All of an IPv6 /64 is one address.
func (t *Throttle) Wait(login, address string) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	return max(0,
		t.wait(loginKey(login), now.Add((loginFailures-1)*loginEvery)),
		t.wait(addressKey(address), now.Add((addressFailures-1)*addressEvery)))
}

// wait returns by how much key's failures reach beyond limit; negative when they do not.
func (t *Throttle) wait(key [sha256.Size]byte, limit time.Time) time.Duration {
	return t.clean[key].Sub(limit) // of a key unknown: since year 1, which Sub cuts to the least Duration
}

// Failed counts a failed login.
func (t *Throttle) Failed(login, address string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.fail(loginKey(login), loginEvery)
	t.fail(addressKey(address), addressEvery)
}

// Succeeded forgets login's failures. The address keeps its own: whoever owns one login there
// could else go on guessing others.
func (t *Throttle) Succeeded(login string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.clean, loginKey(login))
}

// fail moves on the moment at which key is clean again.
func (t *Throttle) fail(key [sha256.Size]byte, every time.Duration) {
	now := t.now()
	at, known := t.clean[key]
	if !known && len(t.clean) >= maxThrottled {
		t.makeRoom(now)
	}
	if at.Before(now) {
		at = now
	}
	t.clean[key] = at.Add(every)
}

// makeRoom drops what is forgotten, and when nothing is, whoever would be first: who has failed
// most stays longest. A walk costs 1/100 of the password hash that led here.
func (t *Throttle) makeRoom(now time.Time) {
	var first [sha256.Size]byte
	var firstAt time.Time
	for key, at := range t.clean {
		if !now.Before(at) {
			delete(t.clean, key)
		} else if firstAt.IsZero() || at.Before(firstAt) {
			first, firstAt = key, at
		}
	}
	if len(t.clean) >= maxThrottled {
		delete(t.clean, first)
	}
}

// loginKey and addressKey hash, so that a long name takes no more room than a short one.
func loginKey(login string) [sha256.Size]byte { return sha256.Sum256([]byte("login " + login)) }

func addressKey(address string) [sha256.Size]byte {
	if ip, err := netip.ParseAddr(address); err == nil {
		ip = ip.Unmap().WithZone("")
		bits := ip.BitLen()
		if ip.Is6() {
			bits = 64 // what one customer is given
		}
		if net, err := ip.Prefix(bits); err == nil {
			address = net.String()
		}
	}
	return sha256.Sum256([]byte("address " + address))
}
