package ops

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"

	"billd/rating"
	"billd/rating/deckcsv"
)

// maxWorkbook bounds a workbook in bytes: a million rates take about 60 MB.
const maxWorkbook = 256 << 20

// listReader is a price list of whatever format, open.
type listReader interface {
	Next() (deckcsv.Row, *deckcsv.Reject, error)
	Layout() deckcsv.Layout
	Read() int64
	Close() error
}

// openList begins to read a price list: a workbook, JSON, or CSV.
func openList(in io.Reader, sheet string, opts deckcsv.Options) (listReader, error) {
	buffered := bufio.NewReader(in)
	start, err := buffered.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if bytes.Equal(start, []byte("PK\x03\x04")) {
		return openWorkbook(buffered, sheet, opts)
	}
	if sheet != "" {
		return nil, rating.Errorf(rating.Invalid, "sheet", "sheet %q: the file is no workbook", sheet)
	}
	source := io.NopCloser(io.Reader(buffered))
	switch {
	case !isJSON(buffered):
	case isOwnJSON(buffered):
		source = csvFromJSON(buffered)
	default:
		source = csvFromForeign(buffered)
	}
	rd, err := deckcsv.NewReader(source, opts)
	if err != nil {
		return nil, errors.Join(err, source.Close())
	}
	return &streamedList{rd, source}, nil
}

// streamedList is a price list that is read as it comes.
type streamedList struct {
	*deckcsv.Reader
	source io.Closer
}

// Close ends the source.
func (s *streamedList) Close() error { return s.source.Close() }

// workbookList is a price list in a workbook, which lies in a temporary file while it is read.
type workbookList struct {
	*deckcsv.BookReader
	file *os.File
}

// openWorkbook takes a workbook into a temporary file, since its parts are found from its end.
func openWorkbook(in io.Reader, sheet string, opts deckcsv.Options) (listReader, error) {
	f, err := os.CreateTemp("", "billd-*.xlsx")
	if err != nil {
		return nil, err
	}
	n, err := io.Copy(f, io.LimitReader(in, maxWorkbook+1))
	if err == nil && n > maxWorkbook {
		err = rating.Errorf(rating.Limit, "file", "the workbook is larger than %d bytes", maxWorkbook)
	}
	var book *deckcsv.BookReader
	if err == nil {
		book, err = deckcsv.NewBookReader(f, n, sheet, opts)
	}
	if err != nil {
		return nil, errors.Join(err, discard(f))
	}
	return &workbookList{book, f}, nil
}

// Close removes the temporary file.
func (w *workbookList) Close() error { return errors.Join(w.BookReader.Close(), discard(w.file)) }

func discard(f *os.File) error { return errors.Join(f.Close(), os.Remove(f.Name())) }
