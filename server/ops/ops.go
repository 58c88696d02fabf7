package ops

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Command is one command behind both doors.
type Command struct {
	// Name is the command as both doors spell it: "import-rates".
	Name string
	// Run does the work. args is the JSON of the command's argument struct.
	// It answers one of the exit codes and, if the work failed, why.
	Run func(ctx context.Context, env *Env, args json.RawMessage, io *IO) (exit int, err error)
	// ReadOnly says that the command changes nothing: opened directly, a store
	// that is not there is an error then, and is not made.
	ReadOnly bool
}

// Reads returns c marked as one that changes nothing.
func (c Command) Reads() Command {
	c.ReadOnly = true
	return c
}

// Typed makes a Command whose arguments are decoded into an A.
//
// A field that A lacks, or that has another type, is a UsageError: the two doors disagree
// about the command.
func Typed[A any](name string, run func(ctx context.Context, env *Env, args A, io *IO) (int, error)) Command {
	return Command{Name: name, Run: func(ctx context.Context, env *Env, args json.RawMessage, io *IO) (int, error) {
		var a A
		if err := decodeArgs(args, &a); err != nil {
			return ExitUsage, Usagef("%s: arguments: %w", name, err)
		}
		return run(ctx, env, a, io)
	}}
}

func decodeArgs(args json.RawMessage, into any) error {
	if len(args) == 0 {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(args))
	d.DisallowUnknownFields()
	err := d.Decode(into)
	var kind *json.UnmarshalTypeError
	if errors.As(err, &kind) {
		return fmt.Errorf("%s: cannot be a %s", kind.Field, kind.Value)
	}
	if err != nil {
		return errors.New(strings.TrimPrefix(err.Error(), "json: "))
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("text after the last brace")
	}
	return nil
}

// IO is a command's streams. A nil stream is empty, or swallows what is written to it.
type IO struct {
	In       io.Reader // the file argument, or what was piped in
	Out, Err io.Writer
	Aside    io.Writer // what the operator asked to have in a file of its own, such as the rejected lines
	// Progress reports how far a long command is: done of total, in the unit
	// that what names ("rows", "bytes"); total is 0 when it is not known.
	Progress func(done, total int64, what string)
}

func (o *IO) filled() IO {
	var own IO
	if o != nil {
		own = *o
	}
	if own.In == nil {
		own.In = bytes.NewReader(nil)
	}
	if own.Out == nil {
		own.Out = io.Discard
	}
	if own.Err == nil {
		own.Err = io.Discard
	}
	if own.Aside == nil {
		own.Aside = io.Discard
	}
	if own.Progress == nil {
		own.Progress = func(int64, int64, string) {}
	}
	return own
}

// Input describes a file argument whose bytes arrive as IO.In. Argument structs carry it.
type Input struct {
	Name string `json:"name"` // as the operator typed it, for messages; "stdin" for -
	Size int64  `json:"size"` // bytes, 0 when it is not known
}
