package cdrformat

import (
	"maps"
	"slices"

	"billd/rating"
)

// Correct reads a record again with some of its columns said anew, by their names; "" takes a column away.
//
// raw is what was kept of a record that could not be read: the members of a JSON object stay, of anything
// else nothing does. With raw "" call is the record as it was read. A record that is wrong as it then stands
// is refused with the first reason.
func Correct(raw, source string, set map[string]string, call *rating.Call) error {
	said := map[column]bool{}
	for _, name := range slices.Sorted(maps.Keys(set)) {
		c, ok := columns[name]
		if !ok || c.kind == columnExport || c.kind == columnUnrated {
			return rating.Broken(name, "unknown", "", "%.40q is no column of a call record", name)
		}
		said[c] = true
	}
	r := row{call: call}
	if err := r.keep(raw, said); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(set)) {
		if err := r.set(columns[name], set[name]); err != nil {
			return err
		}
	}
	if err := r.finish(source); err != nil {
		return err
	}
	if call.Exported.Known {
		return rating.Broken("format", "format", "", "a record of billd's own export is not corrected: export it again")
	}
	return nil
}

// keep takes over the members of a JSON object but for the columns that are said anew.
func (r *row) keep(raw string, anew map[column]bool) error {
	var bad error
	s := scanner{s: raw}
	s.space()
	whole := s.peek() == '{' && s.object(0, func(name string, v value) {
		if bad == nil && !anew[columns[name]] {
			bad = r.member(name, v)
		}
	}) && s.end()
	if raw != "" && !whole {
		r.call.Reset()
		return nil
	}
	return bad
}
