package ops

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"billd/rating"
	"billd/rating/cdrformat"
	"billd/rating/dataformat"
	"billd/storage"
)

// ImportDataArgs are `billd data import FILE`; the file is the op's input.
type ImportDataArgs struct {
	Input  Input  `json:"input"`
	Source string `json:"source,omitempty"` // of all records, whatever they name
	Zone   string `json:"zone,omitempty"`   // of times that name none; "" is UTC
	Format string `json:"format,omitempty"` // radius-detail; "" and auto are told by the file's beginning
	NAS    string `json:"nas,omitempty"`    // of a detail file: who sent its packets
	Wraps  bool   `json:"wraps,omitempty"`  // no gigawords: a smaller total is a counter that passed 2³²
	JSON   bool   `json:"json,omitempty"`
}

// ImportedData is what data import prints. Records is the sum of the outcomes; a row of radacct makes two
// records, its start and what it used.
type ImportedData struct {
	Records    int           `json:"records"`
	Stored     int           `json:"stored"`
	Duplicates int           `json:"duplicates"`
	Resets     int           `json:"resets"`
	Unassigned int           `json:"unassigned"`
	Held       int           `json:"held"`
	Unreadable int           `json:"unreadable"`        // lines that are no record
	Skipped    int           `json:"skipped,omitempty"` // records of a detail file that are of no session, not in Records
	Used       rating.Octets `json:"used"`
	Charged    rating.Money  `json:"charged"` // net, in the currencies of the plans
}

// add counts verdicts.
func (s *ImportedData) add(verdicts []rating.DataVerdict) (err error) {
	for i := range verdicts {
		v := &verdicts[i]
		s.Records++
		*[...]*int{rating.DataStored: &s.Stored, rating.DataDuplicate: &s.Duplicates, rating.DataReset: &s.Resets, rating.DataUnassigned: &s.Unassigned, rating.DataHeld: &s.Held}[v.Outcome]++
		if s.Used, err = s.Used.Add(v.Used); err != nil {
			return err
		}
		if s.Charged, err = s.Charged.Add(v.Charged); err != nil {
			return err
		}
	}
	return nil
}

// importData takes the sessions of a file in, a batch a commit. What was committed stays: the same file
// again goes on where this run ended, by duplicates.
func importData(ctx context.Context, env *Env, args ImportDataArgs, o *IO) (int, error) {
	zone, err := time.LoadLocation(args.Zone)
	if err != nil || args.Zone == "Local" {
		return ExitUsage, Usagef("zone %.40q: want the name of a time zone, such as Europe/Berlin", args.Zone)
	}
	if args.Format != "" && args.Format != "auto" && args.Format != cdrformat.RadiusDetail {
		return ExitUsage, Usagef("format %.40q: want auto or %s", args.Format, cdrformat.RadiusDetail)
	}
	each := func(fn func(int, []rating.DataRecord, error) error) error {
		return dataformat.Each(o.In, dataformat.Options{Source: args.Source, Zone: zone, Wraps: args.Wraps}, fn)
	}
	passed := map[string]int{}
	if detail, in := isDetail(o.In, args.Format); detail {
		f, err := openDetail(ctx, env, in, args.NAS, args.Source, args.Zone, args.Wraps)
		if err != nil {
			return ExitUsage, &UsageError{err}
		}
		each = func(fn func(int, []rating.DataRecord, error) error) error { return f.eachSession(ctx, passed, fn) }
	} else if o.In = in; args.NAS != "" {
		return ExitUsage, Usagef("--nas says who sent the packets of a detail file, and this is none")
	}
	var sum ImportedData
	batch := make([]rating.DataRecord, 0, maxDataBatch)
	lines := make([]int, 0, maxDataBatch)
	take := func() error {
		verdicts, err := RecordData(ctx, env, batch)
		if err != nil {
			return err
		}
		for i := range verdicts {
			if v := &verdicts[i]; v.Outcome == rating.DataHeld && sum.Held < shownRejected {
				fmt.Fprintf(o.Err, "%s: line %d: held %d: %s: %s\n", args.Input.Name, lines[i], v.Held, v.Reason, v.Detail)
			}
		}
		batch, lines = batch[:0], lines[:0]
		o.Progress(int64(sum.Records+len(verdicts)), 0, "records")
		return sum.add(verdicts)
	}
	err = each(func(line int, records []rating.DataRecord, wrong error) error {
		if wrong != nil {
			if sum.Unreadable++; sum.Unreadable <= shownRejected {
				fmt.Fprintf(o.Err, "%s: line %d: %v\n", args.Input.Name, line, wrong)
			}
			return ctx.Err()
		}
		for _, r := range records {
			batch, lines = append(batch, r), append(lines, line)
		}
		if len(batch) < maxDataBatch-1 {
			return ctx.Err()
		}
		return take()
	})
	if err == nil {
		err = take()
	}
	printPassed(o, args.Input.Name, passed)
	for _, n := range passed {
		sum.Skipped += n
	}
	if err != nil {
		fmt.Fprintf(o.Err, "%s: %d records are taken in and stay: import the file again, they will be duplicates\n", args.Input.Name, sum.Records)
		return ExitFailed, err
	}
	if err := env.DB.NoteJob(ctx, "data session", fmt.Sprintf("import of %s: %d records, %d held", args.Input.Name, sum.Records, sum.Held)); err != nil {
		return ExitFailed, err
	}
	if err := Print(o.Out, args.JSON, sum, sum.table); err != nil {
		return ExitFailed, err
	}
	if sum.Held+sum.Unreadable > 0 {
		return ExitPartly, nil
	}
	return ExitOK, nil
}

func (s ImportedData) table(w io.Writer) error {
	t := NewTable(w, "records", "stored", "duplicates", "resets", "unassigned", "held", "unreadable", "down", "up", "charged")
	t.Row(s.Records, s.Stored, s.Duplicates, s.Resets, s.Unassigned, s.Held, s.Unreadable, rating.Bytes(s.Used.Down).Short(rating.GB), rating.Bytes(s.Used.Up).Short(rating.GB), s.Charged)
	return t.Close()
}

// DataAnswer is what became of one record, as the native API answers it.
type DataAnswer struct {
	Status       string        `json:"status"`
	Session      *string       `json:"session_id"`
	Held         *string       `json:"held_id"`
	Reason       *string       `json:"reason"`
	Detail       *string       `json:"detail"`
	Subscription *string       `json:"subscription_id"`
	Used         rating.Octets `json:"used"`
	Charged      rating.Money  `json:"charged"`
}

// NewDataAnswer makes the shown form of a verdict.
func NewDataAnswer(v *rating.DataVerdict) DataAnswer {
	number := func(n uint64) *string {
		if n == 0 {
			return nil
		}
		s := strconv.FormatUint(n, 10)
		return &s
	}
	text := func(s string) *string {
		if s == "" {
			return nil
		}
		return &s
	}
	return DataAnswer{Status: v.Outcome.String(), Session: number(v.Session), Held: number(v.Held), Reason: text(v.Reason), Detail: text(v.Detail),
		Subscription: number(v.Subscription), Used: v.Used, Charged: v.Charged}
}

// endBatch is how many sessions of a source that began anew are closed in one transaction.
const endBatch = 1000

// EndDataSessions closes the sessions that were open when their source began anew, and returns how many.
func EndDataSessions(ctx context.Context, env *Env) (ended int, err error) {
	for {
		n := 0
		var due bool
		if err := env.DB.View(ctx, func(tx *storage.Tx) (err error) {
			due, err = tx.SessionsToEnd()
			return err
		}); err != nil || !due {
			return ended, err
		}
		err := env.DB.Update(ctx, func(tx *storage.Tx) (err error) {
			n, err = tx.EndSessions(endBatch)
			return err
		})
		if ended += n; err != nil || n < endBatch {
			return ended, err
		}
	}
}
