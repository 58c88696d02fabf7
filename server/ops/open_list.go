package ops

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"strings"

	"billd/rating"
	"billd/rating/deckcsv"
)

// maxWorkbook bounds a workbook in bytes: a million rates take about 60 MB.
const maxWorkbook = 256 << 20

// planHead is how much of a file tells whether it is of a tariff plan.
const planHead = 512

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
		return openArchive(buffered, sheet, opts)
	}
	if opts.Plan != "" {
		return nil, rating.Errorf(rating.Invalid, "plan", "plan %q: the file is no tariff plan of CGRateS", opts.Plan)
	}
	if sheet != "" {
		return nil, rating.Errorf(rating.Invalid, "sheet", "sheet %q: the file is no workbook", sheet)
	}
	if head, _ := buffered.Peek(planHead); deckcsv.IsPlanFile(head) {
		return nil, rating.Errorf(rating.Invalid, "file", "one file of a tariff plan of CGRateS: want %s together, in a folder or as a ZIP archive", strings.Join(deckcsv.PlanFiles[:], ", "))
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

// openArchive takes a workbook or the archive of a tariff plan into a temporary file, since their parts are
// found from the end.
func openArchive(in io.Reader, sheet string, opts deckcsv.Options) (list listReader, err error) {
	f, err := os.CreateTemp("", "billd-*.zip")
	if err != nil {
		return nil, err
	}
	n, err := io.Copy(f, io.LimitReader(in, maxWorkbook+1))
	if err == nil && n > maxWorkbook {
		err = rating.Errorf(rating.Limit, "file", "the workbook is larger than %d bytes", maxWorkbook)
	}
	var plan *deckcsv.TariffPlan
	if err == nil {
		plan, err = deckcsv.PlanFrom(f, n)
	}
	switch {
	case err != nil:
	case plan != nil:
		list, err = readPlan(plan, sheet, opts)
		return list, errors.Join(err, discard(f))
	case opts.Plan != "":
		err = rating.Errorf(rating.Invalid, "plan", "plan %q: the archive holds no tariff plan of CGRateS", opts.Plan)
	default:
		var book *deckcsv.BookReader
		if book, err = deckcsv.NewBookReader(f, n, sheet, opts); err == nil {
			return &workbookList{book, f}, nil
		}
	}
	return nil, errors.Join(err, discard(f))
}

// Close removes the temporary file.
func (w *workbookList) Close() error { return errors.Join(w.BookReader.Close(), discard(w.file)) }

func discard(f *os.File) error { return errors.Join(f.Close(), os.Remove(f.Name())) }

// planList is one list of a tariff plan, which is read whole when it is opened.
type planList struct{ *deckcsv.PlanReader }

func readPlan(plan *deckcsv.TariffPlan, sheet string, opts deckcsv.Options) (listReader, error) {
	if sheet != "" {
		return nil, rating.Errorf(rating.Invalid, "sheet", "sheet %q: the file is a tariff plan, --plan says which of its lists", sheet)
	}
	rd, err := plan.Reader(opts)
	if err != nil {
		return nil, err
	}
	return planList{rd}, nil
}

// Close has nothing to close.
func (planList) Close() error { return nil }
