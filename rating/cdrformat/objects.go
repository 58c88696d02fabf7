package cdrformat

import (
	"io"
	"strconv"
	"strings"

	"billd/rating"
)

func (r *Reader) beginJSON() error {
	n, err := r.w.blanks()
	if err != nil {
		return err
	}
	r.line += n
	s := scanner{s: r.w.rest()}
	if s.take('{') {
		s.space()
		name, ok := s.text()
		if r.wrapped = ok && name == "cdrs" && s.take(':'); !r.wrapped {
			r.read = r.readLine
			return nil
		}
	}
	if !s.take('[') {
		r.wrapped, r.read = false, r.readLine
		return nil
	}
	r.w.skip(s.i)
	r.line, r.read = 0, r.readElement
	return nil
}

// readLine reads the next of objects that follow one another, usually one a line.
func (r *Reader) readLine(call *rating.Call, rec *Record) error {
	n, err := r.w.blanks()
	if err != nil {
		return err
	}
	r.line += n
	rec.Line = r.line
	size, ok, err := r.object(call, rec)
	if err != nil {
		return err
	}
	if !ok {
		call.Reset()
		return r.passOver(rec)
	}
	r.line += strings.Count(r.w.rest()[:size], "\n")
	r.w.skip(size)
	return nil
}

// passOver makes a record unreadable that is no JSON and goes on behind it: with the next line, of a
// switch's file with the next line that begins an object. What is longer than a record is not kept.
func (r *Reader) passOver(rec *Record) error {
	next, skip := "\n", 1
	if r.judge != nil {
		next = "\n{"
	}
	rest := r.w.rest()
	why, raw := errNotJSON.Msg, ""
	if r.w.eof && extent(rest) == 0 && rest[0] == '{' && !strings.Contains(rest, "\n{") && len(rest) <= MaxRecord {
		why = "the record is cut off: the file ends inside it"
	}
	for size := strings.Index(rest, next); size < 0; size = strings.Index(rest, next) {
		if len(rest) > MaxRecord {
			if raw == "" {
				raw, why = strings.Clone(rest[:shownOfLong]), "the record is longer than 64 KiB"
			}
			r.line += strings.Count(rest[:len(rest)-1], "\n")
			r.w.skip(len(rest) - 1)
		}
		if err := r.w.more(); err == io.EOF {
			rest = r.w.rest()
			next, skip = "", len(rest)
			break
		} else if err != nil {
			return err
		}
		rest = r.w.rest()
	}
	size := skip
	if next != "" {
		size += strings.Index(rest, next)
	}
	if raw == "" {
		raw = strings.Clone(strings.TrimRight(rest[:size], "\r\n"))
	}
	r.line += strings.Count(rest[:size], "\n")
	r.w.skip(size)
	rec.bad(raw, why)
	return nil
}

// object reads the value at the window's front: its size, and whether it is JSON. A value that is
// JSON and no call makes rec unreadable.
func (r *Reader) object(call *rating.Call, rec *Record) (size int, ok bool, err error) {
	for {
		s := scanner{s: r.w.rest()}
		if r.judge != nil {
			if size, ok, done := r.switchObject(&s, call, rec); done {
				return size, ok, nil
			} else if err := r.w.more(); err == io.EOF {
				return s.i, ok, nil
			} else if err != nil {
				return 0, false, err
			}
			continue
		}
		row := row{call: call}
		var bad error
		if s.peek() == '{' {
			ok = s.object(0, func(name string, v value) {
				if bad == nil {
					bad = row.member(name, v)
				}
			})
		} else {
			ok = s.value(0)
			bad = rating.Broken("record", "type", "", "the record is not a JSON object")
		}
		if ok && (s.i < len(s.s) || r.w.eof) {
			switch {
			case s.i > MaxRecord:
				bad = rating.Broken("record", "maxLength", strconv.Itoa(MaxRecord), "the record is longer than 64 KiB")
			case bad == nil:
				bad = row.finish(r.o.Source)
			}
			if bad != nil {
				call.Reset()
				rec.bad(strings.Clone(s.s[:s.i]), bad.Error())
			}
			return s.i, true, nil
		}
		const longestWord = 12 // what may have been cut in two: \ud83d\ude00
		if s.i < len(s.s)-longestWord || len(s.s) > MaxRecord+windowSize {
			return 0, false, nil
		}
		if err := r.w.more(); err == io.EOF {
			return s.i, ok, nil
		} else if err != nil {
			return 0, false, err
		}
		call.Reset()
	}
}

// readElement reads the next element of an array.
func (r *Reader) readElement(call *rating.Call, rec *Record) error {
	c, err := r.next()
	if err != nil {
		return err
	}
	if c == ']' {
		return r.endArray()
	}
	if r.begun {
		if c != ',' {
			r.line++
			rec.Line = r.line
			return r.nextElement(rec)
		}
		r.w.skip(1)
		if _, err := r.next(); err != nil {
			return err
		}
	}
	r.begun = true
	r.line++
	rec.Line = r.line
	size, ok, err := r.object(call, rec)
	if err != nil {
		return err
	}
	if !ok {
		call.Reset()
		if size = extent(r.w.rest()); size == 0 || beginElement(r.w.rest()[:size]) >= 0 || !r.mayFollow(size) {
			return r.nextElement(rec)
		}
		rec.bad(strings.Clone(r.w.rest()[:size]), errNotJSON.Msg)
	}
	r.w.skip(size)
	return nil
}

// mayFollow reports whether what stands behind a place may stand behind an element.
func (r *Reader) mayFollow(at int) bool {
	behind := strings.TrimLeft(r.w.rest()[at:], " \t\r\n")
	return behind == "" && !r.w.eof || behind != "" && (behind[0] == ',' || behind[0] == ']')
}

// blankRoom is how much of what may stand between a comma and a brace is looked at.
const blankRoom = 64

// beginElement returns the first place where a comma and a brace stand, as they do between elements.
func beginElement(s string) int {
	for from := 0; ; {
		comma := strings.IndexByte(s[from:], ',')
		if comma < 0 {
			return -1
		}
		from += comma + 1
		if strings.HasPrefix(strings.TrimLeft(s[from:min(len(s), from+blankRoom)], " \t\r\n"), "{") {
			return from - 1
		}
	}
}

// nextElement makes what comes up to a comma and a brace an unreadable record: with them the next element begins.
// Without one the list cannot be read on.
func (r *Reader) nextElement(rec *Record) error {
	rest := r.w.rest()
	raw, why, size := strings.Clone(rest[:min(len(rest), shownOfLong)]), errNotJSON.Msg, 0
	for {
		if at := beginElement(rest); at >= 0 {
			size += at
			r.w.skip(at)
			break
		}
		drop := max(len(rest)-blankRoom, 0)
		size += drop
		r.w.skip(drop)
		if err := r.w.more(); err == io.EOF {
			r.line--
			return r.broken()
		} else if err != nil {
			return err
		}
		rest = r.w.rest()
	}
	if size > MaxRecord {
		why = "the record is longer than 64 KiB"
	}
	rec.bad(raw[:min(len(raw), size)], why)
	return nil
}

// next returns the next character that is no blank; inside an array the file may not end.
func (r *Reader) next() (byte, error) {
	if _, err := r.w.blanks(); err == io.EOF {
		return 0, r.broken()
	} else if err != nil {
		return 0, err
	}
	return r.w.rest()[0], nil
}

// endArray checks that nothing follows the array.
func (r *Reader) endArray() error {
	r.w.skip(1)
	_, err := r.w.blanks()
	if r.wrapped && err == nil && r.w.rest()[0] == '}' {
		r.w.skip(1)
		_, err = r.w.blanks()
	} else if r.wrapped {
		return r.broken()
	}
	if err == nil {
		return r.broken()
	}
	return err
}

func (r *Reader) broken() error {
	return rating.Broken("file", "json", "", "after record %d: the file is not JSON from there on", r.line)
}

// extent returns the size of the object that s begins with by its braces alone, 0 if it does not end
// within a record's length.
func extent(s string) int {
	s = s[:min(len(s), MaxRecord)]
	depth, quoted := 0, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return 0
}
