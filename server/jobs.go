package server

import (
	"context"
	"sync"
	"time"

	"billd/server/kazoo"
	"billd/server/ops"
	"billd/storage"
)

// job is background work under a name. Run does what is due at now, in bounded pieces, and is keyed by
// what it makes: run again after a crash it catches up and makes nothing twice.
type job struct {
	name  string
	every time.Duration
	run   func(ctx context.Context, env *ops.Env) (done int, err error)
}

// jobs runs each lane's jobs in turn; one at a time, so that none competes with another for the writer.
type jobs struct {
	cancel context.CancelFunc
	done   sync.WaitGroup
}

const jobTick = 2 * time.Second // how soon after a change an invoice in state New is filled

// jobLanes lists every job. Those of the second lane wait for other machines, and hold up nobody's money
// meanwhile.
func jobLanes() [][]job {
	return [][]job{{
		{"service plans", time.Minute, ops.ChargePlans}, // before the invoices that they belong to
		{"top-ups", jobTick, ops.TopUpLow},
		{"calls told in halves", time.Minute, func(ctx context.Context, env *ops.Env) (int, error) { return env.DB.EndDialogs(ctx) }},
		{"reservations to end", jobTick, ops.ExpireReservations},
		{"fraud guard", time.Minute, ops.GuardWork},
		{"invoices due", time.Minute, ops.RunDueInvoices},
		{"invoices to fill", jobTick, ops.FillInvoices},
		{"services to renew", time.Minute, ops.RenewServices},
		{"scheduled rates", time.Minute, ops.ApplyNextRates},
		{"CDR exports", jobTick, ops.RunCDRExports},
		{"Kazoo tasks", jobTick, func(ctx context.Context, env *ops.Env) (int, error) { return kazoo.RunTasks(ctx, env.DB) }},
		{"invoice papers", jobTick, ops.MakePapers},
		{"rates of deleted decks", jobTick, ops.PurgeDecks},
		{"data sessions to end", time.Minute, ops.EndDataSessions},
		{"balance thresholds", time.Minute, ops.TellThresholds}, // Yeti: each minute, contract 6.7
	}, {
		{"outbox", jobTick, ops.DeliverOutbox},
		{"old messages", time.Hour, ops.PruneOutbox},
	}}
}

// startJobs begins the background work; stop ends it after the piece under way.
func startJobs(ctx context.Context, s *Server) *jobs {
	ctx, cancel := context.WithCancel(ctx)
	j := &jobs{cancel: cancel}
	for _, lane := range jobLanes() {
		j.done.Go(func() { s.runLane(ctx, lane) })
	}
	return j
}

// runLane runs a lane's jobs whenever they are due, until ctx ends.
func (s *Server) runLane(ctx context.Context, lane []job) {
	next := map[string]time.Time{}
	tick := time.NewTicker(jobTick)
	defer tick.Stop()
	for {
		for _, job := range lane {
			if now := time.Now(); ctx.Err() == nil && !now.Before(next[job.name]) {
				next[job.name] = now.Add(job.every)
				s.runJob(ctx, job)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (s *Server) runJob(ctx context.Context, j job) {
	done, err := j.run(storage.As(ctx, "job "+j.name), s.env)
	switch {
	case err != nil && ctx.Err() == nil:
		s.o.Log.Error("job failed, it will be tried again", "job", j.name, "err", err)
	case done > 0:
		s.o.Log.Info("job done", "job", j.name, "records", done)
	}
}

func (j *jobs) stop() {
	j.cancel()
	j.done.Wait()
}
