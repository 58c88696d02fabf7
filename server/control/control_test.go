package control

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"billd/server/ops"
)

const testVersion = "1.2.3"

// serve runs commands on a socket in dir until the test ends.
func serve(t *testing.T, dir string, commands ...ops.Command) *Server {
	t.Helper()
	env := &ops.Env{Dir: dir, Version: testVersion, Log: slog.New(slog.DiscardHandler)}
	s, err := Listen(Options{Env: env, Commands: commands})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve() }()
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		s.Shutdown(ctx)
		if err := <-done; err != nil {
			t.Errorf("Serve = %v, want nil", err)
		}
	})
	return s
}

func command(name string, run func(ctx context.Context, env *ops.Env, o *ops.IO) (int, error)) ops.Command {
	return ops.Command{Name: name, Run: func(ctx context.Context, env *ops.Env, _ json.RawMessage, o *ops.IO) (int, error) {
		return run(ctx, env, o)
	}}
}

func connect(t *testing.T, dir string) *Client {
	t.Helper()
	c, err := Dial(t.Context(), dir, testVersion)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestACallCarriesEverythingBothWays(t *testing.T) {
	type args struct {
		Say string `json:"say"`
	}
	dir := t.TempDir()
	serve(t, dir, ops.Typed("echo", func(_ context.Context, env *ops.Env, a args, o *ops.IO) (int, error) {
		in, err := io.ReadAll(o.In)
		fmt.Fprintf(o.Out, "%s %s ", a.Say, env.Actor)
		o.Out.Write(in)
		o.Progress(5, 9, "rows")
		fmt.Fprint(o.Err, "warned\n")
		o.Aside.Write(in)
		return ops.ExitPartly, err
	}))
	binary := []byte{0xff, 0, '\n', 0xc3, 0x28, '"', '<'}
	var out, errw, aside bytes.Buffer
	var progress string
	exit, err := connect(t, dir).Call(t.Context(), "echo", json.RawMessage(`{"say":"grüß <&>\u2028"}`), &ops.IO{
		In: bytes.NewReader(binary), Out: &out, Err: &errw, Aside: &aside,
		Progress: func(done, total int64, what string) { progress = fmt.Sprint(done, total, what) },
	})
	want := fmt.Sprintf("grüß <&>\u2028 uid %d %s", os.Getuid(), binary)
	if exit != ops.ExitPartly || err != nil || out.String() != want || errw.String() != "warned\n" || progress != "5 9rows" || !bytes.Equal(aside.Bytes(), binary) {
		t.Errorf("Call = %d, %v, out %q, err %q, progress %q, aside %q, want %d, nil, %q, warned, 5 9rows and the input", exit, err, out.String(), errw.String(), progress, aside.String(), ops.ExitPartly, want)
	}
}

func TestACallThatCannotRunIsOneSentence(t *testing.T) {
	dir := t.TempDir()
	ok := command("ok", func(context.Context, *ops.Env, *ops.IO) (int, error) { return ops.ExitOK, nil })
	serve(t, dir, ok)
	for _, tt := range []struct{ name, version, command, want string }{
		{"another version", "1.2.4", "ok", "billd: this is billd 1.2.4, the running server is billd 1.2.3: restart the server or use its binary\n"},
		{"a command of no such name", testVersion, "nope", "billd: command \"nope\": the server has none of that name\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := Dial(t.Context(), dir, tt.version)
			if err != nil {
				t.Fatal(err)
			}
			var errw bytes.Buffer
			exit, err := c.Call(t.Context(), tt.command, nil, &ops.IO{Err: &errw})
			if exit != ops.ExitFailed || err != nil || errw.String() != tt.want {
				t.Errorf("Call = %d, %v, %q, want %d, nil, %q", exit, err, errw.String(), ops.ExitFailed, tt.want)
			}
		})
	}
}

// endless is n bytes that are nowhere in memory.
type endless struct{ n int64 }

func (e *endless) Read(p []byte) (int, error) {
	if e.n == 0 {
		return 0, io.EOF
	}
	p = p[:min(int64(len(p)), e.n)]
	for i := range p {
		p[i] = byte(e.n) + byte(i)
	}
	e.n -= int64(len(p))
	return len(p), nil
}

func TestLargeStreamsPassInBoundedMemoryBothWaysAtOnce(t *testing.T) {
	const size, bound = 64 << 20, 32 << 20
	dir := t.TempDir()
	var before, now runtime.MemStats
	runtime.ReadMemStats(&before)
	var peak uint64
	serve(t, dir, command("cat", func(_ context.Context, _ *ops.Env, o *ops.IO) (int, error) {
		buf := make([]byte, 1<<20)
		for {
			n, err := io.ReadFull(o.In, buf)
			o.Out.Write(buf[:n])
			runtime.ReadMemStats(&now)
			peak = max(peak, now.HeapAlloc)
			if err != nil {
				return ops.ExitOK, nil
			}
		}
	}))
	sent, got := sha256.New(), sha256.New()
	exit, err := connect(t, dir).Call(t.Context(), "cat", nil, &ops.IO{In: io.TeeReader(&endless{size}, sent), Out: got})
	if exit != ops.ExitOK || err != nil || !bytes.Equal(got.Sum(nil), sent.Sum(nil)) {
		t.Errorf("Call = %d, %v, same bytes back %t, want 0, nil, true", exit, err, bytes.Equal(got.Sum(nil), sent.Sum(nil)))
	}
	if peak > before.HeapAlloc+bound {
		t.Errorf("heap grew to %d MB for %d MB of input, want below %d MB", peak>>20, size>>20, bound>>20)
	}
}

func TestOutputArrivesBeforeTheInputEnds(t *testing.T) {
	dir := t.TempDir()
	serve(t, dir, command("ask", func(_ context.Context, _ *ops.Env, o *ops.IO) (int, error) {
		fmt.Fprintln(o.Err, "line 1: rejected")
		in, err := io.ReadAll(o.In)
		fmt.Fprintf(o.Out, "%s", in)
		return ops.ExitOK, err
	}))
	reader, writer := io.Pipe()
	var out bytes.Buffer
	heard := writerFunc(func(p []byte) (int, error) {
		fmt.Fprintf(writer, "heard %s", p)
		return len(p), writer.Close()
	})
	exit, err := connect(t, dir).Call(t.Context(), "ask", nil, &ops.IO{In: reader, Out: &out, Err: heard})
	if want := "heard line 1: rejected\n"; exit != ops.ExitOK || err != nil || out.String() != want {
		t.Errorf("Call = %d, %v, %q, want 0, nil, %q", exit, err, out.String(), want)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func TestACommandMayEndBeforeItsInputDoes(t *testing.T) {
	dir := t.TempDir()
	serve(t, dir, command("refuse", func(context.Context, *ops.Env, *ops.IO) (int, error) {
		return ops.ExitOK, errors.New("no")
	}))
	reader, writer := io.Pipe()
	defer writer.Close()
	var errw bytes.Buffer
	for _, in := range []io.Reader{&endless{1 << 30}, reader} {
		errw.Reset()
		exit, err := connect(t, dir).Call(t.Context(), "refuse", nil, &ops.IO{In: in, Err: &errw})
		if exit != ops.ExitFailed || err != nil || errw.String() != "billd: no\n" {
			t.Errorf("Call with %T = %d, %v, %q, want %d, nil, billd: no", in, exit, err, errw.String(), ops.ExitFailed)
		}
	}
}

func TestAClientThatGoesCancelsItsCommand(t *testing.T) {
	gone := errors.New("gone")
	for _, tt := range []struct {
		name string
		in   io.Reader
		run  func(ctx context.Context, o *ops.IO)
	}{
		{"while it computes", nil, func(ctx context.Context, _ *ops.IO) { <-ctx.Done() }},
		{"while it computes and input waits", &endless{1 << 40}, func(ctx context.Context, _ *ops.IO) { <-ctx.Done() }},
		{"while it reads", neverEnding(t), func(_ context.Context, o *ops.IO) { io.Copy(io.Discard, o.In) }},
		{"while it prints", nil, func(ctx context.Context, o *ops.IO) { io.Copy(o.Out, &endless{1 << 40}); <-ctx.Done() }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			started, ended := make(chan bool), make(chan error, 1)
			serve(t, dir, command("wait", func(ctx context.Context, _ *ops.Env, o *ops.IO) (int, error) {
				close(started)
				tt.run(ctx, o)
				ended <- ctx.Err()
				return ops.ExitFailed, ctx.Err()
			}))
			ctx, cancel := context.WithCancelCause(t.Context())
			go func() { <-started; cancel(gone) }()
			if _, err := connect(t, dir).Call(ctx, "wait", nil, &ops.IO{In: tt.in, Out: io.Discard}); err != gone {
				t.Errorf("Call = %v, want the cause %v", err, gone)
			}
			select {
			case err := <-ended:
				if err == nil {
					t.Errorf("the command ended before its context did")
				}
			case <-time.After(10 * time.Second):
				t.Fatal("the command still runs 10 s after its client went")
			}
		})
	}
}

func neverEnding(t *testing.T) io.Reader {
	r, w := io.Pipe()
	t.Cleanup(func() { w.Close() })
	return r
}

func TestInputThatBreaksIsTheErrorAndCancels(t *testing.T) {
	dir, broken := t.TempDir(), errors.New("deck.csv: input/output error")
	ended := make(chan error, 1)
	serve(t, dir, command("read", func(ctx context.Context, _ *ops.Env, o *ops.IO) (int, error) {
		_, err := io.Copy(io.Discard, o.In)
		<-ctx.Done()
		ended <- err
		return ops.ExitFailed, err
	}))
	in := io.MultiReader(strings.NewReader("1,2\n"), readerFunc(func([]byte) (int, error) { return 0, broken }))
	_, err := connect(t, dir).Call(t.Context(), "read", nil, &ops.IO{In: in})
	if !errors.Is(err, broken) {
		t.Errorf("Call = %v, want %v", err, broken)
	}
	if err := <-ended; err == nil {
		t.Errorf("the command read to the end, want an error")
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestShutdownTellsTheCommandsThatStillRun(t *testing.T) {
	dir := t.TempDir()
	started := make(chan bool)
	s := serve(t, dir, command("read", func(_ context.Context, _ *ops.Env, o *ops.IO) (int, error) {
		close(started)
		_, err := io.Copy(io.Discard, o.In)
		return ops.ExitOK, err
	}))
	go func() {
		<-started
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		s.Shutdown(ctx)
	}()
	var errw bytes.Buffer
	exit, err := connect(t, dir).Call(t.Context(), "read", nil, &ops.IO{In: neverEnding(t), Err: &errw})
	if exit != ops.ExitFailed || err != nil || errw.String() != "billd: the server is stopping\n" {
		t.Errorf("Call = %d, %v, %q, want %d, nil, billd: the server is stopping", exit, err, errw.String(), ops.ExitFailed)
	}
	s.Shutdown(t.Context()) // waits for the one under way
	if _, err := os.Lstat(filepath.Join(dir, socketName)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("socket after Shutdown: %v, want gone", err)
	}
}

func TestTheSocketIsPrivateAndReachableByAnyPath(t *testing.T) {
	long := filepath.Join(t.TempDir(), strings.Repeat("d", 60), strings.Repeat("e", 60))
	if err := os.MkdirAll(long, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, dir string
		link      bool
	}{
		{"a short path", shortDir(t), false},
		{"a path that bind refuses", long, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := serve(t, tt.dir)
			path := filepath.Join(tt.dir, socketName)
			target, linkErr := os.Readlink(path)
			if (linkErr == nil) != tt.link {
				t.Errorf("link = %v, want %v", linkErr == nil, tt.link)
			}
			if at, err := os.Stat(path); err != nil || at.Mode() != fs.ModeSocket|0o600 {
				t.Errorf("mode = %v, %v, want a socket of 0600", at.Mode(), err)
			}
			connect(t, tt.dir)
			if err := s.Shutdown(t.Context()); err != nil {
				t.Error(err)
			}
			for _, left := range []string{path, target} {
				if _, err := os.Lstat(left); left != "" && err == nil {
					t.Errorf("%s is left after Shutdown", left)
				}
			}
		})
	}
}

func TestASocketUnderALongLinkedPathIsReachable(t *testing.T) {
	dir := shortDir(t)
	serve(t, dir)
	long := filepath.Join(t.TempDir(), strings.Repeat("l", 120))
	if err := os.Symlink(dir, long); err != nil {
		t.Fatal(err)
	}
	connect(t, long)
}

// shortDir is a directory whose socket's path fits, whatever TMPDIR is.
func shortDir(t *testing.T) string {
	dir, err := os.MkdirTemp("/tmp", "b")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func TestListenMakesWayForItselfOnlyWhereNobodyAnswers(t *testing.T) {
	for _, tt := range []struct {
		name  string
		plant func(t *testing.T, path string)
		want  string
	}{
		{"a socket that nobody answers on is replaced", func(t *testing.T, path string) {
			ln, err := net.ListenUnix("unix", &net.UnixAddr{Name: path})
			if err != nil {
				t.Fatal(err)
			}
			ln.SetUnlinkOnClose(false)
			ln.Close()
		}, "<nil>"},
		{"a link to nothing is replaced", func(t *testing.T, path string) {
			if err := os.Symlink("/nonexistent/billd.sock", path); err != nil {
				t.Fatal(err)
			}
		}, "<nil>"},
		{"a server that answers stays", func(t *testing.T, path string) { serve(t, filepath.Dir(path)) }, "billd.sock: another server answers there"},
		{"a file is not removed", func(t *testing.T, path string) {
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}, "billd.sock: not a socket, move it away"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := shortDir(t)
			tt.plant(t, filepath.Join(dir, socketName))
			s, err := Listen(Options{Env: &ops.Env{Dir: dir}})
			if fmt.Sprint(err) != tt.want {
				t.Errorf("Listen = %v, want %s", err, tt.want)
			}
			if err == nil {
				s.ln.Close()
			}
		})
	}
}

func TestDialFindsNobody(t *testing.T) {
	silent := shortDir(t)
	ln, err := net.Listen("unix", filepath.Join(silent, socketName)) // accepts, and never answers
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	for _, tt := range []struct{ name, dir string }{
		{"no socket", shortDir(t)},
		{"no directory", "/nonexistent"},
		{"a server that does not answer", silent},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := Dial(t.Context(), tt.dir, testVersion); !errors.Is(err, ErrNobody) {
				t.Errorf("Dial = %v, want ErrNobody", err)
			}
		})
	}
}

func TestAFrameDoesNotCutARune(t *testing.T) {
	var answer bytes.Buffer
	f := newFrames(&answer, func() error { return nil }, func(error) {})
	text := "x" + strings.Repeat("é", maxFrame)
	io.WriteString(f.writer(toOut), text)
	f.exit(0)
	if strings.Contains(answer.String(), "out64") {
		t.Error("text went out as base64, want text frames")
	}
	var got strings.Builder
	for d := json.NewDecoder(&answer); d.More(); {
		var fr frame
		if err := d.Decode(&fr); err != nil {
			t.Fatal(err)
		}
		got.WriteString(fr.Out)
	}
	if got.String() != text {
		t.Errorf("text of %d bytes came back as %d others", len(text), got.Len())
	}
}
