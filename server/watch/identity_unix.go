//go:build unix

package watch

import (
	"io/fs"
	"syscall"
)

// identity tells a file from every other one, whatever its name is.
func identity(at fs.FileInfo) (device, inode uint64) {
	s, ok := at.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, 0
	}
	return uint64(s.Dev), uint64(s.Ino)
}
