package deckcsv

import (
	"bytes"
	"errors"
	"io"
)

// errLineTooLong says that the line numbered by lines.line was skipped for its length.
var errLineTooLong = errors.New("line too long")

// Bounds of a quoted record that runs over line ends: what goes on for longer is a quote that was
// never closed. In billd's own export a name may be 1,024 line ends (PortSIP: 1,024 characters).
const (
	maxRecordLines = 64
	maxBilldLines  = 1100
)

// lines cuts a stream into lines without copying them. A returned line is valid until the next call.
type lines struct {
	r   io.Reader
	buf []byte
	rec int // where the current record begins in buf
	pos int // where the next line begins in buf
	eof bool
	eol byte
	max int // bytes of a record
	// maxLines bounds how many lines a record may run on for
	maxLines int
	line     int // number of the last line cut
}

// next returns the next line without its end. Fails with io.EOF, errLineTooLong, or what the stream failed with.
func (l *lines) next() ([]byte, error) {
	l.rec = l.pos
	end, err := l.find(l.pos)
	if err != nil && err != errLineTooLong {
		return nil, err
	}
	l.line++
	if err != nil {
		return nil, l.skip(end)
	}
	l.pos = min(end+1, len(l.buf))
	return trimEnd(l.buf[l.rec:end]), nil
}

// extend appends the line after the record to it and returns the whole, and how much of it is new.
func (l *lines) extend() (whole, added []byte, err error) {
	from := l.pos - l.rec
	end, err := l.find(l.pos)
	if err != nil {
		return nil, nil, err
	}
	l.line++
	l.pos = min(end+1, len(l.buf))
	whole = trimEnd(l.buf[l.rec:end])
	return whole, whole[min(from, len(whole)):], nil
}

// rewind cuts the record back to its first line, which ended at offset n of it.
func (l *lines) rewind(n, line int) { l.pos, l.line = l.rec+n, line }

// find returns the offset of the line end at or after from; at the end of the stream, that of the last byte.
func (l *lines) find(from int) (int, error) {
	scanned := from
	for {
		if i := bytes.IndexByte(l.buf[scanned:], l.eol); i >= 0 {
			end := scanned + i
			if end-l.rec > l.max {
				return end, errLineTooLong
			}
			return end, nil
		}
		scanned = len(l.buf)
		if l.eof {
			if from == len(l.buf) {
				return 0, io.EOF
			}
			if len(l.buf)-l.rec > l.max {
				return len(l.buf), errLineTooLong
			}
			return len(l.buf), nil
		}
		if len(l.buf)-l.rec > l.max {
			return len(l.buf), errLineTooLong
		}
		moved := l.rec
		if err := l.fill(); err != nil {
			return 0, err
		}
		from, scanned = from-moved, scanned-moved
	}
}

// skip drops the rest of a line that is longer than max, whose beginning ends at offset end.
func (l *lines) skip(end int) error {
	for {
		if i := bytes.IndexByte(l.buf[min(end, len(l.buf)):], l.eol); i >= 0 {
			l.pos = end + i + 1
			return errLineTooLong
		}
		l.buf, l.rec, l.pos, end = l.buf[:0], 0, 0, 0
		if l.eof {
			return errLineTooLong
		}
		if err := l.fill(); err != nil {
			return err
		}
	}
}

// fill moves the record to the front of the buffer and reads more behind it.
func (l *lines) fill() error {
	n := copy(l.buf, l.buf[l.rec:])
	l.pos -= l.rec
	l.buf, l.rec = l.buf[:n], 0
	if cap(l.buf)-n < chunk/2 {
		l.buf = append(make([]byte, 0, 2*cap(l.buf)+chunk), l.buf...)
	}
	for range 100 {
		m, err := l.r.Read(l.buf[n:cap(l.buf)])
		l.buf = l.buf[:n+m]
		if err == io.EOF {
			l.eof = true
			return nil
		}
		if err != nil || m > 0 {
			return err
		}
	}
	return io.ErrNoProgress
}

func trimEnd(b []byte) []byte {
	if n := len(b); n > 0 && b[n-1] == '\r' {
		return b[:n-1]
	}
	return b
}
