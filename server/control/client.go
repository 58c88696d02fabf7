package control

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"

	"billd/server/ops"
)

// maxLine bounds a frame's line: JSON writes a byte of text with up to six.
const maxLine = 6*maxFrame + 1<<10

// ErrNobody says that no server answers on the socket.
var ErrNobody = errors.New("nobody answers at " + socketName)

// Client calls commands of the server that holds a store.
type Client struct {
	http    http.Client
	version string
}

// Dial finds the server that answers in dir. version is the caller's own, which Call tells the
// server. It fails with ErrNobody when there is no socket, nobody behind it, or no answer in time.
func Dial(ctx context.Context, dir, version string) (*Client, error) {
	c := &Client{version: version, http: http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext:       func(context.Context, string, string) (net.Conn, error) { return dial(dir) },
	}}}
	asking, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	resp, err := c.do(asking, http.MethodGet, "", nil, nil)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("%w (%w)", ErrNobody, err)
	}
	resp.Body.Close()
	return c, nil
}

func (c *Client) do(ctx context.Context, method, command string, args json.RawMessage, in io.Reader) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, commandURL(command), nil)
	if err != nil {
		return nil, err
	}
	if in != nil {
		req.Body = io.NopCloser(in)
		req.ContentLength = -1
	}
	req.Header.Set(versionHeader, c.version)
	req.Header.Set(argsHeader, base64.StdEncoding.EncodeToString(args))
	return c.http.Do(req)
}

// Call runs command with o's streams, and returns its exit code. What the command has to say of an
// error went to o.Err. It fails if the server could not be asked or went away, if a stream failed,
// and with ctx's cause if that ended.
func (c *Client) Call(ctx context.Context, command string, args json.RawMessage, o *ops.IO) (exit int, err error) {
	asking, cancel := context.WithCancel(ctx)
	defer cancel() // whatever input is still on its way
	var in input
	var body io.Reader
	if o.In != nil {
		in.r = o.In
		// HTTP waits for the body's reader before it gives up a call.
		body = ops.UntilDone(asking, &in)
	}
	resp, err := c.do(asking, http.MethodPost, command, args, body)
	if err == nil {
		defer resp.Body.Close()
		if exit, err = answer(resp, o); err == nil {
			return exit, nil
		}
	}
	if ctx.Err() != nil {
		return 0, context.Cause(ctx)
	}
	if broken := in.broken(); broken != nil {
		return 0, broken
	}
	return 0, err
}

// input remembers why a command's input broke off: HTTP says only that it did.
type input struct {
	r   io.Reader
	mu  sync.Mutex
	err error
}

func (in *input) Read(p []byte) (int, error) {
	n, err := in.r.Read(p)
	if err != nil && err != io.EOF {
		in.mu.Lock()
		in.err = err
		in.mu.Unlock()
	}
	return n, err
}

func (in *input) broken() error {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.err
}

// answer copies the frames to o until the last.
func answer(resp *http.Response, o *ops.IO) (exit int, err error) {
	if resp.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("%s: the server answers %s", socketName, strings.ToLower(resp.Status))
	}
	lines := bufio.NewReaderSize(resp.Body, maxLine)
	for {
		line, err := lines.ReadSlice('\n')
		var f frame
		if err == nil {
			f, err = parseFrame(line)
		}
		if err != nil {
			return 0, fmt.Errorf("%s: the server went away before the command ended", socketName)
		}
		if f.Exit != nil {
			return *f.Exit, nil
		}
		if f.Progress != nil && o.Progress != nil {
			o.Progress(f.Progress.Done, f.Progress.Total, f.Progress.What)
		}
		if err := f.copyTo(o); err != nil {
			return 0, err
		}
	}
}

// parseFrame reads one line. Binary output, a backup's for one, is most of what the socket ever carries: it is
// taken without a pass of the JSON reader, which has half a dozen times the cost.
func parseFrame(line []byte) (f frame, err error) {
	if text, ok := bytes.CutPrefix(line, []byte(`{"out64":"`)); ok {
		if text, ok = bytes.CutSuffix(text, []byte("\"}\n")); ok {
			f.Out64, err = base64.StdEncoding.AppendDecode(nil, text)
			return f, err
		}
	}
	return f, json.Unmarshal(line, &f)
}

func (f *frame) copyTo(o *ops.IO) error {
	if text := append([]byte(f.Out), f.Out64...); len(text) > 0 && o.Out != nil {
		if _, err := o.Out.Write(text); err != nil {
			return err
		}
	}
	if text := append([]byte(f.Err), f.Err64...); len(text) > 0 && o.Err != nil {
		if _, err := o.Err.Write(text); err != nil {
			return err
		}
	}
	if len(f.Aside) > 0 && o.Aside != nil {
		if _, err := o.Aside.Write(f.Aside); err != nil {
			return err
		}
	}
	return nil
}
