package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"billd/server/control"
	"billd/server/ops"

	"github.com/spf13/cobra"
)

// asBilld makes this test binary billd with the test's commands.
const asBilld = "BILLD_TEST_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(asBilld) != "" {
		a, root := testApp(os.Stdin, os.Stdout, os.Stderr)
		os.Exit(a.main(root, os.Args[1:]))
	}
	os.Exit(m.Run())
}

type tryArgs struct {
	Input ops.Input `json:"input"`
	Say   string    `json:"say"`
	Exit  int       `json:"exit"`
	JSON  bool      `json:"json"`
}

// testOps are commands that only tests have.
func testOps() []ops.Command {
	return []ops.Command{
		ops.Typed("try", func(ctx context.Context, env *ops.Env, a tryArgs, o *ops.IO) (int, error) {
			if a.Say == "fail" {
				return a.Exit, errors.New("account 9: not found")
			}
			in, err := io.ReadAll(o.In)
			if err != nil {
				return ops.ExitFailed, err
			}
			o.Progress(1, 2, "rows")
			fmt.Fprintf(o.Err, "%s of %d bytes by %s\n", a.Input.Name, a.Input.Size, env.Actor)
			o.Out.Write(in)
			return a.Exit, ops.Print(o.Out, a.JSON, a, func(w io.Writer) error {
				t := ops.NewTable(w, "say", "exit")
				t.Row(a.Say, a.Exit)
				return t.Close()
			})
		}),
		ops.Typed("wait", func(ctx context.Context, _ *ops.Env, a tryArgs, o *ops.IO) (int, error) {
			fmt.Fprintln(o.Out, "ready")
			if a.Say == "read" {
				_, err := io.Copy(io.Discard, o.In)
				return ops.ExitOK, err
			}
			<-ctx.Done()
			return ops.ExitOK, ctx.Err()
		}),
		ops.Typed("peek", func(context.Context, *ops.Env, struct{}, *ops.IO) (int, error) { return ops.ExitOK, nil }).Reads(),
	}
}

// testApp is billd with the test's commands.
func testApp(in io.Reader, out, errw io.Writer) (*app, *cobra.Command) {
	a := newApp(in, out, errw)
	a.etc = os.Getenv("BILLD_TEST_ETC")
	a.commands = testOps()
	return a, a.root(newTry(a), newTo(a), newWait(a), newPassword(a), newPeek(a), newFamily("family", "Have members", newMember(a)))
}

func newTry(a *app) *cobra.Command {
	var args tryArgs
	cmd := &cobra.Command{Use: "try FILE", Example: "  billd try -", Args: want("FILE"), RunE: func(cmd *cobra.Command, argv []string) error {
		return a.runOpFrom(cmd, "try", argv[0], func(in ops.Input) any {
			args.Input, args.JSON = in, a.json
			return args
		})
	}}
	cmd.Flags().StringVar(&args.Say, "say", "", "words")
	cmd.Flags().IntVar(&args.Exit, "exit", 0, "exit code")
	return cmd
}

func newTo(a *app) *cobra.Command {
	var args tryArgs
	cmd := &cobra.Command{Use: "to FILE", Example: "  billd to -", Args: want("FILE"), RunE: func(cmd *cobra.Command, argv []string) error {
		return a.runOpTo(cmd, "try", argv[0], args)
	}}
	cmd.Flags().StringVar(&args.Say, "say", "", "words")
	cmd.Flags().IntVar(&args.Exit, "exit", 0, "exit code")
	return cmd
}

func newWait(a *app) *cobra.Command {
	return &cobra.Command{Use: "wait HOW", Example: "  billd wait read", Args: want("HOW"), RunE: func(cmd *cobra.Command, argv []string) error {
		return a.runOp(cmd, call{op: "wait", args: tryArgs{Say: argv[0]}, in: a.in})
	}}
}

func newPeek(a *app) *cobra.Command {
	return &cobra.Command{Use: "peek", Example: "  billd peek", Args: want(), RunE: func(cmd *cobra.Command, _ []string) error {
		return a.runOp(cmd, call{op: "peek"})
	}}
}

func newMember(a *app) *cobra.Command {
	return &cobra.Command{Use: "member", Example: "  billd family member", Args: want(), RunE: func(*cobra.Command, []string) error {
		_, err := fmt.Fprintln(a.out, "here")
		return err
	}}
}

func newPassword(a *app) *cobra.Command {
	var fromStdin bool
	cmd := &cobra.Command{Use: "password", Example: "  billd password", Args: want(), RunE: func(*cobra.Command, []string) error {
		p, err := a.password(fromStdin)
		if err == nil {
			_, err = fmt.Fprintf(a.out, "%q\n", p)
		}
		return err
	}}
	cmd.Flags().BoolVar(&fromStdin, "password-stdin", false, "read the password from standard input")
	return cmd
}

// ended is how a run of billd ended.
type ended struct {
	exit      int
	out, errw string
}

func (e ended) String() string { return fmt.Sprintf("exit %d, out %q, err %q", e.exit, e.out, e.errw) }

// inside runs billd in this process.
func inside(_ *testing.T, in string, args ...string) ended {
	var out, errw bytes.Buffer
	a, root := testApp(strings.NewReader(in), &out, &errw)
	exit := a.main(root, args)
	return ended{exit, out.String(), errw.String()}
}

func process(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), asBilld+"=1")
	return cmd
}

// outside runs billd as a process of its own.
func outside(t *testing.T, in string, args ...string) ended {
	t.Helper()
	var out, errw bytes.Buffer
	cmd := process(t, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(in), &out, &errw
	if err := cmd.Run(); cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return ended{cmd.ProcessState.ExitCode(), out.String(), errw.String()}
}

// serve holds the store in dir and answers on its socket as billd of the given version.
func serve(t *testing.T, dir, version string) {
	t.Helper()
	env := &ops.Env{DB: hold(t, dir), Dir: dir, Version: version, Log: slog.New(slog.DiscardHandler)}
	s, err := control.Listen(control.Options{Env: env, Commands: testOps()})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve() }()
	t.Cleanup(func() {
		s.Shutdown(context.Background())
		<-done
	})
}

func TestBothDoorsGiveTheSameBytes(t *testing.T) {
	dirs := map[string]string{"direct": t.TempDir(), "server": t.TempDir()}
	serve(t, dirs["server"], version())
	file := filepath.Join(t.TempDir(), "deck.csv")
	if err := os.WriteFile(file, []byte("44,0.01\n\xff\x00\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	who := fmt.Sprintf("by uid %d\n", os.Getuid())
	for _, tt := range []struct {
		name, in string
		args     []string
		want     ended
	}{
		{"a table, and standard input", "a,b\n", []string{"try", "-", "--say", "grüß"}, ended{0, "a,b\nSAY   EXIT\ngrüß  0\n", "stdin of 0 bytes " + who}},
		{"json, and a file that is not text", "", []string{"try", file, "--json"},
			ended{0, "44,0.01\n\xff\x00\n{\n  \"input\": {\n    \"name\": \"deck.csv\",\n    \"size\": 11\n  },\n  \"say\": \"\",\n  \"exit\": 0,\n  \"json\": true\n}\n", "deck.csv of 11 bytes " + who}},
		{"partly done", "", []string{"try", "-", "--exit", "3"}, ended{3, "SAY  EXIT\n     3\n", "stdin of 0 bytes " + who}},
		{"faults found", "", []string{"try", "-", "--exit", "4"}, ended{4, "SAY  EXIT\n     4\n", "stdin of 0 bytes " + who}},
		{"an error", "", []string{"try", "-", "--say", "fail"}, ended{1, "", "billd: account 9: not found\n"}},
		{"a file that is not there", "", []string{"try", "/nonexistent.csv"}, ended{1, "", "billd: /nonexistent.csv: no such file or directory\n"}},
	} {
		for door, dir := range dirs {
			for way, run := range map[string]func(*testing.T, string, ...string) ended{"inside": inside, "outside": outside} {
				t.Run(tt.name+", "+door+", "+way, func(t *testing.T) {
					if got := run(t, tt.in, append(tt.args, "--dir", dir)...); got != tt.want {
						t.Errorf("billd %v: %v, want %v", tt.args, got, tt.want)
					}
				})
			}
		}
	}
}

func TestASignalInterrupts(t *testing.T) {
	dirs := map[string]string{"direct": t.TempDir(), "server": t.TempDir()}
	serve(t, dirs["server"], version())
	for door, dir := range dirs {
		for _, how := range []string{"compute", "read"} {
			for _, sig := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
				t.Run(fmt.Sprint(door, " ", how, " ", sig), func(t *testing.T) {
					var errw bytes.Buffer
					cmd := process(t, "wait", how, "--dir", dir)
					cmd.Stderr = &errw
					stdin, err := cmd.StdinPipe() // open, and silent
					if err != nil {
						t.Fatal(err)
					}
					defer stdin.Close()
					out, err := cmd.StdoutPipe()
					if err != nil {
						t.Fatal(err)
					}
					if err := cmd.Start(); err != nil {
						t.Fatal(err)
					}
					io.ReadFull(out, make([]byte, len("ready\n")))
					cmd.Process.Signal(sig)
					cmd.Wait()
					got := ended{cmd.ProcessState.ExitCode(), "", errw.String()}
					if want := (ended{130, "", "billd: interrupted\n"}); got != want {
						t.Errorf("billd wait: %v, want %v", got, want)
					}
				})
			}
		}
	}
}

func TestWhatStandsInTheWayHasItsExitCode(t *testing.T) {
	held, other, empty := t.TempDir(), t.TempDir(), t.TempDir()
	hold(t, held)
	serve(t, other, "0.0.1")
	for _, tt := range []struct {
		name string
		args []string
		want ended
	}{
		{"a store that is held in silence", []string{"try", "-", "--dir", held}, ended{11, "", "billd: billd.db: held by another process, and nobody answers at billd.sock\n"}},
		{"a server of another version", []string{"try", "-", "--dir", other}, ended{1, "", "billd: this is billd " + version() + ", the running server is billd 0.0.1: restart the server or use its binary\n"}},
		{"nothing to read from", []string{"peek", "--dir", empty}, ended{1, "", "billd: " + empty + ": no store there, `billd serve` or an import makes one; --dir names another directory\n"}},
		{"an unknown flag", []string{"try", "--nope"}, ended{2, "", "billd: unknown flag: --nope; see 'billd try --help'\n"}},
		{"a flag's bad value", []string{"try", "-", "--exit", "x"}, ended{2, "", "billd: --exit: \"x\", want int; see 'billd try --help'\n"}},
		{"an unknown command", []string{"vesion"}, ended{2, "", "billd: billd: no command \"vesion\", did you mean version?; see 'billd --help'\n"}},
		{"help about an unknown command", []string{"help", "vesion"}, ended{2, "", "billd: billd: no command \"vesion\", did you mean version?; see 'billd help --help'\n"}},
		{"help about an unknown subcommand", []string{"help", "suspense", "nope"}, ended{2, "", "billd: billd suspense: no command \"nope\"; see 'billd help --help'\n"}},
		{"an unknown subcommand", []string{"family", "nope"}, ended{2, "", "billd: billd family: no command \"nope\"; see 'billd family --help'\n"}},
		{"no subcommand", []string{"family"}, ended{2, "", "billd: family: want one of member; see 'billd family --help'\n"}},
		{"a missing argument", []string{"try"}, ended{2, "", "billd: try: 0 arguments, want FILE; see 'billd try --help'\n"}},
		{"a directory for a file", []string{"try", empty}, ended{1, "", "billd: " + empty + ": a directory, want a file\n"}},
		{"no terminal for a password", []string{"password"}, ended{2, "", "billd: no terminal to ask for the password: give it with --password-stdin; see 'billd password --help'\n"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := inside(t, "", tt.args...); got != tt.want {
				t.Errorf("billd %v: %v, want %v", tt.args, got, tt.want)
			}
		})
	}
	if _, err := os.Stat(filepath.Join(empty, ops.StoreName)); err == nil {
		t.Error("a command that only reads made a store")
	}
}

func TestOutputFileAppearsWholeOrNotAtAll(t *testing.T) {
	dir := t.TempDir()
	for _, tt := range []struct {
		name, say string
		exit      int
		want      string
	}{
		{"a success replaces what was there", "x", 0, "SAY  EXIT\nx    0\n"},
		{"a failure leaves it", "fail", 1, "old"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			files := t.TempDir()
			path := filepath.Join(files, "backup.db")
			if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
				t.Fatal(err)
			}
			if got := inside(t, "", "to", path, "--say", tt.say, "--dir", dir); got.exit != tt.exit {
				t.Errorf("billd to: %v, want exit %d", got, tt.exit)
			}
			if got, err := os.ReadFile(path); err != nil || string(got) != tt.want {
				t.Errorf("file = %q, %v, want %q", got, err, tt.want)
			}
			if left, _ := os.ReadDir(files); len(left) != 1 {
				t.Errorf("%d files are left, want 1", len(left))
			}
		})
	}
}

func TestPasswordIsTheFirstLine(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		want     ended
	}{
		{"with a line end", "s3cret \r\nmore\n", ended{0, "\"s3cret \"\n", ""}},
		{"without one", "s3cret", ended{0, "\"s3cret\"\n", ""}},
		{"none", "\n", ended{1, "", "billd: password: 0 bytes, want 1 to 1024\n"}},
		{"an endless one", strings.Repeat("x", 5000), ended{1, "", "billd: password: 1026 bytes, want 1 to 1024\n"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := inside(t, tt.in, "password", "--password-stdin"); got != tt.want {
				t.Errorf("password = %v, want %v", got, tt.want)
			}
		})
	}
}

func TestEveryCommandHasAnExampleAndAPlaceInTheHelp(t *testing.T) {
	a := newApp(strings.NewReader(""), io.Discard, io.Discard)
	root := a.root()
	for cmd := range all(root) {
		if cmd.Hidden {
			continue
		}
		if cmd.Example == "" {
			t.Errorf("%s has no example", cmd.CommandPath())
		}
		if cmd.Short == "" {
			t.Errorf("%s has no short text", cmd.CommandPath())
		}
		if cmd.Parent() == root && cmd.GroupID == "" {
			t.Errorf("%s is in no group", cmd.CommandPath())
		}
	}
}
