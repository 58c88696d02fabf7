package deckcsv

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"

	"billd/rating"
	"golang.org/x/text/encoding"
)

// maxColumns bounds a header: what carriers send has at most about forty.
const maxColumns = 512

// Reader reads one price list. It is not safe for use by several goroutines.
type Reader struct {
	opts     Options
	layout   Layout
	count    *counter
	lines    lines
	codePage *encoding.Decoder // nil while all text was UTF-8

	delim   byte
	header  []heading
	at      [fieldCount]int // the column of each field, -1 for none
	units   [fieldCount]unit
	extras  []extraColumn
	dates   dates
	hyphens hyphens
	usual   [2]uint32 // the steps of a row that does not say
	highest []Field   // of which jurisdictions the highest price counts
	notes   []int     // lines that hold a note, the first ones
	noted   int       // how many do

	cells   [][]byte
	row     Row      // what the prefixes in pending share
	pending []opened // prefixes of the last line that are still to be given
	given   int      // how many of them were
	ended   bool

	seen   seen
	prices prices
	warned map[string]bool

	// rows repeat increments, and neighbours names: each is kept once
	increments map[string][2]uint32
	lastName   string
}

// NewReader reads the beginning of a price list and decides what its columns are.
//
// Fails with Invalid if the file is no text, is empty, or has no prefix column or no price per
// minute that can be told for sure; with what in fails with; with Unsupported if it is an export of
// a later billd.
func NewReader(in io.Reader, o Options) (*Reader, error) {
	if o.MaxLine <= 0 {
		o.MaxLine = DefaultMaxLine
	}
	r := &Reader{opts: o, count: &counter{r: in}, warned: map[string]bool{}, increments: map[string][2]uint32{}}
	if err := r.takeOptions(); err != nil {
		return nil, err
	}
	for f := range r.at {
		r.at[f] = -1
	}
	for f := range r.units {
		r.units[f] = unit{times: 1, over: 1}
	}
	text, err := r.openText(r.count)
	if err != nil {
		return nil, err
	}
	r.lines = lines{r: text, eol: '\n', max: o.MaxLine, maxLines: maxRecordLines}
	if err := r.loadHead(); err != nil {
		return nil, err
	}
	if err := r.chooseDelimiter(); err != nil {
		return nil, err
	}
	rows := r.sample()
	if err := r.plan(rows); err != nil {
		return nil, err
	}
	first := slices.IndexFunc(rows, func(row line) bool {
		return row.number > r.layout.HeaderLine && (r.layout.HeaderLine > 0 || isData(row.cells))
	})
	r.settle(rows[max(first, 0):])
	if r.layout.HeaderLine == 0 && first > 0 { // without a header, the rows above the first rate are titles
		return r, r.skipTo(rows[first-1].number + 1)
	}
	return r, r.skipTo(r.layout.HeaderLine + 1)
}

// Check fails with Invalid if the options ask for what cannot be, whatever the file.
func (o Options) Check() error {
	r := &Reader{opts: o}
	if err := r.takeOptions(); err != nil {
		return err
	}
	return r.checkOptions()
}

// takeOptions checks what the options say of prefixes and increments.
func (r *Reader) takeOptions() error {
	if p := r.opts.Prepend; p != "" && !isDigits(p) {
		return rating.Errorf(rating.Invalid, "prepend", "prepend %q: want digits", p)
	}
	for _, s := range r.opts.Strip {
		if !isDigits(s) {
			return rating.Errorf(rating.Invalid, "strip", "strip %q: want digits", s)
		}
	}
	if b := r.opts.BareUnit; b != "" && bareUnits[b] == 0 {
		return rating.Errorf(rating.Invalid, "bare_unit", "bare unit %q: want s or m", b)
	}
	r.usual = [2]uint32{defaultSeconds, defaultSeconds}
	if r.opts.Increment == "" {
		return nil
	}
	first, next, third, reason := parseIncrement([]byte(r.opts.Increment))
	if reason != "" || third || first == 0 || next == 0 {
		return rating.Errorf(rating.Invalid, "increment", "increment %q: want seconds, as 60/1", r.opts.Increment)
	}
	r.usual = [2]uint32{first, next}
	return nil
}

// isDialled says that a prefix begins with what is dialled before it.
func isDialled(s string) bool {
	return len(s) > len("011") && strings.HasPrefix(s, "011") && isDigits(s)
}

// chooseDelimiter takes the option, the sep= line of a spreadsheet, or what the lines agree on.
func (r *Reader) chooseDelimiter() error {
	head := r.lines.buf
	switch {
	case r.opts.Delimiter != 0:
		if r.opts.Delimiter > 0x7f || strings.IndexByte(delimiters, byte(r.opts.Delimiter)) < 0 {
			return rating.Errorf(rating.Invalid, "delimiter", "delimiter %q: want , ; tab or |", r.opts.Delimiter)
		}
		r.delim = byte(r.opts.Delimiter)
	case bytes.HasPrefix(head, []byte("sep=")) && len(head) > 5 && strings.IndexByte(delimiters, head[4]) >= 0:
		r.delim = head[4]
	case bytes.HasPrefix(head, []byte("format")) && len(head) > 6 && strings.IndexByte(delimiters, head[6]) >= 0:
		r.delim = head[6] // billd's own export, whose names may hold anything
	default:
		r.delim = sniffDelimiter(head, r.lines.eol)
	}
	if r.delim == 0 {
		return rating.Errorf(rating.Invalid, "file", "no columns: no line has a comma, semicolon, tab or bar")
	}
	r.layout.Delimiter = rune(r.delim)
	return nil
}

// settle decides what the planned columns' own cells decide, and says what is assumed.
func (r *Reader) settle(rows []line) {
	if r.layout.Form == FormBilld {
		r.layout.Decimal = DecimalPoint
		r.dates = dates{}
		return
	}
	r.sniffDecimal(rows)
	r.sniffDates(rows)
	r.sniffHyphens(rows)
	if r.at[FieldFirst] < 0 && r.at[FieldNext] < 0 && r.at[FieldIncrement] < 0 {
		r.assume(fmt.Sprintf("no intervals: %d/%d", r.usual[0], r.usual[1]))
	}
	if len(r.opts.Strip) > 0 {
		r.assume(fmt.Sprintf("%s in front of a prefix is taken off", strings.Join(r.opts.Strip, " or ")))
	}
	if share(rows, r.at[FieldPrefix], isDialled) > 0.5 {
		r.warnf("most prefixes begin with 011, which is dialled in North America to call abroad: it can be stripped")
	}
	if r.opts.Prepend != "" {
		r.assume(fmt.Sprintf("%s is put before every prefix", r.opts.Prepend))
	}
}

// skipTo takes records until the next begins on line n.
func (r *Reader) skipTo(n int) error {
	for r.lines.line < n-1 {
		if _, _, err := r.lines.record(r.delim, r.cells); err != nil && err != errLineTooLong {
			if isEOF(err) {
				return nil
			}
			return err
		}
	}
	return nil
}

// Next returns the next rate or the next reject, never both. The Row's strings stay valid.
//
// Fails with io.EOF at the end, after which Layout holds every warning, or with what the stream fails with.
func (r *Reader) Next() (Row, *Reject, error) {
	for {
		if r.given < len(r.pending) {
			o := r.pending[r.given]
			r.given++
			return r.give(o.prefix, o.reason)
		}
		number := r.lines.line + 1
		cells, ok, err := r.lines.record(r.delim, r.cells)
		if err == errLineTooLong {
			return Row{}, &Reject{number, fmt.Sprintf("longer than %d bytes", r.opts.MaxLine)}, nil
		}
		if err != nil {
			return Row{}, nil, r.end(err)
		}
		r.cells = cells
		if !ok {
			return Row{}, &Reject{number, "a quote is opened and never closed"}, nil
		}
		if blank(cells) || r.isNote(number, cells) {
			continue
		}
		r.row = Row{Line: number}
		prefix, reason := r.parse(&r.row, cells)
		r.given = 0
		if reason != "" {
			r.pending = r.pending[:0]
			return Row{}, &Reject{number, reason}, nil
		}
		if len(r.pending) == 0 {
			return r.give(prefix, "")
		}
	}
}

// give returns the current row for one of its prefixes, unless that was there before.
func (r *Reader) give(prefix, reason string) (Row, *Reject, error) {
	row := r.row
	if reason != "" {
		return Row{}, &Reject{row.Line, reason}, nil
	}
	if r.layout.Form != FormBilld || (row.Lookup("uuid") == "" && row.Lookup("number") == "") {
		from := int64(0)
		if !row.From.IsZero() {
			from = row.From.UnixMilli()
		}
		if before := r.seen.add(prefix, from, row.Line); before > 0 {
			return Row{}, &Reject{row.Line, fmt.Sprintf("prefix %s already on line %d", prefix, before)}, nil
		}
	}
	row.Prefix = prefix
	if r.at[FieldPrice] >= 0 && !row.Blocked && row.Change != Deleted {
		r.prices.add(row.Terms.First.Price)
	}
	if len(r.pending) > 0 && row.Extra != nil {
		row.Extra = slices.Clone(row.Extra)
	}
	return row, nil, nil
}

// end says what only the whole file tells.
func (r *Reader) end(err error) error {
	if isEOF(err) && !r.ended {
		r.ended = true
		if w := r.prices.warning(); w != "" {
			r.warnf("%s", w)
		}
		if r.noted > 0 {
			r.assume(r.describeNotes())
		}
	}
	if isEOF(err) {
		return io.EOF
	}
	return err
}

// Layout returns what was understood so far. The slices are the Reader's own until the next call of Next.
func (r *Reader) Layout() Layout { return r.layout }

// Read returns how many bytes were taken from the stream, for a progress bar.
func (r *Reader) Read() int64 { return r.count.n }

func (r *Reader) assume(s string) { r.layout.Assumptions = append(r.layout.Assumptions, s) }

func (r *Reader) warnf(format string, args ...any) {
	r.layout.Warnings = append(r.layout.Warnings, fmt.Sprintf(format, args...))
}

// warnOnce warns of a thing the first time that it is met.
func (r *Reader) warnOnce(thing, format string, args ...any) {
	if !r.warned[thing] {
		r.warned[thing] = true
		r.warnf(format, args...)
	}
}
