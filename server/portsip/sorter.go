package portsip

import (
	"cmp"
	"slices"

	"billd/rating"
)

// maxSorted is how many records a page may lie deep in an order that the store does not keep.
const maxSorted = 50_000

// sorter finds one page of the records in an order, keeping no more of them than the page needs.
type sorter[T any] struct {
	q     *listQuery[T]
	keep  int
	kept  []sorted
	count int
}

// sorted is a record's number and its values in the ordering columns.
type sorted struct {
	id   uint64
	keys []value
}

func newSorter[T any](q *listQuery[T]) *sorter[T] {
	return &sorter[T]{q: q, keep: min(q.skip+q.top, maxSorted)}
}

// add takes record id.
func (s *sorter[T]) add(id uint64, v *T) {
	s.count++
	keys := make([]value, len(s.q.order))
	for i, o := range s.q.order {
		keys[i] = o.col.value(v)
	}
	s.kept = append(s.kept, sorted{id, keys})
	if len(s.kept) >= 2*s.keep+maxTop {
		s.cut()
	}
}

// cut sorts and drops what no page asked for can reach.
func (s *sorter[T]) cut() {
	slices.SortFunc(s.kept, func(a, b sorted) int {
		for i, o := range s.q.order {
			c := a.keys[i].compare(b.keys[i])
			if o.desc {
				c = -c
			}
			if c != 0 {
				return c
			}
		}
		return cmp.Compare(a.id, b.id)
	})
	s.kept = slices.Delete(s.kept, min(s.keep, len(s.kept)), len(s.kept))
}

// page returns the numbers of the page's records. Fails with Invalid when it lies too deep.
func (s *sorter[T]) page() ([]uint64, error) {
	if s.q.skip >= s.count {
		return nil, nil
	}
	if end := s.q.skip + s.q.top; end > maxSorted && s.count > maxSorted {
		return nil, rating.Broken("skip", "maximum", "", "skip: an order reaches %d records deep, narrow the filter", maxSorted)
	}
	s.cut()
	var ids []uint64
	for _, k := range s.kept[s.q.skip:] {
		ids = append(ids, k.id)
	}
	return ids, nil
}
