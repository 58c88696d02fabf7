package watch

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"billd/server/ops"
)

// taken is a file that is committed: where it and what was found in it are put.
type taken struct {
	dir     string // "" to delete it
	rejects string // a finished file of the lines that went to suspense, "" for none
	reason  string // why it cannot be read, "" when it could
}

// The files that billd writes beside a file.
const (
	rejectsEnd    = ".rejects"
	reasonEnd     = ".reason"
	unfinishedEnd = ".billd.tmp" // of a hidden file of rejected lines, until it is put beside its file
)

// passedOver says whether a name is never taken: what is still being written, and what billd wrote.
func passedOver(name string) bool {
	return strings.HasPrefix(name, ".") || slices.Contains([]string{".tmp", ".part", rejectsEnd, reasonEnd}, strings.ToLower(filepath.Ext(name)))
}

// lookDir takes in the files that stood still, the oldest first.
func (w *Watcher) lookDir(ctx context.Context) (left int, err error) {
	files, err := w.list()
	if err != nil {
		return 0, err
	}
	now := time.Now()
	for _, f := range files {
		if ctx.Err() != nil {
			return left, nil
		}
		s := w.seen[f.Name()]
		switch {
		case s.kept:
			continue
		case now.Sub(s.since) < w.place.Every:
			left++
			continue
		case now.Before(s.after):
			continue
		}
		if one := w.takeIn(ctx, f.Name(), s); one != nil && ctx.Err() == nil {
			s.failed++
			s.after = now.Add(min(w.place.Every<<min(s.failed, 6), longestWait))
			err = errors.Join(err, fmt.Errorf("%s: %w", f.Name(), one))
		} else if s.since.After(now) {
			left++
		}
	}
	return left, err
}

// list returns the files that may be taken, and notes what changed about them.
func (w *Watcher) list() ([]fs.FileInfo, error) {
	entries, err := os.ReadDir(w.place.Path)
	if err != nil {
		return nil, err
	}
	var files []fs.FileInfo
	there := map[string]*seen{}
	now := time.Now()
	for _, e := range entries {
		if !e.Type().IsRegular() || passedOver(e.Name()) {
			continue
		}
		at, err := e.Info()
		if err != nil || at.Size() == 0 {
			continue // it went away, or nothing is written yet
		}
		s := w.seen[e.Name()]
		if s == nil || s.size != at.Size() || !s.mod.Equal(at.ModTime()) {
			s = &seen{size: at.Size(), mod: at.ModTime(), since: now}
		}
		there[e.Name()] = s
		files = append(files, at)
	}
	w.seen = there
	slices.SortFunc(files, func(a, b fs.FileInfo) int {
		return cmp.Or(a.ModTime().Compare(b.ModTime()), strings.Compare(a.Name(), b.Name()))
	})
	return files, nil
}

// takeIn commits a file and puts it away. One that changed meanwhile stays, to be read again when it stands still.
func (w *Watcher) takeIn(ctx context.Context, name string, s *seen) error {
	path := filepath.Join(w.place.Path, name)
	if s.taken == nil {
		f, err := os.Open(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil // somebody took it away
		}
		if err != nil {
			return err
		}
		defer f.Close()
		at, err := f.Stat()
		if err != nil {
			return err
		}
		if at.Size() != s.size || !at.ModTime().Equal(s.mod) {
			return nil // the next look sees it
		}
		t, err := w.commit(ctx, name, f)
		if err != nil {
			return err
		}
		if at, err = os.Stat(path); err != nil || at.Size() != s.size || !at.ModTime().Equal(s.mod) {
			if t.rejects != "" {
				os.Remove(t.rejects)
			}
			w.o.Log.Warn("the file changed while it was read, it will be read again", "file", name)
			s.since = time.Now().Add(w.place.Every)
			return nil
		}
		s.taken = t
	}
	return w.putAway(path, s)
}

// commit hands an open file in, the rejected lines going to a file of their own.
func (w *Watcher) commit(ctx context.Context, name string, f *os.File) (*taken, error) {
	t := &taken{dir: w.place.Done}
	beside := t.dir
	switch w.place.Done {
	case Delete:
		t.dir, beside = "", w.failedDir()
	case Keep:
		t.dir, beside = w.place.Path, w.place.Path
	}
	rejects, err := os.CreateTemp(beside, "."+name+".*"+unfinishedEnd)
	if err != nil {
		return nil, err
	}
	args := ops.WatchFileArgs{Import: w.place.Files}
	args.Import.Input = ops.Input{Name: name}
	lines := bufio.NewWriter(rejects)
	sum, err := w.hand(ctx, args, f, lines)
	err = errors.Join(err, lines.Flush(), rejects.Close())
	if err != nil || sum.Suspended == 0 {
		os.Remove(rejects.Name())
	} else {
		t.rejects = rejects.Name()
	}
	if err != nil {
		return nil, err
	}
	if t.reason = sum.Unreadable; t.reason != "" {
		t.dir = w.failedDir()
	}
	return t, nil
}

// putAway moves a committed file and what belongs to it. What is done of it is not done again when it fails.
func (w *Watcher) putAway(path string, s *seen) error {
	t := s.taken
	name := filepath.Base(path)
	if t.dir == w.place.Path {
		s.kept = true
		return t.beside(path)
	}
	if t.dir == "" {
		if err := t.beside(filepath.Join(w.failedDir(), name)); err != nil {
			return err
		}
		return gone(os.Remove(path))
	}
	to := free(filepath.Join(t.dir, name))
	if err := t.beside(to); err != nil {
		return err
	}
	return gone(os.Rename(path, to))
}

// beside writes what belongs to the file that will be at path.
func (t *taken) beside(path string) error {
	if t.rejects != "" {
		if err := os.Rename(t.rejects, path+rejectsEnd); err != nil {
			return err
		}
		t.rejects = ""
	}
	if t.reason == "" {
		return nil
	}
	return os.WriteFile(path+reasonEnd, []byte(t.reason+"\n"), 0o640)
}

// gone passes over that the file is not there any more: it is committed, which is what matters.
func gone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// free is path, or path with the first number behind it that no file has.
func free(path string) string {
	for n, try := 1, path; ; n++ {
		if _, err := os.Lstat(try); err != nil { // whatever else it is, the move says it
			return try
		}
		try = fmt.Sprintf("%s.%d", path, n)
	}
}
