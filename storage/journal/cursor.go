package journal

import (
	"bytes"

	"billd/storage/kv"

	"github.com/tidwall/btree"
)

// source is an ordered sequence of one bucket's keys. key is nil where it stands at none.
type source struct {
	base kv.Cursor // the store's rows, or else
	it   btree.MapIter[string, []byte]
	of   *memory
	k, v []byte
}

// cursor merges the rows of the store with those of the layers. Going forward every source stands at its
// first key after the current one, going backward at its last before it; at the current one it is emitted.
type cursor struct {
	t        *txn
	bucket   byte
	sources  []source // newest first, the store last
	at       []byte   // the current key, nil at either end
	backward bool
	seen     int // the transaction's writes when the sources were placed
	text     []byte
}

func (t *txn) newCursor(b kv.Bucket) *cursor {
	c := &cursor{t: t, bucket: byte(b), sources: make([]source, 0, 3)}
	c.attach()
	c.sources = append(c.sources, source{base: t.base.Cursor(b)})
	return c
}

// attach makes the sources of the layers, which a write gives other ones.
func (c *cursor) attach() {
	var base []source
	if n := len(c.sources); n > 0 {
		base = append(base, c.sources[n-1])
	}
	c.sources = c.sources[:0]
	for _, m := range c.t.layers {
		if m != nil {
			c.sources = append(c.sources, source{of: m, it: m.rows.Iter()})
		}
	}
	c.sources = append(c.sources, base...)
	c.seen = c.t.writes
}

func (c *cursor) key(k []byte) string {
	c.text = append(append(c.text[:0], c.bucket), k...)
	return asString(c.text)
}

// found takes over where the iterator of a layer stands.
func (c *cursor) found(s *source, ok bool) {
	if s.k, s.v = nil, nil; !ok {
		return
	}
	if key := s.it.Key(); key[0] == c.bucket {
		s.k, s.v = asBytes(key[1:]), s.it.Value()
	}
}

// seek places a source at its first key at or after k.
func (c *cursor) seek(s *source, k []byte) {
	if s.base != nil {
		s.k, s.v = s.base.Seek(k)
		return
	}
	c.found(s, s.it.Seek(c.key(k)))
}

func (c *cursor) next(s *source) {
	if s.base != nil {
		s.k, s.v = s.base.Next()
		return
	}
	c.found(s, s.it.Next())
}

func (c *cursor) prev(s *source) {
	if s.base != nil {
		s.k, s.v = s.base.Prev()
		return
	}
	c.found(s, s.it.Prev())
}

// last places a source at its last key.
func (c *cursor) last(s *source) {
	switch {
	case s.base != nil:
		s.k, s.v = s.base.Last()
	case c.bucket == 0xff:
		c.found(s, s.it.Last())
	case s.it.Seek(string([]byte{c.bucket + 1})):
		c.prev(s)
	default:
		c.found(s, s.it.Last())
	}
}

// before places a source at its last key before k.
func (c *cursor) before(s *source, k []byte) {
	if c.seek(s, k); s.k == nil {
		c.last(s)
	} else {
		c.prev(s)
	}
}

// emit makes the nearest key the current one, passing over those that were deleted.
func (c *cursor) emit() ([]byte, []byte) {
	for {
		var best *source
		for i := range c.sources {
			s := &c.sources[i]
			if s.k == nil {
				continue
			}
			if best == nil {
				best = s
			} else if d := bytes.Compare(s.k, best.k); d != 0 && (d < 0) != c.backward {
				best = s
			}
		}
		if best == nil {
			c.at = nil
			return nil, nil
		}
		c.at = best.k
		if v := best.v; v != nil || best.base != nil {
			return c.at, v
		}
		c.pass()
	}
}

// pass moves every source that stands at the current key on.
func (c *cursor) pass() {
	at := c.at
	for i := range c.sources {
		if s := &c.sources[i]; s.k != nil && bytes.Equal(s.k, at) {
			if c.backward {
				c.prev(s)
			} else {
				c.next(s)
			}
		}
	}
}

func (c *cursor) stale() bool { return c.seen != c.t.writes }

// Seek goes to the first key at or after key.
func (c *cursor) Seek(key []byte) ([]byte, []byte) {
	if c.stale() {
		c.attach()
	}
	c.backward = false
	for i := range c.sources {
		c.seek(&c.sources[i], key)
	}
	return c.emit()
}

// First goes to the first key.
func (c *cursor) First() ([]byte, []byte) {
	if c.stale() {
		c.attach()
	}
	c.backward = false
	for i := range c.sources {
		if s := &c.sources[i]; s.base != nil {
			s.k, s.v = s.base.First()
		} else {
			c.seek(s, nil)
		}
	}
	return c.emit()
}

// Last goes to the last key.
func (c *cursor) Last() ([]byte, []byte) {
	if c.stale() {
		c.attach()
	}
	c.backward = true
	for i := range c.sources {
		c.last(&c.sources[i])
	}
	return c.emit()
}

// Next goes to the key after the current one, from before the first to the first.
func (c *cursor) Next() ([]byte, []byte) {
	switch {
	case c.at == nil && c.backward:
		return c.First()
	case c.at == nil:
		return nil, nil
	case c.backward || c.stale():
		if c.stale() {
			c.attach()
		}
		c.backward = false
		for i := range c.sources {
			c.seek(&c.sources[i], c.at)
		}
	}
	c.pass()
	return c.emit()
}

// Prev goes to the key before the current one, from after the last to the last.
func (c *cursor) Prev() ([]byte, []byte) {
	switch {
	case c.at == nil && !c.backward:
		return c.Last()
	case c.at == nil:
		return nil, nil
	case !c.backward || c.stale():
		if c.stale() {
			c.attach()
		}
		c.backward = true
		for i := range c.sources {
			c.before(&c.sources[i], c.at)
		}
		return c.emit()
	}
	c.pass()
	return c.emit()
}
