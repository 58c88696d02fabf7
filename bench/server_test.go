package bench

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// binary builds billd once for all benchmarks.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "billd-bench-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "billd")
	cmd := exec.Command("go", "build", "-o", path, "billd")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %v: %s", err, out)
	}
	return path, nil
})

// billd is a running server with a data directory of its own.
type billd struct {
	b     *testing.B
	bin   string
	dir   string
	addr  string
	token string
	cmd   *exec.Cmd
}

// start runs billd serve on a fresh directory until it answers.
func start(b *testing.B) *billd {
	b.Helper()
	bin, err := binary()
	if err != nil {
		b.Fatal(err)
	}
	s := &billd{b: b, bin: bin, dir: filepath.Join(b.TempDir(), "data")}
	s.serve()
	return s
}

// serve starts the server and waits until its store is open.
func (s *billd) serve() {
	s.b.Helper()
	s.launch()
	s.answers("/readyz")
	s.login()
}

// launch starts the server's process.
func (s *billd) launch() {
	s.b.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.b.Fatal(err)
	}
	s.addr = ln.Addr().String()
	ln.Close()
	s.cmd = exec.Command(s.bin, "serve", "--dir", s.dir, "--http", s.addr, "--log-level", "error")
	s.cmd.Stderr = os.Stderr
	if err := s.cmd.Start(); err != nil {
		s.b.Fatal(err)
	}
	s.b.Cleanup(s.stop)
}

// answers waits for a path to answer 200.
func (s *billd) answers(path string) {
	s.b.Helper()
	const tries = 100_000 // of 2 ms: minutes, for a start that reads the whole file
	for range tries {
		if r, err := http.Get("http://" + s.addr + path); err == nil {
			r.Body.Close()
			if r.StatusCode == http.StatusOK {
				return
			}
		}
		time.Sleep(2 * time.Millisecond)
	}
	s.b.Fatal("billd does not answer " + path)
}

func (s *billd) login() { s.token = strings.TrimSpace(s.run("token", "native")) }

func (s *billd) stop() {
	if s.cmd == nil {
		return
	}
	s.cmd.Process.Signal(syscall.SIGTERM)
	s.cmd.Wait()
	s.cmd = nil
}

// run executes a command of the binary on the same directory.
func (s *billd) run(args ...string) string {
	s.b.Helper()
	out, err := exec.Command(s.bin, append(args, "--dir", s.dir)...).Output()
	if err != nil {
		s.b.Fatalf("billd %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// cpu returns the processor time the server has used.
func (s *billd) cpu() time.Duration {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	f := strings.Fields(string(raw[bytes.LastIndexByte(raw, ')')+2:]))
	user, _ := strconv.Atoi(f[11])
	system, _ := strconv.Atoi(f[12])
	return time.Duration(user+system) * 10 * time.Millisecond // USER_HZ is 100
}

// memory returns a line of /proc/PID/status in bytes: RssAnon, VmHWM …
func (s *billd) memory(line string) float64 {
	raw, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	for l := range strings.Lines(string(raw)) {
		if rest, ok := strings.CutPrefix(l, line+":"); ok {
			n, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return n * 1024
		}
	}
	return 0
}

// post sends a JSON body and fails the benchmark unless it is answered with 2xx.
func (s *billd) post(path string, body []byte) []byte {
	s.b.Helper()
	req, _ := http.NewRequest("POST", "http://"+s.addr+path, bytes.NewReader(body))
	req.Header.Set("Authorization", "Bearer "+s.token)
	req.Header.Set("Content-Type", "application/json")
	r, err := http.DefaultClient.Do(req)
	if err != nil {
		s.b.Fatal(err)
	}
	defer r.Body.Close()
	var buf bytes.Buffer
	buf.ReadFrom(r.Body)
	if r.StatusCode/100 != 2 {
		s.b.Fatalf("POST %s: %s %s", path, r.Status, buf.String())
	}
	return buf.Bytes()
}

// fdatasyncs returns how many 4 KiB overwrites with fdatasync the disk does a second: what bounds
// every durable figure.
func fdatasyncs(b *testing.B) float64 {
	f, err := os.CreateTemp(b.TempDir(), "sync")
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	block := make([]byte, 4096)
	f.Write(bytes.Repeat(block, 16))
	f.Sync()
	const rounds = 500
	began := time.Now()
	for i := range rounds {
		f.WriteAt(block, int64(i%16)*4096)
		syscall.Fdatasync(int(f.Fd()))
	}
	return rounds / time.Since(began).Seconds()
}

// load posts bodies from several connections until all are answered, and returns the latencies sorted.
//
// The driver shares the processors with the server, so it does as little as it can: a request is one
// write of bytes made before the clock runs, an answer is read up to its Content-Length.
func (s *billd) load(conns int, path string, bodies [][]byte) []time.Duration {
	head := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: ", path, s.addr, s.token)
	return s.drive(conns, len(bodies), func(buf []byte, i int) []byte {
		buf = append(buf, head...)
		buf = strconv.AppendInt(buf, int64(len(bodies[i])), 10)
		buf = append(buf, "\r\n\r\n"...)
		return append(buf, bodies[i]...)
	})
}

// reportHello reports what a GET /healthz costs: HTTP alone on this machine in this run, which the
// other figures are read against.
func (s *billd) reportHello(conns int) {
	const n = 50_000
	head := "GET /healthz HTTP/1.1\r\nHost: " + s.addr + "\r\n\r\n"
	cpu, began := s.cpu(), time.Now()
	s.drive(conns, n, func(buf []byte, _ int) []byte { return append(buf, head...) })
	s.b.ReportMetric(n/time.Since(began).Seconds(), "hello/s")
	s.b.ReportMetric(float64((s.cpu()-cpu).Microseconds())/n, "hello-cpu-µs")
}

// drive sends n requests from several connections, one at a time on each.
func (s *billd) drive(conns, n int, request func(buf []byte, i int) []byte) []time.Duration {
	took := make([]time.Duration, n)
	var next atomic.Int64
	var wg sync.WaitGroup
	var failed sync.Once
	for range conns {
		wg.Go(func() {
			conn, err := net.Dial("tcp", s.addr)
			if err != nil {
				failed.Do(func() { s.b.Error(err) })
				return
			}
			defer conn.Close()
			r, buf := bufio.NewReaderSize(conn, 64<<10), make([]byte, 0, 64<<10)
			for {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				buf = request(buf[:0], i)
				began := time.Now()
				_, err := conn.Write(buf)
				if err == nil {
					err = answer(r)
				}
				took[i] = time.Since(began)
				if err != nil {
					failed.Do(func() { s.b.Errorf("request %d: %v", i, err) })
					return
				}
			}
		})
	}
	wg.Wait()
	slices.Sort(took)
	return took
}

// answer reads one answer of 200 whole.
func answer(r *bufio.Reader) error {
	status, err := r.ReadSlice('\n')
	if err != nil {
		return err
	}
	ok, length := bytes.HasPrefix(status, []byte("HTTP/1.1 200")), 0
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return err
		}
		if len(line) <= 2 {
			break
		}
		if rest, found := bytes.CutPrefix(line, []byte("Content-Length: ")); found {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(rest))); err != nil {
				return err
			}
		}
	}
	if !ok {
		body := make([]byte, length)
		io.ReadFull(r, body)
		return fmt.Errorf("answered %s", body)
	}
	_, err = r.Discard(length)
	return err
}

// checkClean ends a benchmark: what was measured must also be right.
func (s *billd) checkClean() {
	s.b.Helper()
	s.b.StopTimer()
	s.stop()
	if out, err := exec.Command(s.bin, "check", "--dir", s.dir).CombinedOutput(); err != nil {
		s.b.Fatalf("billd check: %v\n%s", err, out)
	}
}

func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}
