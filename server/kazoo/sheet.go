package kazoo

import (
	"bytes"
	"encoding/csv"
)

// sheet is a CSV answer in the making.
type sheet struct {
	b bytes.Buffer
	w *csv.Writer
}

func newSheet(header ...string) *sheet {
	s := &sheet{}
	s.w = csv.NewWriter(&s.b)
	s.row(header...)
	return s
}

// row appends a row. A cell that a spreadsheet would run as a formula gets an apostrophe in front.
func (s *sheet) row(cells ...string) {
	for i, c := range cells {
		if c != "" && bytes.IndexByte([]byte("=@\t\r"), c[0]) >= 0 {
			cells[i] = "'" + c
		}
	}
	s.w.Write(cells) // a bytes.Buffer does not fail
}

func (s *sheet) answer(fileName string) *answer {
	s.w.Flush()
	return &answer{csv: s.b.Bytes(), fileName: fileName}
}
