package ops

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"time"
)

// UndoImportArgs say of which deck the last import is undone.
type UndoImportArgs struct {
	Deck   string `json:"deck,omitempty"` // "default" when empty
	DryRun bool   `json:"dry_run,omitempty"`
	JSON   bool   `json:"json,omitempty"`
}

// UndoReport is what undo-import answers.
type UndoReport struct {
	Deck       string `json:"deck"`
	DeckID     uint64 `json:"deck_id"`
	Import     uint64 `json:"import"`
	File       string `json:"file"`
	ImportedAt string `json:"imported_at"` // RFC 3339
	By         string `json:"by,omitempty"`
	Removed    int    `json:"removed"`  // rates that the import had added
	Restored   int    `json:"restored"` // rates that it had ended, and that end now as they did before
	DryRun     bool   `json:"dry_run"`
	Applied    bool   `json:"applied"`
}

// UndoImport puts a deck back to what it was before its last import, unless it is a dry run.
// Fails with Conflict, and says why, where that is not possible or would lose a later edit.
func UndoImport(ctx context.Context, env *Env, args UndoImportArgs, progress func(done, total int64, what string)) (*UndoReport, error) {
	u, err := env.DB.UndoImport(ctx, cmp.Or(args.Deck, "default"), args.DryRun, func(done, total int64) { progress(done, total, "rows") })
	if err != nil {
		return nil, err
	}
	return &UndoReport{Deck: u.Deck.Name, DeckID: uint64(u.Deck.ID), Import: u.Import.ID, File: u.Import.File,
		ImportedAt: u.Import.FinishedAt.UTC().Format(time.RFC3339), By: u.Import.By, Removed: u.Removed, Restored: u.Reopened, DryRun: args.DryRun, Applied: u.Applied}, nil
}

func undoImport(ctx context.Context, env *Env, args UndoImportArgs, o *IO) (int, error) {
	r, err := UndoImport(ctx, env, args, o.Progress)
	if err != nil {
		return ExitFailed, err
	}
	return ExitOK, Print(o.Out, args.JSON, r, func(w io.Writer) error {
		fmt.Fprintf(w, "deck %s: import of %s, applied %s\nrates that it added and that go: %d\nrates that it ended and that are as before: %d\n", r.Deck, r.File, r.ImportedAt, r.Removed, r.Restored)
		outcome := "undone; calls that were charged meanwhile keep their prices, see billd rerate"
		if r.DryRun {
			outcome = "dry run: nothing was changed"
		}
		_, err := fmt.Fprintln(w, outcome)
		return err
	})
}
