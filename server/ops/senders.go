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

// Senders is who has been heard since the server started: RADIUS packets of NAS and of addresses that are no
// NAS's, a bounded number of those, and requests of switches. It is safe for concurrent use; nil remembers nothing.
type Senders struct {
	mu        sync.Mutex
	strangers map[netip.Addr]*Stranger
	nas       heard
	switches  heard
}

// Stranger is a sender that is no NAS.
type Stranger struct {
	Address string    `json:"address"`
	Socket  string    `json:"socket"` // accounting or access, the last one
	Packets uint64    `json:"packets"`
	LastAt  time.Time `json:"last_at"`
}

// Heard is what came from a NAS or from a switch.
type Heard struct {
	Packets   uint64    `json:"packets"`          // or requests
	LastAt    time.Time `json:"last_at,omitzero"` // of those
	Refused   uint64    `json:"refused"`          // a NAS's of another secret, or not signed; a switch's from elsewhere, or for what it may not do
	RefusedAt time.Time `json:"refused_at,omitzero"`
}

// heard is what came, by the number of who it came from.
type heard map[uint64]*Heard

func (m heard) note(id uint64, at time.Time, refused bool) {
	h := m[id]
	if h == nil {
		h = &Heard{}
		m[id] = h
	}
	if refused {
		h.Refused++
		h.RefusedAt = at
		return
	}
	h.Packets++
	h.LastAt = at
}

func (m heard) of(id uint64) Heard {
	if h := m[id]; h != nil {
		return *h
	}
	return Heard{}
}

// NewSenders returns one that has heard of nobody.
func NewSenders() *Senders {
	return &Senders{strangers: map[netip.Addr]*Stranger{}, nas: heard{}, switches: heard{}}
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
	s.nas.note(nas, at, refused)
}

// HeardSwitch notes a request of a switch; refused says that it may not ask for that, or not from there.
func (s *Senders) HeardSwitch(id uint64, at time.Time, refused bool) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.switches.note(id, at, refused)
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
func (s *Senders) OfNAS(id uint64) Heard {
	if s == nil {
		return Heard{}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.nas.of(id)
}

// OfSwitch returns what came from a switch.
func (s *Senders) OfSwitch(id uint64) Heard {
	if s == nil {
		return Heard{}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.switches.of(id)
}
