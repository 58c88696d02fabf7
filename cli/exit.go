package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"billd/server/ops"
	"billd/storage/kv"

	"github.com/spf13/cobra"
)

// exitCode is the error of a command that has already said what there is to say.
type exitCode int

func (e exitCode) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// exit says what err is on one line, and returns the code it stands for.
func (a *app) exit(ctx context.Context, cmd *cobra.Command, err error) int {
	if told, ok := errors.AsType[exitCode](err); ok {
		return int(told)
	}
	if err != nil && !a.running {
		err = usageError(err)
	}
	code, err := ops.ExitCode(ctx, ops.ExitOK, err)
	if err == nil {
		return code
	}
	switch {
	case errors.Is(err, kv.ErrHeld):
		code, err = ops.ExitHeld, errHeldAndSilent
	case code == ops.ExitUsage:
		err = fmt.Errorf("%s; see '%s --help'", firstLine(err.Error()), cmd.CommandPath())
	}
	fmt.Fprint(a.errw, ops.ErrorLine(err))
	return code
}

var errHeldAndSilent = errors.New("billd.db: held by another process, and nobody answers at billd.sock")

// firstLine leaves out the suggestions that cobra appends to an error.
func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// want checks that a command gets exactly the named arguments.
func want(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == len(names) {
			return nil
		}
		wanted := strings.Join(names, " ")
		if wanted == "" {
			wanted = "none"
		}
		return fmt.Errorf("%s: %d arguments, want %s", cmd.Name(), len(args), wanted)
	}
}

// usageError marks err as the fault of the command line: exit code 2.
func usageError(err error) error { return &ops.UsageError{Err: err} }
