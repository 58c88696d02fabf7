package cdrformat

import (
	"slices"
	"strings"

	"billd/rating"
)

// mappedRoles are billd's column names whose values are read as a switch writes them when the caller says
// what each column of a file is: any form of time, fractions of seconds, a disposition in words.
var mappedRoles = map[string]role{
	"time_start": roleStart, "time_connect": roleAnswer, "time_end": roleEnd, "duration": roleBilled, "call_id": roleID,
	"src": roleSrc, "dst": roleDst, "account": roleAccount, "disposition": roleDisposition,
}

// head is what a column of a file is: a role, or a column of billd's.
type head struct {
	role   role
	column column
}

// mapped finds what a column of a mapped file is; ok is false for one that nobody named.
func (o *Options) mapped(name string) (h head, ok bool) {
	to, said := o.Map[name]
	if !said {
		to = columnName(name)
	}
	if to == "-" {
		return head{}, true
	}
	if role := mappedRoles[to]; role != roleNone {
		return head{role: role}, true
	}
	c, ok := columns[to]
	return head{column: c}, ok && c.kind != columnExport
}

// checkMap refuses a map to columns that do not exist, and one that says a column twice.
func (o *Options) checkMap() error {
	var said []string
	for _, from := range sortedKeys(o.Map) {
		to := o.Map[from]
		if _, ok := o.mapped(from); !ok {
			return rating.Broken("map", "enum", "", "map %s=%s: %q is no column of a CDR", from, to, to)
		}
		if to != "-" && slices.Contains(said, to) {
			return rating.Broken("map", "unique", "", "map: two columns are %s", to)
		}
		said = append(said, to)
	}
	return nil
}

func sortedKeys(m map[string]string) (keys []string) {
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// mappedCall makes a call of a record of a file whose columns the caller named.
func mappedCall(r *Reader, f *facts, record string, call *rating.Call, rec *Record) error {
	t, err := f.times(r.stamps)
	if err != nil {
		return err
	}
	_, billed, err := f.lengths()
	if err != nil {
		return err
	}
	answered := billed > 0 || billed < 0 && t.answer != 0
	if word := f.text[roleDisposition]; word != "" {
		yes, known := disposed(word)
		if !known && billed != 0 {
			return wrong("disposition", word, "a word for answered or not answered")
		}
		answered = yes
	}
	if answered && billed < 0 && t.answer == 0 && t.end != 0 {
		t.answer = t.start // a file of start and end alone means the talk
	}
	if err := f.fill(call, t, answered, billed); err != nil {
		return err
	}
	row := row{call: call}
	for _, s := range f.more {
		if err := row.set(s.column, strings.TrimSpace(s.text)); err != nil {
			return err
		}
	}
	return nil
}
