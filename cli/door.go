package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"time"

	"billd/server/control"
	"billd/server/ops"
	"billd/storage/kv"

	"github.com/spf13/cobra"
)

// call is one command for either door.
type call struct {
	op   string
	args any       // the command's argument struct, nil for none
	in   io.Reader // its input, nil for none
	out  io.Writer // its output, nil for the command line's own
	side io.Writer // its second output, nil for none
}

// runOp runs c through the door that is open. Its error is an exit code that needs no more words,
// or what stood in the way.
func (a *app) runOp(cmd *cobra.Command, c call) error {
	args, err := json.Marshal(c.args)
	if err != nil {
		return fmt.Errorf("%s: %w", c.op, err)
	}
	bar := newProgress(a.errw)
	o := &ops.IO{In: c.in, Out: c.out, Aside: c.side, Err: bar.over(a.errw), Progress: bar.report}
	if o.Out == nil {
		o.Out = bar.over(a.out)
	}
	exit, err := a.throughDoor(cmd.Context(), c.op, args, o)
	bar.clear()
	if err == nil && exit != ops.ExitOK {
		err = exitCode(exit)
	}
	return err
}

// startingPatience is how long a store that is held by somebody who does not answer is asked for again: a
// server that starts has the store for a while, longer after a crash, before it has its socket.
const (
	startingPatience = 3 * time.Second
	startingPause    = 50 * time.Millisecond
)

// throughDoor asks the server if one answers, else opens the store.
func (a *app) throughDoor(ctx context.Context, op string, args json.RawMessage, o *ops.IO) (exit int, err error) {
	for began := time.Now(); ; {
		client, err := control.Dial(ctx, a.dir, version())
		if err == nil {
			return client.Call(ctx, op, args, o)
		}
		if !errors.Is(err, control.ErrNobody) {
			return 0, err
		}
		exit, err = a.direct(ctx, op, args, o)
		if !errors.Is(err, kv.ErrHeld) || time.Since(began) > startingPatience {
			return exit, err
		}
		select {
		case <-time.After(startingPause):
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
}

// direct opens the store, runs the command and closes the store.
func (a *app) direct(ctx context.Context, op string, args json.RawMessage, o *ops.IO) (exit int, err error) {
	at := slices.IndexFunc(a.commands, func(c ops.Command) bool { return c.Name == op })
	if at < 0 {
		return 0, fmt.Errorf("command %q: not in this binary", op)
	}
	command := a.commands[at]
	if command.ReadOnly {
		if err := ops.StoreExists(a.dir); err != nil {
			return 0, err
		}
	}
	db, err := ops.OpenStore(ctx, a.dir)
	if err != nil {
		return 0, err
	}
	env := &ops.Env{
		DB: db, Dir: a.dir, Version: version(), Actor: fmt.Sprintf("uid %d", os.Getuid()),
		Log: slog.New(slog.NewTextHandler(o.Err, &slog.HandlerOptions{Level: slog.LevelWarn})),
	}
	own := *o
	if own.In != nil {
		own.In = ops.UntilDone(ctx, own.In)
	}
	exit = command.Do(ctx, env, args, &own)
	return exit, db.Close()
}
