package ops

import (
	"encoding/csv"
	"io"
	"strconv"
)

// rejectsFile writes rejected lines as CSV: line, reason. A nil one writes nothing.
type rejectsFile struct {
	w *csv.Writer
}

func newRejectsFile(w io.Writer) *rejectsFile {
	f := &rejectsFile{csv.NewWriter(w)}
	f.w.Write([]string{"line", "reason"}) // what fails here is kept for close
	return f
}

func (f *rejectsFile) write(r RejectedLine) {
	if f != nil {
		f.w.Write([]string{strconv.Itoa(r.Line), r.Reason})
	}
}

// close writes what waits, and fails with the first error of all writing.
func (f *rejectsFile) close() error {
	if f == nil {
		return nil
	}
	f.w.Flush()
	return f.w.Error()
}
