package cli

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"

	"billd/server/ops"

	"github.com/spf13/cobra"
)

// app is one run of the command line.
type app struct {
	in        io.Reader
	out, errw io.Writer

	dir      string // --dir
	config   string // --config, "" to look in the usual places
	json     bool   // --json
	etc      string // the configuration file of the machine
	commands []ops.Command

	running bool // the command's own code has begun: errors are no longer about usage
}

func newApp(in io.Reader, out, errw io.Writer) *app {
	return &app{in: in, out: out, errw: errw, etc: machineConfig, commands: ops.Commands()}
}

// Main runs billd with args, which leave out the program's name, and returns the exit code: one of
// the codes in package ops. The first SIGINT or SIGTERM cancels the command, the second ends the process.
func Main(args []string, in io.Reader, out, errw io.Writer) int {
	a := newApp(in, out, errw)
	return a.main(a.root(), args)
}

func (a *app) main(root *cobra.Command, args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	root.SetArgs(append([]string{}, args...)) // nil would mean the process's own
	cmd, err := root.ExecuteContextC(ctx)
	return a.exit(ctx, cmd, err)
}
