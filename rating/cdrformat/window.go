package cdrformat

import (
	"io"
	"strings"
)

// windowSize is how much of a file is read at a time, in bytes.
const windowSize = 1 << 20

// window is the piece of the file that is being read.
type window struct {
	in     io.Reader
	text   string
	at     int
	offset int64
	buf    []byte
	eof    bool
	old    bool // lines end with a carriage return alone
	cut    bool // the last line of a file had no end; a body's need none
}

func (w *window) rest() string { return w.text[w.at:] }

func (w *window) skip(n int) { w.at += n }

// more puts the next piece behind what is left; io.EOF when there is none.
func (w *window) more() error {
	if w.eof {
		return io.EOF
	}
	if w.buf == nil {
		w.buf = make([]byte, windowSize)
	}
	n, err := io.ReadFull(w.in, w.buf)
	w.offset += int64(n)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		w.eof, err = true, nil
	}
	if err != nil {
		return err
	}
	if n > 0 {
		if w.old {
			newEnds(w.buf[:n])
		}
		w.text, w.at = w.rest()+string(w.buf[:n]), 0
	} else {
		return io.EOF
	}
	return nil
}

// oldEnds finds out whether lines end as those of old Macs do, and reads them as others from then on.
func (w *window) oldEnds() {
	if w.old = strings.IndexByte(w.text, '\n') < 0 && strings.IndexByte(w.text, '\r') >= 0; w.old {
		w.text = strings.ReplaceAll(w.text, "\r", "\n")
	}
}

func newEnds(b []byte) {
	for i, c := range b {
		if c == '\r' {
			b[i] = '\n'
		}
	}
}

// blanks steps over blanks and returns how many line ends were among them.
func (w *window) blanks() (lines int, err error) {
	for {
		rest := w.rest()
		trimmed := strings.TrimLeft(rest, " \t\r\n")
		if n := len(rest) - len(trimmed); n > 0 {
			lines += strings.Count(rest[:n], "\n")
			w.skip(n)
		}
		if trimmed != "" {
			return lines, nil
		}
		if err := w.more(); err != nil {
			return lines, err
		}
	}
}
