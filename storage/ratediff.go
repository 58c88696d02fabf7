package storage

import (
	"reflect"
	"slices"
	"time"

	"billd/rating"
)

// listed is a row of a price list while its prefix is compared with the deck.
type listed struct {
	rating.Rate
	at      int // in the list
	line    int
	given   RateFields
	chained bool // its valid-till is the next row's valid-from
	altered bool // it is not any more as it lies in the list
	dropped bool // rejected, or known to be in the deck
}

// stored is a row of the deck while its prefix is compared with a price list.
type stored struct {
	rating.Rate
	kept bool // a row of the list says the same
}

// live reports whether a row of the deck prices calls at or after t.
func (s *stored) live(t time.Time) bool {
	return !s.Disabled && (s.Till.IsZero() || s.Till.After(t) && s.Till.After(s.From))
}

// prefixDiff compares what a list and a deck hold of one prefix and direction.
type prefixDiff struct {
	im    *RateImport
	files []*listed
	deck  []*stored // all visible rows
	live  []*stored // of them, those that price calls from the import's instant on
}

// run decides each row of the list: added, changed, same or rejected, and which rows of the deck end.
func (d *prefixDiff) run() error {
	for _, s := range d.deck {
		if s.live(d.im.at) {
			d.live = append(d.live, s)
		}
	}
	slices.SortStableFunc(d.live, func(a, b *stored) int { return a.From.Compare(b.From) })
	d.settleWhole()
	d.chain()
	d.settleEnded()
	touched := len(d.live) > 0
	for _, f := range d.files {
		if f.dropped || f.given.has(GiveEnd) {
			continue
		}
		if s := d.same(f); s != nil {
			d.keep(f, s)
			continue
		}
		if err := d.place(f); err != nil {
			return err
		}
		if touched {
			d.im.counts.Changed++
		} else {
			d.im.counts.Added++
		}
	}
	d.end()
	return nil
}

// settleWhole settles rows that billd exported by their uuid: the same row is the same, another one
// under the uuid is not taken (R26). A row that the deck does not know is a new one.
func (d *prefixDiff) settleWhole() {
	for _, f := range d.files {
		if !f.given.has(GiveWhole) || d.im.fresh {
			continue
		}
		for _, s := range d.deck {
			known := !f.UUID.IsZero() && d.im.uuid(&s.Rate) == f.UUID
			if same := sameRow(&s.Rate, &f.Rate); !s.kept && (known || same) {
				s.kept, f.dropped = true, true
				if same {
					d.im.counts.Same++
				} else {
					d.im.refuse(f.line, "rate %d has changed since the export: leave number and uuid blank to import the line as a new price", s.ID)
				}
				break
			}
		}
		f.ID, f.UUID, f.KazooID, f.altered = 0, rating.UUID{}, "", true
	}
}

// chain ends each row where the next of its prefix begins: a carrier who lists a price from January and
// one from March means the first until March. Rows that billd exported say themselves when they end.
func (d *prefixDiff) chain() {
	var last *listed
	for _, f := range d.files {
		if f.dropped || f.given.has(GiveWhole) {
			continue
		}
		if last != nil && last.From.Before(f.From) && (last.Till.IsZero() || last.Till.After(f.From)) {
			last.Till, last.chained, last.altered = f.From, true, true
		}
		last = f
	}
}

// settleEnded takes out what is over before the import takes effect: the deck has it already, or it is
// too late to say so.
func (d *prefixDiff) settleEnded() {
	for _, f := range d.files {
		if f.dropped || d.im.fresh || f.Till.IsZero() || f.Till.After(d.im.at) {
			continue
		}
		f.dropped = true
		known := slices.ContainsFunc(d.deck, func(s *stored) bool {
			return s.From.Equal(f.From) && s.Till.Equal(f.Till) && says(&s.Rate, f)
		})
		switch {
		case known:
			d.im.counts.Same++
		case f.chained:
			d.im.refuse(f.line, "prefix %s: a later line prices it from %s on", f.Prefix, stamp(f.Till))
		default:
			d.im.refuse(f.line, "prefix %s: valid till %s, and the import takes effect at %s", f.Prefix, stamp(f.Till), stamp(d.im.at))
		}
	}
}

// same returns the row of the deck that already says what f says.
func (d *prefixDiff) same(f *listed) *stored {
	from := d.from(f)
	for i, s := range d.live {
		if s.kept || !later(s.From, d.im.at).Equal(later(from, d.im.at)) || !says(&s.Rate, f) {
			continue
		}
		switch {
		case f.chained || f.given.has(GiveTill):
			if !s.Till.IsZero() && (f.Till.IsZero() || s.Till.Before(f.Till)) {
				continue
			}
		case !s.Till.IsZero() && i < len(d.live)-1:
			continue // what follows it ends with this import: it has to go on
		}
		return s
	}
	return nil
}

// keep lets s stand for f, and end where f says.
func (d *prefixDiff) keep(f *listed, s *stored) {
	s.kept = true
	if f.Till.IsZero() || s.Till.Equal(f.Till) {
		d.im.counts.Same++
		return
	}
	d.im.close(s.ID, f.Till)
	if f.chained {
		d.im.counts.Same++
	} else {
		d.im.counts.Changed++
	}
}

// from returns when f begins to count: not before the import does, unless the deck was empty.
func (d *prefixDiff) from(f *listed) time.Time {
	if d.im.fresh {
		return f.From
	}
	return later(f.From, d.im.at)
}

// place makes f a new row of the deck. What f does not say it takes from the row that it follows.
func (d *prefixDiff) place(f *listed) error {
	r := f.Rate
	if base := d.follows(f); base != nil && !f.given.has(GiveWhole) {
		r = *base
		r.ID, r.UUID, r.KazooID, r.Till = 0, rating.UUID{}, "", f.Till
		overlay(&r, f)
	}
	r.From = d.from(f)
	return d.im.place(f, &r)
}

// follows returns the row of the deck that prices the prefix before f does.
func (d *prefixDiff) follows(f *listed) *rating.Rate {
	var base *rating.Rate
	for _, s := range d.live {
		if base == nil || !s.From.After(d.from(f)) {
			base = &s.Rate
		}
	}
	return base
}

// end closes the rows of the deck that the list replaces, where its own begin.
func (d *prefixDiff) end() {
	from, any := d.begins()
	before := len(d.im.closings)
	for _, s := range d.live {
		switch {
		case s.kept:
		case any && (s.Till.IsZero() || s.Till.After(from)):
			d.im.close(s.ID, later(s.From, from))
		case !any && d.im.o.Mode == Replace && s.Direction == rating.Outbound:
			d.im.close(s.ID, later(s.From, d.im.at))
			d.im.counts.Removed++
		}
	}
	for _, f := range d.files {
		switch {
		case f.dropped || !f.given.has(GiveEnd):
		case len(d.im.closings) > before:
			d.im.counts.Changed++
		default:
			d.im.counts.Same++
		}
	}
}

// begins returns from when on the list says what the prefix costs, if it does.
func (d *prefixDiff) begins() (from time.Time, any bool) {
	for _, f := range d.files {
		if at := later(f.From, d.im.at); !f.dropped && (!any || at.Before(from)) {
			from, any = at, true
		}
	}
	return from, any
}

// later returns the later of two instants, the zero one being always.
func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// overlay sets in r the fields that f gives; validity is the caller's.
func overlay(r *rating.Rate, f *listed) {
	t, is, g := &r.Terms, &f.Terms, f.given
	set := func(field RateFields, do func()) {
		if g.has(field) {
			do()
		}
	}
	if g.has(GivePrice) {
		t.First.Price, t.Next.Price = is.First.Price, is.Next.Price
	}
	set(GiveNextPrice, func() { t.Next.Price = is.Next.Price })
	set(GiveConnect, func() { t.ConnectFee = is.ConnectFee })
	set(GiveFirst, func() { t.First.Seconds = is.First.Seconds })
	set(GiveNext, func() { t.Next.Seconds = is.Next.Seconds })
	set(GiveFree, func() { t.FreeSeconds = is.FreeSeconds })
	set(GiveGrace, func() { t.Grace = is.Grace })
	set(GiveSurcharge, func() { t.Surcharge = is.Surcharge })
	set(GiveMinCost, func() { t.MinCost = is.MinCost })
	set(GiveMaxCost, func() { t.MaxCost = is.MaxCost })
	set(GiveName, func() { r.Name = f.Name })
	set(GiveLabel, func() { r.Label = f.Label })
	set(GiveExternal, func() { r.External = f.External })
	set(GiveReverse, func() { r.Reverse = f.Reverse })
	set(GiveDisabled, func() { r.Disabled = f.Disabled })
	set(GiveMinLen, func() { r.MinLen = f.MinLen })
	set(GiveMaxLen, func() { r.MaxLen = f.MaxLen })
	set(GiveWeight, func() { r.Weight = f.Weight })
	set(GiveISO, func() { r.Extra.ISO = f.Extra.ISO })
	// a list with prices says of each of its rows whether calls are sold
	if g.has(GiveBlocked) || g.has(GivePrice) {
		r.Blocked = f.Blocked
	}
}

// says reports whether s has every field that f gives as f gives it, validity apart.
func says(s *rating.Rate, f *listed) bool {
	if f.given.has(GiveWhole) {
		r := f.Rate
		r.From, r.Till, r.KazooID = s.From, s.Till, s.KazooID
		return sameRow(s, &r)
	}
	r := *s
	overlay(&r, f)
	return sameRow(s, &r)
}

// sameRow reports whether two rates are equal but for number, uuid, deck and generation.
func sameRow(a, b *rating.Rate) bool {
	if a.Terms != b.Terms || a.Prefix != b.Prefix || a.Direction != b.Direction || a.Disabled != b.Disabled || a.Blocked != b.Blocked ||
		a.Reverse != b.Reverse || a.MinLen != b.MinLen || a.MaxLen != b.MaxLen || a.Weight != b.Weight || a.Name != b.Name ||
		a.Label != b.Label || a.KazooID != b.KazooID || !a.From.Equal(b.From) || !a.Till.Equal(b.Till) {
		return false
	}
	if (a.External == nil) != (b.External == nil) || a.External != nil && *a.External != *b.External {
		return false
	}
	if plainExtra(&a.Extra) && plainExtra(&b.Extra) {
		return a.Extra.ISO == b.Extra.ISO
	}
	return reflect.DeepEqual(&a.Extra, &b.Extra)
}

// plainExtra reports whether e holds nothing but a country, as nearly all do; reflection takes its time.
func plainExtra(e *rating.RateExtra) bool {
	return e.Doc == nil && e.RoutingTagIDs == nil && e.ProfitControl == nil && e.Description == "" && e.DPMarginFixed == "" &&
		e.DPMarginPercent == "" && !e.UseDPIntervals && e.ASRLimit == "" && e.ACDLimit == "" && e.ShortCallsLimit == "" &&
		e.RoutingTagMode == 0 && e.RatePolicy == 0 && e.Dialpeer == (rating.DialpeerExtra{})
}
