package radius

import (
	"hash/maphash"
	"net/netip"
	"sync"
	"time"
)

// Limits of what is remembered of requests.
const (
	maxRecent  = 8192             // requests
	recentKept = 30 * time.Second // a NAS sends again for about as long
)

// fingerprint tells a request from all others: the same from the same port is the same sent again.
type fingerprint struct {
	from          netip.AddrPort
	authenticator [16]byte
	rest          uint64
}

// recent remembers what was answered lately, and what is being worked on.
type recent struct {
	seed maphash.Seed
	mu   sync.Mutex
	of   map[fingerprint]*remembered
	ring [maxRecent]fingerprint
	next int
}

type remembered struct {
	answer []byte // nil while it is worked on
	at     time.Time
}

func newRecent() *recent {
	return &recent{seed: maphash.MakeSeed(), of: map[fingerprint]*remembered{}}
}

func (r *recent) print(p *packet, from netip.AddrPort) fingerprint {
	f := fingerprint{from: from, rest: maphash.Bytes(r.seed, p.raw)}
	copy(f.authenticator[:], p.authenticator())
	return f
}

// begin notes that a request is worked on. known says that it is, or was, already: with its answer, if it has one.
func (r *recent) begin(f fingerprint, now time.Time) (answer []byte, known bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e := r.of[f]; e != nil {
		if e.answer == nil || now.Sub(e.at) < recentKept {
			return e.answer, true
		}
		*e = remembered{at: now} // it keeps its place in the ring
		return nil, false
	}
	delete(r.of, r.ring[r.next])
	r.ring[r.next] = f
	r.next = (r.next + 1) % maxRecent
	r.of[f] = &remembered{at: now}
	return nil, false
}

// end keeps the answer of a request; without one it is forgotten, and worked on again when it comes again.
func (r *recent) end(f fingerprint, answer []byte, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if answer == nil {
		delete(r.of, f)
	} else if e := r.of[f]; e != nil {
		e.answer, e.at = answer, now
	}
}
