package ops

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"billd/rating"
	"billd/rating/deckcsv"
	"billd/storage"
)

// ImportRatesArgs say what a price list is and where it goes. Empty texts leave the choice to billd.
type ImportRatesArgs struct {
	Input     Input             `json:"input"`
	Deck      string            `json:"deck,omitempty"` // when empty, "default", or the plan of a tariff plan
	Mode      string            `json:"mode,omitempty"` // replace when empty, or merge
	Effective string            `json:"effective,omitempty"`
	Currency  string            `json:"currency,omitempty"`
	Preset    string            `json:"preset,omitempty"`
	Vendor    string            `json:"vendor,omitempty"` // account: number, uuid or name
	Delimiter string            `json:"delimiter,omitempty"`
	Decimal   string            `json:"decimal,omitempty"` // point or comma
	Dates     string            `json:"dates,omitempty"`   // dmy or mdy
	Timezone  string            `json:"timezone,omitempty"`
	Prepend   string            `json:"prepend,omitempty"`
	Columns   map[string]string `json:"columns,omitempty"` // header or #number → field
	DryRun    bool              `json:"dry_run,omitempty"`
	Impact    string            `json:"impact,omitempty"` // yes or no: reprice the last 30 days, or those to be rerated; a dry run does when empty
	Rerate    bool              `json:"rerate,omitempty"` // the deck's calls since Effective are charged again

	Profile      string   `json:"profile,omitempty"`      // says what the others leave open
	Sheet        string   `json:"sheet,omitempty"`        // of a workbook; the only one with rates when empty
	Strip        []string `json:"strip,omitempty"`        // taken off the front of prefixes
	Jurisdiction string   `json:"jurisdiction,omitempty"` // inter, intra, indeterminate or highest
	Increment    string   `json:"increment,omitempty"`    // of rows that do not say, as 60/1
	Plan         string   `json:"plan,omitempty"`         // of a tariff plan: which DestinationRates; the only one when empty
	BareUnit     string   `json:"bare_unit,omitempty"`    // of a tariff plan: what numbers without a unit count, s or m

	RejectsAside bool `json:"rejects_aside,omitempty"` // every rejected line goes to IO.Aside as CSV
	JSON         bool `json:"json,omitempty"`
}

// Bounds of what is said about rejected lines.
const (
	shownRejects = 1_000  // on the error stream
	maxRejects   = 10_000 // in JSON
)

// progressEveryRows is how often reading reports itself.
const progressEveryRows = 5_000

func importRates(ctx context.Context, env *Env, args ImportRatesArgs, o *IO) (int, error) {
	report, err := ImportRates(ctx, env, args, o, func(r *RatesReport) error {
		if args.JSON {
			return nil
		}
		r.printRejects(o.Err)
		return r.printPreview(o.Out)
	})
	if report == nil {
		return ExitFailed, err
	}
	if args.JSON {
		report.note(err)
		if err := Print(o.Out, true, report, nil); err != nil {
			return ExitFailed, err
		}
	}
	switch {
	case err != nil:
		return ExitFailed, err
	case !args.JSON:
		if _, err = fmt.Fprintln(o.Out, report.outcome()); err == nil && report.Rerate != nil {
			report.Rerate.printFailures(o.Err)
			err = report.Rerate.table(o.Out)
		}
	}
	if report.Rejected > 0 || report.Rerate != nil && report.Rerate.Failed > 0 {
		return ExitPartly, err
	}
	return ExitOK, err
}

// ImportRates reads a price list from o.In, compares it with its deck, tells preview, and applies it
// unless it is a dry run. The report is nil if the file could not be read as a price list, and comes
// beside the error if nothing could be imported.
func ImportRates(ctx context.Context, env *Env, args ImportRatesArgs, o *IO, preview func(*RatesReport) error) (*RatesReport, error) {
	args, err := args.withProfile(ctx, env)
	if err != nil {
		return nil, err
	}
	args.Mode = cmp.Or(args.Mode, string(storage.Replace))
	opts, zone, err := rateImportOptions(ctx, env, args)
	if err != nil {
		return nil, err
	}
	if args.Rerate && !(opts.Effective.Before(env.DB.Now()) && !opts.Effective.IsZero()) {
		return nil, badArgument("rerate", "rerate: want effective with a moment in the past, from which on calls are charged again")
	}
	if args.Impact != "" && args.Impact != "yes" && args.Impact != "no" {
		return nil, badArgument("impact", "impact %q: want yes or no", args.Impact)
	}
	j := &ratesJob{name: args.Input.Name, report: &RatesReport{File: args.Input.Name, Mode: args.Mode, DryRun: args.DryRun}}
	if args.RejectsAside {
		j.aside = newRejectsFile(o.Aside)
	}
	rd, err := j.open(ctx, args, zone, o)
	if err != nil {
		return nil, err
	}
	opts.Deck, j.settings = cmp.Or(args.Deck, rd.Layout().Plan, "default"), env.DB.Settings()
	if j.im, err = env.DB.NewRateImport(ctx, opts, j.reject); err != nil {
		return nil, errors.Join(err, rd.Close())
	}
	if err := j.read(ctx, rd, args.Input.Size, o); err != nil {
		return nil, err
	}
	r := j.report
	counts, err := j.im.Compare(ctx, func(done, total int64) { o.Progress(done, total, "rows compared") })
	if err != nil {
		return nil, err
	}
	r.count(counts)
	if r.Read == r.Rejected {
		r.Removed = 0 // an empty list replaces nothing
	}
	j.describeDeck()
	if args.Impact == "yes" || args.Impact == "" && args.DryRun {
		span := impactDays * day
		if args.Rerate {
			span = env.DB.Now().Sub(opts.Effective)
		}
		impact, err := j.im.Impact(ctx, span, func(done, total int64) { o.Progress(done, total, "days of calls") })
		if err != nil {
			return nil, err
		}
		r.Impact = describeImpact(impact, span, r.Currency)
	}
	if err := j.aside.close(); err != nil {
		return nil, err
	}
	if err := preview(r); err != nil {
		return nil, err
	}
	if r.Read == r.Rejected {
		return r, fmt.Errorf("%s: nothing to import, %s", args.Input.Name, rejectedAll(r.Read))
	}
	if args.DryRun {
		return r, nil
	}
	done, err := j.im.Apply(ctx, r.Counts(), func(done, total int64) { o.Progress(done, total, "rows written") })
	if done != nil && done.Applied {
		r.Applied, r.DeckID = true, uint64(done.Deck)
	}
	if err != nil || !args.Rerate {
		return r, err
	}
	span := storage.RerateSpan{CallSpan: storage.CallSpan{From: opts.Effective}, Deck: rating.DeckID(r.DeckID)}
	if r.Rerate, err = rerateSpan(ctx, env, span, false, o); err != nil {
		err = fmt.Errorf("the prices of deck %s are in force; billd rerate --deck %s --from %s charges the calls that are left: %w", r.Deck, r.Deck, opts.Effective.Format(time.RFC3339), err)
	}
	return r, err
}

func rejectedAll(n int) string {
	switch n {
	case 0:
		return "it has no rates"
	case 1:
		return "its only line was rejected"
	}
	return fmt.Sprintf("all %d lines were rejected", n)
}

func rateImportOptions(ctx context.Context, env *Env, args ImportRatesArgs) (opts storage.RateImportOptions, zone *time.Location, err error) {
	opts = storage.RateImportOptions{Deck: args.Deck, Mode: storage.ImportMode(args.Mode), File: args.Input.Name}
	if opts.Mode != storage.Replace && opts.Mode != storage.Merge {
		return opts, nil, badArgument("mode", "mode %q: want replace or merge", args.Mode)
	}
	if zone, err = time.LoadLocation(cmp.Or(args.Timezone, "UTC")); err != nil {
		return opts, nil, badArgument("timezone", "timezone %q: want a name such as Europe/Berlin", args.Timezone)
	}
	if args.Effective != "" {
		if opts.Effective, err = parseInstant(args.Effective, zone); err != nil {
			return opts, nil, badArgument("effective", "effective %w", err)
		}
	}
	if args.Currency != "" {
		if opts.Currency, err = rating.ParseCurrency(args.Currency); err != nil {
			return opts, nil, badArgument("currency", "%w", err)
		}
	}
	if args.Preset != "" {
		if opts.Preset, err = rating.ParsePreset(args.Preset); err != nil {
			return opts, nil, badArgument("preset", "%w", err)
		}
	}
	if args.Vendor != "" {
		err = env.DB.View(ctx, func(tx *storage.Tx) error {
			a, err := tx.AccountByRef(args.Vendor)
			if err == nil {
				opts.Vendor = &a.ID
			}
			return err
		})
	}
	return opts, zone, err
}

// badArgument is an argument that cannot be: usage to the command line, Invalid to the API.
func badArgument(field, format string, args ...any) error {
	return &UsageError{Err: &rating.Error{Kind: rating.Invalid, Field: field, Msg: fmt.Errorf(format, args...).Error()}}
}

// parseInstant reads a date, which is its first moment, or a moment; in zone when it names none.
func parseInstant(s string, zone *time.Location) (time.Time, error) {
	for _, layout := range [...]string{time.RFC3339Nano, time.DateOnly, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02 15:04"} {
		if t, err := time.ParseInLocation(layout, s, zone); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%q: want a date or a moment, as 2026-01-31 or 2026-01-31T12:00:00Z", s)
}

// ratesJob is one run of import-rates.
type ratesJob struct {
	name    string
	im      *storage.RateImport
	report  *RatesReport
	rejects []RejectedLine
	aside   *rejectsFile // nil for none

	settings *rating.Settings
}

// reject notes a line that gives no rate.
func (j *ratesJob) reject(line int, reason string) {
	j.aside.write(RejectedLine{line, reason})
	if len(j.rejects) < maxRejects {
		j.rejects = append(j.rejects, RejectedLine{line, reason})
	}
}

// read takes every row of the file into the import, and closes it.
func (j *ratesJob) read(ctx context.Context, rd listReader, size int64, o *IO) error {
	defer rd.Close()
	for n := 0; ; n++ {
		if n%progressEveryRows == 0 {
			o.Progress(rd.Read(), size, "bytes")
		}
		row, reject, err := rd.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return j.unreadable(ctx, err)
		}
		j.report.Read++
		if reject == nil {
			reject, err = j.add(&row, rd.Layout().Form)
			if err != nil {
				return err
			}
		}
		if reject != nil {
			j.report.Rejected++
			j.reject(reject.Line, reject.Reason)
		}
	}
	j.report.Layout = describeLayout(rd.Layout())
	return nil
}

func (j *ratesJob) unreadable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return err
	}
	if e, ok := errors.AsType[*rating.Error](err); ok {
		return &rating.Error{Kind: e.Kind, Field: e.Field, Rule: e.Rule, Msg: j.name + ": " + e.Error()}
	}
	return fmt.Errorf("%s: %w", j.name, err)
}

// add gives a row to the import; a row that cannot be a rate becomes a reject.
func (j *ratesJob) add(row *deckcsv.Row, form deckcsv.Form) (*deckcsv.Reject, error) {
	listed, err := j.listed(row, form)
	if err == nil {
		err = j.roundsAs(row)
	}
	if err == nil {
		err = j.im.Add(listed)
	}
	if err != nil && rating.KindOf(err) == rating.Invalid {
		return &deckcsv.Reject{Line: row.Line, Reason: err.Error()}, nil
	}
	return nil, err
}

// describeDeck says of the report which deck it is about.
func (j *ratesJob) describeDeck() {
	r, d := j.report, j.im.Deck()
	r.Deck, r.DeckID, r.Currency, r.Preset, r.Vendor = d.Name, uint64(d.ID), d.Currency.String(), d.Preset.String(), uint64(d.Vendor)
	r.NewDeck = d.ID == 0
	r.Effective = "always"
	if at := j.im.Effective(); !at.IsZero() {
		r.Effective = at.Format(time.RFC3339)
	}
	if c := r.Layout.Currency; c != "" && c != r.Currency {
		r.warn("the file names %s, deck %s is in %s: --currency %s says so for a deck without rates", c, d.Name, r.Currency, c)
	}
	if r.Rejected > 0 && r.Mode == string(storage.Replace) && !j.im.Fresh() {
		r.warn("rejected lines are not in the new deck: in mode replace the prices they stand for end")
	}
	slices.SortStableFunc(j.rejects, func(a, b RejectedLine) int { return cmp.Compare(a.Line, b.Line) })
	r.Rejects, r.RejectsOmitted = j.rejects, r.Rejected-len(j.rejects)
	if r.Rejects == nil {
		r.Rejects = []RejectedLine{}
	}
}
