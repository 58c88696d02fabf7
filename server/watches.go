package server

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"

	"billd/server/ops"
	"billd/server/watch"

	"github.com/prometheus/client_golang/prometheus"
)

// watches takes in the files that appear in directories, each directory on its own.
type watches struct {
	list   []*watch.Watcher
	cancel context.CancelFunc
	done   sync.WaitGroup
}

// newWatches fails if a place cannot be watched. It counts in s.metrics.
func newWatches(s *Server) (*watches, error) {
	files := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "billd_watch_files_total",
		Help: "Files of call records, and pieces of growing ones, by what became of them."}, []string{"outcome"})
	s.metrics.registry.MustRegister(files)
	for _, o := range watch.Outcomes() {
		files.WithLabelValues(string(o)) // 0 until the first
	}
	ws := &watches{cancel: func() {}}
	for _, place := range s.o.Watch {
		w, err := watch.New(place, watch.Options{Door: s.throughOps, Log: s.o.Log, Told: func(o watch.Outcome, _ *ops.WatchedFile) {
			files.WithLabelValues(string(o)).Inc()
		}})
		if err != nil {
			return nil, err
		}
		ws.list = append(ws.list, w)
	}
	return ws, nil
}

// throughOps runs a command as the unix socket does, on behalf of the server.
func (s *Server) throughOps(ctx context.Context, op string, args json.RawMessage, o *ops.IO) (int, error) {
	at := slices.IndexFunc(s.o.Commands, func(c ops.Command) bool { return c.Name == op })
	if at < 0 {
		return 0, fmt.Errorf("command %q: not in this binary", op)
	}
	env := *s.env
	env.Actor = "watch"
	return s.o.Commands[at].Do(ctx, &env, args, o), nil
}

// start begins to watch; stop ends it after the batch under way.
func (ws *watches) start(ctx context.Context) {
	ctx, ws.cancel = context.WithCancel(ctx)
	for _, w := range ws.list {
		ws.done.Go(func() { w.Run(ctx) }) // what goes wrong is in the log
	}
}

func (ws *watches) stop() {
	ws.cancel()
	ws.done.Wait()
}
