package bolt

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"os"
)

// The file as bbolt writes it, in the byte order of the machine. Source: bbolt 1.5.0 internal/common.
const (
	metaMagic      = 0xED0CDAED
	metaVersion    = 2
	metaSize       = 64 // its last 8 bytes are the checksum of those before
	pageHeaderSize = 16 // number 8, kind 2, count 2, overflow 4
	elementSize    = 16
	branchPage     = 0x01
	leafPage       = 0x02
	freelistPage   = 0x10
	bucketElement  = 0x01
	bucketHeader   = 16         // root page 8, sequence 8
	noFreelist     = ^uint64(0) // in a header: the list is not in the file
	manyPages      = 0xFFFF     // in a count: the first element is the count
	minPageSize    = 1 << 10    // bbolt looks for its second header at 1 KiB to 16 MiB
	maxPageSize    = 16 << 20
)

var order = binary.NativeEndian

// header is what the newer valid one of the two meta pages says.
type header struct {
	pageSize              uint64
	root, freelist, pages uint64
	txid                  uint64
}

func damaged(format string, args ...any) error {
	return fmt.Errorf("store is damaged: "+format, args...)
}

// verifyForOpen finds what would make bbolt end the process when it opens f.
//
// Where the list of free pages is in the file, only that, the file's length and each bucket's first page
// are looked at: the time does not grow with the rows.
func verifyForOpen(f *os.File) error {
	hd, err := readHeader(f)
	if err != nil {
		return err
	}
	w := walk{header: hd, file: f, shallow: hd.freelist != noFreelist}
	if w.shallow {
		if err := hd.verifyFreelist(f); err != nil {
			return err
		}
	}
	return w.run(context.Background())
}

func readHeader(f *os.File) (header, error) {
	info, err := f.Stat()
	if err != nil {
		return header{}, err
	}
	if info.Size() == 0 {
		return header{}, errors.New("file is empty, want a store; if it is to be a new one, remove the file")
	}
	first, ok := readMeta(f, 0)
	hd := first
	if ok {
		if second, ok := readMeta(f, int64(first.pageSize)); ok && second.txid > first.txid {
			hd = second
		}
	}
	for size := int64(minPageSize); !ok && size <= maxPageSize; size *= 2 {
		hd, ok = readMeta(f, size)
		ok = ok && hd.pageSize == uint64(size)
	}
	if !ok {
		return header{}, errors.New("file is not a store, or its first pages are destroyed")
	}
	if hd.pages > uint64(info.Size())/hd.pageSize {
		return header{}, fmt.Errorf("file is cut short: %d bytes, want %d pages of %d", info.Size(), hd.pages, hd.pageSize)
	}
	return hd, nil
}

func readMeta(f *os.File, at int64) (header, bool) {
	var b [pageHeaderSize + metaSize]byte
	if _, err := f.ReadAt(b[:], at); err != nil {
		return header{}, false
	}
	m := b[pageHeaderSize:]
	sum := fnv.New64a()
	sum.Write(m[:metaSize-8])
	size := order.Uint32(m[8:])
	ok := order.Uint32(m) == metaMagic && order.Uint32(m[4:]) == metaVersion &&
		order.Uint64(m[metaSize-8:]) == sum.Sum64() &&
		size >= minPageSize && size <= maxPageSize && size&(size-1) == 0
	return header{
		pageSize: uint64(size),
		root:     order.Uint64(m[16:]),
		freelist: order.Uint64(m[32:]),
		pages:    order.Uint64(m[40:]),
		txid:     order.Uint64(m[48:]),
	}, ok
}

// page is one page with its overflow, in a buffer that the next one overwrites.
type page struct {
	id          uint64
	kind, count uint16
	overflow    uint64
	body        []byte // with the page's header
}

func (hd header) read(f *os.File, id uint64, buf *[]byte) (page, error) {
	if id < 2 || id >= hd.pages {
		return page{}, damaged("page %d does not exist", id)
	}
	b := (*buf)[:hd.pageSize]
	if _, err := f.ReadAt(b, int64(id*hd.pageSize)); err != nil {
		return page{}, damaged("page %d: %w", id, err)
	}
	p := page{id, order.Uint16(b[8:]), order.Uint16(b[10:]), uint64(order.Uint32(b[12:])), b}
	if order.Uint64(b) != id || p.overflow >= hd.pages-id {
		return page{}, damaged("page %d is not what its place says", id)
	}
	if p.overflow == 0 {
		return p, nil
	}
	if n := (p.overflow + 1) * hd.pageSize; n > uint64(cap(*buf)) {
		*buf = make([]byte, n)
	}
	p.body = (*buf)[:(p.overflow+1)*hd.pageSize]
	if _, err := f.ReadAt(p.body, int64(id*hd.pageSize)); err != nil {
		return page{}, damaged("page %d: %w", id, err)
	}
	return p, nil
}

func (hd header) verifyFreelist(f *os.File) error {
	buf := make([]byte, hd.pageSize)
	p, err := hd.read(f, hd.freelist, &buf)
	if err != nil {
		return err
	}
	if p.kind != freelistPage {
		return damaged("page %d does not list free pages", p.id)
	}
	ids, n := p.body[pageHeaderSize:], uint64(p.count)
	if p.count == manyPages {
		n = order.Uint64(ids)
		ids = ids[8:]
	}
	if n > uint64(len(ids))/8 {
		return damaged("page %d lists more free pages than fit it", p.id)
	}
	for ; n > 0; n-- {
		if id := order.Uint64(ids); id < 2 || id >= hd.pages {
			return damaged("page %d lists page %d, which does not exist", p.id, id)
		}
		ids = ids[8:]
	}
	return nil
}
