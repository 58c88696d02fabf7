package ops

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"sync/atomic"
	"time"

	"billd/rating"
	"billd/rating/cdrformat"
	"billd/storage"
)

// ImportCDRsArgs are `billd import-cdrs FILE`; the file is the op's input.
type ImportCDRsArgs struct {
	Input   Input             `json:"input"`
	Format  string            `json:"format,omitempty"`  // a name of cdrformat.Formats; "" is auto
	Source  string            `json:"source,omitempty"`  // of records that name none; "" is the format's
	Zone    string            `json:"zone,omitempty"`    // of stamps without one, such as Europe/Berlin; "" is UTC
	Dates   string            `json:"dates,omitempty"`   // ymd, dmy, mdy
	Legs    string            `json:"legs,omitempty"`    // of FreeSWITCH: a, b, ab
	Columns []string          `json:"columns,omitempty"` // of a file without a header
	Map     map[string]string `json:"map,omitempty"`     // a file's column → billd's
	NAS     string            `json:"nas,omitempty"`     // of a detail file: who sent its packets
	Rated   bool              `json:"rated,omitempty"`   // another system's history: prices are kept, no balance moves
	DryRun  bool              `json:"dry_run,omitempty"` // nothing is charged
	JSON    bool              `json:"json,omitempty"`
}

// options reads how the file is written: what the arguments leave open is taken from the profile of the source that
// they name, where it has one.
func (a *ImportCDRsArgs) options(env *Env) (cdrformat.Options, error) {
	o, err := a.told()
	if err != nil {
		return o, err
	}
	s := env.DB.Catalog().Source(a.Source)
	if s == nil {
		return o, nil
	}
	kept, err := SourceOptions(s)
	if err != nil {
		return o, err
	}
	if a.Format == "" {
		if o.Format = kept.Format; s.Format == "" {
			return o, badArgument("format", "source %s says no format: want --format, or auto in the source", s.Name)
		}
	}
	if a.Zone == "" {
		o.Zone = kept.Zone
	}
	if a.Dates == "" {
		o.Dates = kept.Dates
	}
	if a.Legs == "" {
		o.Legs = kept.Legs
	}
	if len(a.Columns) == 0 {
		o.Columns = kept.Columns
	}
	o.Map = maps.Clone(kept.Map)
	if o.Map == nil {
		o.Map = map[string]string{}
	}
	maps.Copy(o.Map, a.Map)
	o.Only, o.Skip, o.Inbound = kept.Only, kept.Skip, kept.Inbound
	return o, nil
}

// told reads what the arguments say. A zone is named by place, so that summer time is known.
func (a *ImportCDRsArgs) told() (o cdrformat.Options, err error) {
	o.Source, o.Columns, o.Map = a.Source, a.Columns, a.Map
	if o.Format, err = cdrformat.ParseFormat(a.Format); err != nil {
		return o, err
	}
	if o.Dates, err = cdrformat.ParseDateOrder(a.Dates); err != nil {
		return o, err
	}
	if o.Legs, err = cdrformat.ParseLegs(a.Legs); err != nil {
		return o, err
	}
	if o.Zone, err = time.LoadLocation(a.Zone); err != nil || a.Zone == "Local" {
		return o, rating.Broken("zone", "zone", "", "zone %.40q: want the name of a time zone, such as Europe/Berlin", a.Zone)
	}
	return o, nil
}

// Limits of an import of calls.
const (
	importBatch   = 5000  // records a commit while a server charges calls too, which wait meanwhile
	wholeBatch    = 10000 // records a commit when nobody else has the store: pages are written less often
	importBatches = 2     // in memory: one is read while the other is written
	shownRejected = 20    // lines that an import names one by one
)

// ImportedCDRs is what import-cdrs prints. Read is the sum of the next five.
type ImportedCDRs struct {
	Read          int           `json:"read"`
	Rated         int           `json:"rated"`
	Free          int           `json:"free"`
	Duplicates    int           `json:"duplicates"`
	Suspended     int           `json:"suspended"`
	Waiting       int           `json:"waiting,omitempty"` // INVITE or BYE alone, whose other half may come later
	Format        string        `json:"format"`
	Skipped       int           `json:"skipped,omitempty"` // records that are no call to charge, not in Read
	Seconds       float64       `json:"seconds"`
	CDRsPerSecond float64       `json:"cdrs_per_second"`
	Unknown       []string      `json:"unknown_columns,omitempty"`
	Rejected      []RejectedCDR `json:"rejected,omitempty"` // the first ones
}

// RejectedCDR is one record that went to suspense.
type RejectedCDR struct {
	Line     int    `json:"line"`
	Suspense uint64 `json:"suspense"`
	Reason   string `json:"reason"`
	Detail   string `json:"detail"`
}

// cdrBatch is records on their way from the parser to the store.
type cdrBatch struct {
	calls   []rating.Call
	records []storage.Record
	lines   []int
	skipped map[string]int // records that are no call to charge, by why
	offset  int64          // bytes of the file taken in
}

// importCDRs reads a file on one goroutine and charges it on another, a batch a commit. What was
// committed stays: the same file again goes on where this run ended, by duplicates.
func importCDRs(ctx context.Context, env *Env, args ImportCDRsArgs, o *IO) (int, error) {
	if env.DB.Catalog().Source(args.Source) == nil || args.Format != "" {
		var detail bool
		if detail, o.In = isDetail(o.In, args.Format); detail {
			return importDetail(ctx, env, args, o)
		}
	}
	if args.NAS != "" {
		return ExitUsage, Usagef("--nas says who sent the packets of a detail file, and this is none")
	}
	options, err := args.options(env)
	if err != nil {
		return ExitUsage, &UsageError{err}
	}
	options.Apart = !args.Rated
	r, err := cdrformat.NewReader(o.In, options)
	if err != nil {
		return ExitFailed, fmt.Errorf("%s: %w", args.Input.Name, err)
	}
	for _, name := range r.Unknown() {
		fmt.Fprintf(o.Err, "%s: column %q: no such column of a CDR, passed over\n", args.Input.Name, name)
	}
	if args.DryRun {
		return dryImport(ctx, env, &args, r, o)
	}
	sum, skipped, err := chargeCDRs(ctx, env, args, r, o)
	return sum.report(ctx, env, args, skipped, err, o)
}

// report prints what was taken in; err is why that was not all.
func (s ImportedCDRs) report(ctx context.Context, env *Env, args ImportCDRsArgs, skipped map[string]int, err error, o *IO) (int, error) {
	for _, bad := range s.Rejected {
		fmt.Fprintf(o.Err, "%s: line %d: suspense %d: %s: %s\n", args.Input.Name, bad.Line, bad.Suspense, bad.Reason, bad.Detail)
	}
	printPassed(o, args.Input.Name, skipped)
	if s.Waiting > 0 {
		fmt.Fprintf(o.Err, "%s: %d wait for their INVITE or BYE, see billd cdr waiting\n", args.Input.Name, s.Waiting)
	}
	if more := s.Suspended - len(s.Rejected); more > 0 {
		fmt.Fprintf(o.Err, "%s: and %d more, see billd suspense list\n", args.Input.Name, more)
	}
	if err != nil {
		fmt.Fprintf(o.Err, "%s: %d records are taken in and stay: import the file again, they will be duplicates\n", args.Input.Name, s.Read)
		return ExitFailed, err
	}
	if err := env.DB.NoteJob(ctx, "cdr", s.note(args.Input.Name)); err != nil {
		return ExitFailed, err
	}
	if err := Print(o.Out, args.JSON, s, s.table); err != nil {
		return ExitFailed, err
	}
	if s.Suspended > 0 {
		return ExitPartly, nil
	}
	return ExitOK, nil
}

// chargeCDRs charges what r reads, a batch a commit. The lines that go to suspense are written to o.Aside as
// CSV. The sum is of what was committed, also when it fails.
func chargeCDRs(ctx context.Context, env *Env, args ImportCDRsArgs, r *cdrformat.Reader, o *IO) (ImportedCDRs, map[string]int, error) {
	sum := ImportedCDRs{Unknown: r.Unknown(), Format: r.Format().String()}
	skipped := map[string]int{}
	start := time.Now()
	size := wholeBatch
	if env.Queue != nil {
		size = importBatch
	}
	rejects := &suspendedFile{to: o.Aside}
	err := readCDRs(ctx, r, cdrBatches{size, args.Rated}, func(b *cdrBatch) error {
		if len(b.records) > 0 {
			verdicts, err := env.DB.ChargeNow(ctx, b.records)
			if err != nil {
				return err
			}
			sum.count(b, verdicts)
			if err := rejects.write(b.lines, verdicts); err != nil {
				return err
			}
		}
		for why, n := range b.skipped {
			skipped[why] += n
			sum.Skipped += n
		}
		o.Progress(b.offset, args.Input.Size, "bytes")
		return nil
	})
	sum.Seconds = time.Since(start).Seconds()
	if sum.Seconds > 0 {
		sum.CDRsPerSecond = float64(sum.Read) / sum.Seconds
	}
	return sum, skipped, err
}

// cdrBatches says how a file is cut.
type cdrBatches struct {
	size  int
	rated bool
}

// readCDRs parses ahead of charge, which is called with each batch in order.
func readCDRs(ctx context.Context, r *cdrformat.Reader, o cdrBatches, charge func(*cdrBatch) error) error {
	full, empty := make(chan *cdrBatch), make(chan *cdrBatch, importBatches)
	for range importBatches {
		empty <- &cdrBatch{}
	}
	var stop atomic.Bool
	var failed error // of the parser, read when full is closed
	go func() {
		defer close(full)
		for b := range empty {
			if stop.Load() {
				return
			}
			more, err := b.fill(r, o)
			if err != nil {
				failed = &unreadError{err}
			}
			if len(b.records) > 0 || len(b.skipped) > 0 {
				full <- b
			}
			if !more || err != nil {
				return
			}
		}
	}()
	var err error
	for b := range full {
		if err == nil {
			if err = ctx.Err(); err == nil {
				err = charge(b)
			}
			if err != nil {
				stop.Store(true)
			}
		}
		empty <- b
	}
	return errors.Join(err, failed)
}

// unreadError is what a file could not be read on for, as opposed to what the store refused.
type unreadError struct{ error }

// Unwrap returns the cause.
func (e *unreadError) Unwrap() error { return e.error }

// fill reads the next records into b; more is false at the end of the file.
func (b *cdrBatch) fill(r *cdrformat.Reader, o cdrBatches) (more bool, err error) {
	if b.calls == nil {
		b.calls = make([]rating.Call, o.size)
	}
	b.records, b.lines, b.skipped = b.records[:0], b.lines[:0], map[string]int{}
	var rec cdrformat.Record
	for len(b.records) < len(b.calls) {
		call := &b.calls[len(b.records)]
		if err := r.Read(call, &rec); err == io.EOF {
			b.offset = r.Offset()
			return false, nil
		} else if err != nil {
			return false, err
		}
		if rec.Skipped != "" {
			b.skipped[rec.Skipped]++
			continue
		}
		record := storage.Record{Call: call}
		if rec.Bad != "" {
			record = storage.Record{Raw: rec.Raw, Detail: fmt.Sprintf("line %d: %s", rec.Line, rec.Bad), Source: r.Source()}
			if o.rated {
				record.Source = historySource
			}
		} else if o.rated {
			call.Rated = true
		}
		record.Half = rec.Half
		b.records, b.lines = append(b.records, record), append(b.lines, rec.Line)
	}
	b.offset = r.Offset()
	return true, nil
}

func (s *ImportedCDRs) count(b *cdrBatch, verdicts []rating.Verdict) {
	s.Read += len(verdicts)
	for i := range verdicts {
		v := &verdicts[i]
		switch v.Outcome {
		case rating.OutcomeRated:
			s.Rated++
		case rating.OutcomeFree:
			s.Free++
		case rating.OutcomeDuplicate:
			s.Duplicates++
		case rating.OutcomeWaiting:
			s.Waiting++
		default:
			s.Suspended++
			if len(s.Rejected) < shownRejected {
				s.Rejected = append(s.Rejected, RejectedCDR{b.lines[i], v.Suspense, v.Reason, v.Detail})
			}
		}
	}
}

// note is the line that the log of jobs keeps of an import.
func (s ImportedCDRs) note(name string) string {
	note := fmt.Sprintf("import %s: %d read, %d rated, %d free, %d duplicates, %d suspended", name, s.Read, s.Rated, s.Free, s.Duplicates, s.Suspended)
	if s.Waiting > 0 {
		note += fmt.Sprintf(", %d waiting", s.Waiting)
	}
	return note
}

func (s ImportedCDRs) table(w io.Writer) error {
	t := NewTable(w, "read", "rated", "free", "duplicates", "suspended", "seconds", "cdr/s")
	t.Row(s.Read, s.Rated, s.Free, s.Duplicates, s.Suspended, fmt.Sprintf("%.2f", s.Seconds), fmt.Sprintf("%.0f", s.CDRsPerSecond))
	return t.Close()
}
