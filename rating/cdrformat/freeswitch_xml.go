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

// readXML reads the next <cdr>. What stands between records and is none is a record that cannot be read.
func (r *Reader) readXML(call *rating.Call, rec *Record) error {
	n, err := r.w.blanks()
	if err != nil {
		return err
	}
	r.line += n
	rec.Line = r.line
	begin, err := r.find(0, beginXML)
	if err != nil {
		return err
	}
	if begin < 0 || !isProlog(r.w.rest()[:begin]) {
		return r.passOverXML(rec, begin, "the text is no record: want <cdr>", beginXML)
	}
	size, err := r.find(begin+len("<cdr"), endXML)
	switch {
	case err != nil:
		return err
	case size >= 0:
		return r.takeXML(size, call, rec)
	case len(r.w.rest()) > MaxRecord:
		return r.passOverXML(rec, -1, "", endXML)
	}
	return r.takeXML(len(r.w.rest()), call, rec)
}

// find looks for the first place behind from that where knows, as far as a record may reach; -1 when there is none.
func (r *Reader) find(from int, where func(string) int) (int, error) {
	const overlap = 5 // of <cdr> and </cdr>, which may be cut in two
	for {
		rest := r.w.rest()
		if at := where(rest[from:]); at >= 0 {
			return from + at, nil
		}
		if len(rest) > MaxRecord {
			return -1, nil
		}
		from = max(len(rest)-overlap, from)
		if err := r.w.more(); err == io.EOF {
			return -1, nil
		} else if err != nil {
			return -1, err
		}
	}
}

// passOverXML makes what comes up to a place, if it is known, or up to where knows, an unreadable record.
func (r *Reader) passOverXML(rec *Record, to int, why string, where func(string) int) error {
	rest := r.w.rest()
	if len(rest) > MaxRecord && to < 0 {
		why = "the record is longer than 64 KiB"
	}
	rec.bad(strings.Clone(rest[:min(len(rest), shownOfLong)]), why)
	for to < 0 {
		dropped := max(len(rest)-len("</cdr>"), 0)
		r.line += strings.Count(rest[:dropped], "\n")
		r.w.skip(dropped)
		if err := r.w.more(); err == io.EOF {
			to = len(r.w.rest())
			break
		} else if err != nil {
			return err
		}
		rest = r.w.rest()
		to = where(rest)
	}
	r.line += strings.Count(r.w.rest()[:to], "\n")
	r.w.skip(to)
	return nil
}

// isProlog reports whether a text is nothing but what may stand before a document.
func isProlog(s string) bool {
	for {
		s = strings.TrimSpace(s)
		end := ">"
		switch {
		case s == "":
			return true
		case strings.HasPrefix(s, "<?"):
			end = "?>"
		case strings.HasPrefix(s, "<!--"):
			end = "-->"
		case !strings.HasPrefix(s, "<!"):
			return false
		}
		_, behind, ok := strings.Cut(s, end)
		if !ok {
			return false
		}
		s = behind
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

// endXML returns where a record ends: behind </cdr>, or where another one begins before that, to which its end was lost.
func endXML(s string) int {
	const end = "</cdr>"
	at := strings.Index(s, end)
	if at < 0 {
		return beginXML(s)
	}
	if next := beginXML(s[:at]); next >= 0 {
		return next
	}
	return at + len(end)
}

// beginXML returns where a <cdr> begins, with attributes or without; -1 when none does.
func beginXML(s string) int {
	const open = "<cdr"
	for from := 0; ; {
		at := strings.Index(s[from:], open)
		if at < 0 {
			return -1
		}
		from += at
		if behind := s[from+len(open):]; behind != "" && (behind[0] == '>' || behind[0] == ' ') {
			return from
		}
		from += len(open)
	}
}
