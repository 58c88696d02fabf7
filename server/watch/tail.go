package watch

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"billd/server/ops"
	"billd/storage"
)

const (
	headBytes = 256      // of a file's beginning, that tell it from another one with its inode
	pieceSize = 16 << 20 // bytes of a growing file that are handed in at once
	tailChunk = 64 << 10 // bytes that are looked through for the last line's end
)

// tailFormats are those of which any whole lines can be read alone.
var tailFormats = []string{"csv", "json", "freeswitch-csv", "freeswitch-csv-asterisk", "freeswitch-csv-sql", "freeswitch-csv-opencdrrate",
	"asterisk-csv", "asterisk-csv-uniqueid", "asterisk-csv-userfield", "asterisk-custom", "asterisk-table", "asterisk-json"}

func (p *Place) checkTail() error {
	switch {
	case p.Done != "":
		return fmt.Errorf("watch %s: a growing file stays where it is, done is for directories", p.Path)
	case p.Files.Format == "" && p.Files.Source != "": // its profile says it, see bySource
	case !slices.Contains(tailFormats, p.Files.Format):
		return fmt.Errorf("watch %s: format %q: a growing file wants one of %s", p.Path, p.Files.Format, strings.Join(tailFormats, ", "))
	}
	return nil
}

// headed says whether each piece wants the file's first line in front of it, which names the columns.
func (p *Place) headed() bool {
	return (p.Files.Format == "csv" || p.Files.Format == "asterisk-table") && len(p.Files.Columns) == 0
}

// tail follows a growing file. Where it stands is kept in the store, and known here from the first look on.
type tail struct {
	w  *Watcher
	at *storage.TailPosition
}

// look takes in the whole lines that are new: what is left of a file that was rotated away, then the file.
func (t *tail) look(ctx context.Context) error {
	if t.at == nil {
		var p storage.TailPosition
		if err := t.w.ask(ctx, "watch-tail", ops.WatchTailArgs{File: t.w.place.Path}, &ops.IO{}, &p); err != nil {
			return err
		}
		if err := t.bySource(ctx); err != nil {
			return err
		}
		t.at = &p
	}
	f, err := os.Open(t.w.place.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // between the rotation and the first call after it
	}
	if err != nil {
		return err
	}
	defer f.Close()
	same, err := t.sameFile(f)
	if err != nil {
		return err
	}
	if !same {
		if err := t.finish(ctx); err != nil {
			return err
		}
		if *t.at, err = t.begin(f); err != nil {
			return err
		}
	}
	return t.follow(ctx, f, wholeLines)
}

// bySource takes the format from the source's profile where the place says none: it tells how pieces are cut.
func (t *tail) bySource(ctx context.Context) error {
	p := &t.w.place
	if p.Files.Format != "" {
		return nil
	}
	var s ops.SourceProfile
	if err := t.w.ask(ctx, "source-show", ops.SourceArgs{Name: p.Files.Source, JSON: true}, &ops.IO{}, &s); err != nil {
		return err
	}
	if p.Files.Format = s.Format; len(p.Files.Columns) == 0 {
		p.Files.Columns = s.Columns
	}
	if err := p.checkTail(); err != nil {
		p.Files.Format = ""
		return err
	}
	return nil
}

// begin is the position at the beginning of f.
func (t *tail) begin(f *os.File) (p storage.TailPosition, err error) {
	p.File = t.w.place.Path
	at, err := f.Stat()
	if err != nil {
		return p, err
	}
	p.Device, p.Inode = identity(at)
	return p, nil
}

// sameFile says whether f is the file that the position is of: by its identity, as long as its beginning, and
// no shorter than it was.
func (t *tail) sameFile(f *os.File) (bool, error) {
	p := t.at
	at, err := f.Stat()
	if err != nil {
		return false, err
	}
	device, inode := identity(at)
	if p.Device != device || p.Inode != inode || at.Size() < p.Offset {
		return false, nil
	}
	head, err := digest(f, p.Headed)
	return head == p.Head, err
}

// digest is of the first size bytes, "" for none.
func digest(f io.ReaderAt, size int) (string, error) {
	if size == 0 {
		return "", nil
	}
	head := make([]byte, size)
	if _, err := f.ReadAt(head, 0); err != nil && err != io.EOF {
		return "", err
	}
	sum := sha256.Sum256(head)
	return hex.EncodeToString(sum[:8]), nil
}

// finish takes in what is left of the file that the position is of, which now has another name in the directory.
func (t *tail) finish(ctx context.Context) error {
	if t.at.Headed == 0 {
		return nil // nothing was taken of it
	}
	dir := filepath.Dir(t.w.place.Path)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		at, err := e.Info()
		if err != nil || !at.Mode().IsRegular() {
			continue
		}
		if device, inode := identity(at); device != t.at.Device || inode != t.at.Inode {
			continue
		}
		f, err := os.Open(filepath.Join(dir, e.Name()))
		if err != nil {
			return err
		}
		defer f.Close()
		if same, err := t.sameFile(f); err != nil || !same {
			return errors.Join(err, t.lost())
		}
		return t.follow(ctx, f, toTheEnd)
	}
	return t.lost()
}

// lost says that nobody can tell whether the rotated file had more calls.
func (t *tail) lost() error {
	t.w.o.Log.Warn("the file was rotated or cut and what it held is not beside it any more: import it by hand, calls that are there are duplicates",
		"file", t.w.place.Path, "offset", t.at.Offset)
	return nil
}

// ending says where the last piece of a file ends.
type ending uint8

const (
	wholeLines ending = iota // the last line may be half written
	toTheEnd                 // nobody writes any more
)

// follow hands in f from the position to its end, piece by piece.
func (t *tail) follow(ctx context.Context, f *os.File, to ending) error {
	for ctx.Err() == nil {
		at, err := f.Stat()
		if err != nil {
			return err
		}
		end := min(at.Size(), t.at.Offset+pieceSize)
		if to == wholeLines || end < at.Size() {
			if end, err = lineEnd(f, t.at.Offset, end); err != nil {
				return err
			}
		}
		if end <= t.at.Offset {
			return nil
		}
		if err := t.piece(ctx, f, end); err != nil {
			return err
		}
	}
	return nil
}

// piece hands in f up to end, and the position with it.
func (t *tail) piece(ctx context.Context, f *os.File, end int64) (err error) {
	next := *t.at
	next.Offset, next.Headed = end, int(min(end, headBytes))
	if next.Head, err = digest(f, next.Headed); err != nil {
		return err
	}
	before := t.at.Line
	if before == 0 && t.at.Offset > 0 { // kept by a billd that did not count them
		if before, err = countLines(io.NewSectionReader(f, 0, t.at.Offset)); err != nil {
			return err
		}
	}
	if next.Line, err = countLines(io.NewSectionReader(f, t.at.Offset, end-t.at.Offset)); err != nil {
		return err
	}
	next.Line += before
	first := before + 1
	var r io.Reader = io.NewSectionReader(f, t.at.Offset, end-t.at.Offset)
	if t.at.Offset > 0 && t.w.place.headed() {
		first-- // the header takes a line of the piece
		header, err := firstLine(f)
		if err != nil {
			return err
		}
		r = io.MultiReader(bytes.NewReader(header), r)
	}
	args := ops.WatchFileArgs{Import: t.w.place.Files, Tail: &next, Line: int(first)}
	args.Import.Input = ops.Input{Name: filepath.Base(t.w.place.Path), Size: end - t.at.Offset}
	rejects, err := os.CreateTemp(filepath.Dir(t.w.place.Path), "."+filepath.Base(t.w.place.Path)+".*"+unfinishedEnd)
	if err != nil {
		return err
	}
	defer os.Remove(rejects.Name())
	defer rejects.Close()
	sum, err := t.w.hand(ctx, args, r, rejects)
	if err != nil {
		return err
	}
	if sum.Suspended > 0 {
		if err := t.reject(rejects); err != nil { // the calls are in the books and in suspense all the same
			t.w.o.Log.Error("the rejected lines could not be written beside the file, see billd suspense", "file", t.w.place.Path, "err", err)
		}
	}
	if sum.Unreadable != "" { // it stays where it is: another --format may read it
		return fmt.Errorf("%s: behind byte %d: %s", args.Import.Input.Name, t.at.Offset, sum.Unreadable)
	}
	*t.at = next
	return nil
}

// reject adds the rejected lines of a piece to the file of those of all pieces.
func (t *tail) reject(piece *os.File) error {
	if _, err := piece.Seek(0, io.SeekStart); err != nil {
		return err
	}
	all, err := os.OpenFile(t.w.place.Path+rejectsEnd, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o640)
	if err != nil {
		return err
	}
	at, err := all.Stat()
	if err == nil && at.Size() > 0 { // it has its header
		var header []byte
		if header, err = firstLine(piece); err == nil {
			_, err = piece.Seek(int64(len(header)), io.SeekStart)
		}
	}
	if err == nil {
		_, err = io.Copy(all, piece)
	}
	return errors.Join(err, all.Close())
}

// lineEnd is the place behind the last line that ends in f between from and to; from if none does.
func lineEnd(f io.ReaderAt, from, to int64) (int64, error) {
	buf := make([]byte, tailChunk)
	for to > from {
		size := min(to-from, tailChunk)
		if _, err := f.ReadAt(buf[:size], to-size); err != nil && err != io.EOF {
			return from, err
		}
		if at := bytes.LastIndexByte(buf[:size], '\n'); at >= 0 {
			return to - size + int64(at) + 1, nil
		}
		to -= size
	}
	return from, nil
}

// countLines counts the ends of lines.
func countLines(r io.Reader) (n int64, err error) {
	buf := make([]byte, tailChunk)
	for {
		size, err := r.Read(buf)
		n += int64(bytes.Count(buf[:size], []byte{'\n'}))
		if err == io.EOF {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
}

// firstLine is f's first line with its end.
func firstLine(f io.ReaderAt) ([]byte, error) {
	line := make([]byte, tailChunk)
	n, err := f.ReadAt(line, 0)
	at := bytes.IndexByte(line[:n], '\n')
	if at < 0 {
		return nil, errors.Join(fmt.Errorf("the first line is longer than %d bytes", tailChunk), err)
	}
	return line[:at+1], nil
}
