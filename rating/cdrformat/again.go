package cdrformat

import (
	"io"

	"billd/rating"
)

// Again reads what was kept of a record that could not be read (Record.Raw) once more, by options that may be others
// now. skipped says why it is no call to charge by them.
//
// Fails with Invalid, saying why it still cannot be read, or why it never can from what was kept.
func Again(raw string, o Options, call *rating.Call) (skipped string, err error) {
	text, err := keptText(raw, &o)
	if err != nil {
		return "", err
	}
	r, err := NewBodyReader(text, o)
	if err != nil {
		return "", err
	}
	var rec Record
	switch err := r.Read(call, &rec); {
	case err == io.EOF:
		return "", rating.Broken("record", "required", "", "what is kept is no record: deliver it again, or correct it column by column")
	case err != nil:
		return "", err
	case rec.Bad != "":
		call.Reset()
		return "", rating.Broken("record", "format", "", "%s", rec.Bad)
	case rec.Skipped != "":
		return rec.Skipped, nil
	}
	var next Record
	if err := r.Read(&rating.Call{}, &next); err != io.EOF {
		call.Reset()
		return "", rating.Broken("record", "maximum", "", "what is kept holds more than one record: deliver it again, or import it as a file")
	}
	return "", nil
}

// keptText finds the record's own text in what was kept of it, behind the header of its table if it had one and o
// names no columns.
func keptText(raw string, o *Options) (string, error) {
	var record, header string
	s := scanner{s: raw}
	s.space()
	whole := s.peek() == '{' && s.object(0, func(name string, v value) {
		switch {
		case v.kind != '"':
		case name == keptRecord:
			record = v.text
		case name == keptHeader:
			header = v.text
		}
	}) && s.end()
	if !whole || record == "" { // a JSON object is kept as it came
		record = raw
	}
	if len(record) >= maxKept {
		return "", rating.Broken("record", "maxLength", "", "only its first 24 KiB are kept: deliver it again, or correct it column by column")
	}
	if header != "" && len(o.Columns) == 0 {
		return header + "\n" + record, nil
	}
	return record, nil
}
