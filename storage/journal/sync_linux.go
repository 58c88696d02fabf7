package journal

import (
	"os"
	"syscall"
)

// dataSync makes what was written durable, and the file's length and place only where reading needs them.
func dataSync(f *os.File) error {
	for {
		err := syscall.Fdatasync(int(f.Fd()))
		if err != syscall.EINTR {
			return err
		}
	}
}
