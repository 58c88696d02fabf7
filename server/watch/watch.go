package watch

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"billd/server/ops"

	"github.com/fsnotify/fsnotify"
)

// Outcome is what became of a file, or of a piece of a growing one.
type Outcome string

// The outcomes.
const (
	Done   Outcome = "done"
	Partly Outcome = "partly" // some of its lines went to suspense
	Failed Outcome = "failed" // it cannot be read
)

// Outcomes lists them.
func Outcomes() []Outcome { return []Outcome{Done, Partly, Failed} }

// Door runs a command on the store, as the command line or the server does.
type Door func(ctx context.Context, op string, args json.RawMessage, o *ops.IO) (exit int, err error)

// Options are what a Watcher works with. Door and Log are required.
type Options struct {
	Door Door
	Log  *slog.Logger
	Once bool                            // end when what is there has been taken in
	Told func(Outcome, *ops.WatchedFile) // hears of each file, nil for nobody
}

// Watcher watches one place. Use from one goroutine.
type Watcher struct {
	place Place
	o     Options
	seen  map[string]*seen // by name in the directory
	tail  *tail
	sums  map[Outcome]int
}

// seen is what the last looks at a file showed.
type seen struct {
	size   int64
	mod    time.Time
	since  time.Time // it has stood still
	taken  *taken    // all of it is committed, and it only waits to be put away
	kept   bool      // it is to stay where it is
	after  time.Time // it is not to be tried before
	failed int       // how often it could not be taken in
}

const (
	hintPause   = time.Second // at most, between looks that the kernel's notices ask for
	longestWait = time.Minute // before a file is tried again that the store could not take
)

// New makes the directories that files are moved to. Fails if the place cannot be watched.
func New(p Place, o Options) (*Watcher, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	w := &Watcher{place: p, o: o, seen: map[string]*seen{}, sums: map[Outcome]int{}}
	if p.Tail {
		w.tail = &tail{w: w}
		return w, w.clear(filepath.Dir(p.Path), filepath.Base(p.Path)+".")
	}
	if _, err := os.ReadDir(p.Path); err != nil {
		return nil, err
	}
	if err := w.clear(p.Path, ""); err != nil { // of --done keep
		return nil, err
	}
	dirs := []string{w.failedDir()}
	if p.Done != Delete && p.Done != Keep {
		dirs = append(dirs, p.Done)
	}
	for _, dir := range dirs {
		if err := os.MkdirAll(dir, 0o750); err != nil {
			return nil, err
		}
		if err := movable(p.Path, dir); err != nil {
			return nil, fmt.Errorf("watch %s: files cannot be moved to %s: %w", p.Path, dir, err)
		}
		if err := w.clear(dir, ""); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// clear removes the unfinished files of rejected lines that a killed process left in a directory, of the files whose
// names begin so.
func (w *Watcher) clear(dir, name string) error {
	left, err := filepath.Glob(filepath.Join(escapeGlob(dir), "."+escapeGlob(name)+"*"+unfinishedEnd))
	if err != nil {
		return err
	}
	for _, path := range left {
		if err := gone(os.Remove(path)); err != nil {
			return err
		}
	}
	return nil
}

// escapeGlob spells a path so that a pattern means it alone.
func escapeGlob(path string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(path)
}

// movable tries to move a file, before one is charged that then stays where it is.
func movable(from, to string) error {
	f, err := os.CreateTemp(from, ".billd.*.tmp")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	f.Close()
	at := filepath.Join(to, filepath.Base(f.Name()))
	if err := os.Rename(f.Name(), at); err != nil {
		return err
	}
	return os.Remove(at)
}

func (w *Watcher) failedDir() string { return filepath.Join(w.place.Path, "failed") }

// Run watches until ctx is done, or with Once until nothing is left to be taken in. It answers how many files
// ended in which way. With Once it fails with what kept a file from being taken in.
func (w *Watcher) Run(ctx context.Context) (map[Outcome]int, error) {
	hints := w.hints(ctx)
	for {
		left, err := w.look(ctx)
		if w.o.Once && (err != nil || left == 0) {
			return w.sums, err
		}
		if err != nil && ctx.Err() == nil {
			w.o.Log.Error("watching, it will be tried again", "path", w.place.Path, "err", err)
		}
		began := time.Now()
		wait := time.NewTimer(w.place.Every)
		select {
		case <-wait.C:
		case <-hints:
			pause(ctx, min(w.place.Every, hintPause)-time.Since(began))
		case <-ctx.Done():
		}
		wait.Stop()
		if ctx.Err() != nil {
			return w.sums, nil
		}
	}
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// hints is told when something happened in the directory; many notices are one. It says nothing where the
// kernel has no notices to give, and the poll finds everything all the same.
func (w *Watcher) hints(ctx context.Context) <-chan struct{} {
	hints := make(chan struct{}, 1)
	notices, err := fsnotify.NewWatcher()
	if err != nil {
		return hints
	}
	dir := w.place.Path
	if w.place.Tail {
		dir = filepath.Dir(dir)
	}
	if notices.Add(dir) != nil {
		notices.Close()
		return hints
	}
	go func() { // ends with ctx, or with the notices
		defer notices.Close()
		for {
			select {
			case <-ctx.Done():
				return
			case _, ok := <-notices.Errors:
				if !ok {
					return
				}
			case _, ok := <-notices.Events:
				if !ok {
					return
				}
			}
			select {
			case hints <- struct{}{}:
			default:
			}
		}
	}()
	return hints
}

// look takes in what can be taken now. left is how many files have yet to stand still.
func (w *Watcher) look(ctx context.Context) (left int, err error) {
	if w.tail != nil {
		return 0, w.tail.look(ctx)
	}
	return w.lookDir(ctx)
}

// hand gives r to the store. A nil answer with an error may pass; what cannot be read is an answer.
func (w *Watcher) hand(ctx context.Context, args ops.WatchFileArgs, r io.Reader, rejects io.Writer) (*ops.WatchedFile, error) {
	var sum ops.WatchedFile
	if err := w.ask(ctx, "watch-file", args, &ops.IO{In: r, Aside: rejects}, &sum); err != nil {
		return nil, err
	}
	outcome := Done
	switch {
	case sum.Unreadable != "":
		outcome = Failed
	case sum.Suspended > 0:
		outcome = Partly
	}
	w.sums[outcome]++
	if w.o.Told != nil {
		w.o.Told(outcome, &sum)
	}
	level, more := slog.LevelInfo, []any{}
	if outcome == Failed {
		level, more = slog.LevelError, []any{"err", sum.Unreadable}
	}
	w.o.Log.Log(ctx, level, "file "+string(outcome), append([]any{"file", args.Import.Input.Name, "format", sum.Format, "read", sum.Read, "rated", sum.Rated,
		"free", sum.Free, "duplicates", sum.Duplicates, "suspended", sum.Suspended, "passed_over", sum.Skipped}, more...)...)
	return &sum, nil
}

// ask runs a command and decodes what it prints.
func (w *Watcher) ask(ctx context.Context, op string, args any, o *ops.IO, answer any) error {
	text, err := json.Marshal(args)
	if err != nil {
		return err
	}
	var out, errw bytes.Buffer
	o.Out, o.Err = &out, &errw
	exit, err := w.o.Door(ctx, op, text, o)
	if err == nil && exit != ops.ExitOK {
		err = errors.New(strings.TrimPrefix(strings.TrimSpace(errw.String()), "billd: "))
	}
	if err != nil {
		return err
	}
	if err := json.Unmarshal(out.Bytes(), answer); err != nil {
		return fmt.Errorf("%s: its answer: %w", op, err)
	}
	return nil
}
