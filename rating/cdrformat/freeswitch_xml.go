package cdrformat

import (
	"encoding/xml"
	"io"
	"strings"

	"billd/rating"
)

// freeswitchElement reads a <cdr> of mod_xml_cdr into f.
func (r *Reader) freeswitchElement(text string, f *facts) error {
	d := xml.NewDecoder(strings.NewReader(text))
	d.CharsetReader = func(label string, in io.Reader) (io.Reader, error) {
		return in, nil // numbers and times are ASCII in every encoding that a switch writes; cells are checked
	}
	var path []string
	flows, ended := 0, false
	profile := facts{}
	for {
		token, err := d.RawToken()
		if err == io.EOF {
			break
		}
		if err != nil || len(path) > maxDepth {
			return rating.Broken("record", "xml", "", "the record is not valid XML")
		}
		switch t := token.(type) {
		case xml.StartElement:
			if path = append(path, t.Name.Local); len(path) == 2 && t.Name.Local == "callflow" {
				flows++
			}
		case xml.EndElement:
			if len(path) == 0 || path[len(path)-1] != t.Name.Local {
				return rating.Broken("record", "xml", "", "the record is not valid XML")
			}
			path = path[:len(path)-1]
			ended = ended || len(path) == 0
		case xml.CharData:
			r.freeswitchChars(path, string(t), [2]*facts{f, &profile}, flows)
		}
	}
	if !ended || len(path) > 0 {
		return rating.Broken("record", "xml", "", "the record is cut off: want </cdr>")
	}
	f.unescape()
	profile.unescape()
	for r, text := range profile.text {
		f.add(role(r), text)
	}
	f.told = append(f.told, profile.told...)
	return nil
}

// freeswitchChars places the text of an element: variables in the first facts, the newest callflow in the second.
func (r *Reader) freeswitchChars(path []string, text string, f [2]*facts, flows int) {
	if len(path) < 3 {
		return
	}
	name := path[len(path)-1]
	switch group := path[len(path)-2]; {
	case len(path) == 3 && group == "variables":
		r.take(f[0], r.headOf(name), name, text)
	case len(path) == 4 && group == "caller_profile" && flows == 1:
		r.profileFact(f[1], freeswitchProfile, name, text)
	case len(path) == 4 && group == "times" && flows == 1:
		r.profileFact(f[1], freeswitchTimes, name, text)
	}
}

// readXML reads the next <cdr>.
func (r *Reader) readXML(call *rating.Call, rec *Record) error {
	const open, end = "<cdr", "</cdr>"
	n, err := r.w.blanks()
	if err != nil {
		return err
	}
	r.line += n
	rec.Line = r.line
	for from := 0; ; {
		rest := r.w.rest()
		at := strings.Index(rest[from:], end)
		// what begins another record before this one ends is what the end of this one was lost to
		begin := strings.Index(rest, open)
		if begin >= 0 {
			within := rest[begin+len(open):]
			if at >= 0 {
				within = rest[begin+len(open) : max(from+at, begin+len(open))]
			}
			if next := beginXML(within); next >= 0 {
				return r.takeXML(begin+len(open)+next, call, rec)
			}
		}
		if at >= 0 {
			return r.takeXML(from+at+len(end), call, rec)
		}
		if len(rest) > MaxRecord {
			r.w.skip(len(rest) - len(end)) // the end may be cut in two
			rec.bad(strings.Clone(rest[:shownOfLong]), "the record is longer than 64 KiB")
			return nil
		}
		from = max(len(rest)-len(end), 0)
		if err := r.w.more(); err == io.EOF {
			return r.takeXML(len(rest), call, rec)
		} else if err != nil {
			return err
		}
	}
}

// takeXML reads the record that the window begins with.
func (r *Reader) takeXML(size int, call *rating.Call, rec *Record) error {
	text := r.w.rest()[:size]
	r.w.skip(size)
	r.line += strings.Count(text, "\n")
	if len(text) > MaxRecord {
		rec.bad(strings.Clone(text[:shownOfLong]), "the record is longer than 64 KiB")
		return nil
	}
	var f facts
	err := r.freeswitchElement(text, &f)
	r.settle(&f, err, text, call, rec)
	return nil
}

// beginXML returns where a <cdr> begins, with attributes or without; -1 when none does.
func beginXML(s string) int {
	plain, with := strings.Index(s, "<cdr>"), strings.Index(s, "<cdr ")
	if plain < 0 || with >= 0 && with < plain {
		return with
	}
	return plain
}
