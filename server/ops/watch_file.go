package ops

import (
	"context"
	"encoding/csv"
	"errors"
	"io"
	"strconv"

	"billd/rating"
	"billd/rating/cdrformat"
	"billd/storage"
)

// WatchFileArgs are one file, or one piece of a growing one, that a watch hands in as the op's input.
type WatchFileArgs struct {
	Import ImportCDRsArgs        `json:"import"`
	Line   int                   `json:"line,omitempty"` // what the first line is numbered, 0 is 1
	Tail   *storage.TailPosition `json:"tail,omitempty"` // where the piece ends, kept when all of it is read and committed
}

// WatchedFile is what became of it. The lines that went to suspense are written aside: line, suspense, reason, detail.
type WatchedFile struct {
	ImportedCDRs
	Unreadable string `json:"unreadable,omitempty"` // why no more than this could be read of it, and never will be
}

// Check fails with what is wrong with the arguments, before there is a file.
func (a *ImportCDRsArgs) Check() error {
	_, err := a.told()
	return err
}

// watchFile takes a file as import-cdrs does. That the file cannot be read is an answer, so that who watches
// knows it from a store that cannot take it now.
func watchFile(ctx context.Context, env *Env, args WatchFileArgs, o *IO) (int, error) {
	options, err := args.Import.options(env)
	if err != nil {
		return ExitUsage, &UsageError{err}
	}
	options.Apart = !args.Import.Rated
	options.Line = args.Line
	var sum WatchedFile
	r, err := cdrformat.NewReader(o.In, options)
	if err != nil {
		err = &unreadError{err}
	} else {
		sum.ImportedCDRs, _, err = chargeCDRs(ctx, env, args.Import, r, o)
	}
	if err != nil {
		why := forGood(ctx, err)
		if why == nil {
			return ExitFailed, err
		}
		sum.Unreadable = why.Error()
	}
	if sum.Read > 0 {
		if err := env.DB.NoteJob(ctx, "cdr", sum.note(args.Import.Input.Name)); err != nil {
			return ExitFailed, err
		}
	}
	if args.Tail != nil && sum.Unreadable == "" {
		if err := env.DB.Update(ctx, func(tx *storage.Tx) error { return tx.KeepTail(*args.Tail) }); err != nil {
			return ExitFailed, err
		}
	}
	return ExitOK, Print(o.Out, true, sum, nil)
}

// forGood returns what is wrong with a file's content, nil when err is about anything else, which may pass.
func forGood(ctx context.Context, err error) *rating.Error {
	unread, ok := errors.AsType[*unreadError](err)
	if !ok || ctx.Err() != nil {
		return nil
	}
	why, _ := errors.AsType[*rating.Error](unread.error)
	return why
}

// WatchTailArgs name a growing file by its absolute path.
type WatchTailArgs struct {
	File string `json:"file"`
}

// watchTail prints how far the file is taken, as JSON; of one that is new, nothing but its name.
func watchTail(ctx context.Context, env *Env, args WatchTailArgs, o *IO) (int, error) {
	var p storage.TailPosition
	err := env.DB.View(ctx, func(tx *storage.Tx) (err error) {
		p, err = tx.TailOf(args.File)
		return err
	})
	if err != nil {
		return ExitFailed, err
	}
	return ExitOK, Print(o.Out, true, p, nil)
}

// suspendedFile writes the lines that went to suspense as CSV, with a header before the first.
type suspendedFile struct {
	to io.Writer
	w  *csv.Writer
}

func (f *suspendedFile) write(lines []int, verdicts []rating.Verdict) error {
	for i := range verdicts {
		v := &verdicts[i]
		if v.Outcome != rating.OutcomeSuspended {
			continue
		}
		if f.w == nil {
			f.w = csv.NewWriter(f.to)
			f.w.Write([]string{"line", "suspense", "reason", "detail"}) // what fails here is told by Error
		}
		f.w.Write([]string{strconv.Itoa(lines[i]), strconv.FormatUint(v.Suspense, 10), v.Reason, v.Detail})
	}
	if f.w == nil {
		return nil
	}
	f.w.Flush()
	return f.w.Error()
}
