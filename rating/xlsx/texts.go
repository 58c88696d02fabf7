package xlsx

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"unicode/utf8"

	"billd/rating"
)

// texts are the shared texts of a workbook, one behind the other.
type texts struct {
	loaded bool
	all    []byte
	ends   []uint32
}

// text returns the shared text of a number.
func (t *texts) text(n int) (string, bool) {
	if n < 0 || n >= len(t.ends) {
		return "", false
	}
	from := uint32(0)
	if n > 0 {
		from = t.ends[n-1]
	}
	return string(t.all[from:t.ends[n]]), true
}

// loadTexts reads the shared texts, once.
func (b *Book) loadTexts() error {
	if b.texts.loaded || b.textPart == "" {
		return nil
	}
	in, err := openPart(b.parts[b.textPart], maxTextsPart)
	if err != nil {
		return err
	}
	defer in.Close()
	s, err := newScanner(in)
	if err != nil {
		return err
	}
	t := &b.texts
	for {
		if err := s.next(false); errors.Is(err, io.EOF) {
			t.loaded = true
			return nil
		} else if err != nil {
			return partError(b.textPart, err)
		}
		if name, closes := s.name(); closes || string(name) != "si" {
			continue
		}
		if !s.alone() {
			if t.all, err = s.richText("si", t.all); err != nil {
				return partError(b.textPart, err)
			}
		}
		if len(t.all) > maxTexts || len(t.ends) == maxTextCount {
			return rating.Errorf(rating.Limit, "file", "the workbook's texts are more than %d bytes or %d texts", maxTexts, maxTextCount)
		}
		t.ends = append(t.ends, uint32(len(t.all)))
	}
}

// richText appends the text of an element: that of its t elements, but of those that tell how it is
// pronounced.
func (s *scanner) richText(element string, to []byte) ([]byte, error) {
	from, spoken := len(to), 0
	for {
		if err := s.next(true); err != nil {
			if errors.Is(err, io.EOF) {
				err = broken("it ends inside a text")
			}
			return to, err
		}
		name, closes := s.name()
		switch {
		case closes && string(name) == element:
			return to, nil
		case string(name) == "rPh" && !s.alone():
			if spoken++; closes {
				spoken -= 2
			}
		case closes && string(name) == "t" && spoken == 0:
			if to = append(to, unquote(s.text)...); len(to)-from > maxCell {
				return to, broken("a cell of more than " + strconv.Itoa(maxCell) + " bytes")
			}
		}
	}
}

// unquote undoes _x000D_, by which characters are written that XML cannot hold, in place.
func unquote(b []byte) []byte {
	if !bytes.Contains(b, []byte("_x")) {
		return b
	}
	out := b[:0]
	for i := 0; i < len(b); {
		if c, ok := quoted(b[i:]); ok {
			out = utf8.AppendRune(out, c)
			i += len("_x000D_")
			continue
		}
		out = append(out, b[i])
		i++
	}
	return out
}

func quoted(b []byte) (rune, bool) {
	if len(b) < 7 || b[0] != '_' || b[1] != 'x' || b[6] != '_' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(b[2:6]), 16, 16)
	return rune(n), err == nil && n != 0
}
