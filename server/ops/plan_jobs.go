package ops

import "context"

// ChargePlans charges every account on service plans whose next month has begun. It returns how many it
// charged.
func ChargePlans(ctx context.Context, env *Env) (charged int, err error) {
	return env.DB.ChargePlans(ctx)
}
