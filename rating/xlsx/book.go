package xlsx

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"

	"billd/rating"
)

// Book is an open workbook. It is not safe for use by several goroutines.
type Book struct {
	parts    map[string]*zip.File
	sheets   []Sheet
	dates    []bool // by style
	texts    texts
	textPart string
	from1904 bool
}

// Sheet is one sheet of a workbook.
type Sheet struct {
	Name   string
	Hidden bool
	part   string
}

// Open reads what a workbook says of itself. r must stay readable until the last Rows is done with.
// Fails with Invalid if the file is no workbook, or a damaged one, Limit if it is larger than billd reads.
func Open(r io.ReaderAt, size int64) (*Book, error) {
	z, err := OpenArchive(r, size)
	if err != nil {
		return nil, err
	}
	b := &Book{parts: make(map[string]*zip.File, len(z.File))}
	for _, f := range z.File {
		b.parts[strings.TrimPrefix(f.Name, "/")] = f
	}
	main, err := b.mainPart()
	if err != nil {
		return nil, err
	}
	targets, err := b.relations(main)
	if err != nil {
		return nil, err
	}
	if err := b.readBook(main, targets); err != nil {
		return nil, err
	}
	return b, nil
}

// OpenArchive opens a ZIP archive whose list of parts is within bounds. Fails as Open does.
func OpenArchive(r io.ReaderAt, size int64) (*zip.Reader, error) {
	if err := checkDirectory(r, size); err != nil {
		return nil, err
	}
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, broken("it is cut short, or no archive")
	}
	return z, nil
}

// checkDirectory bounds the list of parts, which the archive's reader takes into memory whole.
func checkDirectory(r io.ReaderAt, size int64) error {
	const record, longest = 22, 22 + 65_535
	tail := make([]byte, min(size, longest))
	if _, err := r.ReadAt(tail, size-int64(len(tail))); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	at := bytes.LastIndex(tail, []byte("PK\x05\x06"))
	if at < 0 || len(tail)-at < record {
		return broken("it is cut short, or no archive")
	}
	long, from := binary.LittleEndian.Uint32(tail[at+12:]), binary.LittleEndian.Uint32(tail[at+16:])
	end := size - int64(len(tail)) + int64(at)
	if long > maxDirectory || end-int64(from) > maxDirectory {
		return rating.Errorf(rating.Limit, "file", "the workbook lists its parts in more than %d bytes", maxDirectory)
	}
	return nil
}

// mainPart finds the workbook's own part, or says what the archive is instead.
func (b *Book) mainPart() (string, error) {
	has := func(name string) bool { return b.parts[name] != nil }
	switch {
	case has("content.xml") && has("mimetype"):
		return "", rating.Errorf(rating.Invalid, "file", "an OpenDocument file; want XLSX or CSV: save the sheet with the prices as one of them")
	case has("xl/workbook.bin"):
		return "", rating.Errorf(rating.Invalid, "file", "a binary workbook (XLSB); want XLSX or CSV: save it as one of them")
	case has("word/document.xml"):
		return "", rating.Errorf(rating.Invalid, "file", "a text document; want XLSX or CSV")
	}
	targets, err := b.relations("")
	if err != nil {
		return "", err
	}
	for _, t := range targets {
		if t.kind == "officeDocument" && has(t.part) {
			return t.part, nil
		}
	}
	if has("xl/workbook.xml") {
		return "xl/workbook.xml", nil
	}
	return "", rating.Errorf(rating.Invalid, "file", "an archive without a workbook; want XLSX or CSV: unpack it first")
}

// target is a part that another refers to.
type target struct{ id, kind, part string }

// relations reads the part that says what a part's references mean; none is no failure.
func (b *Book) relations(of string) ([]target, error) {
	dir, file := path.Split(of)
	name := dir + "_rels/" + file + ".rels"
	if b.parts[name] == nil {
		return nil, nil
	}
	var found []target
	err := b.scan(name, maxSmallPart, func(s *scanner, tag string) error {
		if tag != "Relationship" {
			return nil
		}
		to := string(s.attr("Target"))
		if strings.HasPrefix(to, "/") {
			to = to[1:]
		} else {
			to = path.Join(dir, to)
		}
		found = append(found, target{string(s.attr("Id")), path.Base(string(s.attr("Type"))), to})
		return nil
	})
	return found, err
}

// readBook reads the list of sheets and the styles.
func (b *Book) readBook(main string, targets []target) error {
	part := map[string]target{}
	for _, t := range targets {
		part[t.id] = t
	}
	err := b.scan(main, maxSmallPart, func(s *scanner, tag string) error {
		switch tag {
		case "workbookPr":
			v := string(s.attr("date1904"))
			b.from1904 = v == "1" || v == "true"
		case "sheet":
			t := part[string(s.attr("id"))]
			if t.kind != "worksheet" || b.parts[t.part] == nil {
				return nil // a chart
			}
			if len(b.sheets) == maxSheets {
				return rating.Errorf(rating.Limit, "file", "the workbook has more than %d sheets", maxSheets)
			}
			state := string(s.attr("state"))
			b.sheets = append(b.sheets, Sheet{Name: string(s.attr("name")), Hidden: state != "" && state != "visible", part: t.part})
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, t := range targets {
		switch {
		case b.parts[t.part] == nil:
		case t.kind == "styles":
			if err := b.readStyles(t.part); err != nil {
				return err
			}
		case t.kind == "sharedStrings":
			b.textPart = t.part
		}
	}
	if len(b.sheets) == 0 {
		return broken("it has no sheet")
	}
	return nil
}

// readStyles notes which styles show a date.
func (b *Book) readStyles(part string) error {
	formats := map[int]bool{}
	inCells := false
	return b.scan(part, maxSmallPart, func(s *scanner, tag string) error {
		switch {
		case tag == "numFmt":
			if id, err := strconv.Atoi(string(s.attr("numFmtId"))); err == nil && len(formats) < maxStyles {
				formats[id] = isDateFormat(string(s.attr("formatCode")))
			}
		case tag == "cellXfs":
			inCells = true
		case tag == "cellStyles" || tag == "dxfs":
			inCells = false
		case tag == "xf" && inCells && len(b.dates) < maxStyles:
			id, err := strconv.Atoi(string(s.attr("numFmtId")))
			own, named := formats[id]
			b.dates = append(b.dates, err == nil && (own || !named && isBuiltinDate(id)))
		}
		return nil
	})
}

// Sheets returns the sheets in their order, charts left out.
func (b *Book) Sheets() []Sheet { return b.sheets }

// scan calls do for each opening tag of a part.
func (b *Book) scan(part string, limit int64, do func(s *scanner, tag string) error) error {
	in, err := openPart(b.parts[part], limit)
	if err != nil {
		return err
	}
	defer in.Close()
	s, err := newScanner(in)
	if err != nil {
		return err
	}
	for {
		if err := s.next(false); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return partError(part, err)
		}
		name, closes := s.name()
		if closes {
			continue
		}
		if err := do(s, string(name)); err != nil {
			return err
		}
	}
}

// partReader reads a part and counts: what a part claims of its size is its sender's word only.
type partReader struct {
	io.ReadCloser
	name   string
	packed int64
	limit  int64
	n      int64
}

func openPart(f *zip.File, limit int64) (*partReader, error) {
	if f.UncompressedSize64 > uint64(limit) {
		return nil, tooLarge(f.Name, limit)
	}
	if f.Flags&1 != 0 {
		return nil, rating.Errorf(rating.Invalid, "file", "the workbook is encrypted: save it without a password")
	}
	in, err := f.Open()
	if err != nil {
		return nil, broken("part " + f.Name + " cannot be unpacked")
	}
	return &partReader{ReadCloser: in, name: f.Name, packed: int64(f.CompressedSize64), limit: limit}, nil
}

func tooLarge(part string, limit int64) error {
	return rating.Errorf(rating.Limit, "file", "part %s of the workbook unpacks to more than %d bytes", part, limit)
}

// Read reads on, and fails with Limit past what a part may have.
func (p *partReader) Read(b []byte) (int, error) {
	n, err := p.ReadCloser.Read(b)
	p.n += int64(n)
	switch {
	case p.n > p.limit:
		return 0, tooLarge(p.name, p.limit)
	case p.n > packedFrom && p.n/packedRatio > p.packed:
		return 0, rating.Errorf(rating.Limit, "file", "part %s of the workbook unpacks to more than %d times its size", p.name, packedRatio)
	}
	return n, err
}

// partError says of a part that its bytes are wrong, unless the failure says more.
func partError(part string, err error) error {
	if rating.KindOf(err) != rating.Internal {
		return err
	}
	switch {
	case errors.Is(err, zip.ErrChecksum), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, zip.ErrFormat):
		return broken(fmt.Sprintf("part %s is cut short or changed", part))
	}
	if strings.Contains(err.Error(), "flate") {
		return broken(fmt.Sprintf("part %s cannot be unpacked", part))
	}
	return err
}
