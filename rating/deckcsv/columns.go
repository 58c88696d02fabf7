package deckcsv

import (
	"cmp"
	"slices"
	"strings"
)

// extraColumn is a column that is carried as an Extra.
type extraColumn struct {
	at   int
	name string
	kind extraKind
}

// planUnits notes what the chosen columns are converted from.
func (r *Reader) planUnits(hs []heading) {
	for f := range fieldCount {
		i := r.at[f]
		if i < 0 {
			continue
		}
		u := unit{times: 1, over: 1}
		switch f {
		case FieldPrice, FieldNextPrice, FieldConnect, FieldInter, FieldIntra, FieldIndeterminate:
			if hs[i].cents {
				u = unit{times: 1, over: 100, word: "cents"}
			}
			if hs[i].perSecond && f != FieldConnect {
				u.times, u.word = 60, strings.TrimSpace(u.word+" per second")
			}
			r.layout.Currency = cmp.Or(r.layout.Currency, hs[i].currency)
		case FieldFirst, FieldNext, FieldIncrement, FieldFree, FieldGrace:
			if hs[i].minutes {
				u = unit{times: 60, over: 1, word: "minutes"}
			}
		}
		r.units[f] = u
	}
}

// planExtras takes the columns that no field took and that have a name billd carries.
func (r *Reader) planExtras(hs []heading) {
	for i, h := range hs {
		if h.extra != "" && !slices.Contains(r.at[:], i) {
			r.extras = append(r.extras, extraColumn{i, h.extra, extraKinds[h.extra]})
		}
	}
}

// describe fills Layout.Columns and warns of money that is not read.
func (r *Reader) describe(hs []heading) {
	for i, h := range hs {
		c := Column{Number: i + 1, Header: h.text}
		if f := slices.Index(r.at[:], i); f >= 0 {
			c.Field = Field(f)
			c.Unit = r.units[f].word
		}
		for _, e := range r.extras {
			if e.at == i {
				c.Field, c.Extra = FieldExtra, e.name
			}
		}
		if c.Field == Ignored && soundsLikeMoney(h.text) {
			r.warnf("column %d, %q, is not read", i+1, h.text)
		}
		r.layout.Columns = append(r.layout.Columns, c)
	}
}

func soundsLikeMoney(header string) bool {
	n := normal(header)
	for _, w := range [...]string{"price", "rate", "cost", "charge", "fee", "included", "free"} {
		if strings.Contains(n, w) {
			return true
		}
	}
	return false
}

// unit is what a column's numbers are multiplied by and divided by, and the word for it.
type unit struct {
	times, over int64
	word        string
}
