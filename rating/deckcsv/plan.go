package deckcsv

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"billd/rating"
)

// plan decides what the columns are, from the sample.
func (r *Reader) plan(rows []line) error {
	named, numbered := r.explicit()
	if err := r.checkOptions(); err != nil {
		return err
	}
	if len(numbered) > 0 && len(named) == 0 {
		return r.planNumbered(rows, numbered)
	}
	var tried []heading // the row that looks most like a header so far
	most := -1
	for i, row := range rows {
		hs := r.headings(row.cells, named, numbered)
		if hasPrefixAndPrice(hs) {
			return r.planHeader(rows[i], rows[i+1:], hs)
		}
		if isData(row.cells) && mostlyData(rows[i:]) {
			if tried == nil && len(named) == 0 {
				return r.planHeaderless(rows[i:])
			}
			break
		}
		if n := known(hs); looksLikeHeader(row.cells) && n > most {
			tried, most = hs, n
		}
	}
	return refuseHeader(tried, named)
}

// explicit parts Options.Columns into headers and column numbers.
func (r *Reader) explicit() (named map[string]string, numbered map[int]string) {
	named, numbered = map[string]string{}, map[int]string{}
	for key, field := range r.opts.Columns {
		if n, err := strconv.Atoi(strings.TrimPrefix(key, "#")); err == nil && n > 0 && strings.HasPrefix(key, "#") {
			numbered[n-1] = field
		} else {
			named[normal(key)] = field
		}
	}
	return named, numbered
}

func (r *Reader) checkOptions() error {
	for _, key := range slices.Sorted(maps.Keys(r.opts.Columns)) {
		name := r.opts.Columns[key]
		if f, ok := fieldNamed(name); (!ok || f == FieldExtra) && !isExtra(name) {
			return rating.Errorf(rating.Invalid, "columns", "columns: %q for %q: want one of %s", name, key, strings.Join(fieldNames[:FieldExtra], ", "))
		}
	}
	return nil
}

func isExtra(name string) bool {
	for _, n := range extraSynonyms {
		if n == name {
			return true
		}
	}
	return false
}

// headings reads a row as a header; what Options say goes before what the words mean.
func (r *Reader) headings(cells []string, named map[string]string, numbered map[int]string) []heading {
	hs := make([]heading, len(cells))
	for i, c := range cells {
		hs[i] = readHeading(c)
		name, ok := named[normal(c)]
		if !ok {
			name, ok = numbered[i]
		}
		if !ok || c == "" {
			continue
		}
		hs[i].can, hs[i].extra = nil, ""
		if f, known := fieldNamed(name); known {
			hs[i].can = []meaning{{f, -1}}
		} else {
			hs[i].extra = name
		}
	}
	return hs
}

func hasPrefixAndPrice(hs []heading) bool {
	prefix, price := false, false
	for _, h := range hs {
		prefix = prefix || h.is(FieldPrefix) || h.is(FieldCountry)
		price = price || h.isPrice()
	}
	return prefix && price
}

// known returns how many of the cells are headers.
func known(hs []heading) int {
	n := 0
	for _, h := range hs {
		if h.can != nil || h.extra != "" || h.notMinute != "" {
			n++
		}
	}
	return n
}

func refuseHeader(hs []heading, named map[string]string) error {
	prefix, price := false, false
	var seen []string
	for _, h := range hs {
		prefix = prefix || h.is(FieldPrefix) || h.is(FieldCountry)
		price = price || h.isPrice()
		if h.text != "" {
			seen = append(seen, h.text)
		}
	}
	var missing []string
	if !prefix {
		missing = append(missing, "no prefix column")
	}
	if !price {
		missing = append(missing, "no price per minute")
	}
	msg := strings.Join(missing, " and ")
	for _, h := range hs {
		if h.notMinute != "" && !price && strings.Contains(normal(h.text), h.notMinute) {
			msg += fmt.Sprintf(" (%q is per %s)", h.text, h.notMinute)
		}
	}
	if len(seen) == 0 {
		msg += ": no line looks like a header or a rate"
	} else {
		msg += "; headers seen: " + strings.Join(seen, ", ")
	}
	if len(named) > 0 {
		msg += "; columns asked for: " + strings.Join(slices.Sorted(maps.Keys(named)), ", ")
	}
	return rating.Errorf(rating.Invalid, "header", "%s", msg)
}

// planHeader gives every field the best of the columns that can be it.
func (r *Reader) planHeader(header line, rows []line, hs []heading) error {
	r.layout.HeaderLine = header.number
	r.header = hs
	if i := slices.IndexFunc(hs, func(h heading) bool { return normal(h.text) == "format" }); i >= 0 && len(rows) > 0 &&
		i < len(rows[0].cells) && strings.HasPrefix(rows[0].cells[i], "billd/") {
		return r.planBilld(hs, rows[0].cells[i])
	}
	taken := make([]bool, len(hs))
	hasCountry := slices.ContainsFunc(hs, func(h heading) bool { return h.is(FieldCountry) })
	for f := FieldPrefix; f < FieldFormat; f++ {
		best, rank := -1, 0
		for i, h := range hs {
			for _, m := range h.can {
				partial := f == FieldPrefix && hasCountry && m.rank >= 0 && normal(h.text) == "areacode"
				if m.field == f && !taken[i] && !partial && (best < 0 || m.rank < rank) {
					best, rank = i, m.rank
				}
			}
		}
		if r.at[f] = best; best >= 0 {
			taken[best] = true
		}
	}
	r.settlePrefix(rows)
	if r.at[FieldPrefix] < 0 && r.at[FieldCountry] < 0 {
		return refuseHeader(dropCan(hs, FieldCountry), nil)
	}
	if err := r.chooseJurisdiction(); err != nil {
		return err
	}
	if portSIPHeader(hs) {
		r.layout.Form = FormPortSIP
	}
	r.planUnits(hs)
	r.planExtras(hs)
	r.describe(hs)
	return nil
}

func dropCan(hs []heading, f Field) []heading {
	out := slices.Clone(hs)
	for i := range out {
		if out[i].is(f) {
			out[i].can = nil
		}
	}
	return out
}

func portSIPHeader(hs []heading) bool {
	return slices.EqualFunc(hs, portSIPColumns, func(h heading, c string) bool { return h.text == c })
}

// settlePrefix decides, by the rates themselves, between a whole prefix and one in two columns.
func (r *Reader) settlePrefix(rows []line) {
	prefix, country, area := r.at[FieldPrefix], r.at[FieldCountry], r.at[FieldArea]
	cell := func(row line, i int) string {
		if i < 0 || i >= len(row.cells) {
			return ""
		}
		return row.cells[i]
	}
	switch {
	case prefix >= 0 && area >= 0 && country < 0:
		// "672" and "12| 672" make 67212 and 672672; a prefix that ends in its area is whole
		whole := true
		for _, row := range rows {
			whole = whole && strings.HasSuffix(cell(row, prefix), cell(row, area))
		}
		if whole {
			r.at[FieldArea] = -1
		} else {
			r.at[FieldPrefix], r.at[FieldCountry] = -1, prefix
		}
	case prefix >= 0:
		r.at[FieldCountry], r.at[FieldArea] = -1, -1
		without := 0
		for _, row := range rows {
			if c := justDigits(cell(row, country)); c != "" && !strings.HasPrefix(justDigits(cell(row, prefix)), c) {
				without++
			}
		}
		if without > len(rows)/2 {
			r.warnf("%q does not begin with %q: it is taken for the whole prefix", r.header[prefix].text, r.header[country].text)
		}
	case country >= 0:
		if share(rows, country, isPrefixLike) < 0.5 { // letters: a code such as DE
			r.at[FieldCountry] = -1
		} else if name := r.at[FieldName]; area < 0 && name >= 0 && share(rows, name, isPrefixLike) > 0.9 {
			r.at[FieldArea], r.at[FieldName] = name, -1 // PortaBilling: Country Prefix, Destination
		}
	}
}

// share returns which part of the rows has a filled cell in column i that is ok.
func share(rows []line, i int, ok func(string) bool) float64 {
	good, all := 0, 0
	for _, row := range rows {
		if i >= 0 && i < len(row.cells) && row.cells[i] != "" {
			all++
			if ok(row.cells[i]) {
				good++
			}
		}
	}
	return float64(good) / float64(max(all, 1))
}
