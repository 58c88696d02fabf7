package deckcsv

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// defaultSeconds is each step of a rate whose file says nothing of steps: whole minutes, as PortSIP
// and Kazoo have it.
const defaultSeconds = 60

// parseSeconds reads 60, 60s, 1 min, or a unit alone: m is a minute.
func parseSeconds(s string) (uint32, bool) {
	s = strings.ToLower(strings.TrimSpace(s))
	digits := s[:len(s)-len(strings.TrimLeft(s, "0123456789"))]
	var times uint64
	switch strings.TrimPrefix(strings.TrimSpace(s[len(digits):]), "per ") {
	case "", "s", "sec", "secs", "sec.", "second", "seconds":
		times = 1
	case "m", "min", "mins", "min.", "minute", "minutes":
		times = 60
	default:
		return 0, false
	}
	if s == "" {
		return 0, false
	}
	n := uint64(1)
	if digits != "" {
		var err error
		if n, err = strconv.ParseUint(digits, 10, 31); err != nil {
			return 0, false
		}
	}
	if n*times > math.MaxInt32 { // PortSIP: int32
		return 0, false
	}
	return uint32(n * times), true
}

// parseIncrement reads 60/1, 1-1, 30+6, 30s+6s, or one number for both steps. A third number is
// reported by third; what JeraSoft's 60/1/60 means by it is not known.
func parseIncrement(cell []byte) (first, next uint32, third bool, reason string) {
	s := string(trim(cell))
	parts := strings.FieldsFunc(s, func(c rune) bool { return strings.ContainsRune("/-+:;", c) })
	bad := fmt.Sprintf("increment %q: want seconds, as 60/1", s)
	if len(parts) == 0 || len(parts) > 3 {
		return 0, 0, false, bad
	}
	var n [3]uint32
	for i, p := range parts {
		var ok bool
		if n[i], ok = parseSeconds(p); !ok {
			return 0, 0, false, bad
		}
	}
	if len(parts) == 1 {
		n[1] = n[0]
	}
	if len(parts) == 3 && max(n[0], n[1], n[2]) > 1900 {
		return 0, 0, false, fmt.Sprintf("increment %q: a spreadsheet turned it into a date", s)
	}
	return n[0], n[1], len(parts) == 3, ""
}

// intervals fills the steps' seconds from the row's cells.
func (r *Reader) intervals(row *Row, cells [][]byte) string {
	first, next := uint32(0), uint32(0)
	if cell := r.cell(cells, FieldIncrement); len(cell) > 0 {
		pair, ok := r.increments[string(cell)]
		if !ok {
			var reason string
			if pair, reason = r.readIncrement(cell); reason != "" {
				return reason
			}
		}
		first, next = pair[0], pair[1]
		row.Given.add(FieldIncrement)
	}
	for _, f := range [...]Field{FieldFirst, FieldNext} {
		v, given, reason := r.seconds(row, cells, f)
		if reason != "" {
			return reason
		}
		if given && f == FieldFirst {
			first = v
		} else if given {
			next = v
		}
	}
	t := &row.Terms
	switch {
	case first == 0 && next == 0:
		first, next = r.usual[0], r.usual[1]
		if row.Given.Has(FieldNext) || row.Given.Has(FieldIncrement) {
			return "increment 0: want at least 1 second"
		}
	case first == 0: // no minimum: the first step is one like the others
		first = next
	case next == 0 && row.Given.Has(FieldNext):
		return "next interval 0: want at least 1 second"
	case next == 0:
		next = first
	}
	t.First.Seconds, t.Next.Seconds = first, next
	return ""
}

// maxIncrements is how many spellings of increments are kept: lists have fewer than ten.
const maxIncrements = 64

// readIncrement reads a pair in the column's unit and keeps it.
func (r *Reader) readIncrement(cell []byte) (pair [2]uint32, reason string) {
	first, next, third, reason := parseIncrement(cell)
	if reason != "" {
		return pair, reason
	}
	if third {
		r.warnOnce("third", "increments of three numbers, as %s: the third is not read", cell)
	}
	times := uint64(r.units[FieldIncrement].times)
	if uint64(max(first, next))*times > math.MaxInt32 {
		return pair, fmt.Sprintf("increment %q: want at most %d seconds", cell, math.MaxInt32)
	}
	pair = [2]uint32{first * uint32(times), next * uint32(times)}
	if len(r.increments) < maxIncrements {
		r.increments[string(cell)] = pair
	}
	return pair, ""
}

// seconds reads a cell of seconds; given is false for a blank one.
func (r *Reader) seconds(row *Row, cells [][]byte, f Field) (v uint32, given bool, reason string) {
	cell := r.cell(cells, f)
	if len(cell) == 0 {
		return 0, false, ""
	}
	v, ok := parseSeconds(string(cell))
	if !ok || uint64(v)*uint64(r.units[f].times) > math.MaxInt32 {
		return 0, false, fmt.Sprintf("%s %q: want whole seconds", f, cell)
	}
	row.Given.add(f)
	return v * uint32(r.units[f].times), true, ""
}
