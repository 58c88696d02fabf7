package cdrformat

import (
	"slices"

	"billd/rating"
)

// mappedRoles are billd's column names whose values are read as a switch writes them when the caller says
// what each column of a file is: any form of time, fractions of seconds, a disposition in words.
var mappedRoles = map[string]role{
	"time_start": roleStart, "time_connect": roleAnswer, "time_end": roleEnd, "duration": roleBilled, "call_id": roleID,
	"src": roleSrc, "dst": roleDst, "account": roleAccount, "disposition": roleDisposition, "gateway": roleGateway, "ip": roleIP,
}

// head is what a column of a file is: a role, or a column of billd's.
type head struct {
	role   role
	column column
	watch  int // in Reader.watched, from 1
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

// Check says what is wrong with the options, as far as that can be said without a file.
func (o *Options) Check() error {
	if err := o.checkMap(); err != nil {
		return err
	}
	for _, name := range o.Columns {
		if _, ok := o.mapped(name); !ok && o.Format.Source() == sourceImport {
			return rating.Broken("columns", "enum", "", "columns: %.40q is no column of a CDR", name)
		}
	}
	return nil
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
	if err := f.outlasts(billed, t.start, t.end); err != nil {
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
	return f.fill(call, t, answered, billed)
}

// claim notes which roles the caller's map gives to columns: what the format says of them does not count.
func (r *Reader) claim() {
	for _, to := range r.o.Map {
		role := mappedRoles[to]
		r.claimed[role] = role != roleNone
		for _, i := range instantRoles {
			for _, other := range i.roles {
				r.claimed[other] = r.claimed[other] || role == i.roles[2] && role != roleNone
			}
		}
	}
}
