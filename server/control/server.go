package control

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"billd/server/ops"
)

const (
	argsHeader    = "Billd-Args"
	versionHeader = "Billd-Version"
	commandPath   = "/v1/"

	// maxArgs bounds a request's header with the arguments in it, in bytes.
	maxArgs = 1 << 20
	// maxCalls bounds the commands that run at once.
	maxCalls = 64
	// headerTimeout bounds the wait for a request's header.
	headerTimeout = 10 * time.Second
	// lastWord bounds how long a cancelled command may take to tell its client.
	lastWord = time.Second
)

// Options are what a Server needs.
type Options struct {
	Env      *ops.Env // each call gets a copy with its own Actor; Env.Dir is where the socket goes
	Commands []ops.Command
}

// Server answers on a store's unix socket.
type Server struct {
	env      *ops.Env
	commands map[string]ops.Command
	ln       *net.UnixListener
	http     *http.Server
	stop     context.CancelCauseFunc
	cleanup  func()
	calls    chan struct{}
	drained  sync.Once
}

// Listen makes the socket in o.Env.Dir, mode 0600. It fails if another server answers there.
func Listen(o Options) (*Server, error) {
	ln, cleanup, err := listen(o.Env.Dir)
	if err != nil {
		return nil, err
	}
	base, stop := context.WithCancelCause(context.Background())
	s := &Server{
		env: o.Env, commands: map[string]ops.Command{}, ln: ln, stop: stop, cleanup: cleanup,
		calls: make(chan struct{}, maxCalls),
	}
	for _, c := range o.Commands {
		s.commands[c.Name] = c
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+commandPath+"{$}", func(w http.ResponseWriter, _ *http.Request) {
		json.NewEncoder(w).Encode(map[string]string{"version": s.env.Version})
	})
	mux.HandleFunc("POST "+commandPath+"{command}", s.call)
	s.http = &http.Server{
		Handler: mux, MaxHeaderBytes: maxArgs, ReadHeaderTimeout: headerTimeout,
		BaseContext: func(net.Listener) context.Context { return base },
		ConnContext: withPeer,
	}
	return s, nil
}

// Serve answers until Shutdown; it returns nil then.
func (s *Server) Serve() error {
	if err := s.http.Serve(s.ln); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// Shutdown refuses new calls, waits for those that run until ctx is done, then cancels them, and
// removes the socket. It fails if commands had to be cancelled.
func (s *Server) Shutdown(ctx context.Context) error {
	defer s.cleanup()
	err := s.http.Shutdown(ctx)
	s.stop(ops.ErrStopping)
	if err == nil {
		return nil
	}
	s.drain()
	last, cancel := context.WithTimeout(context.Background(), lastWord)
	defer cancel()
	if s.http.Shutdown(last) != nil {
		s.http.Close()
	}
	return fmt.Errorf("commands cancelled: %w", err)
}

// drain waits for the cancelled commands to end, and keeps their places: nothing may use the store after Shutdown.
func (s *Server) drain() {
	s.drained.Do(func() {
		for range maxCalls {
			s.calls <- struct{}{}
		}
	})
}

// peer is what a connection's context says of its other end.
type peer struct {
	uid int
	err error
}

type peerKey struct{}

func withPeer(ctx context.Context, conn net.Conn) context.Context {
	uid, err := peerUID(conn.(*net.UnixConn))
	return context.WithValue(ctx, peerKey{}, peer{uid, err})
}

// call runs one command and streams its answer.
func (s *Server) call(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithCancelCause(r.Context())
	defer cancel(nil)
	rc := http.NewResponseController(w)
	// Full duplex: a command may print before it has read all its input.
	if err := rc.EnableFullDuplex(); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	f := newFrames(w, rc.Flush, cancel)
	var kept sync.WaitGroup
	kept.Go(func() { f.keep(ctx) })
	w.Header().Set("Content-Type", "application/x-ndjson")
	// Neither a wait for the client's input nor one for its reading may outlive the command's context.
	unblock := context.AfterFunc(ctx, func() {
		rc.SetReadDeadline(time.Unix(1, 0))
		rc.SetWriteDeadline(time.Now().Add(lastWord))
	})
	exit := s.run(ctx, r, &ops.IO{
		In:  &body{r.Body, cancel},
		Out: f.writer(toOut), Err: f.writer(toErr), Aside: f.writer(toAside), Progress: f.progress,
	})
	unblock()
	cancel(nil)
	kept.Wait()
	f.exit(exit)
}

// run checks who calls for what, and does it.
func (s *Server) run(ctx context.Context, r *http.Request, io *ops.IO) (exit int) {
	began := time.Now()
	who, _ := ctx.Value(peerKey{}).(peer)
	command, args, err := s.accept(r, who)
	if err == nil {
		select {
		case s.calls <- struct{}{}:
			defer func() { <-s.calls }()
		default:
			err = fmt.Errorf("%d commands run at once, the limit: try again", maxCalls)
		}
	}
	if err != nil {
		fmt.Fprint(io.Err, ops.ErrorLine(err))
		return ops.ExitFailed
	}
	env := *s.env
	env.Actor = fmt.Sprintf("uid %d", who.uid)
	exit = command.Do(ctx, &env, args, io)
	s.env.Log.Info("command", "name", command.Name, "uid", who.uid, "exit", exit, "took", time.Since(began))
	return exit
}

func (s *Server) accept(r *http.Request, who peer) (ops.Command, json.RawMessage, error) {
	name := r.PathValue("command")
	command, known := s.commands[name]
	theirs := r.Header.Get(versionHeader)
	switch {
	case who.err != nil:
		return command, nil, fmt.Errorf("%s: cannot tell who calls: %w", socketName, who.err)
	case who.uid != os.Getuid() && who.uid != 0:
		return command, nil, fmt.Errorf("%s: uid %d called, want the server's user or root", socketName, who.uid)
	case theirs != "" && theirs != s.env.Version:
		return command, nil, fmt.Errorf("this is billd %s, the running server is billd %s: restart the server or use its binary", theirs, s.env.Version)
	case !known:
		return command, nil, fmt.Errorf("command %q: the server has none of that name", name)
	}
	args, err := base64.StdEncoding.DecodeString(r.Header.Get(argsHeader))
	if err != nil {
		return command, nil, fmt.Errorf("header %s: want base64", argsHeader)
	}
	return command, args, nil
}

// body is a command's input; when it breaks off the client is gone, and so is the call.
type body struct {
	io.Reader
	cancel context.CancelCauseFunc
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err != nil && err != io.EOF {
		b.cancel(context.Canceled)
	}
	return n, err
}

// commandURL is where the client finds a command; the host is a word, the socket is the address.
func commandURL(command string) string {
	return "http://billd" + commandPath + strings.TrimPrefix(command, "/")
}
