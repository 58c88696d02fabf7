package storage

import "billd/rating"

// rateRow is a rate row without its texts, which rest begins with. It is valid as long as the row.
type rateRow struct {
	has        uint32
	gen        uint32
	from, till int64 // microseconds since 1970
	deck       rating.DeckID
	entry      rating.Entry
	uuid       []byte
	external   int64
	rest       rowReader
}

// openRate reads the columns of the row that is kept under id up to its texts.
// Fails with Internal if they are damaged or a newer billd wrote the row.
func openRate(id rating.RateID, b []byte) (row rateRow, err error) {
	if err := checkLayout(b, "rate", rateLayout); err != nil {
		return row, err
	}
	r := rowReader{b: b[1:]}
	has := r.u32()
	if has>>rateKnown != 0 {
		return row, newerRow("rate", "it has unknown columns")
	}
	row.has, row.gen = has, r.u32()
	e := &row.entry
	e.Rate, e.Blocked, e.Reverse, e.OnVendor = id, has&rateBlocked != 0, has&rateReverse != 0, has&rateOnVendor != 0
	if has&rateInbound != 0 {
		e.Direction = rating.Inbound
	}
	e.Terms.First.Price = rating.Price(r.i64())
	e.Terms.Next.Price = e.Terms.First.Price
	if has&rateNextPrice != 0 {
		e.Terms.Next.Price = rating.Price(r.i64())
	}
	if has&rateFrom != 0 {
		row.from = r.i64()
		e.From = floorMilli(row.from)
	}
	if has&rateTill != 0 {
		row.till = r.i64()
		e.Till = floorMilli(row.till)
	}
	row.deck = rating.DeckID(r.uvarint())
	readTerms(&r, has, &e.Terms)
	if has&rateMinLen != 0 {
		e.MinLen = r.u8()
	}
	if has&rateMaxLen != 0 {
		e.MaxLen = r.u8()
	}
	if has&rateWeight != 0 {
		e.Weight = r.u8()
	}
	if has&rateUUID != 0 {
		row.uuid = r.take(16)
	}
	if has&rateExternal != 0 {
		row.external = r.varint()
	}
	if r.failed {
		return row, damagedRow("rate", "its columns are cut short")
	}
	row.rest = r
	return row, nil
}

// readTerms reads what appendTerms wrote.
func readTerms(r *rowReader, has uint32, t *rating.Terms) {
	t.First.Seconds = r.uvarint32()
	t.Next.Seconds = r.uvarint32()
	if has&rateFee != 0 {
		t.ConnectFee = rating.Money(r.varint())
	}
	if has&rateFreeSeconds != 0 {
		t.FreeSeconds = r.uvarint32()
	}
	if has&rateGrace != 0 {
		t.Grace = r.uvarint32()
	}
	if has&rateSurcharge != 0 {
		t.Surcharge = rating.Fraction(r.varint())
	}
	if has&rateMinCost != 0 {
		t.MinCost = rating.Money(r.varint())
	}
	if has&rateMaxCost != 0 {
		t.MaxCost = rating.Money(r.varint())
	}
}

// floorMilli returns microseconds as milliseconds, rounded down as time.UnixMilli does.
func floorMilli(micro int64) int64 {
	milli := micro / 1000
	if micro%1000 < 0 {
		milli--
	}
	return milli
}

// indexedRate is what a deck index is built from.
type indexedRate struct {
	Prefix   []byte // part of the row
	Deck     rating.DeckID
	Gen      uint32
	Disabled bool
	Entry    rating.Entry
}

// rateEntry sets r to what the deck index needs of the row that is kept under id. It allocates nothing:
// Prefix is valid as long as the row.
// Fails with Internal if what it reads is damaged or a newer billd wrote the row.
func rateEntry(id rating.RateID, b []byte, r *indexedRate) error {
	row, err := openRate(id, b)
	if err != nil {
		return err
	}
	prefix := row.rest.text()
	if row.rest.failed {
		return damagedRow("rate", "its prefix is cut short")
	}
	*r = indexedRate{Prefix: prefix, Deck: row.deck, Gen: row.gen, Disabled: row.has&rateDisabled != 0, Entry: row.entry}
	return nil
}
