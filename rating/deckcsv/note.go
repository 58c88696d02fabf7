package deckcsv

import (
	"fmt"
	"strings"
	"unicode"
)

// maxNotes is how many lines of notes are named.
const maxNotes = 10

// isNote says that a line is a single cell of words and no rate: what carriers write below their rates
// and between them. It is counted, and the first are named at the end.
func (r *Reader) isNote(number int, cells [][]byte) bool {
	if r.layout.Form != FormCarrier || len(r.header) < 2 {
		return false
	}
	only := -1
	for i, c := range cells {
		if len(trim(c)) == 0 {
			continue
		}
		if only >= 0 {
			return false
		}
		only = i
	}
	text := r.text(trim(cells[only]))
	if strings.IndexFunc(text, unicode.IsLetter) < 0 || !strings.ContainsAny(text, " :.*") || strings.ContainsAny(text[:1], "+0123456789") {
		return false // one that begins as a prefix may be a rate that lost its price
	}
	if r.noted++; len(r.notes) < maxNotes {
		r.notes = append(r.notes, number)
	}
	return true
}

// describeNotes names the lines that were passed over.
func (r *Reader) describeNotes() string {
	var lines []string
	for _, n := range r.notes {
		lines = append(lines, fmt.Sprint(n))
	}
	s := fmt.Sprintf("lines with a note and no rate are passed over: %s", strings.Join(lines, ", "))
	if r.noted > len(r.notes) {
		s += fmt.Sprintf(" and %d more", r.noted-len(r.notes))
	}
	return s
}
