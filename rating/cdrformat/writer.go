package cdrformat

import (
	"encoding/hex"
	"io"
	"strconv"

	"billd/rating"
)

// Export is a stored call as billd's own export says it.
type Export struct {
	*rating.CDR
	Store           [6]byte // names the store
	UUID            string  // that the call is known by
	Content         uint64  // of the record as the switch gave it
	Account, Vendor string  // UUIDs; "" when the call has none
}

// Writer writes calls as billd's own export, which a Reader reads back exactly. Flush ends it.
type Writer struct {
	w      io.Writer
	format Format
	buf    []byte
	begun  bool
}

// writeSize is how much is gathered before it is written, in bytes.
const writeSize = 64 << 10

// NewWriter makes a writer of CSV with a header, or of JSON, one object a line.
func NewWriter(w io.Writer, f Format) *Writer { return &Writer{w: w, format: f} }

// Write writes one call.
func (w *Writer) Write(e *Export) error {
	if w.format == JSON {
		w.buf = e.appendJSON(w.buf)
	} else {
		if !w.begun {
			w.buf = appendHeader(w.buf)
		}
		w.buf = e.appendCSV(w.buf)
	}
	w.begun = true
	if len(w.buf) < writeSize {
		return nil
	}
	return w.write()
}

// Flush writes what is gathered; a CSV file has its header even without calls.
func (w *Writer) Flush() error {
	if w.format != JSON && !w.begun {
		w.buf, w.begun = appendHeader(w.buf), true
	}
	return w.write()
}

func (w *Writer) write() error {
	_, err := w.w.Write(w.buf)
	w.buf = w.buf[:0]
	return err
}

// place returns what stands under one of exportNames.
func (e *Export) place(dst []byte, i int) []byte {
	switch i {
	case exportFormat:
		return append(dst, FormatBilld...)
	case exportStore:
		return hex.AppendEncode(dst, e.Store[:])
	case exportID:
		return strconv.AppendUint(dst, uint64(e.ID), 10)
	case exportOrigin:
		return append(dst, e.Origin.String()...)
	case exportStatus:
		return append(dst, e.Status.String()...)
	case exportRevision:
		return strconv.AppendUint(dst, uint64(e.Revision), 10)
	}
	return hex.AppendEncode(dst, []byte{byte(e.Content >> 56), byte(e.Content >> 48), byte(e.Content >> 40), byte(e.Content >> 32),
		byte(e.Content >> 24), byte(e.Content >> 16), byte(e.Content >> 8), byte(e.Content)})
}

// text returns a column; the UUID that a call is known by need not be stored in it.
func (e *Export) text(f rating.CDRField) string {
	if f == rating.CDRUUID {
		return e.UUID
	}
	return e.Format(f)
}

func appendHeader(b []byte) []byte {
	for _, name := range exportNames {
		b = append(append(b, name...), ',')
	}
	b = append(b, "account,vendor_account"...)
	for f := range rating.CDRField(rating.NumCDRFields) {
		b = append(append(b, ','), f.Name()...)
	}
	return append(b, '\n')
}

func (e *Export) appendCSV(b []byte) []byte {
	for i := range exportNames {
		b = append(e.place(b, i), ',')
	}
	b = append(append(append(b, e.Account...), ','), e.Vendor...)
	for f := range rating.CDRField(rating.NumCDRFields) {
		b = append(b, ',')
		if e.Has(f) || f == rating.CDRUUID {
			b = appendCell(b, e.text(f))
		}
	}
	return append(b, '\n')
}

// appendCell quotes what a reader would take apart.
func appendCell(b []byte, s string) []byte {
	plain := true
	for i := range len(s) {
		if c := s[i]; c == ',' || c == '"' || c == '\n' || c == '\r' {
			plain = false
			break
		}
	}
	if plain {
		return append(b, s...)
	}
	b = append(b, '"')
	for i := range len(s) {
		if s[i] == '"' {
			b = append(b, '"')
		}
		b = append(b, s[i])
	}
	return append(b, '"')
}

func (e *Export) appendJSON(b []byte) []byte {
	b = append(b, '{')
	for i, name := range exportNames {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(append(b, '"'), name...), `":"`...)
		b = append(e.place(b, i), '"')
	}
	b = appendMember(b, "account", e.Account)
	b = appendMember(b, "vendor_account", e.Vendor)
	for f := range rating.CDRField(rating.NumCDRFields) {
		switch text := e.text(f); {
		case text == "":
		case bare(f.Kind()):
			b = append(append(append(b, `,"`...), f.Name()...), `":`...)
			b = append(b, text...)
		default:
			b = appendMember(b, f.Name(), text)
		}
	}
	return append(b, "}\n"...)
}

// bare reports whether a column's text is JSON as it stands. Amounts are strings: readers would make
// floats of them.
func bare(k rating.ValueKind) bool {
	switch k {
	case rating.KindInt, rating.KindBool, rating.KindInts, rating.KindJSON:
		return true
	}
	return false
}

func appendMember(b []byte, name, text string) []byte {
	if text == "" {
		return b
	}
	b = append(append(append(b, `,"`...), name...), `":`...)
	return appendString(b, text)
}

// appendString appends s as a JSON string.
func appendString(b []byte, s string) []byte {
	const digits = "0123456789abcdef"
	b = append(b, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < ' ':
			b = append(b, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}
