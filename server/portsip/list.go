package portsip

import (
	"strconv"

	"billd/rating"
)

// source is a walk over the records that a list is made of.
type source[T any] struct {
	next func() bool             // moves on
	id   func() uint64           // of the record it stands on
	load func(*T) error          // decodes the record it stands on
	byID func(uint64, *T) error  // decodes any record
	err  func() error            // why it stopped
	most int                     // records that a filter may make it read, 0 for no bound
	item func([]byte, *T) []byte // appends a record as it is shown in the list
}

// list is one page of records, written as JSON items, and how many match.
type list[T any] struct {
	q     *listQuery[T]
	src   source[T]
	items [][]byte
	count int
}

// cut takes the page out of a walk in which everything matches; it leaves count to the caller.
func (l *list[T]) cut() error {
	var v T
	for n := 0; len(l.items) < l.q.top && l.src.next(); n++ {
		if n < l.q.skip {
			continue
		}
		if err := l.src.load(&v); err != nil {
			return err
		}
		l.take(&v)
	}
	return l.src.err()
}

// sift takes the page out of a walk in the right order and counts the matches.
func (l *list[T]) sift() error {
	return l.matches(func(_ uint64, v *T) {
		if l.count > l.q.skip && len(l.items) < l.q.top {
			l.take(v)
		}
	})
}

// sort finds the page in an order that the walk does not have, and counts the matches.
func (l *list[T]) sort() error {
	s := newSorter(l.q)
	if err := l.matches(s.add); err != nil {
		return err
	}
	ids, err := s.page()
	if err != nil {
		return err
	}
	var v T
	for _, id := range ids {
		if err := l.src.byID(id, &v); err != nil {
			return err
		}
		l.take(&v)
	}
	return nil
}

// matches calls fn with every record that passes, and counts them.
func (l *list[T]) matches(fn func(uint64, *T)) error {
	var v T
	for read := 0; l.src.next(); read++ {
		if l.src.most > 0 && read == l.src.most {
			return rating.Broken("filter", "maximum", strconv.Itoa(l.src.most), "filter: more than %d records to read, narrow it by started_at", l.src.most)
		}
		if err := l.src.load(&v); err != nil {
			return err
		}
		if l.q.match(&v) {
			l.count++
			fn(l.src.id(), &v)
		}
	}
	return l.src.err()
}

func (l *list[T]) take(v *T) { l.items = append(l.items, l.src.item(nil, v)) }

// body returns the answer: the count and the items.
func (l *list[T]) body() []byte {
	b := append([]byte(`{"count":`), strconv.Itoa(l.count)...)
	b = append(b, `,"items":[`...)
	for i, item := range l.items {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, item...)
	}
	return append(b, "]}"...)
}
