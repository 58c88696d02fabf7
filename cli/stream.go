package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"billd/server/ops"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// maxPassword bounds a password, in bytes.
const maxPassword = 1024

// plain leaves the system call out of a file's error: "deck.csv: no such file or directory".
func plain(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return fmt.Errorf("%s: %w", p.Path, p.Err)
	}
	return err
}

// runOpFrom runs an op on a FILE argument, - being standard input. The file is opened here and its
// bytes travel through the door; args makes the op's arguments with the file's name and size.
func (a *app) runOpFrom(cmd *cobra.Command, op, path string, args func(ops.Input) any) error {
	return a.withInput(path, func(in ops.Input, r io.Reader) error {
		return a.runOp(cmd, call{op: op, args: args(in), in: r})
	})
}

// withInput opens a FILE argument for run, - being standard input.
func (a *app) withInput(path string, run func(ops.Input, io.Reader) error) error {
	if path == "-" {
		return run(ops.Input{Name: "stdin"}, a.in)
	}
	f, err := os.Open(path)
	if err != nil {
		return plain(err)
	}
	defer f.Close()
	at, err := f.Stat()
	if err != nil {
		return plain(err)
	}
	if at.IsDir() {
		return fmt.Errorf("%s: a directory, want a file", path)
	}
	in := ops.Input{Name: filepath.Base(path)}
	if at.Mode().IsRegular() {
		in.Size = at.Size()
	}
	return run(in, f)
}

// runOpTo runs an op whose output goes to a FILE argument, - being standard output.
func (a *app) runOpTo(cmd *cobra.Command, op, path string, args any) error {
	if path == "-" {
		return a.runOp(cmd, call{op: op, args: args})
	}
	return toFile(path, func(f io.Writer) (bool, error) {
		err := a.runOp(cmd, call{op: op, args: args, out: f})
		return err == nil, err
	})
}

// toFile lets write fill the file at path. It is private to its owner, and appears when write has ended and
// says that it is to be kept; what lay there stays until then. It fails as write fails.
func toFile(path string, write func(io.Writer) (keep bool, err error)) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return plain(err)
	}
	defer os.Remove(f.Name())
	defer f.Close()
	keep, done := write(f)
	if !keep {
		return done
	}
	if err := f.Sync(); err != nil {
		return plain(err)
	}
	if err := f.Close(); err != nil {
		return plain(err)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return fmt.Errorf("%s: cannot be put in its place: %w", path, errors.Unwrap(err))
	}
	return done
}

// password reads a new password: the first line of standard input if fromStdin is set, else typed
// twice at the terminal, unseen.
func (a *app) password(fromStdin bool) (string, error) {
	if fromStdin {
		line, err := bufio.NewReaderSize(io.LimitReader(a.in, maxPassword+2), maxPassword+2).ReadString('\n')
		if err != nil && err != io.EOF {
			return "", err
		}
		return checkPassword(strings.TrimRight(line, "\r\n"))
	}
	f, ok := a.in.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return "", usageError(errors.New("no terminal to ask for the password: give it with --password-stdin"))
	}
	var typed [2]string
	for i, prompt := range []string{"Password: ", "Again: "} {
		fmt.Fprint(a.errw, prompt)
		text, err := term.ReadPassword(int(f.Fd()))
		fmt.Fprintln(a.errw)
		if err != nil {
			return "", err
		}
		typed[i] = string(text)
	}
	if typed[0] != typed[1] {
		return "", errors.New("password: typed two different ones")
	}
	return checkPassword(typed[0])
}

func checkPassword(p string) (string, error) {
	if p == "" || len(p) > maxPassword {
		return "", fmt.Errorf("password: %d bytes, want 1 to %d", len(p), maxPassword)
	}
	return p, nil
}
