package storage

import (
	"encoding/binary"
	"time"

	"billd/rating"
)

// A data session row is
//
//	layout   1 byte
//	texts    source, session, user, cause, address, calling, called
//	times    start, last, stopped: microseconds since 1970, 0 for none; varints, as all that follows
//	sums     seconds, octets up and down, records, resets, 1 if points were dropped
//	points   their number; each: milliseconds since 1970, seconds, status, totals up and down
const dataSessionLayout = 1

// appendDataSession appends s as a row to dst; its number is the row's key. Times are kept to the microsecond.
func appendDataSession(dst []byte, s *DataSession) []byte {
	dst = append(dst, dataSessionLayout)
	for _, text := range [...]string{s.Source, s.Session, s.User, s.Cause, s.Address, s.Calling, s.Called} {
		dst = appendText(dst, text)
	}
	for _, t := range [...]time.Time{s.StartAt, s.LastAt, s.StoppedAt} {
		micro := uint64(0)
		if !t.IsZero() {
			micro = uint64(t.UnixMicro())
		}
		dst = binary.AppendUvarint(dst, micro)
	}
	dropped := uint64(0)
	if s.Dropped {
		dropped = 1
	}
	for _, n := range [...]uint64{uint64(s.Seconds), s.Used.Up, s.Used.Down, s.Records, s.Resets, dropped, uint64(len(s.Points))} {
		dst = binary.AppendUvarint(dst, n)
	}
	for _, p := range s.Points {
		for _, n := range [...]uint64{uint64(p.At), uint64(p.Seconds), uint64(p.Status), p.Total.Up, p.Total.Down} {
			dst = binary.AppendUvarint(dst, n)
		}
	}
	return dst
}

// decodeDataSession makes s the session that row b holds under key id. Fails with Internal if b is damaged or
// a newer billd wrote it; s is then not to be used.
func decodeDataSession(id uint64, b []byte, s *DataSession) error {
	if err := checkLayout(b, "data session", dataSessionLayout); err != nil {
		return err
	}
	r := rowReader{b: b[1:]}
	*s = DataSession{ID: id}
	for _, text := range [...]*string{&s.Source, &s.Session, &s.User, &s.Cause, &s.Address, &s.Calling, &s.Called} {
		*text = string(r.text())
	}
	for _, t := range [...]*time.Time{&s.StartAt, &s.LastAt, &s.StoppedAt} {
		if micro := r.uvarint(); micro != 0 {
			*t = time.UnixMicro(int64(micro)).UTC()
		}
	}
	s.Seconds = r.uvarint32()
	s.Used = rating.Octets{Up: r.uvarint(), Down: r.uvarint()}
	s.Records, s.Resets, s.Dropped = r.uvarint(), r.uvarint(), r.uvarint() == 1
	n := r.uvarint()
	if n > rating.KeptPoints {
		return damagedRow("data session", "it has more points than are kept")
	}
	s.Points = make(rating.SessionPoints, n)
	for i := range s.Points {
		s.Points[i] = rating.SessionPoint{At: int64(r.uvarint()), Seconds: r.uvarint32(), Status: rating.DataStatus(r.uvarint()), Total: rating.Octets{Up: r.uvarint(), Down: r.uvarint()}}
	}
	switch {
	case r.failed:
		return damagedRow("data session", "it is cut short")
	case len(r.b) > 0:
		return damagedRow("data session", "bytes follow its last point")
	}
	return nil
}
