package ops

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"

	"billd/storage"
)

// The exit codes of every command.
const (
	ExitOK          = 0   // done
	ExitFailed      = 1   // nothing was done, the error line says why
	ExitUsage       = 2   // the command line or the configuration is wrong
	ExitPartly      = 3   // done, but some lines were rejected
	ExitFaults      = 4   // check found faults
	ExitHeld        = 11  // the store is held and nobody answers on its socket
	ExitInterrupted = 130 // interrupted by a signal
)

// ErrStopping is the cause that a server cancels its commands' contexts with when it closes.
var ErrStopping = errors.New("the server is stopping")

// errInterrupted is the one error line of a command that a signal ended.
var errInterrupted = errors.New("interrupted")

// UsageError is a command asked for in a way it cannot be: exit code 2.
type UsageError struct{ Err error }

// Error returns the sentence.
func (e *UsageError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *UsageError) Unwrap() error { return e.Err }

// Usagef makes a UsageError.
func Usagef(format string, args ...any) error {
	return &UsageError{Err: fmt.Errorf(format, args...)}
}

// ExitCode returns the code of a command that ended with exit and err, and what to say about it:
// nil when there is nothing to say. A cancelled ctx is an interruption, unless its cause is ErrStopping;
// exit stands when err is nil.
func ExitCode(ctx context.Context, exit int, err error) (int, error) {
	if err == nil {
		return exit, nil
	}
	if ctx.Err() != nil {
		if errors.Is(context.Cause(ctx), ErrStopping) {
			return ExitFailed, ErrStopping
		}
		return ExitInterrupted, errInterrupted
	}
	var usage *UsageError
	if errors.As(err, &usage) {
		return ExitUsage, err
	}
	if exit == ExitOK {
		exit = ExitFailed
	}
	return exit, err
}

// ErrorLine is err as every command writes it to its error stream: one line.
func ErrorLine(err error) string {
	return "billd: " + strings.Join(strings.FieldsFunc(err.Error(), func(r rune) bool {
		return r == '\n' || r == '\r'
	}), "; ") + "\n"
}

// Do runs the command as both doors run it: a missing stream is filled in, an error becomes one line
// on io.Err, a panic becomes an error whose stack goes to env.Log only. The answer is the exit code.
func (c Command) Do(ctx context.Context, env *Env, args json.RawMessage, io *IO) int {
	own := io.filled()
	exit, err := c.recovered(ctx, env, args, &own)
	exit, err = ExitCode(ctx, exit, err)
	if err != nil {
		fmt.Fprint(own.Err, ErrorLine(err))
	}
	return exit
}

func (c Command) recovered(ctx context.Context, env *Env, args json.RawMessage, io *IO) (exit int, err error) {
	defer func() {
		if p := recover(); p != nil {
			env.Log.Error("panic in a command", "command", c.Name, "panic", p, "stack", string(debug.Stack()))
			exit, err = ExitFailed, fmt.Errorf("%s: fault in billd, the log has the details", c.Name)
		}
	}()
	return c.Run(storage.As(ctx, env.Actor), env, args, io)
}
