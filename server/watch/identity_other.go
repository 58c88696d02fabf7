//go:build !unix

package watch

import "io/fs"

// identity knows no file here: that one was rotated shows in its beginning and its size alone.
func identity(fs.FileInfo) (device, inode uint64) { return 0, 0 }
