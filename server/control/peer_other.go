//go:build !linux

package control

import (
	"net"
	"os"
)

// peerUID is this process's own user: elsewhere than on Linux the socket's mode alone keeps others out.
func peerUID(*net.UnixConn) (uid int, err error) { return os.Getuid(), nil }
