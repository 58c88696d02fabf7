package deckcsv

import (
	"slices"

	"billd/rating"
)

// formatBilld is the version of billd's own export, in the first cell of every row: a file that was
// sorted, cut or joined with another still says what it is.
const formatBilld = "billd/1"

// billdColumns are the columns of billd's own export before the extras.
var billdColumns = []Field{
	FieldFormat, FieldPrefix, FieldName, FieldPrice, FieldNextPrice, FieldConnect, FieldFirst, FieldNext, FieldFree,
	FieldGrace, FieldSurcharge, FieldMinCost, FieldMaxCost, FieldFrom, FieldTill, FieldBlocked, FieldChange, FieldType,
}

// BilldExtras are the extras that billd's own export has a column for, whatever rows it holds.
var BilldExtras = []string{
	"number", "uuid", "external_id", "direction", "reverse_billing", "enabled", "weight", "min_length", "max_length", "currency", "country",
}

// portSIPColumns are the fields of a PortSIP call rate without the id, in the order of its documents.
var portSIPColumns = []string{
	"prefix", "type", "free_seconds", "grace_period", "interval_1", "interval_n", "connect_fee", "postcall_surcharge",
	"price_1", "price_n", "description",
}

// planBilld takes every column of billd's own export by its exact name; what is no field is an Extra.
func (r *Reader) planBilld(hs []heading, version string) error {
	if version != formatBilld {
		return rating.Errorf(rating.Unsupported, "format", "format %s: this billd reads %s", version, formatBilld)
	}
	r.layout.Form = FormBilld
	r.lines.maxLines = maxBilldLines
	for i, h := range hs {
		f, ok := fieldNamed(h.text)
		switch {
		case ok && slices.Contains(billdColumns, f):
			if r.at[f] >= 0 {
				return rating.Errorf(rating.Invalid, "header", "column %s stands there twice", h.text)
			}
			r.at[f] = i
		case h.text != "":
			r.extras = append(r.extras, extraColumn{i, h.text, extraKinds[h.text]})
		}
	}
	if r.at[FieldPrefix] < 0 || r.at[FieldPrice] < 0 {
		return rating.Errorf(rating.Invalid, "header", "format %s without the columns prefix and price", formatBilld)
	}
	r.describe(hs)
	return nil
}
