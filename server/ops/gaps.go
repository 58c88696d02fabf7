package ops

import (
	"context"
	"fmt"
	"io"
	"time"

	"billd/rating"
)

// GapsArgs are `billd gaps` and GET /api/v1/gaps.
type GapsArgs struct {
	Source string `json:"source,omitempty"`
	From   string `json:"from,omitempty"`
	To     string `json:"to,omitempty"`
	JSON   bool   `json:"json,omitempty"`
}

// GapsReport is what gaps prints.
type GapsReport struct {
	Sources []SourceGaps `json:"sources"`
}

// SourceGaps is one source of records. Times are RFC 3339, UTC.
type SourceGaps struct {
	Source    string        `json:"source"` // "" for records that name none
	Records   int           `json:"records"`
	First     string        `json:"first"`
	Last      string        `json:"last"`
	Silences  []Silence     `json:"silences"`
	Numbered  int           `json:"numbered"` // records with a number of the switch's counter
	Missing   string        `json:"missing"`  // how many numbers between them never came
	Sequences []SequenceGap `json:"sequences"`
}

// Silence is hours without a record; usual is what they have on other days.
type Silence struct {
	From  string `json:"from"`
	To    string `json:"to"`
	Usual int    `json:"usual"`
}

// SequenceGap is numbers that never came: those between after and before.
type SequenceGap struct {
	After  string `json:"after"`
	Before string `json:"before"`
	At     string `json:"at"` // when the call before them began
}

// Gaps looks for records that a switch made and that never came.
func Gaps(ctx context.Context, env *Env, args GapsArgs, progress func(done int)) (GapsReport, error) {
	report := GapsReport{Sources: []SourceGaps{}}
	span, err := CallRangeArgs{From: args.From, To: args.To}.rangeOf(ctx, env)
	if err != nil {
		return report, err
	}
	found, err := env.DB.Gaps(ctx, span, args.Source, progress)
	if err != nil {
		return report, err
	}
	for _, g := range found {
		report.Sources = append(report.Sources, newSourceGaps(&g))
	}
	return report, nil
}

func newSourceGaps(g *rating.SourceGaps) SourceGaps {
	s := SourceGaps{Source: g.Source, Records: g.Records, First: g.First.Format(time.RFC3339), Last: g.Last.Format(time.RFC3339), Silences: []Silence{},
		Numbered: g.Numbered, Missing: fmt.Sprint(g.Missing), Sequences: []SequenceGap{}}
	for _, i := range g.Silences {
		s.Silences = append(s.Silences, Silence{i.From.Format(time.RFC3339), i.To.Format(time.RFC3339), i.Usual})
	}
	for _, i := range g.Sequences {
		s.Sequences = append(s.Sequences, SequenceGap{fmt.Sprint(i.After), fmt.Sprint(i.Before), i.At.Format(time.RFC3339)})
	}
	return s
}

func gaps(ctx context.Context, env *Env, args GapsArgs, o *IO) (int, error) {
	report, err := Gaps(ctx, env, args, func(done int) { o.Progress(int64(done), 0, "records") })
	if err != nil {
		return ExitFailed, err
	}
	return ExitOK, Print(o.Out, args.JSON, report, report.table)
}

func (r GapsReport) table(w io.Writer) error {
	t := NewTable(w, "source", "records", "first", "last", "silences", "numbered", "missing")
	for _, s := range r.Sources {
		t.Row(named(s.Source), s.Records, s.First, s.Last, len(s.Silences), s.Numbered, s.Missing)
	}
	if err := t.Close(); err != nil {
		return err
	}
	for _, s := range r.Sources {
		for _, i := range s.Silences {
			fmt.Fprintf(w, "%s: no records from %s to %s, where other days have %d\n", cellText.Replace(named(s.Source)), i.From, i.To, i.Usual)
		}
		for _, i := range s.Sequences {
			fmt.Fprintf(w, "%s: numbers between %s and %s never came, after the call of %s\n", cellText.Replace(named(s.Source)), i.After, i.Before, i.At)
		}
	}
	return nil
}

func named(source string) string {
	if source == "" {
		return "(none)"
	}
	return source
}
