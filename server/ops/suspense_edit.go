package ops

import (
	"context"

	"billd/rating"
	"billd/rating/cdrformat"
	"billd/storage"
)

// What records of a file that name no source come from. An unreadable one of another system's priced
// calls keeps its own word, so that once it is corrected it is history too.
const (
	importSource  = "import"
	historySource = "import-rated"
)

// EditSuspense corrects columns of a held record and answers it as it then is: column → text, "" takes the
// column away. It is tried again by RetrySuspense only.
func EditSuspense(ctx context.Context, env *Env, id uint64, set map[string]string) (h HeldCDR, err error) {
	if len(set) == 0 {
		return h, badArgument("set", "nothing to change: want a column and its value")
	}
	err = env.DB.Update(ctx, func(tx *storage.Tx) error {
		s, err := tx.EditSuspended(id, func(s *storage.Suspended, call *rating.Call) error {
			source := s.Source
			if source == historySource {
				source, call.Rated = importSource, true
			}
			return cdrformat.Correct(s.Raw, source, set, call)
		})
		if err != nil {
			return err
		}
		h, err = NewHeldCDR(s, true)
		return err
	})
	return h, err
}

// readAgain reads records that could not be read by the profiles of their sources as they are now. What has none is
// read the same as before, so that is not tried.
func readAgain(profiles *storage.Catalog) storage.ReadAgain {
	return func(s *storage.Suspended, call *rating.Call) error {
		profile := profiles.Source(s.Source)
		if profile == nil {
			return rating.Errorf(rating.Invalid, "suspense", "%s", s.Detail)
		}
		o, err := SourceOptions(profile)
		if err != nil {
			return err
		}
		skipped, err := cdrformat.Again(s.Raw, o, call)
		if err == nil && skipped != "" {
			err = rating.Errorf(rating.Invalid, "suspense", "by the profile of source %s now no call to charge: %s: drop it", s.Source, skipped)
		}
		return err
	}
}

func editSuspense(ctx context.Context, env *Env, args SuspenseArgs, o *IO) (int, error) {
	h, err := EditSuspense(ctx, env, args.ID, args.Set)
	if err != nil {
		return ExitFailed, err
	}
	return ExitOK, Print(o.Out, args.JSON, h, h.table)
}
