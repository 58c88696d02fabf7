package ops

import (
	"cmp"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// maxStrangers is how many unknown senders are remembered; who sent longest ago goes first.
const maxStrangers = 64

// Senders is who has sent RADIUS packets since the server started: NAS by their numbers, and addresses that
// are no NAS's, a bounded number of them. It is safe for concurrent use; nil remembers nothing.
type Senders struct {
	mu        sync.Mutex
	strangers map[netip.Addr]*Stranger
	nas       map[uint64]*NASHeard
}

// Stranger is a sender that is no NAS.
type Stranger struct {
	Address string    `json:"address"`
	Socket  string    `json:"socket"` // accounting or access, the last one
	Packets uint64    `json:"packets"`
	LastAt  time.Time `json:"last_at"`
}

// NASHeard is what came from a NAS.
type NASHeard struct {
	Packets   uint64    `json:"packets"`
	LastAt    time.Time `json:"last_at,omitzero"` // of those
	Refused   uint64    `json:"refused"`          // of another secret, or not signed
	RefusedAt time.Time `json:"refused_at,omitzero"`
}

// NewSenders returns one that has heard of nobody.
func NewSenders() *Senders {
	return &Senders{strangers: map[netip.Addr]*Stranger{}, nas: map[uint64]*NASHeard{}}
}

// Stranger notes a packet from an address that is no NAS's.
func (s *Senders) Stranger(from netip.Addr, socket string, at time.Time) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	who := s.strangers[from]
	if who == nil {
		if len(s.strangers) >= maxStrangers {
			var oldest netip.Addr
			for a, other := range s.strangers {
				if !oldest.IsValid() || other.LastAt.Before(s.strangers[oldest].LastAt) {
					oldest = a
				}
			}
			delete(s.strangers, oldest)
		}
		who = &Stranger{Address: from.String()}
		s.strangers[from] = who
	}
	who.Socket, who.LastAt = socket, at
	who.Packets++
}

// Heard notes a packet of a NAS; refused says that it was not authentic.
func (s *Senders) Heard(nas uint64, at time.Time, refused bool) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.nas[nas]
	if h == nil {
		h = &NASHeard{}
		s.nas[nas] = h
	}
	if refused {
		h.Refused++
		h.RefusedAt = at
		return
	}
	h.Packets++
	h.LastAt = at
}

// Strangers returns the unknown senders, the latest first.
func (s *Senders) Strangers() []Stranger {
	list := []Stranger{}
	if s == nil {
		return list
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, who := range s.strangers {
		list = append(list, *who)
	}
	slices.SortFunc(list, func(a, b Stranger) int {
		return cmp.Or(b.LastAt.Compare(a.LastAt), cmp.Compare(a.Address, b.Address))
	})
	return list
}

// OfNAS returns what came from a NAS.
func (s *Senders) OfNAS(id uint64) NASHeard {
	if s == nil {
		return NASHeard{}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if h := s.nas[id]; h != nil {
		return *h
	}
	return NASHeard{}
}
