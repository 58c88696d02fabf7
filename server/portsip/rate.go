package portsip

import (
	"slices"

	"billd/rating"
)

// Bounds of a call rate that the contract does not give (R1).
const (
	maxMoney     = 1_000_000_000 // of a fee or a price a minute
	maxSurcharge = 1_000
	maxText      = 1024 // characters of a description
)

// rateField is one attribute of a call rate: how it is read off a rate and how it is put there.
type rateField struct {
	column[rating.Rate]
	optional bool // may be left out of a create, and may be null
	inDetail bool // left out of lists
	read     func(o object, name string) (value, *rating.Error)
	put      func(*rating.Rate, value)
}

// rateFields are the attributes in the order of the wire, without id.
// Source: contract, section 3.
var rateFields = []rateField{
	{column: column[rating.Rate]{"prefix", text, true, func(r *rating.Rate) value { return textValue(r.Prefix) }},
		read: readPrefix, put: func(r *rating.Rate, v value) { r.Prefix = v.text }},
	{column: column[rating.Rate]{"type", text, false, func(r *rating.Rate) value { return textValue(r.Label.String()) }},
		read: readType, put: func(r *rating.Rate, v value) { r.Label, _ = rating.ParseRateLabel(v.text) }},
	seconds("free_seconds", 0, func(t *rating.Terms) *uint32 { return &t.FreeSeconds }),
	seconds("grace_period", 0, func(t *rating.Terms) *uint32 { return &t.Grace }),
	seconds("interval_1", 1, func(t *rating.Terms) *uint32 { return &t.First.Seconds }),
	seconds("interval_n", 1, func(t *rating.Terms) *uint32 { return &t.Next.Seconds }),
	{column: column[rating.Rate]{"connect_fee", number, false, func(r *rating.Rate) value { return moneyValue(r.Terms.ConnectFee) }},
		inDetail: true, read: readAmount, put: func(r *rating.Rate, v value) { r.Terms.ConnectFee = rating.Money(v.n * 10) }},
	{column: column[rating.Rate]{"postcall_surcharge", number, false, func(r *rating.Rate) value { return fractionValue(r.Terms.Surcharge) }},
		read: readSurcharge, put: func(r *rating.Rate, v value) { r.Terms.Surcharge = rating.Fraction(v.n * 10) }},
	price("price_1", func(t *rating.Terms) *rating.Price { return &t.First.Price }),
	price("price_n", func(t *rating.Terms) *rating.Price { return &t.Next.Price }),
	{column: column[rating.Rate]{"description", text, true, func(r *rating.Rate) value { return orNull(r.Name) }},
		optional: true, read: readDescription, put: func(r *rating.Rate, v value) { r.Name = v.text }},
}

// rateColumns are what filters and orders may name: every attribute and the id.
var rateColumns = func() []column[rating.Rate] {
	columns := []column[rating.Rate]{{"id", text, false, func(r *rating.Rate) value { return textValue(rateID(r)) }}}
	for _, f := range rateFields {
		columns = append(columns, f.column)
	}
	return columns
}()

func rateID(r *rating.Rate) string { return encodeID(idBase + uint64(r.ID)) }

func seconds(name string, least int64, at func(*rating.Terms) *uint32) rateField {
	return rateField{column: column[rating.Rate]{name, whole, false, func(r *rating.Rate) value { return wholeValue(int64(*at(&r.Terms))) }},
		read: func(o object, name string) (value, *rating.Error) {
			n, err := o.whole(name, least)
			return wholeValue(n), err
		},
		put: func(r *rating.Rate, v value) { *at(&r.Terms) = uint32(v.n / hundredThousand) }}
}

func price(name string, at func(*rating.Terms) *rating.Price) rateField {
	return rateField{column: column[rating.Rate]{name, number, false, func(r *rating.Rate) value { return priceValue(*at(&r.Terms)) }},
		read: readAmount, put: func(r *rating.Rate, v value) { *at(&r.Terms) = rating.Price(v.n * 10_000) }}
}

func readPrefix(o object, name string) (value, *rating.Error) {
	s, err := o.text(name, 1, rating.MaxPrefix)
	if err == nil {
		err = rating.CheckPrefix(s)
	}
	return textValue(s), err
}

func readType(o object, name string) (value, *rating.Error) {
	s, err := o.text(name, 0, maxBody)
	if err != nil {
		return value{}, err
	}
	if _, ok := rating.ParseRateLabel(s); !ok {
		return value{}, rating.Broken(name, "enum", "", "%s: want LOCAL, NATIONAL, INTERNATIONAL or MOBILE", name)
	}
	return textValue(s), nil
}

func readAmount(o object, name string) (value, *rating.Error) {
	n, err := o.number(name, maxMoney)
	return value{n: n}, err
}

func readSurcharge(o object, name string) (value, *rating.Error) {
	n, err := o.number(name, maxSurcharge)
	return value{n: n}, err
}

func readDescription(o object, name string) (value, *rating.Error) {
	if o.isNull(name) {
		return orNull(""), nil
	}
	s, err := o.text(name, 0, maxText)
	return orNull(s), err
}

// applyRate puts the attributes that o holds into r. One that already renders as what o says leaves r
// as it is, with all its decimals (R6).
func applyRate(r *rating.Rate, o object) rating.Errors {
	var es rating.Errors
	for i := range rateFields {
		f := &rateFields[i]
		if !o.has(f.name) {
			continue
		}
		v, err := f.read(o, f.name)
		if err != nil {
			es = append(es, err)
			continue
		}
		if v != f.value(r) {
			f.put(r, v)
		}
	}
	return es
}

// newRate makes a rate of the default deck from the body of a create.
func newRate(o object) (*rating.Rate, error) {
	r := &rating.Rate{Deck: rating.DefaultDeck}
	var es rating.Errors
	for i := range rateFields {
		if f := &rateFields[i]; !f.optional && !o.has(f.name) {
			es = append(es, required(f.name))
		}
	}
	return r, append(es, applyRate(r, o)...).Err()
}

// rateItemFields are the attributes of a rate in a list. Source: the vendor's 22.0 to 22.2 specs.
var rateItemFields = slices.DeleteFunc(slices.Clone(rateFields), func(f rateField) bool { return f.inDetail })

// appendRate appends fields of a rate as a JSON object.
func appendRate(dst []byte, r *rating.Rate, fields []rateField) []byte {
	dst = append(dst, `{"id":`...)
	dst = appendString(dst, rateID(r))
	for i := range fields {
		f := &fields[i]
		dst = append(append(append(dst, `,"`...), f.name...), `":`...)
		dst = f.value(r).appendJSON(dst, f.kind)
	}
	return append(dst, '}')
}
