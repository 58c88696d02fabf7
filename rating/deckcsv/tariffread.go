package deckcsv

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"billd/rating"
)

// maxPlanRows bounds the prefixes that a tariff plan's list gives: rows that name one destination over and over
// would give any number.
const maxPlanRows = 5_000_000

// planPrefix is a row of Destinations.
type planPrefix struct {
	prefix, reason string // reason says why it is none
	line           int
}

// PlanReader reads one list of a tariff plan: the rows of DestinationRates that have its id, one rate for
// each prefix of their destination. Line numbers are those of DestinationRates.
type PlanReader struct {
	prefixes     *Reader // whose options say what is done to prefixes
	destinations map[string][]planPrefix
	rates        map[string]*planRate
	records      *planRecords
	layout       Layout
	size         int64 // of the archive

	row     Row          // what the prefixes in pending share
	pending []planPrefix // of the last row
	rows    int
	seen    seen
}

// Next returns the next rate or the next reject, never both. Fails with io.EOF at the end, with Invalid if
// the file is no CSV from here on, with Limit if the list is too long.
func (r *PlanReader) Next() (Row, *Reject, error) {
	for {
		if len(r.pending) > 0 {
			p := r.pending[0]
			r.pending = r.pending[1:]
			if r.rows++; r.rows > maxPlanRows {
				return Row{}, nil, rating.Errorf(rating.Limit, "file", "plan %s has more than %d prefixes", r.layout.Plan, maxPlanRows)
			}
			return r.give(p)
		}
		line, cells, err := r.records.next()
		if err != nil {
			return Row{}, nil, err
		}
		if cells[0] != r.layout.Plan {
			continue
		}
		r.row = Row{Line: line}
		if reason := r.parse(cells); reason != "" {
			return Row{}, &Reject{line, reason}, nil
		}
	}
}

// give returns the current row for one prefix of its destination.
func (r *PlanReader) give(p planPrefix) (Row, *Reject, error) {
	row := r.row
	if p.reason != "" {
		return Row{}, &Reject{row.Line, fmt.Sprintf("destination %s: %s (%s line %d)", clip(row.Name), p.reason, PlanFiles[planDestinations], p.line)}, nil
	}
	if before := r.seen.add(p.prefix, 0, row.Line); before > 0 {
		return Row{}, &Reject{row.Line, fmt.Sprintf("prefix %s already on line %d", p.prefix, before)}, nil
	}
	row.Prefix = p.prefix
	return row, nil, nil
}

// parse reads a row of DestinationRates: id, destination, rate, rounding, decimals, most cost and what then.
// The string is why it gives no rate.
func (r *PlanReader) parse(cells []string) string {
	cell := func(i int) string {
		if i < len(cells) {
			return strings.TrimSpace(cells[i])
		}
		return ""
	}
	destination, id := cell(1), cell(2)
	if destination == "*any" {
		return "destination *any has no prefix: it is every number, and a rate of billd has a prefix"
	}
	prefixes := r.destinations[destination]
	if len(prefixes) == 0 {
		return fmt.Sprintf("destination %s is not in %s", clip(destination), PlanFiles[planDestinations])
	}
	rate := r.rates[id]
	if rate == nil {
		return fmt.Sprintf("rate %s is not in %s", clip(id), PlanFiles[planRates])
	}
	terms, reason := rate.terms(r.prefixes.opts.BareUnit)
	if reason != "" {
		return fmt.Sprintf("rate %s: %s", clip(id), reason)
	}
	if cell(5) != "" && strings.Trim(cell(5), "0.") != "" {
		return fmt.Sprintf("most cost %s %s: billd has no such bound; take it out to charge without", clip(cell(5)), clip(cell(6)))
	}
	if reason := readRounding(&r.row, cell(3), cell(4)); reason != "" {
		return reason
	}
	r.row.Name, r.row.Terms, r.pending = destination, terms, prefixes
	for _, f := range [...]Field{FieldName, FieldPrice, FieldNextPrice, FieldConnect, FieldFirst, FieldNext} {
		r.row.Given.add(f)
	}
	return ""
}

// planRoundings are the methods by which CGRateS rounds the cost of a call.
var planRoundings = map[string]rating.RoundMode{"*up": rating.RoundUp, "*down": rating.RoundDown, "*middle": rating.RoundHalfAway}

func readRounding(row *Row, method, decimals string) string {
	if method == "" {
		return ""
	}
	mode, ok := planRoundings[method]
	if !ok {
		return fmt.Sprintf("rounding %q: want *up, *down or *middle", clip(method))
	}
	places, err := strconv.ParseUint(decimals, 10, 4)
	if err != nil && decimals != "" {
		return fmt.Sprintf("rounding decimals %q: want 0 to 15", clip(decimals))
	}
	row.Rounding = rating.Rounding{Mode: mode, Places: uint8(places)}
	return ""
}

// Layout returns what was understood.
func (r *PlanReader) Layout() Layout { return r.layout }

// Read returns how many bytes of the archive were read, as far as DestinationRates tells, for a progress bar.
func (r *PlanReader) Read() int64 { return r.records.csv.InputOffset() * r.size / r.records.size }

// loadDestinations reads every prefix, cleaned as those of any list.
func (r *PlanReader) loadDestinations(p *TariffPlan) error {
	rows, digits := 0, 0
	err := p.records(planDestinations).each(func(line int, cells []string) error {
		rows++
		at := planPrefix{line: line, reason: "no prefix"}
		if len(cells) > 1 {
			at.prefix, at.reason = r.prefixes.clean(cells[1])
		}
		at.prefix = r.prefixes.opts.Prepend + at.prefix
		switch {
		case at.reason != "":
		case len(at.prefix) > rating.MaxPrefix:
			at.reason = fmt.Sprintf("prefix %q: want at most %d digits", clip(at.prefix), rating.MaxPrefix)
		default:
			digits++
		}
		r.destinations[cells[0]] = append(r.destinations[cells[0]], at)
		return nil
	})
	r.layout.Holds = append(r.layout.Holds, fmt.Sprintf("%s: %d rows, %d prefixes of digits", PlanFiles[planDestinations], rows, digits))
	return err
}

// loadRates reads the steps of every rate.
func (r *PlanReader) loadRates(p *TariffPlan) error {
	rows := 0
	err := p.records(planRates).each(func(line int, cells []string) error {
		rows++
		if r.rates[cells[0]] == nil {
			r.rates[cells[0]] = &planRate{}
		}
		r.rates[cells[0]].add(line, cells)
		return nil
	})
	r.layout.Holds = append(r.layout.Holds, fmt.Sprintf("%s: %d rows of %d rates", PlanFiles[planRates], rows, len(r.rates)))
	return err
}

// planRecords are the rows of a file of a tariff plan: comma-separated, # before a comment, the header being one.
type planRecords struct {
	name string
	csv  *csv.Reader
	size int64
	any  bool
}

func (p *TariffPlan) records(part int) *planRecords {
	c := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(p.text[part], []byte("\ufeff"))))
	c.Comment, c.FieldsPerRecord, c.TrimLeadingSpace = '#', -1, true
	return &planRecords{name: PlanFiles[part], csv: c, size: int64(max(len(p.text[part]), 1))}
}

// next returns the next row and its line. The first cell is its id, never blank.
func (p *planRecords) next() (int, []string, error) {
	for {
		cells, err := p.csv.Read()
		if err == io.EOF {
			return 0, nil, err
		}
		if broken, ok := errors.AsType[*csv.ParseError](err); ok {
			return 0, nil, rating.Errorf(rating.Invalid, "file", "%s: line %d: a quote stands where none can: want comma-separated values", p.name, broken.Line)
		}
		if err != nil {
			return 0, nil, err
		}
		line, _ := p.csv.FieldPos(0)
		first := !p.any
		p.any = true
		cells[0] = strings.TrimSpace(cells[0])
		word := normal(cells[0])
		if cells[0] == "" || first && (word == "id" || word == "tag") {
			continue // nothing, or a header that is no comment
		}
		return line, cells, nil
	}
}

func (p *planRecords) each(fn func(line int, cells []string) error) error {
	for {
		line, cells, err := p.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := fn(line, cells); err != nil {
			return err
		}
	}
}
