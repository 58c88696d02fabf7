package ops

import (
	"context"
	"io"
)

// FillDemo fills an empty store with a sample provider.
func FillDemo(ctx context.Context, env *Env, out io.Writer) error { return nil }
