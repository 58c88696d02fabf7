package bolt

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"billd/storage/kv"

	"go.etcd.io/bbolt"
)

const (
	maxBuckets     = 256                    // kv.Bucket is one byte
	defaultTimeout = 200 * time.Millisecond // a process that is just ending has time to let go
	lockInterval   = 10 * time.Millisecond  // between two attempts at the lock
	filling        = ".new"                 // ends the name of a file that is not whole yet

	// 16 GiB of addresses, 1 GiB where they have 32 bits; it takes neither memory nor disk.
	defaultHeadroom = 1 << (30 + 4*(^uint(0)>>63))
)

var (
	errClosed = errors.New("store is closed")
	errExists = errors.New("store exists by now")
)

// Options says how a store is opened. Only Buckets is needed.
type Options struct {
	// Buckets are the names behind kv.Bucket, in its order; Open creates those that are missing and
	// leaves alone those that it does not know. At most 256.
	Buckets []string
	// FillPercent is how full a split leaves a page of a bucket, 0.1 to 1; 0.5 if not said. Buckets that grow
	// at their end only want more.
	FillPercent map[kv.Bucket]float64
	// Timeout is how long to wait for a file that another process holds; 0 is 200 ms.
	Timeout time.Duration
	// Headroom is how many bytes the file can grow by before it is mapped anew, which waits for all
	// readers; 0 is 16 GiB. It costs addresses only.
	Headroom int
	// NoSync leaves out the fdatasync of each commit: a crash of the machine can then destroy the store.
	// For tests and benchmarks only.
	NoSync bool
}

// Open opens the store in the file path, and creates it if there is none; its directory must exist.
//
// Fails with an error that wraps kv.ErrHeld if another process has the store open, and with a sentence for
// the operator if the file is cut short, damaged or no store. An empty file is no store.
func Open(path string, o Options) (*Engine, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real // a link is kept when Compact renames
	}
	h, err := openOrCreate(path, o)
	if err != nil {
		return nil, err
	}
	return &Engine{path: path, o: o, writer: make(chan struct{}, 1), h: h}, nil
}

func (o *Options) check() error {
	if n := len(o.Buckets); n == 0 || n > maxBuckets {
		return fmt.Errorf("%d buckets, want 1 to %d", n, maxBuckets)
	}
	for i, name := range o.Buckets {
		if name == "" || slices.Contains(o.Buckets[:i], name) {
			return fmt.Errorf("bucket %d: name %q, want one that is new", i, name)
		}
	}
	for b, p := range o.FillPercent {
		if int(b) >= len(o.Buckets) || !(p >= 0.1 && p <= 1) {
			return fmt.Errorf("bucket %d: fill %g, want 0.1 to 1 of a known bucket", b, p)
		}
	}
	if o.Timeout == 0 {
		o.Timeout = defaultTimeout
	}
	if o.Headroom == 0 {
		o.Headroom = defaultHeadroom
	}
	return nil
}

// renamedError says that the new file has the name, but that a power cut may give it back to the old one.
type renamedError struct{ error }

func (r renamedError) Unwrap() error { return r.error }

// handle is an open, locked file.
type handle struct {
	db      *bbolt.DB
	file    *os.File
	readers sync.WaitGroup
}

func openOrCreate(path string, o Options) (*handle, error) {
	for {
		h, err := open(path, o)
		if !errors.Is(err, fs.ErrNotExist) {
			return h, err
		}
		h, err = replace(path, o, func(h *handle) error {
			// The lock on FILE.new keeps other creators out, so this stays true until the rename.
			if _, err := os.Stat(path); err == nil {
				return errExists
			}
			return addBuckets(h.db, o)
		})
		if errors.Is(err, errExists) {
			continue
		}
		if err != nil && h != nil {
			h.db.Close()
			h = nil
		}
		return h, err
	}
}

func open(path string, o Options) (*handle, error) {
	f, err := hold(path, 0, o.Timeout)
	if err != nil {
		return nil, err
	}
	if err := verifyForOpen(f); err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", filepath.Base(path), err)
	}
	h, err := openHeld(f, o)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Base(path), err)
	}
	if err := addBuckets(h.db, o); err != nil {
		h.db.Close()
		return nil, fmt.Errorf("%s: %w", filepath.Base(path), err)
	}
	// With the lock on the store itself, only a process that died can have left this.
	if err := os.Remove(path + filling); err != nil && !errors.Is(err, fs.ErrNotExist) {
		h.db.Close()
		return nil, err
	}
	return h, nil
}

// openHeld hands a locked file to bbolt, which owns it from here on, also when it fails.
func openHeld(f *os.File, o Options) (h *handle, err error) {
	defer func() {
		if r := recover(); r != nil {
			f.Close()
			h, err = nil, damaged("%v", r)
		}
	}()
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, err
	}
	db, err := bbolt.Open(f.Name(), 0o600, &bbolt.Options{
		Timeout:         o.Timeout,
		FreelistType:    bbolt.FreelistMapType,
		InitialMmapSize: int(info.Size()) + o.Headroom,
		NoSync:          o.NoSync,
		OpenFile:        func(string, int, os.FileMode) (*os.File, error) { return f, nil },
	})
	if err != nil {
		f.Close()
		return nil, err
	}
	return &handle{db: db, file: f}, nil
}

func addBuckets(db *bbolt.DB, o Options) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = damaged("%v", r)
		}
	}()
	complete := true
	err = db.View(func(tx *bbolt.Tx) error {
		for _, name := range o.Buckets {
			complete = complete && tx.Bucket([]byte(name)) != nil
		}
		return nil
	})
	if err != nil || complete {
		return err
	}
	return db.Update(func(tx *bbolt.Tx) error {
		for _, name := range o.Buckets {
			if _, err := tx.CreateBucketIfNotExists([]byte(name)); err != nil {
				return fmt.Errorf("bucket %s: %w", name, err)
			}
		}
		return nil
	})
}

// replace writes a new store beside path, has fill fill it, and renames it to path.
//
// The new file is locked before it gets the name, and stays so. With a renamedError the file is
// returned too, open.
func replace(path string, o Options, fill func(*handle) error) (_ *handle, err error) {
	f, err := hold(path+filling, os.O_CREATE, o.Timeout)
	if err != nil {
		return nil, err
	}
	name := f.Name()
	if err := f.Truncate(0); err != nil { // a crash may have left it
		f.Close()
		return nil, err
	}
	h, err := openHeld(f, o)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Base(name), err)
	}
	defer func() {
		if renamed := (renamedError{}); err == nil || errors.As(err, &renamed) {
			return
		}
		if hasName(f, name) {
			os.Remove(name)
		}
		h.db.Close()
	}()
	// Nobody needs what a crash leaves of this file, so it is synced once, at the end.
	h.db.NoSync, h.db.NoGrowSync = true, true
	if err := fill(h); err != nil {
		return nil, err
	}
	h.db.NoSync, h.db.NoGrowSync = o.NoSync, false
	if err := f.Sync(); err != nil {
		return nil, err
	}
	if err := os.Rename(name, path); err != nil {
		return nil, err
	}
	if err := syncDirectory(filepath.Dir(path)); err != nil {
		return h, renamedError{err}
	}
	return h, nil
}

func syncDirectory(name string) error {
	d, err := os.Open(name)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// hold opens the file name and locks it against other processes, trying for as long as wait says.
func hold(name string, flag int, wait time.Duration) (*os.File, error) {
	deadline := time.Now().Add(wait)
	for {
		f, err := os.OpenFile(name, os.O_RDWR|flag, 0o600)
		if err != nil {
			return nil, err
		}
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil && hasName(f, name) {
			return f, nil
		}
		f.Close()
		// A file that lost its name was replaced while it was being opened: open the new one.
		again := err == nil || errors.Is(err, syscall.EINTR) || errors.Is(err, syscall.EWOULDBLOCK)
		if !again {
			return nil, fmt.Errorf("%s: lock: %w", filepath.Base(name), err)
		}
		if time.Now().After(deadline) {
			return nil, fmt.Errorf("%s: %w", strings.TrimSuffix(filepath.Base(name), filling), kv.ErrHeld)
		}
		time.Sleep(min(lockInterval, wait))
	}
}

func hasName(f *os.File, name string) bool {
	a, err := f.Stat()
	if err != nil {
		return false
	}
	b, err := os.Stat(name)
	return err == nil && os.SameFile(a, b)
}
