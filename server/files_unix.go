//go:build unix

package server

import "syscall"

// openFiles is how many files the process may have open; Go has raised that to what the system allows.
func openFiles() int {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return 1024 // what systems give at least
	}
	return int(min(l.Cur, 1<<30))
}
