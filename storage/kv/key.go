package kv

import (
	"encoding/binary"
	"time"
)

// Key builds a row key: fixed-width big-endian numbers, text ended by a zero byte. Keys so built sort
// as their parts do.
type Key []byte

// U64 appends a number as eight bytes.
func (k Key) U64(n uint64) Key { return binary.BigEndian.AppendUint64(k, n) }

// U32 appends a number as four bytes.
func (k Key) U32(n uint32) Key { return binary.BigEndian.AppendUint32(k, n) }

// U8 appends a number as one byte.
func (k Key) U8(n uint8) Key { return append(k, n) }

// Milli appends an instant as unix milliseconds in eight bytes; instants before 1970 sort first.
func (k Key) Milli(t time.Time) Key { return k.U64(uint64(max(t.UnixMilli(), 0))) }

// Text appends s and the zero byte that ends it. A zero byte inside s would end it early: callers
// refuse such text before it gets here.
func (k Key) Text(s string) Key { return append(append(k, s...), 0) }

// ID reads the number in the last eight bytes of a key.
func ID(key []byte) uint64 {
	if len(key) < 8 {
		return 0
	}
	return binary.BigEndian.Uint64(key[len(key)-8:])
}
