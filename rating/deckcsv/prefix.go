package deckcsv

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"billd/rating"
)

// maxOpened bounds the prefixes of one line: 44000-44999 is a thousand.
const maxOpened = 10_000

// opened is one prefix of a line, or why it is none.
type opened struct{ prefix, reason string }

// hyphens says what a hyphen between two numbers of one length means in this file.
type hyphens uint8

const (
	hyphenRange  hyphens = iota // 4400-4409
	hyphenNumber                // 1-264 stands in the same column, so 44-20 may be a number as well
)

// sniffHyphens looks for hyphens that cannot be ranges.
func (r *Reader) sniffHyphens(rows []line) {
	for _, f := range [...]Field{FieldPrefix, FieldCountry, FieldArea} {
		for _, row := range rows {
			if r.at[f] < 0 || r.at[f] >= len(row.cells) {
				continue
			}
			for _, item := range strings.FieldsFunc(row.cells[r.at[f]], isListMark) {
				a, b, ok := strings.Cut(strings.TrimSpace(item), "-")
				if ok && isDigits(a) && isDigits(b) && len(a) != len(b) {
					r.hyphens = hyphenNumber
				}
			}
		}
	}
}

func isListMark(c rune) bool { return c == '|' || c == ',' || c == ';' }

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// plainPrefix says that a cell is digits alone and needs nothing taken away.
func plainPrefix(b []byte) bool {
	if len(b) == 0 || len(b) > 18 || (b[0] == '0' && len(b) > 1 && b[1] == '0') {
		return false
	}
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// prefixes returns the one prefix of a row, or puts several into r.pending. The string is why there is none.
func (r *Reader) prefixes(cells [][]byte) (string, string) {
	r.pending = r.pending[:0]
	if r.at[FieldCountry] >= 0 {
		return r.twoColumns(cells)
	}
	cell := r.cell(cells, FieldPrefix)
	if len(r.opts.Strip) == 0 && plainPrefix(cell) {
		return r.opts.Prepend + string(cell), ""
	}
	if r.layout.Form == FormBilld {
		return r.opts.Prepend + string(cell), checkText(cell)
	}
	return r.list(cell, cells)
}

// list returns the one prefix of a cell, or opens several.
func (r *Reader) list(cell []byte, cells [][]byte) (string, string) {
	if len(cell) == 0 {
		return "", "no prefix"
	}
	s := r.text(cell)
	if !hasDigit(s) && r.isHeader(cells) {
		return "", "a header, not a rate"
	}
	if strings.ContainsAny(s, `^\`) && r.layout.Form != FormPortSIP {
		return "", fmt.Sprintf("prefix %q is a pattern, not a prefix", clip(s))
	}
	items := strings.FieldsFunc(unquoteFormula(s), isListMark)
	if len(items) == 1 && !mayBeRange(items[0]) {
		p, reason := r.clean(items[0])
		return r.opts.Prepend + p, reason
	}
	country := listCountry(items)
	for i, item := range items {
		behind := country
		if i == 0 {
			behind = ""
		}
		if !r.open(behind, item) {
			break
		}
	}
	return r.one(s)
}

// twoColumns joins a country code with each area in the other column.
func (r *Reader) twoColumns(cells [][]byte) (string, string) {
	s := r.text(r.cell(cells, FieldCountry))
	area := r.text(r.cell(cells, FieldArea))
	if area == "" { // the whole country, or a column that holds whole prefixes
		return r.list(r.cell(cells, FieldCountry), cells)
	}
	country, reason := r.clean(s)
	if reason != "" && r.isHeader(cells) {
		return "", "a header, not a rate"
	}
	if reason != "" {
		return "", reason
	}
	for _, item := range strings.FieldsFunc(unquoteFormula(area), isListMark) {
		if !r.open(country, item) {
			break
		}
	}
	return r.one(area)
}

// one takes a list of one out of r.pending.
func (r *Reader) one(cell string) (string, string) {
	switch len(r.pending) {
	case 0:
		return "", fmt.Sprintf("prefix %q: want digits", clip(cell))
	case 1:
		o := r.pending[0]
		r.pending = r.pending[:0]
		return o.prefix, o.reason
	}
	return "", ""
}

// open appends the prefixes of one item of a list, each behind country. It is false when the line
// holds more than maxOpened, and then that is all that r.pending says.
func (r *Reader) open(country, item string) bool {
	item = strings.TrimSpace(item)
	if item == "" {
		return true
	}
	add := func(p, reason string) {
		p = r.opts.Prepend + country + p
		if reason == "" && len(p) > rating.MaxPrefix {
			reason = fmt.Sprintf("prefix %q: want at most %d digits", clip(p), rating.MaxPrefix)
		}
		r.pending = append(r.pending, opened{p, reason})
	}
	if len(r.pending) >= maxOpened {
		return r.tooMany()
	}
	if !mayBeRange(item) {
		add(r.clean(item))
		return true
	}
	a, b, _ := strings.Cut(strings.ReplaceAll(item, "–", "-"), "-")
	a, b = strings.TrimSpace(a), strings.TrimSpace(b)
	from, errA := strconv.ParseUint(a, 10, 63)
	to, errB := strconv.ParseUint(b, 10, 63)
	switch {
	case errA != nil || errB != nil:
		add("", fmt.Sprintf("prefix %q: want digits", clip(item)))
	case r.hyphens == hyphenNumber || from >= to:
		add("", fmt.Sprintf("prefix %s: a range, or a number with a hyphen? write it without", item))
	default:
		all := cover(from, to, len(a))
		if country == "" {
			for i := range all {
				all[i] = r.strip(all[i])
			}
		}
		r.warnOnce("range", "ranges are opened: %s becomes %s", item, few(all, 4))
		for _, p := range all {
			add(p, "")
		}
	}
	return true
}

// cover returns the fewest prefixes that together are the numbers from to to of width digits: 4400-4419
// is 440 and 441. They are at most 18 for each digit.
func cover(from, to uint64, width int) []string {
	var out []string
	for from <= to {
		size, digits := uint64(1), width
		for digits > 1 && from%(size*10) == 0 && to-from >= size*10-1 {
			size, digits = size*10, digits-1
		}
		out = append(out, fmt.Sprintf("%0*d", digits, from/size))
		if from += size; from == 0 {
			break
		}
	}
	return out
}

// few names at most so many.
func few(all []string, most int) string {
	if len(all) <= most {
		return strings.Join(all, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(all[:most], ", "), len(all)-most)
}

func (r *Reader) tooMany() bool {
	r.pending = append(r.pending[:0], opened{reason: fmt.Sprintf("more than %d prefixes in one line", maxOpened)})
	return false
}

// mayBeRange says that item is two numbers of one length with a dash between: 4400-4409, not 1-264.
func mayBeRange(item string) bool {
	a, b, ok := strings.Cut(strings.ReplaceAll(strings.TrimSpace(item), "–", "-"), "-")
	a, b = strings.TrimSpace(a), strings.TrimSpace(b)
	return ok && isDigits(a) && isDigits(b) && len(a) == len(b)
}

// listCountry returns the country code that the first item gives to the others: of 61 38,39 it is
// 61. In +1-829,1809 the others begin with it and need none.
func listCountry(items []string) string {
	if len(items) < 2 || mayBeRange(items[0]) {
		return ""
	}
	first := strings.Trim(items[0], "()[] +")
	i := strings.IndexAny(first, " -")
	if i < 0 || !isDigits(first[:i]) {
		return ""
	}
	for _, item := range items[1:] {
		if strings.HasPrefix(justDigits(item), first[:i]) {
			return ""
		}
	}
	return first[:i]
}

// clean takes away what people write around a prefix: + or 00 in front, blanks, brackets, hyphens.
func (r *Reader) clean(s string) (string, string) {
	s = unquoteFormula(strings.TrimSpace(s))
	p := strings.Map(func(c rune) rune {
		if strings.ContainsRune(" ()[]-\u00a0", c) {
			return -1
		}
		return c
	}, s)
	p = strings.TrimPrefix(p, "+")
	switch {
	case len(p) > rating.MaxPrefix:
		return "", fmt.Sprintf("prefix %q: want at most %d digits", clip(s), rating.MaxPrefix)
	case isDigits(p):
		return r.strip(p), ""
	case isScientific(p):
		return "", fmt.Sprintf("prefix %s: a spreadsheet has rounded it; format the column as text", s)
	case p != "" && r.layout.Form == FormPortSIP:
		return p, checkText([]byte(p))
	case strings.ContainsAny(p, `^$*\.?`) && hasDigit(p):
		return "", fmt.Sprintf("prefix %q is a pattern, not a prefix", clip(s))
	}
	return "", fmt.Sprintf("prefix %q: want digits", clip(s))
}

// strip takes off the front what the options ask for, and else 00.
func (r *Reader) strip(p string) string {
	for _, s := range r.opts.Strip {
		if rest, ok := strings.CutPrefix(p, s); ok && rest != "" {
			return rest
		}
	}
	if len(p) > 2 && p[:2] == "00" {
		p = p[2:]
	}
	return p
}

// unquoteFormula undoes ="0044" and '0044, by which spreadsheets are made to keep text.
func unquoteFormula(s string) string {
	if strings.HasPrefix(s, `="`) && strings.HasSuffix(s, `"`) && len(s) > 3 {
		return s[2 : len(s)-1]
	}
	return strings.TrimPrefix(s, "'")
}

func isScientific(s string) bool {
	mantissa, exponent, ok := strings.Cut(strings.ToUpper(s), "E")
	return ok && isDigits(strings.NewReplacer(".", "", ",", "").Replace(mantissa)) && isDigits(strings.TrimLeft(exponent, "+-"))
}

func checkText(b []byte) string {
	if err := rating.CheckPrefix(string(b)); err != nil {
		return err.Error()
	}
	return ""
}

func hasDigit(s string) bool { return strings.ContainsAny(s, "0123456789") }

func clip(s string) string {
	if len(s) > 40 {
		return s[:40] + "…"
	}
	return s
}

// isHeader says that two cells or more are header words, none of them a number.
func (r *Reader) isHeader(cells [][]byte) bool {
	words, known := make([]string, len(cells)), 0
	for i, c := range cells {
		words[i] = string(bytes.TrimSpace(c))
		if synonyms[normal(words[i])] != nil {
			known++
		}
	}
	return known >= 2 && looksLikeHeader(words)
}
