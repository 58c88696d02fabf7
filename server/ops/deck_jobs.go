package ops

import "context"

// PurgeDecks removes the rates of deleted decks that had too many for one transaction. It returns of how
// many decks nothing is left.
func PurgeDecks(ctx context.Context, env *Env) (int, error) { return env.DB.PurgeDecks(ctx) }
