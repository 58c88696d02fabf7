package deckcsv

import (
	"fmt"
	"strings"

	"billd/rating"
)

// jurisdictions are the columns by which a list for the US and Canada has its prices.
var jurisdictions = [...]struct {
	says  Jurisdiction
	field Field
	word  string
}{{Interstate, FieldInter, "inter"}, {Intrastate, FieldIntra, "intra"}, {Indeterminate, FieldIndeterminate, "indeterminate"}}

// chooseJurisdiction makes the price of a list that has several: what the options say, and never a guess.
func (r *Reader) chooseJurisdiction() error {
	var has []string
	for _, j := range jurisdictions {
		at := r.at[j.field]
		if at < 0 {
			continue
		}
		has = append(has, j.word)
		r.highest = append(r.highest, j.field)
		if r.opts.Jurisdiction == j.says {
			r.at[FieldPrice], r.at[j.field] = at, -1
			r.highest = nil
			r.assume(fmt.Sprintf("the price is that of %s, %q", j.word, r.header[at].text))
			return nil
		}
	}
	switch {
	case len(has) == 0 && r.opts.Jurisdiction == Unspecified:
		return nil
	case len(has) == 0:
		return rating.Errorf(rating.Invalid, "jurisdiction", "no column has a price by jurisdiction")
	case r.opts.Jurisdiction == HighestPrice:
		if r.at[FieldPrice] >= 0 {
			r.highest = append(r.highest, FieldPrice)
		}
		r.at[FieldPrice] = r.at[r.highest[0]] // where the units of prices are looked for
		r.assume("the price is the highest of " + strings.Join(has, ", "))
		return nil
	case r.opts.Jurisdiction != Unspecified:
		return rating.Errorf(rating.Invalid, "jurisdiction", "no column has the price of that jurisdiction; there are %s", strings.Join(has, ", "))
	case r.at[FieldPrice] >= 0:
		r.highest = nil
		r.warnf("prices by jurisdiction are not read: %s", strings.Join(has, ", "))
		return nil
	}
	return rating.Errorf(rating.Invalid, "jurisdiction", "the list has prices by jurisdiction, %s, and a rate depends on the called number alone: say which counts: inter, intra, indeterminate or highest", strings.Join(has, ", "))
}

// priceCell returns the cell of the price: where the highest counts, the one with the highest, or the
// first that is no number.
func (r *Reader) priceCell(cells [][]byte) []byte {
	if len(r.highest) == 0 || r.opts.Jurisdiction != HighestPrice {
		return r.cell(cells, FieldPrice)
	}
	var best []byte
	most := int64(-1)
	for _, f := range r.highest {
		cell := r.cell(cells, f)
		if len(cell) == 0 {
			continue
		}
		v, reason := r.amount(cell, f)
		if reason != "" {
			return cell
		}
		if v > most {
			best, most = cell, v
		}
	}
	return best
}

// everyCaller are what stands in a column of callers when the price is for all of them.
var everyCaller = map[string]bool{"all": true, "any": true, "worldwide": true, "0": true}

// origin refuses a row whose price is for some callers only.
func (r *Reader) origin(_ *Row, cells [][]byte) string {
	cell := r.cell(cells, FieldOrigin)
	if len(cell) == 0 || everyCaller[strings.ToLower(string(cell))] || strings.Trim(string(cell), "*-") == "" {
		return ""
	}
	return fmt.Sprintf("a price for calls from %s only: a rate depends on the called number alone", clip(r.text(cell)))
}
