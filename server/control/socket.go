package control

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	socketName = "billd.sock"
	// maxSocketPath bounds a path given to bind and connect, which fail at 108 bytes on Linux and 104 on BSD.
	maxSocketPath = 100
	// tempPrefix begins the directories that hold a socket whose own directory's path is too long.
	tempPrefix = "billd-"
	// probeTimeout bounds the wait for somebody behind an old socket.
	probeTimeout = 2 * time.Second
)

// listen makes dir's socket, removing one that nobody answers on. The cleanup removes what the
// listener itself does not.
func listen(dir string) (ln *net.UnixListener, cleanup func(), err error) {
	dir, err = filepath.Abs(dir)
	if err != nil {
		return nil, nil, err
	}
	path := filepath.Join(dir, socketName)
	if err := removeStale(path); err != nil {
		return nil, nil, err
	}
	if len(path) <= maxSocketPath {
		ln, err = bind(path)
		return ln, func() {}, err
	}
	temp, err := shortTempDir()
	if err != nil {
		return nil, nil, err
	}
	cleanup = func() {
		os.Remove(path)
		os.RemoveAll(temp)
	}
	ln, err = bind(filepath.Join(temp, socketName))
	if err == nil {
		if err = os.Symlink(filepath.Join(temp, socketName), path); err != nil {
			ln.Close()
		}
	}
	if err != nil {
		os.RemoveAll(temp)
		return nil, nil, fmt.Errorf("%s: %w", socketName, err)
	}
	return ln, cleanup, nil
}

func bind(path string) (*net.UnixListener, error) {
	ln, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", socketName, err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		ln.Close()
		return nil, fmt.Errorf("%s: %w", socketName, err)
	}
	return ln, nil
}

// shortTempDir makes a private directory whose path leaves room for the socket's name.
func shortTempDir() (string, error) {
	var last error
	for _, parent := range []string{os.TempDir(), "/tmp"} {
		temp, err := os.MkdirTemp(parent, tempPrefix)
		if err != nil {
			last = err
			continue
		}
		if len(temp)+1+len(socketName) <= maxSocketPath {
			return temp, nil
		}
		os.Remove(temp)
		last = fmt.Errorf("%s: path of %d bytes, want at most %d with the socket in it", parent, len(temp), maxSocketPath)
	}
	return "", last
}

// removeStale makes way at path for a new socket. It fails if somebody answers there, or if what
// lies there is no socket.
func removeStale(path string) error {
	at, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	link := at.Mode()&fs.ModeSymlink != 0
	if !link && at.Mode()&fs.ModeSocket == 0 {
		return fmt.Errorf("%s: not a socket, move it away", socketName)
	}
	conn, err := net.DialTimeout("unix", linkTarget(path), probeTimeout)
	if err == nil {
		conn.Close()
		return fmt.Errorf("%s: another server answers there", socketName)
	}
	if !errors.Is(err, syscall.ECONNREFUSED) && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: cannot tell whether another server answers: %w", socketName, err)
	}
	if temp := filepath.Dir(linkTarget(path)); link && strings.HasPrefix(filepath.Base(temp), tempPrefix) {
		os.Remove(linkTarget(path))
		os.Remove(temp)
	}
	return os.Remove(path)
}

// linkTarget is where the socket at path is: connect takes a short path only, so a link is read
// here and not left to the kernel.
func linkTarget(path string) string {
	if target, err := os.Readlink(path); err == nil {
		return target
	}
	return path
}

// dial connects to dir's socket. A path that is too long to connect to is reached through a short link.
func dial(dir string) (net.Conn, error) {
	path, err := filepath.Abs(filepath.Join(dir, socketName))
	if err != nil {
		return nil, err
	}
	if path = linkTarget(path); len(path) > maxSocketPath {
		temp, err := os.MkdirTemp("", tempPrefix)
		if err != nil {
			return nil, err
		}
		defer os.RemoveAll(temp)
		short := filepath.Join(temp, "d")
		if err := os.Symlink(filepath.Dir(path), short); err != nil {
			return nil, err
		}
		path = filepath.Join(short, filepath.Base(path))
	}
	return net.DialTimeout("unix", path, probeTimeout)
}
