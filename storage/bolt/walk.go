package bolt

import (
	"bytes"
	"context"
	"os"
	"slices"
)

// walk follows every page of a tree, with bounds, and finds what bbolt's own walk would end the process on.
type walk struct {
	header
	file    *os.File
	shallow bool // go no further than the first page of each bucket
	todo    []link
}

// link leads to a page, and says which keys it may hold.
type link struct {
	id        uint64
	min, till []byte // till is exclusive; nil: no bound
	bucket    bool   // the page is the first one of a bucket
}

// run returns the first fault.
func (w *walk) run(ctx context.Context) error {
	seen := make([]uint64, w.pages/64+1)
	buf := make([]byte, w.pageSize)
	w.todo = append(w.todo, link{id: w.root})
	for n := 0; len(w.todo) > 0; n++ {
		if n%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		l := w.todo[len(w.todo)-1]
		w.todo = w.todo[:len(w.todo)-1]
		p, err := w.read(w.file, l.id, &buf)
		if err != nil {
			return err
		}
		for id := p.id; id <= p.id+p.overflow; id++ {
			if seen[id/64]&(1<<(id%64)) != 0 {
				return damaged("page %d is used twice", id)
			}
			seen[id/64] |= 1 << (id % 64)
		}
		rest := len(w.todo)
		if err := w.elements(p, l); err != nil {
			return err
		}
		if w.shallow && l.bucket {
			w.todo = w.todo[:rest]
		}
	}
	return nil
}

// elements checks what lies in p and adds the pages that it names to those to do.
func (w *walk) elements(p page, l link) error {
	if p.kind != leafPage && (p.kind != branchPage || p.count == 0) {
		return damaged("page %d is no part of a tree", p.id)
	}
	last := l.min
	for i := range uint64(p.count) {
		e, err := p.element(i)
		if err != nil {
			return err
		}
		c := bytes.Compare(last, e.key)
		if i == 0 && c > 0 || i > 0 && c >= 0 || l.till != nil && bytes.Compare(e.key, l.till) >= 0 {
			return damaged("page %d: key %d is out of order", p.id, i)
		}
		last = e.key
		switch {
		case p.kind == branchPage:
			min := slices.Clone(e.key) // the buffer goes to the next page
			if i > 0 {
				w.todo[len(w.todo)-1].till = min
			}
			w.todo = append(w.todo, link{id: e.page, min: min, till: l.till, bucket: l.bucket})
		case e.isBucket:
			if err := w.bucket(p, e.value); err != nil {
				return err
			}
		}
	}
	return nil
}

// bucket follows a bucket's value: the number of its first page, or a whole page if that is small.
func (w *walk) bucket(p page, b []byte) error {
	if len(b) < bucketHeader {
		return damaged("page %d: a bucket of %d bytes", p.id, len(b))
	}
	if root := order.Uint64(b); root != 0 {
		w.todo = append(w.todo, link{id: root, bucket: true})
		return nil
	}
	b = b[bucketHeader:]
	if len(b) < pageHeaderSize || order.Uint16(b[8:]) != leafPage {
		return damaged("page %d: a bucket that is no page", p.id)
	}
	return w.elements(page{id: p.id, kind: leafPage, count: order.Uint16(b[10:]), body: b}, link{})
}

// element is a row of a leaf, or of a branch the page that the rows from key on are in.
type element struct {
	key, value []byte
	page       uint64
	isBucket   bool
}

func (p page) element(i uint64) (element, error) {
	at := pageHeaderSize + i*elementSize
	if at+elementSize > uint64(len(p.body)) {
		return element{}, damaged("page %d holds fewer rows than it says", p.id)
	}
	b := p.body[at:]
	if p.kind == branchPage {
		from := uint64(order.Uint32(b))
		till := from + uint64(order.Uint32(b[4:]))
		if till > uint64(len(b)) {
			return element{}, damaged("page %d: key %d lies outside it", p.id, i)
		}
		return element{key: b[from:till], page: order.Uint64(b[8:])}, nil
	}
	from := uint64(order.Uint32(b[4:]))
	value := from + uint64(order.Uint32(b[8:]))
	till := value + uint64(order.Uint32(b[12:]))
	if till > uint64(len(b)) {
		return element{}, damaged("page %d: row %d lies outside it", p.id, i)
	}
	return element{key: b[from:value], value: b[value:till], isBucket: order.Uint32(b)&bucketElement != 0}, nil
}
