package rating

import (
	"cmp"
	"math/bits"
	"slices"
)

// counterSize is where a counter without gigawords begins anew.
const counterSize = 1 << 32

// Octets are bytes in both directions, seen from the subscriber.
type Octets struct {
	Up   uint64 `json:"up"`
	Down uint64 `json:"down"`
}

// IsZero reports whether there are none.
func (o Octets) IsZero() bool { return o == Octets{} }

// Add returns the sums of both directions. Fails with Range beyond 2⁶².
func (o Octets) Add(p Octets) (Octets, error) {
	up, upCarry := bits.Add64(o.Up, p.Up, 0)
	down, downCarry := bits.Add64(o.Down, p.Down, 0)
	if upCarry|downCarry != 0 || up > maxDataOctets || down > maxDataOctets {
		return o, Errorf(Range, "octets", "more octets than can be counted")
	}
	return Octets{up, down}, nil
}

// Sub returns what o has more than p, which is in it.
func (o Octets) Sub(p Octets) Octets { return Octets{o.Up - p.Up, o.Down - p.Down} }

// Total is both directions together; sums that Add made fit.
func (o Octets) Total() uint64 { return o.Up + o.Down }

// SessionPoint is what one record said of its session's counters.
type SessionPoint struct {
	At      int64      `json:"at"` // milliseconds since 1970
	Seconds uint32     `json:"s,omitempty"`
	Status  DataStatus `json:"st"`
	Total   Octets     `json:"n"`
}

// Point returns what the record says of its session's counters.
func (r *DataRecord) Point() SessionPoint {
	return SessionPoint{At: r.At.UnixMilli(), Seconds: r.Seconds, Status: r.Status, Total: Octets{Up: r.Input, Down: r.Output}}
}

// rank orders statuses of one moment: a session starts, goes on and stops.
func (s DataStatus) rank() int {
	switch s {
	case DataStart:
		return 0
	case DataStop:
		return 2
	}
	return 1
}

// compare orders points as they were made: sources give time in whole seconds.
func (p SessionPoint) compare(q SessionPoint) int {
	return cmp.Or(cmp.Compare(p.At, q.At), cmp.Compare(p.Seconds, q.Seconds), cmp.Compare(p.Status.rank(), q.Status.rank()), cmp.Compare(p.Total.Total(), q.Total.Total()))
}

// same reports whether both say the same: a retransmitted record, whatever time its source gave it.
func (p SessionPoint) same(q SessionPoint) bool {
	return p.Status == q.Status && p.Seconds == q.Seconds && p.Total == q.Total
}

// KeptPoints is how many points of a session are kept. Records may come in any order as long as none is
// overtaken by more than these.
const KeptPoints = 8

// SessionPoints are the latest points of a session in order of time, at most KeptPoints.
type SessionPoints []SessionPoint

// CounterStep is what one more point changes.
type CounterStep struct {
	Used  Octets // beyond what the points before it showed
	Known bool   // the point, or one that says the same, was there
	Stale bool   // older than every point that is kept: later totals hold its octets
	Reset bool   // a total is smaller than the one before it, and began anew
	Since int64  // milliseconds of the point before it, its own time when it is the first
}

// Add places a point among those of its session. dropped says that older ones were dropped before; the
// result is then at most KeptPoints long as well.
//
// What was used is the sum of the differences between neighbours, from zero on. A total that is smaller
// than the one before it began anew at zero; with wraps it passed 2³². So the sum is the same in whatever
// order points come, grows only, and a point that lies between two neighbours changes nothing unless it
// shows octets that a reset hid.
func (ps SessionPoints) Add(p SessionPoint, dropped, wraps bool) (SessionPoints, CounterStep) {
	for _, q := range ps {
		if p.same(q) {
			return ps, CounterStep{Known: true, Since: q.At}
		}
	}
	i, _ := slices.BinarySearchFunc(ps, p, SessionPoint.compare)
	if i == 0 && dropped {
		return ps, CounterStep{Stale: true, Since: p.At}
	}
	var before Octets
	step := CounterStep{Since: p.At}
	if i > 0 {
		before, step.Since = ps[i-1].Total, ps[i-1].At
	}
	used, reset := gain(before, p.Total, wraps)
	if i < len(ps) {
		rest, again := gain(p.Total, ps[i].Total, wraps)
		was, noted := gain(before, ps[i].Total, wraps)
		used = Octets{used.Up + rest.Up - was.Up, used.Down + rest.Down - was.Down}
		reset = (reset || again) && !noted
	}
	step.Used, step.Reset = used, reset
	ps = slices.Insert(slices.Clone(ps), i, p)
	return ps[max(0, len(ps)-KeptPoints):], step
}

// gain returns what passed between two totals, and whether one of them began anew.
func gain(from, to Octets, wraps bool) (used Octets, reset bool) {
	up, upReset := counterGain(from.Up, to.Up, wraps)
	down, downReset := counterGain(from.Down, to.Down, wraps)
	return Octets{up, down}, upReset || downReset
}

func counterGain(from, to uint64, wraps bool) (uint64, bool) {
	switch {
	case to >= from:
		return to - from, false
	case wraps:
		return counterSize - from + to, false
	}
	return to, true
}
