package ops

import "context"

// ChargePlans charges every account on service plans whose next month has begun. It returns how many it
// charged.
func ChargePlans(ctx context.Context, env *Env) (charged int, err error) {
	return env.DB.ChargePlans(ctx)
}

// TopUpLow tops up the accounts whose balance fell below the threshold that they set, if the settings
// allow it. It returns how many it topped up.
func TopUpLow(ctx context.Context, env *Env) (done int, err error) {
	return env.DB.TopUpLow(ctx)
}
