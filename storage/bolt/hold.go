package bolt

import "os"

// Hold locks the store in path against other processes without reading it, until the file is closed.
// It is for who puts another file in its place, because this one may be damaged.
//
// Fails with an error that wraps kv.ErrHeld if another process has the store open, and with one that
// wraps fs.ErrNotExist if there is none.
func Hold(path string) (*os.File, error) { return hold(path, 0, defaultTimeout) }
